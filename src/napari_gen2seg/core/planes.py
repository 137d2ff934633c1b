"""One 2-D picture out of whatever a layer holds.

Works on anything with ``shape`` and slicing: numpy, dask, zarr, memory maps, and
lists of pyramid levels. Only the plane itself is ever loaded.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_gen2seg.errors import ImageError

_FEW = 4  # an axis this short may hold channels


@dataclass(frozen=True)
class PlaneKey:
    """Names one plane of one layer; a value that can be a dictionary key.

    Attributes
    ----------
    source
        Name of the array or layer, for instance its ``unique_id`` as text.
    position
        Index along every axis; ``None`` along rows, columns and channels, which
        the plane spans.
    level
        Pyramid level, 0 = full size.
    """

    source: str
    position: tuple[int | None, ...] = ()
    level: int = 0


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


def levels_of(array: Any) -> tuple[Any, ...]:
    """Return the pyramid levels of an array; a plain array is its only level.

    A list, a tuple or napari's multiscale data count as a pyramid, largest first.

    Raises
    ------
    ImageError
        If the pyramid is empty.
    """
    if hasattr(array, "shape") and hasattr(array, "dtype"):
        if isinstance(array, Sequence):  # napari's MultiScaleData has both
            return tuple(array)
        return (array,)
    if isinstance(array, Sequence) and not isinstance(array, (str, bytes)):
        if len(array) and not hasattr(array[0], "shape"):
            return (np.asarray(array),)
        if not len(array):
            raise ImageError(
                "The pyramid has no level; give at least the full-size picture."
            )
        return tuple(array)
    return (np.asarray(array),)


def level_for(array: Any, longest: int) -> int:
    """Return the smallest pyramid level whose longer side is at least ``longest``.

    Parameters
    ----------
    array
        A pyramid or a plain array (then 0).
    longest
        Pixels wanted along the longer side.
    """
    levels = levels_of(array)
    axes = guess_axes(levels[0])
    chosen = 0
    for index, level in enumerate(levels):
        shape = level.shape
        if max(shape[axes.row], shape[axes.column]) >= longest:
            chosen = index
    return chosen


def guess_axes(array: Any, order: str | None = None, rgb: bool = False) -> PlaneAxes:
    """Tell which axes of an array are rows, columns and channels.

    Parameters
    ----------
    array
        Anything with ``shape`` of at least two axes.
    order
        One letter per axis, such as ``"TCZYX"`` or ``"YXS"``; ``C`` and ``S`` are
        channels. Without it: the last axis holds channels if it has 3 or 4 entries
        and the two before it are longer; else, with exactly three axes, the first
        holds channels if it has 2 to 4 entries and the others are at least eight
        times as long. Otherwise there are none and the last two axes are rows and
        columns.
    rgb
        The last axis is known to hold colours.

    Raises
    ------
    ImageError
        For fewer than two axes or an order that does not fit.
    """
    shape = tuple(int(n) for n in array.shape)
    if len(shape) < 2:
        raise ImageError(
            f"The array has the shape {shape}; a picture needs at least rows and "
            "columns."
        )
    if order is not None:
        return _from_letters(order.upper(), shape)
    last = len(shape) - 1
    if rgb or (
        len(shape) > 2 and shape[-1] in (3, 4) and min(shape[-3:-1]) > shape[-1]
    ):
        if len(shape) < 3:
            raise ImageError(
                f"The array has the shape {shape}; colours need a third axis."
            )
        return PlaneAxes(last - 2, last - 1, last)
    if len(shape) == 3 and 1 < shape[0] <= _FEW and min(shape[1:]) >= 8 * shape[0]:
        return PlaneAxes(1, 2, 0)
    return PlaneAxes(last - 1, last)


def plane_key(
    source: str, array: Any, axes: PlaneAxes, position: Sequence[int], level: int = 0
) -> PlaneKey:
    """Name the plane that lies at ``position``; spanned axes are ignored."""
    count = len(levels_of(array)[level].shape)
    place = _place(position, count)
    return PlaneKey(
        source,
        tuple(None if axis in axes.spanned else place[axis] for axis in range(count)),
        level,
    )


def read_plane(
    array: Any,
    axes: PlaneAxes | None = None,
    position: Sequence[int] = (),
    level: int = 0,
) -> npt.NDArray[Any]:
    """Load one plane and nothing else.

    Parameters
    ----------
    array
        numpy, dask, zarr or any array that can be sliced; or pyramid levels.
    axes
        See :func:`guess_axes`, which is asked without it.
    position
        Index along every axis of the full-size level, or only along the axes that
        a plane does not span, in order. On a smaller level it is scaled down.
    level
        Pyramid level, 0 = full size.

    Returns
    -------
    numpy.ndarray
        (rows, columns) or (rows, columns, channels), in memory.

    Raises
    ------
    ImageError
        For a level or position that does not exist.
    """
    levels = levels_of(array)
    if not 0 <= level < len(levels):
        raise ImageError(
            f"Pyramid level {level} does not exist; there are {len(levels)} "
            f"(0 to {len(levels) - 1})."
        )
    data, full = levels[level], levels[0]
    axes = axes or guess_axes(full)
    shape = tuple(int(n) for n in data.shape)
    if len(shape) <= max(axes.spanned):
        raise ImageError(
            f"The array has {len(shape)} axes; axis {max(axes.spanned)} does not exist."
        )
    place = _fill(position, axes, len(shape))
    index: list[int | slice] = []
    for axis, length in enumerate(shape):
        if axis in axes.spanned:
            index.append(slice(None))
            continue
        at, of = place[axis], int(full.shape[axis])
        if not -of <= at < of:
            raise ImageError(
                f"Position {at} along axis {axis} lies outside; the axis has {of} "
                f"planes (0 to {of - 1})."
            )
        index.append(min((at % of) * length // of, length - 1))
    plane = np.asarray(data[tuple(index)])
    kept = sorted(axes.spanned)
    wanted = [kept.index(axis) for axis in axes.spanned]
    return np.ascontiguousarray(np.transpose(plane, wanted))


def _place(position: Sequence[int], count: int) -> tuple[int, ...]:
    place = tuple(int(index) for index in position)
    if len(place) != count:
        raise ImageError(
            f"The position {place} has {len(place)} entries; it must have one for each "
            f"of the {count} axes."
        )
    return place


def _fill(position: Sequence[int], axes: PlaneAxes, count: int) -> tuple[int, ...]:
    """Return one index per axis; the axes a plane spans may be left out."""
    free = [axis for axis in range(count) if axis not in axes.spanned]
    if len(position) == count:
        return _place(position, count)
    if len(position) != len(free):
        raise ImageError(
            f"The position {tuple(position)} has {len(position)} entries; give one for "
            f"each of the {len(free)} axes beside rows, columns and channels."
        )
    place = [0] * count
    for axis, index in zip(free, position, strict=True):
        place[axis] = int(index)
    return tuple(place)


def _from_letters(order: str, shape: tuple[int, ...]) -> PlaneAxes:
    if len(order) != len(shape):
        raise ImageError(
            f'The axes "{order}" name {len(order)} axes; the array has {len(shape)} '
            f"(shape {shape})."
        )
    if order.count("Y") != 1 or order.count("X") != 1:
        raise ImageError(
            f'The axes "{order}" must hold Y (rows) and X (columns) once each.'
        )
    found = [index for index, letter in enumerate(order) if letter in "CS"]
    if len(found) > 1:
        raise ImageError(
            f'The axes "{order}" hold {len(found)} channel axes (C or S); one at most '
            "can be shown. Pick a channel along the others first."
        )
    return PlaneAxes(order.index("Y"), order.index("X"), found[0] if found else None)
