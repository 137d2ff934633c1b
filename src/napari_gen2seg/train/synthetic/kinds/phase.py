"""Unstained cells: phase contrast, relief (DIC) and brightfield.

The cells are drawn as a map of thickness; the optics are then applied to that map. In
phase contrast the picture follows the thickness minus its own blur, so that halos
appear outside the rims and the inside of large cells fades to the ground's brightness.
"""

from __future__ import annotations

import numpy as np

from napari_gen2seg.common.types import Array, Shape
from napari_gen2seg.train.synthetic.canvas import Canvas, Fragments, join
from napari_gen2seg.train.synthetic.curves import tubes, wander
from napari_gen2seg.train.synthetic.degrade import Wear, blur
from napari_gen2seg.train.synthetic.layout import how_many, log_uniform, scatter, sizes
from napari_gen2seg.train.synthetic.population import armed_profiles, f32, pick, skin
from napari_gen2seg.train.synthetic.scene import kind
from napari_gen2seg.train.synthetic.shapes import blobs, round_profiles, super_profiles
from napari_gen2seg.train.synthetic.textures import fractal_noise, smooth_noise
from napari_gen2seg.train.synthetic.tiling import tile


def _arms(
    rng: np.random.Generator, shape: Shape, center: Array, radius: Array
) -> tuple[Fragments, Array]:
    """Tapering processes of spread cells, and the cell that each belongs to."""
    cell = np.repeat(np.arange(len(center)), rng.integers(0, 5, len(center)))
    count = len(cell)
    heading = rng.uniform(0, np.pi, len(center))[cell] + np.pi * rng.integers(
        0, 2, count
    )
    heading += rng.normal(0, 0.5, count)
    length = radius[cell] * rng.uniform(1.2, 3.5, count)
    path = wander(rng, center[cell], heading, length, 0.12, 10)
    taper = np.linspace(1, 0, 11) ** rng.uniform(0.6, 2)
    base = radius[cell] * rng.uniform(0.25, 0.6, count)
    widths = list(0.8 + base[:, None] * taper)
    at = tubes(shape, list(path), widths) if count else Fragments.none()
    return at, cell


def thickness(rng: np.random.Generator, canvas: Canvas) -> Array:
    """Draw cells on the canvas as labels and return their thickness, (H, W)."""
    shape = canvas.shape
    mean = log_uniform(rng, 5, min(45, 0.25 * min(shape)))
    count = how_many(shape, mean, rng.uniform(0.08, 0.9), 110)
    radius = sizes(rng, mean, count, pick(rng, 0.12, 0.35))
    clumps = int(rng.integers(1, 4)) if rng.random() < 0.35 else 0
    center = scatter(rng, shape, radius, apart=rng.uniform(0.7, 1.15), clumps=clumps)
    stretch = np.sqrt(rng.uniform(1, pick(rng, 1.3, 2.5, 5.0), count))
    radii = np.stack([radius * stretch, radius / stretch], 1)
    style = int(rng.integers(5))
    if style == 0:
        outline = round_profiles(rng, count, pick(rng, 0.02, 0.12, 0.25), 6)
    elif style == 1:
        outline = super_profiles(count, rng.uniform(1.0, 2.2, count))
    elif style == 4:
        outline = round_profiles(rng, count, 0.15, 5)
    else:
        arms = int(rng.integers(2, 7))
        outline = armed_profiles(rng, count, arms, rng.uniform(0.3, 1.8))
    angle, bend = rng.uniform(0, np.pi, count), rng.normal(0, 0.2, count)
    at = blobs(shape, center, radii, angle, outline, bend)
    owner = np.arange(count)
    if style == 4:
        limbs, cell = _arms(rng, shape, center, radius)
        # Far from any body as far as nuclei are concerned.
        limbs.u[:] = limbs.v[:] = 9.0
        at, owner = join([limbs, at]), np.concatenate([cell, owner])
    canvas.claim(at, owner)
    own = owner.astype(np.int32)[at.owner]
    shown = canvas.labels[at.row, at.col] == own + 1
    at, own = at.take(shown), own[shown]
    body = _relief_of_body(rng, at, own, count, mean)
    if rng.random() < 0.3:
        # Some cells round up and turn bright.
        body *= np.where(rng.random(count) < 0.2, -1.6, 1.0).astype(np.float32)[own]
    field = np.full(canvas.labels.size, -9.0, np.float32)
    np.maximum.at(field, at.row * shape[1] + at.col, f32(body))
    field = np.where(field > -9, field, 0).reshape(shape) * rng.uniform(0.5, 1)
    if rng.random() < 0.4:
        # Ruffles: parts of the rim stand up.
        field *= np.clip(1 + 0.4 * smooth_noise(rng, shape, mean), 0.3, 2)
    if rng.random() < 0.5:
        # Debris that is nobody's.
        grit = fractal_noise(rng, shape, rng.uniform(4, 8), 2)
        grit = np.sign(grit) * np.maximum(np.abs(grit) - rng.uniform(1.8, 2.8), 0)
        field += rng.uniform(0.3, 1.0) * grit
    return field


def _relief_of_body(
    rng: np.random.Generator, at: Fragments, own: Array, count: int, mean: float
) -> Array:
    """Thickness at the fragments of cells: rim, dome, nucleus, granules."""
    body = 1 - np.exp(-at.depth / rng.uniform(0.7, 3))
    tall = f32(rng.uniform(0, 1.5) * np.exp(0.4 * rng.standard_normal(count)))
    body += tall[own] * np.clip(at.depth / (0.8 * mean), 0, 1) ** 1.5
    if rng.random() < 0.6:
        core = (at.u - 0.1) ** 2 + at.v**2
        bump = np.exp(-((core / rng.uniform(0.04, 0.2)) ** 2))
        body += rng.uniform(-0.3, 0.8) * bump
    granules = skin(rng, at, pick(rng, 12, 13, 15), log_uniform(rng, 0.6, 1.6))
    body += rng.uniform(0, 0.5) * granules * np.clip(at.depth / (0.3 * mean), 0, 1)
    return body + rng.uniform(0, 0.15) * skin(rng, at, pick(rng, 0, 1, 2))


def _phase(rng: np.random.Generator, field: Array, reach: float) -> Array:
    """Zernike phase contrast: dark bodies, bright halos."""
    soft = blur(field, reach)
    return -(field - rng.uniform(0.6, 1.05) * soft)


def _relief(rng: np.random.Generator, field: Array) -> Array:
    """Differential interference contrast: a slope lit from one side."""
    turn = rng.uniform(0, 2 * np.pi)
    gy, gx = np.gradient(field)
    return (gy * float(np.sin(turn)) + gx * float(np.cos(turn))) * rng.uniform(1, 2)


def _defocus(rng: np.random.Generator, field: Array) -> Array:
    """Brightfield out of focus: bright and dark lines along the rims."""
    near, far = rng.uniform(0.7, 1.2), rng.uniform(1.8, 4)
    return (blur(field, near) - blur(field, far)) * pick(rng, -2.0, 2.0)


def _develop(rng: np.random.Generator, signal: Array, shape: Shape) -> Array:
    """Give the signal a typical strength on a gray ground, (H, W, 1)."""
    spread = max(float(signal[::2, ::2].std()), 1e-4)
    picture = rng.uniform(0.35, 0.6) + signal * (log_uniform(rng, 0.05, 0.2) / spread)
    picture += rng.uniform(0.003, 0.025) * fractal_noise(rng, shape, 16, 4)
    return picture[..., None]


WORN = Wear(blur=0.6, noise=0.02, uneven=0.4, low_contrast=0.35, invert=0.05, tint=0.06)


@kind("phase contrast", "cells with halos, inside as bright as outside", 1.0, wear=WORN)
def phase_contrast(rng: np.random.Generator, shape: Shape) -> Canvas:
    """Round, spindle and spread cells with arms, granules and halos."""
    canvas = Canvas(shape)
    field = thickness(rng, canvas)
    reach = log_uniform(rng, 2, 7)
    canvas.image = _develop(rng, _phase(rng, field, reach), shape)
    return canvas


@kind("relief", "cells lit from one side as in DIC", 0.5, wear=WORN)
def relief(rng: np.random.Generator, shape: Shape) -> Canvas:
    """The same cells by differential interference contrast."""
    canvas = Canvas(shape)
    field = blur(thickness(rng, canvas), rng.uniform(0.6, 1.5))
    canvas.image = _develop(rng, _relief(rng, field), shape)
    return canvas


@kind("brightfield", "transparent cells of which the rims show", 0.5, wear=WORN)
def brightfield(rng: np.random.Generator, shape: Shape) -> Canvas:
    """The same cells a little out of focus."""
    canvas = Canvas(shape)
    field = thickness(rng, canvas)
    canvas.image = _develop(rng, _defocus(rng, field), shape)
    return canvas


@kind("colonies", "islands of packed unstained cells on empty ground", 1.1, wear=WORN)
def colonies(rng: np.random.Generator, shape: Shape) -> Canvas:
    """Stem-cell colonies and monolayers with gaps; borders are thin lines."""
    canvas = Canvas(shape)
    spacing = log_uniform(rng, 9, 0.3 * min(shape))
    cells = tile(
        rng,
        shape,
        spacing,
        jitter=rng.uniform(0.6, 1),
        aspect=rng.uniform(1, 2.2),
        uneven=rng.uniform(0, 0.25),
        warp=rng.uniform(0, 0.25),
        warp_wavelength=spacing,
    )
    labels = cells.owner + 1
    if rng.random() < 0.75:
        island = smooth_noise(rng, shape, max(shape) * rng.uniform(0.3, 0.8))
        empty = np.bincount(
            cells.owner.ravel(), island.ravel() > rng.uniform(-0.2, 0.8)
        )
        lost = empty > 0.5 * np.bincount(cells.owner.ravel())
        if not lost.all():
            labels = np.where(lost[cells.owner], 0, labels)
    canvas.labels = labels.astype(np.int32)
    present = labels > 0
    valley = rng.uniform(0.8, max(1, 0.08 * spacing))
    body = 1 - rng.uniform(0.4, 1.0) * np.exp(-cells.border / valley)
    body += rng.uniform(0, 0.8) * np.clip(cells.border / (0.5 * spacing), 0, 1)
    if rng.random() < 0.6:
        core = np.clip(
            (cells.border / (0.5 * spacing) - rng.uniform(0.3, 0.6)) * 5, 0, 1
        )
        body += rng.uniform(-0.4, 0.6) * core
    body += rng.uniform(0.02, 0.25) * fractal_noise(rng, shape, 6, 2)
    body *= f32(np.exp(0.2 * rng.standard_normal(cells.count)))[cells.owner]
    field = blur(present * body, 0.6)
    style = rng.random()
    if style < 0.5:
        signal = _phase(rng, field, log_uniform(rng, 2, 6))
    else:
        signal = _defocus(rng, field) if style < 0.75 else _relief(rng, field)
    canvas.image = _develop(rng, signal, shape)
    return canvas
