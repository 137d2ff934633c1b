"""Windows in an image, anywhere or around an object, and what they cut (no torch)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_gen2seg.common.types import Int32Array


class Crop(NamedTuple):
    """A part of an annotated image, as a model learns from it.

    Attributes
    ----------
    rgb
        (h, w, 3), float32 in 0..1, or uint8 while mini's training has yet to relight
        it.
    labels
        int32 (h, w); 0 background, -1 unknown.
    """

    rgb: NDArray[Any]
    labels: Int32Array


def window(
    labels: NDArray[np.int32],
    sides: tuple[int, int],
    rng: np.random.Generator,
    objects: Sequence[int] | NDArray[np.integer[Any]] = (),
) -> tuple[slice, slice]:
    """Place a random window in an image, as much of it as fits.

    Parameters
    ----------
    labels
        Integer, (H, W).
    sides
        Height and width of the window in pixels.
    rng
        The place depends on it alone.
    objects
        Labels, of one of which the window is to hold a pixel; anywhere without.

    Returns
    -------
    tuple of slice
        Rows and columns, cut off where the picture ends.
    """
    spare = [max(n - side, 0) for n, side in zip(labels.shape, sides, strict=True)]
    corner = [int(rng.integers(0, most + 1)) for most in spare]
    if len(objects):
        places = np.argwhere(labels == objects[int(rng.integers(len(objects)))])
        at = places[int(rng.integers(len(places)))]
        for axis in (0, 1):
            start = int(at[axis]) - round(sides[axis] * rng.uniform(0.15, 0.85))
            corner[axis] = min(max(start, 0), spare[axis])
    rows, columns = (
        slice(start, start + side) for start, side in zip(corner, sides, strict=True)
    )
    return rows, columns


def filled(
    rgb: NDArray[Any], labels: Int32Array, sides: tuple[int, int]
) -> tuple[NDArray[Any], Int32Array]:
    """Fill an image up below and on the right, where it is smaller than its window.

    Mirrored pixels give context, and their labels are unknown: an object and its
    mirror image are no one object.
    """
    below, right = (max(0, n - m) for n, m in zip(sides, labels.shape, strict=True))
    if not below and not right:
        return rgb, labels
    return (
        np.pad(rgb, ((0, below), (0, right), (0, 0)), "symmetric"),
        np.pad(labels, ((0, below), (0, right)), constant_values=-1),
    )
