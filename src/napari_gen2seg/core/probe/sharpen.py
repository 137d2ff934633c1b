"""A coloring map with its blurred edges made steps, tile by tile, when needed.

Models blur the border between two objects over a few pixels. Those pixels have
the colour of neither, so a flood at a small tolerance stops short of the edge and
the area creeps up with the tolerance instead of holding still. Here every pixel
walks up to four steps downhill on the gradient of the map, to the flat ground on
its own side of the edge, and takes the (lightly smoothed) colour found there.

A step that changes the colour more than the step in the opposite direction would is
not taken: on the slope of a blurred edge the way down is the gentler one, whereas
leaving a thin line, or a thin dark rim between two objects, is a jump.

This is the idea of a shock filter (Osher and Rudin 1990), done in one go.
"""

from __future__ import annotations

import numpy as np

from napari_gen2seg.common.types import Float32Array

_TILE = 192  # pixels along a tile
_DOUBLINGS = 2  # twice one step, doubled: four steps
_REACH = 2**_DOUBLINGS + 2  # pixels around a tile that have a say in it
_PAIRS = (((0, 1), (0, -1)), ((1, 0), (-1, 0)), ((1, 1), (-1, -1)), ((1, -1), (-1, 1)))
_GENTLER = 1.1  # squared change on a step beside that on the opposite step
_CALM = 36.0  # squared change that is always gentle: six colour units
_EDGE_LOW, _EDGE_HIGH = 20.0, 60.0  # steps where the barrier starts and is whole


class SharpMap:
    """Planes of a map and of its sharpened self, computed where somebody looks.

    Parameters
    ----------
    values
        float32 (h, w, 3).

    Attributes
    ----------
    planes
        float32 (3, h, w), the map as it is.
    sharp
        float32 (3, h, w), the sharpened map.
    barrier
        float32 (h, w), 1 in flat regions to 2 on the pixels before a strong edge.

    All three hold numbers only where :meth:`ensure` has been asked for them.
    """

    def __init__(self, values: Float32Array) -> None:
        self._values = values
        height, width = values.shape[:2]
        self.shape = (int(height), int(width))
        self.planes: Float32Array = np.empty(
            (values.shape[2], height, width), np.float32
        )
        self.sharp: Float32Array = np.empty(
            (values.shape[2], height, width), np.float32
        )
        self.barrier: Float32Array = np.empty((height, width), np.float32)
        self._done = np.zeros((-(-height // _TILE), -(-width // _TILE)), bool)

    def ensure(self, box: tuple[int, int, int, int]) -> None:
        """Make sure that the window (row0, column0, row1, column1) is computed."""
        rows = range(box[0] // _TILE, -(-box[2] // _TILE))
        cols = range(box[1] // _TILE, -(-box[3] // _TILE))
        window = self._done[rows.start : rows.stop, cols.start : cols.stop]
        if window.all():
            return
        for row in rows:
            for col in cols:
                if not self._done[row, col]:
                    self._compute(row * _TILE, col * _TILE)
                    self._done[row, col] = True

    def _compute(self, row: int, col: int) -> None:
        height, width = self.shape
        stop_row, stop_col = min(row + _TILE, height), min(col + _TILE, width)
        # One more than the reach, since the barrier looks one pixel ahead.
        r0, c0 = max(row - _REACH, 0), max(col - _REACH, 0)
        r1, c1 = min(stop_row + _REACH + 1, height), min(stop_col + _REACH + 1, width)
        block = np.ascontiguousarray(np.moveaxis(self._values[r0:r1, c0:c1], 2, 0))
        sharp = sharpened(block)
        inner = (slice(row - r0, stop_row - r0), slice(col - c0, stop_col - c0))
        place = (slice(row, stop_row), slice(col, stop_col))
        self.planes[:, *place] = block[:, *inner]
        self.sharp[:, *place] = sharp[:, *inner]
        self.barrier[place] = _barrier(sharp)[inner]


def sharpened(planes: Float32Array) -> Float32Array:
    """Return the planes, float32 (3, h, w), with blurred edges made steps."""
    height, width = planes.shape[1:]
    framed = np.pad(planes, ((0, 0), (1, 1), (1, 1)), mode="edge")
    smooth, steep = _smooth_and_steep(framed)
    around = np.pad(steep, 1, constant_values=np.inf)
    lowest = steep
    # Where to walk, as an offset between flat indices; 0 stays.
    walk = np.zeros((height, width), np.intp)
    for ahead, behind in _PAIRS:
        there, back = _jump(framed, ahead), _jump(framed, behind)
        for (down, right), change, opposite in (
            (ahead, there, back),
            (behind, back, there),
        ):
            other = _shifted(around, down, right)
            taken = (other < lowest) & (change <= _GENTLER * opposite + _CALM)
            lowest = np.where(taken, other, lowest)
            np.copyto(walk, down * width + right, where=taken)
    target = walk.ravel()
    target += np.arange(height * width)
    for _ in range(_DOUBLINGS):
        target = target[target]
    found: Float32Array = np.take(smooth.reshape(len(planes), -1), target, axis=1)
    return found.reshape(planes.shape)


def _shifted(framed: Float32Array, down: int, right: int) -> Float32Array:
    """Return what lies ``down`` and ``right`` of each pixel inside a frame of one."""
    rows, cols = framed.shape[-2] - 2, framed.shape[-1] - 2
    return framed[..., 1 + down : 1 + down + rows, 1 + right : 1 + right + cols]


def _jump(framed: Float32Array, way: tuple[int, int]) -> Float32Array:
    """Return the squared change of color on a step in one direction."""
    change = _shifted(framed, *way) - framed[:, 1:-1, 1:-1]
    squared: Float32Array = np.einsum("kij,kij->ij", change, change)
    return squared


def _smooth_and_steep(framed: Float32Array) -> tuple[Float32Array, Float32Array]:
    """Return the planes smoothed by (1 2 1)/4 both ways, and the squared gradient."""
    tall = framed[:, :-2] + framed[:, 2:]
    tall += 2 * framed[:, 1:-1]
    smooth = tall[:, :, :-2] + tall[:, :, 2:]
    smooth += 2 * tall[:, :, 1:-1]
    smooth *= np.float32(1 / 16)
    down = framed[:, 2:, 1:-1] - framed[:, :-2, 1:-1]
    right = framed[:, 1:-1, 2:] - framed[:, 1:-1, :-2]
    steep = np.einsum("kij,kij->ij", down, down)
    steep += np.einsum("kij,kij->ij", right, right)
    return smooth, steep


def _barrier(sharp: Float32Array) -> Float32Array:
    """Return 1..2 per pixel, by the step to the pixel below or to the right."""
    step = np.zeros(sharp.shape[1:], np.float32)
    down = np.square(np.diff(sharp, axis=1)).sum(axis=0)
    right = np.square(np.diff(sharp, axis=2)).sum(axis=0)
    step[:-1] = down
    np.maximum(step[:, :-1], right, out=step[:, :-1])
    np.sqrt(step, out=step)
    step -= np.float32(_EDGE_LOW)
    step /= np.float32(_EDGE_HIGH - _EDGE_LOW)
    np.clip(step, 0, 1, out=step)
    step += 1
    return step
