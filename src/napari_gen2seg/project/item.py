"""One image of a project: its image, labels, journal, and how far it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from napari_gen2seg.common.types import LabelArray
from napari_gen2seg.errors import StorageError
from napari_gen2seg.io.formats.images import ImageFile, read_picture
from napari_gen2seg.project.facts import PROJECT_NAME
from napari_gen2seg.project.journal import Journal
from napari_gen2seg.project.journal.files import Work, read_work

ITEMS = "items"
"""Folder of a project in which each image has one of its own."""


@dataclass(frozen=True)
class Item:
    """One image of a project.

    Attributes
    ----------
    name
        Of its folder; unique in the project.
    folder
        Where its work lies.
    """

    name: str
    folder: Path = field(compare=False)

    def work(self) -> Work:
        """Read its facts and journal, whoever works on it.

        Raises
        ------
        StorageError
            If they are damaged.
        """
        return read_work(self.folder)

    def labels(self) -> LabelArray:
        """Read its labels after the last act.

        Raises
        ------
        StorageError
            If they are damaged.
        """
        return self.work().labels()

    def image_path(self) -> Path:
        """Return the file of its image.

        Raises
        ------
        StorageError
            If it is not where it was.
        """
        image = self.work().image
        if image.path is None or not image.path.exists():
            raise StorageError(
                f"The image {image.name} of {self.folder} is not at {image.path}. Put "
                "it back there, or correct the path in facts.json."
            )
        return image.path

    def image(self) -> ImageFile:
        """Read its image.

        Raises
        ------
        StorageError, ImageError
            If it is gone or cannot be read.
        """
        return read_picture(self.image_path())

    def journal(self, **options: Any) -> Journal:
        """Open its journal, to work on it.

        Parameters
        ----------
        **options
            ``take_over``, ``on_change``; see `Journal`.

        Raises
        ------
        InUseError
            If another window or process has it open.
        """
        work = self.work()
        return Journal(
            work.image, work.shape, work.dtype, folder=self.folder, **options
        )


def project_around(work: Path) -> Path | None:
    """Return the folder of the project in which a work lies; None where in none."""
    root = work.parent.parent
    inside = work.parent.name == ITEMS and (root / PROJECT_NAME).is_file()
    return root if inside else None
