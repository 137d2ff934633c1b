"""Metal powder in the scanning electron microscope: balls of every size, with skins."""

from __future__ import annotations

import numpy as np

from napari_gen2seg.common.types import Array, Shape
from napari_gen2seg.train.synthetic.canvas import Canvas, Fragments, unhidden
from napari_gen2seg.train.synthetic.degrade import Wear, blur
from napari_gen2seg.train.synthetic.layout import (
    any_order,
    how_many,
    log_uniform,
    scatter,
    sizes,
)
from napari_gen2seg.train.synthetic.population import f32, pick, skin
from napari_gen2seg.train.synthetic.scene import kind
from napari_gen2seg.train.synthetic.shapes import blobs, round_profiles
from napari_gen2seg.train.synthetic.textures import fractal_noise


def _balls(rng: np.random.Generator, shape: Shape) -> tuple[Array, Array, Array | None]:
    """Centers (N, 2), radii (N,) and the order in depth of balls and satellites."""
    spread = rng.uniform(0.5, 0.9)
    mean = log_uniform(rng, 4, 0.16 * min(shape))
    # Few large balls have most of the area.
    count = how_many(shape, mean * np.exp(spread**2), rng.uniform(0.3, 1.3), 110)
    radius = np.minimum(sizes(rng, mean, max(count, 3), spread), 0.6 * min(shape))
    center = scatter(rng, shape, radius, apart=pick(rng, 0.5, 0.85, 1.0))
    order = any_order(rng, len(radius))
    # Satellites, frozen to the rims of larger balls.
    few = int(rng.integers(0, 1 + 6 * max(1, shape[0] * shape[1] // 96**2)))
    host = rng.choice(len(radius), few, p=radius / radius.sum())
    turn = rng.uniform(0, 2 * np.pi, few)
    away = radius[host] * rng.uniform(0.7, 1.1, few)
    beside = center[host] + away[:, None] * np.stack([np.sin(turn), np.cos(turn)], 1)
    small = np.maximum(radius[host] * rng.uniform(0.15, 0.35, few), 2.5)
    if order is not None:
        order = np.concatenate([order, order[host] + 0.5])
    return np.concatenate([center, beside]), np.concatenate([radius, small]), order


def _shade(
    rng: np.random.Generator, top: Fragments, center: Array, radius: Array
) -> Array:
    """Brightness of balls under a detector above and one at a side, (M,)."""
    turn = rng.uniform(0, 2 * np.pi)
    dy, dx = np.sin(turn) / radius, np.cos(turn) / radius
    side = (top.row - top.of(f32(center[:, 0]))) * top.of(f32(dy))
    side += (top.col - top.of(f32(center[:, 1]))) * top.of(f32(dx))
    shade = 1 - rng.uniform(0.1, 0.6) * (1 - top.height()) + rng.uniform(0, 0.4) * side
    # Skins of frozen cells; those of small balls are smooth.
    rough = rng.uniform(0.05, 0.25) * np.clip(radius / 10, 0.2, 1)
    rough *= rng.uniform(0.3, 1.2, len(radius)) * pick(rng, -1, 1)
    return shade * (
        1 + top.of(f32(rough)) * skin(rng, top, pick(rng, 16, 17), rng.uniform(1, 3))
    )


@kind(
    "powder",
    "balls of metal of every size, bright at the edges, with skins and satellites",
    0.75,
    wear=Wear(
        blur=0.5, noise=0.012, uneven=0.2, low_contrast=0.2, invert=0.02, tint=0.02
    ),
)
def powder(rng: np.random.Generator, shape: Shape) -> Canvas:
    """Nearly perfect balls on dark smooth ground, with shadows where they touch."""
    canvas = Canvas(shape)
    center, radius, order = _balls(rng, shape)
    count = len(radius)
    stretch = np.sqrt(rng.uniform(1, rng.uniform(1, 1.15), count))
    outline = round_profiles(rng, count, rng.uniform(0.005, 0.03))
    radii = np.stack([radius * stretch, radius / stretch], 1)
    angle = rng.uniform(0, np.pi, count)
    at = blobs(shape, center, radii, angle, outline, order=order)
    at = at if order is None else unhidden(at, shape)
    top = canvas.claim(at)
    tone = rng.uniform(0.25, 0.6) * np.exp(
        rng.uniform(0.03, 0.2) * rng.standard_normal(count)
    )
    value = top.of(f32(tone)) * _shade(rng, top, center, radius)
    value += rng.uniform(0.15, 0.5) * np.exp(-top.depth / rng.uniform(0.8, 2))
    canvas.image += rng.uniform(0.02, 0.15)
    canvas.image += (rng.uniform(0, 0.012) * fractal_noise(rng, shape, 25))[..., None]
    canvas.put(top, value)
    # It is darker beside what is higher: on the ground beside balls, and on a ball
    # beside those over it.
    rank = np.argsort(np.argsort(radius)[::-1]) if order is None else order
    height = np.zeros((*shape, 1), np.float32)
    height[top.row, top.col, 0] = 1 + top.of(f32(rank / count))
    over = np.maximum(blur(height, rng.uniform(1.2, 3.5)) - height, 0)
    canvas.image *= np.exp(-rng.uniform(0.5, 2.5) * over)
    return canvas
