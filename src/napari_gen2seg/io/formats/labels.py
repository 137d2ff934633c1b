"""Labels in: whole numbers, an object a number, from whatever file holds them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_gen2seg.common.types import Int32Array
from napari_gen2seg.errors import DataError, ImageError
from napari_gen2seg.io.annotated import as_labels
from napari_gen2seg.io.formats.images import ImageFile, kind_of, open_numbers
from napari_gen2seg.io.formats.tiff import TiffImage

LABEL_ENDINGS = (".tif", ".tiff", ".png", ".npy", ".gif", ".bmp", ".btf", ".tf8")
"""Of files that keep numbers as they are."""


def read_labels(path: str | Path, series: int | None = None) -> Int32Array:
    """Read a label image.

    Parameters
    ----------
    path
        Of an indexed image the index counts, not the colors. Axes of length 1 are
        passed over; numbers stored as float are taken if they are whole.
    series
        Which image of a file with several.

    Returns
    -------
    numpy.ndarray
        int32 (H, W): 0 background, -1 unknown (also where the file has no data),
        objects from 1.

    Raises
    ------
    DataError
        If it is not one plane of whole numbers, or a format that changes numbers.
    StorageError, ImageError
        If it cannot be read.
    """
    source = Path(path)
    picture = open_numbers(source, series)
    _check_exact(picture)
    try:
        array = replace(picture, nothing=None).plane()
    except ImageError as error:
        raise DataError(f"The labels cannot be used: {error}") from error
    if array.ndim == 3 and _all_alike(array):
        array = array[..., 0]
    return as_labels(whole_numbers(_with_unknown(array, picture), str(path)))


def whole_numbers(array: NDArray[Any], named: str) -> NDArray[Any]:
    """Return labels as integers, or say why they are none.

    Parameters
    ----------
    array
        (H, W) booleans or integers, or floats that are whole; NaN is unknown.
    named
        What they are called in messages.

    Raises
    ------
    DataError
        If they are anything else.
    """
    if array.ndim != 2 or array.dtype.kind not in "buif":
        colors = " These look like colors." if array.ndim == 3 else ""
        raise DataError(
            f"{named} has the shape {array.shape} and type {array.dtype}; labels must "
            f"be one plane of whole numbers, 0 for background.{colors}"
        )
    if array.dtype.kind != "f":
        return array
    known = ~np.isnan(array)
    values = array[known]
    if values.size and (
        not np.isfinite(values).all() or (values != np.rint(values)).any()
    ):
        odd = values[~np.isfinite(values) | (values != np.rint(values))][0]
        raise DataError(
            f"{named} holds {odd:g}; labels must be whole numbers, 0 for background. "
            "Is it an image rather than labels?"
        )
    if values.size and np.abs(values).max() >= 2**63:
        raise DataError(
            f"{named} holds numbers beyond 64 bits; number the objects anew."
        )
    return np.where(known, array, -1).astype(np.int64)


def _check_exact(picture: ImageFile) -> None:
    """Refuse formats that change numbers when they store them."""
    source = picture.path
    jpeg = source.is_file() and kind_of(source) == "jpeg"
    lossy = isinstance(picture.pixels, TiffImage) and picture.pixels.lossy
    if jpeg or lossy or source.suffix.lower() in (".jpg", ".jpeg", ".webp"):
        kind = "WebP" if source.suffix.lower() == ".webp" else "JPEG"
        raise DataError(
            f"{source} is stored as {kind}, which changes numbers, so it cannot hold "
            "labels: one object becomes many. Save the labels as TIFF or PNG where "
            "they were made."
        )


def _all_alike(array: NDArray[Any]) -> bool:
    """Whether a color image is gray: numbers saved three times."""
    return bool((array == array[..., :1]).all())


def _with_unknown(array: NDArray[Any], picture: ImageFile) -> NDArray[Any]:
    """Mark where the file has no data, unless that is its background."""
    nothing = picture.nothing
    if not nothing or array.dtype.kind not in "uif" or array.ndim != 2:
        return array
    gaps = array == np.asarray(nothing).astype(array.dtype)
    if not gaps.any():
        return array
    array = array.astype(np.float64 if array.dtype.kind == "f" else np.int64)
    array[gaps] = -1
    return array
