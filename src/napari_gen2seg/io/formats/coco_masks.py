"""Segmentations of COCO JSON: polygons and run lengths <-> masks.

Sources: the format as described at cocodataset.org ("Data format") and, for the
compressed run lengths, the behaviour of pycocotools, which the tests compare with.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from skimage.draw import polygon2mask

from napari_gen2seg.common.types import BoolArray, Shape
from napari_gen2seg.errors import DataError


def decode(segmentation: Any, height: int, width: int) -> BoolArray:
    """Turn one annotation's ``segmentation`` into a mask.

    Parameters
    ----------
    segmentation
        A list of polygons ``[x, y, x, y, ...]``, or run lengths as ``{"size": [h, w],
        "counts": [...]}``, counts plain or compressed to a string.
    height, width
        Of the picture, in pixels.

    Returns
    -------
    numpy.ndarray
        bool (height, width).

    Raises
    ------
    DataError
        If it is neither, or does not fit the picture.
    """
    if isinstance(segmentation, dict):
        return _decode_runs(segmentation, height, width)
    if segmentation is None:
        raise DataError(
            "It has no segmentation (perhaps only a box); it must have polygons or run "
            "lengths. Add them, or remove the annotation."
        )
    if not isinstance(segmentation, list):
        raise DataError(
            f"A COCO segmentation is {type(segmentation).__name__}; it must be a list "
            "of polygons or a dictionary with size and counts."
        )
    mask = np.zeros((height, width), bool)
    for polygon in segmentation:
        points = _numbers(polygon)
        if points.ndim != 1 or len(points) < 6 or len(points) % 2:
            raise DataError(
                f"A COCO polygon has {points.size} numbers; it must have x and y of at "
                "least three corners."
            )
        # COCO's corners lie on pixel edges, scikit-image's on pixel centres.
        corners = points.reshape(-1, 2)[:, ::-1] - 0.5
        mask |= polygon2mask((height, width), corners)
    return mask


def _numbers(polygon: Any) -> npt.NDArray[np.float64]:
    """Return a polygon's coordinates, or say which are none."""
    try:
        points = np.asarray(polygon, np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise DataError(
            f"A COCO polygon is {str(polygon)[:60]}; it must be a list of numbers, x "
            "and y in turn."
        ) from error
    if not np.isfinite(points).all():
        raise DataError("A COCO polygon has a corner at infinity, or at no number.")
    return points


def runs_of(counts: str | bytes) -> list[int]:
    """Unpack COCO's compressed run lengths.

    Five bits a character, lowest first, a sixth bit for "more follows"; from the
    fourth number on, each is the difference to the one before the last.
    """
    try:
        text = counts.encode("ascii") if isinstance(counts, str) else counts
    except UnicodeEncodeError as error:
        raise DataError("COCO run lengths have letters that none has.") from error
    numbers: list[int] = []
    place = 0
    while place < len(text):
        value, shift, more = 0, 0, True
        while more:
            if place >= len(text):
                raise DataError("COCO run lengths end in the middle of a number.")
            bits = text[place] - 48
            value |= (bits & 31) << shift
            shift += 5
            more = bool(bits & 32)
            place += 1
            if not more and bits & 16:
                value -= 1 << shift
        if len(numbers) > 2:
            value += numbers[-2]
        numbers.append(value)
    return numbers


def encode(window: BoolArray, corner: tuple[int, int], shape: Shape) -> dict[str, Any]:
    """Turn a mask into plain run lengths, which lose nothing.

    Parameters
    ----------
    window, corner
        The mask's bounding box, and the (row, column) of its first pixel.
    shape
        (H, W) of the image.

    Returns
    -------
    dict
        ``size`` and ``counts``, column by column, beginning with background.
    """
    height, width = shape
    (row, col), (rows, cols) = corner, window.shape
    columns = np.zeros((height, cols), bool)
    columns[row : row + rows] = window
    flat = columns.ravel(order="F")
    changes = np.flatnonzero(np.diff(flat)) + 1
    edges = np.concatenate([[0], changes, [flat.size]])
    counts = np.diff(edges).tolist()
    if flat.size and flat[0]:
        counts.insert(0, 0)
    counts[0] += col * height
    rest = (width - col - cols) * height
    if len(counts) % 2:
        counts[-1] += rest
    elif rest:
        counts.append(rest)
    return {"size": [height, width], "counts": [int(n) for n in counts]}


def _decode_runs(segmentation: dict[str, Any], height: int, width: int) -> BoolArray:
    counts, size = segmentation.get("counts"), segmentation.get("size")
    if not isinstance(size, list) or size != [height, width]:
        raise DataError(
            f"COCO run lengths are for {size}, but the picture is {height} x {width}."
        )
    runs = runs_of(counts) if isinstance(counts, (str, bytes)) else counts or []
    if not isinstance(runs, list) or not all(type(run) is int for run in runs):
        raise DataError(
            f"COCO run lengths are {str(runs)[:60]}; they must be whole numbers."
        )
    if sum(runs) != height * width or min(runs, default=0) < 0:
        raise DataError(
            f"COCO run lengths cover {sum(runs)} pixels, but the picture has "
            f"{height * width}; the annotation is damaged."
        )
    values = np.arange(len(runs)) % 2 == 1
    return np.repeat(values, runs).reshape(width, height).T
