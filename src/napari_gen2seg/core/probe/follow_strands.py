"""Follow a strand: fibers and cables whose color drifts along them.

A model that takes colours from waves of position paints an object in the mean of the
waves over it. Of a long thin object it sees too little at a time to know that mean, so
its colour drifts evenly, about as fast as the waves do, while its outline is sharp. No
tolerance finds such an object; a walk along its middle does: both ways from the click,
straight on where strands cross, to where the strand or the smooth change of colour
ends. The walk counts only if the colours along it did drift evenly. A row of touching
rods does not: there colours hold still and then leap.

The constants were chosen on drawn scenes of ten kinds and on training pictures of five;
`benchmarks/strands.py` prints what they give on others.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from napari_gen2seg.common.types import BoolArray, Float32Array
from napari_gen2seg.core.map.object_size import DARK
from napari_gen2seg.core.probe.mask import Mask
from napari_gen2seg.core.probe.prompts import Prompts

Pixel = tuple[int, int]
Window = tuple[BoolArray, Pixel]

_WIDEST = 16.0  # map pixels from the middle of a strand to its outline
_REACH = 8  # map pixels from a click to the middle of a strand
_LONG = 6.0  # widths; shorter things are bodies
_LEAP = 14.0  # colour units per map pixel beyond which colours do not drift
_PACE = 5.15  # the same at the median; waves of 96 pixels drift by 4.5
_EVEN = 0.78  # median over mean of the drift
_GUST = 2.4  # most of its ninth decile over its median
_MISSED = 0.6  # of a strand: masks this large are left as they are
_STEP = 4  # map pixels over which drift is measured
_STRAIGHT = 0.5  # cosine of the sharpest turn at a crossing
_MOST = 4_000_000  # map pixels; thinning larger maps takes too long
_AROUND = [(-1, -1), (-1, 0), (-1, 1), (0, -1), (0, 1), (1, -1), (1, 0), (1, 1)]


class Strands:
    """The strands of one map of a model that paints the background black.

    Parameters
    ----------
    values
        float32 (h, w, 3) in 0..255; not copied, must not change.
    """

    def __init__(self, values: Float32Array) -> None:
        self._values = values

    def prepare(self) -> None:
        """Do now what the first click would otherwise wait for."""
        if self._values.shape[0] * self._values.shape[1] <= _MOST:
            _ = self._middle

    def follow(self, mask: Mask, prompts: Prompts) -> Mask:
        """Return the strands under some clicks.

        Parameters
        ----------
        mask
            What the clicks have by colour.
        prompts
            The clicks; those that leave out correct the mask afterwards.

        Returns
        -------
        Mask
            ``mask`` itself where no positive click lies on a strand, or none that is
            much larger than it.
        """
        if self._values.shape[0] * self._values.shape[1] > _MOST:
            return mask
        found = [self._one((int(r), int(c))) for r, c in prompts.positive]
        strands = [strand for strand in found if strand is not None]
        if not strands:
            return mask
        window, corner = _together(strands)
        known = (mask.crop, (mask.bbox[0], mask.bbox[1]))
        both, corner = _together([(window, corner), known])
        area = np.count_nonzero(window)
        shared = area + mask.area - np.count_nonzero(both)
        if shared >= _MISSED * area:
            return mask
        if len(strands) == len(found):  # else other clicks keep what they have
            both, corner = _together(strands)
        whole = Mask.from_window(both, corner, mask.shape, mask.source_shape)
        return replace(mask, crop=whole.crop, bbox=whole.bbox, exact=True)

    def _one(self, click: Pixel) -> Window | None:
        start = self._start(click)
        if start is None or self._middle.depth[start] > _WIDEST:
            return None
        path = _Walk(self._middle, start).path
        depth = self._middle.depth[path[:, 0], path[:, 1]]
        width = float(np.median(depth))
        if len(path) < max(2 * _LONG * width, 3 * _STEP) or not self._drifts(path):
            return None
        return self._body(path, width)

    def _drifts(self, path: npt.NDArray[np.intp]) -> bool:
        colors = self._middle.smooth[path[:, 0], path[:, 1]]
        pace = np.linalg.norm(colors[_STEP:] - colors[:-_STEP], axis=1) / _STEP
        middle = float(np.median(pace))
        return bool(
            middle <= _PACE
            and middle >= _EVEN * pace.mean()
            and np.quantile(pace, 0.9) <= _GUST * middle
        )

    def _body(self, path: npt.NDArray[np.intp], width: float) -> Window:
        """Return what belongs to a middle: as wide and half as bright as it is."""
        rim = int(2 * width) + 3
        low = np.maximum(path.min(axis=0) - rim, 0)
        high = path.max(axis=0) + rim + 1
        here = (slice(low[0], high[0]), slice(low[1], high[1]))
        off = np.ones(self._middle.depth[here].shape, bool)
        off[path[:, 0] - low[0], path[:, 1] - low[1]] = False
        away, (rows, cols) = ndimage.distance_transform_edt(off, return_indices=True)
        depth = np.minimum(self._middle.depth[here][rows, cols], 1.6 * width)
        bright = np.linalg.norm(self._values[here], axis=-1)
        body = (away <= depth + 1) & (bright > 0.5 * bright[rows, cols])
        return body, (int(low[0]), int(low[1]))

    def _start(self, click: Pixel) -> Pixel | None:
        """Return the pixel of a middle that is nearest to a click on a strand."""
        corner = np.maximum(np.subtract(click, _REACH), 0)
        end = np.add(click, _REACH + 1)
        near = self._middle.line[corner[0] : end[0], corner[1] : end[1]]
        places = np.argwhere(near) + corner
        if not len(places):
            return None
        away = np.hypot(*(places - click).T)
        row, col = (int(n) for n in places[np.argmin(away)])
        beside = away.min() > self._middle.depth[row, col] + 1.5
        return None if beside else (row, col)

    @cached_property
    def _middle(self) -> _Middle:
        from skimage.morphology import skeletonize

        bright = np.einsum("ijk,ijk->ij", self._values, self._values) > DARK**2
        # A rim of nothing, so that the frame ends what it cuts.
        depth = ndimage.distance_transform_edt(np.pad(bright, 1))[1:-1, 1:-1]
        # Bodies are left out: thinning them takes as many rounds as they are deep.
        deep = depth > 2 * _WIDEST
        if deep.any():
            bright &= ndimage.distance_transform_edt(~deep) > 2 * _WIDEST
        line = skeletonize(bright)
        crowd = ndimage.convolve(line.astype(np.uint8), np.ones((3, 3), np.uint8))
        fork = line & (crowd >= 4)
        return _Middle(
            line,
            depth.astype(np.float32),
            ndimage.distance_transform_edt(~fork).astype(np.float32)
            if fork.any()
            else np.full(line.shape, np.inf, np.float32),
            ndimage.uniform_filter(self._values, (3, 3, 1), mode="nearest"),
        )


@dataclass(frozen=True, eq=False)
class _Middle:
    """The thinned foreground.

    Attributes
    ----------
    line
        bool (h, w): where strands run.
    depth, fork
        float32 (h, w): map pixels to the background, and to the nearest fork.
    smooth
        float32 (h, w, 3): mean colours of three by three pixels.
    """

    line: BoolArray
    depth: Float32Array
    fork: Float32Array
    smooth: Float32Array


class _Walk:
    """A walk along a middle, both ways from one of its pixels."""

    def __init__(self, middle: _Middle, start: Pixel) -> None:
        self._middle = middle
        self._start = start
        self._seen = {start}
        self._width = float(middle.depth[start])

    @property
    def path(self) -> npt.NDArray[np.intp]:
        """(n, 2) pixels in their order."""
        ways = self._next(self._start)
        self._seen.update(ways)
        if len(ways) > 1:  # of a start on a fork, the two most opposite ways
            ends = np.array([self._ahead(self._start, way, 12) for way in ways], float)
            ends -= self._start
            ends /= np.linalg.norm(ends, axis=1, keepdims=True) + 1e-9
            first, last = np.unravel_index(np.argmin(ends @ ends.T), (len(ends),) * 2)
            ways = [ways[int(first)], ways[int(last)]] if first != last else ways[:1]
        sides = [self._side(way) for way in ways] + [[], []]
        path = [*reversed(sides[1]), self._start, *sides[0]]
        return np.asarray(path, np.intp)

    def _side(self, way: Pixel) -> list[Pixel]:
        middle, path = self._middle, [self._start, way]
        while True:
            here = path[-1]
            ways = self._next(here)
            if not ways:
                break
            onward = ways[0] if len(ways) == 1 else self._straight(path, ways)
            if onward is None or middle.depth[onward] > 2.2 * self._width:
                break
            crossing = middle.fork[onward] <= max(5.0, 2 * self._width)
            if not crossing and self._leaps(path, onward):
                break
            self._seen.add(onward)
            path.append(onward)
        return path[1:]

    def _straight(self, path: list[Pixel], ways: list[Pixel]) -> Pixel | None:
        """Return the way that turns least from where the path came from."""
        here = path[-1]
        back = max(6, int(3 * self._middle.depth[here]))
        came = np.subtract(here, path[-min(len(path), back)]).astype(float)
        best, chosen = _STRAIGHT, None
        for way in ways:
            goes = np.subtract(self._ahead(here, way, back), here).astype(float)
            lengths = np.linalg.norm(goes) * np.linalg.norm(came) + 1e-9
            if goes @ came / lengths >= best:
                best, chosen = float(goes @ came / lengths), way
        return chosen

    def _ahead(self, here: Pixel, way: Pixel, steps: int) -> Pixel:
        """Return where a way leads, taking the straightest turns."""
        gone = {here, *self._next(here)}
        for _ in range(steps):
            ways = [other for other in self._next(way) if other not in gone]
            if not ways:
                break
            gone.update(ways)
            row, col = way[0] - here[0], way[1] - here[1]
            at = way
            way = max(ways, key=lambda p: (p[0] - at[0]) * row + (p[1] - at[1]) * col)
        return way

    def _leaps(self, path: list[Pixel], onward: Pixel) -> bool:
        before = path[-min(len(path), _STEP)]
        change = self._middle.smooth[onward] - self._middle.smooth[before]
        apart = max(math.dist(onward, before), 1.0)
        return float(change @ change) > (_LEAP * apart) ** 2

    def _next(self, here: Pixel) -> list[Pixel]:
        line = self._middle.line
        height, width = line.shape
        return [
            (row, col)
            for row, col in ((here[0] + r, here[1] + c) for r, c in _AROUND)
            if 0 <= row < height
            and 0 <= col < width
            and line[row, col]
            and (row, col) not in self._seen
        ]


def _together(windows: list[Window]) -> Window:
    """Return the union of some windows."""
    if len(windows) == 1:
        return windows[0]
    low = np.min([corner for _, corner in windows], axis=0)
    high = np.max([np.add(corner, window.shape) for window, corner in windows], axis=0)
    union = np.zeros(high - low, bool)
    for window, corner in windows:
        row, col = np.subtract(corner, low)
        union[row : row + window.shape[0], col : col + window.shape[1]] |= window
    return union, (int(low[0]), int(low[1]))
