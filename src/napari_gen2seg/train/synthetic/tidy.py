"""Labels that a person would have drawn: no slivers, pieces told apart, no gaps in ids.

The policy: pieces smaller than `SLIVER` pixels are nobody's (background, or, in a
complete tiling, the neighbour's). In scenes of compact objects every remaining piece of
a divided object is an instance of its own: nothing in the picture says that they
belong together. In scenes of curves and of objects made of parts (`whole`), the pieces
of an object that something crosses keep one label, because the eye follows it
underneath.
"""

from __future__ import annotations

import numpy as np
from skimage.measure import label as components

from napari_gen2seg.common.types import Array

SLIVER = 12
"""Smallest piece that keeps a label, in pixels."""


def tidy(labels: Array, *, whole: bool, fill: bool) -> Array:
    """Apply the label policy.

    Parameters
    ----------
    labels : int32 (H, W), 0 = background
    whole : keep one label for the separate pieces of an object
    fill : give slivers to a neighbouring object instead of the background

    Returns
    -------
    int32 (H, W) with labels 1..n without gaps
    """
    pieces = components(labels, background=0, connectivity=2)
    areas = np.bincount(pieces.ravel())
    small = areas < SLIVER
    small[0] = False
    result = labels.copy() if whole else pieces.astype(np.int32)
    lost = small[pieces]
    if lost.any():
        result[lost] = 0
        if fill:
            _fill(result, lost)
    present = np.bincount(result.ravel()) > 0
    present[0] = False
    renumber = np.zeros(len(present), np.int32)
    renumber[present] = np.arange(1, int(present.sum()) + 1)
    return renumber[result]


def _fill(labels: Array, lost: Array) -> None:
    """Let labels grow into the lost pixels, in place."""
    row, col = np.nonzero(lost)
    height, width = labels.shape
    for _ in range(6):
        for dy, dx in ((0, 1), (1, 0), (0, -1), (-1, 0)):
            empty = labels[row, col] == 0
            if not empty.any():
                return
            r, c = row[empty], col[empty]
            near = labels[np.clip(r + dy, 0, height - 1), np.clip(c + dx, 0, width - 1)]
            labels[r, c] = near
