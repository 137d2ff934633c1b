"""Where objects are in a label image, and which pixels were drawn over.

A box that is known to hold an object (from the table of objects, say) spares searching
the whole image for it; all tools take one as ``within``.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from napari_gen2seg.common.types import BoolArray, LabelArray, Shape
from napari_gen2seg.core.image.geometry import nearest_pixel
from napari_gen2seg.core.probe.mask import BBox
from napari_gen2seg.errors import DataError, PromptError

#: Diagonal neighbours belong together too, as for all labels here.
EIGHT = np.ones((3, 3), bool)


def check_labels(labels: LabelArray) -> None:
    """Refuse what is no two-dimensional label image.

    Raises
    ------
    DataError
        If its shape or type is another.
    """
    if labels.ndim != 2 or labels.dtype.kind not in "ui":
        raise DataError(
            f"The labels have the shape {labels.shape} and the type {labels.dtype}; "
            "they must be whole numbers (rows, columns). Give one plane of a stack."
        )


def window_of(
    labels: LabelArray,
    numbers: Sequence[int],
    within: BBox | None = None,
    margin: int = 0,
) -> tuple[BBox, LabelArray]:
    """Return the box around some objects and the labels in it.

    Parameters
    ----------
    labels
        int (H, W).
    numbers
        One or more objects; all must be there.
    within
        A box that holds them whole; the whole image if not given.
    margin
        Pixels around them, as far as the image goes.

    Returns
    -------
    tuple
        The box, and a view of the labels there.

    Raises
    ------
    PromptError
        If an object is not there.
    """
    check_labels(labels)
    r0, c0, r1, c1 = within or (0, 0, *labels.shape)
    r0, c0 = max(r0, 0), max(c0, 0)
    here = labels[r0:r1, c0:c1]
    extents = []
    for number in numbers:
        mine = here == number
        rows = np.flatnonzero(mine.any(axis=1)) if number > 0 else np.zeros(0, int)
        if not rows.size:
            raise PromptError(
                f"There is no object {number} in these labels; point at one of them."
            )
        cols = np.flatnonzero(mine.any(axis=0))
        extents.append((rows[0], cols[0], rows[-1] + 1, cols[-1] + 1))
    if not extents:
        raise PromptError("No object was named; point at one.")
    found = np.asarray(extents)
    low, high = found[:, :2].min(axis=0), found[:, 2:].max(axis=0)
    box = (
        max(int(low[0]) + r0 - margin, 0),
        max(int(low[1]) + c0 - margin, 0),
        min(int(high[0]) + r0 + margin, labels.shape[0]),
        min(int(high[1]) + c0 + margin, labels.shape[1]),
    )
    return box, labels[box[0] : box[2], box[1] : box[3]]


def stroke_pixels(
    stroke: npt.ArrayLike, shape: Shape
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Return the pixels under a stroke in the order drawn, each once.

    Parameters
    ----------
    stroke
        (n, 2) corners (row, column); one is a dot. What is outside is cut off.
    shape
        (H, W) of the image.

    Raises
    ------
    PromptError
        If there is no corner, or one is not a number.
    """
    from skimage.draw import line

    points = _corners(stroke, 1, "stroke")
    pixels = np.floor(points + 0.5).astype(np.intp)
    parts = [pixels[:1]]
    for (r0, c0), (r1, c1) in pairwise(pixels):
        parts.append(np.stack(line(r0, c0, r1, c1), axis=1)[1:])
    path = np.concatenate(parts)
    path = path[((path >= 0) & (path < shape)).all(axis=1)]
    _, first = np.unique(path @ (shape[1], 1), return_index=True)
    kept = path[np.sort(first)]
    return kept[:, 0], kept[:, 1]


def polygon_window(polygon: npt.ArrayLike, shape: Shape) -> tuple[BBox, BoolArray]:
    """Return the box of a polygon, and which of its pixels lie inside.

    Parameters
    ----------
    polygon
        (n, 2) corners (row, column), at least three; closed by itself.
    shape
        (H, W) of the image, by which it is cut off.

    Raises
    ------
    PromptError
        If there are fewer corners, or one is not a number.
    """
    from skimage.draw import polygon2mask

    corners = _corners(polygon, 3, "polygon")
    low = nearest_pixel(corners.min(axis=0), shape)
    high = nearest_pixel(corners.max(axis=0), shape) + 1
    box = (int(low[0]), int(low[1]), int(high[0]), int(high[1]))
    size = (box[2] - box[0], box[3] - box[1])
    return box, np.asarray(polygon2mask(size, corners - low), bool)


def touched_by(labels: LabelArray, stroke: npt.ArrayLike) -> list[int]:
    """Return the objects under a stroke, in the order in which it meets them.

    Parameters
    ----------
    labels
        int (H, W), 0 or less where no object is.
    stroke
        (n, 2) corners (row, column).
    """
    check_labels(labels)
    rows, cols = stroke_pixels(stroke, (labels.shape[0], labels.shape[1]))
    return [n for n in dict.fromkeys(labels[rows, cols].tolist()) if n > 0]


def next_number(labels: LabelArray) -> int:
    """Return a number that no object has: one more than the largest."""
    return max(int(labels.max(initial=0)), 0) + 1


def _corners(points: npt.ArrayLike, least: int, what: str) -> npt.NDArray[np.float64]:
    array = np.asarray(points, np.float64)
    if array.ndim != 2 or array.shape[1] != 2 or len(array) < least:
        raise PromptError(
            f"The {what} has the shape {array.shape}; it must be (row, column) "
            f"corners, at least {least}."
        )
    if not np.isfinite(array).all():
        raise PromptError(
            f"The {what} has a corner that is not a number; draw it anew."
        )
    return array
