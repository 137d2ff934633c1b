"""Pixels that nobody measured: NaN, and values beyond all numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt


def filled(image: npt.NDArray[Any], known: npt.NDArray[np.bool_]) -> npt.NDArray[Any]:
    """Return a picture with something dark (or bright) for what is not finite.

    Not with its extremes: many of those would move the black point to one wrong pixel.

    Parameters
    ----------
    image
        (H, W) or (H, W, C), floats. NaN and -inf become the value below which a
        thousandth of their channel lies, inf that above which one does.
    known
        bool, of the same shape: what is finite.
    """
    image = image.copy()
    for place in [()] if image.ndim == 2 else [(..., c) for c in range(image.shape[2])]:
        plane, there = image[place], known[place]
        low, high = np.percentile(plane[there], (0.1, 99.9)) if there.any() else (0, 0)
        plane[~there] = np.where(plane[~there] == np.inf, high, low)
    return image
