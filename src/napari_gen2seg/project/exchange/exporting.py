"""A project -> a data set in another program's layout."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from napari_gen2seg.common.atomic import not_written, replacing_folder, writing
from napari_gen2seg.common.progress import Cancel, Progress, check_cancel, report
from napari_gen2seg.common.types import LabelArray
from napari_gen2seg.core.image.axes import Axes
from napari_gen2seg.errors import DataError, SettingsError, StorageError
from napari_gen2seg.io.formats.images import ImageFile
from napari_gen2seg.io.objects import ImageObjects
from napari_gen2seg.project.exchange.layouts import LAYOUTS, ExportedPlane
from napari_gen2seg.project.exchange.readme import ExportedItem, readme
from napari_gen2seg.project.exchange.split import SHARES, divide
from napari_gen2seg.project.item import Item
from napari_gen2seg.project.journal.files import Work
from napari_gen2seg.project.project import Project

OME_ZARR = "ome-zarr"
EXPORTS = (*LAYOUTS, OME_ZARR)
"""What a project can be exported as."""

DEFAULT_CLASS = "object"
_README = "README.md"


@dataclass(frozen=True)
class Exported:
    """What an export wrote.

    Attributes
    ----------
    folder
        The data set.
    images, objects
        How many, stacks counted once.
    parts
        Part -> how many images.
    losses
        What the layout does not keep, as sentences.
    """

    folder: Path
    images: int
    objects: int
    parts: dict[str, int]
    losses: tuple[str, ...]


def export_project(
    project: Project,
    kind: str,
    target: str | Path,
    *,
    states: Sequence[str] = ("done",),
    shares: tuple[float, float, float] = SHARES,
    seed: int = 0,
    overwrite: bool = False,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
) -> Exported:
    """Write the images of a project and their labels as another program wants them.

    Parameters
    ----------
    project
        What to export; nobody's work is disturbed.
    kind
        One of `EXPORTS`.
    target
        A new folder; it appears whole or not at all.
    states
        Images in these states; see `napari_gen2seg.project.journal.state.STATES`.
    shares, seed
        Of train, validation and test; see `divide`.
    overwrite
        Replace a folder that is there.
    progress, cancel
        Told of, and asked before, each image; nothing is written where it is cancelled.

    Returns
    -------
    Exported
        What was written.

    Raises
    ------
    SettingsError
        If there is no such kind.
    DataError
        If no image is in these states, or labels do not fit an image.
    StorageError
        If the folder is there, or something cannot be read or written.
    Cancelled
        If `cancel` said so.
    """
    if kind not in EXPORTS:
        raise SettingsError(
            f"A project is exported as {kind!r}; it must be one of "
            f"{', '.join(EXPORTS)}."
        )
    root = Path(target).expanduser()
    if root.exists() and not overwrite:
        raise StorageError(
            f"{root} is there already; choose another name, or replace it: "
            "--overwrite, or overwrite=True. Nothing was done."
        )
    works = [(item, item.work()) for item in project.items]
    chosen = [(item, work) for item, work in works if work.state.state in states]
    if not chosen:
        raise DataError(
            f"No image of the project is {' or '.join(states)}, so there is nothing to "
            "export. Name other states: --state, or states=."
        )
    groups = {item.name: work.state.group for item, work in chosen}
    parts = divide(groups, shares, seed)
    # As they are now: the window may have added some since it was opened.
    names = [one.name for one in Project.open(project.folder).facts.classes]
    used = {name for _, work in chosen for name in work.state.classes.values()}
    classes = [*names, *sorted(used - set(names))] or [DEFAULT_CLASS]
    try:
        with replacing_folder(root, overwrite=overwrite) as draft:
            draft.mkdir()
            items, losses = _write(
                draft, kind, chosen, parts, classes, progress, cancel
            )
            from napari_gen2seg import __version__

            title = LAYOUTS[kind].title if kind in LAYOUTS else "OME-Zarr"
            text = readme(project.facts.name, title, items, losses, __version__)
            with writing(draft / _README) as file:
                file.write_text(text, encoding="utf-8")
    except StorageError:
        raise
    except OSError as error:
        raise not_written(root, error) from error
    return Exported(
        root,
        len(items),
        sum(len(item.objects) for item in items),
        {p: sum(i.part == p for i in items) for p in ("train", "val", "test")},
        tuple(losses),
    )


def _write(
    root: Path,
    kind: str,
    chosen: Sequence[tuple[Item, Work]],
    parts: dict[str, str],
    classes: Sequence[str],
    progress: Progress | None,
    cancel: Cancel | None,
) -> tuple[list[ExportedItem], list[str]]:
    """Write all images; return what the README says of them, and what is lost."""
    layout = LAYOUTS.get(kind)
    items, planes, losses = [], [], list(layout.losses if layout else ())
    stacks = 0
    for number, (item, work) in enumerate(chosen):
        check_cancel(cancel, "Exporting")
        report(progress, number / len(chosen), item.name)
        labels, image = work.labels(), item.image()
        _check_fits(item, labels, image)
        part = parts[item.name]
        objects = tuple(int(n) for n in np.unique(labels) if n > 0)
        items.append(
            ExportedItem(item.name, part, work.state.group, objects, work.state)
        )
        if layout is None:
            from napari_gen2seg.io.formats.omezarr import write_omezarr

            write_omezarr(
                root / part / f"{item.name}.zarr", image.pixels, labels, image.axes
            )
            continue
        stacks += labels.size > labels.shape[-1] * labels.shape[-2]
        for plane in _planes(item, work, labels, image, part):
            planes.append(layout.write_plane(root, plane, classes))
    if layout is not None:
        layout.finish(root, planes, classes)
        if stacks:
            losses.append(
                "Planes of stacks are images of their own; that an object goes on in "
                "the next plane is not kept."
            )
    elif any(work.state.classes for _, work in chosen):
        losses.append("Classes of objects are not kept: the format has none.")
    return items, losses


def _planes(
    item: Item, work: Work, labels: LabelArray, image: ImageFile, part: str
) -> Iterator[ExportedPlane]:
    layout = Axes.of(image.pixels, image.axes)
    for index in np.ndindex(*layout.planes):
        place = tuple(int(n) for n in index)
        numbers = _plane(labels, layout, place)
        objects = ImageObjects.of_labels(numbers, work.state.classes)
        letters = zip(layout.leading.lower(), place, layout.planes, strict=True)
        at = "".join(f"-{letter}{n:04d}" for letter, n, size in letters if size > 1)
        if at and not objects.objects:
            continue  # most planes of a long stack have no labels
        pixels = image.plane(place)
        yield ExportedPlane(f"{item.name}{at}", part, pixels, objects)


def _plane(labels: LabelArray, layout: Axes, place: tuple[int, ...]) -> Any:
    kept = "".join(letter for letter in layout.letters if letter != "C")
    return Axes(kept, labels.shape).read(labels, place)


def _check_fits(item: Item, labels: LabelArray, image: ImageFile) -> None:
    wanted = Axes.of(image.pixels, image.axes).labels_shape
    if labels.shape != wanted:
        raise DataError(
            f"The labels of {item.name} are {labels.shape} but its image is {wanted}; "
            "they must be equal. Was the image replaced?"
        )
