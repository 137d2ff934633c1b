"""What a coloring map may hold: read-only copies of it, or what is wrong with it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from napari_gen2seg.common.types import Shape
from napari_gen2seg.errors import ImageError


def map_values(values: npt.ArrayLike) -> npt.NDArray[np.float32]:
    """Return float32 (h, w, 3) in 0..255, read-only.

    Raises
    ------
    ImageError
        For another shape, NaN, infinite values or another range.
    """
    checked = _checked(values)
    if checked.shape[2] != 3:
        raise ImageError(
            f"The coloring map has the shape {checked.shape}; it must be "
            "(rows, columns, 3) with at least one pixel."
        )
    return checked


def further_maps(values: npt.ArrayLike, shape: Shape) -> npt.NDArray[np.float32]:
    """Return float32 (h, w, 3 n) or (h, w, 3 n + 1) in 0..255, read-only.

    Raises
    ------
    ImageError
        As `map_values`, and where (h, w) is not ``shape``.
    """
    checked = _checked(values)
    if checked.shape[:2] != shape or checked.shape[2] % 3 > 1:
        raise ImageError(
            f"The further maps have the shape {checked.shape}; beside a map of "
            f"{shape} pixels it must be {(*shape, '3 n')}, or one more channel for "
            "brightness."
        )
    return checked


def source_brightness(values: npt.ArrayLike, shape: Shape) -> npt.NDArray[np.uint8]:
    """Return uint8 (H, W), read-only.

    Raises
    ------
    ImageError
        Where (H, W) is not ``shape``.
    """
    if np.shape(values) != shape:
        raise ImageError(
            f"The picture's brightness has the shape {np.shape(values)}; it must be "
            f"{shape}, the source's."
        )
    picture = np.array(values, np.uint8, order="C")
    picture.flags.writeable = False
    return picture


def seen_image(values: npt.ArrayLike, shape: Shape) -> npt.NDArray[np.uint8]:
    """Return uint8 (h, w, 3), read-only.

    Raises
    ------
    ImageError
        Where (h, w) is not ``shape``, the map's.
    """
    image = np.array(values, np.uint8, order="C")
    if image.shape != (*shape, 3):
        raise ImageError(
            f"The image beside the map has the shape {image.shape}; it must be "
            f"{(*shape, 3)}, as the model saw it."
        )
    image.flags.writeable = False
    return image


def _checked(values: npt.ArrayLike) -> npt.NDArray[np.float32]:
    checked = np.array(values, np.float32, order="C")
    if checked.ndim != 3 or checked.size == 0:
        raise ImageError(
            f"The coloring map has the shape {checked.shape}; it must be "
            "(rows, columns, 3) with at least one pixel."
        )
    if not np.isfinite(checked).all():
        raise ImageError(
            "The coloring map holds NaN or infinite values; the model failed. "
            "Try float32 (dtype='fp32') or another picture."
        )
    if checked.min() < -0.01 or checked.max() > 255.01:
        raise ImageError(
            f"The coloring map ranges over {checked.min():g}..{checked.max():g}; "
            "its values must lie in 0..255."
        )
    np.clip(checked, 0, 255, out=checked)
    checked.flags.writeable = False
    return checked
