"""Panel of the proposals: which are shown, how many are left, what comes next."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QCheckBox, QLabel, QPushButton, QSlider
from superqt import QRangeSlider
from superqt.utils import signals_blocked

from napari_gen2seg.core.candidates import least_score
from napari_gen2seg.gui.panels.widgets import Panel, quiet_label

if TYPE_CHECKING:
    from napari_gen2seg.core.objects.review import Review
    from napari_gen2seg.core.proposal_settings import ProposalSettings, Range
    from napari_gen2seg.gui.annotate.review import ProposalReview

STEPS = 100


class ReviewPanel(Panel):
    """Asks for thresholds and acts; shows how far the review of a plane is."""

    on_requested = Signal(bool)
    thresholds_requested = Signal(object, object)  # certainty, sizes; None: the usual
    keep_all_requested = Signal()
    next_left_requested = Signal()
    next_doubtful_requested = Signal()
    similar_requested = Signal(bool)
    likeness_requested = Signal(float)

    def __init__(self) -> None:
        super().__init__()
        self._range: Range = (1.0, 2.0)  # diameters at both ends of the slider
        self.on = QCheckBox("Proposals")
        self.on.setToolTip(
            "Outline what may be objects as soon as a picture is colored: Enter keeps "
            "the one under the pointer, D drops it, Control-drag keeps all it touches."
        )
        self.counter = quiet_label("")
        self.auto = QCheckBox("auto")
        self.auto.setChecked(True)
        self.auto.setToolTip("The usual certainty and sizes.")
        self.certainty = QSlider(Qt.Orientation.Horizontal)
        self.certainty.setRange(0, STEPS)
        self.certainty.setToolTip("Less certain ones are not shown.")
        self.certainty_value = _value_label(32)
        self.sizes = QRangeSlider(Qt.Orientation.Horizontal)
        self.sizes.setRange(0, STEPS)
        self.sizes.setValue((0, STEPS))
        self.sizes.setToolTip("Smallest and largest diameter, in pixels.")
        self.sizes_value = _value_label(52)
        self.keep_all = QPushButton("Keep all")
        self.keep_all.setToolTip("Keep all that is outlined (Shift+Enter).")
        self.next_left = QPushButton("Next")
        self.next_left.setToolTip("Go to the next one (N).")
        self.next_doubtful = QPushButton("Doubtful")
        self.next_doubtful.setToolTip(
            "Go to the most doubtful one, then to the next (Shift+N)."
        )

        self.add_row(self.on, self.counter)
        row = self.add_row(
            self.certainty, self.certainty_value, self.auto, label="Certainty"
        )
        row.setStretch(1, 1)
        row.setStretch(3, 0)
        row = self.add_row(self.sizes, self.sizes_value, label="Size")
        row.setStretch(1, 1)
        row.setStretch(2, 0)
        self.similar = QPushButton("Similar")
        self.similar.setCheckable(True)
        self.similar.setToolTip(
            "Outline only what looks like the objects that you kept, and unlike those "
            "that you dropped; of an object that you went back to, like that one."
        )
        self.likeness = QSlider(Qt.Orientation.Horizontal)
        self.likeness.setRange(0, STEPS)
        self.likeness.setValue(STEPS // 2)
        self.likeness.setToolTip("To the right, only what is most alike.")
        self.likeness_value = _value_label(32)
        row = self.add_row(self.similar, self.likeness, self.likeness_value)
        row.setStretch(1, 1)
        row.setStretch(2, 0)
        self.add_row(self.next_left, self.next_doubtful, self.keep_all)
        self._acts = (self.keep_all, self.next_left, self.next_doubtful)
        self._sliders = (self.auto, self.certainty, self.sizes)

        self.on.toggled.connect(self.on_requested)
        self.auto.toggled.connect(self._auto_toggled)
        self.certainty.valueChanged.connect(self._certainty_moved)
        self.sizes.valueChanged.connect(self._sizes_moved)
        self.keep_all.clicked.connect(lambda: self.keep_all_requested.emit())
        self.next_left.clicked.connect(lambda: self.next_left_requested.emit())
        self.next_doubtful.clicked.connect(lambda: self.next_doubtful_requested.emit())
        self.similar.clicked.connect(self.similar_requested)
        self.likeness.valueChanged.connect(self._likeness_moved)

    def show_review(self, proposals: ProposalReview) -> None:
        """Show how far it is, and by which thresholds."""
        review = proposals.review
        with signals_blocked(self.on):
            self.on.setChecked(proposals.on)
        some = review is not None and len(review.candidates) > 0
        for widget in self._sliders:
            widget.setEnabled(some)
        self.similar.setEnabled(some and proposals.suits)
        likeness = proposals.likeness
        self.likeness.setEnabled(some and likeness.on)
        with signals_blocked(self.similar):
            self.similar.setChecked(likeness.on)
        self.likeness_value.setText(f"{likeness.least:.2f}" if likeness.on else "–")
        left = review is not None and review.counts.left > 0 and proposals.suits
        for button in self._acts:
            button.setEnabled(left)
        self.counter.setText(_progress(proposals))
        if review is not None and some:
            self._show_thresholds(review)
        else:
            self._show_none(proposals.settings)

    def _show_none(self, settings: ProposalSettings) -> None:
        """Show what is chosen before there are proposals, and no more."""
        score = settings.min_score
        with signals_blocked(self.auto):
            self.auto.setChecked(score is None and settings.sizes is None)
        with signals_blocked(self.certainty):
            self.certainty.setValue(round(STEPS * (score or 0.0)))
        with signals_blocked(self.sizes):
            self.sizes.setValue((0, STEPS))
        self.certainty_value.setText("–" if score is None else f"{score:.2f}")
        self.sizes_value.setText("–")

    def _show_thresholds(self, review: Review) -> None:
        settings, diameters = review.settings, review.looks.diameters
        low = max(float(np.floor(diameters.min())), 1.0)
        self._range = low, max(float(np.ceil(diameters.max())), low + 1)
        score = least_score(review.candidates, settings)
        sizes = settings.sizes or self._range
        places = tuple(self._place(size) for size in sizes)
        with signals_blocked(self.auto):
            self.auto.setChecked(settings.min_score is None and settings.sizes is None)
        with signals_blocked(self.certainty):
            self.certainty.setValue(round(STEPS * score))
        if not self.sizes.isSliderDown():  # or rounding would push the handle
            with signals_blocked(self.sizes):
                self.sizes.setValue(places)
        self.certainty_value.setText(f"{score:.2f}")
        self.sizes_value.setText(f"{sizes[0]:.0f}–{sizes[1]:.0f} px")

    def _auto_toggled(self, auto: bool) -> None:
        if auto:
            self.thresholds_requested.emit(None, None)
        else:
            self._certainty_moved()

    def _certainty_moved(self, _value: int = 0) -> None:
        self.thresholds_requested.emit(self.certainty.value() / STEPS, self._sizes())

    def _likeness_moved(self, value: int) -> None:
        self.likeness_requested.emit(value / STEPS)

    def _sizes_moved(self, _value: object = None) -> None:
        certainty = None if self.auto.isChecked() else self.certainty.value() / STEPS
        self.thresholds_requested.emit(certainty, self._sizes())

    def _sizes(self) -> Range | None:
        """Return the diameters chosen; None where all are."""
        low, high = self.sizes.value()
        if (low, high) == (0, STEPS):
            return None
        return self._diameter(low), self._diameter(high)

    def _diameter(self, place: float) -> float:
        """Return the diameter at a place of the slider; each step is a share more."""
        low, high = self._range
        return float(low * (high / low) ** (place / STEPS))

    def _place(self, diameter: float) -> int:
        low, high = self._range
        share = np.log(max(diameter, low) / low) / np.log(high / low)
        return int(np.clip(round(STEPS * float(share)), 0, STEPS))


def _progress(proposals: ProposalReview) -> str:
    """Say how far a review is: "12 kept, 27 left"."""
    review = proposals.review
    if not proposals.on:
        return ""
    if proposals.finder.finding:
        return "looking for objects …"
    if review is None:
        return ""
    if not proposals.suits:
        return "none: the Labels layer has other pixels than the picture"
    counts = review.counts
    dropped = f", {counts.dropped} dropped" if counts.dropped else ""
    refining = ", outlines being refined" if proposals.refiner.left else ""
    here = " in this window" if proposals.in_window else ""
    return f"{counts.kept} kept{dropped}, {counts.left} left{here}{refining}"


def _value_label(width: int) -> QLabel:
    label = QLabel("–")
    label.setMinimumWidth(width)
    label.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
    return label
