"""Cost of a pixel under given clicks, computed only where somebody looks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from napari_gen2seg.common.types import BoolArray, Float32Array, Shape
from napari_gen2seg.core.probe.flood import Box
from napari_gen2seg.core.probe.prompts import Prompts
from napari_gen2seg.core.probe.query_color import noise_around, query_colors
from napari_gen2seg.core.probe.settings import ProbeSettings
from napari_gen2seg.core.probe.sharpen import SharpMap

Pixels = npt.NDArray[np.intp]

BOUNDARY_MARGIN = 6
"""Map pixels around a mask that the clean-up looks at."""

_STRIP = 1 << 15  # pixels of a strip
_DARK = 48.0  # distance from black below which a colour may be background
_NEAR = 8.0  # colour units that being nearer to one click than another is worth


@dataclass(frozen=True, eq=False)
class Sample:
    """Costs on a grid of pixels of the map.

    Attributes
    ----------
    cost
        float32 (m, n); 0 at positive clicks, infinite where excluded.
    seeds
        (k, 2) places of the positive clicks in ``cost``.
    box
        Window of the map that the grid spans.
    row, col, step
        Pixel of the map at ``cost[0, 0]``, and pixels from one to the next.
    """

    cost: Float32Array
    seeds: Pixels
    box: Box
    row: int
    col: int
    step: int

    def extent(self, region: BoolArray, frame: Shape) -> Box:
        """Return a window of the map that holds a region of the grid with a rim."""
        rows = np.flatnonzero(region.any(axis=1))
        cols = np.flatnonzero(region.any(axis=0))
        rim = 2 * self.step + BOUNDARY_MARGIN
        return (
            max(self.row + int(rows[0]) * self.step - rim, 0),
            max(self.col + int(cols[0]) * self.step - rim, 0),
            min(self.row + int(rows[-1]) * self.step + rim + 1, frame[0]),
            min(self.col + int(cols[-1]) * self.step + rim + 1, frame[1]),
        )

    def spread(
        self, region: BoolArray, frame: Shape
    ) -> tuple[BoolArray, tuple[int, int]]:
        """Return a region of the grid as blocks of pixels, and their corner."""
        step = self.step
        row, col = self.row - step // 2, self.col - step // 2
        blocks = region.repeat(step, axis=0).repeat(step, axis=1)
        blocks = blocks[max(-row, 0) :, max(-col, 0) :]
        row, col = max(row, 0), max(col, 0)
        return blocks[: frame[0] - row, : frame[1] - col], (row, col)


class CostField:
    """Color distance to the clicks, in windows of a map.

    A pixel counts as near as its own colour or the sharpened map's says, whichever
    is nearer: the first keeps thin structures, the second blurred rims.

    Parameters
    ----------
    map_
        The map and its sharpened self.
    prompts
        Checked clicks.
    settings
        Only ``query_radius``, ``edge_barrier`` and ``contiguous`` are read.
    """

    def __init__(
        self, map_: SharpMap, prompts: Prompts, settings: ProbeSettings
    ) -> None:
        self._map = map_
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
        self._wanted = query_colors(map_, self._positive, radius)
        self._unwanted = query_colors(map_, self._negative, radius)

    @property
    def whole(self) -> Box:
        """The window that is the whole map."""
        return 0, 0, self.frame[0], self.frame[1]

    @property
    def noise(self) -> float:
        """Color units by which pixels near the clicks scatter."""
        return noise_around(self._map, self._positive, self._wanted)

    @property
    def brightness(self) -> float:
        """0..1: how far the clicked colors are from black, the background's."""
        return min(float(np.linalg.norm(self._wanted, axis=1).min()) / _DARK, 1.0)

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

    def block(self, box: Box) -> Float32Array:
        """Return the colors of a window, float32 (3, m, n); a view."""
        self._map.ensure(box)
        return self._map.planes[:, box[0] : box[2], box[1] : box[3]]

    def sampled(self, box: Box, step: int = 1) -> Sample:
        """Return the cost of every ``step``-th pixel of a window.

        The grid passes through the first positive click, so that it is a sample.
        """
        self._map.ensure(box)
        first = self._positive[0]
        row = box[0] + (int(first[0]) - box[0]) % step
        col = box[1] + (int(first[1]) - box[1]) % step
        here = (slice(row, box[2], step), slice(col, box[3], step))
        planes, sharp = self._map.planes[:, *here], self._map.sharp[:, *here]
        squared = nearest_color(planes, self._wanted)
        np.minimum(squared, nearest_color(sharp, self._wanted), out=squared)
        if len(self._negative):
            squared[self._excluded(sharp, row, col, step)] = np.inf
        cost = np.sqrt(squared, out=squared)
        if self._barrier:
            cost *= self._map.barrier[here]
        seeds = np.rint((self._positive - (row, col)) / step).astype(np.intp)
        seeds = np.clip(seeds, 0, np.asarray(cost.shape) - 1)
        cost[seeds[:, 0], seeds[:, 1]] = 0
        return Sample(cost, seeds, box, row, col, step)

    def distance(self, box: Box) -> Float32Array:
        """Return the distance by the map's own colors, infinite where excluded."""
        block = self.block(box)
        distance = nearest_color(block, self._wanted)
        np.sqrt(distance, out=distance)
        if len(self._negative):
            sharp = self._map.sharp[:, box[0] : box[2], box[1] : box[3]]
            distance[self._excluded(sharp, box[0], box[1], 1)] = np.inf
        return distance

    def unwanted_pixels(self, box: Box) -> Pixels:
        """Return (n, 2) negative clicks inside a window, counted from its corner."""
        moved = self._negative - (box[0], box[1])
        inside = (moved >= 0) & (moved < (box[2] - box[0], box[3] - box[1]))
        found: Pixels = moved[inside.all(axis=1)]
        return found

    def _excluded(
        self, sharp: Float32Array, row: int, col: int, step: int
    ) -> BoolArray:
        """Tell which pixels are nearer to a negative click than to a positive one.

        Nearer in colour; where colours hardly differ, nearer in the picture: the
        distance between two clicks counts for ``_NEAR`` colour units. By the
        sharpened map, so that the border lies in the middle of a blurred edge.
        """
        rows = row + step * np.arange(sharp.shape[1], dtype=np.float32)
        cols = col + step * np.arange(sharp.shape[2], dtype=np.float32)
        apart = self._positive[:, None] - self._negative[None]
        gap = max(float(np.hypot(apart[..., 0], apart[..., 1]).min()), 1.0)
        weight = np.float32((_NEAR / gap) ** 2)
        kept = nearest_color(sharp, self._wanted, (self._positive, rows, cols, weight))
        lost = nearest_color(
            sharp, self._unwanted, (self._negative, rows, cols, weight)
        )
        excluded: BoolArray = lost <= kept
        seen = (self._negative - (row, col)) // step
        exact = ((self._negative - (row, col)) % step == 0).all(axis=1)
        inside = ((seen >= 0) & (seen < excluded.shape)).all(axis=1) & exact
        excluded[seen[inside, 0], seen[inside, 1]] = True
        return excluded


def nearest_color(
    block: Float32Array,
    colors: Float32Array,
    places: tuple[Pixels, Float32Array, Float32Array, np.float32] | None = None,
) -> Float32Array:
    """Squared distance of every pixel to the nearest color, and its place."""
    best = np.full(block.shape[1:], np.inf, np.float32)
    # In strips that stay in the processor's cache: three times as fast where large.
    strip = max(1, _STRIP // max(block.shape[2], 1))
    for first in range(0, block.shape[1], strip):
        here = slice(first, first + strip)
        part, out = block[:, here], best[here]
        for index, color in enumerate(colors):
            squared = np.square(part[0] - color[0])
            for plane, value in zip(part[1:], color[1:], strict=True):
                squared += np.square(plane - value)
            if places is not None:
                clicks, rows, cols, weight = places
                down = np.square(rows[here] - np.float32(clicks[index, 0]))
                across = np.square(cols - np.float32(clicks[index, 1]))
                squared += weight * down[:, None]
                squared += weight * across[None]
            np.minimum(out, squared, out=out)
    return best
