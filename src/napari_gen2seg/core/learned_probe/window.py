"""The square of a map that the learned probe looks at, at a scale of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_gen2seg.common.types import Float32Array, Float64Array, Shape

SIDE = 128
"""Pixels along a window."""

Box = tuple[int, int, int, int]


@dataclass(frozen=True)
class Window:
    """``SIDE`` x ``SIDE`` samples of a map, evenly spaced.

    Attributes
    ----------
    center
        (row, column) of its middle, in pixels of the map; may be fractional.
    step
        Pixels of the map from one sample to the next, above 0.
    """

    center: tuple[float, float]
    step: float

    def places(self, axis: int) -> Float64Array:
        """Return where its samples lie along an axis, (SIDE,) in pixels of the map."""
        steps = (np.arange(SIDE) - (SIDE - 1) / 2) * self.step
        return np.asarray(steps + self.center[axis], np.float64)

    def within(self, points: npt.ArrayLike) -> Float64Array:
        """Return points (n, 2) of the map in pixels of the window, (n, 2)."""
        moved = np.asarray(points, float).reshape(-1, 2) - np.asarray(self.center)
        return np.asarray(moved / self.step + (SIDE - 1) / 2)

    def resembles(self, other: Window) -> bool:
        """Whether another shows nearly the same: a tenth aside, a quarter larger."""
        moved = np.abs(np.subtract(self.center, other.center)).max()
        return bool(
            0.8 <= self.step / other.step <= 1.25
            and moved <= 0.1 * SIDE * min(self.step, other.step)
        )

    def cut(self, frame: npt.NDArray[Any]) -> Float32Array:
        """Return what it sees of a frame.

        Smoothed where it shrinks. What lies beyond the frame repeats its rim.

        Parameters
        ----------
        frame
            (h, w, C), any number type.

        Returns
        -------
        numpy.ndarray
            float32 (C, SIDE, SIDE).
        """
        # Far more pixels than samples: every few of them are enough.
        stride = max(1, int(self.step / 2))
        weights, parts = [], []
        for axis in (0, 1):
            length = -(-frame.shape[axis] // stride)
            places = self.places(axis) / stride
            matrix, part = _matrix(places, self.step / stride, length)
            weights.append(matrix)
            parts.append(slice(part.start * stride, part.stop * stride, stride))
        region = frame[parts[0], parts[1]]
        planes = np.ascontiguousarray(np.moveaxis(region, -1, 0), np.float32)
        return np.asarray(weights[0] @ planes @ weights[1].T, np.float32)

    def covers(self, shape: Shape) -> npt.NDArray[np.bool_]:
        """Tell which of its samples lie on a frame (h, w); bool (SIDE, SIDE)."""
        rows, columns = (
            (self.places(axis) >= -0.5) & (self.places(axis) < shape[axis] - 0.5)
            for axis in (0, 1)
        )
        return np.asarray(rows[:, None] & columns)

    def nearest(self, frame: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return the nearest pixel of a frame (h, w) for each sample, (SIDE, SIDE)."""
        rows, columns = (
            np.clip(np.rint(self.places(axis)), 0, frame.shape[axis] - 1).astype(int)
            for axis in (0, 1)
        )
        return np.asarray(frame[rows[:, None], columns])

    def box(self, shape: Shape) -> Box:
        """Return the part of a map (h, w) that lies between its outermost samples."""
        first = [int(np.ceil(self.places(axis)[0])) for axis in (0, 1)]
        last = [int(np.floor(self.places(axis)[-1])) + 1 for axis in (0, 1)]
        low = [min(max(n, 0), shape[axis]) for axis, n in enumerate(first)]
        high = [max(min(n, shape[axis]), low[axis]) for axis, n in enumerate(last)]
        return low[0], low[1], high[0], high[1]

    def spread(self, values: Float32Array, shape: Shape) -> tuple[Float32Array, Box]:
        """Bring values of its samples back to the pixels of the map.

        Parameters
        ----------
        values
            float32 (SIDE, SIDE).
        shape
            (h, w) of the map.

        Returns
        -------
        tuple
            float32, bilinear, and the `box` in which it lies.
        """
        box = self.box(shape)
        matrices = []
        for axis in (0, 1):
            pixels = np.arange(box[axis], box[axis + 2], dtype=float)
            places = (pixels - self.center[axis]) / self.step + (SIDE - 1) / 2
            matrix, _ = _matrix(places, 1.0, SIDE, whole=True)
            matrices.append(matrix)
        spread = matrices[0] @ np.asarray(values, np.float32) @ matrices[1].T
        return np.asarray(spread, np.float32), box


def _matrix(
    places: Float64Array, step: float, length: int, whole: bool = False
) -> tuple[Float32Array, slice]:
    """Return (n, m) weights of m pixels of an axis for n places, and which pixels."""
    places = np.clip(places, 0, length - 1)
    reach = max(step, 1.0)
    first, last = 0, length
    if not whole:
        first = max(0, int(np.floor(places.min() - reach)))
        last = min(length, int(np.ceil(places.max() + reach)) + 1)
    pixels = np.arange(first, last)
    weights = np.maximum(0, 1 - np.abs(pixels - places[:, None]) / reach)
    weights /= weights.sum(axis=1, keepdims=True)
    return weights.astype(np.float32), slice(first, last)
