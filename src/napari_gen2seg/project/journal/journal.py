"""The journal of one image: every act is in a file before it is shown."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from napari_gen2seg.common.atomic import not_written, sync_folder
from napari_gen2seg.common.types import LabelArray
from napari_gen2seg.errors import StorageError
from napari_gen2seg.io.identity import ImageIdentity
from napari_gen2seg.project.journal.act import Act
from napari_gen2seg.project.journal.files import (
    JOURNAL_NAME,
    Work,
    is_work,
    journal_head,
    write_facts,
    write_labels_file,
)
from napari_gen2seg.project.journal.history import History
from napari_gen2seg.project.journal.holding import Earlier, HeldFolder
from napari_gen2seg.project.journal.patch import Patch
from napari_gen2seg.project.journal.place import (
    set_aside,
)
from napari_gen2seg.project.journal.record import encode
from napari_gen2seg.project.journal.state import WorkState

SaveState = Literal["saved", "saving", "not saved"]
"""On the disk; written, but the disk is still at it; in memory only."""

MOST_ACTS, MOST_BYTES = 500, 32 << 20
"""A journal that is longer is made short again, by saving the labels whole."""


_AGAIN = 2.0  # seconds until the disk is tried again


class Journal:
    """Keeps the work on one image.

    Files are made with the first act, so that looking at images leaves no trace.
    `record` may be called on the main thread: it writes, and the disk is waited for on
    another one, which also saves the labels whole when the journal grows long.

    A window opens it with the image; asks, where there is `earlier` work, whether to go
    on (`labels`, `state`) or to `begin_anew`; gives each act to `record` and then shows
    it; shows `save_state`; and asks before it closes what `close` refuses to close.
    """

    def __init__(
        self,
        image: ImageIdentity,
        shape: tuple[int, ...],
        dtype: npt.DTypeLike = np.int32,
        *,
        folder: Path | None = None,
        take_over: bool = False,
        on_change: Callable[[SaveState], None] | None = None,
    ) -> None:
        """Open the work on an image; earlier work is in `earlier`.

        Parameters
        ----------
        image
            Which image it is.
        shape, dtype
            Of new labels. Earlier labels keep theirs: see `shape`.
        folder
            Where to keep it; beside the image, or in the user's folder, if not given.
        take_over
            Open it although another computer seems to have it open.
        on_change
            Called on any thread when `save_state` changes.

        Raises
        ------
        InUseError
            If another window or process has it open.
        StorageError
            If earlier work cannot be read.
        """
        self.earlier: Earlier | None = None
        self.trouble: StorageError | None = None
        self._image = image
        self._held = HeldFolder(image, folder, take_over)
        self._on_change = on_change
        self._base = 0, 0  # bytes and acts when it was last made short
        self._pending: list[bytes] = []
        self._told: SaveState = "saved"
        self._guard = threading.RLock()
        self._wake = threading.Condition(self._guard)
        self._tasks: list[tuple[LabelArray | None, int]] = []
        self._thread: threading.Thread | None = None
        self._closed = False
        self._asked = tuple(int(n) for n in shape), np.dtype(dtype)
        self._work = Work(self._held.usual, image, *self._asked)
        before = self._held.go_on()
        if before is not None:
            self.earlier, self._work = before

    @property
    def folder(self) -> Path:
        """Where it lies, or would lie."""
        return self._work.folder

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the labels."""
        return self._work.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of the labels."""
        return self._work.dtype

    @property
    def state(self) -> WorkState:
        """What is known of the work; not to be changed."""
        return self._work.state

    @property
    def save_state(self) -> SaveState:
        """Whether the work is on the disk."""
        with self._guard:
            if self._pending:
                return "not saved"
            return "saved" if self._synced and not self._tasks else "saving"

    @property
    def undo_count(self) -> int:
        """Acts that can be taken back."""
        return len(self._work.history.done)

    @property
    def redo_count(self) -> int:
        """Acts that can be done again."""
        return len(self._work.history.undone)

    @property
    def last_done(self) -> Act | None:
        """The act that `undo` would take back."""
        return next(reversed(self._work.history.done), None)

    def act_of(self, patch: Patch) -> Act | None:
        """Return the latest act that made a change and can be taken back."""
        for act in reversed(self._work.history.done):
            if act.patch is not None and act.patch.same(patch):
                return act
        return None

    @property
    def last_undone(self) -> Act | None:
        """The act that `redo` would do again."""
        return next(reversed(self._work.history.undone), None)

    def labels(self) -> LabelArray:
        """Read the labels as they are after the last act; for another thread.

        Raises
        ------
        StorageError
            If they cannot be read.
        """
        with self._guard:
            # Before the file is read: what it holds may leave the list meanwhile.
            now = replace(self._work, acts=list(self._work.acts))
        return now.labels()

    def record(self, act: Act) -> Act:
        """Write an act, before it is shown.

        Parameters
        ----------
        act
            Without number; origins that follow from it are added here.

        Returns
        -------
        Act
            As it was written.

        Raises
        ------
        DiskFullError, StorageError
            If it could not be written. It is kept in memory, counts as done, and is
            written before the next one, or by `retry`.
        """
        with self._guard:
            self._check_open()
            state, history = self._work.state, self._work.history
            origins, classes = state.origins_after(act), state.classes_after(act)
            act = replace(
                act,
                origins=origins,
                classes=classes,
                sequence=state.sequence + 1,
                at=act.at or time.time(),
                before={n: state.origins.get(n) for n in origins},
                classes_before={n: state.classes.get(n) for n in classes},
            )
            line = encode(act.to_json())
            state.apply(act)
            history.add(act)
            self._pending.append(line)
            self._work.acts.append(act)
            try:
                self._write()
            finally:
                self._tell()
            size, count = self._base  # of what is kept to be undone
            if (
                len(self._work.acts) - count > MOST_ACTS
                or self._size - size > MOST_BYTES
            ):
                self.snapshot()
        return act

    def undo(self) -> Act | None:
        """Record that the latest act is taken back.

        Returns
        -------
        Act or None
            Its `patch` is to be applied to the labels that are shown; None if there
            is nothing to undo.
        """
        with self._guard:
            act = self._work.history.undo()
            return None if act is None else self.record(act)

    def redo(self) -> Act | None:
        """Record that what was undone last is done again; see `undo`."""
        with self._guard:
            act = self._work.history.redo()
            return None if act is None else self.record(act)

    def retry(self) -> None:
        """Write what could not be written before.

        Raises
        ------
        StorageError
            If it still cannot.
        """
        with self._guard:
            try:
                self._write()
            finally:
                self._tell()

    def snapshot(self, labels: LabelArray | None = None) -> None:
        """Save the labels whole on another thread, and make the journal short.

        Parameters
        ----------
        labels
            The labels as they are after the last act, which nobody changes any more:
            give them where they were replaced as a whole. If not given, they are made
            of the files.
        """
        with self._guard:
            self._check_open()
            if labels is not None and not is_work(self.folder):
                self._held.begin(self._work)
            if labels is None and (self._tasks or self._held.log is None):
                return
            if labels is not None and labels.shape != self.shape:
                # At once: the next act is for labels of this shape.
                self._work.shape, self._work.dtype = labels.shape, labels.dtype
                self._work.history = History()  # there is no way back to another shape
                self._save_whole(labels, self.state.sequence)
                return
            self._tasks.append((labels, self.state.sequence))
            self._tell()
            self._start()
            self._wake.notify_all()

    def wait(self) -> None:
        """Wait until the disk has everything.

        Raises
        ------
        StorageError
            If something could not be written.
        """
        with self._guard:
            while self._held.log is not None and (self._tasks or not self._synced):
                if self.trouble is not None and not self._tasks:
                    break
                self._wake.wait(0.5)
            if self._pending:
                self._write()
                self._sync()
            if self.trouble is not None:
                raise self.trouble

    def begin_anew(self) -> Path | None:
        """Do not go on with earlier work: set it aside, where it stays.

        Returns
        -------
        Path or None
            Where it lies now; None if there was none.

        Raises
        ------
        StorageError
            If it cannot be set aside.
        """
        if self.earlier is None:
            return None
        with self._guard:
            self._let_go()
            aside = set_aside(self.folder)
            self.earlier, group = None, self.state.group
            self._work = Work(self._held.usual, self._image, *self._asked)
            if self._held.fixed:  # a project's: its image stays in it, and its group
                self.record(Act("state", values={"group": group}))
            return aside

    def close(self, force: bool = False) -> None:
        """Save the labels whole, wait for the disk, and let go of the folder.

        Parameters
        ----------
        force
            Give up what cannot be written.

        Raises
        ------
        StorageError
            If something could not be written; then it is still open.
        """
        if self._closed:
            return
        trouble = self._last_save()
        if trouble is not None and not force:
            raise trouble
        with self._guard:
            self._closed = True
            self._wake.notify_all()
        if self._thread is not None:
            self._thread.join()
        self._let_go()

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, kind: object, *rest: object) -> None:
        # What went wrong inside is the more important thing to be told.
        self.close(force=kind is not None)

    def _last_save(self) -> StorageError | None:
        """Save everything; return what went wrong."""
        try:
            self.retry()
            if self._held.log is not None and (
                self.state.sequence > self._work.facts_sequence
            ):
                self.snapshot()
            self.wait()
        except StorageError as error:
            with self._guard:
                # Acts that are on the disk are safe, whole labels or not.
                return error if self._pending or not self._synced else None
        return None

    def _write(self) -> None:
        """Write what is pending, whole records or nothing."""
        if not self._pending:
            return
        try:
            log = self._held.log or self._held.begin(self._work)
            if not log.size:
                last = self.state.sequence - len(self._pending)
                before = WorkState(sequence=last)
                head = replace(self._work, history=History(), state=before)
                log.append(encode(journal_head(head)))
            while self._pending:
                log.append(self._pending[0])
                del self._pending[0]
        finally:
            self._start()
            self._wake.notify_all()

    def _sync(self) -> None:
        """Wait until the disk has the journal as it is now."""
        log = self._held.log
        if log is not None:
            try:
                log.sync()
            except StorageError as error:
                self.trouble = error

    @property
    def _synced(self) -> bool:
        return self._held.log is None or self._held.log.synced

    def _start(self) -> None:
        if self._thread is None and not self._closed:
            self._thread = threading.Thread(
                target=self._run, name="journal", daemon=True
            )
            self._thread.start()

    def _run(self) -> None:
        """Wait for the disk, and save labels whole, while others go on."""
        while True:
            with self._guard:
                while not (self._closed or self._tasks or not self._synced):
                    self._wake.wait()
                if self._closed and not self._tasks and self._synced:
                    return
                task = self._tasks[0] if self._tasks else None
            self.trouble = None
            self._sync()
            if task is not None:
                try:
                    self._save_whole(*task)
                except StorageError as error:
                    self.trouble = error
                except Exception as error:  # noqa: BLE001  (no thread may die silently)
                    self.trouble = StorageError(
                        f"The labels in {self.folder} could not be saved whole "
                        f"({error!r}). Every act is in {JOURNAL_NAME} all the same."
                    )
            with self._guard:
                if task is not None:
                    self._tasks.remove(task)
                self._tell()
                self._wake.notify_all()
                if self.trouble is not None and not self._tasks:
                    if self._closed:
                        return
                    self._wake.wait(_AGAIN)

    def _save_whole(self, labels: LabelArray | None, sequence: int) -> None:
        """Write labels and facts, then begin the journal anew behind them."""
        with self._guard:
            if self._pending:  # once more, when the disk takes them
                return
            now, acts = self._work, list(self._work.acts)
            state = now.state.copy()
        then = replace(now, state=state, acts=acts, image=self._image)
        if labels is None:
            labels, sequence = then.labels(), state.sequence
        then.shape, then.dtype = labels.shape, labels.dtype
        write_labels_file(self.folder, labels, sequence)
        write_facts(then)
        self._restart(sequence)
        with self._guard:
            self._work.facts_sequence = state.sequence

    def _restart(self, sequence: int) -> None:
        """Write a journal of what came after `sequence`, or can be undone or redone.

        Acts may be recorded while the disk is waited for; they follow.
        """
        with self._guard:
            history, last = self._work.history, self.state.sequence
            later = (one for one in self._work.acts if one.sequence > sequence)
            kept = {act.sequence: act for act in later}
            # They know the names that classes have now.
            kept.update((act.sequence, act) for act in (*history.done, *history.undone))
            if self._pending:
                return
            head = encode(journal_head(self._work))
        log = self._held.log
        if log is None:
            return
        acts = [kept[number] for number in sorted(kept)]
        with ExitStack() as held:
            with log.replaced() as file:
                file.write(head)
                file.write(b"".join(encode(act.to_json()) for act in acts))
                os.fsync(file.fileno())
                held.enter_context(self._guard)
                now = [act for act in self._work.acts if act.sequence > last]
                written = now[: len(now) - len(self._pending)]
                file.write(b"".join(encode(act.to_json()) for act in written))
            self._work.acts = [*acts, *now]
            log.synced = not written
            self._base = log.size, len(acts)
        try:
            sync_folder(self.folder)
        except OSError as error:
            raise not_written(self.folder / JOURNAL_NAME, error) from error

    @property
    def _size(self) -> int:
        """Bytes of the journal."""
        return 0 if self._held.log is None else self._held.log.size

    def _let_go(self) -> None:
        with self._guard:
            self._held.let_go()

    def _check_open(self) -> None:
        if self._closed:
            raise StorageError(
                f"The work in {self.folder} was closed; open it again to go on."
            )

    def _tell(self) -> None:
        now = self.save_state
        if now != self._told:
            self._told = now
            if self._on_change is not None:
                self._on_change(now)
