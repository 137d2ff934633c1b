"""Which axis of an array is what, and one plane at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_gen2seg.common.arguments import told
from napari_gen2seg.errors import ImageError, PromptError

Index = tuple[int, ...]
Window = tuple[slice, slice]
"""Rows and columns of a plane."""


@dataclass(frozen=True)
class Axes:
    """The axes of one array.

    Parameters
    ----------
    letters
        One for each dimension: ``Y`` and ``X`` once, ``C`` at most once.
    sizes
        The array's shape.
    """

    letters: str
    sizes: tuple[int, ...]

    @classmethod
    def of(cls, array: Any, letters: str | None = None) -> Axes:
        """Name the axes of an array.

        Raises
        ------
        ImageError
            If the letters do not fit the array.
        """
        shape = getattr(array, "shape", None)
        if not isinstance(shape, tuple):
            raise ImageError(
                f"The array is {told(array)}; it must be one of numpy, dask or zarr, "
                "with rows and columns."
            )
        sizes = tuple(int(size) for size in shape)
        if letters is None:
            letters = _usual(sizes)
        letters = letters.upper()
        if len(letters) != len(sizes):
            raise ImageError(
                f"The axes {letters!r} name {len(letters)} dimensions, but the array "
                f"has {len(sizes)}, of the lengths {sizes}. Give one letter for each."
            )
        if (
            letters.count("Y") != 1
            or letters.count("X") != 1
            or len(set(letters)) != len(letters)
        ):
            raise ImageError(
                f"The axes are {letters!r}; every letter must be there once, Y (rows) "
                "and X (columns) among them, such as YX, YXC, ZYX or TCYX."
            )
        return cls(letters, sizes)

    @property
    def leading(self) -> str:
        """The axes that number planes, in the array's order."""
        return "".join(letter for letter in self.letters if letter not in "YXC")

    @property
    def planes(self) -> tuple[int, ...]:
        """How many planes there are along each of them."""
        return tuple(self.sizes[self.letters.index(letter)] for letter in self.leading)

    @property
    def several(self) -> str:
        """What makes it more than one plane, in words; empty where it is one."""
        if all(size == 1 for size in self.planes):
            return ""
        return " x ".join(
            f"{size} along {letter}"
            for letter, size in zip(self.leading, self.planes, strict=True)
        )

    @property
    def shape(self) -> tuple[int, int]:
        """(H, W) of a plane."""
        return (
            self.sizes[self.letters.index("Y")],
            self.sizes[self.letters.index("X")],
        )

    def check(self, plane: Index) -> None:
        """Refuse a plane that is not there.

        Raises
        ------
        PromptError
            With what it must be.
        """
        if len(plane) != len(self.planes):
            raise PromptError(
                f"The plane {plane} has {len(plane)} numbers; it must have "
                f"{len(self.planes)}, one for each of the axes {self.leading!r} of the "
                f"lengths {self.planes}."
                if self.planes
                else f"The plane {plane} was named, but the array is a single picture; "
                "leave it out."
            )
        for place, size, letter in zip(plane, self.planes, self.leading, strict=True):
            if not 0 <= place < size:
                raise PromptError(
                    f"The plane is {place} on axis {letter}, which has {size}; it must "
                    f"be 0 to {size - 1}."
                )

    def read(
        self, array: Any, plane: Index, window: Window | None = None
    ) -> npt.NDArray[Any]:
        """Read one plane, or a window of it, and nothing else.

        Parameters
        ----------
        array
            numpy, dask, zarr or any array that can be sliced.
        plane
            Its place on each of the axes `leading`.
        window
            Rows and columns; None for all.

        Returns
        -------
        numpy.ndarray
            (H, W) or (H, W, C).
        """
        places = iter(plane)
        position = [0 if letter in "YXC" else next(places) for letter in self.letters]
        at = self.letters.index
        axes = PlaneAxes(at("Y"), at("X"), at("C") if "C" in self.letters else None)
        return read_plane(array, axes, position, window)

    @property
    def labels_shape(self) -> tuple[int, ...]:
        """The array's shape without channels: that of labels for it."""
        return tuple(
            size
            for letter, size in zip(self.letters, self.sizes, strict=True)
            if letter != "C"
        )

    def write(
        self,
        target: Any,
        plane: Index,
        labels: npt.NDArray[Any],
        window: Window | None = None,
    ) -> None:
        """Write the labels of one plane, or of a window of it, and nothing else.

        Parameters
        ----------
        target
            numpy, zarr or any array of the shape `labels_shape` whose parts can be
            assigned to.
        plane
            Which one.
        labels
            (H, W), of the plane or the window.
        window
            Rows and columns; None for all.
        """
        kept = [letter for letter in self.letters if letter != "C"]
        rows, columns = window or (slice(None), slice(None))
        spans = {"Y": rows, "X": columns}
        places = iter(plane)
        index = tuple(
            spans[letter] if letter in spans else next(places) for letter in kept
        )
        rows_first = kept.index("Y") < kept.index("X")
        target[index] = labels if rows_first else labels.T


def _usual(sizes: tuple[int, ...]) -> str:
    """Name axes as most arrays have them."""
    if len(sizes) < 2:
        raise ImageError(
            f"The array has the shape {sizes}; it must have rows and columns at least."
        )
    tail = "YXC" if len(sizes) > 2 and sizes[-1] in (3, 4) else "YX"
    before = len(sizes) - len(tail)
    if before > 2:
        raise ImageError(
            f"The array has {len(sizes)} dimensions, of the lengths {sizes}; say which "
            "is which with axes, such as 'TCZYX'."
        )
    return "TZ"[2 - before :] + tail


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
    array: Any,
    axes: PlaneAxes,
    position: Sequence[int],
    window: Window | None = None,
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
    window
        Rows and columns of the plane that are wanted; None for all.

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
            place = (axes.row, axes.column).index(axis) if axis != axes.channel else -1
            whole = window is None or place < 0
            index.append(slice(None) if whole else window[place])  # type: ignore[index]
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
