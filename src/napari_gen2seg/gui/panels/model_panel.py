"""Panel of the model: which one, on what it runs, and how far it is."""

from __future__ import annotations

import math
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from qtpy.QtCore import QTimer, Signal
from qtpy.QtWidgets import QCheckBox, QComboBox, QProgressBar, QPushButton

from napari_gen2seg.gui.panels.model_combo import ModelCombo
from napari_gen2seg.gui.panels.object_size import STEP
from napari_gen2seg.gui.panels.widgets import Panel, fold, quiet_label, shrink
from napari_gen2seg.models.library.user_models import is_own
from napari_gen2seg.session.state import JobState

if TYPE_CHECKING:
    from collections.abc import Hashable

    from napari_gen2seg.models.spec import ModelSpec
    from napari_gen2seg.session import ModelState

TTA_PASSES = 4  # of test-time augmentation
LONG = 2.0  # seconds from which people want to know how long it takes
SIZES = (256, 384, 512, 768, 1024, 1536, 2048)


NOT_COLORED = "Not colored: press Color (or Enter)"
_COLOR = "Color the picture in view, each object differently."


def job_of_view(job: JobState, view: Hashable | None, colored: bool) -> JobState:
    """Return what to say of a job while a view is in sight.

    Parameters
    ----------
    job
        What the session does, or did last, for whichever view.
    view
        The one in sight; None where there is none.
    colored
        Whether that one has a coloring.
    """
    if job.running:
        if job.view in (None, view):
            return job
        return replace(job, text=f"Another picture or plane: {job.text}")
    if view is None:
        return JobState()
    told = job.text if job.view == view else ""
    if colored:
        # Of one that was cancelled or failed, the coloring before it is still there.
        return JobState(text=told)
    kept = told in ("Failed", "Cancelled", "Waiting for your answer")
    return JobState(text=f"{told}. {NOT_COLORED}" if kept else NOT_COLORED)


class ModelPanel(Panel):
    """Asks for a model and for coloring; shows device, reason and progress.

    Parameters
    ----------
    models
        What may be chosen.
    """

    model_requested = Signal(str)
    device_requested = Signal(str)
    resolution_requested = Signal(object)  # int, or None for automatic
    passes_requested = Signal(int)
    by_object_requested = Signal()
    step_requested = Signal(float)  # look again, so many times finer
    color_requested = Signal()
    cancel_requested = Signal()
    finetune_requested = Signal()
    back_requested = Signal()
    remove_requested = Signal()

    def __init__(self, models: tuple[ModelSpec, ...]) -> None:
        super().__init__("2  Color it")
        self.model = ModelCombo()
        self.show_models(models)
        self.remove = QPushButton("Remove…")
        self.remove.setToolTip("Delete this model, one of your own.")
        self.remove.setVisible(False)
        self.device = shrink(QComboBox())
        for name in ("auto", "cuda", "mps", "cpu"):
            self.device.addItem(name, name)
        self.device.setToolTip("Where to compute; auto takes the best there is.")
        self.resolution = shrink(QComboBox())
        self.resolution.addItem("auto", None)
        for size in SIZES:
            self.resolution.addItem(f"{size} px", size)
        self.resolution.setToolTip(
            "Longer side at which the model sees the picture. Larger shows smaller "
            "objects and takes longer; auto chooses from the picture, or as a "
            "fine-tuned model was told by the labels."
        )
        self.careful = QCheckBox("Careful: look four times")
        self.careful.setToolTip(
            "Color the picture's mirror images too; clicks consult all four maps. "
            "Better masks, four times the time. The map shown is the first. (Test-time "
            "augmentation.)"
        )
        self.by_object = QPushButton("By an object")
        self.by_object.setToolTip(
            "Choose the size from a typical object: one drawn in a Shapes layer, or "
            "those already kept. For pictures whose objects auto misjudges."
        )
        self.coarser, self.finer = QPushButton("Coarser"), QPushButton("Finer")
        self.coarser.setToolTip(
            "Color again at a smaller size, for larger objects: the gland rather than "
            "its nuclei."
        )
        self.finer.setToolTip(
            "Color again at a larger size, for smaller objects: the nuclei rather "
            "than the gland."
        )
        self.reason = quiet_label("Preparing the model library...")
        self.color = QPushButton("Color")
        font = self.color.font()
        font.setBold(True)
        self.color.setFont(font)
        self.color.setToolTip(_COLOR)
        self.cancel = QPushButton("Cancel")
        self.cancel.setEnabled(False)
        self.progress = QProgressBar()
        self.progress.setTextVisible(False)  # it would be cut off
        self.progress.setRange(0, 100)
        self.progress.setMinimumWidth(60)

        self.finetune = QPushButton("Fine-tune…")
        self.finetune.setToolTip(
            "Show the model a few of your own objects, so that it finds them better."
        )
        self.back = QPushButton()
        self.back.setVisible(False)

        self.doing = quiet_label("")
        self._job, self._started = JobState(), time.monotonic()
        self._ticking = QTimer(self)
        self._ticking.setInterval(1000)
        self._ticking.timeout.connect(self._show_text)

        more = Panel()
        more.add_row(self.device, label="Run on")
        more.add_row(self.resolution, self.by_object, label="Size")
        more.column.addWidget(self.careful)
        more.column.addWidget(self.reason)
        row = self.add_row(self.model, self.remove, label="Model")
        row.setStretch(1, 1)
        row.setStretch(2, 0)
        row = self.add_row(self.color, self.progress)
        row.addWidget(self.cancel)
        self.column.addWidget(self.doing)
        self.add_row(self.coarser, self.finer).setStretch(0, 1)  # equally wide
        self.column.addWidget(self.finetune)
        self.column.addWidget(self.back)
        self.column.addWidget(fold("Device and size", more))

        self.model.activated.connect(
            lambda _: self.model_requested.emit(self.model.currentData())
        )
        self.device.activated.connect(
            lambda _: self.device_requested.emit(self.device.currentData())
        )
        self.resolution.activated.connect(
            lambda _: self.resolution_requested.emit(self.resolution.currentData())
        )
        self.careful.clicked.connect(
            lambda checked: self.passes_requested.emit(TTA_PASSES if checked else 1)
        )
        self.by_object.clicked.connect(lambda: self.by_object_requested.emit())
        self.coarser.clicked.connect(lambda: self.step_requested.emit(1 / STEP))
        self.finer.clicked.connect(lambda: self.step_requested.emit(STEP))
        self.color.clicked.connect(lambda: self.color_requested.emit())
        self.cancel.clicked.connect(lambda: self.cancel_requested.emit())
        self.finetune.clicked.connect(lambda: self.finetune_requested.emit())
        self.back.clicked.connect(lambda: self.back_requested.emit())
        self.remove.clicked.connect(lambda: self.remove_requested.emit())

    def show_models(self, models: tuple[ModelSpec, ...]) -> None:
        """Offer other models; the chosen one stays chosen while it is there."""
        self.model.show_models(models)

    def show_previous(self, title: str) -> None:
        """Offer to go back to a model; an empty title offers nothing."""
        self.back.setVisible(bool(title))
        short = title if len(title) <= 16 else f"{title[:15]}…"
        self.back.setText(f"Back to {short}")
        self.back.setToolTip(f"Use {title} again, as before.")

    def show_training(self, progress: str) -> None:
        """Show how far a training is; empty when there is none."""
        text = f"Training: {progress}" if progress else "Fine-tune…"
        self.finetune.setText(text)

    def show_model(self, state: ModelState) -> None:
        """Show the choice, and what it runs on once that is known."""
        choice = state.choice
        self.model.choose(choice.model)
        self.device.setCurrentIndex(max(self.device.findData(choice.device), 0))
        if self.resolution.findData(choice.resolution) < 0:
            self.resolution.addItem(f"{choice.resolution} px", choice.resolution)
        self.resolution.setCurrentIndex(self.resolution.findData(choice.resolution))
        self.careful.setChecked(choice.passes > 1)
        self.remove.setVisible(is_own(choice.model))
        if state.loaded:
            self.reason.setText(state.reason)
            self.model.setToolTip(f"Runs on {state.device} in {state.dtype}.")
        else:
            self.reason.setText("Loaded when you press Color.")

    def show_problem(self, problem: str) -> None:
        """Offer to color, unless there is a problem; say which."""
        self.color.setEnabled(not problem)
        self.color.setToolTip(problem or _COLOR)

    def show_job(self, job: JobState) -> None:
        """Show how far the work is."""
        if job.running != self._ticking.isActive():
            self._started = time.monotonic()
            self._ticking.start() if job.running else self._ticking.stop()
        self._job = job
        self.cancel.setEnabled(job.running)
        # No busy bar: Qt would repaint it, and with it the canvas, 60 times a second,
        # which without a graphics card takes half a core from the model.
        self.progress.setValue(round(100 * (job.fraction or 0.0)))
        self._show_text()

    def _show_text(self) -> None:
        """Show what is done and, once a second, for how long, of how long."""
        text, expected = self._job.text, self._job.expected or 0.0
        seconds = int(time.monotonic() - self._started)
        if self._ticking.isActive() and expected >= LONG:
            text += f" ({seconds} of about {math.ceil(expected)} s)"
        elif self._ticking.isActive() and seconds:
            text += f" ({seconds} s)"
        self.doing.setText(text)
