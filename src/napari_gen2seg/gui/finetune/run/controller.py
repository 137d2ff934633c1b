"""Between the pages and a run: writes the data, starts it, and keeps what it made."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject, Signal

from napari_gen2seg.core.coloring import Coloring
from napari_gen2seg.errors import Gen2SegError, SettingsError
from napari_gen2seg.jobs.training.past_runs import (
    adopted_as,
    crops_for,
    new_run,
    read_config,
)
from napari_gen2seg.jobs.training.run import COMMAND, TrainingRun
from napari_gen2seg.jobs.training.written_data import read_images, write_pairs
from napari_gen2seg.session.session import sentence
from napari_gen2seg.train.finetune.config import finetune_config
from napari_gen2seg.train.finetune.run_folder import DATA, MODEL_NAME

if TYPE_CHECKING:
    from napari_gen2seg.gui.finetune.data.candidates import TrainingCandidate
    from napari_gen2seg.gui.finetune.data.selection import PairList
    from napari_gen2seg.gui.qt_threads import Mailbox
    from napari_gen2seg.jobs.training.run import TrainingRun
    from napari_gen2seg.session import Runner, Session, Ticket

_log = logging.getLogger(__name__)
Deliver = Callable[[Callable[[], None]], None]


class TrainingController(QObject):
    """One fine-tuning at a time.

    Parameters
    ----------
    pairs
        What may be trained on.
    session
        Whose model makes room before a training.
    runner
        Where files are written and read.
    deliver
        Brings calls to the window's thread.
    command
        Starts the child; for tests.
    """

    state_changed = Signal(str)
    happened = Signal(dict)
    replayed = Signal(list)  # events of an earlier start
    map_made = Signal(str, bool, object)  # picture, whether untrained, uint8 rgb
    warned = Signal(str)

    def __init__(
        self,
        pairs: PairList,
        session: Session,
        runner: Runner,
        deliver: Deliver,
        command: Sequence[str] = COMMAND,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._pairs, self._session = pairs, session
        self._runner, self._deliver = runner, deliver
        self._command = command
        self.hold = Hold()
        self.rows: dict[str, TrainingCandidate] = {}  # by their names in the run
        self._pictures: dict[str, dict[str, str]] = {}  # of an earlier window's run
        self._preparing: Path | None = None  # the run folder being filled
        self._ticket: Ticket | None = None
        self.model: Path | None = None  # where the run's model is now
        self.base = ""

    @property
    def run(self) -> TrainingRun | None:
        """The run of which the pages tell."""
        return self.hold.run

    @property
    def state(self) -> str:
        """What is going on."""
        if self._preparing is not None:
            return "starting"
        return "idle" if self.run is None else self.run.state

    @property
    def busy(self) -> bool:
        """Whether something is being trained."""
        return self.state in ("starting", "running", "stopping")

    @property
    def message(self) -> str:
        """Why it failed."""
        return "" if self.run is None else self.run.message

    @property
    def resumable(self) -> bool:
        """Whether it can go on."""
        return self.run is not None and not self.busy and self.run.resumable

    @property
    def compared(self) -> dict[str, Any] | None:
        """The comparison of old and new model, once there is one."""
        return self._last("compared")

    @property
    def unchanged(self) -> bool:
        """Whether the new model is the old one, since nothing was gained."""
        return bool((self.compared or {}).get("unchanged"))

    @property
    def finished(self) -> bool:
        """Whether there is a model to be decided on."""
        return self.run is not None and self._last("done") is not None

    @property
    def in_use(self) -> str:
        """Id of the model that the dock uses."""
        return self._session.model.choice.model

    @property
    def newest(self) -> str:
        """Id of the model to go on from: the old one if nothing was gained."""
        return self.base if self.unchanged else str(self.model)

    def title(self, name: str) -> str:
        """Return an image's name for people."""
        row = self.rows.get(name)
        if row is not None:
            return row.name
        return self._pictures.get(name, {}).get("title", name)

    def row(self, name: str) -> TrainingCandidate | None:
        """Return the open image of a name in the run, if it is open."""
        key = self._pictures.get(name, {}).get("key")
        if name in self.rows or not key:
            return self.rows.get(name)
        alike = (r for r in self._pairs.rows if r.facts and r.facts.key == key)
        return next(alike, None)

    # ---- running

    def start(self, values: dict[str, Any]) -> None:
        """Write the images down and start; values are entries of the config."""
        if self.busy:
            self.warned.emit(
                "A model is being trained already. Wait for it or stop it."
            )
            return
        sources, names, rows = self._pairs.sources()
        folder = new_run(str(values.get("name") or "model"))
        try:
            if not sources:
                raise SettingsError("Tick at least one picture with labels.")
            replay = crops_for(str(values["model"]))
            config = {**values, "run": str(folder), "replay": replay}
            finetune_config(config)
        except Gen2SegError as error:
            self.warned.emit(str(error))
            return
        self._let_go()
        self.rows = dict(zip(names, rows, strict=True))
        self.model, self.base = None, str(values["model"])

        def work(ticket: Ticket) -> list[dict[str, Any]]:
            return write_pairs(
                folder / DATA, sources, names, ticket.check, ticket.progress
            )

        def done(_: Ticket, pairs: Any, error: BaseException | None) -> None:
            if self._preparing != folder:  # cancelled meanwhile
                shutil.rmtree(folder, ignore_errors=True)
                return
            self._preparing = self._ticket = None
            if error is None:
                run = TrainingRun(folder, self._command, self._deliver)
                self._connect(run)
                self._begin(run, {**config, "pairs": pairs})
                return
            shutil.rmtree(folder, ignore_errors=True)
            self.state_changed.emit(self.state)
            self.warned.emit(sentence(error))

        self._session.unload()  # the training needs its memory
        self.replayed.emit([])
        self._preparing = folder
        self.state_changed.emit("starting")
        self._ticket = self._runner.submit("prepare", work, done)

    def resume(self, folder: Path | None = None) -> None:
        """Let a run go on; the present one, or one that was left behind."""
        if self.busy:
            return
        run = self.run
        if folder is not None and (run is None or run.folder != folder):
            run = self._take(folder)
        if run is None:
            return
        self.replayed.emit(list(run.events))
        self._session.unload()
        self._begin(run, None, resume=True)

    def open(self, folder: Path) -> None:
        """Look at a finished run again."""
        run = self._take(folder)
        self.model = adopted_as(folder) or folder / MODEL_NAME
        self.replayed.emit(list(run.events))
        self.state_changed.emit("done")

    def cancel(self) -> None:
        """Stop and save."""
        if self._preparing is not None:
            self._give_up_preparing()
            self.state_changed.emit(self.state)
        elif self.run is not None:
            self.run.cancel()

    def stop_and_keep(self) -> None:
        """End here with the best state."""
        try:
            if self.run is not None:
                self.run.stop_and_keep()
        except Gen2SegError as error:
            self.warned.emit(str(error))

    def close(self) -> None:
        """Let the child save its state and end; nobody is told any more."""
        self._give_up_preparing()
        self.hold.close()

    def drop(self) -> None:
        """Forget the run, which was thrown away."""
        self._let_go()
        self.state_changed.emit("idle")

    # ---- inside

    def _last(self, kind: str) -> dict[str, Any] | None:
        events = [] if self.run is None else self.run.events
        return next((one for one in reversed(events) if one["event"] == kind), None)

    def _give_up_preparing(self) -> None:
        self._preparing = None
        if self._ticket is not None:
            self._ticket.cancel()
            self._ticket = None

    def _begin(
        self, run: TrainingRun, config: dict[str, Any] | None, resume: bool = False
    ) -> None:
        try:
            run.start(config, resume)
        except (Gen2SegError, OSError) as error:
            self.warned.emit(sentence(error))
            self.state_changed.emit(self.state)

    def _take(self, folder: Path) -> TrainingRun:
        """Make a run of an earlier window the present one."""
        self._let_go()
        config = read_config(folder)
        self.base, self.model = str(config.get("model", "")), None
        self._pictures = read_images(folder / DATA)
        run = TrainingRun(folder, self._command, self._deliver)
        self._connect(run)
        return run

    def _connect(self, run: TrainingRun) -> None:
        self.hold.run = run
        run.state_changed.connect(self.state_changed.emit)
        run.happened.connect(self._happen)

    def _let_go(self) -> None:
        if self.run is not None:
            self.run.state_changed.disconnect()
            self.run.happened.disconnect()
        self.hold.run, self.model = None, None
        self.rows, self._pictures = {}, {}

    def _happen(self, event: dict[str, Any]) -> None:
        if event["event"] == "preview":
            first = event.get("step") == 0
            self._load_map(str(event["name"]), Path(str(event["path"])), first)
        elif event["event"] == "done" and self.run is not None:
            self.model = self.run.folder / MODEL_NAME
        self.happened.emit(event)

    def _load_map(self, name: str, path: Path, first: bool) -> None:
        run = self.run

        def done(ticket: Ticket, rgb: Any, error: BaseException | None) -> None:
            if error is not None:  # the next one comes in seconds
                _log.debug("no map in %s: %s", path, error)
            elif run is self.run and not ticket.cancelled:
                self.map_made.emit(name, first, rgb)

        # The untrained map is not to be replaced by a newer one before it is read.
        kind = f"first map {name}" if first else f"map {name}"
        self._runner.submit(kind, lambda _: Coloring.load(path).as_rgb8(), done)


class Hold:
    """Holds the run, for whoever must end it when the window is gone already."""

    def __init__(self) -> None:
        self.run: TrainingRun | None = None

    def close(self) -> None:
        """Let the child save its state and end; nobody is told any more."""
        if self.run is not None:
            self.run.close()


def let_go(mail: Mailbox, hold: Hold, runners: tuple[Runner, ...], *_: object) -> None:
    """End threads and child; knows nothing of a dialog that may be gone."""
    mail.close()
    hold.close()
    for runner in runners:
        runner.close()
