"""One model on one validation image: its map, its objects, and clicks on it."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from napari_gen2seg.common.progress import Cancel, check_cancel
from napari_gen2seg.common.types import Float64Array
from napari_gen2seg.core.learned_probe.choice import LEARNED, SIMILARITY
from napari_gen2seg.io.annotated import Annotated
from napari_gen2seg.io.formats.writers import write_labels
from napari_gen2seg.metrics import click_protocol, matching
from napari_gen2seg.metrics.click_protocol import answerer, click_study, clicks_to
from napari_gen2seg.metrics.matching import overlaps
from napari_gen2seg.models.probes import chosen_probe, propose

if TYPE_CHECKING:
    from napari_gen2seg.models.colorer import Colorer

WANTED, CAP = click_protocol.WANTED[0], 10
"""Overlap that a corrected object must reach, and the clicks it is given for that."""


@dataclass(frozen=True, eq=False)
class Judged:
    """One model on one image.

    Attributes
    ----------
    center, off_center
        IoU of one click, per object.
    clicks
        Clicks to `WANTED`, for the first objects.
    table, scores
        IoU of true with proposed objects, and the proposals' scores.
    probe
        Which one answered the clicks, ``"similarity"`` or ``"learned"``.
    """

    center: Float64Array
    off_center: Float64Array
    clicks: Float64Array
    table: Float64Array
    scores: Float64Array
    probe: str = SIMILARITY


def click_through(
    colorer: Colorer,
    pair: Annotated,
    ids: Sequence[int],
    corrected: int,
    folder: Path,
    when: str,
    cancel: Cancel | None,
) -> Generator[None, None, Judged]:
    """Color an image and click on its objects; yields after each of them.

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
    coloring = colorer.color(pair.image)
    coloring.save(folder / f"{pair.name}-{when}.tif")
    proposals = propose(coloring, cancel=cancel)
    write_labels(folder / f"{pair.name}-{when}-labels.tif", proposals)
    objects = ((label, pair.labels == label) for label in ids)
    probe = chosen_probe(coloring)
    found = []
    for one in click_study(
        answerer(coloring, None, probe),
        pair.name,
        objects,
        until=WANTED,
        cap=CAP,
        corrected=corrected,
    ):
        found.append(one)
        yield
        check_cancel(cancel, "The comparison")
    for label in matching.mostly_unknown(proposals, pair.labels < 0):
        proposals[proposals == label] = 0
    traces = [one.trace for one in found if one.trace is not None]
    return Judged(
        np.asarray([one.center for one in found], float),
        np.asarray([one.off_center for one in found], float),
        np.asarray([clicks_to(trace, WANTED, CAP)[0] for trace in traces], float),
        overlaps(np.maximum(pair.labels, 0), proposals).table,
        np.asarray(matching.evenness(coloring.values, proposals), float),
        SIMILARITY if probe is None else LEARNED,
    )
