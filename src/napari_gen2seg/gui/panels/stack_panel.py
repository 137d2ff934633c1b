"""Panel of stacks: color all planes, carry objects on, keep proposals of all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QProgressBar,
    QPushButton,
    QSpinBox,
)
from superqt.utils import signals_blocked

from napari_gen2seg.common.text import duration_text
from napari_gen2seg.core.linking import LinkSettings
from napari_gen2seg.gui.panels.widgets import Panel, fold, shrink

if TYPE_CHECKING:
    from napari_gen2seg.gui.annotate.stack_work import StackWork

_ALL_COLORED = "Color all planes: done"


class StackPanel(Panel):
    """Asks for work on many planes; shows how far it is. Hidden for single images."""

    axis_requested = Signal(int)
    color_requested = Signal()
    ahead_requested = Signal(bool)
    carry_requested = Signal(int)  # 1 for the planes after, -1 for those before
    keep_requested = Signal()
    linking_requested = Signal(object)  # LinkSettings
    tracks_requested = Signal()
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
        self.keep = QPushButton("Keep proposals of all planes")
        self.keep.setToolTip(
            "Keep what is proposed on every plane, by the certainty and the sizes "
            "chosen below; an object gets one number in all its planes. What is kept "
            "already stays as it is. Ctrl+Z takes all of it back."
        )
        self.tracks = QPushButton("Tracks")
        self.tracks.setToolTip(
            "Show where objects are through the planes, as a Tracks layer. Press again "
            "after objects changed."
        )
        self.progress = QProgressBar()
        self.progress.setFormat("%v of %m planes")
        self.stop = QPushButton("Stop")
        self.stop.setToolTip("Stop; what is done by then is kept.")
        self._along = self.add_row(self.axis, label="Along")
        self.add_row(self.color, self.ahead)
        self.add_row(self.back, self.on)
        self.add_row(self.tracks, self.keep)
        self._add_linking()
        self.add_row(self.stop, self.progress)
        self.axis.currentIndexChanged.connect(
            lambda at: self.axis_requested.emit(int(self.axis.itemData(at)))
        )
        self.color.clicked.connect(lambda: self.color_requested.emit())
        self.ahead.toggled.connect(self.ahead_requested)
        self.back.clicked.connect(lambda: self.carry_requested.emit(-1))
        self.on.clicked.connect(lambda: self.carry_requested.emit(1))
        self.keep.clicked.connect(lambda: self.keep_requested.emit())
        self.tracks.clicked.connect(lambda: self.tracks_requested.emit())
        self.stop.clicked.connect(lambda: self.stop_requested.emit())
        self.setVisible(False)

    def _add_linking(self) -> None:
        self.radius = QDoubleSpinBox()
        self.radius.setRange(0, 9999)
        self.radius.setDecimals(1)
        self.radius.setSuffix(" px")
        self.radius.setSpecialValueText("auto")
        self.radius.setToolTip(
            "How far an object may move from plane to plane without overlapping "
            "itself; auto is half the diameter of a typical object."
        )
        self.gaps = QSpinBox()
        self.gaps.setRange(0, 20)
        self.gaps.setToolTip("In how many planes in a row an object may be missing.")
        self.divisions = QCheckBox("Divisions")
        self.divisions.setToolTip("In a movie: an object may become two.")
        self.convex = QCheckBox("Part at necks")
        self.convex.setToolTip(
            "In depth: what shrinks to less than half and grows again is two objects, "
            "one right behind the other. Carrying on stops there, too."
        )
        inside = Panel()
        inside.add_row(self.radius, label="Radius")
        inside.add_row(self.gaps, label="Gaps")
        inside.add_row(self.divisions, self.convex)
        self.column.addWidget(fold("Linking", inside))
        self.radius.valueChanged.connect(self._linking_changed)
        self.gaps.valueChanged.connect(self._linking_changed)
        self.divisions.toggled.connect(self._linking_changed)
        self.convex.toggled.connect(self._linking_changed)

    def _linking_changed(self, *_: object) -> None:
        self.linking_requested.emit(
            LinkSettings(
                radius=self.radius.value() or None,
                gaps=self.gaps.value(),
                divisions=self.divisions.isChecked(),
                convex=self.convex.isChecked(),
            )
        )

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
        time = work.seconds_left
        some = f", some {duration_text(time)}" if time >= 1 else ""
        text = f"Color all planes: {left} left{some}" if left else _ALL_COLORED
        self.color.setText(text)
        for button in (self.back, self.on, self.keep, self.tracks):
            button.setEnabled(not work.doing)
        self.color.setEnabled(left > 0 and not work.doing)
        for widget in (self.progress, self.stop):
            widget.setVisible(bool(work.doing))
        if work.doing:
            self.progress.setMaximum(work.total)
            self.progress.setValue(work.done)
            self.progress.setFormat(f"{work.doing}: %v of %m planes")
