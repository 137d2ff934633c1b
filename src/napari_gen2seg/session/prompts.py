"""Prompts: clicks read from the table beside a Points layer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_gen2seg.core.probe.mask import Mask

KEEP = 1
LEAVE_OUT = -1
INSIST = 2  # keep, however much the mask grows by it
DONE = 0  # in what was then changed by hand: a later click starts from that


@dataclass(frozen=True)
class Prompts:
    """The clicks of one object on one plane.

    Parameters
    ----------
    points
        (row, column) in source pixels.
    signs
        +1 keep, -1 leave out; as many as points.
    insisted
        Which of them, counted from 0, may let the mask grow as it likes.
    base
        What the object is, where it was made by hand: clicks start from it. None where
        the first click finds the object.
    """

    points: tuple[tuple[float, float], ...] = ()
    signs: tuple[int, ...] = ()
    insisted: tuple[int, ...] = ()
    base: Mask | None = None

    def __len__(self) -> int:
        return len(self.points)

    @property
    def positive(self) -> bool:
        """Whether there is anything to keep: a click that asks for it, or a base."""
        return self.base is not None or any(sign > 0 for sign in self.signs)

    @property
    def kept(self) -> tuple[tuple[float, float], ...]:
        """The clicks that keep."""
        return tuple(
            point for point, s in zip(self.points, self.signs, strict=True) if s > 0
        )

    def first(self, count: int) -> Prompts:
        """Return the first so many of them."""
        insisted = tuple(n for n in self.insisted if n < count)
        return Prompts(self.points[:count], self.signs[:count], insisted, self.base)

    def plus(self, point: tuple[float, float], sign: int) -> Prompts:
        """Return these prompts with one more click."""
        return Prompts(
            (*self.points, point),
            (*self.signs, sign),
            self.insisted,
            self.base,
        )

    def same(self, other: Prompts, near: float) -> bool:
        """Whether others are the same, give or take ``near`` pixels."""
        return (
            self.signs == other.signs
            and self.insisted == other.insisted
            and self.base is other.base
            and np.allclose(self.points, other.points, rtol=0, atol=near)
        )


def column(values: Any, count: int, default: int) -> npt.NDArray[np.int64]:
    """Read a features column that people may have edited or emptied.

    Parameters
    ----------
    values
        The column, or None where the table lacks it.
    count
        Rows there must be.
    default
        What stands for missing and unreadable entries.

    Returns
    -------
    numpy.ndarray
        int64 (count,).
    """
    result = np.full(count, default, np.int64)
    if values is None:
        return result
    for row, value in enumerate(list(values)[:count]):
        try:
            number = float(value)
        except (TypeError, ValueError):
            continue
        if np.isfinite(number):
            result[row] = round(number)
    return result


def read_prompts(
    points: npt.NDArray[Any],
    signs: npt.NDArray[np.int64],
    objects: npt.NDArray[np.int64],
    axes: Sequence[int],
    index: Sequence[int],
    current: int,
) -> Prompts:
    """Pick the clicks of one object on one plane out of the whole layer.

    Parameters
    ----------
    points
        (n, ndim) positions in pixels of the plane's array.
    signs, objects
        The two columns of the features table, (n,).
    axes
        The two axes of the plane.
    index
        Position on every axis (ndim); the plane's own two are not looked at.
    current
        The object.
    """
    table = np.asarray(points, np.float64).reshape(-1, len(index))
    chosen = (objects == current) & (signs != DONE)
    for axis, place in enumerate(index):
        if axis not in axes:
            chosen &= np.rint(table[:, axis]) == place
    rows = table[chosen][:, list(axes)]
    return Prompts(
        tuple((float(r), float(c)) for r, c in rows),
        tuple(LEAVE_OUT if sign < 0 else KEEP for sign in signs[chosen]),
        tuple(int(n) for n in np.flatnonzero(signs[chosen] >= INSIST)),
    )
