"""Complete tilings: epithelia, electron micrographs, mosaics."""

from __future__ import annotations

import numpy as np

from napari_gen2seg.common.types import Array, Shape
from napari_gen2seg.train.synthetic.canvas import Canvas
from napari_gen2seg.train.synthetic.degrade import Wear
from napari_gen2seg.train.synthetic.layout import log_uniform
from napari_gen2seg.train.synthetic.population import colors, f32, pick
from napari_gen2seg.train.synthetic.scene import kind
from napari_gen2seg.train.synthetic.textures import (
    SIDE,
    TEXTURES,
    fractal_noise,
    sample,
    smooth_noise,
    texture,
    textured_plane,
)
from napari_gen2seg.train.synthetic.tiling import Tiling, tile


def own_texture(
    rng: np.random.Generator,
    cells: Tiling,
    index: int | None = None,
    scale: float | None = None,
) -> Array:
    """A texture plane (H, W), float32, cut differently in every cell."""
    index = int(rng.integers(TEXTURES)) if index is None else index
    scale = log_uniform(rng, 0.5, 2.0) if scale is None else scale
    move = f32(rng.uniform(0, SIDE, (2, cells.count)))
    turn = rng.uniform(0, 2 * np.pi, cells.count)
    c = f32(scale * np.cos(turn))[cells.owner]
    s = f32(scale * np.sin(turn))[cells.owner]
    rows = np.arange(cells.owner.shape[0], dtype=np.float32)[:, None]
    cols = np.arange(cells.owner.shape[1], dtype=np.float32)[None, :]
    y = rows * c - cols * s + move[0][cells.owner]
    x = rows * s + cols * c + move[1][cells.owner]
    return sample(texture(index), y, x)


def label_cells(canvas: Canvas, cells: Tiling, wall: float, background: bool) -> None:
    """Label the cells of a tiling, their walls as background or not."""
    canvas.labels = cells.owner + 1
    if background:
        canvas.labels = np.where(cells.border < wall, 0, canvas.labels).astype(np.int32)
    canvas.count = cells.count


@kind(
    "membrane tissue",
    "touching cells with bright or dark membranes",
    1.1,
    fill=True,
    wear=Wear(blur=0.8, noise=0.035, uneven=0.4, low_contrast=0.4),
)
def membrane_tissue(rng: np.random.Generator, shape: Shape) -> Canvas:
    """Epithelium: cytoplasm of similar brightness, walls, sometimes nuclei."""
    canvas = Canvas(shape)
    spacing = log_uniform(rng, 9, 0.45 * min(shape))
    cells = tile(
        rng,
        shape,
        spacing,
        jitter=rng.uniform(0.4, 1),
        aspect=rng.uniform(1, 2.5),
        warp=rng.uniform(0, 0.15),
        uneven=rng.uniform(0, 0.25),
        stagger=rng.random() < 0.3,
    )
    wall = rng.uniform(0.6, max(0.8, 0.07 * spacing))
    label_cells(canvas, cells, wall, rng.random() < 0.5)
    level = rng.uniform(0.35, 0.65) + pick(rng, 0, 0.03, 0.12) * rng.standard_normal(
        cells.count
    )
    body = f32(level)[cells.owner]
    body += rng.uniform(0.01, 0.06) * fractal_noise(rng, shape, spacing / 2, 3)
    if rng.random() < 0.4:
        body += rng.uniform(0.02, 0.1) * own_texture(rng, cells)
    contrast = rng.uniform(0.1, 0.5) * pick(rng, -1, 1)
    ragged = np.clip(1 + pick(rng, 0.1, 0.4) * smooth_noise(rng, shape, 12), 0.2, 1.6)
    body += contrast * ragged * np.exp(-((cells.border / wall) ** 2))
    if rng.random() < 0.35:
        # A nucleus: the part of the cell farthest from its walls.
        deep = cells.border / (0.5 * spacing) - rng.uniform(0.3, 0.6)
        body += pick(rng, -0.2, 0.25) * np.clip(deep * 8, 0, 1)
    canvas.image[..., 0] = body
    return canvas


@kind(
    "electron neurites",
    "gray packed processes with dark membranes and clutter inside",
    1.8,
    fill=True,
    wear=Wear(
        blur=0.7, noise=0.05, uneven=0.2, low_contrast=0.3, invert=0.04, tint=0.02
    ),
)
def electron_neurites(rng: np.random.Generator, shape: Shape) -> Canvas:
    """Serial-section electron microscopy: organelles are clutter, not objects."""
    canvas = Canvas(shape)
    spacing = log_uniform(rng, 11, 0.4 * min(shape))
    cells = tile(
        rng,
        shape,
        spacing,
        jitter=1.0,
        aspect=rng.uniform(1, pick(rng, 1.6, 2.2, 4)),
        uneven=rng.uniform(0.1, 0.38),
        warp=rng.uniform(0.1, 0.4),
        warp_wavelength=spacing * rng.uniform(0.8, 2.5),
        merge=rng.uniform(0, 0.5),
    )
    wall = rng.uniform(0.8, max(1.0, min(3.0, 0.08 * spacing)))
    label_cells(canvas, cells, wall * rng.uniform(0.7, 1.2), rng.random() < 0.65)
    tone = rng.uniform(0.5, 0.8) + rng.uniform(0, 0.09) * rng.standard_normal(
        cells.count
    )
    body = f32(tone)[cells.owner]
    body += rng.uniform(0.02, 0.07) * own_texture(
        rng, cells, pick(rng, 0, 1, 2, 13, 25)
    )
    inside = cells.border > wall + 1.0
    # Mitochondria and other bodies: level sets of smooth noise, with rims and cristae.
    for _ in range(int(rng.integers(0, 3))):
        hills = smooth_noise(rng, shape, log_uniform(rng, 6, 24))
        cut = rng.uniform(0.9, 1.9)
        organelle = inside & (hills > cut)
        cristae = 1.0
        if rng.random() < 0.5:
            cristae = 1 + 0.5 * textured_plane(rng, shape, pick(rng, 18, 19, 20), 1.6)
        body -= rng.uniform(-0.08, 0.3) * organelle * cristae
        rim = np.exp(-(((hills - cut) / rng.uniform(0.08, 0.25)) ** 2))
        body -= rng.uniform(0, 0.3) * rim * inside
    # Vesicles in patches, and reticulum: thin lines that end nowhere.
    busy = inside * np.clip(smooth_noise(rng, shape, 28) - 0.2, 0, 1)
    dots = np.maximum(textured_plane(rng, shape, 15, rng.uniform(0.6, 1.4)), 0)
    body -= rng.uniform(0, 0.25) * dots * busy
    if rng.random() < 0.4:
        wires = np.maximum(textured_plane(rng, shape, pick(rng, 23, 24), 0.9), 0)
        body -= rng.uniform(0, 0.12) * wires * busy
    ragged = np.clip(
        1 + rng.uniform(0.05, 0.35) * smooth_noise(rng, shape, 9), 0.3, 1.4
    )
    body -= rng.uniform(0.25, 0.5) * ragged * np.exp(-((cells.border / wall) ** 2))
    canvas.image[..., 0] = body
    return canvas


@kind(
    "mosaic",
    "stones, tiles, flakes and fields that fill the picture",
    0.7,
    wear=Wear(blur=0.5, noise=0.02, invert=0.0),
    fill=True,
)
def mosaic(rng: np.random.Generator, shape: Shape) -> Canvas:
    """Colored pieces with textures of their own, joints and rounded edges."""
    canvas = Canvas(shape, 3)
    spacing = log_uniform(rng, 10, 0.6 * min(shape))
    cells = tile(
        rng,
        shape,
        spacing,
        jitter=pick(rng, 0.0, 0.4, 1.0),
        aspect=rng.uniform(1, 3),
        stagger=rng.random() < 0.3,
        metric=pick(rng, "round", "box", "diamond"),
        uneven=pick(rng, 0.0, 0.2),
        warp=pick(rng, 0, 0.05, 0.15),
        merge=pick(rng, 0, 0.3),
    )
    wall = rng.uniform(0.5, max(0.8, 0.08 * spacing))
    label_cells(canvas, cells, wall, rng.random() < 0.5)
    if rng.random() < 0.35:
        paint = colors(rng, cells.count, pick(rng, 0.1, 0.6))
    else:
        spread = pick(rng, 0.02, 0.06, 0.15) * rng.standard_normal((cells.count, 3))
        paint = colors(rng, 1) + f32(spread)
    picture = paint[cells.owner]
    picture += (rng.uniform(0, 0.12) * own_texture(rng, cells))[..., None]
    edge = np.exp(-cells.border / max(1.0, wall * rng.uniform(1, 3)))
    picture *= (1 - rng.uniform(-0.2, 0.6) * edge)[..., None]
    if rng.random() < 0.7:
        picture[cells.border < wall * rng.uniform(0.5, 1)] = colors(rng, 1)
    canvas.image = picture
    return canvas


@kind(
    "palisades",
    "rods packed side by side with thin gaps, in islands or everywhere",
    0.8,
    wear=Wear(blur=0.7, noise=0.03, uneven=0.3, low_contrast=0.35, invert=0.3),
)
def palisades(rng: np.random.Generator, shape: Shape) -> Canvas:
    """Colonies of aligned rods, muscle, columnar cells: borders are thin and weak."""
    canvas = Canvas(shape)
    width = log_uniform(rng, 6, 24)
    aspect = rng.uniform(2, 6)
    cells = tile(
        rng,
        shape,
        width * float(np.sqrt(aspect)),
        jitter=rng.uniform(0.5, 1),
        aspect=aspect,
        warp=rng.uniform(0, 0.25),
        warp_wavelength=max(shape) * rng.uniform(0.2, 0.6),
        stagger=True,
    )
    gap = rng.uniform(0.5, 0.12 * width + 0.4)
    inside = cells.border > gap
    if rng.random() < 0.7:
        island = smooth_noise(rng, shape, max(shape) * rng.uniform(0.3, 0.8))
        inside &= island > rng.uniform(-0.8, 0.3)
    canvas.labels = np.where(inside, cells.owner + 1, 0).astype(np.int32)
    depth = np.maximum(cells.border - gap, 0) * inside
    tone = rng.uniform(0.15, 0.5) * np.exp(
        pick(rng, 0.03, 0.2) * rng.standard_normal(cells.count)
    )
    body = f32(tone)[cells.owner] * (1 - np.exp(-depth / rng.uniform(0.5, 2)))
    body *= 1 + rng.uniform(0, 0.2) * own_texture(rng, cells, pick(rng, 0, 1, 2, 13))
    if rng.random() < 0.4:
        body *= 1 + rng.uniform(-0.4, 0.4) * np.clip(2 * depth / width, 0, 1)
    ground = rng.uniform(0.55, 0.8) + 0.03 * fractal_noise(rng, shape, 30)
    canvas.image[..., 0] = ground - body
    return canvas
