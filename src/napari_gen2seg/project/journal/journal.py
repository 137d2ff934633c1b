"""The journal of one image: every act is in a file before it is shown."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_gen2seg.common.types import LabelArray
from napari_gen2seg.errors import StorageError
from napari_gen2seg.io.identity import ImageIdentity
from napari_gen2seg.project.journal.act import Act
from napari_gen2seg.project.journal.files import Work
from napari_gen2seg.project.journal.holding import Earlier, HeldFolder
from napari_gen2seg.project.journal.patch import Patch
from napari_gen2seg.project.journal.place import set_aside
from napari_gen2seg.project.journal.record import encode
from napari_gen2seg.project.journal.state import WorkState
from napari_gen2seg.project.journal.writer import JournalWriter, SaveState


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
        self._image = image
        self._held = HeldFolder(image, folder, take_over)
        self._closed = False
        self._asked = tuple(int(n) for n in shape), np.dtype(dtype)
        work = Work(self._held.usual, image, *self._asked)
        before = self._held.go_on()
        if before is not None:
            self.earlier, work = before
        self._writer = JournalWriter(self._held, work, image, on_change)
        self._guard = self._writer.guard

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
        return self._writer.save_state

    @property
    def trouble(self) -> StorageError | None:
        """Why the disk did not take something; None if it took all."""
        return self._writer.trouble

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
            self._work.acts.append(act)
            self._writer.append(line)
            if self._writer.long:
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
            self._writer.write()

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
            self._writer.snapshot(labels)

    def wait(self) -> None:
        """Wait until the disk has everything.

        Raises
        ------
        StorageError
            If something could not be written.
        """
        self._writer.wait()

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
            self._writer.let_go()
            aside = set_aside(self.folder)
            self.earlier, group = None, self.state.group
            self._writer.work = Work(self._held.usual, self._image, *self._asked)
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
        trouble = self._writer.last_save()
        if trouble is not None and not force:
            raise trouble
        self._closed = True
        self._writer.end()

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, kind: object, *rest: object) -> None:
        # What went wrong inside is the more important thing to be told.
        self.close(force=kind is not None)

    @property
    def _work(self) -> Work:
        return self._writer.work

    def _check_open(self) -> None:
        if self._closed:
            raise StorageError(
                f"The work in {self.folder} was closed; open it again to go on."
            )
