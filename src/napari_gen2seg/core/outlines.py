"""Masks and their outlines: rings along pixel edges, and back without a loss.

Corners are (row, column) on the grid of pixel edges: pixel (0, 0) lies between the
corners (0, 0) and (1, 1). COCO, YOLO and ImageJ count so; pixel centres have halves.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from napari_gen2seg.common.types import BoolArray, Float64Array, Shape

Corner = tuple[int, int]
Edge = tuple[Corner, Corner]  # where it begins, and its step

#: (n, 2) corners, the last one joined to the first.
Ring = npt.NDArray[np.int64]


def rings(mask: BoolArray) -> list[Ring]:
    """Follow the edges of a mask.

    Parameters
    ----------
    mask
        bool (h, w).

    Returns
    -------
    list of (n, 2) int64
        One ring round every piece, clockwise, and one round every hole, the other way,
        longest first. Pixels that touch by a corner only are pieces of their own. Only
        corners where the edge turns.
    """
    inside = np.pad(np.asarray(mask, bool), 1)
    core = inside[1:-1, 1:-1]
    edges = []
    # The object is on the right of each edge.
    for outside, begin, step in (
        (inside[:-2, 1:-1], (0, 0), (0, 1)),
        (inside[1:-1, 2:], (0, 1), (1, 0)),
        (inside[2:, 1:-1], (1, 1), (0, -1)),
        (inside[1:-1, :-2], (1, 0), (-1, 0)),
    ):
        rows, cols = np.nonzero(core & ~outside)
        start = zip((rows + begin[0]).tolist(), (cols + begin[1]).tolist(), strict=True)
        edges += [(corner, step) for corner in start]
    leaving: dict[Corner, list[Corner]] = {}
    for corner, step in edges:
        leaving.setdefault(corner, []).append(step)
    left, found = set(edges), []
    for edge in edges:
        if edge in left:
            found.append(_follow(leaving, edge, left))
    return sorted(found, key=lambda ring: -len(ring))


def _follow(leaving: dict[Corner, list[Corner]], first: Edge, left: set[Edge]) -> Ring:
    """Walk along edges until back at the first one; they leave `left`."""
    turns, edge = [], first
    while True:
        left.discard(edge)
        (row, col), (down, right) = edge
        end = row + down, col + right
        steps = leaving[end]
        # Where two pixels touch by a corner, turn right: stay with the own one.
        step = steps[0] if len(steps) == 1 else (right, -down)
        if step != edge[1]:
            turns.append(end)
        edge = end, step
        if edge == first:
            return np.array(turns, np.int64)


def one_ring(several: Sequence[Ring]) -> Ring:
    """Join rings to one by bridges without width, which fill to the same mask.

    For formats whose objects are one polygon: pieces and holes are kept. Bridges run
    along pixel edges, so that no pixel's centre lies on one.
    """
    joined, *rest = several
    for ring in rest:
        far, near = cKDTree(joined).query(ring)
        there = int(np.argmin(far))
        here = int(near[there])
        round_ = np.concatenate([ring[there:], ring[: there + 1]])
        knee = np.array([[joined[here, 0], ring[there, 1]]])
        joined = np.concatenate([joined[: here + 1], knee, round_, knee, joined[here:]])
    return joined


def fill(
    polygons: Sequence[npt.ArrayLike], shape: Shape
) -> tuple[BoolArray, tuple[int, int]]:
    """Fill polygons: pixels whose centres lie inside an odd number of times.

    Parameters
    ----------
    polygons
        (n, 2) corners (row, column) each, fractions allowed, outside allowed.
    shape
        (H, W) of the image.

    Returns
    -------
    window
        bool, the bounding box; empty where nothing is inside.
    corner
        (row, column) of its first pixel.
    """
    rings_ = [np.asarray(one, np.float64).reshape(-1, 2) for one in polygons]
    rings_ = [one for one in rings_ if len(one) > 2]
    if not rings_:
        return np.zeros((0, 0), bool), (0, 0)
    every = np.concatenate(rings_)
    low = np.clip(np.floor(every.min(axis=0)), 0, shape).astype(int)
    high = np.clip(np.ceil(every.max(axis=0)), 0, shape).astype(int)
    height, width = (int(n) for n in np.maximum(high - low, 0))
    crossings = np.zeros((height, width + 1), np.int32)
    if height and width:
        for ring in rings_:
            rows, cols = _crossings(ring - low, height)
            place = np.clip(np.ceil(cols - 0.5), 0, width).astype(int)
            np.add.at(crossings, (rows, place), 1)
    inside = np.cumsum(crossings[:, :width], axis=1) % 2 == 1
    return inside, (int(low[0]), int(low[1]))


def _crossings(
    ring: Float64Array, height: int
) -> tuple[npt.NDArray[np.int64], Float64Array]:
    """Return where the lines through pixel centres cross a ring: rows and columns."""
    after = np.roll(ring, -1, axis=0)
    up = ring[:, 0] > after[:, 0]
    top, bottom = np.where(up[:, None], after, ring), np.where(up[:, None], ring, after)
    first = np.clip(np.ceil(top[:, 0] - 0.5), 0, height).astype(np.int64)
    last = np.clip(np.ceil(bottom[:, 0] - 0.5), 0, height).astype(np.int64)
    counts = last - first
    edge = np.repeat(np.arange(len(ring)), counts)
    rows = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    rows += first[edge]
    span = bottom[edge] - top[edge]
    share = (rows + 0.5 - top[edge, 0]) / span[:, 0]
    return rows, top[edge, 1] + share * span[:, 1]
