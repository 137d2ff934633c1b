"""One 2-D picture out of an array of any number of axes.

Works on anything with ``shape`` and slicing: numpy, dask, zarr, memory maps. Only the
plane itself is ever loaded.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_gen2seg.errors import ImageError


@dataclass(frozen=True)
class PlaneAxes:
    """Which axes of an array make a plane.

    Attributes
    ----------
    row, column
        Axes of the picture, counted from 0.
    channel
        Axis of the channels, or ``None``.
    """

    row: int
    column: int
    channel: int | None = None

    @property
    def spanned(self) -> tuple[int, ...]:
        """The axes that a plane spans."""
        axes = (self.row, self.column)
        return axes if self.channel is None else (*axes, self.channel)


def read_plane(
    array: Any, axes: PlaneAxes, position: Sequence[int]
) -> npt.NDArray[Any]:
    """Load one plane and nothing else.

    Parameters
    ----------
    array
        numpy, dask, zarr or any array that can be sliced.
    axes
        What the plane spans.
    position
        Index along every axis; along those that the plane spans it is ignored.

    Returns
    -------
    numpy.ndarray
        (rows, columns) or (rows, columns, channels), in memory.

    Raises
    ------
    ImageError
        For an axis or position that does not exist.
    """
    shape = tuple(int(n) for n in array.shape)
    if len(shape) <= max(axes.spanned):
        raise ImageError(
            f"The array has {len(shape)} axes; axis {max(axes.spanned)} does not exist."
        )
    if len(position) != len(shape):
        raise ImageError(
            f"The position {tuple(position)} has {len(position)} entries; it must have "
            f"one for each of the {len(shape)} axes."
        )
    index: list[int | slice] = []
    for axis, (at, length) in enumerate(zip(position, shape, strict=True)):
        if axis in axes.spanned:
            index.append(slice(None))
            continue
        if not -length <= at < length:
            raise ImageError(
                f"Position {at} along axis {axis} lies outside; the axis has {length} "
                f"planes (0 to {length - 1})."
            )
        index.append(int(at) % length)
    plane = np.asarray(array[tuple(index)])
    kept = sorted(axes.spanned)
    wanted = [kept.index(axis) for axis in axes.spanned]
    return np.ascontiguousarray(np.transpose(plane, wanted))
