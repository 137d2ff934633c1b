"""Thick curves: fibers, cables, limbs.

`wander` makes random paths and `tubes` rasterises any number of them together, segment
by segment, with the distance along and across each.
"""

from __future__ import annotations

import numpy as np

from napari_gen2seg.common.types import Array
from napari_gen2seg.train.synthetic.canvas import Fragments


def tubes(
    shape: tuple[int, int], curves: list[Array], widths: list[Array | float]
) -> Fragments:
    """Rasterise thick curves; later ones hide earlier ones.

    Parameters
    ----------
    shape : (H, W)
    curves : arrays (P, 2) of rows and columns in pixels, any spacing
    widths : radius in pixels along each curve, scalar or (P,)

    Returns
    -------
    Fragments of what stays visible, each pixel once; u = distance along the curve in
    pixels, v = -1..1 across it.
    """
    radius = [
        np.broadcast_to(np.asarray(w, np.float32), (len(c),))
        for c, w in zip(curves, widths, strict=True)
    ]
    thickness = np.array([max(float(r.mean()), 0.5) for r in radius], np.float32)
    point = np.concatenate(curves).astype(np.float32)
    r = np.concatenate(radius)
    owner = np.repeat(np.arange(len(curves)), [len(c) for c in curves])
    move = np.diff(point, axis=0)
    length = np.sqrt((move * move).sum(1))
    same = owner[1:] == owner[:-1]
    along = np.cumsum(np.where(same, length, 0)) - length
    along -= along[np.searchsorted(owner[:-1], owner[:-1])]
    half = np.ceil(length / 2 + np.maximum(r[1:], r[:-1])).astype(int) + 1
    middle = np.rint(point[:-1] + move / 2).astype(np.int32)
    near = (middle > -half[:, None]) & (middle < np.array(shape) + half[:, None])
    keep = same & (length > 0) & near.all(1)
    level = np.floor(np.log2(half) * 3).astype(int)
    parts = []
    for step in np.unique(level[keep]):
        index = np.flatnonzero(keep & (level == step))
        window = int(half[index].max())
        parts.append(_segments(shape, index, window, point, move, length, r, middle))
    if not parts:
        return Fragments.none()
    row, col, depth, forth, across, which = (
        np.concatenate(c) for c in zip(*parts, strict=True)
    )
    # One pass decides both: the later curve, and within a curve the deepest answer.
    flat = row * shape[1] + col
    rank = owner[which] + depth / (float(r.max()) + 1)
    highest = np.full(shape[0] * shape[1], -1.0)
    np.maximum.at(highest, flat, rank)
    top = np.flatnonzero(rank == highest[flat])
    last = np.empty(shape[0] * shape[1], np.intp)
    last[flat[top]] = top
    top = top[last[flat[top]] == top]
    which = which[top]
    return Fragments(
        row[top],
        col[top],
        owner[which].astype(np.int32),
        depth[top],
        (along[which] + forth[top]).astype(np.float32),
        across[top],
        thickness,
    )


def _segments(
    shape: tuple[int, int],
    index: Array,
    half: int,
    point: Array,
    move: Array,
    length: Array,
    radius: Array,
    middle: Array,
) -> tuple[Array, ...]:
    """Pixels near segments of one window size, with repetitions."""
    height, width = shape
    start, long = point[index], length[index]
    step = np.arange(-half, half + 1, dtype=np.int32)
    row, col = middle[index][:, :1] + step, middle[index][:, 1:] + step
    dy = (row - start[:, :1]).astype(np.float32)[:, :, None]
    dx = (col - start[:, 1:]).astype(np.float32)[:, None, :]
    tangent = move[index] / long[:, None]
    ty, tx = tangent[:, 0, None, None], tangent[:, 1, None, None]
    long = long[:, None, None]
    forth = dy * ty + dx * tx
    aside = dx * ty - dy * tx
    held = np.clip(forth, 0, long)
    r0 = radius[index][:, None, None]
    slope = (radius[index + 1][:, None, None] - r0) / long
    local = r0 + slope * held
    over = forth - held
    depth = local - np.sqrt(aside * aside + over * over)
    inside_row = (row >= 0) & (row < height)
    inside_col = (col >= 0) & (col < width)
    hit = (depth > 0) & inside_row[:, :, None] & inside_col[:, None, :]
    hits = np.flatnonzero(hit)
    side = 2 * half + 1
    which, rest = np.divmod(hits, side * side)
    i, j = np.divmod(rest, side)
    across = aside.ravel()[hits] / local.ravel()[hits]
    return (
        row[which, i],
        col[which, j],
        depth.ravel()[hits],
        forth.ravel()[hits],
        across,
        index[which],
    )


def wander(
    rng: np.random.Generator,
    start: Array,
    heading: Array,
    length: Array,
    curl: float,
    points: int = 24,
) -> Array:
    """Smoothly turning random walks.

    Parameters
    ----------
    start : (N, 2) row and column
    heading : (N,) first direction, radians
    length : (N,) pixels
    curl : standard deviation of the turn, radians per 4 pixels
    points : steps per walk

    Returns
    -------
    (N, points + 1, 2)
    """
    count = len(start)
    step = (np.asarray(length) / points)[:, None]
    turn = rng.standard_normal((count, points + 3)) * (curl * np.sqrt(step / 4))
    turn = (turn[:, :-3] + turn[:, 1:-2] + turn[:, 2:-1] + turn[:, 3:]) / 4 * 1.6
    direction = np.asarray(heading)[:, None] + np.cumsum(turn, 1)
    path = np.zeros((count, points + 1, 2))
    path[:, 1:, 0] = np.cumsum(step * np.sin(direction), 1)
    path[:, 1:, 1] = np.cumsum(step * np.cos(direction), 1)
    return path + np.asarray(start)[:, None]
