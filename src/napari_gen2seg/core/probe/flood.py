"""Connected to the clicks, in a window."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from napari_gen2seg.common.types import BoolArray, Shape

Box = tuple[int, int, int, int]

_EIGHT = np.ones((3, 3), bool)  # diagonal steps count: thin lines hold together


def flood(inside: BoolArray, seeds: npt.NDArray[np.intp]) -> BoolArray:
    """Return the parts of ``inside`` that hold a seed, 8-connected.

    Parameters
    ----------
    inside
        bool (h, w).
    seeds
        (n, 2) rows and columns; seeds that are not inside reach nothing.
    """
    labels, _ = ndimage.label(inside, _EIGHT)
    found = labels[seeds[:, 0], seeds[:, 1]]
    found = found[found > 0]
    if found.size == 0:
        return np.zeros(inside.shape, bool)
    region: BoolArray = labels == found[0]
    for label in set(found.tolist()) - {int(found[0])}:
        region |= labels == label
    return region


def outgrows(region: BoolArray, box: Box, frame: Shape, margin: int = 1) -> bool:
    """Whether a region comes near a side of its window where the frame goes on.

    Parameters
    ----------
    region
        bool, sampled from the window.
    box
        The window.
    frame
        (h, w) of the map.
    margin
        Rows and columns of the region that must stay free.
    """
    r0, c0, r1, c1 = box
    return bool(
        (r0 > 0 and region[:margin].any())
        or (c0 > 0 and region[:, :margin].any())
        or (r1 < frame[0] and region[-margin:].any())
        or (c1 < frame[1] and region[:, -margin:].any())
    )


def outline(region: BoolArray) -> int:
    """Return the length of the outline in sides of pixels, frame sides left out."""
    return int(
        np.count_nonzero(region[1:] != region[:-1])
        + np.count_nonzero(region[:, 1:] != region[:, :-1])
    )
