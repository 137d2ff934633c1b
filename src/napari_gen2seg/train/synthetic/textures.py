"""Cheap random fields: smooth noise by interpolation, and a bank of periodic textures.

Two tools cover nearly every surface that the scenes need. `smooth_noise` stretches a
small random grid over the picture with two matrix products, which costs a fraction of a
millisecond whatever the wavelength. `sample` reads a periodic texture of the bank at
arbitrary coordinates, so that every object can wear its own texture, at its own scale
and angle, for the price of one gather.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np

from napari_gen2seg.common.types import Array

SIDE = 256
"""Side of the periodic textures of the bank, in texels."""


@lru_cache(maxsize=512)
def _taps(cells: int, size: int) -> tuple[Array, Array]:
    """Cubic B-spline interpolation from `cells` knots to `size` pixels.

    Returns the first of four knots per pixel, intp (size,), in a grid padded to
    cells + 3 knots, and their weights, float32 (4, size).
    """
    position = (np.arange(size) + 0.5) * cells / size
    base = np.minimum(position.astype(np.intp), cells - 1)
    t = position - base
    weights = np.stack(
        [
            (1 - t) ** 3 / 6,
            (3 * t**3 - 6 * t**2 + 4) / 6,
            (-3 * t**3 + 3 * t**2 + 3 * t + 1) / 6,
            t**3 / 6,
        ]
    )
    return base, weights.astype(np.float32)


def stretch(grid: Array, shape: tuple[int, int]) -> Array:
    """Spread a small grid (h + 3, w + 3) smoothly over (H, W).

    Four gathers an axis rather than matrix products, so that no linear-algebra
    threads wake up in the workers that draw.
    """
    base, weights = _taps(grid.shape[0] - 3, shape[0])
    rows = weights[0][:, None] * grid[base]
    for k in (1, 2, 3):
        rows += weights[k][:, None] * grid[base + k]
    base, weights = _taps(grid.shape[1] - 3, shape[1])
    out = rows.take(base, axis=1) * weights[0]
    for k in (1, 2, 3):
        out += rows.take(base + k, axis=1) * weights[k]
    return out


def smooth_noise(
    rng: np.random.Generator, shape: tuple[int, int], wavelength: float
) -> Array:
    """Smooth random field of zero mean and roughly unit variance.

    Parameters
    ----------
    rng : numpy.random.Generator
    shape : (H, W) in pixels
    wavelength : typical distance between knots, in pixels (> 0)

    Returns
    -------
    float32 array (H, W)
    """
    height, width = shape
    rows = max(1, round(height / wavelength))
    cols = max(1, round(width / wavelength))
    grid = rng.standard_normal((rows + 3, cols + 3), dtype=np.float32) * 2.0
    return stretch(grid, shape)


def fractal_noise(
    rng: np.random.Generator,
    shape: tuple[int, int],
    wavelength: float,
    octaves: int = 3,
    gain: float = 0.55,
) -> Array:
    """Sum of `octaves` smooth fields, each half the wavelength of the one before."""
    total = smooth_noise(rng, shape, wavelength)
    weight, power = 1.0, 1.0
    for octave in range(1, octaves):
        weight *= gain
        finer = wavelength / 2**octave
        if finer < 1.5:
            break
        total += weight * smooth_noise(rng, shape, finer)
        power += weight**2
    return total / np.float32(np.sqrt(power))


def _standard(field: Array) -> Array:
    field = field - field.mean()
    return np.clip(field / (field.std() + 1e-6), -3, 3).astype(np.float32)


def _spectral(rng: np.random.Generator, slope: float, stretch: float = 1.0) -> Array:
    """Periodic noise with power falling as frequency ** -slope."""
    fy = np.fft.fftfreq(SIDE)[:, None] * SIDE * stretch
    fx = np.fft.rfftfreq(SIDE)[None, :] * SIDE
    radius = np.maximum(np.hypot(fy, fx), 1.0)
    spectrum = np.fft.rfft2(rng.standard_normal((SIDE, SIDE))) * radius**-slope
    return _standard(np.fft.irfft2(spectrum, s=(SIDE, SIDE)))


def _band(rng: np.random.Generator, low: float, high: float) -> Array:
    """Periodic noise with frequencies between `low` and `high` cycles per side."""
    fy = np.fft.fftfreq(SIDE)[:, None] * SIDE
    fx = np.fft.rfftfreq(SIDE)[None, :] * SIDE
    radius = np.hypot(fy, fx)
    spectrum = np.fft.rfft2(rng.standard_normal((SIDE, SIDE)))
    spectrum *= (radius > low) & (radius < high)
    return _standard(np.fft.irfft2(spectrum, s=(SIDE, SIDE)))


def _distances(rng: np.random.Generator, points: int) -> tuple[Array, Array]:
    """Periodic distances to the nearest and the second nearest of random points."""
    from scipy.spatial import cKDTree

    seeds = rng.random((points, 2)) * SIDE
    grid = np.indices((SIDE, SIDE)).reshape(2, -1).T + 0.5
    distance, _ = cKDTree(seeds, boxsize=SIDE).query(grid, k=2)
    first, second = distance.T.reshape(2, SIDE, SIDE)
    return first, second


def _spots(rng: np.random.Generator, points: int, radius: float) -> Array:
    first, _ = _distances(rng, points)
    return _standard(np.exp(-((first / radius) ** 2)))


def _cracks(rng: np.random.Generator, points: int) -> Array:
    first, second = _distances(rng, points)
    return _standard(np.minimum(second - first, 6.0))


def _stripes(rng: np.random.Generator, cycles: int, warp: float) -> Array:
    phase = np.arange(SIDE)[None, :] * (2 * np.pi * cycles / SIDE)
    return _standard(np.sin(phase + warp * _spectral(rng, 1.8)))


def _checks(rng: np.random.Generator, cycles: int) -> Array:
    wave = np.sin((np.arange(SIDE) + 0.5) * (2 * np.pi * cycles / SIDE))
    return _standard(np.sign(wave[:, None] * wave[None, :]) + 0.0 * rng.random())


def _bricks(rng: np.random.Generator, cycles: int) -> Array:
    step = SIDE // cycles
    rows = np.arange(SIDE)[:, None]
    cols = np.arange(SIDE)[None, :] + step * (rows // (step // 2) % 2) // 2
    joints = (rows % (step // 2) < 2) | (cols % step < 2)
    return _standard(-2.0 * joints + 0.4 * _spectral(rng, 0.8))


def _threads(rng: np.random.Generator, low: float, high: float) -> Array:
    """Thin bright lines: the zero crossings of a band of noise."""
    return _standard(np.exp(-((_band(rng, low, high) / 0.25) ** 2)))


_RECIPES: tuple[Callable[[np.random.Generator], Array], ...] = (
    lambda rng: _spectral(rng, 0.6),
    lambda rng: _spectral(rng, 1.0),
    lambda rng: _spectral(rng, 1.5),
    lambda rng: _spectral(rng, 2.2),
    lambda rng: _spectral(rng, 1.3, 4.0),
    lambda rng: _spectral(rng, 1.0, 8.0),
    lambda rng: np.abs(_spectral(rng, 1.4)),
    lambda rng: -np.abs(_spectral(rng, 1.8)),
    lambda rng: _band(rng, 12, 20),
    lambda rng: _band(rng, 24, 34),
    lambda rng: np.sign(_band(rng, 10, 16)),
    lambda rng: np.sign(_spectral(rng, 1.5) - 0.7),
    lambda rng: _spots(rng, 120, 5.0),
    lambda rng: _spots(rng, 300, 3.0),
    lambda rng: -_spots(rng, 60, 8.0),
    lambda rng: _spots(rng, 900, 1.6),
    lambda rng: _cracks(rng, 60),
    lambda rng: _cracks(rng, 250),
    lambda rng: _stripes(rng, 16, 0.0),
    lambda rng: _stripes(rng, 12, 0.8),
    lambda rng: _stripes(rng, 24, 2.0),
    lambda rng: _checks(rng, 8),
    lambda rng: _bricks(rng, 8),
    lambda rng: _threads(rng, 4, 9),
    lambda rng: _threads(rng, 10, 18),
    lambda rng: _spectral(rng, 0.3),
)

TEXTURES = len(_RECIPES)
"""Number of textures in the bank."""

GROUNDS = (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 13, 15, 18, 19, 20, 21, 23, 24, 25)
"""Textures fit for a ground: without large dots, cells or bricks, which elsewhere are
objects and would be unlabelled ones here."""


@lru_cache(maxsize=TEXTURES)
def texture(index: int) -> Array:
    """Periodic texture `index` of the bank, made once per process.

    Returns
    -------
    float32 array (SIDE, SIDE), zero mean, unit variance, within -3..3. The same in
    every process: the bank has seeds of its own.
    """
    field = _RECIPES[index](np.random.default_rng(7919 + index))
    field = _standard(field)
    field.setflags(write=False)
    return field


def sample(field: Array, y: Array, x: Array) -> Array:
    """Values of a periodic texture at coordinates in texels (nearest texel)."""
    rows = np.floor(y).astype(np.int32) & (SIDE - 1)
    cols = np.floor(x).astype(np.int32) & (SIDE - 1)
    return field.ravel()[rows * SIDE + cols]


def textured_plane(
    rng: np.random.Generator,
    shape: tuple[int, int],
    index: int | None = None,
    scale: float | None = None,
) -> Array:
    """A texture of the bank laid over the whole image at a random angle.

    `index` is one of `GROUNDS` by default; `scale` is texels per pixel, log-uniform in
    0.5..2 by default.
    """
    if index is None:
        index = GROUNDS[int(rng.integers(len(GROUNDS)))]
    if scale is None:
        scale = float(np.exp(rng.uniform(np.log(0.5), np.log(2.0))))
    angle = rng.uniform(0, 2 * np.pi)
    dy, dx = scale * np.sin(angle), scale * np.cos(angle)
    oy, ox = rng.uniform(0, SIDE, 2)
    rows = np.arange(shape[0], dtype=np.float32)[:, None]
    cols = np.arange(shape[1], dtype=np.float32)[None, :]
    return sample(
        texture(index), rows * dx + cols * dy + oy, cols * dx - rows * dy + ox
    )
