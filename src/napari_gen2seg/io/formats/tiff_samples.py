"""What the numbers of a TIFF's pages mean: axes, color, and which way up.

The stored samples of a page become gray or RGB, upright.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_gen2seg.errors import ImageError
from napari_gen2seg.io.formats.color_models import (
    inverted,
    is_ramp,
    oriented,
    rgb_of_inks,
    rgb_of_lab,
    rgb_of_palette,
    rgb_of_ycbcr,
)

if TYPE_CHECKING:
    from tifffile import TiffPageSeries

Pixels = NDArray[Any]

JPEG = (6, 7, 33007, 34892, 34934)
"""Compressions that change numbers: no labels are stored like this."""

_TO_RGB = (*JPEG, 33003, 33005, 50001, 50002, 52546)  # decoded to RGB already
_ORIENTATION, _RAMPS = 274, ("imagej",)
_FREE = "ZTVUWPLM"  # letters for axes that have no name, or one twice


def axes_of_page(series: TiffPageSeries) -> str:
    """Return the axes within one page, the last ones of the series."""
    return str(series.axes[-series.keyframe.ndim :])


def page_like(series: TiffPageSeries, numbers: bool) -> tuple[str, bool | None, Pixels]:
    """Return axes, color and an array like a page, of what the reader hands out.

    A page is developed of which only the corner is there; its size is put back.
    """
    axes = axes_of_page(series)
    sizes = series.keyframe.shape
    small = [min(n, 1) if a in "YX" else n for n, a in zip(sizes, axes, strict=True)]
    corner = np.zeros(small, series.dtype)
    page, page_axes, color = developed(corner, axes, series, numbers)
    letters = dict(zip(axes, sizes, strict=True))
    turned = orientation(series) in (5, 6, 7, 8)
    letters["Y"], letters["X"] = (
        (letters["X"], letters["Y"]) if turned else (letters["Y"], letters["X"])
    )
    shape = tuple(
        int(letters[a]) if a in "YX" else n
        for n, a in zip(page.shape, page_axes, strict=True)
    )
    whole = np.broadcast_to(page.dtype.type(0), shape)
    lead = str(series.axes[: series.ndim - len(axes)])
    named = _named(lead + page_axes)
    if named.endswith("YX") and _rows_as_pages(lead, page_axes, shape):
        named = named[:-3] + "YXC"  # planes three pixels wide they are not
    elif color is None and "C" in named:
        color = False
    return named, color, whole


def _rows_as_pages(lead: str, axes: str, shape: tuple[int, ...]) -> bool:
    return lead in ("Q", "I") and axes == "YX" and shape[-1] in (3, 4)


def _named(axes: str) -> str:
    """Give every axis a letter of its own; C are channels or samples."""
    if "S" in axes:  # samples of a pixel; whole channels beside them number planes
        axes = axes.replace("C", "Q").replace("S", "C")
    free = iter(letter for letter in _FREE if letter not in axes)
    named = ""
    for letter in axes:
        new = letter in "QI" or letter in named
        named += next(free, letter) if new else letter
    return named


def orientation(series: TiffPageSeries) -> int:
    """Return which way up the pages are stored, 1 (upright) to 8."""
    tag = series.keyframe.tags.get(_ORIENTATION)
    return int(tag.value) if tag is not None and isinstance(tag.value, int) else 1


def developed(
    raw: Pixels, axes: str, series: TiffPageSeries, numbers: bool
) -> tuple[Pixels, str, bool | None]:
    """Turn the stored samples of a page into gray or RGB, upright.

    Returns
    -------
    pixels, axes, color
        Samples, where there are several, are the last axis.
    """
    if "Y" not in axes or "X" not in axes:
        raise ImageError(
            f"The pages have the axes {axes}; rows and columns must be among them. "
            "Save the picture as plain TIFF."
        )
    page = series.keyframe
    if "S" in axes:
        raw = np.moveaxis(raw, axes.index("S"), -1)
        axes = axes.replace("S", "") + "S"
        alphas = sum(int(extra) in (1, 2) for extra in page.extrasamples)
        raw = raw[..., : raw.shape[-1] - alphas] if alphas < raw.shape[-1] else raw
        if raw.shape[-1] == 1:
            raw, axes = raw[..., 0], axes[:-1]
    color: bool | None = None
    if not numbers:
        raw, axes, color = _interpreted(raw, axes, series)
    return oriented(raw, axes, orientation(series)), axes, color


def _interpreted(
    raw: Pixels, axes: str, series: TiffPageSeries
) -> tuple[Pixels, str, bool | None]:
    """Apply the photometric interpretation."""
    from tifffile import PHOTOMETRIC

    page = series.keyframe
    kind, sampled = PHOTOMETRIC(page.photometric), axes.endswith("S")
    if kind == PHOTOMETRIC.MINISWHITE:
        return inverted(raw, int(page.bitspersample)), axes, False if sampled else None
    if kind == PHOTOMETRIC.PALETTE and page.colormap is not None:
        if series.kind in _RAMPS and is_ramp(page.colormap):
            return raw, axes, None
        return rgb_of_palette(raw, page.colormap), f"{axes}S", True
    if kind in (PHOTOMETRIC.LOGL, PHOTOMETRIC.LOGLUV, PHOTOMETRIC.ITULAB):
        raise ImageError(
            f"The picture is stored as {kind.name}, which is not read here. Save it as "
            "RGB."
        )
    if not sampled:
        return raw, axes, None
    if kind == PHOTOMETRIC.RGB:
        return raw[..., :3], axes, True if raw.shape[-1] >= 3 else None
    if kind == PHOTOMETRIC.SEPARATED:
        return rgb_of_inks(raw), axes, True
    if kind == PHOTOMETRIC.YCBCR:
        decoded = int(page.compression) in _TO_RGB
        return raw[..., :3] if decoded else rgb_of_ycbcr(raw), axes, True
    if kind in (PHOTOMETRIC.CIELAB, PHOTOMETRIC.ICCLAB):
        if raw.shape[-1] < 3:
            return raw, axes, None  # lightness alone
        return rgb_of_lab(raw, icc=kind == PHOTOMETRIC.ICCLAB), axes, True
    return raw, axes, False
