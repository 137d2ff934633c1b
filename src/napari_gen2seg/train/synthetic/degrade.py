"""What optics, sensors, screens and files do to an image. Labels stay exact."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.fft import dctn, idctn
from scipy.ndimage import gaussian_filter1d, uniform_filter1d

from napari_gen2seg.common.types import Array
from napari_gen2seg.train.synthetic.layout import log_uniform
from napari_gen2seg.train.synthetic.textures import smooth_noise, stretch


@dataclass(frozen=True)
class Wear:
    """How strongly a kind of image is worn: the chance of each effect.

    Attributes
    ----------
    blur : typical standard deviation of the optics' blur, in pixels
    noise : sensor noise: a scene's standard deviation, relative to the full range, is
        log-uniform from a tenth to four thirds of this, sometimes up to twice as much
    uneven : chance of uneven lighting
    low_contrast : chance that only part of the range is used
    invert : chance of inverted polarity
    tint : chance that a grey picture becomes a coloured one
    coarse : chance of lost resolution
    dim : chance of a dark, clean exposure that uses little of the range
    """

    blur: float = 0.7
    noise: float = 0.03
    uneven: float = 0.4
    low_contrast: float = 0.3
    invert: float = 0.1
    tint: float = 0.15
    coarse: float = 0.12
    dim: float = 0.08


def blur(image: Array, sigma_y: float, sigma_x: float | None = None) -> Array:
    """Gaussian blur of (H, W, C)."""
    sigma_x = sigma_y if sigma_x is None else sigma_x
    for axis, sigma in ((0, sigma_y), (1, sigma_x)):
        if sigma > 0.2:
            image = gaussian_filter1d(image, sigma, axis=axis, truncate=2.5)
    return image


def lose_resolution(image: Array, factor: float) -> Array:
    """Average down by `factor` and interpolate back."""
    height, width, channels = image.shape
    rows, cols = max(2, int(height / factor)), max(2, int(width / factor))
    window = max(1, round(factor))
    small = uniform_filter1d(uniform_filter1d(image, window, axis=0), window, axis=1)
    at_y = ((np.arange(rows + 3) - 0.5) * height / rows).astype(int)
    at_x = ((np.arange(cols + 3) - 0.5) * width / cols).astype(int)
    small = small[np.clip(at_y, 0, height - 1)][:, np.clip(at_x, 0, width - 1)]
    planes = [stretch(small[..., k], (height, width)) for k in range(channels)]
    return np.stack(planes, axis=2)


_FREQUENCY = np.add.outer(np.arange(8), np.arange(8)).astype(np.float32)


def blocky(image: Array, strength: float) -> Array:
    """Artefacts of a strongly compressed JPEG: coarse 8 x 8 cosine coefficients."""
    height, width, channels = image.shape
    h8, w8 = height // 8, width // 8
    if not h8 or not w8:
        return image
    step = (strength * (1 + 0.6 * _FREQUENCY))[None, :, None, :]
    out = image.copy()
    for k in range(channels):
        block = image[: h8 * 8, : w8 * 8, k].reshape(h8, 8, w8, 8)
        coefficients = dctn(block, axes=(1, 3), norm="ortho")
        coarse = np.rint(coefficients / step) * step
        out[: h8 * 8, : w8 * 8, k] = idctn(coarse, axes=(1, 3), norm="ortho").reshape(
            h8 * 8, w8 * 8
        )
    return out


def _light(rng: np.random.Generator, shape: tuple[int, int]) -> Array:
    """Uneven lighting, (H, W, 1), multiplicative, about 1."""
    style = rng.integers(3)
    y = np.linspace(-1, 1, shape[0], dtype=np.float32)[:, None]
    x = np.linspace(-1, 1, shape[1], dtype=np.float32)[None, :]
    depth = np.float32(rng.uniform(0.1, 0.6))
    if style == 0:
        angle = rng.uniform(0, 2 * np.pi)
        field = 1 + depth * (
            y * np.float32(np.sin(angle)) + x * np.float32(np.cos(angle))
        )
    elif style == 1:
        cy, cx = rng.uniform(-0.4, 0.4, 2).astype(np.float32)
        field = 1 - depth * ((y - cy) ** 2 + (x - cx) ** 2) * np.float32(0.7)
    else:
        field = 1 + 0.4 * depth * smooth_noise(rng, shape, max(shape) / 1.5)
    return np.maximum(field, 0.1)[..., None]


@lru_cache(maxsize=1)
def _normals() -> Array:
    """A long line of normal numbers; noise is read from a random place in it."""
    return np.random.default_rng(104729).standard_normal(1 << 20, dtype=np.float32)


def _grain(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """White noise of unit variance."""
    size = int(np.prod(shape))
    line = _normals()
    if size > len(line) // 2:
        return rng.standard_normal(shape, dtype=np.float32)
    start = int(rng.integers(len(line) - size))
    return line[start : start + size].reshape(shape)


def _coarse_grain(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Noise of unit variance at half of the resolution, as in enlarged images."""
    height, width, channels = shape
    small = _grain(rng, (height // 2 + 1, width // 2 + 1, channels))
    large = small.repeat(2, 0).repeat(2, 1)[:height, :width]
    return np.float32(1.68) * blur(large, 0.8)


def _noise(
    rng: np.random.Generator, image: Array, amount: float, coarse: bool = False
) -> Array:
    """Sensor noise of one of several kinds."""
    shape = image.shape
    grain = (_coarse_grain if coarse else _grain)(rng, shape)
    style = rng.random()
    if style < 0.4:
        return image + amount * grain
    if style < 0.7:
        return image + amount * grain * np.sqrt(np.maximum(image, 0) * 1.6 + 0.05)
    if style < 0.8:
        return image * (1 + 1.5 * amount * grain)
    if style < 0.9:
        rows = rng.standard_normal((shape[0], 1, 1), dtype=np.float32)
        return image + amount * (0.5 * rows + 0.8 * grain)
    return image + amount * 1.6 * blur(grain, log_uniform(rng, 0.5, 1.2))


def _dust(rng: np.random.Generator, image: Array) -> Array:
    """Unlabeled specks of one or two pixels, which optics will blur."""
    image = image.copy()
    count = int(rng.integers(3, 60))
    row = rng.integers(image.shape[0] - 1, size=count)
    col = rng.integers(image.shape[1] - 1, size=count)
    change = rng.uniform(0.2, 0.8) * rng.choice([-1, 1]) * rng.random((count, 1))
    image[row, col] += change
    image[row + rng.integers(2, size=count), col] += change
    return image


def _visible(rng: np.random.Generator, image: Array, always: bool) -> Array:
    """Stretch to the whole range, as viewers do, or away from an empty-looking one."""
    low, high = (float(q) for q in np.quantile(image[::3, ::3], [0.002, 0.998]))
    span = max(high - low, 1e-3)
    if always:
        return (image - low) / span
    if min(high, 1.0) - max(low, 0.0) < 0.12:
        wanted = rng.uniform(0.15, 0.5)
        floor = min(max(low, 0.0), 1 - wanted)
        return floor + (image - low) * (wanted / span)
    return image


def _color(rng: np.random.Generator, gray: Array) -> Array:
    """A gray image (H, W, 1) as a colored one (H, W, 3)."""
    style = rng.integers(4)
    g = np.clip(gray, 0, 1)
    if style == 0:
        strength = np.zeros(3, np.float32)
        strength[rng.integers(3)] = 1
        return g * np.maximum(strength, np.float32(0.15 * rng.integers(2)))
    if style == 1:
        return g * rng.uniform(0.2, 1.0, 3).astype(np.float32)
    if style == 2:
        dark, light = rng.uniform(0, 0.4, 3), rng.uniform(0.6, 1.0, 3)
        return (dark + g * (light - dark)).astype(np.float32)
    bright = rng.uniform(0.3, 1, 3).astype(np.float32)
    return g * (bright + (1 - bright) * g)


GRAINS = (0.3, 0.3, 0.12, 0.28)
"""Shares of scenes with noise before the blur, coarse, before the tones, and last."""


def wear(rng: np.random.Generator, image: Array, how: Wear) -> Array:
    """Wear a clean image.

    Parameters
    ----------
    image : float32 (H, W, C), C = 1 or 3, about 0..1
    how : the strengths

    Returns
    -------
    float32 (H, W, 3) in 0..1
    """
    shape = image.shape[:2]
    image = np.asarray(image, np.float32)
    # A faint picture bears less stray light than would drown what it shows.
    borne = min(1.0, float(image[::2, ::2].std()) / 0.1)
    if rng.random() < how.uneven:
        image = image * _light(rng, shape)
    if rng.random() < 0.12:
        glow = (
            borne * rng.uniform(0.03, 0.12) * smooth_noise(rng, shape, max(shape) / 3)
        )
        image = image + glow[..., None]
    if rng.random() < 0.15:
        image = image + borne * (_dust(rng, image) - image)
    noise = how.noise * log_uniform(rng, 0.1, 4 / 3)
    if rng.random() < 0.15:
        noise = min(how.noise * log_uniform(rng, 4 / 3, 8 / 3), 0.08)
    # Seldom is noise white at the scale of pixels: most pictures were enlarged or
    # smoothed on their way here.
    when = rng.choice(["before the blur", "coarse", "early", "late"], p=GRAINS)
    if when == "before the blur":
        image = _noise(rng, image, 1.6 * noise)
    sigma = how.blur * float(np.exp(0.4 * rng.standard_normal()))
    skew = float(np.exp(0.35 * rng.standard_normal())) if rng.random() < 0.15 else 1.0
    if rng.random() < 0.9:
        image = blur(image, max(sigma, 0.45), max(sigma * skew, 0.45))
    if rng.random() < 0.06:
        # A tilted or uneven specimen leaves the focus here and there.
        lost = np.clip(smooth_noise(rng, shape, max(shape) / 2), 0, 1)[..., None]
        image = image + lost * (blur(image, rng.uniform(1.5, 3)) - image)
    if rng.random() < how.coarse:
        image = lose_resolution(image, rng.uniform(1.3, 3.0))
    if when == "early":
        image = _noise(rng, image, noise)
    if rng.random() < how.dim:
        span = log_uniform(rng, 0.08, 0.5)
        image = rng.uniform(0, 0.06) + span * image
        noise *= span
    elif rng.random() < how.low_contrast:
        span = log_uniform(rng, 0.15, 0.8)
        image = rng.uniform(0, 1 - span) + span * image
        noise *= span**0.9
    if rng.random() < 0.3:
        image = np.clip(image, 0, 1) ** log_uniform(rng, 0.5, 2.0)
    if rng.random() < 0.1:
        image = image * rng.uniform(1.1, 1.6)
    if when in ("coarse", "late") and rng.random() < 0.93:
        image = _noise(rng, image, noise, coarse=when == "coarse")
    if rng.random() < how.invert:
        image = 1 - image
    image = _visible(rng, image, always=image.shape[2] == 1 and rng.random() < 0.25)
    if rng.random() < 0.03:
        image = blocky(image, log_uniform(rng, 0.005, 0.04))
    if image.shape[2] == 1:
        image = _color(rng, image) if rng.random() < how.tint else image.repeat(3, 2)
    elif rng.random() < 0.3:
        image = image * rng.uniform(0.75, 1.15, 3).astype(np.float32)
    elif rng.random() < 0.12:
        image = image.mean(2, keepdims=True).repeat(3, 2)
    levels = 255
    if rng.random() < 0.1:
        levels = int(min(rng.integers(12, 64) / max(borne, 0.05), 255))
    image = np.clip(image, 0, 1) * np.float32(levels)
    return np.rint(image, out=image) / np.float32(levels)
