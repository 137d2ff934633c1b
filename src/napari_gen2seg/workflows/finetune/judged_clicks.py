"""One model on one held-back picture: its map, its objects, and clicks on it."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from napari_gen2seg.common.progress import Cancel, check_cancel
from napari_gen2seg.common.types import BoolArray, Float64Array
from napari_gen2seg.io.formats.images import write_labels
from napari_gen2seg.metrics import matching
from napari_gen2seg.metrics.click_protocol import (
    click_trace,
    clicks_to,
    interior_point,
    off_center,
)
from napari_gen2seg.metrics.matching import iou, overlaps
from napari_gen2seg.train.data.labeled_images import Pair

if TYPE_CHECKING:
    from napari_gen2seg.core.coloring import Coloring
    from napari_gen2seg.models.colorer import Colorer

WANTED, CAP = 0.85, 10
"""Overlap that a corrected object must reach, and the clicks it is given for that."""


@dataclass(frozen=True, eq=False)
class Judged:
    """One model on one picture.

    Attributes
    ----------
    center, off_center
        IoU of one click, per object.
    clicks
        Clicks to `WANTED`, for the first objects.
    table, scores
        IoU of true with proposed objects, and the proposals' scores.
    """

    center: Float64Array
    off_center: Float64Array
    clicks: Float64Array
    table: Float64Array
    scores: Float64Array


def click_through(
    colorer: Colorer,
    pair: Pair,
    ids: Sequence[int],
    corrected: int,
    folder: Path,
    when: str,
    cancel: Cancel | None,
) -> Generator[None, None, Judged]:
    """Colour a picture and click on its objects; yields after each of them.

    Parameters
    ----------
    colorer
        The model.
    pair, ids
        The picture, and the objects to click on.
    corrected
        So many of the first ones are corrected until they fit.
    folder, when
        The map and the objects become ``folder/NAME-WHEN.tif`` and ``-labels.tif``.
    cancel
        Asked between objects.

    Raises
    ------
    Cancelled
        If asked.
    StorageError
        If the folder cannot be written.
    """
    check_cancel(cancel, "The comparison")
    coloring = colorer.color(pair.rgb)
    coloring.save(folder / f"{pair.name}-{when}.tif")
    proposals = coloring.propose()
    write_labels(folder / f"{pair.name}-{when}-labels.tif", proposals)
    answer = _answerer(coloring)
    center, aside, clicks = [], [], []
    for number, label in enumerate(ids):
        check_cancel(cancel, "The comparison")
        truth = pair.labels == label
        first = answer([interior_point(truth)], [1])
        seed = zlib.crc32(f"{pair.name}/{label}".encode())
        center.append(iou(first, truth))
        aside.append(iou(answer([off_center(truth, seed)], [1]), truth))
        if number < corrected:
            trace = click_trace(answer, truth, first, until=WANTED, cap=CAP)
            clicks.append(clicks_to(trace, WANTED, CAP)[0])
        yield
    for label in matching.mostly_unknown(proposals, pair.labels < 0):
        proposals[proposals == label] = 0
    return Judged(
        np.asarray(center, float),
        np.asarray(aside, float),
        np.asarray(clicks, float),
        overlaps(np.maximum(pair.labels, 0), proposals).table,
        np.asarray(matching.evenness(coloring.values, proposals), float),
    )


def _answerer(
    coloring: Coloring,
) -> Callable[[Sequence[tuple[int, int]], Sequence[int]], BoolArray]:
    def answer(points: Sequence[tuple[int, int]], signs: Sequence[int]) -> BoolArray:
        return coloring.probe(points, signs).full()

    return answer
