"""Numbers for all objects of a plane, and the labels of one core at a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_gen2seg.common.types import Int32Array
from napari_gen2seg.core.tiling.found import TileObjects
from napari_gen2seg.core.tiling.grid import Tile, TileGrid, meet
from napari_gen2seg.core.tiling.seams import CLIPPED, WHOLE, Part


@dataclass(frozen=True, eq=False)
class Numbering:
    """Which number every object of a plane bears.

    Attributes
    ----------
    offsets
        int64 (tiles + 1,): the objects of tile n are numbered from ``offsets[n] + 1``,
        those first that no other tile sees.
    verdicts
        What became of the others; see `seams`. Sorted by tile and label.
    numbers
        int64, of each verdict; 0 for copies that are dropped.
    """

    offsets: npt.NDArray[np.int64]
    verdicts: npt.NDArray[Any]
    numbers: npt.NDArray[np.int64]

    @property
    def count(self) -> int:
        """How many objects there are."""
        return int(self.offsets[-1])

    @classmethod
    def of(cls, whole: Part) -> Numbering:
        """Number the objects of a part that is the whole plane."""
        found = whole.settled
        found = found[np.lexsort((found["label"], found["tile"]))]
        heads = (
            (found["verdict"] != 0)
            & (found["root_tile"] == found["tile"])
            & (found["root_label"] == found["label"])
        )
        tiles = len(whole.tiles)
        owned = np.bincount(found["tile"][heads], minlength=tiles) + whole.inner
        offsets = np.concatenate([[0], np.cumsum(owned)]).astype(np.int64)
        numbers = np.zeros(len(found), np.int64)
        # Heads of a tile are numbered in their order, after what no other tile sees.
        of_tile = found["tile"][heads]
        before = np.searchsorted(of_tile, of_tile)
        rank = np.arange(len(of_tile)) - before
        numbers[heads] = offsets[of_tile] + whole.inner[of_tile] + rank + 1
        key = found["tile"] * (np.int64(1) << 32) + found["label"]
        root = found["root_tile"] * (np.int64(1) << 32) + found["root_label"]
        kept = found["verdict"] != 0
        numbers[kept] = numbers[np.searchsorted(key, root[kept])]
        return cls(offsets, found, numbers)

    def of_tile(self, number: int) -> tuple[npt.NDArray[Any], npt.NDArray[np.int64]]:
        """Return the verdicts of a tile, and their numbers."""
        tiles = self.verdicts["tile"]
        span = slice(*np.searchsorted(tiles, (number, number + 1)))
        return self.verdicts[span], self.numbers[span]


def paint_core(
    tile: Tile,
    grid: TileGrid,
    numbering: Numbering,
    load: Callable[[int], TileObjects],
) -> Int32Array:
    """Return the labels of a tile's core.

    Parameters
    ----------
    tile, grid
        Which, and all tiles.
    numbering
        Of the plane.
    load
        Gives the objects of a tile.

    Returns
    -------
    numpy.ndarray
        int32, of the core. Where objects of two tiles overlap a little, the one with
        the better score is painted.
    """
    top, left = tile.core[:2]
    own = load(tile.number)
    verdicts, _ = numbering.of_tile(tile.number)
    seen_alone = ~np.isin(own.facts["label"], verdicts["label"])
    table = np.zeros(int(own.labels.max(initial=0)) + 1, np.int32)
    first = int(numbering.offsets[tile.number]) + 1
    table[own.facts["label"][seen_alone]] = first + np.arange(seen_alone.sum())
    core = table[own.part(tile.core)]
    pieces: list[tuple[Any, ...]] = []
    tiles = grid.tiles
    for number in (tile.number, *grid.neighbors(tile.number)):
        if meet(tiles[number].window, tile.core) is None:
            continue
        verdicts, numbers = numbering.of_tile(number)
        wanted = verdicts["verdict"] == WHOLE
        if number == tile.number:
            wanted |= verdicts["verdict"] == CLIPPED
        if not wanted.any():
            continue
        objects = own if number == tile.number else load(number)
        at = np.searchsorted(objects.facts["label"], verdicts["label"][wanted])
        for fact, given, verdict in zip(
            objects.facts[at], numbers[wanted], verdicts["verdict"][wanted], strict=True
        ):
            box = meet(tuple(int(n) for n in fact["box"]), tile.core)  # type: ignore[arg-type]
            if box is not None:
                place = tuple(-int(n) for n in fact["box"])
                rank = (verdict == WHOLE, float(fact["score"]), *place)
                mask = objects.part(box) == fact["label"]
                pieces.append((rank, int(given), box, mask))
    for _, given, (r0, c0, r1, c1), mask in sorted(pieces, key=lambda one: one[:2]):
        core[r0 - top : r1 - top, c0 - left : c1 - left][mask] = given
    return core
