"""Stained tissue in transmitted light, drawn in optical densities."""

from __future__ import annotations

import numpy as np

from napari_gen2seg.common.types import Array, Shape
from napari_gen2seg.train.synthetic.canvas import Canvas
from napari_gen2seg.train.synthetic.degrade import Wear
from napari_gen2seg.train.synthetic.layout import log_uniform
from napari_gen2seg.train.synthetic.population import GRAIN, f32, ovals, pick, skin
from napari_gen2seg.train.synthetic.scene import kind
from napari_gen2seg.train.synthetic.textures import (
    fractal_noise,
    smooth_noise,
    textured_plane,
)
from napari_gen2seg.train.synthetic.tiling import tile


def stain_colors(rng: np.random.Generator) -> tuple[Array, Array]:
    """Optical densities of nuclear and counter stain, RGB, float32.

    Haematoxylin with eosin or with diaminobenzidine, purple on purple, or any two; the
    unit vectors of Ruifrok & Johnston (2001), varied.
    """
    style = rng.random()
    haematoxylin = np.array([0.65, 0.70, 0.29])
    if style < 0.55:
        pair = haematoxylin, np.array([0.12, 0.95, 0.25])
    elif style < 0.7:
        pair = haematoxylin, np.array([0.27, 0.57, 0.78])
    elif style < 0.85:
        purple = np.array([0.75, 0.85, 0.15])
        pair = purple, purple * [0.8, 0.9, 1.2]
    else:
        pair = rng.uniform(0.1, 1, 3), rng.uniform(0.1, 1, 3)
    first, second = (
        np.clip(s + 0.07 * rng.standard_normal(3), 0.02, 1.2) for s in pair
    )
    return f32(first), f32(second)


@kind(
    "stained nuclei",
    "dark nuclei in stained tissue under transmitted light",
    1.5,
    wear=Wear(blur=0.7, noise=0.012, uneven=0.2, low_contrast=0.12, invert=0.0),
)
def stained_nuclei(rng: np.random.Generator, shape: Shape) -> Canvas:
    """Nuclei over fibrous stroma with gaps, folds and pale look-alikes."""
    canvas = Canvas(shape, 3)
    first, second = stain_colors(rng)
    cloth = 0.7 * fractal_noise(rng, shape, log_uniform(rng, 12, 60), 4)
    cloth += rng.uniform(0.2, 0.8) * textured_plane(
        rng, shape, pick(rng, 1, 4, 5, 6, 7, 23, 24)
    )
    eosin = np.maximum(rng.uniform(0.08, 0.5) * (1 + rng.uniform(0.1, 0.5) * cloth), 0)
    if rng.random() < 0.3:
        cells = tile(rng, shape, log_uniform(rng, 15, 60), warp=0.2, uneven=0.2)
        eosin *= 1 + rng.uniform(-0.6, 0.5) * np.exp(-cells.border / 1.5)
    if rng.random() < 0.5:
        gap = smooth_noise(rng, shape, log_uniform(rng, 20, 80)) - rng.uniform(0.2, 1.2)
        eosin *= 1 - 0.92 * np.clip(gap * 6, 0, 1)
    haze = np.maximum(
        rng.uniform(0, 0.15) * (1 + 0.6 * smooth_noise(rng, shape, 20)), 0
    )
    at = ovals(
        rng,
        shape,
        small=4,
        large=28,
        cover=(0.08, 0.65),
        elongate=pick(rng, 1.4, 3.0),
        wobble=0.1,
    )
    top = canvas.claim(at)
    amount = rng.uniform(0.5, 1.6) * np.exp(
        pick(rng, 0.1, 0.35) * rng.standard_normal(at.count)
    )
    grain = skin(rng, top, pick(rng, *GRAIN), log_uniform(rng, 0.7, 2.5))
    stain = np.maximum(1 + rng.uniform(0.05, 0.4) * grain, 0.15)
    stain += pick(rng, 0.0, 0.3, 0.7) * np.exp(-top.depth / 1.4)
    if rng.random() < 0.4:
        stain *= 1 - rng.uniform(0.2, 0.6) * top.height()
    stain *= top.of(f32(amount)) * np.minimum(top.depth / rng.uniform(0.6, 2.5), 1)
    density = haze[..., None] * first + eosin[..., None] * second
    under = eosin[top.row, top.col] * rng.uniform(0.2, 0.9)
    density[top.row, top.col] = stain[:, None] * first + under[:, None] * second
    canvas.image = rng.uniform(0.85, 1.0) * np.exp(-density)
    return canvas


@kind(
    "stained cells",
    "pale stained cells with dark nuclei inside; the cell is the object",
    0.7,
    wear=Wear(blur=0.7, noise=0.012, uneven=0.25, low_contrast=0.15, invert=0.0),
)
def stained_cells(rng: np.random.Generator, shape: Shape) -> Canvas:
    """Smears: blood and epithelial cells on a bright ground."""
    canvas = Canvas(shape, 3)
    first, second = stain_colors(rng)
    at = ovals(
        rng,
        shape,
        small=8,
        large=45,
        cover=(0.1, 0.8),
        elongate=1.4,
        wobble=pick(rng, 0.02, 0.15),
    )
    top = canvas.claim(at)
    ground = rng.uniform(0, 0.08) * (1 + 0.4 * smooth_noise(rng, shape, 50))
    density = np.maximum(ground, 0)[..., None] * second
    body = rng.uniform(0.2, 0.7) * np.maximum(
        1 + 0.15 * skin(rng, top, pick(rng, 1, 2, 13)), 0
    )
    body *= top.of(f32(np.exp(0.2 * rng.standard_normal(at.count))))
    if rng.random() < 0.5:
        body *= (
            1
            - rng.uniform(0.2, 0.8) * np.clip(top.depth / top.of(top.radius), 0, 1) ** 2
        )
    has_core = rng.random(at.count) < pick(rng, 0.0, 0.3, 1.0)
    move = f32(rng.uniform(-0.2, 0.2, (2, at.count)))
    u, v = top.u - move[0][top.owner], top.v - move[1][top.owner]
    wave = 0.15 * np.sin(3 * np.arctan2(v, u) + top.owner)
    inner = (u * u + v * v < (rng.uniform(0.3, 0.55) * (1 + wave)) ** 2) & has_core[
        top.owner
    ]
    core = inner * rng.uniform(0.6, 1.5) * (1 + 0.15 * skin(rng, top, 2))
    density[top.row, top.col] = body[:, None] * second + f32(core)[:, None] * first
    canvas.image = rng.uniform(0.85, 1.0) * np.exp(-density)
    return canvas


@kind(
    "immunostained tissue",
    "pale nuclei between dark stained membranes, beside stroma with dark nuclei",
    1.2,
    wear=Wear(blur=0.7, noise=0.015, uneven=0.15, low_contrast=0.1, invert=0.0),
)
def immunostained_tissue(rng: np.random.Generator, shape: Shape) -> Canvas:
    """Epithelium whose stain is darker than its nuclei: hue tells them, not shade."""
    canvas = Canvas(shape, 3)
    nuclear, brown = stain_colors(rng)
    if rng.random() < 0.7:
        brown = f32(np.array([0.27, 0.57, 0.78]) + 0.06 * rng.standard_normal(3))
    spacing = log_uniform(rng, 16, 60)
    epithelium = smooth_noise(rng, shape, log_uniform(rng, 60, 200)) > rng.uniform(
        -1.6, 0.9
    )
    cells = tile(
        rng,
        shape,
        spacing,
        jitter=rng.uniform(0.4, 0.9),
        aspect=rng.uniform(1, 2.6),
        warp=rng.uniform(0, 0.2),
        uneven=rng.uniform(0, 0.2),
        stagger=rng.random() < 0.4,
    )
    # Brown: cytoplasm, its grain, and membranes of uneven thickness.
    wall = rng.uniform(0.6, max(0.9, 0.07 * spacing))
    ragged = np.clip(1 + 0.4 * smooth_noise(rng, shape, 10), 0.2, 1.8)
    stain = rng.uniform(0.2, 0.9) * (1 + 0.25 * fractal_noise(rng, shape, 8, 3))
    stain += rng.uniform(0.2, 1.2) * ragged * np.exp(-((cells.border / wall) ** 2))
    stain *= 1 + 0.3 * smooth_noise(rng, shape, 60)
    pale = rng.uniform(0.0, 0.15) * (1 + textured_plane(rng, shape, pick(rng, 4, 5, 6)))
    stain = np.where(epithelium, stain, pale).clip(0)
    blue = np.full(shape, rng.uniform(0, 0.12), np.float32)
    # Nuclei of the epithelium: the middle of each cell, its lobes smoothed by noise.
    bumps = 0.12 * smooth_noise(rng, shape, max(4.0, spacing / 3))
    deep = cells.border / (0.5 * spacing) + bumps - rng.uniform(0.2, 0.45)
    keep = rng.random(cells.count) < pick(rng, 0.7, 0.95, 1.0)
    middle = (deep > 0) & epithelium & keep[cells.owner]
    canvas.labels = np.where(middle, cells.owner + 1, 0).astype(np.int32)
    canvas.count = cells.count
    amount = rng.uniform(0.25, 0.8) * np.exp(
        0.2 * rng.standard_normal(cells.count) + 0.1 * rng.standard_normal()
    )
    edge = np.clip(deep * spacing / rng.uniform(1.5, 5), 0, 1)
    chromatin = 1 + rng.uniform(0.05, 0.3) * fractal_noise(rng, shape, 5, 2)
    inside = middle * edge
    blue += inside * f32(amount)[cells.owner] * chromatin
    stain *= 1 - rng.uniform(0.5, 0.95) * inside
    # Nuclei of the stroma: darker, longer, anywhere outside.
    at = ovals(
        rng,
        shape,
        small=max(4.0, 0.15 * spacing),
        large=max(5.0, 0.35 * spacing),
        cover=(0.05, 0.4),
        elongate=pick(rng, 2.0, 5.0),
        wobble=0.1,
    )
    at = at.take(~epithelium[at.row, at.col])
    top = canvas.claim(at)
    tone = rng.uniform(0.4, 1.2) * np.exp(0.25 * rng.standard_normal(at.count))
    blue[top.row, top.col] = (
        top.of(f32(tone))
        * (1 + 0.2 * skin(rng, top, pick(rng, *GRAIN)))
        * np.minimum(top.depth / rng.uniform(0.6, 2), 1)
    )
    density = blue[..., None] * nuclear + stain[..., None] * brown
    canvas.image = f32(rng.uniform(0.85, 1.0) * np.exp(-density.clip(0)))
    return canvas
