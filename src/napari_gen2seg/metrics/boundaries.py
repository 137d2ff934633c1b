"""Boundary precision and recall of a coloring map, by the protocol of BSDS.

The protocol of the Berkeley benchmark (Martin, Fowlkes & Malik 2004; Arbelaez et al.
2011): threshold, thin, match pixels one to one within a distance, count. Two things
are simpler here: the matching is one of largest size, nearest candidates first, instead
of the least total distance with costed outliers; and the best F comes from the
thresholds themselves, without interpolation between them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage, sparse
from scipy.sparse.csgraph import maximum_bipartite_matching
from scipy.spatial import cKDTree
from skimage.morphology import thin
from skimage.transform import resize

from napari_gen2seg.common.types import BoolArray, Float64Array
from napari_gen2seg.errors import DataError

Counts = npt.NDArray[np.int64]

MAX_DISTANCE = 0.0075
"""Largest distance of a match, as a share of the picture's diagonal (BSDS500)."""


def edge_strength(
    values: npt.NDArray[np.floating], shape: tuple[int, int], sigma: float = 1.0
) -> npt.NDArray[np.float32]:
    """Return thin edges of a map: the color gradient along its ridges.

    The map is brought to ``shape`` (bilinear), its derivatives taken with a Gaussian;
    the strength is the root of the largest eigenvalue of the structure tensor summed
    over the channels (Di Zenzo 1986), kept where it is not smaller than one pixel to
    either side across the edge, and divided by its largest value.

    Parameters
    ----------
    values
        (h, w, 3), 0..255.
    shape
        (H, W) of the result.
    sigma
        Width of the Gaussian in pixels of the result.

    Returns
    -------
    numpy.ndarray
        float32 (H, W), 0..1; all 0 for a flat map.
    """
    full = np.asarray(values, np.float32)
    if full.shape[:2] != shape:
        full = resize(full, (*shape, full.shape[2]), order=1, preserve_range=True)
    rows = ndimage.gaussian_filter(full, (sigma, sigma, 0), (1, 0, 0))
    cols = ndimage.gaussian_filter(full, (sigma, sigma, 0), (0, 1, 0))
    rr, cc = np.square(rows).sum(-1), np.square(cols).sum(-1)
    rc = (rows * cols).sum(-1)
    strength = np.sqrt((rr + cc + np.hypot(rr - cc, 2 * rc)) / 2)
    angle = 0.5 * np.arctan2(2 * rc, rr - cc)  # of the gradient, from the row axis
    r, c = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    step_r, step_c = np.cos(angle), np.sin(angle)
    ridge = np.ones(shape, bool)
    for sign in (-1, 1):
        beside = ndimage.map_coordinates(
            strength, [r + sign * step_r, c + sign * step_c], order=1, mode="nearest"
        )
        ridge &= strength >= beside
    top = float(strength.max())
    # Rounding leaves a flat map a gradient of a millionth of a colour unit.
    if top < 1e-3:
        return np.zeros(shape, np.float32)
    return np.where(ridge, strength / top, 0).astype(np.float32)


def label_boundaries(labels: npt.NDArray[np.integer]) -> BoolArray:
    """Return one-pixel outlines of a label image, bool (H, W).

    Pixels whose right or lower neighbour has another label, thinned; unknown (negative)
    counts as background.
    """
    known = np.maximum(labels, 0)
    edge = np.zeros(labels.shape, bool)
    edge[:, :-1] |= known[:, :-1] != known[:, 1:]
    edge[:-1] |= known[:-1] != known[1:]
    return np.asarray(thin(edge), bool)


def match_edges(
    found: BoolArray, truth: BoolArray, reach: float
) -> tuple[BoolArray, BoolArray]:
    """Pair edge pixels one to one, as many as possible.

    Parameters
    ----------
    found, truth
        bool (H, W).
    reach
        Largest distance of a pair in pixels.

    Returns
    -------
    tuple
        bool (H, W) twice: the paired pixels of ``found`` and of ``truth``.
    """
    ours, theirs = np.argwhere(found), np.argwhere(truth)
    hit_found, hit_truth = np.zeros_like(found), np.zeros_like(truth)
    if not len(ours) or not len(theirs):
        return hit_found, hit_truth
    near = cKDTree(ours).sparse_distance_matrix(
        cKDTree(theirs), reach, output_type="ndarray"
    )
    # Nearest first within each row: the matching tries candidates in this order.
    order = np.lexsort((near["j"], near["v"], near["i"]))
    starts = np.searchsorted(near["i"][order], np.arange(len(ours) + 1))
    graph = sparse.csr_array(
        (np.ones(len(order), np.int8), near["j"][order].astype(np.int32), starts),
        shape=(len(ours), len(theirs)),
    )
    partner = maximum_bipartite_matching(graph, perm_type="column")
    paired = partner >= 0
    hit_found[tuple(ours[paired].T)] = True
    hit_truth[tuple(theirs[partner[paired]].T)] = True
    return hit_found, hit_truth


@dataclass(frozen=True, eq=False)
class EdgeCounts:
    """What one image contributes, per threshold; each int64 (T,).

    Attributes
    ----------
    found, found_hits
        Edge pixels of the map, and those near the edge of at least one person.
    truth, truth_hits
        Edge pixels of all people together, and those found.
    """

    found: Counts
    found_hits: Counts
    truth: Counts
    truth_hits: Counts


def thresholds(count: int = 99) -> Float64Array:
    """Return BSDS500's thresholds: ``count`` values evenly between 0 and 1."""
    return np.linspace(1 / (count + 1), 1 - 1 / (count + 1), count)


def edge_counts(
    strength: npt.NDArray[np.floating],
    people: Sequence[BoolArray],
    levels: Float64Array,
    max_distance: float = MAX_DISTANCE,
) -> EdgeCounts:
    """Count matches of one image at every threshold.

    Parameters
    ----------
    strength
        (H, W), 0..1, as `edge_strength` gives it.
    people
        bool (H, W), one for each person who drew edges.
    levels
        (T,) thresholds; a pixel is an edge from the threshold up.
    max_distance
        As a share of the diagonal.

    Raises
    ------
    DataError
        If nobody drew edges, or the sizes differ.
    """
    if not people:
        raise DataError("Nobody drew edges in this picture; at least one must have.")
    for truth in people:
        if truth.shape != strength.shape:
            raise DataError(
                f"The edges are {truth.shape} pixels, the map {strength.shape}; they "
                "must be equal. Bring the map to the size of the picture first."
            )
    reach = max_distance * float(np.hypot(*strength.shape))
    total = sum(int(np.count_nonzero(truth)) for truth in people)
    rows = []
    last: tuple[int, list[int]] | None = None
    for level in levels:
        raw = strength >= level
        size = int(np.count_nonzero(raw))
        # Between two levels without a pixel the answer is the same.
        if last is None or last[0] != size:
            last = size, _one_level(np.asarray(thin(raw), bool), people, reach)
        rows.append(last[1])
    table = np.asarray(rows, np.int64).reshape(-1, 3)
    return EdgeCounts(
        table[:, 0], table[:, 1], np.full(len(levels), total, np.int64), table[:, 2]
    )


def _one_level(
    found: BoolArray, people: Sequence[BoolArray], reach: float
) -> list[int]:
    accepted = np.zeros_like(found)
    recalled = 0
    for truth in people:
        ours, theirs = match_edges(found, truth, reach)
        accepted |= ours
        recalled += int(np.count_nonzero(theirs))
    return [int(np.count_nonzero(found)), int(np.count_nonzero(accepted)), recalled]


def curve(
    found: npt.NDArray[np.number],
    found_hits: npt.NDArray[np.number],
    truth: npt.NDArray[np.number],
    truth_hits: npt.NDArray[np.number],
) -> tuple[Float64Array, Float64Array]:
    """Return precision and recall of summed counts, float64 (..., T) each.

    As in the benchmark, nothing found has precision 0.
    """
    precision = found_hits / np.maximum(found, 1)
    recall = truth_hits / np.maximum(truth, 1)
    return precision.astype(np.float64), recall.astype(np.float64)


def average_precision(precision: Float64Array, recall: Float64Array) -> float:
    """Area under the curve, as BSDS500 takes it.

    Precision is interpolated linearly at recalls 0, 0.01, ... 1, is 0 outside of the
    recalls that occur, and is summed times 0.01.
    """
    places, index = np.unique(recall, return_index=True)
    if len(places) < 2:
        return 0.0
    at = np.interp(np.arange(101) / 100, places, precision[index], left=0.0, right=0.0)
    return float(at.sum() * 0.01)


def best_f(precision: Float64Array, recall: Float64Array) -> float:
    """Return the largest harmonic mean of precision and recall of any threshold."""
    both = precision + recall
    return float((2 * precision * recall / np.where(both > 0, both, 1)).max())
