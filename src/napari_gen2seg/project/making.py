"""A project made of the images that a person names, or filled with them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from napari_gen2seg.common.progress import check_cancel, report
from napari_gen2seg.errors import DataError, Gen2SegError, SettingsError
from napari_gen2seg.io.formats.images import read_picture
from napari_gen2seg.project.facts import PROJECT_NAME
from napari_gen2seg.project.image_files import absolute, images_in
from napari_gen2seg.project.item import Item
from napari_gen2seg.project.project import Project

if TYPE_CHECKING:
    from napari_gen2seg.common.progress import Cancel, Progress


@dataclass(frozen=True, eq=False)
class Made:
    """A project that was made or added to.

    Attributes
    ----------
    project
        The project.
    taken
        The files that were taken, each with the image that the project has of it.
    problems
        Of files that could not be taken, as sentences.
    added
        How many images the project has more than before.
    """

    project: Project
    taken: tuple[tuple[Path, Item], ...] = ()
    problems: tuple[str, ...] = ()
    added: int = 0


def make_project(
    folder: str | Path,
    sources: Sequence[str | Path],
    *,
    copy: bool = False,
    group: str = "",
    name: str = "",
    model: str = "mini",
    classes: Iterable[str] = (),
    progress: Progress | None = None,
    cancel: Cancel | None = None,
) -> Made:
    """Make a project of images, or add them to the one that is there.

    A file that cannot be taken is told of and left out, the others are taken. Where
    none can be, no new project is made.

    Parameters
    ----------
    folder
        Of the project.
    sources
        Image files, and folders of such.
    copy, group
        See `Project.add_images`.
    name, model
        Of a new project; see `Project.create`.
    classes
        Names of classes that the project is to have.
    progress, cancel
        Told of, and asked before, each file; what was taken stays.

    Raises
    ------
    DataError
        If there is no image in `sources`, or none can be taken into a new project.
    SettingsError
        If there is a project already, and nothing to add to it.
    StorageError
        If a source is not there, or the project cannot be read or written.
    Cancelled
        If `cancel` said so.
    """
    files, classes = images_in(sources), list(classes)
    if sources and not files:
        names = ", ".join(str(one) for one in sources)
        raise DataError(
            f"There are no pictures in {names}. Choose a folder that holds image files."
        )
    there = (absolute(folder) / PROJECT_NAME).is_file()
    if there and not (files or classes):
        raise SettingsError(
            f"{folder} holds a project already; name images to be added to it."
        )
    if there:
        project, problems = Project.open(folder), []
    else:
        problems = _unreadable_first(files)
        if files and len(problems) == len(files):
            raise DataError(f"No project was made: {' '.join(problems[:3])}")
        project = Project.create(folder, name, model)
    project = project.with_class_names(classes)
    taken: list[tuple[Path, Item]] = []
    before = len(project.items)
    begun = len(problems)

    def told() -> Iterator[Path]:
        for number, file in enumerate(files[begun:], begun):
            check_cancel(cancel, "Adding images")
            report(progress, number / len(files), file.name)
            yield file

    for file, added in project.add_each(told(), copy=copy, group=group):
        if isinstance(added, Gen2SegError):
            problems.append(str(added))
        else:
            taken.append((file, added))
    more = len(project.items) - before
    return Made(project, tuple(taken), tuple(problems), more)


def _unreadable_first(files: Sequence[Path]) -> list[str]:
    """Say what is wrong with the files before the first that can be read."""
    problems = []
    for file in files:
        try:
            read_picture(file)
        except Gen2SegError as error:
            problems.append(str(error))
        else:
            break
    return problems
