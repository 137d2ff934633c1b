"""Maps as other painters, or worse ones, would have made them.

The learned probe is to read any family's map, so that nothing about one painter's
colors may be learned, and it is to stay useful where a map is soft or wrong.
"""

from __future__ import annotations

import math

import numpy as np
from scipy import ndimage

from napari_gen2seg.common.types import Float32Array, Int32Array


def repaint(values: Float32Array, rng: np.random.Generator) -> Float32Array:
    """Exchange and mix the channels of a map (h, w, 3) in 0..255; black may go."""
    values = values[..., rng.permutation(3)]
    if rng.random() < 0.5:
        turn, _ = np.linalg.qr(rng.normal(size=(3, 3)))
        values = values @ turn.T.astype(np.float32)
        low, high = float(values.min()), float(values.max())
        values = (values - low) * np.float32(255 / max(high - low, 1.0))
    elif rng.random() < 0.3:
        flipped = rng.random(3) < 0.5
        values = np.where(flipped, 255 - values, values)
    return np.ascontiguousarray(values, np.float32)


def disturb(
    values: Float32Array, labels: Int32Array, rng: np.random.Generator
) -> Float32Array:
    """Make a map worse, in one or two ways or not at all.

    Parameters
    ----------
    values
        float32 (h, w, 3) in 0..255.
    labels
        int32 (h, w), of the objects there.
    rng
        The result depends on it alone.

    Returns
    -------
    numpy.ndarray
        float32 (h, w, 3) in 0..255, a new array.
    """
    values = values.copy()
    if rng.random() < 0.12:
        values = _flow_together(values, labels, rng)
    if rng.random() < 0.15:
        values *= 1 - rng.uniform(0.2, 0.8) * _clouds(values.shape[:2], rng, 0, 1)
    if rng.random() < 0.3:
        strength = rng.uniform(3, 30)
        for channel in range(3):
            values[..., channel] += (
                strength * _clouds(values.shape[:2], rng, -1, 1)[..., 0]
            )
    if rng.random() < 0.25:
        sigma = rng.uniform(0.5, 3.0)
        values = ndimage.gaussian_filter(values, (sigma, sigma, 0))
    if rng.random() < 0.1:
        values = np.roll(values, rng.integers(-3, 4, 2), axis=(0, 1))
    if rng.random() < 0.3:
        values += rng.normal(0, rng.uniform(1, 12), values.shape).astype(np.float32)
    return np.clip(values, 0, 255).astype(np.float32)


def _flow_together(
    values: Float32Array, labels: Int32Array, rng: np.random.Generator
) -> Float32Array:
    """Give an object and its neighbors the same color, or another one to a part."""
    numbers = np.unique(labels[labels > 0])
    if not len(numbers):
        return values
    inside = labels == numbers[int(rng.integers(len(numbers)))]
    if rng.random() < 0.5:
        near = ndimage.binary_dilation(inside, iterations=4) & (labels > 0)
        where = np.isin(labels, np.unique(labels[near]))
    else:
        where = inside & (_clouds(labels.shape, rng, 0, 1)[..., 0] > 0.5)
    if where.any():
        share = np.float32(rng.uniform(0.5, 1.0))
        values[where] += share * (values[inside].mean(axis=0) - values[where])
        if rng.random() < 0.5:
            values[where] = 255 - values[where]
    return values


def _clouds(
    shape: tuple[int, ...], rng: np.random.Generator, low: float, high: float
) -> Float32Array:
    """Return smooth noise, float32 (h, w, 1), spread over low..high."""
    cells = math.exp(rng.uniform(math.log(2), math.log(12)))
    coarse = rng.random((round(cells) + 2, round(cells) + 2))
    zoom = [n / m for n, m in zip(shape, coarse.shape, strict=False)]
    fine = ndimage.zoom(coarse, zoom, order=1, mode="nearest", grid_mode=True)
    fine = fine[: shape[0], : shape[1]]
    fine = (fine - fine.min()) / max(float(np.ptp(fine)), 1e-6)
    return np.asarray(low + (high - low) * fine, np.float32)[..., None]
