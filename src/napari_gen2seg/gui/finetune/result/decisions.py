"""What becomes of a new model: shown, used, thrown away, removed."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject, Signal

from napari_gen2seg.errors import Gen2SegError, StorageError
from napari_gen2seg.gui.finetune.result.comparison import Whole, read_shown, read_whole
from napari_gen2seg.gui.finetune.result.comparison_layers import show_layers
from napari_gen2seg.gui.finetune.texts import left_text
from napari_gen2seg.gui.panels.widgets import ask, choose
from napari_gen2seg.jobs.training.cleanup import (
    drop_runs_without_models,
    remove_interrupted_runs,
)
from napari_gen2seg.jobs.training.past_runs import (
    decide,
    discard,
    is_empty,
    look_at,
    read_config,
    unfinished_from,
)
from napari_gen2seg.models.library.user_models import adopt, is_own, remove
from napari_gen2seg.models.registry import title_of
from napari_gen2seg.session.session import sentence
from napari_gen2seg.train.finetune.run_folder import MODEL_NAME

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from qtpy.QtWidgets import QWidget

    from napari_gen2seg.gui.finetune.result.page import ResultPage
    from napari_gen2seg.gui.finetune.run.controller import TrainingController
    from napari_gen2seg.gui.finetune.run.page import TrainingPage
    from napari_gen2seg.session import Runner, Ticket

_log = logging.getLogger(__name__)


class ResultActions(QObject):
    """Does what the result page asks for.

    Parameters
    ----------
    viewer
        Where before and after are shown as layers.
    work
        The run.
    runner
        Where files are copied.
    training, result
        The pages that ask.
    """

    said = Signal(str)
    warned = Signal(str)
    adopted = Signal(str)  # id of the new model
    removed = Signal(str)
    thrown_away = Signal()

    def __init__(
        self,
        viewer: ViewerModel,
        work: TrainingController,
        runner: Runner,
        training: TrainingPage,
        result: ResultPage,
    ) -> None:
        super().__init__(result)
        self._viewer, self._work, self._runner = viewer, work, runner
        self._page = result
        self._previous = ""
        training.discard_requested.connect(self._ask_discard)
        result.adopt_requested.connect(self._ask_adopt)
        result.discard_requested.connect(self._ask_discard)
        result.remove_requested.connect(self._ask_remove)
        result.show_requested.connect(self.show)

    # ---- showing

    def show_result(self) -> str:
        """Show what the comparison found; return its verdict."""
        work, compared = self._work, self._work.compared
        if work.run is not None:
            folder = work.run.folder
            self._page.show_result(
                compared, work.title, lambda name: read_shown(folder, name)
            )
            self.show_use()
        if work.unchanged:
            return "nothing was gained"
        if compared is None or not compared.get("pictures"):
            return "not compared"  # nothing was held back
        return str(compared.get("verdict"))

    def show_use(self) -> None:
        """Show whether the new model is one of the user's, and whether it is in use."""
        model = str(self._work.model)
        own = is_own(model)
        used = own and self._work.in_use == model
        self._page.show_use(own, used, self._previous)

    def show_previous(self, title: str) -> None:
        """Say which model was in use before; empty for none to go back to."""
        self._previous = title
        self.show_use()

    # ---- doing

    def adopt(self, then: Callable[[], None] | None = None) -> None:
        """Make the new model one of the user's models.

        Parameters
        ----------
        then
            Done afterwards.
        """
        run = self._work.run
        if run is None or not self._work.finished or self._work.unchanged:
            return
        if self._refused():
            return
        name = str(read_config(run.folder).get("name", run.folder.name))

        def work(ticket: Ticket) -> Path:
            target = adopt(run.folder / MODEL_NAME, name, ticket.check)
            decide(run.folder, target)
            return target

        def done(_: Ticket, target: Any, error: BaseException | None) -> None:
            self._page.show_copying(False)
            if error is not None:
                self.warned.emit(sentence(error))
                return
            self._work.model = target
            self.adopted.emit(str(target))
            if then is not None:
                then()

        self._page.show_copying(True)
        self.said.emit("Copying the new model…")
        self._runner.submit("adopt", work, done)

    def discard(self) -> None:
        """Throw the run away, with its model."""
        run = self._work.run
        if run is None or self._work.busy or self._refused():
            return
        try:
            discard(run.folder)
        except Gen2SegError as error:
            self.warned.emit(str(error))
            return
        self.said.emit("Thrown away; your other models are as they were.")
        self.thrown_away.emit()
        self._work.drop()

    def remove(self, model: Path) -> None:
        """Delete one of the user's models, and the run it came from."""
        if self._refused():
            return
        work = self._work
        if work.busy and work.base == str(model):
            self.warned.emit(
                f"{title_of(str(model))!r} is being trained further. Let the training "
                "end, or throw it away, first."
            )
            return
        title = title_of(str(model))
        try:
            remove(model, unfinished_from)
        except Gen2SegError as error:
            self.warned.emit(str(error))
            return
        drop_runs_without_models()
        self.removed.emit(str(model))
        if work.model == model:
            self.thrown_away.emit()
            work.drop()
        self.said.emit(
            f"{title!r} is removed; {title_of(work.in_use)} is in use. Your other "
            "models are as they were."
        )

    def _refused(self) -> bool:
        """Leave the model alone while something reads its files, and say so."""
        if self._page.tied:
            self.warned.emit(
                "The new model is being copied, packed or published. Wait for it, or "
                "press Cancel beside it on page 4."
            )
        return self._page.tied

    def show(self, name: str) -> None:
        """Show before and after of a held-back image as layers."""
        run, row = self._work.run, self._work.row(name)
        if run is None:
            return
        title = self._work.title(name)

        def done(_: Ticket, whole: Whole, error: BaseException | None) -> None:
            if error is not None:
                self.warned.emit(sentence(error))
            else:
                show_layers(self._viewer, row, title, whole)

        self._runner.submit("layers", lambda _: read_whole(run.folder, name), done)

    def sweep(self) -> None:
        """Take away what programs that were ended in the middle left behind."""

        def done(_: Ticket, gone: Any, error: BaseException | None) -> None:
            _log.debug("swept away: %s", gone if error is None else error)

        self._runner.submit(
            "sweep", lambda ticket: remove_interrupted_runs(ticket.check), done
        )

    # ---- asking first

    def before_another(self, go: Callable[[], None]) -> None:
        """Ask what becomes of the present run before another takes its place.

        Parameters
        ----------
        go
            Starts the other; not called if the question is cancelled.
        """
        run = None if self._work.busy else self._work.run
        if run is not None and is_empty(run.folder):
            with suppress(StorageError):  # another day, then
                discard(run.folder)
        past = None if run is None else look_at(run.folder)
        waits = past is not None and past.waits
        if (waits or self._page.copying) and self._refused():
            return
        if past is None or not waits:
            go()
            return

        def throw_away() -> None:
            self.discard()
            if self._work.run is None:  # it could be removed
                go()

        answers: dict[str, Callable[[], None]] = {}
        if past.state == "done" and not past.unchanged:
            answers["Use it"] = lambda: self.adopt(go)
        answers |= {"Keep for later": go, "Throw away": throw_away}
        text = f"{left_text(past)} What is kept is offered above the pages."
        choose(self._page.window(), "Another training?", text, answers)

    def _ask_adopt(self) -> None:
        if is_own(str(self._work.model)):  # after going back to another
            self.adopted.emit(str(self._work.model))
            return
        if (self._work.compared or {}).get("better"):
            self.adopt()
            return
        ask(
            self._page,
            "Use it although it is not better?",
            "The comparison does not say that the new model is better than the one you "
            "have. Use it nevertheless? You can go back with one click.",
            self.adopt,
        )

    def _ask_discard(self) -> None:
        if self._work.unchanged:  # nothing is lost
            self.discard()
            return
        ask(
            self._page,
            "Throw it away?",
            "What was learned in this training is deleted. Your other models, pictures "
            "and labels stay.",
            self.discard,
        )

    def _ask_remove(self) -> None:
        model = self._work.model
        if model is not None:
            self.ask_remove(model, self._page)

    def ask_remove(self, model: Path, parent: QWidget) -> None:
        """Ask whether one of the user's models is to be deleted."""
        ask(
            parent,
            "Remove the model?",
            f"The model {title_of(str(model))!r} is deleted from this computer. Masks "
            "made with it stay.",
            lambda: self.remove(model),
        )
