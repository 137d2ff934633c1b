"""Outlines: star-shaped blobs by a table of radii.

`blobs` rasterises any number of star-shaped objects (ellipses, rods, polygons, wobbly
cells, bent leaves) in a few vectorised steps.
"""

from __future__ import annotations

import numpy as np

from napari_gen2seg.common.types import Array
from napari_gen2seg.train.synthetic.canvas import Fragments

ANGLES = 256
"""Directions in a table of radii."""

_THETA = np.arange(ANGLES) * (2 * np.pi / ANGLES)


def round_profiles(
    rng: np.random.Generator, count: int, wobble: float, orders: int = 5
) -> Array:
    """Radii of wobbly discs, (count, ANGLES), about 1; `wobble` is the relative std."""
    order = np.arange(2, 2 + orders)
    size = rng.standard_normal((2, count, orders), dtype=np.float32)
    size *= (1.1 * wobble / order**1.2).astype(np.float32)
    angle = (order[:, None] * _THETA).astype(np.float32)
    waves = np.einsum("no,oa->na", size[0], np.cos(angle))
    waves += np.einsum("no,oa->na", size[1], np.sin(angle))
    return np.clip(1 + waves, 0.35, 1.9)


def super_profiles(count: int, exponent: float | Array) -> Array:
    """Radii of superellipses: exponent 2 is a disc, 4 a rounded box, 1 a diamond."""
    p = np.broadcast_to(np.asarray(exponent, float), (count,))[:, None]
    total = np.abs(np.cos(_THETA)) ** p + np.abs(np.sin(_THETA)) ** p
    return (total ** (-1 / p)).astype(np.float32)


def polygon_profiles(
    rng: np.random.Generator, count: int, corners: int, irregular: float = 0.3
) -> Array:
    """Radii of polygons with `corners` corners, regular (0) to wild (1)."""
    step = 2 * np.pi / corners
    jitter = rng.uniform(-0.4, 0.4, (count, corners)) * irregular
    angle = (np.arange(corners) + jitter) * step
    radius = 1 - irregular * rng.uniform(0, 0.6, (count, corners))
    x, y = radius * np.cos(angle), radius * np.sin(angle)
    nx, ny = np.roll(x, -1, 1), np.roll(y, -1, 1)
    # The ray at theta meets the side (x, y)-(nx, ny) at cross / (sin, cos) . edge.
    cross = x * ny - y * nx
    side = np.sum(
        _THETA[None, :, None] >= (angle - angle[:, :1])[:, None, :], axis=2
    ).astype(int)
    side = np.clip(side - 1, 0, corners - 1)
    rows = np.arange(count)[:, None]
    start = angle[:, :1]
    direction = _THETA[None, :] + start
    ex, ey = (nx - x)[rows, side], (ny - y)[rows, side]
    down = np.cos(direction) * ey - np.sin(direction) * ex
    radii = cross[rows, side] / np.where(np.abs(down) < 1e-6, 1e-6, down)
    return np.clip(radii, 0.1, 1.5).astype(np.float32)


def blobs(
    shape: tuple[int, int],
    center: Array,
    radii: Array,
    angle: Array,
    profiles: Array,
    bend: Array | float = 0.0,
    order: Array | None = None,
) -> Fragments:
    """Rasterise star-shaped objects.

    Parameters
    ----------
    shape : (H, W)
    center : (N, 2) row and column in pixels, may lie outside
    radii : (N, 2) half axes in pixels (along, across)
    angle : (N,) direction of the first axis, radians
    profiles : (N, ANGLES) relative radii by direction
    bend : (N,) or scalar; curves the first axis into a banana (0 = straight)
    order : (N,) or None; objects of a higher value are painted over those of a lower

    Returns
    -------
    Fragments. Without `order`, in the order of the objects within groups of similar
    size; groups come large first, so that large objects do not hide small ones.
    """
    count = len(center)
    radii = np.maximum(np.asarray(radii, np.float32), 0.5)
    bend = np.broadcast_to(np.asarray(bend, np.float32), (count,))
    reach = profiles.max(1)
    along = radii[:, 0] * reach
    across = radii[:, 1] * (reach + np.abs(bend) * reach**2)
    # Bounding box of the rotated ellipse that holds the object.
    cos, sin = np.cos(angle).astype(np.float32), np.sin(angle).astype(np.float32)
    half = np.maximum(
        np.hypot(along * cos, across * sin), np.hypot(along * sin, across * cos)
    )
    half = np.ceil(half).astype(int) + 1
    group = np.floor(np.log2(half) * 2).astype(int)
    parts = []
    for level in np.unique(group)[::-1]:
        index = np.nonzero(group == level)[0]
        parts.append(
            _blob_group(
                shape,
                index,
                center,
                radii,
                cos,
                sin,
                profiles,
                bend,
                int(half[index].max()),
            )
        )
    if not parts:
        return Fragments.none()
    row, col, owner, depth, u, v = (np.concatenate(c) for c in zip(*parts, strict=True))
    middling = radii.min(1) * profiles.mean(1)
    at = Fragments(row, col, owner, depth, u, v, middling)
    return at if order is None else at.stacked(order)


def _blob_group(
    shape: tuple[int, int],
    index: Array,
    center: Array,
    radii: Array,
    cos: Array,
    sin: Array,
    profiles: Array,
    bend: Array,
    half: int,
) -> tuple[Array, ...]:
    """Fragments of objects that share one window size."""
    middle = np.floor(center[index]).astype(np.int32)
    offset = (center[index] - middle).astype(np.float32)
    step = np.arange(-half, half + 1, dtype=np.float32)
    y = step[None, :, None] - offset[:, :1, None]
    x = step[None, None, :] - offset[:, 1:, None]
    c, s = cos[index][:, None, None], sin[index][:, None, None]
    a, b = radii[index].T[..., None, None]
    u = x * (c / a) + y * (s / a)
    v = y * (c / b) - x * (s / b)
    bent = bend[index]
    if np.any(bent):
        v = v + bent[:, None, None] * (u * u - 0.4)
    square = u * u + v * v
    limit = profiles[index].max(1)
    near = square < (limit * limit)[:, None, None]
    row = (
        middle[:, :1, None] + np.arange(-half, half + 1, dtype=np.int32)[None, :, None]
    )
    col = (
        middle[:, 1:, None] + np.arange(-half, half + 1, dtype=np.int32)[None, None, :]
    )
    near &= (row >= 0) & (row < shape[0]) & (col >= 0) & (col < shape[1])
    hits = np.flatnonzero(near)
    side = 2 * half + 1
    which, rest = np.divmod(hits, side * side)
    i, j = np.divmod(rest, side)
    u, v = u.ravel()[hits], v.ravel()[hits]
    owner = index[which].astype(np.int32)
    direction = np.arctan2(v, u) * np.float32(ANGLES / (2 * np.pi))
    direction = np.rint(direction).astype(np.int32) & (ANGLES - 1)
    rim = profiles[owner, direction]
    depth = (rim - np.sqrt(square.ravel()[hits])) * radii.min(1)[owner]
    inside = depth > 0
    which, i, j = which[inside], i[inside], j[inside]
    return (
        row[which, i, 0],
        col[which, 0, j],
        owner[inside],
        depth[inside],
        u[inside],
        v[inside],
    )
