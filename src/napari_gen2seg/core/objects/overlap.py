"""How much two masks agree of which each is a window of the image."""

from __future__ import annotations

import numpy as np

from napari_gen2seg.common.types import BoolArray

Window = tuple[BoolArray, tuple[int, int]]
"""bool (h, w), and (row, column) of its first pixel in the image."""


def window_iou(first: Window, second: Window) -> float:
    """Return the intersection over union of two masks, 0..1; 0 where both are empty.

    Parameters
    ----------
    first, second
        Masks cut to where they are, in pixels of the same image.
    """
    (one, (row, column)), (other, (r, c)) = first, second
    top, left = max(row, r), max(column, c)
    bottom = min(row + one.shape[0], r + other.shape[0])
    right = min(column + one.shape[1], c + other.shape[1])
    both = 0
    if bottom > top and right > left:
        mine = one[top - row : bottom - row, left - column : right - column]
        theirs = other[top - r : bottom - r, left - c : right - c]
        both = int(np.count_nonzero(mine & theirs))
    either = int(np.count_nonzero(one)) + int(np.count_nonzero(other)) - both
    return both / max(either, 1)
