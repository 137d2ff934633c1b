"""Panel of the objects: the Labels layer they go to, commit, undo, count."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QCheckBox, QPushButton, QSpinBox
from superqt.utils import signals_blocked

from napari_gen2seg.common.text import count_text
from napari_gen2seg.gui.layers.overlays import DRAWN, role_of
from napari_gen2seg.gui.panels.layer_combo import LayerCombo
from napari_gen2seg.gui.panels.widgets import Panel, quiet_label
from napari_gen2seg.gui.saving.save_row import SaveRow

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer

    from napari_gen2seg.gui.annotate.labels_layer import Objects


class ObjectsPanel(Panel):
    """Asks for commits; shows how many objects there are.

    Parameters
    ----------
    viewer
        Whose Labels layers are offered.
    """

    commit_requested = Signal()
    undo_requested = Signal()
    redo_requested = Signal()
    next_requested = Signal()
    object_requested = Signal(int)
    overwrite_requested = Signal(bool)
    at_once_requested = Signal(bool)

    def __init__(self, viewer: ViewerModel) -> None:
        super().__init__("4  Keep them")
        self.target = LayerCombo(viewer, is_target, "new Labels layer")
        self.target.setToolTip("The Labels layer that takes the objects.")
        self.number = QSpinBox()
        self.number.setRange(1, 2**31 - 1)
        self.number.setKeyboardTracking(False)
        self.number.setToolTip(
            "Number of the object being clicked. Go back to an earlier number to "
            "correct it with its clicks."
        )
        self.another = QPushButton("Next")
        self.another.setToolTip("Leave this object as it is and begin another.")
        self.commit = QPushButton("Commit (Enter)")
        self.commit.setToolTip(
            "Write the mask into the Labels layer. Ctrl+Z takes it back."
        )
        font = self.commit.font()
        font.setBold(True)
        self.commit.setFont(font)
        self.undo = QPushButton("Undo")
        self.undo.setToolTip(
            "Take back what was kept, dropped or changed last. Ctrl+Z in the click "
            "layer takes back clicks, too."
        )
        self.redo = QPushButton("Redo")
        self.redo.setToolTip(
            "Do again what was taken back last (Ctrl+Shift+Z in the click layer)."
        )
        self.at_once = QCheckBox("One click each")
        self.at_once.setToolTip("Commit every click at once and go on.")
        self.overwrite = QCheckBox("May overwrite")
        self.overwrite.setToolTip(
            "Off: pixels of other objects are left to them. On: the new object takes "
            "them."
        )
        self.counter = quiet_label("No objects yet")
        self._offered = False  # earlier work waits for an answer

        self.add_row(self.target, label="Into")
        self.add_row(self.number, self.another, label="Object")
        self.add_row(self.undo, self.redo, self.commit)
        self.add_row(self.at_once, self.overwrite)
        self.column.addWidget(self.counter)
        self.saving = SaveRow()
        self.column.addWidget(self.saving)

        self.commit.clicked.connect(lambda: self.commit_requested.emit())
        self.undo.clicked.connect(lambda: self.undo_requested.emit())
        self.redo.clicked.connect(lambda: self.redo_requested.emit())
        self.another.clicked.connect(lambda: self.next_requested.emit())
        self.number.valueChanged.connect(self.object_requested)
        self.overwrite.toggled.connect(self.overwrite_requested)
        self.at_once.toggled.connect(self.at_once_requested)

    def show_object(self, number: int) -> None:
        """Show which object is being clicked."""
        with signals_blocked(self.number):
            self.number.setValue(number)

    def show_objects(self, objects: Objects) -> None:
        """Show the target and how many objects it holds."""
        layer = objects.layer
        self.target.choose(layer)
        self._show_counter()
        if layer is None:
            self.counter.setText("The first commit makes a Labels layer.")
            return
        count = count_text(objects.tally.count, "object")
        self.counter.setText(f"{count} in {layer.name!r}")

    def show_offer(self, offered: bool) -> None:
        """Say nothing of objects while earlier ones are offered and none is here."""
        self._offered = offered
        self._show_counter()

    def _show_counter(self) -> None:
        self.counter.setVisible(self.target.layer is not None or not self._offered)


def is_target(layer: Layer) -> bool:
    """Whether a layer may be offered for objects."""
    from napari.layers import Labels

    return isinstance(layer, Labels) and role_of(layer) not in DRAWN
