"""What was found in one tile: labels of its window, and facts of each object."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile
from zlib import error as ZlibError

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from napari_gen2seg.common.atomic import writing
from napari_gen2seg.common.types import Int32Array
from napari_gen2seg.core.tiling.grid import Box, Tile, TileGrid
from napari_gen2seg.errors import StorageError

FACTS = np.dtype(
    [
        ("label", np.int32),
        ("box", np.int64, 4),
        ("area", np.int64),
        ("score", np.float32),
        ("cut", np.bool_),
        ("own", np.bool_),
    ]
)
"""Of an object: its label in the window, its box in pixels of the plane, its pixels,
its score, whether the window cuts it, and whether its middle lies in the core."""

DAMAGED = (OSError, ValueError, KeyError, EOFError, BadZipFile, ZlibError)
"""What numpy and zip make of a file that is missing or damaged."""


@dataclass(frozen=True, eq=False)
class TileObjects:
    """The objects of one tile.

    Attributes
    ----------
    window
        Of the tile.
    labels
        int32, of the window: 0 background, objects from 1.
    facts
        A record of `FACTS` for each object, by rising label.
    """

    window: Box
    labels: Int32Array
    facts: npt.NDArray[Any]

    @classmethod
    def of(
        cls,
        tile: Tile,
        grid: TileGrid,
        labels: Int32Array,
        scores: npt.ArrayLike | None = None,
    ) -> TileObjects:
        """Take the labels of a tile's window.

        Parameters
        ----------
        tile, grid
            Where it is.
        labels
            int32, of the window.
        scores
            Of labels 1 to n, 0..1; all 1 if not given.
        """
        boxes = ndimage.find_objects(labels)
        areas = np.bincount(labels.ravel(), minlength=len(boxes) + 1)
        rates = np.ones(len(boxes)) if scores is None else np.asarray(scores, float)
        r0, c0, r1, c1 = tile.window
        top, left, bottom, right = tile.core
        height, width = grid.shape
        rows = []
        for label, place in enumerate(boxes, 1):
            if place is None:
                continue
            down, across = place
            box = (r0 + down.start, c0 + across.start, r0 + down.stop, c0 + across.stop)
            cut = (
                (box[0] == r0 > 0)
                or (box[1] == c0 > 0)
                or (box[2] == r1 < height)
                or (box[3] == c1 < width)
            )
            # The middle of the box, rounded down: the same whoever sees the object.
            row, column = (box[0] + box[2]) // 2, (box[1] + box[3]) // 2
            own = top <= row < bottom and left <= column < right
            rows.append((label, box, areas[label], rates[label - 1], cut, own))
        return cls(tile.window, labels, np.array(rows, FACTS))

    def part(self, box: Box) -> Int32Array:
        """Return the labels inside a box, in pixels of the plane, of the window."""
        r0, c0 = self.window[:2]
        return self.labels[box[0] - r0 : box[2] - r0, box[1] - c0 : box[3] - c0]

    def save(self, path: Path) -> None:
        """Write it whole or not at all.

        Raises
        ------
        StorageError
            If it cannot be written.
        """
        with writing(path) as draft, draft.open("wb") as file:
            np.savez_compressed(
                file, window=self.window, labels=self.labels, facts=self.facts
            )

    @classmethod
    def load(cls, path: Path) -> TileObjects:
        """Read what `save` wrote.

        Raises
        ------
        StorageError
            If it is missing or damaged.
        """
        try:
            with np.load(path, allow_pickle=False) as file:
                window = tuple(int(n) for n in file["window"])
                return cls(window, file["labels"], file["facts"])  # type: ignore[arg-type]
        except DAMAGED as error:
            raise StorageError(
                f"{path} is missing or damaged ({error}); delete its folder and begin "
                "again."
            ) from error
