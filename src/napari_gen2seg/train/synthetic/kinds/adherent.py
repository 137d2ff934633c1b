"""Adherent cells in phase contrast: spread thin, as bright inside as their ground.

Most of the cells are so thin that only their rims, granules and nucleoli show. A few
that are thick or have rounded up shine with their halos and set the range for all.
Unlike in `phase`, a scene's contrast is thus not that of its typical cell.
"""

from __future__ import annotations

import numpy as np

from napari_gen2seg.common.types import Array, Shape
from napari_gen2seg.train.synthetic.canvas import Canvas, Fragments
from napari_gen2seg.train.synthetic.degrade import Wear, blur
from napari_gen2seg.train.synthetic.layout import how_many, log_uniform, scatter, sizes
from napari_gen2seg.train.synthetic.population import armed_profiles, f32, pick, skin
from napari_gen2seg.train.synthetic.scene import kind
from napari_gen2seg.train.synthetic.shapes import blobs, round_profiles
from napari_gen2seg.train.synthetic.textures import fractal_noise


def _cells(rng: np.random.Generator, shape: Shape) -> tuple[Fragments, Array, Array]:
    """Outlines of cells, their half axes (N, 2), and which of them rounded up (N,)."""
    mean = log_uniform(rng, 10, min(32, 0.3 * min(shape)))
    count = how_many(shape, mean, rng.uniform(0.25, 1.0), 60)
    radius = sizes(rng, mean, count, 0.3)
    center = scatter(rng, shape, radius, apart=rng.uniform(0.7, 1.1))
    stretch = np.sqrt(rng.uniform(1, pick(rng, 2.0, 4.0, 6.0), count))
    arms = int(rng.integers(2, 6))
    outline = armed_profiles(rng, count, arms, rng.uniform(0.8, 2.6))
    # Slender, the flanks drawn in between the tips and ragged.
    outline -= f32(rng.uniform(0.12, 0.35, (count, 1)))
    outline *= round_profiles(rng, count, pick(rng, 0.03, 0.1, 0.2), 24)
    bend = rng.normal(0, 0.2, count)
    rounded = rng.random(count) < 0.08
    stretch[rounded] = rng.uniform(1, 1.15)
    bend[rounded] = 0
    radius[rounded] *= 0.5
    outline[rounded] = round_profiles(rng, int(rounded.sum()), 0.06)
    radii = 1.1 * np.stack([radius * stretch, radius / stretch], 1)
    angle = rng.uniform(0, np.pi, count)
    return blobs(shape, center, radii, angle, outline, bend), radii, rounded


def _nuclei(
    rng: np.random.Generator, top: Fragments, radii: Array, rounded: Array
) -> Array:
    """What nuclei and their one to three nucleoli add to a thickness of 1, (M,)."""
    count = len(radii)
    ratio = radii[:, 0] / radii[:, 1]
    across = radii[:, 1] * np.minimum(0.34 + 0.04 * ratio, 0.55)
    along = across * np.minimum(ratio, 1.7)
    y = top.v * top.of(f32(radii[:, 1] / across))
    x = (top.u - np.float32(0.1)) * top.of(f32(radii[:, 0] / along))
    inside = np.clip((1 - x * x - y * y) * np.float32(4), 0, 1)
    shown = f32(rng.uniform(-0.25, 0.1, count) * ~rounded)
    light = top.of(shown) * inside
    size = rng.uniform(0.02, 0.08)
    dark = f32(rng.uniform(0.2, 0.7, count) * ~rounded)
    for number in range(3):
        at_y, at_x = f32(rng.uniform(-0.6, 0.6, (2, count)))
        here = dark if number == 0 else dark * (rng.random(count) < 0.5)
        gap = (y - top.of(at_y)) ** 2 + (x - top.of(at_x)) ** 2
        light += top.of(f32(here)) * np.exp(gap * np.float32(-1 / size))
    return f32(light)


def _debris(rng: np.random.Generator, shape: Shape) -> Array:
    """Specks on the ground and on the cells, thick ones, (H, W)."""
    count = int(rng.integers(0, 1 + shape[0] * shape[1] // 700))
    row, col = (rng.integers(side - 2, size=count) for side in shape)
    field = np.zeros(shape, np.float32)
    size = rng.uniform(0.3, 1.8, count)
    size *= np.where(rng.random(count) < 0.1, 3, 1)
    field[row, col] = size
    # Half of them are longer than wide.
    long = rng.random(count) < 0.5
    field[row + rng.integers(0, 3, count) * long, col + 1] += size * long
    return blur(field, rng.uniform(0.8, 1.3))


def thickness(rng: np.random.Generator, canvas: Canvas) -> Array:
    """Draw cells on the canvas as labels and return their thickness, (H, W)."""
    at, radii, rounded = _cells(rng, canvas.shape)
    top = canvas.claim(at)
    thick = np.exp(rng.normal(-0.4, 0.6, len(radii)))
    # Cells that round up are dark, or so thick that they turn bright.
    thick[rounded] *= pick(rng, 4.0, 4.0, -3.0)
    dome = np.clip(top.depth / top.of(top.radius), 0, 1)
    body = np.float32(0.6) * (1 - np.exp(-top.depth / rng.uniform(0.8, 1.6)))
    body += np.float32(0.4) * dome * dome
    grain = pick(rng, 1, 2, 13, 15)
    granules = np.clip(skin(rng, top, grain, log_uniform(rng, 1.3, 3.5)), -1, 2)
    body += rng.uniform(0.1, 0.35) * granules * np.minimum(3 * dome, 1)
    body += _nuclei(rng, top, radii, rounded)
    field = _debris(rng, canvas.shape)
    field[top.row, top.col] += f32(body * top.of(f32(thick)))
    return field


def _halo(rng: np.random.Generator, field: Array) -> Array:
    """Phase contrast of thin things: a dark line, a bright one, a wide faint halo."""
    sigma = rng.uniform(1.2, 2.2)
    narrow = blur(field, 0.5) - rng.uniform(0.9, 1.1) * blur(field, sigma)
    # The halo grows faster than the thickness.
    heavy = field + rng.uniform(0.5, 2.5) * np.maximum(np.abs(field) - 0.9, 0)
    wide = blur(heavy, sigma) - blur(heavy, rng.uniform(4, 8))
    return -(narrow + rng.uniform(0.15, 0.5) * wide)


@kind(
    "adherent cells",
    "flat cells with pointed arms, as bright inside as the ground",
    1.8,
    wear=Wear(
        blur=0.45,
        noise=0.007,
        uneven=0.06,
        low_contrast=0.0,
        invert=0.03,
        tint=0.03,
        coarse=0.0,
        dim=0.0,
    ),
)
def adherent_cells(rng: np.random.Generator, shape: Shape) -> Canvas:
    """Spread cells between gray and gray: thin rims, granules, a few strong halos."""
    canvas = Canvas(shape)
    signal = _halo(rng, thickness(rng, canvas))
    gain = log_uniform(rng, 0.018, 0.09) / max(float(signal.std()), 1e-4)
    picture = rng.uniform(0.35, 0.55) + gain * signal
    picture += rng.uniform(0.002, 0.008) * fractal_noise(rng, shape, 16, 4)
    canvas.image = f32(picture)[..., None]
    return canvas
