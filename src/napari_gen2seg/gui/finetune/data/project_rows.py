"""Pictures of a project to learn from, those that are done as labelled whole."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from pathlib import Path

import numpy as np

from napari_gen2seg.common.types import LabelArray
from napari_gen2seg.core.image.axes import Axes
from napari_gen2seg.errors import Gen2SegError
from napari_gen2seg.gui.finetune.data.candidates import TrainingCandidate
from napari_gen2seg.gui.finetune.data.search import looked
from napari_gen2seg.io.annotated import Annotated, AnnotatedSource, as_labels
from napari_gen2seg.project.project import Item, Project

LEARNT = "in work", "done"
"""States of pictures that are learnt from: what was only proposed, the model knows."""


def project_rows(
    folder: Path, leave_out: Collection[str], check: Callable[[], None]
) -> list[TrainingCandidate]:
    """List the planes with objects of the pictures that are in work or done.

    Parameters
    ----------
    folder
        The project.
    leave_out
        Names of pictures.
    check
        Called between pictures; raises to stop.

    Raises
    ------
    StorageError
        If there is no project.
    """
    project = Project.open(folder)
    rows = []
    for item in project.items:
        check()
        if item.name not in leave_out:
            rows += [looked(row) for row in _rows(project, item)]
    return rows


def _rows(project: Project, item: Item) -> Iterator[TrainingCandidate]:
    """Yield the rows of a picture, its labels as they are now."""
    try:
        work = item.work()
        if work.state.state not in LEARNT:
            return
        labels, image = work.labels(), item.image()
        layout = Axes.of(image.pixels, image.axes)
    except Gen2SegError as error:
        yield _damaged(project, item, error)
        return
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
        source = AnnotatedSource(
            f"{item.name}, plane {where}" if where else item.name,
            read,
            group=work.state.group or (item.name if where else None),
            complete=work.state.state == "done",
        )
        yield TrainingCandidate(
            f"{item.folder}/{where}",
            source,
            f"{project.facts.name}, {work.state.state}",
        )


def _damaged(project: Project, item: Item, error: Gen2SegError) -> TrainingCandidate:
    def unread() -> Annotated:
        raise error

    source = AnnotatedSource(item.name, unread)
    return TrainingCandidate(
        str(item.folder), source, project.facts.name, False, problem=str(error)
    )
