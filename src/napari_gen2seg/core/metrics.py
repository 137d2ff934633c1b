"""Numbers that say how good masks and labels are.

Everything works on label pictures (whole numbers, 0 = background) or boolean
masks; sources are named where a definition is somebody's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.optimize import linear_sum_assignment

from napari_gen2seg.errors import DataError

Labels = npt.NDArray[Any]
Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]

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
    truth, found
        Label values, rising, without background; (n,) and (m,).
    table
        float64 (n, m), IoU.
    """

    truth: npt.NDArray[np.int64]
    found: npt.NDArray[np.int64]
    table: Floats


def overlaps(truth: Labels, found: Labels) -> Overlaps:
    """Compare two label pictures object by object, in one pass.

    Parameters
    ----------
    truth, found
        Whole numbers of one shape, 0 = background.
    """
    _check(truth, found)
    true_ids, true_index = np.unique(truth, return_inverse=True)
    found_ids, found_index = np.unique(found, return_inverse=True)
    both = sparse.coo_array(
        (
            np.ones(truth.size, np.int64),
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


def match(table: Floats, threshold: float = 0.5) -> list[tuple[int, int]]:
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


@dataclass(frozen=True)
class Agreement:
    """How well labels agree with the truth at one IoU threshold.

    Attributes
    ----------
    threshold
        Smallest IoU of a match.
    hits, misses, extras
        Matched, unmatched true and unmatched predicted objects.
    mean_iou
        Mean IoU of the matches; 0 without any.
    """

    threshold: float
    hits: int
    misses: int
    extras: int
    mean_iou: float

    @property
    def precision(self) -> float:
        """Share of predicted objects that are right; 1 where none was predicted."""
        return self.hits / (self.hits + self.extras) if self.hits + self.extras else 1.0

    @property
    def recall(self) -> float:
        """Share of true objects that were found; 1 where there is none."""
        return self.hits / (self.hits + self.misses) if self.hits + self.misses else 1.0

    @property
    def accuracy(self) -> float:
        """Hits / (hits + misses + extras).

        The "average precision" of the DSB2018 contest and of StarDist and
        Cellpose (Caicedo et al. 2019); 1 where there is nothing at all.
        """
        every = self.hits + self.misses + self.extras
        return self.hits / every if every else 1.0

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        every = 2 * self.hits + self.misses + self.extras
        return 2 * self.hits / every if every else 1.0

    @property
    def panoptic_quality(self) -> float:
        """PQ of Kirillov et al. 2019: mean IoU of the matches times F1."""
        every = 2 * self.hits + self.misses + self.extras
        return self.mean_iou * self.f1 if every else 1.0


def agreement(truth: Labels, found: Labels, threshold: float = 0.5) -> Agreement:
    """Compare two label pictures at one IoU threshold."""
    return _agreement(overlaps(truth, found).table, threshold)


def agreements(
    truth: Labels, found: Labels, thresholds: tuple[float, ...] = AP_THRESHOLDS
) -> tuple[Agreement, ...]:
    """Compare two label pictures at several IoU thresholds."""
    table = overlaps(truth, found).table
    return tuple(_agreement(table, threshold) for threshold in thresholds)


def _agreement(table: Floats, threshold: float) -> Agreement:
    pairs = match(table, threshold)
    total = sum(float(table[pair]) for pair in pairs)
    return Agreement(
        threshold,
        len(pairs),
        table.shape[0] - len(pairs),
        table.shape[1] - len(pairs),
        total / len(pairs) if pairs else 0.0,
    )


def average_precision(
    tables: list[Floats], scores: list[Floats], threshold: float = 0.5
) -> float:
    """COCO's AP: area under the 101-point interpolated precision-recall curve.

    Predictions of all pictures are ranked together; going down the ranking, each
    takes the best true object of its picture that is still free.

    Parameters
    ----------
    tables
        Per picture, (n, m) IoU of true with predicted objects.
    scores
        Per picture, (m,) scores of the predicted objects.
    threshold
        Smallest IoU of a hit.

    Returns
    -------
    float
        0..1; NaN if there is no true object at all.
    """
    total = sum(table.shape[0] for table in tables)
    if total == 0:
        return float("nan")
    ranked: list[tuple[float, bool]] = []
    for table, score in zip(tables, scores, strict=True):
        free = np.ones(table.shape[0], bool)
        for col in np.argsort(-np.asarray(score, np.float64), kind="stable"):
            candidates = np.where(free, table[:, col], -1.0)
            best = int(candidates.argmax()) if len(candidates) else -1
            hit = best >= 0 and candidates[best] >= threshold
            if hit:
                free[best] = False
            ranked.append((float(score[col]), bool(hit)))
    if not ranked:
        return 0.0
    order = np.argsort([-score for score, _ in ranked], kind="stable")
    hits = np.cumsum([ranked[index][1] for index in order])
    recall = hits / total
    precision = hits / np.arange(1, len(hits) + 1)
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    places = np.searchsorted(recall, np.linspace(0, 1, 101), side="left")
    reached = places < len(envelope)
    return float(
        np.where(reached, envelope[np.minimum(places, len(hits) - 1)], 0).mean()
    )


def _check(truth: Labels, found: Labels) -> None:
    if truth.shape != found.shape:
        raise DataError(
            f"The labels have the shapes {truth.shape} and {found.shape}; they must be "
            "equal. Resize one to the other first."
        )
    for name, labels in (("true", truth), ("predicted", found)):
        if labels.dtype.kind not in "bui":
            raise DataError(
                f"The {name} labels have the type {labels.dtype}; they must be whole "
                "numbers, 0 for background."
            )
