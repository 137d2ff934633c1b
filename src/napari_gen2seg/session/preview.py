"""Preview while the pointer moves: the mask, and what a click would change."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_gen2seg.session.state import Preview

if TYPE_CHECKING:
    from napari_gen2seg.core.probe.mask import Mask

INSIDE, ADDED, TAKEN = 1, 2, 3

_COUNTED = 1 << 17  # pixels of a box at source size: what is larger takes its time


def compose(
    fixed: Mask | None, hovered: Mask | None, count: bool = False
) -> Preview | None:
    """Lay the mask that a click would give over the mask there is.

    Parameters
    ----------
    fixed
        The mask of the clicks made so far, or None before the first.
    hovered
        The mask if the person clicked here, or None.
    count
        Whether there is time to count the pixels at source size.

    Returns
    -------
    Preview or None
        None when there is nothing to show.
    """
    shown = [mask for mask in (fixed, hovered) if mask is not None and mask.crop.size]
    if not shown:
        return None
    leading = hovered if hovered is not None else fixed
    if leading is None:  # cannot be: shown is not empty
        return None
    boxes = np.array([mask.bbox for mask in shown])
    r0, c0 = (int(n) for n in boxes[:, :2].min(axis=0))
    r1, c1 = (int(n) for n in boxes[:, 2:].max(axis=0))
    array = np.zeros((r1 - r0, c1 - c0), np.uint8)
    if fixed is None:
        array[_place(leading, r0, c0)][leading.crop] = ADDED
    else:
        array[_place(fixed, r0, c0)][fixed.crop] = INSIDE
        if hovered is not None:
            window = array[_place(hovered, r0, c0)]
            both = hovered.crop & (window == INSIDE)
            window[hovered.crop & ~both] = ADDED
            lost = array == INSIDE
            lost[_place(hovered, r0, c0)][both] = False
            array[lost] = TAKEN
    exact = all(mask.exact for mask in shown)
    return Preview(
        array,
        (r0, c0),
        leading.tolerance,
        leading.score,
        source_area(leading),
        exact,
        leading.refused,
        leading.method,
        source_pixels(leading) if count and exact else None,
    )


def nothing_here() -> Preview:
    """Return what is shown where the model sees background: nothing."""
    nothing = np.zeros((0, 0), np.uint8)
    nan = float("nan")
    return Preview(nothing, (0, 0), nan, 0.0, 0.0, pixels=0, background=True)


def source_area(mask: Mask) -> float:
    """Return about how many pixels a mask has at source size, without upsampling it."""
    return mask.area * _scale(mask)


def source_pixels(mask: Mask) -> int | None:
    """Count the pixels of a mask at source size; None for a very large one."""
    r0, c0, r1, c1 = mask.bbox
    if (r1 - r0) * (c1 - c0) * _scale(mask) > _COUNTED:
        return None
    return int(np.count_nonzero(mask.window()[0]))


def _scale(mask: Mask) -> float:
    """Return how many pixels of the source are one of the map."""
    return float(np.prod(np.divide(mask.source_shape, mask.shape)))


def _place(mask: Mask, row: int, col: int) -> tuple[slice, slice]:
    r0, c0, r1, c1 = mask.bbox
    return slice(r0 - row, r1 - row), slice(c0 - col, c1 - col)
