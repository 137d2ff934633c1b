"""Outlines of objects changed: grown, shrunk, filled, smoothed.

Growth takes background only. Each tool returns a `LabelPatch`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from napari_gen2seg.common.types import BoolArray, LabelArray
from napari_gen2seg.core.objects.find import EIGHT, window_of
from napari_gen2seg.core.objects.patch import LabelPatch
from napari_gen2seg.core.probe.mask import BBox
from napari_gen2seg.errors import SettingsError

_LONG = 2.0  # of the radius: what sticks out this far is a process, no bump


def grow(
    labels: LabelArray,
    numbers: Sequence[int],
    pixels: int = 1,
    within: BBox | None = None,
) -> LabelPatch:
    """Grow objects into the background around them.

    Where two of them meet, they stop.

    Parameters
    ----------
    labels
        int (H, W); not changed.
    numbers
        The objects.
    pixels
        By how much, at least 1.
    within
        A box that holds them.

    Raises
    ------
    PromptError
        If one is not there.
    SettingsError
        If ``pixels`` is below 1.
    """
    _check(pixels)
    box, here = window_of(labels, numbers, within, margin=pixels)
    after = here.copy()
    mine = np.where(np.isin(here, numbers), here, 0)
    for _ in range(pixels):
        around = np.pad(mine, 1)
        for near in (around[:-2, 1:-1], around[2:, 1:-1], around[1:-1, :-2]):
            _take(after, near)
        _take(after, around[1:-1, 2:])
        mine = np.where(np.isin(after, numbers), after, 0)
    return LabelPatch.of(labels, box, after)


def shrink(
    labels: LabelArray,
    numbers: Sequence[int],
    pixels: int = 1,
    within: BBox | None = None,
) -> LabelPatch:
    """Take pixels off the outlines of objects.

    What is thin becomes a line and stays one: no object vanishes or falls to pieces.
    The image's rim is no outline.

    Parameters
    ----------
    labels, numbers, pixels, within
        As for `grow`.

    Raises
    ------
    PromptError, SettingsError
        As for `grow`.
    """
    _check(pixels)
    box, here = window_of(labels, numbers, within)
    after = here.copy()
    for number in dict.fromkeys(numbers):
        mine = here == number
        margin = pixels + 1
        beyond = _beyond(labels, box, number, margin)
        kept = _thinned(mine, beyond, margin, pixels)
        if ndimage.label(kept, EIGHT)[1] != ndimage.label(mine, EIGHT)[1]:
            # Something hung together only by what goes on beyond the image.
            kept = _thinned(mine, np.pad(mine, margin), margin, pixels)
        after[mine & ~kept] = 0
    return LabelPatch.of(labels, box, after)


def fill_holes(
    labels: LabelArray,
    numbers: Sequence[int],
    largest: int | None = None,
    within: BBox | None = None,
) -> LabelPatch:
    """Fill background that an object encloses; other objects in there stay.

    Parameters
    ----------
    labels
        int (H, W); not changed.
    numbers
        The objects.
    largest
        Area in pixels of the largest hole to fill; any if not given.
    within
        A box that holds them.

    Raises
    ------
    PromptError
        If one is not there.
    """
    box, here = window_of(labels, numbers, within)
    after = here.copy()
    for number in dict.fromkeys(numbers):
        holes, count = ndimage.label(np.pad(here != number, 1, constant_values=True))
        if count < 2:
            continue
        fill = np.ones(count + 1, bool)
        if largest is not None:
            fill = np.bincount(holes.ravel(), minlength=count + 1) <= largest
        fill[[0, holes[0, 0]]] = False
        after[fill[holes[1:-1, 1:-1]] & (after == 0)] = number
    return LabelPatch.of(labels, box, after)


def smooth(
    labels: LabelArray,
    numbers: Sequence[int],
    radius: int = 2,
    within: BBox | None = None,
) -> LabelPatch:
    """Smooth outlines without eating what is thin.

    Bumps and dents about as small as the radius go. Processes and bridges thinner than
    twice the radius stay as they are, and so does the number of pieces.

    Parameters
    ----------
    labels
        int (H, W); not changed.
    numbers
        The objects.
    radius
        In pixels, at least 1.
    within
        A box that holds them.

    Raises
    ------
    PromptError
        If one is not there.
    SettingsError
        If the radius is below 1.
    """
    _check(radius)
    box, here = window_of(labels, numbers, within, margin=radius)
    after = here.copy()
    for number in dict.fromkeys(numbers):
        mine = here == number
        smoother = _smoothed(_beyond(labels, box, number, 4 * radius), radius)
        smoother = smoother[4 * radius : -4 * radius, 4 * radius : -4 * radius]
        smoother = smoother & ((after == 0) | mine)
        pieces = ndimage.label(mine, EIGHT)[1]
        if ndimage.label(smoother, EIGHT)[1] != pieces:
            # What was taken held something together, or joined what was apart.
            smoother = mine
        after[mine & ~smoother] = 0
        after[smoother] = number
    return LabelPatch.of(labels, box, after)


def _thinned(mine: BoolArray, beyond: BoolArray, margin: int, pixels: int) -> BoolArray:
    """Return what thinning leaves of an object that is seen with a margin."""
    from skimage.morphology import thin

    inner = np.s_[margin:-margin, margin:-margin]
    thinner = mine & thin(beyond, max_num_iter=pixels)[inner]
    # A speck of two by two pixels has no middle, and thinning takes it whole.
    pieces, count = ndimage.label(mine, EIGHT)
    lost = np.ones(count + 1, bool)
    lost[pieces[thinner]] = False
    lost[0] = False
    return np.asarray(thinner | lost[pieces])


def _smoothed(mine: BoolArray, radius: int) -> BoolArray:
    """Return a mask that is smooth where it is thick, and itself where it is thin."""
    soft = ndimage.gaussian_filter(mine.astype(np.float32), radius, truncate=4.0)
    smoother = soft >= 0.5
    core = _opened(mine, radius)
    if not core.any():
        return mine
    thin, count = ndimage.label(mine & ~core, EIGHT)
    if not count:
        return smoother
    away = ndimage.distance_transform_edt(~core)
    reach = np.asarray(ndimage.maximum(away, thin, np.arange(count + 1)))
    keep = reach > _LONG * radius
    keep[0] = False
    # A bridge reaches nowhere, and is found by what it joins.
    bodies, several = ndimage.label(core, EIGHT)
    if several > 1:
        keep |= _joins(thin, bodies, count)
    processes = keep[thin]
    # Where a process begins, its neighbourhood stays as it was.
    root = ndimage.binary_dilation(processes, _disc(radius)) & mine
    return np.asarray(smoother | processes | root)


def _joins(
    thin: npt.NDArray[np.integer], bodies: npt.NDArray[np.integer], count: int
) -> BoolArray:
    """Tell which thin parts touch more than one body, bool (count + 1,)."""
    high = ndimage.maximum_filter(bodies, 3)
    low = ndimage.minimum_filter(np.where(bodies > 0, bodies, bodies.max() + 1), 3)
    index = np.arange(count + 1)
    most = np.asarray(ndimage.maximum(high, thin, index))
    lowest = np.asarray(ndimage.minimum(low, thin, index))
    joins = most > lowest
    joins[0] = False
    return np.asarray(joins)


def _opened(mine: BoolArray, radius: int) -> BoolArray:
    """Return where a disc fits in, by distances: quick at any radius."""
    deep = ndimage.distance_transform_edt(mine) > radius
    if not deep.any():
        return np.zeros_like(mine)
    return np.asarray(ndimage.distance_transform_edt(~deep) <= radius)


def _disc(radius: int) -> BoolArray:
    across = np.arange(-radius, radius + 1)
    return np.asarray(across[:, None] ** 2 + across**2 <= radius**2 + 1)


def _beyond(labels: LabelArray, box: BBox, number: int, margin: int) -> BoolArray:
    """Return an object with a margin; beyond the image its rim goes on."""
    r0, c0 = box[0] - margin, box[1] - margin
    r1, c1 = box[2] + margin, box[3] + margin
    inner = labels[max(r0, 0) : r1, max(c0, 0) : c1] == number
    height, width = labels.shape
    outside = (
        (max(-r0, 0), max(r1 - height, 0)),
        (max(-c0, 0), max(c1 - width, 0)),
    )
    return np.pad(inner, outside, mode="edge")


def _take(after: LabelArray, near: LabelArray) -> None:
    """Let background next to an object become a part of it."""
    np.copyto(after, near, where=(after == 0) & (near > 0))


def _check(pixels: int) -> None:
    if pixels < 1:
        raise SettingsError(f"The number of pixels is {pixels}; it must be at least 1.")
