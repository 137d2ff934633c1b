"""The way of a journal to the disk: each act at once, the labels whole behind it."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from typing import Literal

from napari_gen2seg.common.atomic import not_written, sync_folder
from napari_gen2seg.common.types import LabelArray
from napari_gen2seg.errors import StorageError
from napari_gen2seg.io.identity import ImageIdentity
from napari_gen2seg.project.journal.files import (
    JOURNAL_NAME,
    Work,
    is_work,
    journal_head,
    write_facts,
    write_labels_file,
)
from napari_gen2seg.project.journal.history import History
from napari_gen2seg.project.journal.holding import HeldFolder
from napari_gen2seg.project.journal.record import encode
from napari_gen2seg.project.journal.state import WorkState

SaveState = Literal["saved", "saving", "not saved"]
"""On the disk; written, but the disk is still at it; in memory only."""

MOST_ACTS, MOST_BYTES = 500, 32 << 20
"""A journal that is longer is made short again, by saving the labels whole."""

_AGAIN = 2.0  # seconds until the disk is tried again


class JournalWriter:
    """Writes records on the thread of the caller; waits for the disk on its own.

    Parameters
    ----------
    held
        The folder, made with the first record.
    work
        What is in it, or will be.
    image
        Which image it is.
    on_change
        Called on any thread when `save_state` changes.

    Attributes
    ----------
    guard
        Held by whoever changes `work`.
    trouble
        Why the disk did not take something; None if it took all.
    """

    def __init__(
        self,
        held: HeldFolder,
        work: Work,
        image: ImageIdentity,
        on_change: Callable[[SaveState], None] | None,
    ) -> None:
        self.held, self.work = held, work
        self.guard = threading.RLock()
        self.trouble: StorageError | None = None
        self._image, self._on_change = image, on_change
        self._base = 0, 0  # bytes and acts when it was last made short
        self._pending: list[bytes] = []
        self._told: SaveState = "saved"
        self._wake = threading.Condition(self.guard)
        self._tasks: list[tuple[LabelArray | None, int]] = []
        self._thread: threading.Thread | None = None
        self._closed = False

    @property
    def save_state(self) -> SaveState:
        """Whether the work is on the disk."""
        with self.guard:
            if self._pending:
                return "not saved"
            return "saved" if self._synced and not self._tasks else "saving"

    @property
    def long(self) -> bool:
        """Whether it is time to make the journal short."""
        size, count = self._base  # of what is kept to be undone
        grown = len(self.work.acts) - count
        return grown > MOST_ACTS or self._size - size > MOST_BYTES

    def append(self, record: bytes) -> None:
        """Write a record behind those that are still to be written.

        Raises
        ------
        StorageError
            If it could not be written: then it is still to be.
        """
        self._pending.append(record)
        self.write()

    def write(self) -> None:
        """Write what is still to be written.

        Raises
        ------
        StorageError
            If it could not.
        """
        try:
            self._write()
        finally:
            self._tell()

    def snapshot(self, labels: LabelArray | None) -> None:
        """Save the labels whole and make the journal short; see `Journal.snapshot`."""
        if labels is not None and not is_work(self.work.folder):
            self.held.begin(self.work)
        if labels is None and (self._tasks or self.held.log is None):
            return
        sequence = self.work.state.sequence
        if labels is not None and labels.shape != self.work.shape:
            # At once: the next act is for labels of this shape.
            self.work.shape, self.work.dtype = labels.shape, labels.dtype
            self.work.history = History()  # there is no way back to another shape
            self._save_whole(labels, sequence)
            return
        self._tasks.append((labels, sequence))
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
        with self.guard:
            while self.held.log is not None and (self._tasks or not self._synced):
                if self.trouble is not None and not self._tasks:
                    break
                self._wake.wait(0.5)
            if self._pending:
                self._write()
                self._sync()
            if self.trouble is not None:
                raise self.trouble

    def last_save(self) -> StorageError | None:
        """Save everything; return what went wrong."""
        try:
            with self.guard:
                self.write()
                work = self.work
                if (
                    self.held.log is not None
                    and work.state.sequence > work.facts_sequence
                ):
                    self.snapshot(None)
            self.wait()
        except StorageError as error:
            with self.guard:
                # Acts that are on the disk are safe, whole labels or not.
                return error if self._pending or not self._synced else None
        return None

    def end(self) -> None:
        """End the thread, and let go of the folder."""
        with self.guard:
            self._closed = True
            self._wake.notify_all()
        if self._thread is not None:
            self._thread.join()
        self.let_go()

    def let_go(self) -> None:
        """Let others have the folder."""
        with self.guard:
            self.held.let_go()

    def _write(self) -> None:
        """Write what is pending, whole records or nothing."""
        if not self._pending:
            return
        try:
            log = self.held.log or self.held.begin(self.work)
            if not log.size:
                last = self.work.state.sequence - len(self._pending)
                before = WorkState(sequence=last)
                head = replace(self.work, history=History(), state=before)
                log.append(encode(journal_head(head)))
            while self._pending:
                log.append(self._pending[0])
                del self._pending[0]
        finally:
            self._start()
            self._wake.notify_all()

    def _sync(self) -> None:
        """Wait until the disk has the journal as it is now."""
        log = self.held.log
        if log is not None:
            try:
                log.sync()
            except StorageError as error:
                self.trouble = error

    @property
    def _synced(self) -> bool:
        return self.held.log is None or self.held.log.synced

    def _start(self) -> None:
        if self._thread is None and not self._closed:
            self._thread = threading.Thread(
                target=self._run, name="journal", daemon=True
            )
            self._thread.start()

    def _run(self) -> None:
        """Wait for the disk, and save labels whole, while others go on."""
        while True:
            with self.guard:
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
                        f"The labels in {self.work.folder} could not be saved whole "
                        f"({error!r}). Every act is in {JOURNAL_NAME} all the same."
                    )
            with self.guard:
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
        with self.guard:
            if self._pending:  # once more, when the disk takes them
                return
            now, acts = self.work, list(self.work.acts)
            state = now.state.copy()
        then = replace(now, state=state, acts=acts, image=self._image)
        if labels is None:
            labels, sequence = then.labels(), state.sequence
        then.shape, then.dtype = labels.shape, labels.dtype
        write_labels_file(self.work.folder, labels, sequence)
        write_facts(then)
        self._restart(sequence)
        with self.guard:
            self.work.facts_sequence = state.sequence

    def _restart(self, sequence: int) -> None:
        """Write a journal of what came after `sequence`, or can be undone or redone.

        Acts may be recorded while the disk is waited for; they follow.
        """
        with self.guard:
            history, last = self.work.history, self.work.state.sequence
            later = (one for one in self.work.acts if one.sequence > sequence)
            kept = {act.sequence: act for act in later}
            # They know the names that classes have now.
            kept.update((act.sequence, act) for act in (*history.done, *history.undone))
            if self._pending:
                return
            head = encode(journal_head(self.work))
        log = self.held.log
        if log is None:
            return
        acts = [kept[number] for number in sorted(kept)]
        with ExitStack() as held:
            with log.replaced() as file:
                file.write(head)
                file.write(b"".join(encode(act.to_json()) for act in acts))
                os.fsync(file.fileno())
                held.enter_context(self.guard)
                now = [act for act in self.work.acts if act.sequence > last]
                written = now[: len(now) - len(self._pending)]
                file.write(b"".join(encode(act.to_json()) for act in written))
            self.work.acts = [*acts, *now]
            log.synced = not written
            self._base = log.size, len(acts)
        try:
            sync_folder(self.work.folder)
        except OSError as error:
            raise not_written(self.work.folder / JOURNAL_NAME, error) from error

    @property
    def _size(self) -> int:
        """Bytes of the journal."""
        return 0 if self.held.log is None else self.held.log.size

    def _tell(self) -> None:
        now = self.save_state
        if now != self._told:
            self._told = now
            if self._on_change is not None:
                self._on_change(now)
