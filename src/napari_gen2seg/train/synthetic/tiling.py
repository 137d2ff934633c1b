"""Complete tilings: cells, stones, tiles, neurites, without a search tree.

Seeds sit on a jittered lattice, so the nearest seeds of a pixel are among the nine
lattice cells around it: two passes over nine small distance maps give the owner of each
pixel and its distance to the border, for any number of cells at the same cost.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from napari_gen2seg.common.types import Array
from napari_gen2seg.train.synthetic.textures import smooth_noise


@dataclass(eq=False)
class Tiling:
    """An image divided among cells.

    Attributes
    ----------
    owner : int32 (H, W), 0..count-1
    border : float32 (H, W), distance to the nearest other cell in pixels, roughly
    count : number of cells
    """

    owner: Array
    border: Array
    count: int


def tile(
    rng: np.random.Generator,
    shape: tuple[int, int],
    spacing: float,
    *,
    jitter: float = 0.8,
    aspect: float = 1.0,
    warp: float = 0.0,
    warp_wavelength: float | None = None,
    uneven: float = 0.0,
    merge: float = 0.0,
    stagger: bool = False,
    metric: str = "round",
) -> Tiling:
    """Divide an image into cells.

    Parameters
    ----------
    spacing : typical cell diameter in pixels
    jitter : 0 regular lattice .. 1 irregular
    aspect : elongation of the cells
    warp : amplitude of the bending of borders, in cell diameters
    uneven : spread of cell sizes (0 equal .. 0.5 very different)
    merge : share of cells joined to a neighbour, giving long and bent cells
    stagger : shift every other row by half a cell (bricks, honeycomb)
    metric : "round", "box" or "diamond" cell distance
    """
    height, width = shape
    angle = rng.uniform(0, np.pi)
    y = (np.arange(height, dtype=np.float32) - height / 2)[:, None]
    x = (np.arange(width, dtype=np.float32) - width / 2)[None, :]
    if warp:
        wave = warp_wavelength or 1.5 * spacing
        size = np.float32(warp * spacing)
        y = y + size * smooth_noise(rng, shape, wave)
        x = x + size * smooth_noise(rng, shape, wave)
    root = float(np.sqrt(aspect))
    c, s = np.float32(np.cos(angle) / spacing), np.float32(np.sin(angle) / spacing)
    v = (y * c - x * s) * np.float32(root)
    u = (x * c + y * s) / np.float32(root)
    iv = np.floor(v)
    low_v, high_v = int(iv.min()) - 2, int(iv.max()) + 3
    if stagger:
        u = u + np.float32(0.5) * (iv % 2)
    iu = np.floor(u)
    low_u, high_u = int(iu.min()) - 2, int(iu.max()) + 3
    rows, cols = high_v - low_v, high_u - low_u
    place = 0.5 + jitter * rng.uniform(-0.5, 0.5, (2, rows * cols)).astype(np.float32)
    weight = uneven * rng.standard_normal(rows * cols).astype(np.float32)
    group = np.arange(rows * cols, dtype=np.int32)
    if merge:
        joined = np.nonzero(rng.random(rows * cols) < merge)[0]
        step = np.array([1, cols, -1, -cols])[rng.integers(4, size=len(joined))]
        target = np.clip(joined + step, 0, rows * cols - 1)
        for a, b in zip(joined, target, strict=True):
            group[a] = group[b]
    fv, fu = v - iv, u - iu
    home = ((iv - low_v) * cols + (iu - low_u)).astype(np.intp)
    first = np.full(shape, 9.0, np.float32)
    second = first.copy()
    mine = np.full(shape, -1, np.int32)
    place_v, place_u = place
    for dv in (-1, 0, 1):
        # A staggered neighbour row sits half a cell aside.
        aside = (0.5 - (iv % 2)).astype(np.float32) if stagger and dv else None
        for du in (-1, 0, 1):
            seed = home + (dv * cols + du)
            ey = place_v.take(seed) + (np.float32(dv) - fv)
            ex = place_u.take(seed) + (np.float32(du) - fu)
            if aside is not None:
                ex += aside
            if metric == "box":
                d = np.maximum(np.abs(ey), np.abs(ex))
            elif metric == "diamond":
                d = np.abs(ey) + np.abs(ex)
            else:
                d = np.sqrt(ey * ey + ex * ex)
            if uneven:
                d -= weight.take(seed)
            owner = group.take(seed)
            nearer = d < first
            other = owner != mine
            second = np.where(
                other, np.where(nearer, first, np.minimum(second, d)), second
            )
            np.copyto(first, d, where=nearer)
            np.copyto(mine, owner, where=nearer)
    present = np.zeros(rows * cols, bool)
    present[mine] = True
    number = np.cumsum(present, dtype=np.int32) - 1
    border = (second - first) * np.float32(0.5 * spacing / max(root, 1 / root))
    return Tiling(number[mine], border, int(present.sum()))
