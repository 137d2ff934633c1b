"""Changes of an image that leave its objects what they are."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Rgb = NDArray[np.float32]


def turn(
    rgb: Rgb, labels: NDArray[np.int32], rng: np.random.Generator
) -> tuple[Rgb, NDArray[np.int32]]:
    """Flip and turn by right angles, image and labels alike."""
    quarter = int(rng.integers(4))
    rgb, labels = np.rot90(rgb, quarter), np.rot90(labels, quarter)
    if rng.random() < 0.5:
        rgb, labels = rgb[:, ::-1], labels[:, ::-1]
    return np.ascontiguousarray(rgb), np.ascontiguousarray(labels)


def relight(rgb: Rgb, rng: np.random.Generator) -> Rgb:
    """Change contrast, polarity, colors, blur and noise of (H, W, 3) in 0..1."""
    gray = bool(np.ptp(rgb, axis=-1).max() < 0.02)
    # Noise and slopes are added as the contrast bears them: in many a picture objects
    # differ from the ground by 0.03.
    borne = min(1.0, float(rgb.std()) / 0.15)
    if rng.random() < 0.25:
        rgb = 1 - rgb
    if gray and rng.random() < 0.12:
        rgb = rgb * rng.uniform(0, 1, 3).astype(np.float32)
    elif not gray:
        if rng.random() < 0.25:
            rgb = np.repeat(rgb.mean(-1, keepdims=True), 3, -1)
        elif rng.random() < 0.3:
            rgb = rgb[..., rng.permutation(3)]
    if rng.random() < 0.5:
        rgb = np.clip(rgb, 0, 1) ** np.float32(np.exp(rng.normal(0, 0.4)))
    if rng.random() < 0.25:
        sigma = rng.uniform(0.3, 1.4)
        rgb = ndimage.gaussian_filter(rgb, (sigma, sigma, 0))
    if rng.random() < 0.3:
        height, width = rgb.shape[:2]
        slope = rng.normal(0, 0.3 * borne, 2)
        light = 1 + (
            slope[0] * np.linspace(-1, 1, height)[:, None]
            + slope[1] * np.linspace(-1, 1, width)[None]
        )
        rgb = rgb * light[..., None]
    if rng.random() < 0.5:
        strength = abs(rng.normal(0, 0.04 * borne))
        rgb = rgb + rng.normal(0, strength, (*rgb.shape[:2], 1 if gray else 3))
    return np.clip(rgb, 0, 1).astype(np.float32)


def stretch(
    rgb: Rgb, rng: np.random.Generator, limits: tuple[float, float] | None = None
) -> Rgb:
    """Stretch (H, W, 3) as an image is before the model sees it, not quite exactly.

    Grey pictures are stretched over their percentiles when they are coloured
    (`core.image.rgb`), hence a crop over those of its picture: ``limits``.
    Over its own, a crop without objects would be noise at full contrast. Without
    limits half of the true-colour pictures stay as they are.
    """
    if limits is None:
        if np.ptp(rgb, axis=-1).max() >= 0.02 and rng.random() < 0.5:
            return rgb
        low, high = np.percentile(rgb[::2, ::2], (0.3, 99.7))
    else:
        low, high = limits
    span = max(float(high - low), 0.02)
    low -= span * abs(rng.normal(0, 0.05))
    high += span * abs(rng.normal(0, 0.1))
    return np.clip((rgb - low) / (high - low + 1e-6), 0, 1).astype(np.float32)
