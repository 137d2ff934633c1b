"""A fine-tuning under way: a child process, its events, and how it is stopped.

The child runs ``napari-gen2seg finetune``, the very command that a cluster runs.
It answers in JSON lines; what it saves lies in its run folder, so that a run that
was cancelled, killed or left behind goes on from there.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

from psygnal import Signal

from napari_gen2seg.common.atomic import writing
from napari_gen2seg.errors import SettingsError, StorageError
from napari_gen2seg.jobs.training.child import (
    cancel_child,
    exit_message,
    remember_child,
    start_child,
)
from napari_gen2seg.jobs.training.past_runs import read_events, running_in
from napari_gen2seg.train.finetune.run_folder import (
    CANCEL_NAME,
    CONFIG_NAME,
    ERRORS_NAME,
    STATE_NAME,
    STOP_NAME,
)

State = Literal[
    "idle", "starting", "running", "stopping", "cancelled", "failed", "done", "lost"
]
Event = dict[str, Any]

#: Runs the command line where no script is on the path.
COMMAND = (sys.executable, "-m", "napari_gen2seg", "finetune")
STOPPED = (130, -15, -2, 143)  # exit codes of a child that was asked to stop
GRACE = 1.5  # seconds in which a child must have heard a cancel
ENDING = ("saving", "stopping", "failed", "done")
WORKING: tuple[State, ...] = ("starting", "running", "stopping")


class TrainingRun:
    """One fine-tuning and its folder.

    Parameters
    ----------
    folder
        The run folder; made when the run starts. Events of earlier starts are read
        from it, so curves are whole again after a resume.
    command
        Starts the child; the path of the config is added.
    deliver
        Receives every signal as a call and makes it on the right thread.
    """

    happened = Signal(dict)  # one event of the child
    state_changed = Signal(str)
    ended = Signal(str)  # the last state: cancelled, failed, done or lost

    def __init__(
        self,
        folder: str | Path,
        command: Sequence[str] = COMMAND,
        deliver: Callable[[Callable[[], None]], None] | None = None,
    ) -> None:
        self.folder = Path(folder)
        self.events: list[Event] = read_events(self.folder)
        self.message = ""  # why it failed or was lost, with the way out
        self._command = list(command)
        self._deliver = deliver if deliver is not None else _directly
        self._state: State = "idle"
        self._child: subprocess.Popen[bytes] | None = None
        self._asked: str | None = None  # "cancel" or "stop"
        self._closed = False
        self._heard = False  # the child said that it saves, or is about to end

    @property
    def state(self) -> State:
        """What it is doing, or how it ended."""
        return self._state

    @property
    def working(self) -> bool:
        """Whether the child runs."""
        return self._state in WORKING

    @property
    def resumable(self) -> bool:
        """Whether it can go on from what it saved."""
        return (
            not self.working
            and self._state != "done"
            and (self.folder / STATE_NAME).is_file()
        )

    @property
    def pid(self) -> int | None:
        """Process id of the child, while it runs."""
        return None if self._child is None else self._child.pid

    def start(
        self, config: Mapping[str, Any] | None = None, resume: bool = False
    ) -> None:
        """Start the child, or let a stopped run go on.

        Parameters
        ----------
        config
            Written to ``config.json``; None uses the one that is there.
        resume
            Go on from the saved state.

        Raises
        ------
        SettingsError
            If it runs already, or there is no config.
        StorageError
            If the folder cannot be written.
        TrainingError
            If the child cannot be started.
        """
        if self.working or running_in(self.folder):
            raise SettingsError(
                f"The training in {self.folder.name!r} is already running. Wait for "
                "it, or stop it first."
            )
        if config is not None:
            with writing(self.folder / CONFIG_NAME) as draft:
                draft.write_text(json.dumps(dict(config), indent=1), "utf-8")
        if not (self.folder / CONFIG_NAME).is_file():
            raise SettingsError(
                f"{self.folder} holds no {CONFIG_NAME}, so there is nothing to "
                "train. Start a new fine-tuning."
            )
        for name in (STOP_NAME, CANCEL_NAME):
            (self.folder / name).unlink(missing_ok=True)
        self.message, self._asked, self._closed = "", None, False
        self._heard = False
        if not resume:
            self.events = []
        command = [*self._command, str(self.folder / CONFIG_NAME)]
        if resume:
            command.append("--resume")
        try:
            log = (self.folder / ERRORS_NAME).open("wb")
        except OSError as error:
            raise StorageError(
                f"{self.folder} cannot be written: {error.strerror or error}. Free "
                "some space, or check that you may write there."
            ) from error
        with log:
            child = start_child(command, log)
        remember_child(self.folder, child.pid)
        self._child = child
        self._become("starting")
        threading.Thread(
            target=self._follow, args=(child,), name="gen2seg-training", daemon=True
        ).start()

    def cancel(self) -> None:
        """Ask the child to save its state and stop; asked again, end it at once."""
        child = self._child
        if child is None or not self.working:
            return
        if self._asked == "cancel":
            self.kill()
            return
        self._asked = "cancel"
        cancel_child(child, self.folder)
        self._become("stopping")
        # In the middle of a long step, or still loading, it would not hear for long.
        # What it saved last, half a minute ago at most, stays.
        timer = threading.Timer(GRACE, self._end_deaf, (child,))
        timer.daemon = True
        timer.start()

    def _end_deaf(self, child: subprocess.Popen[bytes]) -> None:
        """End a child that has not heard the cancel; not one that is saving."""
        if self._heard or child.poll() is not None:
            return
        with suppress(OSError):
            child.kill()

    def stop_and_keep(self) -> None:
        """Ask the child to end here, and to compare and export its best weights.

        Raises
        ------
        StorageError
            If the request cannot be written into the run folder.
        """
        if not self.working or self._asked is not None:
            return
        try:
            (self.folder / STOP_NAME).touch()
        except OSError as error:
            raise StorageError(
                f"{self.folder} cannot be written: {error.strerror or error}. Free "
                "some space; training goes on meanwhile."
            ) from error
        self._asked = "stop"
        self._become("stopping")

    def kill(self) -> None:
        """End the child at once; what it saved last stays."""
        if self._child is not None:
            with suppress(OSError):
                self._child.kill()

    def close(self) -> None:
        """Let go: the child saves its state and ends by itself; nobody is told."""
        self._closed = True
        child = self._child
        if child is not None and child.poll() is None:
            cancel_child(child, self.folder)

    def wait(self, seconds: float) -> bool:
        """Wait for the child's end; for programs without a window.

        Returns
        -------
        bool
            Whether it ended.
        """
        if self._child is None:
            return True
        try:
            self._child.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    # ---- the child's side, on a thread of its own

    def _follow(self, child: subprocess.Popen[bytes]) -> None:
        noise: deque[str] = deque(maxlen=20)
        stream = child.stdout
        if stream is not None:
            with stream:
                for line in stream:
                    event = _event(line)
                    if event is None:
                        noise.append(line.decode("utf-8", "replace").rstrip())
                    else:
                        self._heard |= event["event"] in ENDING
                        self._deliver(lambda event=event: self._happen(event))  # type: ignore[misc]
        code = child.wait()
        self._deliver(lambda: self._conclude(child, code, list(noise)))

    def _happen(self, event: Event) -> None:
        self.events.append(event)
        if event["event"] == "failed":
            self.message = str(event.get("message", ""))
        if self._closed:
            return
        if self._state == "starting":
            self._become("running")
        elif event["event"] == "stopping" and self._state == "running":
            self._become("stopping")
        self.happened.emit(event)

    def _conclude(
        self, child: subprocess.Popen[bytes], code: int, noise: list[str]
    ) -> None:
        if child is not self._child:
            return
        self._child = None
        kinds = {event["event"] for event in self.events[-20:]}
        if code == 0 and "done" in kinds:
            state: State = "done"
        elif self.message:  # also where saving failed after a cancel
            state = "failed"
        elif self._asked == "cancel" or code in STOPPED:
            state = "cancelled"
        else:
            state = "lost"
            self.message = exit_message(
                code,
                self.folder / ERRORS_NAME,
                noise,
                (self.folder / STATE_NAME).is_file(),
            )
        remember_child(self.folder, None)
        if self._closed:
            self._state = state
            return
        self._become(state)
        self.ended.emit(state)

    def _become(self, state: State) -> None:
        if state != self._state:
            self._state = state
            if not self._closed:
                self.state_changed.emit(state)


def _event(line: bytes) -> Event | None:
    try:
        event = json.loads(line)
    except ValueError:
        return None
    return event if isinstance(event, dict) and "event" in event else None


def _directly(call: Callable[[], None]) -> None:
    call()
