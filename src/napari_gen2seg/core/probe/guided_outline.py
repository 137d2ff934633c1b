"""Outlines at the image's own resolution, from masks of a coarser map.

Where a picture is larger than its map, a pixel of the map is several of the picture.
Enlarged, a mask's outline runs smoothly somewhere near the object's. The guided filter
with the picture as guide (He, Sun & Tang, "Guided image filtering", ECCV 2010, section
4: feathering) moves it to where the picture changes, and leaves it where the picture
does not.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from napari_gen2seg.common.types import BoolArray, Float32Array

REACH = 1.5
"""Map pixels that the window of the filter reaches to either side."""

COARSE = 4 / 3
"""Pixels of the picture per map pixel from which there is something to gain."""

_SMOOTH = 0.1  # share of the contrast around the object that counts as noise
_LARGEST = 1 << 21  # pixels; of larger windows the rim is a small part
_EDGE = (1.0, 99.0)  # percentiles of the brightness that make the contrast


def follow_image(
    soft: Float32Array, picture: npt.NDArray[np.uint8], radius: int
) -> BoolArray:
    """Return a mask whose outline follows the image's edges.

    Parameters
    ----------
    soft
        float32 (m, n) in 0..1, the enlarged mask; 0.5 is its outline.
    picture
        uint8 (m, n), brightness.
    radius
        Half side of the window in pixels, at least 1.

    Returns
    -------
    numpy.ndarray
        bool (m, n); parts that hold nothing of the enlarged mask are left out.
    """
    before: BoolArray = soft >= 0.5
    if soft.size > _LARGEST:
        return before
    low, high = np.percentile(picture, _EDGE)
    if high <= low:
        return before
    guide = (picture.astype(np.float32) - np.float32(low)) / np.float32(high - low)

    def mean(values: npt.NDArray[np.floating]) -> Float32Array:
        return np.asarray(ndimage.uniform_filter(values, 2 * radius + 1), np.float32)

    mean_guide, mean_soft = mean(guide), mean(soft)
    variance = mean(guide * guide) - mean_guide * mean_guide
    variance += np.float32(_SMOOTH**2)
    slope = mean(guide * soft) - mean_guide * mean_soft  # covariance, so far
    slope /= variance
    offset = mean_soft - slope * mean_guide
    after = mean(slope) * guide + mean(offset) >= 0.5
    parts, _ = ndimage.label(after)
    held = np.zeros(int(parts.max()) + 1, bool)
    held[parts[before]] = True
    held[0] = False
    kept: BoolArray = held[parts]
    return kept if kept.any() else before
