"""An image's journal, opened on another thread; earlier work with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_gen2seg.errors import Gen2SegError, StorageError
from napari_gen2seg.gui.annotate.count import count_objects
from napari_gen2seg.io.identity import ImageIdentity
from napari_gen2seg.project.journal import Journal, SaveState
from napari_gen2seg.project.journal.aside import find_aside
from napari_gen2seg.project.journal.files import read_facts
from napari_gen2seg.project.journal.place import places

if TYPE_CHECKING:
    from napari_gen2seg.common.types import LabelArray


Key = tuple[str, str]
"""Content of an image, and where it or its work lies."""


@dataclass(eq=False)
class Work:
    """The work on one image, as far as it was opened.

    Attributes
    ----------
    identity, shape
        The image, and the shape of new labels.
    folder
        Where it lies in a project; None for an image by itself.
    journal
        None until it is open, and where it cannot be opened.
    labels, count
        Of earlier work, and how many objects they hold; None where there is none.
    problem
        Why it cannot be opened, as a sentence.
    asks
        To be asked for in a project too.
    answered
        Whether to go on with earlier work is decided.
    layer_id
        ``unique_id`` of the Labels layer that it is kept of.
    aside
        Folders of work on the image that was set aside, the latest first.
    """

    identity: ImageIdentity
    shape: tuple[int, ...]
    folder: Path | None = None
    journal: Journal | None = None
    labels: LabelArray | None = None
    count: int = 0
    problem: str = ""
    asks: bool = False
    answered: bool = False
    layer_id: str | None = None
    aside: list[Path] = field(default_factory=list)

    @property
    def key(self) -> Key:
        """What tells it from the work on other images."""
        return self.identity.key, str(self.folder or self.identity.path)

    @property
    def offered(self) -> bool:
        """Whether there is earlier work that waits for an answer."""
        return self.labels is not None and not self.answered and self.layer_id is None


def identity_of(path: str | None, array: Any, name: str) -> ImageIdentity:
    """Name the image of a layer: by its file, else by its pixels."""
    if path and Path(path).exists():
        try:
            return ImageIdentity.of_file(path)
        except StorageError:  # it may be read by somebody else, or be gone
            pass
    return ImageIdentity.of_array(array, name)


def work_in(folder: Path) -> Work:
    """Name the work that lies in a folder of a project.

    Raises
    ------
    StorageError
        If it cannot be read.
    """
    known = read_facts(folder)
    return Work(known.image, known.shape, folder)


def open_work(work: Work, on_change: Callable[[SaveState], None]) -> Work:
    """Open the journal of an image; what goes wrong is in ``problem``.

    Parameters
    ----------
    work
        With its image; filled in and returned.
    on_change
        As for `Journal`.
    """
    try:
        journal = Journal(
            work.identity, work.shape, folder=work.folder, on_change=on_change
        )
    except Gen2SegError as error:
        work.problem = str(error)
        return work
    work.journal, work.problem = journal, ""
    usual = [] if work.folder is not None else places(work.identity)
    work.aside = find_aside([journal.folder, *usual])
    if journal.earlier is None:
        return work
    try:
        labels = journal.labels()
    except Gen2SegError as error:
        journal.close(force=True)
        work.journal, work.problem = None, str(error)
        return work
    if labels.any() or journal.state.clicks:
        work.labels, work.count = labels, count_objects(labels)[0]
    return work
