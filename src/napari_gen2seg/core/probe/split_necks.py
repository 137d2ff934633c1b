"""Part what flowed together: two round bodies, two colors, a neck between them.

Where a map leaves no border between neighbours, the flood that follows a click runs on
into the next object. If what it reached is two bodies joined by a neck, and their mean
colours are not quite the same, they were two objects.

The constants were chosen on 69 training pictures of five kinds and on 10 of metal
powder; `benchmarks/necks.py` prints what they give. Narrower bodies than these are
left alone, since a wire is full of necks.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from napari_gen2seg.common.types import BoolArray, Float32Array

_NECK = 0.75  # width of a neck, as a share of the narrower body's
_BODY = 5.0  # map pixels from the middle of a body to its outline, at least
_UNLIKE = 0.3  # of the tolerance: mean colours of two bodies that are two objects
_MOST = 20_000  # map pixels; larger regions take too long under a moving pointer


def part_at_necks(
    mask: BoolArray, block: Float32Array, tolerance: float, wanted: npt.NDArray[np.intp]
) -> BoolArray:
    """Return the bodies of a mask that were clicked.

    Parameters
    ----------
    mask
        bool (h, w).
    block
        float32 (c, h, w), the map there.
    tolerance
        Colour distance at which the mask was found.
    wanted
        (n, 2) pixels of the positive clicks. Clicks in two bodies keep both.

    Returns
    -------
    numpy.ndarray
        bool (h, w), within ``mask``; the same where nothing is parted.
    """
    if np.count_nonzero(mask) > _MOST:
        return mask
    depth = ndimage.distance_transform_edt(np.pad(mask, 1))[1:-1, 1:-1]
    if depth.max() < _BODY:
        return mask
    smooth = ndimage.gaussian_filter(depth, 0.7)
    tops = (ndimage.maximum_filter(smooth, 3) == smooth) & mask
    basins, count = ndimage.label(tops, np.ones((3, 3)))
    peaks = ndimage.maximum(depth, basins, np.arange(count + 1))
    if np.count_nonzero(np.asarray(peaks)[1:] >= _BODY) < 2:
        return mask
    from skimage.segmentation import watershed

    basins = watershed(-smooth, basins, mask=mask)
    body = _bodies(basins, depth, block, tolerance)[basins]
    clicked = np.unique(body[wanted[:, 0], wanted[:, 1]])
    clicked = clicked[clicked > 0]
    return np.isin(body, clicked) if len(clicked) else mask


def _bodies(
    basins: npt.NDArray[np.int32],
    depth: Float32Array,
    block: Float32Array,
    tolerance: float,
) -> npt.NDArray[np.intp]:
    """Join basins, widest passage first, and return the body of each."""
    count = int(basins.max()) + 1
    number = np.arange(count)
    peak = np.asarray(ndimage.maximum(depth, basins, number))
    flat = basins.ravel()
    size = np.bincount(flat, minlength=count).astype(float)
    total = np.stack([np.bincount(flat, c.ravel(), count) for c in block], axis=1)
    for one, two, width in passages(basins, depth):
        a, b = number[one], number[two]
        if a == b:
            continue
        narrower = min(peak[a], peak[b])
        unlike = float(np.linalg.norm(total[a] / size[a] - total[b] / size[b]))
        if (
            narrower >= _BODY
            and width < _NECK * narrower
            and unlike >= _UNLIKE * tolerance
        ):
            continue
        number[number == b] = a
        peak[a] = max(peak[a], peak[b])
        size[a] += size[b]
        total[a] += total[b]
    number[0] = 0
    return number


def passages(
    basins: npt.NDArray[np.int32], depth: Float32Array
) -> list[tuple[int, int, float]]:
    """Return pairs of basins that touch and the depth of the pass, deepest first."""
    passes: dict[tuple[int, int], float] = {}
    for here, there in (
        (np.s_[:, :-1], np.s_[:, 1:]),
        (np.s_[:-1], np.s_[1:]),
    ):
        one, two = basins[here], basins[there]
        border = (one != two) & (one > 0) & (two > 0)
        widths = np.minimum(depth[here], depth[there])[border]
        for a, b, width in zip(one[border], two[border], widths, strict=True):
            pair = (int(min(a, b)), int(max(a, b)))
            passes[pair] = max(passes.get(pair, 0.0), float(width))
    ordered = sorted(passes.items(), key=lambda item: -item[1])
    return [(a, b, width) for (a, b), width in ordered]
