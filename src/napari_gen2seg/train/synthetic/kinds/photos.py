"""Everyday photographs: objects of any shape, with parts, textures, shade, clutter."""

from __future__ import annotations

import numpy as np

from napari_gen2seg.common.types import Array, Shape
from napari_gen2seg.train.synthetic.canvas import Canvas, Fragments, join, unhidden
from napari_gen2seg.train.synthetic.degrade import Wear
from napari_gen2seg.train.synthetic.layout import (
    any_order,
    how_many,
    log_uniform,
    scatter,
    sizes,
)
from napari_gen2seg.train.synthetic.population import (
    any_profiles,
    colors,
    f32,
    lighting,
    one_profile,
    pick,
    skin,
)
from napari_gen2seg.train.synthetic.scene import kind
from napari_gen2seg.train.synthetic.shapes import blobs
from napari_gen2seg.train.synthetic.textures import (
    fractal_noise,
    smooth_noise,
    stretch,
    textured_plane,
)
from napari_gen2seg.train.synthetic.tiling import tile

WORN = Wear(blur=0.5, noise=0.015, uneven=0.3, low_contrast=0.15, invert=0.02)


def backdrop(rng: np.random.Generator, shape: Shape) -> Array:
    """A ground without objects of its own, (H, W, 3): walls, sky, cloth, foliage."""
    y = np.linspace(0, 1, shape[0], dtype=np.float32)[:, None]
    x = np.linspace(0, 1, shape[1], dtype=np.float32)[None, :]
    ends = colors(rng, 2, 0.15)
    if rng.random() < 0.5:
        ends[1] = np.clip(ends[0] + rng.normal(0, 0.12, 3), 0, 1)
    style = rng.random()
    if style < 0.45:
        mix = y * rng.uniform(-1, 1) + x * rng.uniform(-1, 1)
    elif style < 0.6:
        # Floor and wall, land and sky.
        line = rng.uniform(0.2, 0.8) + rng.uniform(-0.3, 0.3) * x
        mix = np.clip((y - line) * pick(rng, 3, 20, 200), 0, 1) + 0.2 * y
    else:
        mix = 0.5 + 0.35 * fractal_noise(
            rng, shape, log_uniform(rng, 10, 150), pick(rng, 1, 3, 5)
        )
    picture = ends[0] + (ends[1] - ends[0]) * np.broadcast_to(mix, shape)[..., None]
    if rng.random() < 0.45:
        cloth = rng.uniform(0.02, 0.12) * textured_plane(rng, shape)
        picture = picture + cloth[..., None] * (0.3 + ends[0])
    return np.clip(picture, 0, 1)


def clutter(rng: np.random.Generator, shape: Shape) -> Array:
    """A busy ground of large colored regions, soft or sharp, (H, W, 3)."""
    soft = rng.random() < 0.6
    metric = pick(rng, "round", "box")
    aspect = rng.uniform(1, 3)
    if soft:
        # Out of focus: a few pixels stretched smoothly.
        small = (shape[0] // 6 + 3, shape[1] // 6 + 3)
        spacing = max(small) * rng.uniform(0.2, 0.9)
        cells = tile(rng, small, spacing, metric=metric, aspect=aspect)
        plan = colors(rng, cells.count, 0.2)[cells.owner]
        picture = np.stack([stretch(plan[..., k], shape) for k in range(3)], 2)
    else:
        spacing = max(shape) * rng.uniform(0.2, 0.9)
        cells = tile(rng, shape, spacing, warp=0.1, metric=metric, aspect=aspect)
        picture = colors(rng, cells.count, 0.2)[cells.owner]
    picture += (rng.uniform(0, 0.12) * smooth_noise(rng, shape, 30))[..., None]
    if rng.random() < 0.5:
        picture += (rng.uniform(0, 0.1) * textured_plane(rng, shape))[..., None]
    return np.clip(picture, 0, 1)


def cast_shadow(
    rng: np.random.Generator, canvas: Canvas, at: Fragments, reach: int
) -> None:
    """Darken the ground beside the objects."""
    dy = int(rng.integers(0, reach + 1))
    dx = int(rng.integers(-reach, reach + 1))
    canvas.scale(at, rng.uniform(0.4, 0.9), dy, dx, soft=rng.uniform(0, 3))


@kind(
    "photo objects",
    "colored objects with parts, shade and cast shadows on clutter",
    1.8,
    whole=True,
    wear=WORN,
)
def photo_objects(rng: np.random.Generator, shape: Shape) -> Canvas:
    """Each object is one to several shapes of different colors, one label."""
    canvas = Canvas(shape, 3)
    busy = rng.random() < 0.4
    canvas.image = clutter(rng, shape) if busy else backdrop(rng, shape)
    canvas.complete = not busy
    mean = log_uniform(rng, 6, 0.4 * min(shape))
    count = how_many(shape, mean, rng.uniform(0.1, 1.0), 40)
    radius = np.sort(sizes(rng, mean, count, rng.uniform(0.1, 0.6)))[::-1]
    radius = np.minimum(radius, 0.7 * min(shape))
    center = scatter(rng, shape, radius, apart=pick(rng, 0.0, 0.7, 1.0))
    angle = rng.uniform(0, 2 * np.pi, count)
    parts = int(rng.integers(1, 4))
    body = colors(rng, count, pick(rng, 0.1, 0.5))
    if rng.random() < 0.25:
        body = body[:1] + f32(0.05 * rng.standard_normal((count, 3)))
    pieces: list[Fragments] = []
    paint: list[Array] = []
    for part in range(parts):
        stretch = np.sqrt(rng.uniform(1, 2.5, count))
        size = radius if part == 0 else radius * rng.uniform(0.2, 0.6)
        radii = np.stack([size * stretch, size / stretch], 1)
        move = 0 if part == 0 else rng.uniform(-0.7, 0.7, (count, 2)) * radius[:, None]
        bend = rng.normal(0, 0.2, count) if rng.random() < 0.3 else 0.0
        pieces.append(
            blobs(shape, center + move, radii, angle, any_profiles(rng, count), bend)
        )
        paint.append(body if part == 0 else colors(rng, count, 0.3))
    at = join(pieces)
    whose = np.tile(np.arange(count), parts)
    order = any_order(rng, count)
    # Parts of one object follow each other, so that objects hide one another whole.
    if order is not None:
        at = unhidden(at.stacked(order[whose]), shape, whose)
    elif parts > 1:
        at = at.stacked(whose)
    if rng.random() < 0.6:
        cast_shadow(rng, canvas, at, max(2, int(0.3 * mean)))
    top = canvas.claim(at, whose)
    shade = lighting(rng, top)
    for _ in range(int(rng.integers(0, 3))):
        amount = f32(rng.uniform(0, 0.2, top.count) * (rng.random(top.count) < 0.6))
        shade *= 1 + top.of(amount) * skin(rng, top)
    if rng.random() < 0.3:
        shade *= 1 - rng.uniform(0.1, 0.7) * np.exp(-top.depth / 1.2)
    canvas.put(top, top.of(np.concatenate(paint)) * shade[:, None])
    return canvas


@kind(
    "piles",
    "heaps of look-alikes: fruit, coins, beans, pebbles, products",
    1.1,
    wear=WORN,
)
def piles(rng: np.random.Generator, shape: Shape) -> Canvas:
    """Many objects of one make, hiding one another, told apart by shade alone."""
    canvas = Canvas(shape, 3)
    mean = log_uniform(rng, 5, 0.22 * min(shape))
    count = how_many(shape, mean, rng.uniform(0.3, 1.8), 130)
    radius = sizes(rng, mean, count, pick(rng, 0.02, 0.1, 0.25))
    center = scatter(rng, shape, radius, apart=rng.uniform(0.5, 1.05))
    stretch = np.full(count, np.sqrt(pick(rng, 1.0, 1.5, 2.5, 4.0)))
    radii = np.stack([radius * stretch, radius / stretch], 1)
    turn = rng.uniform(0, 2 * np.pi, count) * pick(rng, 0.05, 1.0)
    bend = rng.normal(0, 0.05) + pick(rng, 0.0, 0.3)
    order = any_order(rng, count)
    at = blobs(shape, center, radii, turn, one_profile(rng, count), bend, order)
    at = at if order is None else unhidden(at, shape)
    canvas.image = backdrop(rng, shape) * rng.uniform(0.3, 1)
    if rng.random() < 0.6:
        cast_shadow(rng, canvas, at, max(2, int(0.3 * mean)))
    top = canvas.claim(at)
    base = colors(rng, 1, 0.5)
    paint = base * f32(np.exp(pick(rng, 0.02, 0.15) * rng.standard_normal((count, 1))))
    paint = paint + f32(pick(rng, 0.01, 0.08) * rng.standard_normal((count, 3)))
    shade = lighting(rng, top, rng.uniform(0.5, 1.4))
    shade *= 1 + rng.uniform(0, 0.3) * skin(rng, top)
    if rng.random() < 0.6:
        shade *= 1 - rng.uniform(0.2, 0.9) * np.exp(-top.depth / rng.uniform(0.6, 2.5))
    if rng.random() < 0.3:
        mark = np.exp(-((np.hypot(top.u, top.v) - rng.uniform(0, 0.7)) ** 2) / 0.02)
        shade *= 1 + rng.uniform(-0.5, 0.5) * mark
    canvas.put(top, top.of(paint) * shade[:, None])
    return canvas


@kind(
    "textured on textured",
    "objects told from the ground by texture alone",
    0.8,
    wear=Wear(blur=0.5, noise=0.02, low_contrast=0.2, invert=0.1),
)
def textured_on_textured(rng: np.random.Generator, shape: Shape) -> Canvas:
    """Random textures of the same mean; touching objects differ in direction only."""
    canvas = Canvas(shape, pick(rng, 1, 3))
    level = rng.uniform(0.35, 0.65)
    canvas.image += (
        level + rng.uniform(0.03, 0.2) * textured_plane(rng, shape)[..., None]
    )
    mean = log_uniform(rng, 9, 0.4 * min(shape))
    count = how_many(shape, mean, rng.uniform(0.1, 0.7), 40)
    radius = sizes(rng, mean, count, 0.25)
    center = scatter(rng, shape, radius, apart=1.0)
    stretch = np.sqrt(rng.uniform(1, 2.5, count))
    radii = np.stack([radius * stretch, radius / stretch], 1)
    at = blobs(
        shape, center, radii, rng.uniform(0, np.pi, count), any_profiles(rng, count)
    )
    top = canvas.claim(at)
    value = level + rng.uniform(0.1, 0.2) * skin(rng, top)
    canvas.put(top, value + rng.uniform(-0.08, 0.08))
    if canvas.channels == 3:
        canvas.image *= 0.5 + colors(rng, 1)
    return canvas


@kind(
    "dead leaves",
    "a frame full of things of every size, each hiding others, all labeled",
    0.9,
    fill=True,
    wear=WORN,
)
def dead_leaves(rng: np.random.Generator, shape: Shape) -> Canvas:
    """Layers of shapes with a power law of sizes, which natural images share."""
    canvas = Canvas(shape, 3)
    small = log_uniform(rng, 5, 14)
    large = 0.4 * min(shape)
    count = int(rng.integers(25, 90))
    # Radii with density r ** -3, the law of scale-free occlusion.
    chance = rng.random(count)
    radius = 1 / np.sqrt(chance / small**2 + (1 - chance) / large**2)
    radius = np.sort(radius)[::-1]
    center = rng.uniform(-0.05, 1.05, (count, 2)) * shape
    stretch = np.sqrt(rng.uniform(1, 2.5, count))
    radii = np.stack([radius * stretch, radius / stretch], 1)
    simple = rng.random() < 0.5
    outline = (one_profile if simple else any_profiles)(rng, count)
    angle, order = rng.uniform(0, np.pi, count), any_order(rng, count)
    at = blobs(shape, center, radii, angle, outline, order=order)
    at = at if order is None else unhidden(at, shape)
    spacing = max(shape) * rng.uniform(0.3, 0.8)
    floor = tile(rng, shape, spacing, metric=pick(rng, "round", "box"), warp=0.1)
    canvas.labels = floor.owner + 1
    canvas.count = floor.count
    vivid = pick(rng, 0.1, 0.5)
    canvas.image = colors(rng, floor.count, vivid)[floor.owner]
    canvas.image *= (
        1 + (rng.uniform(0, 0.25) * fractal_noise(rng, shape, 40, 4))[..., None]
    )
    top = canvas.claim(at)
    shade = lighting(rng, top, rng.uniform(0, 1))
    for _ in range(int(rng.integers(0, 3))):
        amount = f32(rng.uniform(0, 0.25, count))
        shade *= 1 + top.of(amount) * skin(rng, top)
    if rng.random() < 0.4:
        shade *= 1 - rng.uniform(0.1, 0.6) * np.exp(-top.depth / rng.uniform(0.6, 2))
    canvas.put(top, top.of(colors(rng, count, vivid)) * shade[:, None])
    return canvas
