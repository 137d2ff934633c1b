"""Images of a project to learn from, those that are done as labeled whole."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from napari_gen2seg.common.types import LabelArray
from napari_gen2seg.core.image.axes import Axes
from napari_gen2seg.core.image.rgb import to_rgb
from napari_gen2seg.core.image_parts import count_parts
from napari_gen2seg.errors import DataError
from napari_gen2seg.io.annotated import Annotated, AnnotatedSource, as_labels
from napari_gen2seg.io.label_facts import look_through
from napari_gen2seg.project.item import Item
from napari_gen2seg.project.origin import Origin
from napari_gen2seg.project.project import Project

LEARNT = "in work", "done"
"""States of images that are learnt from: what was only proposed, the model knows."""


def item_sources(item: Item) -> Iterator[AnnotatedSource]:
    """Yield the planes with objects of an image, if it is in work or done.

    Parameters
    ----------
    item
        The image; its labels are read as they are now.

    Yields
    ------
    AnnotatedSource
        Without facts: its pixels are not looked through yet.

    Raises
    ------
    StorageError, ImageError
        If the work or the image cannot be read.
    """
    work = item.work()
    if work.state.state not in LEARNT:
        return
    labels, image = work.labels(), item.image()
    layout = Axes.of(image.pixels, image.axes)
    kept = Axes(layout.letters.replace("C", ""), labels.shape)
    for index in np.ndindex(*layout.planes):
        place = tuple(int(n) for n in index)
        numbers: LabelArray = np.array(kept.read(labels, place))
        if not (numbers > 0).any():
            continue

        def read(
            place: tuple[int, ...] = place, numbers: LabelArray = numbers
        ) -> Annotated:
            return Annotated(item.image().plane(place), as_labels(numbers))

        where = ", ".join(str(n) for n in place) if layout.several else ""
        proposed, inside = unchanged_proposals(numbers, work.state.origins)
        yield AnnotatedSource(
            f"{item.name}, plane {where}" if where else item.name,
            read,
            group=work.state.group or (item.name if where else None),
            complete=work.state.state == "done",
            proposed=proposed,
            proposed_inside=inside,
        )


def unchanged_proposals(
    labels: LabelArray, origins: Mapping[int, Origin]
) -> tuple[int, tuple[int, ...]]:
    """Count the objects in labels that are proposals which nobody changed.

    Parameters
    ----------
    labels
        int (H, W).
    origins
        Where objects come from, as far as that is known.

    Returns
    -------
    tuple
        How many, and how many lie whole inside each of `image_parts.windows`; empty
        where there are none.
    """
    proposed = [number for number, one in origins.items() if one.who == "proposed"]
    mine = np.where(np.isin(labels, proposed), labels, 0)
    numbers = np.unique(mine[mine > 0])
    if not numbers.size:
        return 0, ()
    place = np.where(mine > 0, np.searchsorted(numbers, mine) + 1, 0)
    return int(numbers.size), tuple(inside for _, inside in count_parts(place))


def training_sources(project: Project) -> list[AnnotatedSource]:
    """List what a model can learn from a project, with facts.

    Raises
    ------
    DataError
        If there is nothing.
    StorageError, ImageError
        If one cannot be read.
    """
    found = []
    for item in project.items:
        for source in item_sources(item):
            read = source.read()
            facts = look_through(read.labels, to_rgb(read.image, source.recipe))
            found.append(replace(source, facts=facts))
    if not found:
        raise DataError(
            f"No image of the project {project.facts.name!r} is {' or '.join(LEARNT)} "
            "and has objects, so there is nothing to learn from. Label some, and mark "
            "those that are labeled whole as done."
        )
    return found
