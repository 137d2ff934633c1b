"""Panel of the tools for kept objects: a button each, the table, and all keys."""

from __future__ import annotations

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QPushButton

from napari_gen2seg.gui.annotate.tool_keys import HELP_KEY, TOOLS
from napari_gen2seg.gui.panels.tool_buttons import ToolButtons
from napari_gen2seg.gui.panels.widgets import Panel

_HOW = "While this is down, click objects on the picture, or draw over many."


class EditPanel(Panel):
    """Asks for tools, for the table of objects, and for the keys."""

    table_requested = Signal()
    keys_requested = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.tools = ToolButtons(TOOLS, 4, _HOW)
        self.table = QPushButton("Table…")
        self.table.setToolTip("All kept objects in a table: number, size, origin.")
        self.keys = QPushButton(f"Keys ({HELP_KEY})")
        self.keys.setToolTip("Show all keys over the picture, or hide them.")
        self.column.addWidget(self.tools)
        self.add_row(self.table, self.keys)
        self.table.clicked.connect(lambda: self.table_requested.emit())
        self.keys.clicked.connect(lambda: self.keys_requested.emit())
