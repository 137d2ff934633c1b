"""Sizes changed without surprises: antialiased, separable, window by window."""

from __future__ import annotations

import numpy as np

from napari_gen2seg.common.types import Float32Array, Shape


def resample(
    crop: Float32Array,
    origin: tuple[int, int],
    shape: Shape,
    target: Shape,
    box: tuple[int, int, int, int],
) -> Float32Array:
    """Resize a part of a frame that is zero everywhere outside ``crop``.

    Bilinear where it enlarges; a triangle as wide as two target pixels where it
    shrinks. Rows and columns beyond the frame repeat its rim.

    Parameters
    ----------
    crop
        float32 (m, n), or (m, n, C), lying at ``origin`` in a frame of ``shape``.
    shape, target
        (h, w) of the frame and of the frame after resizing.
    box
        (row0, column0, row1, column1) of the part of the target to compute.

    Returns
    -------
    numpy.ndarray
        float32, the part of the target inside ``box``.
    """
    rows = _along(crop, origin[0], shape[0], target[0], box[0], box[2])
    turned = np.ascontiguousarray(np.swapaxes(rows, 0, 1))
    cols = _along(turned, origin[1], shape[1], target[1], box[1], box[3])
    return np.ascontiguousarray(np.swapaxes(cols, 0, 1))


def resize(values: Float32Array, target: Shape) -> Float32Array:
    """Resize a whole frame, float32 (h, w) or (h, w, C), to ``target``."""
    shape = (int(values.shape[0]), int(values.shape[1]))
    if shape == target:
        return values
    return resample(values, (0, 0), shape, target, (0, 0, *target))


def _along(
    crop: Float32Array, first: int, length: int, target: int, start: int, stop: int
) -> Float32Array:
    """Resample axis 0: tap by tap, so that memory stays at one copy."""
    scale = length / target
    reach = max(scale, 1.0)
    center = (np.arange(start, stop, dtype=np.float64) + 0.5) * scale - 0.5
    left = np.ceil(center - reach).astype(np.intp)
    out = np.zeros((stop - start, *crop.shape[1:]), np.float32)
    total = np.zeros(stop - start)
    for tap in range(int(np.ceil(2 * reach)) + 1):
        place = left + tap
        weight = np.maximum(0.0, 1.0 - np.abs(place - center) / reach)
        total += weight
        inside = np.clip(place, 0, length - 1) - first
        held = (weight > 0) & (inside >= 0) & (inside < len(crop))
        if not held.any():
            continue
        shaped = weight[held].astype(np.float32).reshape(-1, *(1,) * (crop.ndim - 1))
        out[held] += shaped * crop[inside[held]]
    out /= total.astype(np.float32).reshape(-1, *(1,) * (crop.ndim - 1))
    return out
