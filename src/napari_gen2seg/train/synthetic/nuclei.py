"""Nuclei and cells in fluorescence, and stained tissue in transmitted light."""

from __future__ import annotations

import numpy as np

from .canvas import Canvas, Fragments
from .degrade import Wear, blur
from .layout import how_many, log_uniform, scatter, sizes
from .scene import kind
from .shapes import blobs, round_profiles
from .textures import (
    SIDE,
    TEXTURES,
    fractal_noise,
    sample,
    smooth_noise,
    texture,
    textured_plane,
)

Array = np.ndarray
Shape = tuple[int, int]


def skin(
    rng: np.random.Generator,
    at: Fragments,
    index: int | None = None,
    scale: float | None = None,
) -> Array:
    """A texture of its own for every object, (M,), zero mean, unit variance."""
    index = int(rng.integers(TEXTURES)) if index is None else index
    scale = log_uniform(rng, 0.5, 2.5) if scale is None else scale
    offset = rng.uniform(0, SIDE, (at.count, 2)).astype(np.float32)
    turn = rng.uniform(0, 2 * np.pi, at.count)
    c = (scale * np.cos(turn)).astype(np.float32)[at.owner]
    s = (scale * np.sin(turn)).astype(np.float32)[at.owner]
    y, x = at.row.astype(np.float32), at.col.astype(np.float32)
    move = offset[at.owner]
    return sample(texture(index), y * c - x * s + move[:, 0], y * s + x * c + move[:, 1])


def ovals(
    rng: np.random.Generator,
    shape: Shape,
    *,
    small: float = 4,
    large: float = 40,
    cover: tuple[float, float] = (0.1, 0.8),
    wobble: float = 0.08,
    elongate: float = 1.5,
    most: int = 160,
    apart: float | None = None,
) -> Fragments:
    """A population of roundish objects, sparse or crowded, even or uneven in size."""
    mean = log_uniform(rng, small, min(large, 0.3 * min(shape)))
    spread = rng.choice([0.08, 0.2, 0.4])
    count = how_many(shape, mean, rng.uniform(*cover), most)
    radius = sizes(rng, mean, count, spread)
    gap = float(rng.choice([0.0, 0.75, 0.95, 1.1])) if apart is None else apart
    clumps = int(rng.integers(1, 5)) if rng.random() < 0.3 else 0
    center = scatter(rng, shape, radius, apart=gap, clumps=clumps)
    ratio = np.sqrt(rng.uniform(1, elongate, count))
    radii = np.stack([radius * ratio, radius / ratio], 1)
    profiles = round_profiles(rng, count, wobble * rng.uniform(0.2, 1.5))
    return blobs(shape, center, radii, rng.uniform(0, np.pi, count), profiles)


@kind("fluorescent nuclei", "bright textured nuclei on black, sparse or crowded", 1.6,
      wear=Wear(blur=0.8, noise=0.03, uneven=0.3, low_contrast=0.35, invert=0.08))
def fluorescent_nuclei(rng: np.random.Generator, shape: Shape) -> Canvas:
    """Nuclei that add up where they overlap, over cytoplasmic glow."""
    canvas = Canvas(shape)
    at = ovals(rng, shape, wobble=0.09)
    glow = rng.choice([0.02, 0.3, 0.8])
    level = np.exp(glow * rng.standard_normal(at.count)).astype(np.float32)
    edge = rng.uniform(1, 4)
    profile = np.minimum(at.depth / edge, 1)
    if rng.random() < 0.4:
        profile = profile * (0.5 + 0.5 * at.height())
    value = at.of(level) * profile
    rough = rng.choice([0.0, 0.1, 0.25])
    if rough:
        value = value * np.maximum(1 + rough * skin(rng, at, int(rng.choice([2, 3, 1, 14]))), 0.1)
    if rng.random() < 0.4:
        canvas.add(at, value)
        canvas.claim(at)
    else:
        top = canvas.claim(at)
        order = np.zeros(shape, np.float32)
        order[at.row, at.col] = value
        canvas.put(top, order[top.row, top.col])
    canvas.image *= 0.75 / max(float(np.quantile(level, 0.9)), 1e-3)
    canvas.image += rng.uniform(0, 0.12)
    if rng.random() < 0.4:
        haze = blur(canvas.image, rng.uniform(4, 10))
        canvas.image += rng.uniform(0.1, 0.5) * haze
    if rng.random() < 0.2:
        cloud = np.maximum(fractal_noise(rng, shape, 40), 0)
        canvas.image += 0.1 * cloud[..., None]
    return canvas


def stain_colours(rng: np.random.Generator) -> tuple[Array, Array]:
    """Optical densities of two stains, RGB: near haematoxylin and eosin, or any."""
    if rng.random() < 0.65:
        first = np.array([0.65, 0.70, 0.29]) + 0.08 * rng.standard_normal(3)
        second = np.array([0.07, 0.99, 0.11]) + 0.08 * rng.standard_normal(3)
    elif rng.random() < 0.5:
        first = np.array([0.65, 0.70, 0.29]) + 0.08 * rng.standard_normal(3)
        second = np.array([0.27, 0.57, 0.78]) + 0.08 * rng.standard_normal(3)
    else:
        first, second = rng.uniform(0.1, 1, (2, 3))
    first, second = np.clip(first, 0.02, 1.2), np.clip(second, 0.02, 1.2)
    return first.astype(np.float32), second.astype(np.float32)


@kind("stained tissue", "dark nuclei in stained tissue under transmitted light", 1.4,
      wear=Wear(blur=0.7, noise=0.015, uneven=0.2, low_contrast=0.15, invert=0.0))
def stained_tissue(rng: np.random.Generator, shape: Shape) -> Canvas:
    """Haematoxylin nuclei over eosin stroma, by optical density."""
    canvas = Canvas(shape, 3)
    at = ovals(rng, shape, small=4, large=26, cover=(0.1, 0.55), elongate=2.4, wobble=0.1)
    top = canvas.claim(at)
    first, second = stain_colours(rng)
    cloth = fractal_noise(rng, shape, log_uniform(rng, 12, 60), 4)
    cloth += 0.5 * textured_plane(rng, shape, int(rng.choice([4, 5, 6, 7, 19, 23])))
    eosin = np.maximum(rng.uniform(0.2, 0.8) + 0.2 * cloth, 0)
    if rng.random() < 0.4:
        gaps = smooth_noise(rng, shape, log_uniform(rng, 20, 70)) > rng.uniform(0.3, 1)
        eosin *= 1 - 0.9 * gaps
    wash = np.maximum(0.08 + 0.06 * smooth_noise(rng, shape, 25), 0)
    amount = rng.uniform(0.5, 1.3) * np.exp(0.25 * rng.standard_normal(at.count))
    grain = skin(rng, top, int(rng.choice([1, 2, 3, 14])))
    edge = np.minimum(top.depth / rng.uniform(1, 3), 1)
    rim = np.exp(-top.depth / 1.5) * rng.choice([0.0, 0.3, 0.6])
    stain = top.of(amount) * edge * np.maximum(1 + rng.uniform(0.05, 0.35) * grain + rim, 0.1)
    if rng.random() < 0.35:
        stain *= 1 - rng.uniform(0.3, 0.6) * top.height()
    density = wash[..., None] * first + eosin[..., None] * second
    density[top.row, top.col] = (
        stain[:, None] * first
        + (eosin[top.row, top.col] * rng.uniform(0.2, 0.8))[:, None] * second
    )
    canvas.image = (rng.uniform(0.85, 1.0) * np.exp(-density)).astype(np.float32)
    return canvas
