"""Which window to look at: by the object's own size, as far as it is known."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from napari_gen2seg.common.types import BoolArray, Float32Array, Float64Array, Shape
from napari_gen2seg.core.learned_probe.window import SIDE, Box, Window

FINEST = 0.4
"""Pixels of the map a sample, at least."""

_ROOM = 1.9  # window's side in lengths of the object
_MOST_ROOM = 4.0  # the same in typical objects of the map, at the first look
_TRIMMED = 0.03  # share of a mask's pixels beyond its box on each side: leaks are thin
_AT_THE_RIM = 0.08  # share of the window's rim that the object may touch


def extent(region: BoolArray, box: Box) -> Box:
    """Return the box of nearly all of a region, bool (n, m), that lies in ``box``."""
    bounds = []
    for axis in (0, 1):
        share = np.cumsum(region.sum(axis=1 - axis)) / max(int(region.sum()), 1)
        low = int(np.searchsorted(share, _TRIMMED, side="right"))
        high = int(np.searchsorted(share, 1 - _TRIMMED)) + 1
        bounds.append((box[axis] + low, box[axis] + max(high, low + 1)))
    return bounds[0][0], bounds[1][0], bounds[0][1], bounds[1][1]


def window_about(
    box: Box, pixels: npt.NDArray[np.intp], typical: float | None = None
) -> Window:
    """Return a window for an object of known extent, its clicks inside.

    Parameters
    ----------
    box
        Where it lies in the map, as far as is known.
    pixels
        (n, 2), its clicks.
    typical
        Diameter of the map's typical objects, which limits a first look; the extent
        may be a leak's.
    """
    center: Float64Array = np.array([(box[0] + box[2]) / 2, (box[1] + box[3]) / 2])
    length = float(max(box[2] - box[0], box[3] - box[1]))
    if typical is not None and length * _ROOM > _MOST_ROOM * typical:
        length = _MOST_ROOM / _ROOM * typical
        # Of something so large only the surroundings of the click are looked at.
        center = pixels.mean(axis=0) + 0.5
    low, high = pixels.min(axis=0), pixels.max(axis=0) + 1
    spread = float((high - low).max())
    step = max(max(length * _ROOM, spread * 1.25) / SIDE, FINEST)
    half = 0.45 * step * SIDE
    center = np.clip(center, high - half, low + half)
    return Window((float(center[0]) - 0.5, float(center[1]) - 0.5), step)


def stepped_back(window: Window, pixels: npt.NDArray[np.intp]) -> Window:
    """Return twice a window that was doubtful, half-way to its clicks, (n, 2)."""
    place = pixels.mean(axis=0)
    center = tuple(
        (float(one) + float(at)) / 2
        for one, at in zip(window.center, place, strict=True)
    )
    return Window((center[0], center[1]), 2 * window.step)


def outgrown(logits: Float32Array, window: Window, shape: Shape) -> Window | None:
    """Return twice the window where an object runs into its rim, else None.

    Parameters
    ----------
    logits
        float32 (SIDE, SIDE), the answer in the window.
    window
        The window.
    shape
        (h, w) of the map: a window that sees all of it is never too small.
    """
    rows, columns = (window.places(axis)[[0, -1]] for axis in (0, 1))
    sees = [
        places[0] <= 0 and places[1] >= n - 1
        for places, n in zip((rows, columns), shape, strict=True)
    ]
    if all(sees):
        return None
    rim = np.zeros((SIDE, SIDE), bool)
    rim[[0, -1]] = rim[:, [0, -1]] = True
    rim &= window.covers(shape)
    if (logits[rim] > 0).sum() <= _AT_THE_RIM * 4 * SIDE:
        return None
    return Window(window.center, 2 * window.step)
