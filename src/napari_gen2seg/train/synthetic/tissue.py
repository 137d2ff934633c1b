"""Complete tilings: epithelia, plant tissue, electron micrographs, mosaics."""

from __future__ import annotations

import numpy as np

from .canvas import Canvas
from .degrade import Wear
from .layout import log_uniform
from .scene import kind
from .textures import SIDE, TEXTURES, fractal_noise, sample, smooth_noise, texture
from .tiling import Tiling, tile

Array = np.ndarray
Shape = tuple[int, int]


def own_texture(
    rng: np.random.Generator, cells: Tiling, index: int | None = None,
    scale: float | None = None,
) -> Array:
    """A texture plane (H, W) cut differently in every cell."""
    index = int(rng.integers(TEXTURES)) if index is None else index
    scale = log_uniform(rng, 0.5, 2.0) if scale is None else scale
    move = rng.uniform(0, SIDE, (2, cells.count)).astype(np.float32)
    turn = rng.uniform(0, 2 * np.pi, cells.count)
    c = (scale * np.cos(turn)).astype(np.float32)[cells.owner]
    s = (scale * np.sin(turn)).astype(np.float32)[cells.owner]
    rows = np.arange(cells.owner.shape[0], dtype=np.float32)[:, None]
    cols = np.arange(cells.owner.shape[1], dtype=np.float32)[None, :]
    y = rows * c - cols * s + move[0][cells.owner]
    x = rows * s + cols * c + move[1][cells.owner]
    return sample(texture(index), y, x)


def _label(canvas: Canvas, cells: Tiling, wall: float, wall_is_background: bool) -> None:
    canvas.labels = cells.owner + 1
    if wall_is_background:
        canvas.labels = np.where(cells.border < wall, 0, canvas.labels).astype(np.int32)
    canvas.count = cells.count


@kind("membrane tissue", "touching cells with bright or dark membranes", 1.2, fill=True)
def membrane_tissue(rng: np.random.Generator, shape: Shape) -> Canvas:
    """Epithelium: cytoplasm of similar brightness, walls, sometimes nuclei."""
    canvas = Canvas(shape)
    spacing = log_uniform(rng, 9, 0.45 * min(shape))
    cells = tile(
        rng, shape, spacing, jitter=rng.uniform(0.4, 1), aspect=rng.uniform(1, 2.5),
        warp=rng.uniform(0, 0.15), uneven=rng.uniform(0, 0.25),
    )
    wall = rng.uniform(0.6, max(0.8, 0.07 * spacing))
    _label(canvas, cells, wall, rng.random() < 0.5)
    level = rng.uniform(0.3, 0.6) + rng.choice([0, 0.03, 0.12]) * rng.standard_normal(cells.count)
    body = level.astype(np.float32)[cells.owner]
    body += rng.uniform(0.01, 0.06) * fractal_noise(rng, shape, spacing / 2, 3)
    if rng.random() < 0.4:
        body += rng.uniform(0.02, 0.1) * own_texture(rng, cells)
    contrast = rng.uniform(0.2, 0.5) * rng.choice([-1, 1])
    ragged = np.clip(1 + 0.3 * smooth_noise(rng, shape, 12), 0.3, 1.6)
    body += contrast * ragged * np.exp(-((cells.border / wall) ** 2))
    if rng.random() < 0.35:
        deep = np.clip((cells.border / (0.5 * spacing) - rng.uniform(0.4, 0.6)) * 8, 0, 1)
        body += rng.choice([-0.2, 0.25]) * deep
    canvas.image[..., 0] = body
    return canvas


@kind("electron neurites", "grey packed processes with dark membranes and clutter", 1.6,
      fill=True, wear=Wear(blur=0.7, noise=0.06, uneven=0.2, invert=0.04, tint=0.02))
def electron_neurites(rng: np.random.Generator, shape: Shape) -> Canvas:
    """Serial-section electron microscopy: organelles are clutter, not objects."""
    canvas = Canvas(shape)
    spacing = log_uniform(rng, 12, 0.4 * min(shape))
    cells = tile(
        rng, shape, spacing, jitter=1.0, aspect=rng.uniform(1, 3), uneven=rng.uniform(0.1, 0.35),
        warp=rng.uniform(0.1, 0.35), warp_wavelength=spacing * rng.uniform(0.8, 2),
        merge=rng.uniform(0, 0.4),
    )
    wall = rng.uniform(0.8, max(1.0, min(3.0, 0.08 * spacing)))
    _label(canvas, cells, wall, rng.random() < 0.65)
    tone = rng.uniform(0.55, 0.75) + rng.uniform(0, 0.08) * rng.standard_normal(cells.count)
    body = tone.astype(np.float32)[cells.owner]
    body += rng.uniform(0.02, 0.06) * own_texture(rng, cells, int(rng.choice([0, 1, 2, 13])))
    inside = cells.border > wall + 1.5
    # Mitochondria: dark bodies with a rim, from level sets of smooth noise.
    hills = smooth_noise(rng, shape, log_uniform(rng, 7, 20))
    cut = rng.uniform(1.0, 1.8)
    organelle = (hills > cut) & inside
    shade = rng.uniform(0.1, 0.3)
    ring = np.abs(hills - cut) < 0.18
    body -= shade * organelle + rng.uniform(0, 0.25) * (ring & inside)
    spots = sample(texture(15), np.arange(shape[0])[:, None] * rng.uniform(0.6, 1.2) +
                   rng.uniform(0, SIDE), np.arange(shape[1])[None, :] + rng.uniform(0, SIDE))
    busy = smooth_noise(rng, shape, 30) > 0.4
    body -= rng.uniform(0, 0.12) * np.maximum(spots, 0) * (busy & inside)
    sharp = np.clip(1 + 0.25 * smooth_noise(rng, shape, 10), 0.4, 1.3)
    body -= rng.uniform(0.3, 0.5) * sharp * np.exp(-((cells.border / wall) ** 2))
    canvas.image[..., 0] = body
    return canvas


@kind("mosaic", "stones, tiles and flakes that fill the picture", 0.8,
      wear=Wear(blur=0.5, noise=0.02, invert=0.0), fill=True)
def mosaic(rng: np.random.Generator, shape: Shape) -> Canvas:
    """Coloured pieces with textures of their own and joints."""
    canvas = Canvas(shape, 3)
    spacing = log_uniform(rng, 10, 0.6 * min(shape))
    cells = tile(
        rng, shape, spacing, jitter=rng.choice([0.0, 0.4, 1.0]), aspect=rng.uniform(1, 3),
        stagger=rng.random() < 0.3, metric=str(rng.choice(["round", "box", "diamond"])),
        uneven=rng.choice([0, 0.2]), warp=rng.choice([0, 0.05, 0.15]),
        merge=rng.choice([0, 0.3]),
    )
    wall = rng.uniform(0.5, max(0.8, 0.08 * spacing))
    _label(canvas, cells, wall, rng.random() < 0.5)
    base = rng.uniform(0.2, 0.8, 3)
    colour = base + rng.choice([0.03, 0.1, 0.3]) * rng.standard_normal((cells.count, 3))
    picture = colour.astype(np.float32)[cells.owner]
    picture += (rng.uniform(0, 0.15) * own_texture(rng, cells))[..., None]
    round_ = 1 - np.exp(-cells.border / max(1.0, wall * 2))
    picture *= (1 - rng.uniform(0, 0.5) * (1 - round_))[..., None]
    joint = (cells.border < wall)[..., None]
    picture = np.where(joint, rng.uniform(0, 1) * np.ones(3, np.float32), picture)
    canvas.image = picture.astype(np.float32)
    return canvas
