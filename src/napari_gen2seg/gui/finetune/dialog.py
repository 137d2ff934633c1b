"""The dialog: four pages in the order of work; it never blocks the window."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QDialog,
    QPushButton,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from napari_gen2seg.gui.finetune.data.page import PairsPage
from napari_gen2seg.gui.finetune.data.selection import PairList
from napari_gen2seg.gui.finetune.result.decisions import ResultActions
from napari_gen2seg.gui.finetune.result.page import ResultPage
from napari_gen2seg.gui.finetune.result.sharing import Sharing
from napari_gen2seg.gui.finetune.run.controller import TrainingController, let_go
from napari_gen2seg.gui.finetune.run.page import TrainingPage
from napari_gen2seg.gui.finetune.run.plan_preview import Forecast, whole_plan
from napari_gen2seg.gui.finetune.run.preview_layer import LiveMaps
from napari_gen2seg.gui.finetune.run.unfinished_runs import WaitingBar
from napari_gen2seg.gui.finetune.settings_page import SettingsPage
from napari_gen2seg.gui.finetune.texts import dock_text, wide_label
from napari_gen2seg.gui.qt_threads import Mailbox, lane
from napari_gen2seg.jobs.training.run import COMMAND
from napari_gen2seg.models.registry import list_models, title_of

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from qtpy.QtGui import QCloseEvent, QShowEvent

    from napari_gen2seg.gui.layers.source import Source
    from napari_gen2seg.gui.settings import Memory
    from napari_gen2seg.session import Runner, Session

PICTURES, SETTINGS, TRAINING, RESULT = range(4)


class FinetuneDialog(QDialog):
    """Fine-tunes a model on images that are open.

    Parameters
    ----------
    viewer
        napari's.
    source
        The dock's picture, which knows how layers are read.
    session
        The dock's.
    memory
        Where settings are remembered.
    parent
        The dock, so that the dialog looks like it.
    runner
        Where files are read and written; for tests.
    command
        Starts the child; for tests.
    """

    adopted = Signal(str)  # id of the model to use from now on
    removed = Signal(str)
    back_requested = Signal()
    said = Signal(str)
    progress_changed = Signal(str)  # a few words for the dock

    def __init__(
        self,
        viewer: ViewerModel,
        source: Source,
        session: Session,
        memory: Memory,
        parent: QWidget | None = None,
        runner: Runner | None = None,
        command: Sequence[str] = COMMAND,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Fine-tune a model on your own objects")
        self.setWindowFlag(Qt.WindowType.WindowContextHelpButtonHint, False)
        self.setWindowFlag(Qt.WindowType.WindowMinMaxButtonsHint, True)
        self._session = session
        mail = Mailbox(self)
        files = runner or lane(mail, "gen2seg-finetune")
        asker = runner or lane(mail, "gen2seg-plan")
        sharer = runner or lane(mail, "gen2seg-share")
        self.pairs = PairList(viewer, source, files, self)
        self.forecast = Forecast(self.pairs, asker, command, self)
        self.work = TrainingController(
            self.pairs, session, files, mail.post, command, self
        )
        self._shut, self._in_use = False, self.work.in_use
        self.pictures = PairsPage(self.pairs, files)
        self.settings = SettingsPage(memory)
        self.training = TrainingPage()
        self.result = ResultPage(files)
        self.training.title = self.work.title
        self.maps = LiveMaps(viewer, self.work, self.training, memory)
        self.decisions = ResultActions(
            viewer, self.work, files, self.training, self.result
        )
        self.sharing = Sharing(self.work, sharer, self.result.share)
        self._lay_out()
        self._connect()
        self.resize(940, 680)
        # napari closes its window without telling the dialogs inside.
        self._let_go = partial(let_go, mail, self.work.hold, (files, asker, sharer))
        self.destroyed.connect(self._let_go)

    def _lay_out(self) -> None:
        self.tabs = QTabWidget()
        for page, title in (
            (self.pictures, "1  Pictures"),
            (self.settings, "2  Settings"),
            (self.training, "3  Training"),
            (self.result, "4  Result"),
        ):
            self.tabs.addTab(page, title)
        for place in (TRAINING, RESULT):
            self.tabs.setTabEnabled(place, False)
        self.waiting = WaitingBar()
        self.status = wide_label()
        column = QVBoxLayout(self)
        column.addWidget(self.waiting)
        column.addWidget(self.tabs, 1)
        column.addWidget(self.status)
        for button in self.findChildren(QPushButton):
            button.setAutoDefault(False)  # Enter in a field must start nothing

    def _connect(self) -> None:
        work, training, result = self.work, self.training, self.result
        self.pictures.next_requested.connect(
            lambda: self.tabs.setCurrentIndex(SETTINGS)
        )
        self.settings.start_requested.connect(self.start)
        self.settings.check_requested.connect(lambda: self.forecast.ask(self._values()))
        self.forecast.told.connect(self.settings.show_memory)
        self.forecast.asking.connect(self.settings.show_checking)
        self.settings.changed.connect(self._tell_plan)
        self.pairs.chosen_changed.connect(self._tell_plan)
        self.pairs.warned.connect(self._warn)
        training.cancel_requested.connect(work.cancel)
        training.stop_requested.connect(work.stop_and_keep)
        training.resume_requested.connect(lambda: work.resume())
        result.continue_requested.connect(self._continue)
        result.back_requested.connect(self.back_requested)
        result.tied_changed.connect(self.waiting.setDisabled)
        work.state_changed.connect(self._state_changed)
        work.happened.connect(self._happened)
        work.replayed.connect(self._replayed)
        work.warned.connect(self._warn)
        for one in (self.decisions, self.sharing):
            one.said.connect(self._say)
            one.warned.connect(self._warn)
        self.decisions.adopted.connect(self._was_adopted)
        self.decisions.removed.connect(self.removed)
        self.decisions.thrown_away.connect(self._thrown_away)
        self.waiting.resume_requested.connect(work.resume)
        self.waiting.open_requested.connect(work.open)
        self.waiting.warned.connect(self._warn)

    # ---- opening and closing

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 - Qt's name
        """Look at what is open now."""
        super().showEvent(event)
        self.pairs.on = True
        self.pairs.rescan()
        self.show_models()
        self._look_for_waiting()
        self.decisions.sweep()

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802 - Qt's name
        """Hide; a training goes on, and the dock's button opens the dialog again."""
        self.pairs.on = False
        if not self.work.busy:
            self.maps.end()
        super().closeEvent(event)

    def shut(self) -> None:
        """Let go of everything: a training saves its state and can be resumed."""
        if self._shut:
            return
        self._shut = True
        self.work.close()
        self._let_go()
        with suppress(RuntimeError):  # Qt may have deleted what they ask
            self.pairs.close()
            self.maps.clear()

    def show_models(self, chosen: str | None = None) -> None:
        """Offer the models on this computer; the dock's is chosen, or another."""
        here = tuple(spec for spec in list_models() if spec.path is not None)
        self.settings.show_models(here, chosen or self.work.in_use)
        self._tell_plan()

    def _look_for_waiting(self) -> None:
        run = self.work.run
        self.waiting.look(None if run is None else run.folder, self.work.busy)

    # ---- a run

    def start(self) -> None:
        """Start training with what is set, once the run before it is decided on."""
        self.forecast.drop()
        values = self._values()  # as shown now: the answer may change them

        def start() -> None:
            self.settings.keep()
            self.maps.clear()
            self.work.start(values)

        self.decisions.before_another(start)

    def _values(self) -> dict[str, Any]:
        device = self._session.model.choice.device
        return {**self.settings.values, "device": device}

    def _state_changed(self, state: str) -> None:
        work = self.work
        self.training.show_state(state, work.message, work.resumable)
        if state == "idle" and self.tabs.currentIndex() in (TRAINING, RESULT):
            self.tabs.setCurrentIndex(SETTINGS)
        self.tabs.setTabEnabled(TRAINING, state != "idle")
        self._look_for_waiting()
        if state == "starting":
            self.tabs.setTabEnabled(RESULT, False)
            self.tabs.setCurrentIndex(TRAINING)
            self.status.setText("You can go on working in napari meanwhile.")
        elif state == "idle":
            self.tabs.setTabEnabled(RESULT, False)
        elif state == "done":
            self._show_result()
        elif state in ("cancelled", "failed", "lost"):
            self._say(self.training.heading.text())
        self._tell_plan()
        if state == "starting" or not work.busy:
            self.progress_changed.emit("starting" if work.busy else "")

    def _happened(self, event: dict[str, Any]) -> None:
        self.training.show_event(event)
        text = dock_text(event)
        if text is not None:
            self.progress_changed.emit(text)

    def _replayed(self, events: list[dict[str, Any]]) -> None:
        self.maps.begin()
        self.training.replay(events)

    # ---- the result

    def _show_result(self) -> None:
        verdict = self.decisions.show_result()
        self.maps.end()
        self.tabs.setTabEnabled(RESULT, True)
        self.tabs.setCurrentIndex(RESULT)
        used = title_of(self.work.in_use)
        self._say(f"Training has finished: {verdict}. {used} is in use, as before.")

    def _was_adopted(self, model: str) -> None:
        self.maps.clear()
        self.adopted.emit(model)
        self._say(f"{title_of(model)!r} is in use, and among your models.")

    def _thrown_away(self) -> None:
        self.maps.clear()
        self.tabs.setCurrentIndex(PICTURES)

    def _continue(self) -> None:
        self.show_models(self.work.newest)
        self.settings.rename()
        self.tabs.setCurrentIndex(PICTURES)
        self._say("Correct or add labels, tick the pictures to use, then start again.")

    def show_use(self) -> None:
        """Show which model the dock uses, when that has changed."""
        model = self.work.in_use
        if model != self._in_use:
            self._in_use = model
            self.decisions.show_use()
            self.show_models()
            self._say(f"{title_of(model)} is in use.")

    # ---- words

    def _tell_plan(self) -> None:
        self.forecast.drop()  # it was about something else
        self.settings.show_plan(*whole_plan(self.pairs, self.settings, self.work))

    def _say(self, text: str) -> None:
        self.status.setText(text)
        self.said.emit(text)

    def _warn(self, text: str) -> None:
        from napari.utils.notifications import show_warning

        self._say(text)
        show_warning(text)
