"""Proposals ranked by a score: which are hits, and the average precision of that."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from napari_gen2seg.core.geometry import Shape

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]


def evenness(
    values: npt.NDArray[np.floating], labels: npt.NDArray[np.integer]
) -> Floats:
    """Score proposals by how evenly the map colours them.

    ``1 / (1 + d)``, d the root mean square distance of a proposal's pixels to their
    mean colour, in colour units: 1 for one flat colour. Only the order matters.

    Parameters
    ----------
    values
        (h, w, 3), 0..255; read at the nearest pixel where its size differs.
    labels
        (H, W), 0 background.

    Returns
    -------
    numpy.ndarray
        float64 (m,), for the labels that occur, rising.
    """
    rows, cols = _nearest(values.shape[:2], labels.shape)
    inside = labels > 0
    names, index = np.unique(labels[inside], return_inverse=True)
    colours = np.asarray(values[rows[:, None], cols[None]][inside], np.float64)
    size = np.maximum(np.bincount(index, minlength=len(names)), 1)
    spread = np.zeros(len(names))
    for channel in range(3):
        mean = np.bincount(index, colours[:, channel], len(names)) / size
        apart = np.square(colours[:, channel] - mean[index])
        spread += np.bincount(index, apart, len(names)) / size
    return np.asarray(1 / (1 + np.sqrt(spread)))


def mask_overlaps(
    masks: Iterable[Bools], found: npt.NDArray[np.integer]
) -> tuple[Floats, npt.NDArray[np.int64]]:
    """Return the IoU of true masks, which may overlap, with predicted labels.

    Returns
    -------
    tuple
        float64 (n, m) and the label of each column, rising.
    """
    names, index = np.unique(found, return_inverse=True)
    index = index.reshape(found.shape)
    areas = np.bincount(index.ravel(), minlength=len(names))
    rows = []
    for mask in masks:
        shared = np.bincount(index[mask], minlength=len(names))
        rows.append(shared / np.maximum(areas + int(mask.sum()) - shared, 1))
    table = np.asarray(rows, np.float64).reshape(len(rows), len(names))
    return table[:, names > 0], names[names > 0].astype(np.int64)


def mostly_unknown(found: npt.NDArray[np.integer], unknown: Bools) -> set[int]:
    """Return the labels with more than half of their pixels where nothing is known."""
    if not unknown.any():
        return set()
    areas = np.bincount(found[found > 0].ravel())
    lost = np.bincount(found[(found > 0) & unknown].ravel(), minlength=len(areas))
    return {int(n) for n in np.flatnonzero(lost * 2 > areas)}


def hits(table: Floats, scores: Floats, threshold: float) -> Bools:
    """Say which proposals of one picture are hits, as COCO matches them.

    Down the ranking, each takes the best true object that is still free, if its IoU is
    at least ``threshold``.

    Parameters
    ----------
    table
        (n, m) IoU of true with proposed objects.
    scores
        (m,).

    Returns
    -------
    numpy.ndarray
        bool (m,), in the order of the columns.
    """
    found = np.zeros(table.shape[1], bool)
    free = np.ones(table.shape[0], bool)
    for col in np.argsort(-scores, kind="stable"):
        overlap = np.where(free, table[:, col], -1.0)
        best = int(overlap.argmax()) if len(overlap) else -1
        if best >= 0 and overlap[best] >= threshold:
            free[best] = False
            found[col] = True
    return found


def average_precision(hit: Bools, weight: Floats, total: float) -> float:
    """COCO's 101-point average precision of ranked proposals.

    Parameters
    ----------
    hit
        bool (m,), best score first.
    weight
        (m,), how often each counts (resampling draws pictures several times).
    total
        Number of true objects, weighted alike.

    Returns
    -------
    float
        0..1; NaN without true objects.
    """
    if total <= 0:
        return float("nan")
    kept = weight > 0
    if not kept.any():
        return 0.0
    right = np.cumsum(hit[kept] * weight[kept])
    every = np.cumsum(weight[kept])
    recall = right / total
    envelope = np.maximum.accumulate((right / every)[::-1])[::-1]
    # Sums of whole numbers over a whole number: only rounding can miss a step.
    place = np.searchsorted(recall + 1e-12, np.arange(101) / 100, side="left")
    reached = place < len(envelope)
    return float(
        np.where(reached, envelope[np.minimum(place, len(envelope) - 1)], 0).mean()
    )


def _nearest(
    small: tuple[int, ...], large: Shape | tuple[int, ...]
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Row and column of the small picture for each row and column of the large one."""
    rows, cols = (
        np.minimum((np.arange(n) + 0.5) * s / n, s - 1).astype(np.intp)
        for s, n in zip(small, large, strict=True)
    )
    return rows, cols
