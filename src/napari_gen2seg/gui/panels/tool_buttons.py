"""Buttons of tools: one that is down means every click and stroke on the canvas."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QGridLayout, QPushButton, QWidget
from superqt.utils import signals_blocked

if TYPE_CHECKING:
    from napari_gen2seg.gui.annotate.tool_keys import Tool


class ToolButtons(QWidget):
    """Asks for a tool.

    Parameters
    ----------
    tools
        From left to right.
    across
        How many in a row.
    how
        What to do while a button is down, in a sentence.
    """

    requested = Signal(str)  # a tool's name; empty: none any more

    def __init__(self, tools: Sequence[Tool], across: int, how: str) -> None:
        super().__init__()
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(4)
        self.buttons: dict[str, QPushButton] = {}
        for place, tool in enumerate(tools):
            button = QPushButton(tool.title)
            button.setCheckable(True)
            button.setToolTip(f"{tool.does}\n{how} Key: {tool.shown_key}.")
            button.setMinimumWidth(48)
            button.clicked.connect(self._asker(tool.name))
            grid.addWidget(button, place // across, place % across)
            self.buttons[tool.name] = button

    def show_tool(self, name: str) -> None:
        """Show which tool clicks belong to; empty for none."""
        for each, button in self.buttons.items():
            with signals_blocked(button):
                button.setChecked(each == name)

    def _asker(self, name: str) -> Callable[[bool], None]:
        return lambda down: self.requested.emit(name if down else "")
