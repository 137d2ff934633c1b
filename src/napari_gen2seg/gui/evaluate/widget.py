"""Evaluation dock: measures a model on labeled layers."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFileDialog,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
)

from napari_gen2seg.common.text import count_text
from napari_gen2seg.errors import Cancelled, Gen2SegError, LicenceError
from napari_gen2seg.gui.evaluate.job import Task, has_planes, planes_of, run
from napari_gen2seg.gui.evaluate.report_table import ReportTable
from napari_gen2seg.gui.layers.overlays import DRAWN, role_of
from napari_gen2seg.gui.panels.layer_combo import LayerCombo
from napari_gen2seg.gui.panels.model_combo import ModelCombo
from napari_gen2seg.gui.panels.widgets import Panel, ask, shrink, told_label
from napari_gen2seg.gui.working_dock import WorkingDock
from napari_gen2seg.models.registry import list_models
from napari_gen2seg.session import Choice, ModelHost, Runner, Ticket
from napari_gen2seg.session.session import sentence

if TYPE_CHECKING:
    import napari
    from napari.layers import Layer

    from napari_gen2seg.workflows.evaluate import Report

MEASURES = {
    "Clicks": "clicks",
    "Proposals": "proposals",
    "Edges": "edges",
    "Everything": "all",
}


class EvaluateWidget(WorkingDock):
    """Choose an image and its ground truth, run, read the table, save the report.

    Parameters
    ----------
    viewer
        napari gives it.
    runner, host
        Where it works, and who holds the model; other than the usual ones for tests.
    """

    def __init__(
        self,
        viewer: napari.viewer.Viewer,
        runner: Runner | None = None,
        host: ModelHost | None = None,
    ) -> None:
        super().__init__(viewer, host, runner, "gen2seg-evaluate")
        self._viewer, (self._runner,) = viewer, self._runners
        self._ticket: Ticket | None = None
        self.report: Report | None = None

        self.image = LayerCombo(viewer, _is_image)
        self.labels = LayerCombo(viewer, _is_labels)
        self.model = ModelCombo()
        self.model.show_models(list_models())
        self.measure = shrink(QComboBox())
        for title, protocol in MEASURES.items():
            self.measure.addItem(title, protocol)
        self.every = QCheckBox("Every labeled plane")
        self.start = QPushButton("Run")
        self.cancel = QPushButton("Cancel")
        self.progress = QProgressBar()
        self.table = ReportTable()
        self.save = QPushButton("Save report...")
        self.status = told_label("Labels must be complete: what is 0 is background.")
        self._lay_out()
        self._connect()
        self._show_planes()

    def _lay_out(self) -> None:
        font = self.start.font()
        font.setBold(True)
        self.start.setFont(font)
        self.cancel.setEnabled(False)
        self.save.setEnabled(False)
        self.progress.setRange(0, 100)
        self.progress.setFormat("")
        self.progress.setMinimumWidth(60)
        self.measure.setToolTip(
            "Clicks: one click an object, and corrections until it fits. Proposals: "
            "objects found without a click. Edges: outlines of the coloring map."
        )
        self.every.setToolTip("Measure each plane of the stack that has objects.")
        panel = Panel("Evaluate")
        panel.add_row(self.image, label="Picture")
        panel.add_row(self.labels, label="Truth")
        panel.column.addWidget(self.every)
        panel.add_row(self.model, label="Model")
        panel.add_row(self.measure, label="Measure")
        row = panel.add_row(self.start, self.progress)
        row.addWidget(self.cancel)
        panel.column.addWidget(self.table, 1)
        panel.column.addWidget(self.save)
        panel.column.addWidget(self.status)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(6, 6, 6, 6)
        outer.addWidget(panel)
        self.setMinimumWidth(280)
        # The table takes the height there is; napari adds no empty space then.
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Expanding)

    def _connect(self) -> None:
        self.labels.chosen.connect(self._show_planes)
        self.start.clicked.connect(lambda: self.run())
        self.cancel.clicked.connect(self.stop)
        self.save.clicked.connect(self._ask_where)

    # ---- verbs

    def run(self, licence_accepted: bool = False) -> None:
        """Measure what is chosen, off this thread."""
        image, labels = self.image.layer, self.labels.layer
        if image is None or labels is None:
            self.status.setText("Open a picture and a Labels layer with its objects.")
            return
        try:
            every = self.every.isChecked() and self.every.isVisibleTo(self)
            gather = planes_of(self._viewer, image, labels, every)
        except Gen2SegError as error:
            self.status.setText(str(error))
            return
        choice = Choice(self.model.currentData(), licence_accepted=licence_accepted)
        task = Task(gather, choice, self.measure.currentData())
        self._show_running(True)
        self._ticket = self._runner.submit(
            "evaluate",
            lambda ticket: run(task, self._host, ticket),
            self._done,
            self._show_progress,
        )

    def stop(self) -> None:
        """Stop measuring; the window is free at once."""
        if self._ticket is not None:
            self._ticket.cancel()
        self._show_running(False)
        self.status.setText("Cancelled; nothing was changed.")

    def save_to(self, path: str | Path) -> None:
        """Write the report: a page for ``.html``, every number for ``.json``."""
        if self.report is None:
            return
        target = Path(path)
        try:
            if target.suffix.lower() == ".json":
                self.report.save_json(target)
            else:
                target = target.with_suffix(".html")
                self.report.save_html(target)
        except Gen2SegError as error:
            self.status.setText(str(error))
            return
        self.status.setText(f"Saved {target.name}.")

    # ---- replies

    def _show_progress(self, ticket: Ticket, fraction: float | None, text: str) -> None:
        if not ticket.cancelled and self.cancel.isEnabled():
            self.progress.setValue(round(100 * (fraction or 0.0)))
            self.progress.setFormat(text)

    def _done(self, ticket: Ticket, value: Any, error: BaseException | None) -> None:
        if ticket.cancelled or self._closed:
            return
        self._show_running(False)
        if isinstance(error, Cancelled):
            self.status.setText("Cancelled; nothing was changed.")
        elif isinstance(error, LicenceError):
            title = "License of the model"
            ask(self, title, str(error), partial(self.run, licence_accepted=True))
        elif error is not None:
            self.status.setText(sentence(error))
        else:
            self._show_report(value)

    def _show_report(self, report: Report) -> None:
        self.report = report
        self.save.setEnabled(True)
        self.table.show_report(report)
        count = len(report.images)
        lone = " One picture alone has no intervals." if count == 1 else ""
        model = report.content["model"]
        self.status.setText(
            f"{model['id']} on {count_text(count, 'picture')}, {model['device']}.{lone}"
        )

    def _show_running(self, running: bool) -> None:
        self.start.setEnabled(not running)
        self.cancel.setEnabled(running)
        self.progress.setValue(0)
        self.progress.setFormat("Starting" if running else "")
        if running:
            self.status.setText("")

    def _show_planes(self, _layer: object = None) -> None:
        self.every.setVisible(has_planes(self.labels.layer))

    def _ask_where(self) -> None:
        path, _ = QFileDialog.getSaveFileName(
            self, "Save report", "report.html", "Page (*.html);;Numbers (*.json)"
        )
        if path:
            self.save_to(path)

    # ---- leaving

    def stop_work(self) -> None:
        """Stop; nothing more is chosen here."""
        if self._ticket is not None:
            self._ticket.cancel()
        with suppress(RuntimeError):
            self.image.close_choice()
            self.labels.close_choice()


def _is_image(layer: Layer) -> bool:
    from napari.layers import Image

    return isinstance(layer, Image) and role_of(layer) is None


def _is_labels(layer: Layer) -> bool:
    from napari.layers import Labels

    return isinstance(layer, Labels) and role_of(layer) not in DRAWN
