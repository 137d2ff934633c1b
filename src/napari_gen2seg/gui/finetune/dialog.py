"""The dialog: four pages in the order of work; it never blocks the window."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QDialog,
    QFileDialog,
    QFrame,
    QHBoxLayout,
    QMessageBox,
    QPushButton,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from napari_gen2seg.gui.finetune.comparison import Whole, read_shown, read_whole
from napari_gen2seg.gui.finetune.comparison_layers import show_layers
from napari_gen2seg.gui.finetune.map_layer import MapLayers
from napari_gen2seg.gui.finetune.pair_list import PairList
from napari_gen2seg.gui.finetune.pairs_page import PairsPage
from napari_gen2seg.gui.finetune.result_page import ResultPage
from napari_gen2seg.gui.finetune.settings_page import SettingsPage
from napari_gen2seg.gui.finetune.training_page import TrainingPage
from napari_gen2seg.gui.finetune.words import wide_label
from napari_gen2seg.gui.finetune.work import Work
from napari_gen2seg.gui.jobs import Mailbox, lane
from napari_gen2seg.models.registry import list_models
from napari_gen2seg.session.session import sentence
from napari_gen2seg.session.training import COMMAND
from napari_gen2seg.session.training_runs import PastRun, discard, waiting_runs

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from qtpy.QtGui import QCloseEvent, QShowEvent

    from napari_gen2seg.gui.settings import Memory
    from napari_gen2seg.gui.source import Source
    from napari_gen2seg.session import Runner, Session, Ticket

PICTURES, SETTINGS, TRAINING, RESULT = range(4)


class FinetuneDialog(QDialog):
    """Fine-tunes a model on pictures that are open.

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
    back_asked = Signal()
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
        self._viewer, self._session, self._memory = viewer, session, memory
        self._mail = Mailbox(self)
        self._runner = runner or lane(self._mail, "gen2seg-finetune")
        self.pairs = PairList(viewer, source, self._runner, self)
        self.work = Work(
            self.pairs, session, self._runner, self._mail.post, command, self
        )
        self.maps = MapLayers(viewer)
        self._latest: dict[str, Any] = {}  # newest map by picture
        self.previous = ""
        self._shut = False
        self.pictures = PairsPage(self.pairs, self._runner)
        self.settings = SettingsPage(memory)
        self.training = TrainingPage()
        self.result = ResultPage(self._runner)
        self.training.title = self.work.title
        self.training.in_viewer.setChecked(memory.get("training_map"))
        self._lay_out()
        self._connect()
        self.resize(940, 680)
        # napari closes its window without telling the dialogs inside.
        self.destroyed.connect(
            partial(_let_go, self._mail, self._runner, self.work.hold)
        )

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
        self.waiting = QFrame()
        self.waiting.setFrameShape(QFrame.Shape.StyledPanel)
        self.waiting.setVisible(False)
        self.waiting_text = wide_label()
        self.take_up, self.drop = QPushButton("Resume"), QPushButton("Throw away")
        row = QHBoxLayout(self.waiting)
        row.addWidget(self.waiting_text, 1)
        row.addWidget(self.take_up)
        row.addWidget(self.drop)
        self.status = wide_label()
        column = QVBoxLayout(self)
        column.addWidget(self.waiting)
        column.addWidget(self.tabs, 1)
        column.addWidget(self.status)

    def _connect(self) -> None:
        work, training, result = self.work, self.training, self.result
        self.pictures.next_asked.connect(lambda: self.tabs.setCurrentIndex(SETTINGS))
        self.settings.start_asked.connect(self.start)
        self.settings.changed.connect(self._tell_plan)
        self.pairs.chosen_changed.connect(self._tell_plan)
        self.pairs.warned.connect(self._warn)
        training.cancel_asked.connect(work.cancel)
        training.stop_asked.connect(work.stop_and_keep)
        training.resume_asked.connect(lambda: work.resume())
        training.discard_asked.connect(work.discard)
        training.map_wanted.connect(self._map_wanted)
        result.adopt_asked.connect(self._adopt)
        result.discard_asked.connect(work.discard)
        result.show_asked.connect(self._show_layers)
        result.continue_asked.connect(self._continue)
        result.export_asked.connect(self._export)
        result.remove_asked.connect(self._remove)
        result.back_asked.connect(self.back_asked)
        work.state_changed.connect(self._state_changed)
        work.happened.connect(self._happened)
        work.replayed.connect(self._replayed)
        work.map_made.connect(self._map_made)
        work.warned.connect(self._warn)
        work.said.connect(self._say)
        work.adopted.connect(self._was_adopted)
        work.removed.connect(self.removed)
        work.thrown_away.connect(self._thrown_away)
        self.take_up.clicked.connect(self._take_up)
        self.drop.clicked.connect(self._drop)

    # ---- opening and closing

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 - Qt's name
        """Look at what is open now."""
        super().showEvent(event)
        self.pairs.on = True
        self.pairs.rescan()
        self.show_models()
        self._show_waiting()

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802 - Qt's name
        """Hide; a training goes on, and the dock's button opens the dialog again."""
        self.pairs.on = False
        super().closeEvent(event)

    def shut(self) -> None:
        """Let go of everything: a training saves its state and can be resumed."""
        if self._shut:
            return
        self._shut = True
        self.work.close()
        _let_go(self._mail, self._runner, self.work.hold)
        with suppress(RuntimeError):
            self.pairs.close()

    def show_models(self) -> None:
        """Offer the models that are on this computer."""
        here = tuple(spec for spec in list_models() if spec.path is not None)
        self.settings.show_models(here, self._session.model.choice.model)
        self._tell_plan()

    # ---- a run

    def start(self) -> None:
        """Start training with what is set."""
        self.settings.keep()
        values = {
            **self.settings.values,
            "device": self._session.model.choice.device,
        }
        self._clear_maps()
        self.work.start(values)

    def _state_changed(self, state: str) -> None:
        work = self.work
        self.training.show_state(state, work.message, work.resumable)
        self.tabs.setTabEnabled(TRAINING, state != "idle")
        self.waiting.setVisible(self.waiting.isVisible() and not work.busy)
        if state == "starting":
            self.tabs.setTabEnabled(RESULT, False)
            self.tabs.setCurrentIndex(TRAINING)
            self.status.setText("You can go on working in napari meanwhile.")
        elif state == "idle":
            self.tabs.setTabEnabled(RESULT, False)
            if self.tabs.currentIndex() in (TRAINING, RESULT):
                self.tabs.setCurrentIndex(PICTURES)
        elif state == "done":
            self._show_result()
        elif state in ("failed", "lost"):
            self._say(work.message)
        elif state == "cancelled":
            self._say("Cancelled; what was learnt is kept, and Resume goes on.")
        self._tell_plan()
        if not work.busy:
            self.progress_changed.emit("")
        elif state == "starting":
            self.progress_changed.emit("starting")

    def _happened(self, event: dict[str, Any]) -> None:
        self.training.show_event(event)
        if event["event"] == "step":
            steps = event.get("steps")
            share = f"{event['step'] / steps:.0%}" if steps else f"step {event['step']}"
            self.progress_changed.emit(share)

    def _replayed(self, events: list[dict[str, Any]]) -> None:
        self._latest.clear()
        self.training.clear()
        for event in events:
            self.training.show_event(event)

    def _map_made(self, name: str, first: bool, rgb: Any) -> None:
        title = self.work.title(name)
        self.training.show_map(title, first, rgb)
        self._latest[name] = rgb
        if self.training.in_viewer.isChecked():
            self._draw(name)

    def _draw(self, name: str) -> None:
        row = self.work.rows.get(name)
        if row is not None:
            self.maps.show(row, f"training: {row.name}", self._latest[name])

    def _map_wanted(self, on: bool) -> None:
        self._memory.set("training_map", on)
        if not on:
            self.maps.remove()
            return
        self.maps.forget()
        for name in self._latest:
            self._draw(name)

    # ---- the result

    def _show_result(self) -> None:
        work = self.work
        if work.run is None:
            return
        folder = work.run.folder
        self.result.show_result(
            work.compared, work.title, lambda name: read_shown(folder, name)
        )
        self.result.show_adopted(None, "")
        self.tabs.setTabEnabled(RESULT, True)
        self.tabs.setCurrentIndex(RESULT)
        verdict = (work.compared or {}).get("verdict", "not compared")
        self._say(f"Training has finished: {verdict}. The old model is in use still.")

    def _adopt(self) -> None:
        if (self.work.compared or {}).get("better"):
            self.work.adopt()
            return
        self._ask(
            "Use it although it is not better?",
            "The comparison does not say that the new model is better than the one you "
            "have. Use it nevertheless? You can go back with one click.",
            self.work.adopt,
        )

    def _clear_maps(self) -> None:
        """Take the maps made while training away, unless they are to be kept."""
        self._latest.clear()
        if self.training.keep_map.isChecked():
            self.maps.forget()
        else:
            self.maps.remove()

    def _was_adopted(self, model: str) -> None:
        self._clear_maps()
        self.adopted.emit(model)
        self.result.show_adopted(model, self.previous)
        self._say(f"{Path(model).name!r} is in use, and among your models.")

    def show_previous(self, title: str) -> None:
        """Say which model was in use before; empty for none to go back to."""
        self.previous = title
        model = self.work.model
        if model is not None and self.result.remove.isVisibleTo(self.result):
            self.result.show_adopted(str(model), title)

    def _continue(self) -> None:
        self.show_models()
        place = self.settings.model.findData(str(self.work.model))
        self.settings.model.setCurrentIndex(max(place, 0))
        self.settings.rename()
        self.tabs.setCurrentIndex(PICTURES)
        self._say("Correct or add labels, tick the pictures to use, then start again.")

    def _export(self) -> None:
        name = self.settings.name.text() if self.work.model is None else ""
        name = name or Path(str(self.work.model)).name
        chosen, _ = QFileDialog.getSaveFileName(
            self,
            "Export the model: a name ending in .zip makes one file, else a folder",
            f"{name}.zip",
        )
        if chosen:
            self.work.export(Path(chosen))

    def _remove(self) -> None:
        self._ask(
            "Remove the new model?",
            "The model is deleted from this computer. Masks made with it stay.",
            self.work.remove,
        )

    def _show_layers(self, name: str) -> None:
        run, row = self.work.run, self.work.rows.get(name)
        if run is None:
            return
        title = self.work.title(name)

        def done(_: Ticket, whole: Whole, error: BaseException | None) -> None:
            if error is not None:
                self._warn(sentence(error))
            else:
                show_layers(self._viewer, row, title, whole)

        self._runner.submit("layers", lambda _: read_whole(run.folder, name), done)

    def _thrown_away(self) -> None:
        self._clear_maps()
        self._show_waiting()

    # ---- runs that wait

    def _show_waiting(self) -> None:
        present = self.work.run.folder if self.work.run is not None else None
        runs = [run for run in waiting_runs() if run.folder != present]
        self._left: PastRun | None = runs[0] if runs and not self.work.busy else None
        run = self._left
        self.waiting.setVisible(run is not None)
        if run is None:
            return
        when = time.strftime("%d %b %H:%M", time.localtime(run.when))
        if run.state == "done":
            text = f"The new model {run.name!r} ({when}) waits for your decision."
        else:
            far = f" at step {run.step:,} of {run.steps:,}" if run.steps else ""
            text = f"The training of {run.name!r} stopped{far} ({when})."
        self.waiting_text.setText(text)
        self.take_up.setText("See the result" if run.state == "done" else "Resume")

    def _take_up(self) -> None:
        run, self._left = self._left, None
        self.waiting.setVisible(False)
        if run is not None and not self.work.busy:
            if run.state == "done":
                self.work.open(run.folder)
            else:
                self.work.resume(run.folder)

    def _drop(self) -> None:
        run = self._left
        if run is None:
            return
        try:
            discard(run.folder)
        except OSError as error:
            self._warn(str(error))
        self._show_waiting()

    # ---- words

    def _tell_plan(self) -> None:
        from napari_gen2seg.gui.finetune.plan import memory_line, plan_line

        used, values = self.pairs.used, self.settings.values
        ready = bool(used) and bool(values["name"]) and not self.work.busy
        text = plan_line(used, self.pairs.objects, values, self.work.busy)
        self.settings.show_plan(text, memory_line(values), ready)

    def _say(self, text: str) -> None:
        self.status.setText(text)
        self.said.emit(text)

    def _warn(self, text: str) -> None:
        from napari.utils.notifications import show_warning

        self._say(text)
        show_warning(text)

    def _ask(self, title: str, text: str, yes: Any) -> None:
        box = QMessageBox(self)
        box.setWindowTitle(title)
        box.setText(text)
        box.setStandardButtons(
            QMessageBox.StandardButton.Yes | QMessageBox.StandardButton.No
        )
        box.setDefaultButton(QMessageBox.StandardButton.No)
        box.finished.connect(
            lambda answer: yes() if answer == QMessageBox.StandardButton.Yes else None
        )
        box.open()


def _let_go(mail: Mailbox, runner: Runner, hold: Any, *_: object) -> None:
    """End thread and child; knows nothing of a dialog that may be gone."""
    mail.close()
    hold.close()
    runner.close()
