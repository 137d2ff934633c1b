"""Populations of objects: outlines, sizes, places, colors and skins for the kinds."""

from __future__ import annotations

from typing import TypeVar

import numpy as np

from napari_gen2seg.common.types import Array, Shape
from napari_gen2seg.train.synthetic.canvas import Fragments
from napari_gen2seg.train.synthetic.layout import how_many, log_uniform, scatter, sizes
from napari_gen2seg.train.synthetic.shapes import (
    ANGLES,
    blobs,
    polygon_profiles,
    round_profiles,
    super_profiles,
)
from napari_gen2seg.train.synthetic.textures import SIDE, TEXTURES, sample, texture

T = TypeVar("T")

GRAIN = (0, 1, 2, 3, 14, 25)
"""Textures without structure of their own: chromatin, cytoplasm, powder."""


def pick(rng: np.random.Generator, *options: T) -> T:
    """One of the options, as the plain Python object it is."""
    return options[int(rng.integers(len(options)))]


def f32(values: Array) -> Array:
    """Values as float32, so that images are not computed in double precision."""
    return np.asarray(values, np.float32)


def skin(
    rng: np.random.Generator,
    at: Fragments,
    index: int | None = None,
    scale: float | None = None,
    aligned: bool = False,
) -> Array:
    """A piece of texture of its own for every object, (M,), unit variance.

    `scale` is texels per pixel; `aligned` keeps one direction for all objects.
    """
    index = int(rng.integers(TEXTURES)) if index is None else index
    scale = log_uniform(rng, 0.5, 2.5) if scale is None else scale
    offset = f32(rng.uniform(0, SIDE, (2, at.count)))
    turn = np.full(at.count, 0.3) if aligned else rng.uniform(0, 2 * np.pi, at.count)
    c, s = f32(scale * np.cos(turn))[at.owner], f32(scale * np.sin(turn))[at.owner]
    y, x = at.row.astype(np.float32), at.col.astype(np.float32)
    return sample(
        texture(index),
        y * c - x * s + offset[0][at.owner],
        y * s + x * c + offset[1][at.owner],
    )


def armed_profiles(
    rng: np.random.Generator, count: int, arms: int, length: float
) -> Array:
    """Radii of bodies with pointed arms: spread cells, stars, splashes."""
    theta = np.arange(ANGLES) * (2 * np.pi / ANGLES)
    radii = 0.75 * round_profiles(rng, count, 0.12)
    place = rng.uniform(0, 2 * np.pi, (count, arms))
    width = rng.uniform(0.08, 0.35, (count, arms))
    height = length * rng.uniform(0, 1, (count, arms)) ** 1.5
    gap = np.abs((theta - place[..., None] + np.pi) % (2 * np.pi) - np.pi)
    bumps = height[..., None] * np.exp(-gap / width[..., None])
    return f32(radii + bumps.max(1))


def any_profiles(rng: np.random.Generator, count: int) -> Array:
    """Outlines of any sort, one sort an object."""
    sort = rng.integers(6, size=count)
    outline = np.empty((count, ANGLES), np.float32)
    few, many = int(rng.integers(3, 6)), int(rng.integers(4, 12))
    for number in np.unique(sort):
        index = np.flatnonzero(sort == number)
        n = len(index)
        if number == 0:
            outline[index] = round_profiles(rng, n, 0.06)
        elif number == 1:
            outline[index] = round_profiles(rng, n, 0.25)
        elif number == 2:
            outline[index] = super_profiles(n, rng.uniform(1.2, 8, n))
        elif number == 3:
            outline[index] = polygon_profiles(rng, n, few, 0.4)
        elif number == 4:
            outline[index] = polygon_profiles(rng, n, many, 1.0)
        else:
            outline[index] = armed_profiles(rng, n, few, 0.8)
    return outline


def one_profile(rng: np.random.Generator, count: int) -> Array:
    """Outlines of one sort for all objects, each a little different."""
    sort = int(rng.integers(6))
    if sort == 0:
        return round_profiles(rng, count, rng.uniform(0.0, 0.3))
    if sort == 1:
        return super_profiles(count, rng.uniform(1.3, 8) * np.ones(count))
    if sort == 2:
        return polygon_profiles(
            rng, count, int(rng.integers(3, 9)), rng.uniform(0, 0.5)
        )
    if sort == 3:
        return polygon_profiles(rng, count, int(rng.integers(5, 14)), 1.0)
    if sort == 4:
        return armed_profiles(
            rng, count, int(rng.integers(2, 9)), rng.uniform(0.2, 1.2)
        )
    # The same random shape many times over, as in a box of one product.
    return np.repeat(round_profiles(rng, 1, rng.uniform(0.1, 0.3)), count, 0)


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
    profiles: str = "round",
) -> Fragments:
    """A population of compact objects, sparse or crowded, even or uneven in size."""
    mean = log_uniform(rng, small, min(large, 0.3 * min(shape)))
    count = how_many(shape, mean, rng.uniform(*cover), most)
    radius = np.sort(sizes(rng, mean, count, pick(rng, 0.08, 0.2, 0.45)))[::-1]
    gap = pick(rng, 0.0, 0.75, 0.95, 1.1)
    clumps = int(rng.integers(1, 5)) if rng.random() < 0.3 else 0
    center = scatter(rng, shape, radius, apart=gap, clumps=clumps)
    ratio = np.sqrt(rng.uniform(1, elongate, count))
    radii = np.stack([radius * ratio, radius / ratio], 1)
    if profiles == "round":
        outline = round_profiles(rng, count, wobble * rng.uniform(0.2, 1.5))
    else:
        outline = one_profile(rng, count)
    bend = rng.normal(0, 0.2, count) if rng.random() < 0.3 else 0.0
    return blobs(shape, center, radii, rng.uniform(0, np.pi, count), outline, bend)


def colors(rng: np.random.Generator, count: int, vivid: float = 0.3) -> Array:
    """Natural colors, float32 (count, 3): mostly muted, a share `vivid` saturated."""
    hue = (
        rng.uniform(0, 1) + rng.uniform(0, pick(rng, 0.1, 0.4, 1.0)) * rng.random(count)
    ) % 1
    strong = rng.random(count) < vivid
    saturation = np.where(strong, rng.uniform(0.5, 1, count), rng.beta(1.3, 3.5, count))
    value = rng.beta(2, 1.6, count) * 0.95 + 0.03
    wheel = np.clip(np.abs((hue[:, None] * 6 - [0, 2, 4]) % 6 - 3) - 1, 0, 1)
    return f32(value[:, None] * (1 - saturation[:, None] * (1 - wheel)))


def lighting(rng: np.random.Generator, at: Fragments, strength: float = 1.0) -> Array:
    """Shade of rounded bodies under one lamp, (M,), about 1.

    Side light, darkening towards the rim, and sometimes a glossy highlight.
    """
    turn = rng.uniform(0, 2 * np.pi)
    dy, dx = float(np.sin(turn)), float(np.cos(turn))
    dome = at.height()
    slope = 1 - np.clip(at.depth / at.of(at.radius), 0, 1)
    # Direction away from the object's middle, in the picture's frame.
    size = np.bincount(at.owner, minlength=at.count) + 1e-6
    cy = f32(np.bincount(at.owner, at.row, at.count) / size)[at.owner]
    cx = f32(np.bincount(at.owner, at.col, at.count) / size)[at.owner]
    ey, ex = at.row - cy, at.col - cx
    away = (ey * dy + ex * dx) / (np.sqrt(ey * ey + ex * ex) + 1.0)
    shade = 1 + strength * (
        rng.uniform(0, 0.5) * away * slope + rng.uniform(0, 0.5) * (dome - 0.75)
    )
    if rng.random() < 0.3:
        gloss = (ey * dy + ex * dx) / at.of(at.radius) - 0.45
        side = (ex * dy - ey * dx) / at.of(at.radius)
        spot = np.exp(-(gloss * gloss + side * side) / rng.uniform(0.01, 0.08))
        shade = shade + rng.uniform(0.2, 0.8) * spot
    return f32(np.maximum(shade, 0.05))
