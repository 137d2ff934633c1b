"""Where a simulated person clicks: protocols stated exactly, seeded."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from napari_gen2seg.errors import DataError

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]


def innermost(mask: Bools) -> tuple[int, int]:
    """Return the pixel farthest from everything outside the mask.

    By the exact Euclidean distance transform, what lies beyond the frame counting
    as outside; of equals the first in reading order.

    Parameters
    ----------
    mask
        bool (H, W) with at least one true pixel.

    Raises
    ------
    DataError
        If the mask is empty.
    """
    depth, origin = _depth(mask)
    row, col = np.unravel_index(int(depth.argmax()), depth.shape)
    return int(row) + origin[0], int(col) + origin[1]


def off_centre(mask: Bools, seed: int) -> tuple[int, int]:
    """Return a random pixel of the inner half of the mask.

    The inner half is every pixel at least half as far from the outside as the
    innermost one; each is as likely as the next.

    Parameters
    ----------
    mask
        bool (H, W) with at least one true pixel.
    seed
        The same seed gives the same pixel of the same mask.
    """
    depth, origin = _depth(mask)
    inner = np.argwhere(depth >= 0.5 * depth.max())
    row, col = inner[np.random.default_rng(seed).integers(len(inner))]
    return int(row) + origin[0], int(col) + origin[1]


def next_correction(truth: Bools, found: Bools) -> tuple[tuple[int, int], int] | None:
    """Return where a person would correct a mask next.

    The innermost pixel of the largest wrong region, missing or superfluous
    (8-connected), as in the usual interactive protocol (Xu et al. 2016).

    Returns
    -------
    tuple or None
        ((row, column), sign), +1 for what is missing; ``None`` if nothing is wrong.
    """
    best: tuple[int, Bools, int] | None = None
    for wrong, sign in ((truth & ~found, 1), (found & ~truth, -1)):
        labels, count = ndimage.label(wrong, np.ones((3, 3)))
        if not count:
            continue
        sizes = np.bincount(labels.ravel())[1:]
        largest = int(sizes.argmax())
        if best is None or int(sizes[largest]) > best[0]:
            best = int(sizes[largest]), labels == largest + 1, sign
    return None if best is None else (innermost(best[1]), best[2])


def _depth(mask: Bools) -> tuple[Floats, tuple[int, int]]:
    """Distance to the outside in the bounding box, and where that box lies."""
    rows, cols = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if rows.size == 0:
        raise DataError("The mask is empty; an object must have at least one pixel.")
    crop = mask[rows[0] : rows[-1] + 1, cols[0] : cols[-1] + 1]
    depth: Floats = ndimage.distance_transform_edt(np.pad(crop, 1))[1:-1, 1:-1]
    return depth, (int(rows[0]), int(cols[0]))
