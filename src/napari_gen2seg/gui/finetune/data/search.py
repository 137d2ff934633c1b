"""Planes with objects: looked for in layers and folders, on any thread."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

from napari_gen2seg.common.types import LabelArray
from napari_gen2seg.core.image.rgb import to_rgb
from napari_gen2seg.errors import Gen2SegError
from napari_gen2seg.gui.finetune.data.candidates import LayerPair, TrainingCandidate
from napari_gen2seg.io.annotated import Annotated
from napari_gen2seg.io.label_facts import look_through
from napari_gen2seg.project.journal.files import read_work
from napari_gen2seg.project.origin import Origin
from napari_gen2seg.project.training_sources import unchanged_proposals

_Plane = tuple[tuple[int, ...], tuple[int, ...], LabelArray]

MOST = 300  # planes of one stack that are offered


def search(
    found: list[LayerPair], check: Callable[[], None]
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
    for pair in found:
        if pair.row.problem:
            rows.append(pair.row)
            continue
        origins = _origins(pair.work)
        before = len(rows)
        for index, place, labels in _planes(pair, check):
            row, read = pair.at(index, place), partial(pair.read, index, labels)
            count, inside = unchanged_proposals(labels, origins)
            known = replace(row.source, proposed=count, proposed_inside=inside)
            rows.append(looked(replace(row, source=known), read))
        if len(rows) == before:
            empty = "Nothing is labeled yet."
            rows.append(replace(pair.row, problem=empty, suggested=False))
    return _once(rows)


def _origins(work: Path | None) -> Mapping[int, Origin]:
    """Read where the objects of a picture come from; none where that is unknown."""
    if work is None:
        return {}
    try:
        return read_work(work).state.origins
    except Gen2SegError:  # told where the picture is opened
        return {}


def _once(rows: list[TrainingCandidate]) -> list[TrainingCandidate]:
    """Suggest every image with the labels that hold most objects.

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


def _planes(pair: LayerPair, check: Callable[[], None]) -> Iterator[_Plane]:
    """Yield the index, the place and the labels of planes that have objects."""
    shape = tuple(int(n) for n in pair.array.shape)
    others = [axis for axis in range(len(shape)) if axis not in pair.axes]
    count = 0
    for place in product(*(range(shape[axis]) for axis in others)):
        check()
        index = [0] * len(shape)
        for axis, at in zip(others, place, strict=True):
            index[axis] = at
        # The labels alone: most planes of a long stack may have none.
        labels = pair.labels_at(tuple(index))
        if not (labels > 0).any():
            continue
        yield tuple(index), place, labels
        count += 1
        if count == MOST:
            return


def folder_rows(folder: Path, check: Callable[[], None]) -> list[TrainingCandidate]:
    """List the images of ``folder/images`` with those of ``folder/labels``.

    Raises
    ------
    DataError
        If the folder has no such pictures.
    """
    from napari_gen2seg.io.datasets.catalog import folder_dataset

    rows = []
    for item in folder_dataset(folder).items:
        check()
        # Nobody has said yet that all is labelled.
        source = replace(item, complete=False)
        row = TrainingCandidate(f"{folder}/{item.title}", source, folder.name)
        rows.append(looked(row))
    return rows


def looked(
    row: TrainingCandidate, reader: Callable[[], Annotated] | None = None
) -> TrainingCandidate:
    """Count the objects of a row, or say why it cannot be used.

    Parameters
    ----------
    row
        Not looked through yet.
    reader
        Reads it, if something cheaper does than its source.
    """
    try:
        read = (reader or row.source.read)()
        facts = look_through(read.labels, to_rgb(read.image, row.source.recipe))
    except Gen2SegError as error:
        return replace(row, problem=str(error), suggested=False)
    if not facts.objects:
        return replace(row, problem="Nothing is labeled.", suggested=False)
    return replace(row, source=replace(row.source, facts=facts))
