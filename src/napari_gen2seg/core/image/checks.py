"""Whether an array is an image that can be colored."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_gen2seg.errors import ImageError

MIN_SIDE = 8
"""Shortest side in pixels of a picture that can be coloured."""


def check_image(array: Any, *, what: str = "The picture") -> npt.NDArray[Any]:
    """Return ``array`` as numpy if it can be colored.

    Parameters
    ----------
    array
        (H, W) or (H, W, C) of bool, integers or floats. NaN and -inf are made as dark
        as the darkest thousandth of their channel, inf as bright as the brightest.
    what
        How to call the picture in messages.

    Raises
    ------
    ImageError
        For a wrong type or shape, an empty or tiny picture, or no finite value.
    """
    image = np.asarray(array)
    if image.dtype.kind not in "buif":
        raise ImageError(
            f"{what} has the type {image.dtype}; it must hold whole numbers or real "
            "floats. Convert it first"
            + (", for instance to its magnitude." if image.dtype.kind == "c" else ".")
        )
    if image.ndim not in (2, 3):
        raise ImageError(
            f"{what} has {image.ndim} dimensions (shape {image.shape}); it must be one "
            "plane: (rows, columns) or (rows, columns, channels). Pick a plane first."
        )
    if image.size == 0:
        raise ImageError(
            f"{what} is empty (shape {image.shape}); it must hold at least "
            f"{MIN_SIDE} x {MIN_SIDE} pixels."
        )
    check_sides(image.shape, what)
    if image.dtype.kind == "f":
        known = np.isfinite(image)
        if not known.any():
            raise ImageError(
                f"{what} holds no finite value, only NaN or infinity; there is nothing "
                "to see in it."
            )
        if not known.all():
            image = filled(image, known)
    return image


def check_sides(shape: Sequence[int], what: str = "The picture") -> None:
    """Refuse a plane, (H, W, ...), that is too narrow to be colored.

    Raises
    ------
    ImageError
        If a side is shorter than `MIN_SIDE`.
    """
    if min(shape[:2]) < MIN_SIDE:
        raise ImageError(
            f"{what} is {shape[0]} x {shape[1]} pixels; each side must "
            f"have at least {MIN_SIDE}. If the axes are in another order, move rows "
            "and columns to the front."
        )


def is_constant(array: npt.ArrayLike) -> bool:
    """Whether all values are equal: such an image holds nothing to color."""
    image = np.asarray(array)
    return bool(image.min() == image.max())


def filled(image: npt.NDArray[Any], known: npt.NDArray[np.bool_]) -> npt.NDArray[Any]:
    """Return an image with something dark (or bright) for what is not finite.

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
