"""Batch dock: all objects of many images, labels in a folder."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QUrl
from qtpy.QtGui import QDesktopServices
from qtpy.QtWidgets import (
    QCheckBox,
    QFileDialog,
    QLineEdit,
    QListWidget,
    QProgressBar,
    QPushButton,
    QToolButton,
    QVBoxLayout,
)

from napari_gen2seg.common.text import count_text, duration_text
from napari_gen2seg.core.image.rgb import RgbRecipe
from napari_gen2seg.core.linking import LinkSettings
from napari_gen2seg.errors import Cancelled, LicenceError
from napari_gen2seg.gui.batch.job import BatchResult, BatchTask, run
from napari_gen2seg.gui.panels.docked import main_window
from napari_gen2seg.gui.panels.model_combo import ModelCombo
from napari_gen2seg.gui.panels.widgets import Panel, ask, told_label
from napari_gen2seg.gui.settings import Memory, remembered
from napari_gen2seg.gui.working_dock import WorkingDock
from napari_gen2seg.models.registry import list_models
from napari_gen2seg.session import Choice, ModelHost, Runner, Ticket
from napari_gen2seg.session.session import sentence

if TYPE_CHECKING:
    import napari
    from qtpy.QtGui import QShowEvent

    from napari_gen2seg.gui.widget import SegmentWidget

CANCELLED = "Cancelled; what is done is kept. Run goes on from here."


class BatchWidget(WorkingDock):
    """Choose images, a folder and a model, run, see what could not be done.

    Parameters
    ----------
    viewer
        napari gives it.
    runner, host, memory
        Where it works, who holds the model, and where settings are remembered; other
        than the usual ones for tests.
    """

    def __init__(
        self,
        viewer: napari.viewer.Viewer,
        runner: Runner | None = None,
        host: ModelHost | None = None,
        memory: Memory | None = None,
    ) -> None:
        super().__init__(viewer, host, runner, "gen2seg-batch")
        (self._runner,) = self._runners
        self.memory = memory if memory is not None else remembered()
        self._ticket: Ticket | None = None
        self._shown = False

        self.inputs = QLineEdit(self.memory.get("batch_in"))
        self.inputs.setPlaceholderText("Folder, files or pattern: plate*/*.tif")
        self.inputs.setToolTip(
            "A folder of images, with the folders in it, or a pattern; several with ; "
            "between them. OME-Zarr, stacks and very large images too."
        )
        self.out = QLineEdit(self.memory.get("batch_out"))
        self.out.setPlaceholderText("Folder for the labels")
        self.pick_inputs, self.pick_out = QToolButton(), QToolButton()
        self.model = ModelCombo()
        self.model.show_models(list_models())
        self.as_window = QCheckBox("Settings of the window")
        self.as_window.setToolTip(
            "Channels, contrast, certainty, sizes and linking as chosen for the "
            "picture in view; else the usual ones."
        )
        self.as_window.setEnabled(False)  # until there is a picture in view
        self.link = QCheckBox("One number through z and time")
        self.link.setToolTip("Give an object one number in all planes of a stack.")
        self.start = QPushButton("Run")
        self.cancel = QPushButton("Cancel")
        self.progress = QProgressBar()
        self.failures = QListWidget()
        self.show_folder = QPushButton("Open folder")
        self.status = told_label(
            "Labels of every image go to the folder. What is done is not done again."
        )
        self._lay_out()
        self._connect()

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 - Qt's name
        """Open beside the other dock as a tab, with the model that is in use there."""
        super().showEvent(event)
        dock = self._segment_dock()
        self.as_window.setVisible(dock is not None)
        self._follow_window()
        if self._shown:
            return
        self._shown = True
        if dock is not None:
            self.model.choose(dock.session.model.choice.model)
            dock.bridge.view_changed.connect(self._follow_window)

    def _follow_window(self) -> None:
        """Offer the settings of the picture in view where there is one."""
        dock = None if self._closed else self._segment_dock()
        there = dock is not None and dock.bridge.source.view is not None
        if there != self.as_window.isEnabled():
            self.as_window.setEnabled(there)
            self.as_window.setChecked(there)

    def _lay_out(self) -> None:
        font = self.start.font()
        font.setBold(True)
        self.start.setFont(font)
        self.cancel.setEnabled(False)
        self.progress.setRange(0, 1000)
        self.progress.setFormat("")
        self.progress.setMinimumWidth(60)
        self.link.setChecked(self.memory.get("batch_link"))
        self.failures.setWordWrap(True)
        self.failures.setToolTip("Images that could not be done, and why.")
        self.failures.hide()
        for button in (self.pick_inputs, self.pick_out):
            button.setText("...")
            button.setToolTip("Choose a folder.")
        panel = Panel("Batch")
        row = panel.add_row(self.inputs, label="Images")
        row.addWidget(self.pick_inputs)
        row = panel.add_row(self.out, label="Labels")
        row.addWidget(self.pick_out)
        panel.add_row(self.model, label="Model")
        panel.column.addWidget(self.as_window)
        panel.column.addWidget(self.link)
        row = panel.add_row(self.start, self.progress)
        row.addWidget(self.cancel)
        panel.column.addWidget(self.failures, 1)
        panel.column.addWidget(self.status)
        panel.add_row(self.show_folder)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(6, 6, 6, 6)
        outer.addWidget(panel)
        outer.addStretch(1)
        self.setMinimumWidth(280)

    def _connect(self) -> None:
        self.pick_inputs.clicked.connect(lambda: self._pick(self.inputs, "Images"))
        self.pick_out.clicked.connect(lambda: self._pick(self.out, "Labels"))
        self.start.clicked.connect(lambda: self.run())
        self.cancel.clicked.connect(lambda: self.stop())
        self.show_folder.clicked.connect(lambda: self.open_folder())

    # ---- verbs

    def run(self, licence_accepted: bool = False) -> None:
        """Do what is chosen, off this thread; what was done before is kept."""
        inputs = tuple(
            part.strip() for part in self.inputs.text().split(";") if part.strip()
        )
        out = self.out.text().strip()
        if not inputs or not out:
            self.status.setText(
                "Choose the images first, and a folder for their labels."
            )
            return
        for name, value in (
            ("batch_in", self.inputs.text()),
            ("batch_out", out),
            ("batch_link", self.link.isChecked()),
        ):
            self.memory.set(name, value)
        choice = Choice(
            self.model.currentData(),
            self.memory.get("device"),
            passes=self.memory.get("passes"),
            licence_accepted=licence_accepted,
        )
        proposals = recipe = None
        dock = self._segment_dock()
        if dock is not None and self.as_window.isChecked():
            proposals = dock.bridge.controller.review.settings
            chosen = dock.bridge.source.options.color_recipe
            recipe = None if chosen == RgbRecipe() else chosen
        link = LinkSettings() if self.link.isChecked() else None
        if link is not None and dock is not None and self.as_window.isChecked():
            link = dock.bridge.controller.stack.linking
        task = BatchTask(
            inputs, Path(out).expanduser(), choice, proposals, recipe, link
        )
        self.failures.clear()
        self.failures.hide()
        self._show_running(True)
        self._ticket = self._runner.submit(
            "batch",
            lambda ticket: run(task, self._host, ticket),
            self._done,
            self._show_progress,
        )

    def stop(self) -> None:
        """Stop at the next tile; the window is free at once, what is done is kept."""
        if self._ticket is not None:
            self._ticket.cancel()
        self._show_running(False)
        self.status.setText(CANCELLED)

    def open_folder(self) -> None:
        """Show the folder of the labels as the computer shows folders."""
        folder = Path(self.out.text().strip() or ".").expanduser()
        if not folder.is_dir():
            self.status.setText(f"There is no folder {folder} yet; Run makes it.")
            return
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))

    # ---- replies

    def _show_progress(self, ticket: Ticket, fraction: float | None, text: str) -> None:
        if not ticket.cancelled and self.cancel.isEnabled():
            self.progress.setValue(round(1000 * (fraction or 0.0)))
            self.progress.setFormat("%p %" if fraction else "")
            self.status.setText(text)

    def _done(self, ticket: Ticket, value: Any, error: BaseException | None) -> None:
        if ticket.cancelled or self._closed:
            return
        self._show_running(False)
        if isinstance(error, Cancelled):
            self.status.setText(CANCELLED)
        elif isinstance(error, LicenceError):
            title = "License of the model"
            ask(self, title, str(error), partial(self.run, licence_accepted=True))
        elif error is not None:
            self.status.setText(sentence(error))
        else:
            self._show_result(value)

    def _show_result(self, result: BatchResult) -> None:
        summary = result.summary
        ready = summary.done + summary.skipped
        images = count_text(ready + summary.failed, "image")
        by_now = f", {summary.done} of them by this run" if summary.skipped else ""
        failed = f" {summary.failed} could not be done." if summary.failed else ""
        self.status.setText(
            f"{ready} of {images} done{by_now}: "
            f"{count_text(result.objects, 'object')} in "
            f"{duration_text(summary.seconds)}.{failed}"
        )
        self.failures.addItems(result.failures)
        self.failures.setVisible(bool(result.failures))

    def _show_running(self, running: bool) -> None:
        self.start.setEnabled(not running)
        self.cancel.setEnabled(running)
        self.progress.setValue(0)
        self.progress.setFormat("Starting" if running else "")
        if running:
            self.status.setText("")

    def _segment_dock(self) -> SegmentWidget | None:
        from napari_gen2seg.gui.widget import SegmentWidget

        docks = main_window(self).findChildren(SegmentWidget)
        return docks[0] if docks else None

    def _pick(self, field: QLineEdit, title: str) -> None:
        folder = QFileDialog.getExistingDirectory(self, title, field.text())
        if folder:
            field.setText(folder)

    # ---- leaving

    def stop_work(self) -> None:
        """Stop; what is done is kept."""
        if self._ticket is not None:
            self._ticket.cancel()
