"""Clicks as people make them, on annotated objects: where the probe learns from.

People click near the middle of things, and often enough not (RClicks, arXiv
2410.11722); trained on middles alone, a probe is good for middles alone.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from napari_gen2seg.common.types import BoolArray, Float32Array, Int32Array
from napari_gen2seg.core.learned_probe.inputs import Clicks, View, input_channels
from napari_gen2seg.core.learned_probe.window import SIDE, Window

_IN_THE_MIDDLE = 0.4  # share of first clicks
_LEFT_OUT_AT_ONCE = 0.2  # share of objects with clicks on neighbors from the start
_SMALLEST_ERROR = 12  # samples of the window, or nobody would correct it
_CLOSE, _WIDE = 0.6, 3.6  # window's side in lengths of the object
_FINEST, _COARSEST = 0.4, 3.0  # pixels of the map a sample


@dataclass(eq=False)
class ClickedObject:
    """An object of a crop with clicks, as the network is shown it.

    Attributes
    ----------
    image, values
        uint8 and float32 (h, w, 3), of the crop.
    view
        The window.
    object_there, known
        bool (SIDE, SIDE): the object, and where labels and image say something.
    area
        Of the whole object, in samples of the window.
    clicks
        On it.
    before
        float32 (SIDE, SIDE) in 0..1, the answer to all clicks but the last; or None.
    """

    image: npt.NDArray[np.uint8]
    values: Float32Array
    view: View
    object_there: BoolArray
    known: BoolArray
    area: float
    clicks: Clicks
    before: Float32Array | None = None

    def channels(self) -> Float32Array:
        """Return what the network reads, float32 (CHANNELS, SIDE, SIDE)."""
        return input_channels(
            self.view, self.clicks, self.image, self.values, self.before
        )

    def correct(self, probability: Float32Array, rng: np.random.Generator) -> bool:
        """Click where an answer, float32 (SIDE, SIDE), is wrong; False if nowhere."""
        found = probability > 0.5
        wrong = (found != self.object_there) & self.known
        pieces, count = ndimage.label(wrong, np.ones((3, 3)))
        if not count:
            return False
        sizes = np.bincount(pieces.ravel())
        sizes[0] = 0
        # Mostly the largest, as in tests; people take what they see first.
        chance = sizes.astype(float) ** (3.0 if rng.random() < 0.7 else 1.0)
        piece = int(rng.choice(len(sizes), p=chance / chance.sum()))
        if sizes[piece] < _SMALLEST_ERROR:
            return False
        row, column = _somewhere(pieces == piece, rng, 0.5)
        sign = 1 if self.object_there[row, column] else -1
        at = [
            int(np.clip(np.rint(self.view.window.places(axis)[n]), 0, most - 1))
            for axis, n, most in zip(
                (0, 1), (row, column), self.values.shape[:2], strict=True
            )
        ]
        self.clicks = self.clicks.plus((at[0], at[1]), sign)
        self.before = probability
        return True


def click_object(
    image: npt.NDArray[np.uint8],
    values: Float32Array,
    labels: Int32Array,
    number: int,
    rng: np.random.Generator,
) -> ClickedObject:
    """Click on an object of a crop for the first time.

    Parameters
    ----------
    image, values
        uint8 and float32 (h, w, 3): image and map.
    labels
        int32 (h, w), 0 background, -1 unknown.
    number
        The object's.
    rng
        The clicks and the window depend on it alone.
    """
    inside = labels == number
    clicked = _somewhere(inside, rng, _IN_THE_MIDDLE)
    window = _window(inside, clicked, rng)
    clicks = Clicks(np.array([clicked], np.intp), np.ones(1, np.int8))
    if rng.random() < _LEFT_OUT_AT_ONCE:
        for at in _on_neighbors(labels, number, window, rng):
            clicks = clicks.plus(at, -1)
    seen = window.nearest(labels)
    view = View.of(window, image, values)
    known = (seen >= 0) & view.on_image
    area = float(inside.sum()) / window.step**2
    return ClickedObject(image, values, view, seen == number, known, area, clicks)


def _window(
    inside: BoolArray, clicked: tuple[int, int], rng: np.random.Generator
) -> Window:
    """Return a window about a click or the object's middle, close or wide."""
    extent = [np.flatnonzero(inside.any(axis=1 - axis)) for axis in (0, 1)]
    length = max(float(np.ptp(places)) + 1 for places in extent)
    side = length * math.exp(rng.uniform(math.log(_CLOSE), math.log(_WIDE)))
    step = min(max(side / SIDE, _FINEST), _COARSEST)
    towards, center = rng.random(), []
    for axis in (0, 1):
        middle = (float(extent[axis][0]) + float(extent[axis][-1])) / 2
        place = clicked[axis] + towards * (middle - clicked[axis])
        place += rng.normal(0, 0.08 * step * SIDE)
        most = 0.42 * step * SIDE  # the click is to be in it
        center.append(min(max(place, clicked[axis] - most), clicked[axis] + most))
    return Window((center[0], center[1]), step)


def _somewhere(
    where: BoolArray, rng: np.random.Generator, middle: float
) -> tuple[int, int]:
    """Return the innermost pixel, one of the inner half, or any but the very rim."""
    depth = ndimage.distance_transform_edt(np.pad(where, 1))[1:-1, 1:-1]
    deepest = float(depth.max())
    kind = rng.random()
    if kind < middle:
        least = deepest
    else:
        least = 0.5 * deepest if kind < (1 + middle) / 2 else min(1.5, deepest)
    places = np.argwhere(depth >= least)
    row, column = places[int(rng.integers(len(places)))]
    return int(row), int(column)


def _on_neighbors(
    labels: Int32Array, number: int, window: Window, rng: np.random.Generator
) -> list[tuple[int, int]]:
    """Return one or two pixels of other objects in sight, or of the ground."""
    r0, c0, r1, c1 = window.box((labels.shape[0], labels.shape[1]))
    part = labels[r0:r1, c0:c1]
    others = np.unique(part[(part > 0) & (part != number)])
    found = []
    for _ in range(1 if rng.random() < 0.6 else 2):
        other = int(rng.choice(others)) if len(others) and rng.random() < 0.8 else 0
        where = part == other
        if where.any():
            row, column = _somewhere(where, rng, 0.2)
            found.append((row + r0, column + c0))
    return found
