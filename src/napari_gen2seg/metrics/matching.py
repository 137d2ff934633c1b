"""IoU, matching of instances and average precision.

Everything works on label images (whole numbers, 0 = background) or boolean
masks; sources are named where a definition is somebody's.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.optimize import linear_sum_assignment

from napari_gen2seg.common.types import BoolArray, Float64Array, LabelArray, Shape
from napari_gen2seg.errors import DataError

SIZE_CLASSES = {"small": (0, 32**2), "medium": (32**2, 96**2), "large": (96**2, None)}
"""COCO's size classes by area in pixels: lower bound included, upper one not."""

AP_THRESHOLDS: tuple[float, ...] = tuple(0.5 + 0.05 * step for step in range(10))
"""COCO's IoU thresholds: 0.50 to 0.95."""


def iou(first: npt.ArrayLike, second: npt.ArrayLike) -> float:
    """Intersection over union of two boolean masks of one shape.

    Two empty masks agree: 1.0.

    Raises
    ------
    DataError
        If the shapes differ.
    """
    one, two = np.asarray(first, bool), np.asarray(second, bool)
    if one.shape != two.shape:
        raise DataError(
            f"The masks have the shapes {one.shape} and {two.shape}; they must be "
            "equal. Resize one to the other first."
        )
    union = int(np.count_nonzero(one | two))
    return int(np.count_nonzero(one & two)) / union if union else 1.0


def size_class(area: float) -> str:
    """Return COCO's size class of an area in pixels: small, medium or large."""
    for name, (_, end) in SIZE_CLASSES.items():
        if end is None or area < end:
            return name
    return "large"


@dataclass(frozen=True, eq=False)
class Overlaps:
    """IoU of every true with every predicted object.

    Attributes
    ----------
    ground_truth, found
        Label values, rising, without background; (n,) and (m,).
    table
        float64 (n, m), IoU.
    """

    ground_truth: npt.NDArray[np.int64]
    found: npt.NDArray[np.int64]
    table: Float64Array


def overlaps(ground_truth: LabelArray, found: LabelArray) -> Overlaps:
    """Compare two label images object by object, in one pass.

    Parameters
    ----------
    ground_truth, found
        Whole numbers of one shape, 0 = background.
    """
    _check(ground_truth, found)
    true_ids, true_index = np.unique(ground_truth, return_inverse=True)
    found_ids, found_index = np.unique(found, return_inverse=True)
    both = sparse.coo_array(
        (
            np.ones(ground_truth.size, np.int64),
            (true_index.ravel(), found_index.ravel()),
        ),
        shape=(len(true_ids), len(found_ids)),
    ).toarray()
    union = both.sum(axis=1)[:, None] + both.sum(axis=0)[None] - both
    table = both / np.maximum(union, 1)
    rows, cols = true_ids != 0, found_ids != 0
    return Overlaps(
        true_ids[rows].astype(np.int64),
        found_ids[cols].astype(np.int64),
        table[rows][:, cols],
    )


def match(table: Float64Array, threshold: float = 0.5) -> list[tuple[int, int]]:
    """Pair true and predicted objects one to one at an IoU threshold.

    As many pairs as possible and, among those, the largest total IoU. From 0.5 up
    the pairs are unique anyway for labels that do not overlap.

    Parameters
    ----------
    table
        (n, m) IoU.
    threshold
        Smallest IoU of a pair.

    Returns
    -------
    list of tuple
        (row, column) of each pair.
    """
    if not table.size:
        return []
    allowed = table >= threshold
    # Each pair counts more than all IoUs together can make up for.
    worth = np.where(allowed, table + min(table.shape) + 1.0, 0.0)
    rows, cols = linear_sum_assignment(worth, maximize=True)
    return [
        (int(row), int(col))
        for row, col in zip(rows, cols, strict=True)
        if allowed[row, col]
    ]


def _check(ground_truth: LabelArray, found: LabelArray) -> None:
    if ground_truth.shape != found.shape:
        raise DataError(
            f"The labels have the shapes {ground_truth.shape} and {found.shape}; they "
            "must be equal. Resize one to the other first."
        )
    for name, labels in (("true", ground_truth), ("predicted", found)):
        if labels.dtype.kind not in "bui":
            raise DataError(
                f"The {name} labels have the type {labels.dtype}; they must be whole "
                "numbers, 0 for background."
            )


def evenness(
    values: npt.NDArray[np.floating], labels: npt.NDArray[np.integer]
) -> Float64Array:
    """Score proposals by how evenly the map colors them.

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
    colors = np.asarray(values[rows[:, None], cols[None]][inside], np.float64)
    size = np.maximum(np.bincount(index, minlength=len(names)), 1)
    spread = np.zeros(len(names))
    for channel in range(3):
        mean = np.bincount(index, colors[:, channel], len(names)) / size
        apart = np.square(colors[:, channel] - mean[index])
        spread += np.bincount(index, apart, len(names)) / size
    return np.asarray(1 / (1 + np.sqrt(spread)))


def mask_overlaps(
    masks: Iterable[BoolArray], found: npt.NDArray[np.integer]
) -> tuple[Float64Array, npt.NDArray[np.int64]]:
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


def mostly_unknown(found: npt.NDArray[np.integer], unknown: BoolArray) -> set[int]:
    """Return the labels with more than half of their pixels where nothing is known."""
    if not unknown.any():
        return set()
    areas = np.bincount(found[found > 0].ravel())
    lost = np.bincount(found[(found > 0) & unknown].ravel(), minlength=len(areas))
    return {int(n) for n in np.flatnonzero(lost * 2 > areas)}


def hits(table: Float64Array, scores: Float64Array, threshold: float) -> BoolArray:
    """Say which proposals of one image are hits, as COCO matches them.

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


def average_precision(hit: BoolArray, weight: Float64Array, total: float) -> float:
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


def pooled_average_precision(
    tables: list[Float64Array], scores: list[Float64Array], threshold: float = 0.5
) -> float:
    """COCO's average precision of the predictions of several images, ranked together.

    Parameters
    ----------
    tables
        Per image, (n, m) IoU of true with predicted objects.
    scores
        Per image, (m,) scores of the predicted objects.
    threshold
        Smallest IoU of a hit.

    Returns
    -------
    float
        0..1; NaN if there is no true object at all.
    """
    total = sum(table.shape[0] for table in tables)
    found = [
        hits(table, np.asarray(score, np.float64), threshold)
        for table, score in zip(tables, scores, strict=True)
    ]
    hit = np.concatenate(found) if found else np.zeros(0, bool)
    ranking = np.concatenate(
        [np.asarray(s, np.float64) for s in scores] or [np.zeros(0)]
    )
    hit = hit[np.argsort(-ranking, kind="stable")]
    return average_precision(hit, np.ones(len(hit)), total)


def _nearest(
    small: tuple[int, ...], large: Shape | tuple[int, ...]
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Row and column of the small image for each row and column of the large one."""
    rows, cols = (
        np.minimum((np.arange(n) + 0.5) * s / n, s - 1).astype(np.intp)
        for s, n in zip(small, large, strict=True)
    )
    return rows, cols
