"""Stored samples -> gray or RGB: what a file says that its numbers mean.

Sources: TIFF 6.0 (photometric interpretation, sections 4, 5, 16, 20, 21, 23) and the
Exif standard (orientation).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_gen2seg.errors import ImageError

Pixels = NDArray[Any]


def oriented(array: Pixels, axes: str, orientation: int) -> Pixels:
    """Turn an image upright.

    Parameters
    ----------
    array
        Any number of dimensions.
    axes
        One letter a dimension, ``Y`` and ``X`` among them.
    orientation
        1..8, as TIFF and Exif count; 1, and anything else, is upright already.
    """
    row, column = axes.index("Y"), axes.index("X")
    if orientation in (5, 6, 7, 8):
        array = np.swapaxes(array, row, column)
    flips = {2: (column,), 3: (row, column), 4: (row,), 6: (column,)}
    flips |= {7: (row, column), 8: (row,)}
    return np.flip(array, flips[orientation]) if orientation in flips else array


def inverted(array: Pixels, bits: int) -> Pixels:
    """Swap black and white of an image in which white is zero.

    Parameters
    ----------
    array
        bool, integers or floats.
    bits
        How many of an integer are used.
    """
    if array.dtype.kind == "b":
        return ~array
    if array.dtype.kind == "u":
        top = (1 << bits) - 1
        return np.asarray(array.dtype.type(top) - np.minimum(array, top))
    if array.dtype.kind == "i":
        return ~array  # -1 - v: the range of the type, the other way round
    known = array[np.isfinite(array)]
    low, high = (known.min(), known.max()) if known.size else (0, 0)
    top = 1 if low >= 0 and high <= 1 else high + low
    return np.asarray(array.dtype.type(top) - array)


def rgb_of_palette(index: Pixels, table: Pixels) -> NDArray[np.uint8]:
    """Look up colors.

    Parameters
    ----------
    index
        (..., Y, X) whole numbers.
    table
        (3, n) in 16 bits, as TIFF has them (some programs write 8).

    Returns
    -------
    numpy.ndarray
        uint8 (..., Y, X, 3).
    """
    colors = np.asarray(table)
    if colors.max(initial=0) > 255:
        colors = colors >> 8
    place = np.minimum(index, colors.shape[1] - 1).astype(np.intp)
    return np.ascontiguousarray(colors.T.astype(np.uint8))[place]


def is_ramp(table: Pixels) -> bool:
    """Whether a palette runs evenly from black to one color.

    Microscopes store a channel like this, with the color that it is shown in.
    """
    colors = np.asarray(table, np.float64)
    even = np.linspace(0, 1, colors.shape[1])
    return bool(
        colors.max(initial=0) > 0
        and np.abs(colors - colors[:, -1:] * even).max() < 0.02 * colors.max()
    )


def rgb_of_inks(inks: Pixels) -> Pixels:
    """Turn cyan, magenta, yellow, black (..., 4 or more) into RGB, as Pillow does."""
    if inks.shape[-1] < 4 or inks.dtype not in (np.uint8, np.uint16):
        return inks
    top = int(np.iinfo(inks.dtype).max)
    paper = np.uint32(top) - inks[..., :4]
    rgb = (paper[..., :3] * paper[..., 3:] + top // 2) // top
    return np.asarray(rgb, inks.dtype)


def rgb_of_ycbcr(values: Pixels) -> Pixels:
    """Turn luma and chroma (..., 3), uint8 or uint16, into RGB of the same type."""
    if values.dtype not in (np.uint8, np.uint16) or values.shape[-1] < 3:
        raise ImageError(
            f"YCbCr pixels have the type {values.dtype} and {values.shape[-1]} samples;"
            " they must be 3 of 8 or 16 bits. Save the picture as RGB."
        )
    top = int(np.iinfo(values.dtype).max)
    luma, blue, red = np.moveaxis(values[..., :3].astype(np.float32), -1, 0)
    blue, red = blue - (top + 1) // 2, red - (top + 1) // 2
    rgb = np.stack(
        [luma + 1.402 * red, luma - 0.344136 * blue - 0.714136 * red,
         luma + 1.772 * blue], -1
    )  # fmt: skip
    return np.rint(np.clip(rgb, 0, top)).astype(values.dtype)


def rgb_of_lab(values: Pixels, *, icc: bool) -> NDArray[np.uint8]:
    """Turn CIE L*a*b* (..., 3), uint8 or uint16, into sRGB.

    Parameters
    ----------
    icc
        Whether a* and b* are counted from the middle of the range, as ICC profiles
        do, rather than with a sign.
    """
    from skimage.color import lab2rgb

    if values.dtype not in (np.uint8, np.uint16, np.int8, np.int16):
        raise ImageError(
            f"CIELab pixels have the type {values.dtype}; they must have 8 or 16 bits. "
            "Save the picture as RGB."
        )
    wide = values.dtype.itemsize == 2
    unsigned: Pixels = values.view(np.uint16 if wide else np.uint8)
    lab = np.empty((*values.shape[:-1], 3), np.float32)
    top = 65535 if wide else 255
    if icc:
        # Of 16 bits the ICC's top is 0xFF00, and the middle 0x8000.
        lab[..., 0] = unsigned[..., 0] * (100 / (65280 if wide else 255))
        lab[..., 1:] = unsigned[..., 1:3] / (256 if wide else 1) - 128.0
    else:
        signed: Pixels = values.view(np.int16 if wide else np.int8)
        lab[..., 0] = unsigned[..., 0] * (100 / top)
        lab[..., 1:] = signed[..., 1:3] / (256 if wide else 1)
    # White is white: by the illuminant of sRGB, whichever the file's own was.
    rgb = lab2rgb(lab)
    return np.rint(np.clip(rgb, 0, 1) * 255).astype(np.uint8)


def without_gaps(array: Pixels, nothing: float) -> Pixels:
    """Give pixels without data the dark end of the others.

    Parameters
    ----------
    array
        (H, W) or (H, W, C).
    nothing
        The value that stands for no data; NaN is left to `core.image.rgb`.
    """
    gaps = array == np.asarray(nothing).astype(array.dtype)
    if not gaps.any() or gaps.all():
        return array
    array = array.copy()
    for place in [()] if array.ndim == 2 else [(..., c) for c in range(array.shape[2])]:
        plane, gap = array[place], gaps[place]
        if gap.any() and not gap.all():
            dark = np.percentile(plane[~gap], 0.1, method="lower")
            plane[gap] = dark
    return array
