"""Between source pixels and the pixels of a coloring map.

Pixel-centre convention: pixel ``i`` of ``n`` covers the part ``i/n .. (i+1)/n``
of the picture and its centre lies at ``(i + 0.5) / n``. So a source row ``r`` of
``H`` is row ``(r + 0.5) * h / H - 0.5`` of a map with ``h`` rows.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from napari_gen2seg.common.types import Float64Array, Shape
from napari_gen2seg.errors import PromptError


def rescale(points: npt.ArrayLike, source: Shape, target: Shape) -> Float64Array:
    """Map (row, column) points from pixels of ``source`` to those of ``target``.

    Parameters
    ----------
    points
        (..., 2) coordinates; may be fractional.
    source, target
        (rows, columns) of both grids.

    Returns
    -------
    numpy.ndarray
        float64, same shape as ``points``.
    """
    factor = np.asarray(target, np.float64) / np.asarray(source, np.float64)
    moved: Float64Array = (np.asarray(points, np.float64) + 0.5) * factor - 0.5
    return moved


def nearest_pixel(points: npt.ArrayLike, shape: Shape) -> npt.NDArray[np.intp]:
    """Round points to pixels and keep them inside ``shape``; (n, 2) integers."""
    rounded = np.floor(np.asarray(points, np.float64) + 0.5).astype(np.intp)
    return np.clip(rounded, 0, np.asarray(shape, np.intp) - 1)


def check_prompts(
    points: Any, signs: Any, shape: Shape, needs_positive: bool = True
) -> tuple[Float64Array, npt.NDArray[np.int8]]:
    """Return clicks as arrays, or say what is wrong with them.

    Parameters
    ----------
    points
        (n, 2) or (2,) rows and columns in source pixels.
    signs
        n values of +1 (keep) or -1 (leave out); ``None`` means all +1.
    shape
        (H, W) of the source.
    needs_positive
        Whether there must be a positive click.

    Raises
    ------
    PromptError
        For no positive click, a click outside, or arrays that do not fit.
    """
    try:
        rc = np.atleast_2d(np.asarray(points, np.float64))
    except (TypeError, ValueError) as error:
        raise PromptError(
            f"The clicks are {points!r}; they must be (row, column) pairs of numbers."
        ) from error
    if rc.size == 0:
        raise PromptError("There is no click; give at least one positive click.")
    if rc.ndim != 2 or rc.shape[1] != 2:
        raise PromptError(
            f"The clicks have the shape {rc.shape}; they must be (n, 2), one row and "
            "one column each. For a stack pick the plane first."
        )
    inside = (rc >= -0.5) & (rc < np.asarray(shape) - 0.5)
    if not inside.all():
        row, col = rc[~inside.all(axis=1)][0]
        raise PromptError(
            f"The click at row {row:g}, column {col:g} lies outside the picture of "
            f"{shape[0]} x {shape[1]} pixels; clicks must lie inside it."
        )
    try:
        given = np.ones(len(rc)) if signs is None else np.asarray(signs, np.float64)
    except (TypeError, ValueError) as error:
        raise PromptError(
            f"The signs are {signs!r}; they must be +1 (keep) or -1 (leave out)."
        ) from error
    sign = given.ravel()
    if len(sign) != len(rc):
        raise PromptError(
            f"There are {len(rc)} clicks and {len(sign)} signs; give one sign each."
        )
    if not np.isin(sign, (1, -1)).all():
        raise PromptError(
            f"The signs are {sign.tolist()}; each must be +1 (keep) or -1 (leave out)."
        )
    if needs_positive and not (sign > 0).any():
        raise PromptError(
            "Every click is negative; give at least one positive click on what to keep."
        )
    return rc, sign.astype(np.int8)
