"""Panel of stacks and movies: color all planes, carry objects on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QCheckBox, QComboBox, QProgressBar, QPushButton
from superqt.utils import signals_blocked

from napari_gen2seg.gui.panels.widgets import Panel, shrink

if TYPE_CHECKING:
    from napari_gen2seg.gui.annotate.stack_work import StackWork


class StackPanel(Panel):
    """Asks for work on many planes; shows how far it is. Hidden for single images."""

    axis_requested = Signal(int)
    color_requested = Signal()
    ahead_requested = Signal(bool)
    carry_requested = Signal(int)  # 1 for the planes after, -1 for those before
    stop_requested = Signal()

    def __init__(self) -> None:
        super().__init__("Stack")
        self.axis = shrink(QComboBox())
        self.axis.setToolTip("Axis along which planes are colored and objects go on.")
        self.color = QPushButton("Color all planes")
        self.color.setToolTip("Color every plane, behind what you are doing.")
        self.ahead = QCheckBox("Ahead")
        self.ahead.setToolTip("Color the plane in view and the next two by itself.")
        self.back = QPushButton("◀ Carry")
        self.back.setToolTip(
            "Carry the objects of this plane to the planes before it, as far as they "
            "are found there (, carries the one under the pointer)."
        )
        self.on = QPushButton("Carry ▶")
        self.on.setToolTip(
            "Carry the objects of this plane to the planes after it, as far as they "
            "are found there (. carries the one under the pointer)."
        )
        self.progress = QProgressBar()
        self.progress.setFormat("%v of %m planes")
        self.stop = QPushButton("Stop")
        self.stop.setToolTip("Stop; what is done by then is kept.")
        self._along = self.add_row(self.axis, label="Along")
        self.add_row(self.color, self.ahead)
        self.add_row(self.back, self.on)
        self.add_row(self.stop, self.progress)
        self.axis.currentIndexChanged.connect(
            lambda at: self.axis_requested.emit(int(self.axis.itemData(at)))
        )
        self.color.clicked.connect(lambda: self.color_requested.emit())
        self.ahead.toggled.connect(self.ahead_requested)
        self.back.clicked.connect(lambda: self.carry_requested.emit(-1))
        self.on.clicked.connect(lambda: self.carry_requested.emit(1))
        self.stop.clicked.connect(lambda: self.stop_requested.emit())
        self.setVisible(False)

    def show_work(self, work: StackWork) -> None:
        """Show what there is to do, and how far it is."""
        axes, chosen = work.axes, work.axis
        self.setVisible(chosen is not None)
        if chosen is None:
            return
        with signals_blocked(self.axis):
            self.axis.clear()
            for one in axes:
                self.axis.addItem(f"{one.name}: {one.size} planes", one.axis)
            self.axis.setCurrentIndex([one.axis for one in axes].index(chosen.axis))
        for place in range(self._along.count()):
            self._along.itemAt(place).widget().setVisible(len(axes) > 1)
        left = work.left
        self.color.setText(f"Color {left} planes" if left else "All planes are colored")
        for button in (self.back, self.on):
            button.setEnabled(not work.doing)
        self.color.setEnabled(left > 0 and not work.doing)
        for widget in (self.progress, self.stop):
            widget.setVisible(bool(work.doing))
        if work.doing:
            self.progress.setMaximum(work.total)
            self.progress.setValue(work.done)
            self.progress.setFormat(f"{work.doing}: %v of %m planes")
