"""Page 3: what is happening, in words, curves and images."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QColor
from qtpy.QtWidgets import (
    QCheckBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from napari_gen2seg.common.text import count_text
from napari_gen2seg.gui.finetune.data.image_view import PictureView
from napari_gen2seg.gui.finetune.run.live_plot import Chart
from napari_gen2seg.gui.finetune.texts import (
    comparing_text,
    ending_text,
    plan_text,
    score_decimals,
    score_text,
    share_done,
    step_text,
    wide_label,
)
from napari_gen2seg.train.finetune.inference_settings import use_words

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    import numpy.typing as npt

LOSS, SCORE = QColor(110, 170, 230), QColor(80, 190, 120)
STATES = {
    "idle": "Nothing is being trained.",
    "starting": "Starting: the model library is loading…",
    "running": "Training",
    "stopping": "Stopping…",
    "cancelled": "Cancelled. What was learned is kept: Resume goes on from there.",
    "failed": "It could not go on.",
    "lost": "It ended unexpectedly.",
    "done": "Finished.",
}
SCORE_TIP = (
    "How well one click's mask overlaps the true object, 0 to 1, on objects that the "
    "model does not learn from. Dashed: before training. Yellow ring: the best, which "
    "is kept."
)
BEFORE = 60  # of the bar's 1000: what is tried before the first step


class TrainingPage(QWidget):
    """Shows a run and asks to stop it."""

    cancel_requested = Signal()
    stop_requested = Signal()
    resume_requested = Signal()
    discard_requested = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.heading = QLabel(STATES["idle"])
        font = self.heading.font()
        font.setBold(True)
        self.heading.setFont(font)
        self.heading.setWordWrap(True)
        self.progress = QProgressBar()
        self.progress.setRange(0, 1000)
        self.progress.setFormat("")
        self.score = Chart(
            "Score on held-back objects (higher is better)",
            SCORE,
            dots=True,
        )
        self.score.setToolTip(SCORE_TIP)
        self.loss = Chart("Training loss (lower is better)", LOSS)
        self.before, self.now = PictureView("not yet"), PictureView("not yet")
        self.map_name = QLabel("Coloring map of the held-back picture")
        self.in_viewer = QCheckBox("Show the map as a layer in napari")
        self.in_viewer.setToolTip(
            "A layer over the picture that changes while the model learns."
        )
        self.keep_map = QCheckBox("and keep it afterwards")
        self.told = wide_label()
        self.cancel = QPushButton("Cancel")
        self.cancel.setToolTip("Stop and save, so that you can go on later.")
        self.stop = QPushButton("Stop and keep best")
        self.stop.setToolTip(
            "End here, compare the best state so far with the old model, and keep it."
        )
        self.resume = QPushButton("Resume")
        self.discard = QPushButton("Throw away")
        self.title: Callable[[str], str] = str  # a picture's name for people
        self._lay_out()
        for button, signal in (
            (self.cancel, self.cancel_requested),
            (self.stop, self.stop_requested),
            (self.resume, self.resume_requested),
            (self.discard, self.discard_requested),
        ):
            button.clicked.connect(lambda _=False, signal=signal: signal.emit())
        self.show_state("idle", "", False)

    def _lay_out(self) -> None:
        maps = QGridLayout()
        maps.addWidget(self.map_name, 0, 0, 1, 2)
        for place, (text, view) in enumerate(
            (("Before training", self.before), ("Now", self.now))
        ):
            label = QLabel(text)
            label.setAlignment(Qt.AlignmentFlag.AlignCenter)
            maps.addWidget(view, 1, place)
            maps.addWidget(label, 2, place)
        layer = QHBoxLayout()
        layer.addWidget(self.in_viewer)
        layer.addWidget(self.keep_map)
        layer.addStretch(1)
        maps.addLayout(layer, 3, 0, 1, 2)
        maps.setRowStretch(1, 1)
        curves = QVBoxLayout()
        curves.addWidget(self.score, 1)
        curves.addWidget(self.loss, 1)
        middle = QHBoxLayout()
        middle.addLayout(curves, 1)
        middle.addLayout(maps, 1)
        last = QHBoxLayout()
        last.addStretch(1)
        for button in (self.discard, self.resume, self.cancel, self.stop):
            last.addWidget(button)
        column = QVBoxLayout(self)
        column.addWidget(self.heading)
        column.addWidget(self.progress)
        column.addLayout(middle, 1)
        column.addWidget(self.told)
        column.addLayout(last)

    def replay(self, events: Sequence[dict[str, Any]]) -> None:
        """Show what an earlier start said, in place of the last run."""
        self.clear()
        # A progress bar repaints the window with every value; once is enough here.
        self.setUpdatesEnabled(False)
        try:
            for event in events:
                self.show_event(event)
        finally:
            self.setUpdatesEnabled(True)

    def clear(self) -> None:
        """Forget the last run."""
        self.score.clear()
        self.loss.clear()
        self.told.setText("")
        self.progress.setValue(0)
        self.progress.setFormat("")

    def clear_maps(self) -> None:
        """Forget the maps of another run."""
        self.map_name.setText("Coloring map of the held-back picture")
        for view in (self.before, self.now):
            view.show_image(None, "not yet")

    def show_state(self, state: str, message: str, resumable: bool) -> None:
        """Show what the run is doing, or how it ended."""
        text = STATES[state]
        if state == "cancelled" and not resumable:
            text = "Cancelled before anything was saved."
        if message and state in ("failed", "lost"):
            text = message
        self.heading.setText(text)
        working = state in ("starting", "running", "stopping")
        self.cancel.setEnabled(working)
        self.cancel.setText("End now" if state == "stopping" else "Cancel")
        self.stop.setEnabled(state == "running")
        self.resume.setVisible(resumable)
        self.discard.setVisible(state in ("cancelled", "failed", "lost"))
        if state in ("stopping", "cancelled", "failed", "lost"):
            self.progress.setFormat(self.progress.format().split(" left, ")[-1])

    def show_event(self, event: dict[str, Any]) -> None:
        """Show one thing that the child says."""
        kind = event["event"]
        if kind == "plan":
            self.told.setText(plan_text(event, self.title))
            self._reach(event.get("steps"))
        elif kind == "use":
            self._show_use(event)
        elif kind == "step":
            self._show_step(event)
        elif kind == "score":
            self._show_score(event)
        elif kind == "trying":
            # Up to a tenth of the bar: the steps begin where these looks end.
            share = int(event["done"]) / max(int(event["total"]), 1)
            self.progress.setValue(round(BEFORE * (share + 0.2)))
            self.progress.setFormat(f"{event['what']}…")
        elif kind == "stopping":
            self.heading.setText(ending_text(event))
            if event.get("reason") != "cancel":
                self.progress.setValue(0)  # what it told was about the training
                self.progress.setFormat("Saving the new model…")
        elif kind == "comparing":
            share = int(event["done"]) / max(int(event["total"]), 1)
            self.progress.setValue(round(1000 * share))
            self.progress.setFormat(comparing_text(event, self.title))
        elif kind == "compared":
            self.progress.setValue(1000)
            self.progress.setFormat("")
        elif kind == "rolled_back":
            self.heading.setText(
                f"The loss was no number at step {event.get('step')}: back to step "
                f"{event.get('to')}, with half the rate. Training goes on."
            )

    def show_map(self, name: str, first: bool, rgb: npt.NDArray[np.uint8]) -> None:
        """Show the newest map of a held-back image."""
        self.map_name.setText(f"Coloring map of the held-back picture {name!r}")
        if first:
            self.before.show_image(rgb)
        self.now.show_image(rgb)

    def _show_scores(self, event: dict[str, Any]) -> None:
        """Say the scores, with the decimals that so few objects allow."""
        first, last = self.score.base, event.get("one_click")
        if last is None:
            return
        count = int(event.get("objects") or 0)
        text = f"Score {score_text(float(last), count)}"
        if first is not None and event["step"]:
            text += f", before training {score_text(first, count)}"
        self.score.setToolTip(f"{SCORE_TIP} {text}; {count_text(count, 'object')}.")

    def _show_use(self, event: dict[str, Any]) -> None:
        said = use_words(event.get("use") or {})
        if said:
            told = self.told.text()
            self.told.setText(f"{told}<br>What the labels set right: {said}")

    def _show_step(self, event: dict[str, Any]) -> None:
        step, share = int(event["step"]), share_done(event) or 0.0
        self.loss.add(step, event.get("loss"))
        # Where time ends the run, the planned steps would leave the graph empty.
        self._reach(10 * math.ceil(step / share / 10) if share else event.get("steps"))
        self.progress.setValue(round(BEFORE + (1000 - BEFORE) * share))
        self.progress.setFormat(step_text(event))

    def _show_score(self, event: dict[str, Any]) -> None:
        step, value = int(event["step"]), event.get("one_click")
        self.score.add(step, value)
        if step == 0 and value is not None:
            self.score.base = float(value)
        self.score.decimals = score_decimals(int(event.get("objects") or 0))
        self._show_scores(event)
        if event.get("best"):
            self.score.best = float(step)

    def _reach(self, steps: Any) -> None:
        if steps:
            self.score.reach(float(steps))
            self.loss.reach(float(steps))
