"""Everyday photographs: objects of any shape, with textures, parts, shade and clutter."""

from __future__ import annotations

import numpy as np

from .canvas import Canvas, Fragments, join
from .degrade import Wear
from .layout import how_many, log_uniform, scatter, sizes
from .nuclei import skin
from .scene import kind
from .shapes import blobs, polygon_profiles, round_profiles, super_profiles
from .textures import textured_plane
from .tiling import tile

Array = np.ndarray
Shape = tuple[int, int]


def any_profiles(rng: np.random.Generator, count: int) -> Array:
    """Outlines of any sort, one sort an object."""
    kinds = [
        round_profiles(rng, count, 0.06),
        round_profiles(rng, count, 0.25),
        super_profiles(count, rng.uniform(1.2, 8, count)),
        polygon_profiles(rng, count, int(rng.integers(3, 6)), 0.4),
        polygon_profiles(rng, count, int(rng.integers(4, 12)), 1.0),
    ]
    return np.stack(kinds, 1)[np.arange(count), rng.integers(len(kinds), size=count)]


def backdrop(rng: np.random.Generator, shape: Shape) -> Array:
    """A ground of large regions or gradients, (H, W, 3)."""
    y = np.linspace(0, 1, shape[0], dtype=np.float32)[:, None, None]
    ends = rng.uniform(0.1, 0.95, (2, 3)).astype(np.float32)
    picture = ends[0] + (ends[1] - ends[0]) * y + np.zeros((*shape, 1), np.float32)
    if rng.random() < 0.6:
        cells = tile(rng, shape, max(shape) * rng.uniform(0.3, 0.9), warp=0.1, aspect=rng.uniform(1, 3))
        tint = (rng.uniform(0.0, 0.25) * rng.standard_normal((cells.count, 3))).astype(np.float32)
        picture += tint[cells.owner]
    for _ in range(int(rng.integers(0, 3))):
        picture += (rng.uniform(0, 0.12) * textured_plane(rng, shape))[..., None]
    return np.clip(picture, 0, 1)


@kind("photo objects", "coloured objects with parts, shade and cast shadows on clutter", 1.8,
      wear=Wear(blur=0.5, noise=0.015, uneven=0.3, low_contrast=0.15, invert=0.02), whole=True)
def photo_objects(rng: np.random.Generator, shape: Shape) -> Canvas:
    """Each object is one to several shapes of different colours, one label."""
    canvas = Canvas(shape, 3)
    canvas.image = backdrop(rng, shape)
    mean = log_uniform(rng, 6, 0.4 * min(shape))
    count = how_many(shape, mean, rng.uniform(0.1, 0.9), 40)
    radius = np.sort(sizes(rng, mean, count, rng.uniform(0.1, 0.6)))[::-1]
    center = scatter(rng, shape, radius, apart=rng.choice([0.0, 0.7, 1.0]))
    angle = rng.uniform(0, 2 * np.pi, count)
    parts = rng.integers(1, 4) if rng.random() < 0.7 else 1
    palette = rng.uniform(0.05, 0.95, (count, 3))
    if rng.random() < 0.25:
        palette = palette[:1] + 0.05 * rng.standard_normal((count, 3))
    light = rng.uniform(0, 2 * np.pi)
    pieces: list[Fragments] = []
    colours: list[Array] = []
    for part in range(parts):
        stretch = np.sqrt(rng.uniform(1, 2.5, count))
        size = radius * (1 if part == 0 else rng.uniform(0.25, 0.6))
        radii = np.stack([size * stretch, size / stretch], 1)
        move = 0 if part == 0 else rng.uniform(-0.7, 0.7, (count, 2)) * radius[:, None]
        pieces.append(blobs(shape, center + move, radii, angle, any_profiles(rng, count)))
        colours.append(palette if part == 0 else rng.uniform(0, 1, (count, 3)))
    at = join(pieces)
    # Parts of one object follow each other, so that objects hide one another whole.
    order = np.argsort(at.owner % count, kind="stable")
    at = at.take(order)
    if rng.random() < 0.6:
        reach = max(1, int(0.3 * mean))
        canvas.scale(at, rng.uniform(0.4, 0.9), int(rng.integers(1, reach + 1)), int(rng.integers(-reach, reach + 1)))
    top = canvas.claim(at, np.tile(np.arange(count), parts))
    value = top.of(np.concatenate(colours).astype(np.float32))
    for _ in range(int(rng.integers(0, 3))):
        amount = top.of((rng.uniform(0, 0.2, top.count)).astype(np.float32))
        value = value * (1 + amount * skin(rng, top))[:, None]
    lit = top.u * np.sin(light) + top.v * np.cos(light)
    value = value * (1 + rng.uniform(0, 0.4) * lit + rng.uniform(0, 0.5) * (top.height() - 0.7))[:, None]
    if rng.random() < 0.3:
        value = value - (rng.uniform(0.1, 0.5) * np.exp(-top.depth / 1.2))[:, None]
    canvas.put(top, value.astype(np.float32))
    return canvas


@kind("textured on textured", "objects told from the ground by texture alone", 0.8,
      wear=Wear(blur=0.5, noise=0.02, invert=0.1))
def textured_on_textured(rng: np.random.Generator, shape: Shape) -> Canvas:
    """Two random textures of the same mean."""
    channels = int(rng.choice([1, 3]))
    canvas = Canvas(shape, channels)
    level = rng.uniform(0.35, 0.65)
    canvas.image += level + rng.uniform(0.1, 0.2) * textured_plane(rng, shape)[..., None]
    mean = log_uniform(rng, 10, 0.4 * min(shape))
    count = how_many(shape, mean, rng.uniform(0.1, 0.6), 40)
    radius = sizes(rng, mean, count, 0.25)
    center = scatter(rng, shape, radius, apart=1.0)
    stretch = np.sqrt(rng.uniform(1, 2.5, count))
    radii = np.stack([radius * stretch, radius / stretch], 1)
    at = blobs(shape, center, radii, rng.uniform(0, np.pi, count), any_profiles(rng, count))
    top = canvas.claim(at)
    value = level + rng.uniform(0.1, 0.2) * skin(rng, top)
    canvas.put(top, value.astype(np.float32))
    if channels == 3:
        canvas.image *= rng.uniform(0.6, 1.3, 3).astype(np.float32)
    return canvas
