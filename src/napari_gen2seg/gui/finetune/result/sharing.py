"""Copies the new model, packs it for other programs, or publishes it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject, Signal
from qtpy.QtWidgets import QFileDialog

from napari_gen2seg.errors import Cancelled, Gen2SegError
from napari_gen2seg.gui.finetune.result.share_forms import BioimageForm, HubForm
from napari_gen2seg.jobs.publish import COMMAND, export_bioimageio, push
from napari_gen2seg.jobs.training.past_runs import read_config
from napari_gen2seg.models.library.user_models import export
from napari_gen2seg.models.model_folder import read_model_config
from napari_gen2seg.session.session import sentence

if TYPE_CHECKING:
    from napari_gen2seg.gui.finetune.result.share_bar import ShareBar
    from napari_gen2seg.gui.finetune.run.controller import TrainingController
    from napari_gen2seg.session import Runner, Ticket


class Sharing(QObject):
    """Does what the row of buttons asks for, one thing at a time.

    Parameters
    ----------
    work
        Whose model.
    runner
        Where it waits for copies, uploads and packages.
    bar
        The buttons.
    command
        Handles models in a process of its own; for tests.
    """

    said = Signal(str)
    warned = Signal(str)

    def __init__(
        self,
        work: TrainingController,
        runner: Runner,
        bar: ShareBar,
        command: Sequence[str] = COMMAND,
    ) -> None:
        super().__init__(bar)
        self._work, self._runner, self._bar = work, runner, bar
        self._command = command
        self._ticket: Ticket | None = None
        bar.export_requested.connect(self._ask_export)
        bar.bioimage_requested.connect(self._ask_bioimage)
        bar.hub_requested.connect(self._ask_hub)
        bar.cancel_requested.connect(self.cancel)

    def cancel(self) -> None:
        """Stop what is under way."""
        if self._ticket is not None:
            self._ticket.cancel()

    # ---- asking first

    def _ask_export(self) -> None:
        model = self._work.model
        target = self._target(
            "Export the model: a name ending in .zip makes one file, else a folder",
            ".zip",
        )
        if model is not None and target is not None:
            self._do(
                "Copying the model…",
                lambda ticket: export(model, target, ticket.check),
                lambda made: f"Exported to {made}.",
            )

    def _ask_bioimage(self) -> None:
        model = self._work.model
        if model is None:
            return
        try:
            form = BioimageForm(self._bar, read_model_config(model))
        except Gen2SegError as error:
            self.warned.emit(str(error))
            return

        def go() -> None:
            target = self._target("Export for bioimage.io", "-bioimageio.zip")
            if target is None:
                return
            author, licence = form.author.text().strip(), form.licence.currentText()
            size = int(form.size.currentText())

            def work(ticket: Ticket) -> str:
                return export_bioimageio(
                    model,
                    target,
                    author,
                    licence.strip(),
                    size,
                    ticket.check,
                    lambda _: ticket.progress(None, "Checking the package…"),
                    self._command,
                )

            self._do("Packing the model…", work, lambda said: f"{said}.")

        form.accepted.connect(go)
        form.open()

    def _ask_hub(self) -> None:
        model = self._work.model
        if model is None:
            return
        form = HubForm(self._bar)

        def go() -> None:
            repo, public = form.repo, form.public.isChecked()
            self._do(
                f"Uploading to {repo}…",
                lambda ticket: push(model, repo, public, ticket.check, self._command),
                lambda address: f"Published: {address}",
            )

        form.accepted.connect(go)
        form.open()

    def _target(self, title: str, ending: str) -> Path | None:
        run = self._work.run
        if run is None:
            return None
        name = read_config(run.folder).get("name", "model")
        chosen, _ = QFileDialog.getSaveFileName(self._bar, title, f"{name}{ending}")
        return Path(chosen) if chosen else None

    # ---- doing

    def _do(
        self,
        doing: str,
        work: Callable[[Ticket], Any],
        told: Callable[[Any], str],
    ) -> None:
        def done(_: Ticket, value: Any, error: BaseException | None) -> None:
            self._ticket = None
            self._bar.show_doing("")
            if isinstance(error, Cancelled):
                self.said.emit("Stopped before the end.")
            elif error is not None:
                self.warned.emit(sentence(error))
            else:
                self.said.emit(told(value))

        def report(_: Ticket, _fraction: float | None, text: str) -> None:
            self._bar.show_doing(text)

        self._bar.show_doing(doing)
        self._ticket = self._runner.submit("share", work, done, report)
