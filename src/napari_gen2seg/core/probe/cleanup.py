"""Light clean-up that never removes anything, so nothing thin can be lost.

Both steps keep the promise that a larger tolerance never loses pixels: applied
to a larger mask, each gives a mask that holds the smaller one's result.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from napari_gen2seg.common.types import BoolArray, Float32Array

_LEAST_HOLE, _MOST_HOLE = 4, 64  # map pixels
_HOLE_SHARE = 0.01  # of the mask's area
_REACH = 2  # map pixels by which the rim may move
_CLEARLY = 1.2  # squared ratio: a rim between two like parts joins neither
_SIDES = ((1, 0), (-1, 0), (0, 1), (0, -1))


def fill_small_holes(mask: BoolArray, unwanted: npt.NDArray[np.intp]) -> BoolArray:
    """Fill holes up to 1 % of the mask (4 to 64 pixels), 4-connected.

    Holes that hold a negative click stay, as do rings and hollow cells.

    Parameters
    ----------
    mask
        bool (h, w).
    unwanted
        (n, 2) pixels of negative clicks.
    """
    largest = min(max(int(mask.sum() * _HOLE_SHARE), _LEAST_HOLE), _MOST_HOLE)
    labels, count = ndimage.label(~mask)
    if count < 2:
        return mask
    sizes = np.bincount(labels.ravel(), minlength=count + 1)
    fill = sizes <= largest
    fill[0] = False
    for rim in (labels[0], labels[-1], labels[:, 0], labels[:, -1]):
        fill[rim] = False
    if len(unwanted):
        fill[labels[unwanted[:, 0], unwanted[:, 1]]] = False
    return mask | fill[labels] if fill.any() else mask


def follow_edges(
    mask: BoolArray, block: Float32Array, distance: Float32Array
) -> BoolArray:
    """Let the rim grow to the middle of a blurred edge, two pixels at most.

    A pixel next to the mask joins it if its colour is nearer to the query than to
    the colour two pixels further out. So each stretch of the rim finds its own
    half-way point, against a dark background and a similar neighbour alike.

    Parameters
    ----------
    mask
        bool (h, w).
    block
        float32 (3, h, w), colours.
    distance
        float32 (h, w), colour distance to the query; infinite where excluded.
    """
    for _ in range(_REACH):
        grown = mask.copy()
        for down, right in _SIDES:
            rows, cols = _beside(mask, down, right)
            here = distance[rows, cols]
            far_rows = np.clip(rows + 2 * down, 0, mask.shape[0] - 1)
            far_cols = np.clip(cols + 2 * right, 0, mask.shape[1] - 1)
            step = block[:, rows, cols] - block[:, far_rows, far_cols]
            joins = np.einsum("ij,ij->j", step, step) > _CLEARLY * np.square(here)
            grown[rows[joins], cols[joins]] = True
        mask = grown
    return mask


def _beside(
    mask: BoolArray, down: int, right: int
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Pixels outside the mask whose neighbor on the near side is inside."""
    rows, cols = mask.shape
    near = mask[
        max(-down, 0) : rows - max(down, 0), max(-right, 0) : cols - max(right, 0)
    ]
    r0, c0 = max(down, 0), max(right, 0)
    here = mask[r0 : rows + min(down, 0), c0 : cols + min(right, 0)]
    # Flat indices are several times quicker to find than pairs.
    found = np.flatnonzero(near & ~here)
    found_rows, found_cols = np.divmod(found, here.shape[1])
    return found_rows + r0, found_cols + c0
