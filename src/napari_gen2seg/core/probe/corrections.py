"""Corrections: what one more click adds to a mask, or takes from it, near itself.

A person who corrects a mask points at a piece that is wrong, mostly a thin one whose
color is the object's own, or the background's: else the mask would not be wrong there.
So a click does not start all over with every click's color, as the first one does; it
changes the mask there is, by two things:

- *the outline*: it moves to the click and a little beyond, as wide as the click is off
  it. So a click on a sliver takes the sliver, and one in the middle of a lobe the lobe;
- *the click's own region*, by color: of a keep click what a first click there would
  give, of a leave-out click what is more like it than like the clicks that keep. Only
  as far around the click as it lies deep in that region: a click on the rim of another
  object takes a bit of rim, one in its middle takes all of it.

Neither reaches beyond the scale of the mask, comes near a click of the other sign, or
adds more than :data:`MOST_GROWTH` allows: a mask after n clicks is a function of the
mask after n - 1 and of the clicks, and changes only near the newest.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from napari_gen2seg.common.types import BoolArray, Float32Array
from napari_gen2seg.core.probe.flood import Box, flood
from napari_gen2seg.core.probe.mask import Mask

Pixel = tuple[int, int]
Pixels = npt.NDArray[np.intp]

MOST_GROWTH = 4.0
"""Times its area that a mask becomes at most by one click that is not insisted on."""

_BEYOND = 0.25  # share of its distance that the outline moves on behind a click
_WIDE = 3.0  # of those distances: half the width of the bump, at most
_SPAN = 0.7  # of the mask's scale: the same, but at least as far as the click is off
_DEEP = 1.0  # how far a click's own region counts, in depths of the click in it
_MIDDLE = 0.75  # of the depth of that region: from here on, all of it is meant,
_MORE = 1.5  # if it is not larger than so many masks
_LEAST = 16  # map pixels: first window searched around a click
_CLEAR = 0.5  # of the way to a click of the other sign: what stays as it is
_SEAM = 2  # map pixels between two parts that are one


@dataclass(frozen=True, eq=False)
class Region:
    """Pixels of a window of the map.

    Attributes
    ----------
    inside
        bool (m, n).
    box
        Where on the map.
    """

    inside: BoolArray
    box: Box


def add(
    mask: Mask, click: Pixel, own: Mask | None, left_out: Pixels, insisted: bool = False
) -> Mask:
    """Return a mask and what a click that keeps adds to it.

    Parameters
    ----------
    mask
        Before the click.
    click
        Map pixel (row, column).
    own
        What a first click there would give; None where that is background.
    left_out
        (n, 2) map pixels of earlier clicks that leave out.
    insisted
        Whether all of ``own`` is wanted, however large.

    Returns
    -------
    Mask
        At most :data:`MOST_GROWTH` times as large, unless insisted on; ``refused``
        says how large ``own`` would have made it where that is larger.
    """
    if mask.holds(click):
        return mask
    if insisted and own is not None:
        here = Region(np.ones((1, 1), bool), _around(click, 0, mask.shape))
        part = _union(Region(own.crop, own.bbox), here)
        part = _clear(part, click, left_out)
        return _with(mask, _joined(mask, part))
    allowed = max(int((MOST_GROWTH - 1) * mask.area), 1)
    part = _bump(mask, click, _scale(mask))
    times = float("nan")
    if own is not None:
        deep = _DEEP * _off(own, click, False, 2 * _extent(mask))
        if _in_the_middle(own, click, mask):
            deep = _extent(own)
            if _apart(mask, own):  # another piece of the object: it ends where it ends
                part = Region(np.ones((1, 1), bool), _around(click, 0, mask.shape))
        part = _union(part, _disc_of(own, click, deep))
        more = own.area - _shared(mask, own)
        times = (mask.area + more) / max(mask.area, 1)
    part = _clear(part, click, left_out)
    part = _joined(mask, part)
    part = replace(part, inside=part.inside & ~mask.within(part.box))
    part = _nearest(part, click, allowed)
    grown = _with(mask, part)
    return replace(grown, refused=times) if times > MOST_GROWTH else grown


def leave_out(mask: Mask, click: Pixel, unlike: Region | None, kept: Pixels) -> Mask:
    """Return a mask without what a click that leaves out takes from it.

    Parameters
    ----------
    mask
        Before the click.
    click
        Map pixel (row, column).
    unlike
        What of the mask around the click is more like it than like what is kept; None
        where there is no such difference.
    kept
        (n, 2) map pixels of the clicks that keep.
    """
    if not mask.holds(click):
        return mask
    part = _bump(mask, click, math.inf, out=True)
    if unlike is not None:
        region = _cut(mask, unlike)
        deep = _DEEP * _off(region, click, False, 2 * _extent(mask))
        if _in_the_middle(region, click, mask):
            deep = _extent(region)
        part = _union(part, _disc_of(region, click, deep))
    part = _clear(part, click, kept)
    return _without(mask, part)


def _bump(mask: Mask, click: Pixel, most: float, out: bool = False) -> Region:
    """Return what lies between a click and the outline, and a little around it."""
    off = _off(mask, click, not out, most)
    wide = max(min(_WIDE * off, _SPAN * _scale(mask)), off, 1.0)
    box = _around(click, math.ceil(max(wide, off)), mask.shape)
    inside = mask.within(box)
    away = _away(click, box)
    wrong = inside if out else ~inside
    if wrong.all():
        return Region(away <= off, box)
    depth = ndimage.distance_transform_edt(wrong)
    height = (1 + _BEYOND) * off * (1 - np.square(away / wide))
    bump = wrong & (depth <= height)
    bump |= away == 0
    seed = np.array([[click[0] - box[0], click[1] - box[1]]])
    return Region(flood(bump, seed), box)


def _off(mask: Mask, click: Pixel, wanted: bool, most: float) -> float:
    """Return the distance of a click to the nearest pixel in, or out of, a mask."""
    reach = _LEAST
    while True:
        box = _around(click, reach, mask.shape)
        found = mask.within(box) == wanted
        near = float(_away(click, box)[found].min()) if found.any() else math.inf
        whole = box == (0, 0, *mask.shape)
        if near <= reach or whole or reach >= most:
            return min(near, most, float(max(mask.shape)))
        reach *= 2


def _in_the_middle(own: Mask, click: Pixel, mask: Mask) -> bool:
    """Whether a click means all of its own region, and not a rim of it."""
    if not own.exact or not own.holds(click) or own.area > _MORE * mask.area:
        return False
    depth = ndimage.distance_transform_edt(np.pad(own.crop, 1))[1:-1, 1:-1]
    row, col = click[0] - own.bbox[0], click[1] - own.bbox[1]
    return bool(depth[row, col] >= _MIDDLE * depth.max())


def _disc_of(mask: Mask, click: Pixel, radius: float) -> Region:
    """Return what of a mask is within a radius of a click."""
    box = _around(click, math.ceil(min(radius, max(mask.shape))), mask.shape)
    return Region(mask.within(box) & (_away(click, box) <= radius), box)


def _scale(mask: Mask) -> float:
    """Return the radius of a disc of a mask's area, at least 2."""
    return max(math.sqrt(mask.area / math.pi), 2.0)


def _extent(mask: Mask) -> float:
    return float(max(mask.bbox[2] - mask.bbox[0], mask.bbox[3] - mask.bbox[1], 4))


def _around(click: Pixel, reach: int, frame: tuple[int, int]) -> Box:
    row, col = click
    return (
        max(row - reach, 0),
        max(col - reach, 0),
        min(row + reach + 1, frame[0]),
        min(col + reach + 1, frame[1]),
    )


def _away(click: Pixel, box: Box) -> Float32Array:
    """Return the distance of every pixel of a window to a pixel."""
    rows = np.arange(box[0] - click[0], box[2] - click[0], dtype=np.float32)
    cols = np.arange(box[1] - click[1], box[3] - click[1], dtype=np.float32)
    return np.asarray(np.hypot(rows[:, None], cols[None]), np.float32)


def _clear(part: Region, click: Pixel, others: Pixels) -> Region:
    """Leave what is near clicks of the other sign, and what is then cut off."""
    inside = part.inside.copy()
    for row, col in others.tolist():
        far = math.hypot(row - click[0], col - click[1])
        inside &= _away((row, col), part.box) > _CLEAR * far
    at = (click[0] - part.box[0], click[1] - part.box[1])
    inside[at] = True
    return Region(flood(inside, np.array([at])), part.box)


def _joined(mask: Mask, part: Region) -> Region:
    """Fill the seam between a part and the mask beside it."""
    r0, c0, r1, c1 = part.box
    box = (
        max(r0 - _SEAM, 0),
        max(c0 - _SEAM, 0),
        min(r1 + _SEAM, mask.shape[0]),
        min(c1 + _SEAM, mask.shape[1]),
    )
    new = np.zeros((box[2] - box[0], box[3] - box[1]), bool)
    new[r0 - box[0] : r1 - box[0], c0 - box[1] : c1 - box[1]] = part.inside
    old = mask.within(box)
    square = np.ones((3, 3), bool)
    closed = ndimage.binary_closing(new | old, square, _SEAM)
    closed &= ndimage.binary_dilation(new, square, _SEAM)
    closed &= ndimage.binary_dilation(old, square, _SEAM)
    return Region(new | closed, box)


def _nearest(part: Region, click: Pixel, most: int) -> Region:
    """Keep as many pixels as are allowed, those nearest to the click."""
    if np.count_nonzero(part.inside) <= most:
        return part
    away = np.where(part.inside, _away(click, part.box), np.inf)
    order = np.argsort(away, axis=None, kind="stable")[:most]
    inside = np.zeros(part.inside.shape, bool)
    inside.ravel()[order] = True
    return Region(inside, part.box)


def _union(one: Region, two: Region) -> Region:
    box = (
        min(one.box[0], two.box[0]),
        min(one.box[1], two.box[1]),
        max(one.box[2], two.box[2]),
        max(one.box[3], two.box[3]),
    )
    inside = np.zeros((box[2] - box[0], box[3] - box[1]), bool)
    for part in (one, two):
        r, c = part.box[0] - box[0], part.box[1] - box[1]
        inside[r : r + part.inside.shape[0], c : c + part.inside.shape[1]] |= (
            part.inside
        )
    return Region(inside, box)


def _apart(mask: Mask, other: Mask) -> bool:
    """Whether there is more than a seam between two masks."""
    r0, c0, r1, c1 = other.bbox
    near = (r0 - _SEAM, c0 - _SEAM, r1 + _SEAM, c1 + _SEAM)
    box = (*np.maximum(near[:2], 0), *np.minimum(near[2:], mask.shape))
    wide = ndimage.binary_dilation(other.within(box), iterations=_SEAM)
    return not (wide & mask.within(box)).any()


def _shared(mask: Mask, other: Mask) -> int:
    return int(np.count_nonzero(mask.within(other.bbox) & other.crop))


def _with(mask: Mask, part: Region) -> Mask:
    whole = _union(Region(mask.crop, mask.bbox), part) if mask.area else part
    return _changed(mask, whole)


def _without(mask: Mask, part: Region) -> Mask:
    gone = _cut(mask, part).within(mask.bbox)
    return _changed(mask, Region(mask.crop & ~gone, mask.bbox))


def _cut(mask: Mask, part: Region) -> Mask:
    """Return a part on its own."""
    corner = (part.box[0], part.box[1])
    return Mask.from_window(part.inside, corner, mask.shape, mask.source_shape)


def _changed(mask: Mask, whole: Region) -> Mask:
    trimmed = _cut(mask, whole)
    return replace(mask, crop=trimmed.crop, bbox=trimmed.bbox)
