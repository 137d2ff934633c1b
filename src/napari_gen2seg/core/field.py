"""Cost of a pixel under given clicks, computed only where somebody looks."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from napari_gen2seg.core.flood import Box
from napari_gen2seg.core.geometry import Shape
from napari_gen2seg.core.prompts import Prompts
from napari_gen2seg.core.query import query_colours
from napari_gen2seg.core.settings import ProbeSettings

Floats = npt.NDArray[np.float32]
Bools = npt.NDArray[np.bool_]

_EDGE_REACH = 2  # map pixels to either side over which an edge is measured
_EDGE_LOW, _EDGE_HIGH = 20.0, 60.0  # colour steps where the barrier starts, is whole
_NEAR = 8.0  # colour units that being nearer to one click than another is worth


class CostField:
    """Colour distance to the clicks, in windows of a map.

    Parameters
    ----------
    planes
        float32 (3, h, w).
    prompts
        Checked clicks.
    settings
        Only ``query_radius``, ``edge_barrier`` and ``contiguous`` are read.
    """

    def __init__(
        self, planes: Floats, prompts: Prompts, settings: ProbeSettings
    ) -> None:
        self._planes = planes
        self._positive = prompts.positive
        self._negative = prompts.negative
        self.frame: Shape = prompts.shape
        self.size = prompts.shape[0] * prompts.shape[1]
        self._barrier = settings.edge_barrier and settings.contiguous
        scale = max(
            prompts.shape[0] / prompts.source_shape[0],
            prompts.shape[1] / prompts.source_shape[1],
        )
        radius = settings.query_radius * scale
        self._wanted = query_colours(planes, self._positive, radius)
        self._unwanted = query_colours(planes, self._negative, radius)

    def around(self, margin: int) -> Box:
        """Return the window of the positive clicks and ``margin`` pixels more."""
        low = np.maximum(self._positive.min(axis=0) - margin, 0)
        high = np.minimum(self._positive.max(axis=0) + margin + 1, self.frame)
        return int(low[0]), int(low[1]), int(high[0]), int(high[1])

    def grown(self, box: Box) -> Box:
        """Return the window twice as wide and high, cut at the frame."""
        rows, cols = (box[2] - box[0]) // 2 + 1, (box[3] - box[1]) // 2 + 1
        return (
            max(box[0] - rows, 0),
            max(box[1] - cols, 0),
            min(box[2] + rows, self.frame[0]),
            min(box[3] + cols, self.frame[1]),
        )

    @property
    def whole(self) -> Box:
        """The window that is the whole map."""
        return 0, 0, self.frame[0], self.frame[1]

    def extent(self, region: Bools, box: Box, step: int) -> Box:
        """Return a window of the map that holds a sampled region with a rim."""
        rows = np.flatnonzero(region.any(axis=1))
        cols = np.flatnonzero(region.any(axis=0))
        row, col = self._first(box, step)
        rim = 2 * step + 4
        return (
            max(row + int(rows[0]) * step - rim, 0),
            max(col + int(cols[0]) * step - rim, 0),
            min(row + int(rows[-1]) * step + rim + 1, self.frame[0]),
            min(col + int(cols[-1]) * step + rim + 1, self.frame[1]),
        )

    def block(self, box: Box) -> Floats:
        """Return the colours of a window, float32 (3, m, n); a view."""
        return self._planes[:, box[0] : box[2], box[1] : box[3]]

    def sampled(self, box: Box, step: int) -> tuple[Floats, npt.NDArray[np.intp]]:
        """Return the cost of every ``step``-th pixel of a window, and the seeds.

        The grid passes through the first positive click, so that it is a sample.

        Returns
        -------
        tuple
            float32 (m, n) cost: 0 at positive clicks, infinite where a negative
            click is nearer; and (k, 2) positions of the positive clicks in it.
        """
        row, col = self._first(box, step)
        cost = self._distance(row, col, box, step)
        if self._barrier:
            cost *= self._edges(row, col, box, step)
        seeds = np.rint((self._positive - (row, col)) / step).astype(np.intp)
        seeds = np.clip(seeds, 0, np.asarray(cost.shape) - 1)
        cost[seeds[:, 0], seeds[:, 1]] = 0
        return cost, seeds

    def distance(self, box: Box) -> Floats:
        """Return the distance of each pixel of a window, without the barrier."""
        return self._distance(box[0], box[1], box, 1)

    def unwanted_pixels(self, box: Box) -> npt.NDArray[np.intp]:
        """Return (n, 2) negative clicks inside a window, counted from its corner."""
        moved = self._negative - (box[0], box[1])
        inside = (moved >= 0) & (moved < (box[2] - box[0], box[3] - box[1]))
        found: npt.NDArray[np.intp] = moved[inside.all(axis=1)]
        return found

    def _first(self, box: Box, step: int) -> tuple[int, int]:
        row, col = self._positive[0]
        return (
            box[0] + (int(row) - box[0]) % step,
            box[1] + (int(col) - box[1]) % step,
        )

    def _distance(self, row: int, col: int, box: Box, step: int) -> Floats:
        block = self._planes[:, row : box[2] : step, col : box[3] : step]
        squared = _nearest(block, self._wanted)
        if len(self._negative):
            self._exclude(squared, block, row, col, step)
        return np.sqrt(squared, out=squared)

    def _exclude(
        self, squared: Floats, block: Floats, row: int, col: int, step: int
    ) -> None:
        """Make pixels infinitely far that are nearer to a negative click.

        Nearer in colour; where colours hardly differ, nearer in the picture: the
        distance between two clicks counts for ``_NEAR`` colour units.
        """
        rows = row + step * np.arange(block.shape[1], dtype=np.float32)
        cols = col + step * np.arange(block.shape[2], dtype=np.float32)
        gap = np.inf
        for one in self._positive.tolist():
            for other in self._negative.tolist():
                gap = min(gap, float(np.hypot(one[0] - other[0], one[1] - other[1])))
        weight = np.float32((_NEAR / max(gap, 1.0)) ** 2)
        kept = _nearest(block, self._wanted, self._positive, rows, cols, weight)
        lost = _nearest(block, self._unwanted, self._negative, rows, cols, weight)
        squared[lost <= kept] = np.inf
        seen = (self._negative - (row, col)) // step
        exact = ((self._negative - (row, col)) % step == 0).all(axis=1)
        inside = ((seen >= 0) & (seen < squared.shape)).all(axis=1) & exact
        squared[seen[inside, 0], seen[inside, 1]] = np.inf

    def _edges(self, row: int, col: int, box: Box, step: int) -> Floats:
        """Return 1..2 per sample: 2 on strong edges.

        The colours two pixels to either side are compared, so that a line up to
        three pixels wide, with the same colour left and right, is no edge.
        """
        steps = np.zeros((), np.float32)
        for axis, (start, stop) in enumerate(((row, box[2]), (col, box[3]))):
            last = self.frame[axis] - 1
            middle = np.arange(start, stop, step)
            before = np.maximum(middle - _EDGE_REACH, 0)
            after = np.minimum(middle + _EDGE_REACH, last)
            other = slice(col, box[3], step) if axis == 0 else slice(row, box[2], step)
            difference = (
                self._planes[:, after, other] - self._planes[:, before, other]
                if axis == 0
                else self._planes[:, other, after] - self._planes[:, other, before]
            )
            steps = steps + np.einsum("kij,kij->ij", difference, difference)
        barrier = np.sqrt(steps, dtype=np.float32)
        barrier -= np.float32(_EDGE_LOW)
        barrier /= np.float32(_EDGE_HIGH - _EDGE_LOW)
        np.clip(barrier, 0, 1, out=barrier)
        barrier += 1
        return barrier


def _nearest(
    block: Floats,
    colours: Floats,
    clicks: npt.NDArray[np.intp] | None = None,
    rows: Floats | None = None,
    cols: Floats | None = None,
    weight: np.float32 | None = None,
) -> Floats:
    """Squared distance of every pixel to the nearest colour (and click)."""
    best: Floats | None = None
    for index, colour in enumerate(colours):
        squared = np.square(block[0] - colour[0])
        squared += np.square(block[1] - colour[1])
        squared += np.square(block[2] - colour[2])
        if clicks is not None and rows is not None and cols is not None and weight:
            row, col = clicks[index]
            squared += weight * np.square(rows - np.float32(row))[:, None]
            squared += weight * np.square(cols - np.float32(col))[None, :]
        best = squared if best is None else np.minimum(best, squared, out=best)
    if best is None:
        return np.full(block.shape[1:], np.inf, np.float32)
    return best
