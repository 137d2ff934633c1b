"""Planes with objects: looked for in layers and folders, on any thread."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_gen2seg.core.image.axes import PlaneAxes, read_plane
from napari_gen2seg.core.image.rgb import RgbRecipe, to_rgb
from napari_gen2seg.errors import Gen2SegError
from napari_gen2seg.gui.finetune.data.candidates import (
    Candidate,
    Pixels,
    TrainingCandidate,
)
from napari_gen2seg.train.data.label_checks import look_through

MOST = 300  # planes of one stack that are offered


def search(
    found: list[Candidate], check: Callable[[], None]
) -> list[TrainingCandidate]:
    """Look for planes with objects and count them; on any thread.

    Parameters
    ----------
    found
        Layers that fit together.
    check
        Called between planes; raises to stop.
    """
    rows: list[TrainingCandidate] = []
    for candidate in found:
        if candidate.row.problem:
            rows.append(candidate.row)
            continue
        planes = list(_planes(candidate, check))
        rows += [_looked(row) for row in planes]
        if not planes:
            empty = "Nothing is labelled yet."
            rows.append(replace(candidate.row, problem=empty, suggested=False))
    return _once(rows)


def _once(rows: list[TrainingCandidate]) -> list[TrainingCandidate]:
    """Suggest every picture with the labels that hold most objects.

    And with what was clicked: corrections are often committed beside older labels.
    """
    best: dict[Any, TrainingCandidate] = {}
    for row in rows:
        known = best.get(row.plane)
        if row.facts is None or row.plane is None:
            continue
        if known is None or known.facts is None or _count(row) > _count(known):
            best[row.plane] = row
    return [
        replace(
            row,
            suggested=row.suggested
            and (row.committed or best.get(row.plane, row) is row),
        )
        for row in rows
    ]


def _count(row: TrainingCandidate) -> int:
    return 0 if row.facts is None else row.facts.objects


def _planes(
    candidate: Candidate, check: Callable[[], None]
) -> Iterator[TrainingCandidate]:
    shape = tuple(int(n) for n in candidate.array.shape)
    others = [axis for axis in range(len(shape)) if axis not in candidate.axes]
    count = 0
    for place in product(*(range(shape[axis]) for axis in others)):
        check()
        index = [0] * len(shape)
        for axis, at in zip(others, place, strict=True):
            index[axis] = at
        labels = _plane_of(candidate.array, candidate.axes, tuple(index))
        if not (labels() > 0).any():
            continue
        yield _row(candidate, tuple(index), place, labels)
        count += 1
        if count == MOST:
            return


def _plane_of(array: Any, axes: tuple[int, int], index: tuple[int, ...]) -> Pixels:
    return lambda: read_plane(array, PlaneAxes(*axes), index)


def _row(
    candidate: Candidate,
    index: tuple[int, ...],
    place: tuple[int, ...],
    labels: Pixels,
) -> TrainingCandidate:
    row = candidate.row
    plane = candidate.view.at((*([0] * candidate.view.first), *index))

    def pixels() -> npt.NDArray[Any]:
        planes = [plane.read(array, rgb) for array, rgb in candidate.parts]
        return planes[0] if len(planes) == 1 else np.stack(planes, axis=-1)

    where = ", ".join(map(str, place))
    return replace(
        row,
        key=f"{row.key}/{where}",
        name=f"{row.name}, plane {where}" if place else row.name,
        read=pixels,
        labels=labels,
        group=row.name if place else None,
        plane=plane,
    )


def folder_rows(folder: Path, check: Callable[[], None]) -> list[TrainingCandidate]:
    """List the pictures of ``folder/images`` with those of ``folder/labels``.

    Raises
    ------
    DataError
        If the folder has no such pictures.
    """
    from napari_gen2seg.io.datasets.catalog import folder_dataset

    rows = []
    for item in folder_dataset(folder).items:
        check()
        rows.append(
            _looked(
                TrainingCandidate(
                    key=f"{folder}/{item.name}",
                    name=item.name,
                    drawn=folder.name,
                    read=lambda item=item: item.read().image,  # type: ignore[misc]
                    labels=lambda item=item: item.read().labels,  # type: ignore[misc]
                    recipe=RgbRecipe(),
                )
            )
        )
    return rows


def _looked(row: TrainingCandidate) -> TrainingCandidate:
    try:
        facts = look_through(row.labels(), to_rgb(row.read(), row.recipe))
    except Gen2SegError as error:
        return replace(row, problem=str(error), suggested=False)
    if not facts.objects:
        return replace(row, problem="Nothing is labelled.", suggested=False)
    return replace(row, facts=facts)
