"""Tiles of a plane: cores that cover it once, and windows that overlap."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from napari_gen2seg.common.types import Shape
from napari_gen2seg.errors import SettingsError

Box = tuple[int, int, int, int]
"""(row0, column0, row1, column1), half open, in pixels of the plane."""


@dataclass(frozen=True)
class Tile:
    """One tile.

    Attributes
    ----------
    number
        Its place in `TileGrid.tiles`.
    core
        What it answers for: every pixel lies in one core.
    window
        What is looked at: the core and a margin, within the plane.
    """

    number: int
    core: Box
    window: Box

    @property
    def window_slices(self) -> tuple[slice, slice]:
        """Rows and columns of the window."""
        r0, c0, r1, c1 = self.window
        return slice(r0, r1), slice(c0, c1)

    @property
    def core_slices(self) -> tuple[slice, slice]:
        """Rows and columns of the core."""
        r0, c0, r1, c1 = self.core
        return slice(r0, r1), slice(c0, c1)


@dataclass(frozen=True)
class TileGrid:
    """How a plane is cut into tiles.

    Attributes
    ----------
    shape
        (H, W) of the plane.
    side
        Of a core in pixels; those at the rim are smaller.
    margin
        How far a window reaches beyond its core, in pixels, at most half of `side`, so
        that only neighbors overlap.
    origin
        (row, column) of a corner where four cores meet; the result of a tiled search
        does not depend on it, which tests try.
    """

    shape: Shape
    side: int
    margin: int
    origin: tuple[int, int] = (0, 0)

    def __post_init__(self) -> None:
        if self.side < 2 or not 0 <= self.margin <= self.side // 2:
            raise SettingsError(
                f"Tiles have cores of {self.side} pixels and a margin of "
                f"{self.margin}; cores must have at least 2, and the margin at most "
                "half of a core."
            )

    @cached_property
    def rows(self) -> int:
        """How many rows of tiles there are."""
        return len(self._edges(0)) - 1

    @cached_property
    def columns(self) -> int:
        """How many columns of tiles there are."""
        return len(self._edges(1)) - 1

    def __len__(self) -> int:
        return self.rows * self.columns

    def _edges(self, axis: int) -> list[int]:
        length, first = self.shape[axis], self.origin[axis] % self.side
        inner = range(first or self.side, length, self.side)
        return [0, *inner, length]

    @cached_property
    def tiles(self) -> tuple[Tile, ...]:
        """All tiles, row by row."""
        down, across = self._edges(0), self._edges(1)
        found: list[Tile] = []
        for top, bottom in pairwise(down):
            for left, right in pairwise(across):
                window = (
                    max(top - self.margin, 0),
                    max(left - self.margin, 0),
                    min(bottom + self.margin, self.shape[0]),
                    min(right + self.margin, self.shape[1]),
                )
                core = (top, left, bottom, right)
                found.append(Tile(len(found), core, window))
        return tuple(found)

    def neighbors(self, number: int) -> Iterator[int]:
        """Return the tiles around one, up to two away.

        Two, since a core at the rim may be narrower than the margin.
        """
        row, column = divmod(number, self.columns)
        for r in range(max(row - 2, 0), min(row + 3, self.rows)):
            for c in range(max(column - 2, 0), min(column + 3, self.columns)):
                if (r, c) != (row, column):
                    yield r * self.columns + c


def meet(one: Box, other: Box) -> Box | None:
    """Return what two boxes share; None if that is nothing."""
    box = (
        max(one[0], other[0]),
        max(one[1], other[1]),
        min(one[2], other[2]),
        min(one[3], other[3]),
    )
    return box if box[0] < box[2] and box[1] < box[3] else None
