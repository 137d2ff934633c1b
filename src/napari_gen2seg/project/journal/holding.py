"""The folder of the work on one image, as long as a window or process has it open."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from napari_gen2seg.common.atomic import not_written
from napari_gen2seg.errors import InUseError, StorageError
from napari_gen2seg.io.identity import ImageIdentity
from napari_gen2seg.project.journal.files import (
    JOURNAL_NAME,
    Work,
    is_work,
    read_facts,
    read_work,
    saved_sequence,
    write_facts,
)
from napari_gen2seg.project.journal.lock import FolderLock
from napari_gen2seg.project.journal.log_file import LogFile
from napari_gen2seg.project.journal.place import (
    Found,
    bring,
    find_work,
    places,
    remember,
)
from napari_gen2seg.project.journal.state import WorkState


@dataclass(frozen=True)
class Earlier:
    """What is told of earlier work, before anybody goes on with it.

    Attributes
    ----------
    found
        Where it lies, and how it was recognised.
    state
        What is known of it.
    since_saved
        Acts that came after the labels were last saved whole: a crash, most often.
    torn
        Bytes of an act that a crash cut off; it is not there.
    """

    found: Found
    state: WorkState
    since_saved: int
    torn: int


class HeldFolder:
    """Takes hold of a folder: its lock, and the file of its journal.

    Parameters
    ----------
    image
        Which image it is.
    folder
        Where to keep the work; beside the image, or in the user's folder, if None.
    take_over
        Do not believe that another computer has it open.

    Attributes
    ----------
    log
        The journal's file; None while nothing is held.
    """

    def __init__(
        self, image: ImageIdentity, folder: Path | None, take_over: bool
    ) -> None:
        self.log: LogFile | None = None
        self._image, self._folder, self._take_over = image, folder, take_over
        self._lock: FolderLock | None = None

    @property
    def fixed(self) -> bool:
        """Whether it was told where the work lies, and it lies nowhere else."""
        return self._folder is not None

    @property
    def usual(self) -> Path:
        """Where new work lies, if nothing hinders it."""
        return self._folder or places(self._image)[0]

    def go_on(self) -> tuple[Earlier, Work] | None:
        """Take hold of earlier work; None where there is none.

        Raises
        ------
        InUseError
            If another window or process has it open.
        StorageError
            If it cannot be read.
        """
        found = self._found()
        if found is None:
            return None
        folder = found.folder if self._folder else bring(found, self._image)
        self._lock = FolderLock(folder, self._take_over)
        try:
            work = read_work(folder)
            saved = saved_sequence(folder)
            since = sum(act.sequence > saved for act in work.acts)
            torn = work.records.torn
            here = replace(found, folder=folder)
            earlier = Earlier(here, work.state, since, torn)
            work.image = self._image
            self.log = LogFile(folder / JOURNAL_NAME, work.records.size, torn)
        except BaseException:
            self.let_go()
            raise
        remember(self._image, folder)
        return earlier, work

    def begin(self, work: Work) -> LogFile:
        """Make a folder for new work: beside the image, or where that cannot be.

        Parameters
        ----------
        work
            Its folder becomes the one that was made.

        Raises
        ------
        InUseError
            If another window or process was faster.
        StorageError
            If it cannot be made anywhere.
        """
        problem: StorageError | None = None
        for folder in [self._folder] if self._folder else places(self._image):
            try:
                folder.mkdir(parents=True, exist_ok=True)
                self._lock = FolderLock(folder, self._take_over)
                self.log = self._begin_in(folder, work)
            except InUseError:
                self.let_go()
                raise
            except StorageError as error:
                problem = error
            except OSError as error:
                problem = not_written(folder, error)
            else:
                remember(self._image, folder)
                return self.log
            self.let_go()
        raise problem or StorageError(f"There is no place for {self._image.name}.")

    def let_go(self) -> None:
        """Let others have it; may be called more than once."""
        if self.log is not None:
            self.log.close()
            self.log = None
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def _found(self) -> Found | None:
        if self._folder is None:
            return find_work(self._image)
        if not is_work(self._folder):
            return None
        return Found(self._folder, "here", read_facts(self._folder).image)

    def _begin_in(self, folder: Path, work: Work) -> LogFile:
        if is_work(folder):
            raise InUseError(
                f"Another window has worked on {self._image.name} since it was opened "
                f"here (see {folder}). Open it again to go on with that work."
            )
        work.folder = folder
        write_facts(replace(work, state=WorkState()))
        return LogFile(folder / JOURNAL_NAME)
