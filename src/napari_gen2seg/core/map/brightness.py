"""The image's brightness as a witness beside the map, where the two agree.

In many pictures objects are brighter than what is behind them, or darker. There the
brightness knows outlines and small things better than the map of a small model does.
In others (phase contrast, scenes) it knows nothing about objects. Which of the two a
picture is can be read off the map: does brightness tell what the map calls objects
from what it calls background?

In colour pictures brightness means the mixture of the channels that tells the two
apart best: of a stain it is the stain, however bright.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from napari_gen2seg.common.types import Float32Array
from napari_gen2seg.core.map.object_size import DARK

AGREES = 0.5
"""Least agreement, 0..1, at which brightness is heard.

On training pictures it was 0.11 to 0.28 in phase contrast, below 0.1 in a stain that
only hue shows, and 0.82 to 1 in all others (`docs/mini-first.md`).
"""

_LOUD = 153.0  # colour units between the background and the brightest objects
_BINS = 256
_ROWS = 256  # worked on at a time
_COUNTED = 1 << 20  # pixels that are enough to know the range of a picture
_DEEPEST = 0.2  # quantile of the background's brightness that becomes 0
_TOP = 0.98  # quantile of the objects' brightness that becomes _LOUD
_SHRINK = 0.03  # of the channels' variance, added to each: no channel counts by chance


def brightness_agreement(values: Float32Array, gray: Float32Array) -> float:
    """Tell how well brightness separates the objects of a map from its background.

    Parameters
    ----------
    values
        float32 (h, w, 3) in 0..255, of a model that paints the background black.
    gray
        float32 (h, w), any range.

    Returns
    -------
    float
        -1..1, Somers' D (twice the area under the ROC curve, less one): 1 where every
        object pixel is brighter than every background pixel, -1 where darker, 0 where
        brightness says nothing or the map knows no objects or no background.
    """
    inside = np.linalg.norm(values, axis=-1) > DARK
    low, high = float(gray.min()), float(gray.max())
    if high <= low or inside.all() or not inside.any():
        return 0.0
    levels = np.minimum((gray - low) * (_BINS / (high - low)), _BINS - 1)
    levels = levels.astype(np.uint8)
    ours = np.bincount(levels[inside], minlength=_BINS) / np.count_nonzero(inside)
    rest = np.bincount(levels[~inside], minlength=_BINS) / np.count_nonzero(~inside)
    brighter = np.dot(ours, np.cumsum(rest) - rest)
    darker = np.dot(rest, np.cumsum(ours) - ours)
    return float(brighter - darker)


def channel_weights(values: Float32Array, rgb: Float32Array) -> Float32Array:
    """Return how much each channel tells of what the map calls objects.

    Fisher's linear discriminant between the map's objects and its background.

    Parameters
    ----------
    values
        As for :func:`brightness_agreement`.
    rgb
        float32 (h, w, 3), any range.

    Returns
    -------
    numpy.ndarray
        float32 (3,), absolute values of sum 1; a third each where the picture has no
        colour, or the map no objects or no background.
    """
    even = np.full(3, 1 / 3, np.float32)
    if all(np.array_equal(rgb[..., 0], rgb[..., channel]) for channel in (1, 2)):
        return even
    inside = np.linalg.norm(values, axis=-1) > DARK
    ours, rest = rgb[inside].astype(float), rgb[~inside].astype(float)
    if len(ours) < 2 or len(rest) < 2:
        return even
    spread = np.cov(ours, rowvar=False) + np.cov(rest, rowvar=False)
    spread += np.eye(3) * (_SHRINK * np.trace(spread) / 3 + 1e-12)
    weights = np.linalg.solve(spread, ours.mean(axis=0) - rest.mean(axis=0))
    total = np.abs(weights).sum()
    return (weights / total).astype(np.float32) if total > 0 else even


def brightness_channel(values: Float32Array, gray: Float32Array) -> Float32Array | None:
    """Return the brightness as a channel beside a map, or None where they disagree.

    Parameters
    ----------
    values, gray
        As for :func:`brightness_agreement`.

    Returns
    -------
    numpy.ndarray or None
        float32 (h, w) in 0..153: 0 where the picture is as the darker fifth of its
        background, 153 where it is as the brightest of its objects. Turned around
        where objects are the darker ones, so that black means background here too.
    """
    sided = brightness_agreement(values, gray)
    if abs(sided) < AGREES:
        return None
    shown = gray if sided > 0 else -gray
    inside = np.linalg.norm(values, axis=-1) > DARK
    low = np.quantile(shown[~inside], _DEEPEST)
    high = np.quantile(shown[inside], _TOP)
    if high <= low:
        return None
    return np.clip((shown - low) * (_LOUD / (high - low)), 0, _LOUD).astype(np.float32)


def as_bytes(gray: Float32Array) -> npt.NDArray[np.uint8]:
    """Return brightness as uint8 (H, W), its own darkest and brightest percent cut."""
    step = max(1, round((gray.size / _COUNTED) ** 0.5))
    low, high = np.quantile(gray[::step, ::step], (0.01, 0.99))
    shown = np.empty(gray.shape, np.uint8)
    for row in range(0, len(gray), _ROWS):  # what is between takes 8 bytes a pixel
        part = slice(row, row + _ROWS)
        scaled = (gray[part] - low) * (255 / max(high - low, 1e-6))
        shown[part] = np.clip(scaled, 0, 255)
    return shown
