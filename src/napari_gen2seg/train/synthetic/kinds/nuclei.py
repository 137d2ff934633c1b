"""Fluorescence: nuclei, whole cells, spots."""

from __future__ import annotations

import numpy as np

from napari_gen2seg.common.types import Shape
from napari_gen2seg.train.synthetic.canvas import Canvas
from napari_gen2seg.train.synthetic.degrade import Wear, blur
from napari_gen2seg.train.synthetic.layout import how_many, log_uniform, scatter
from napari_gen2seg.train.synthetic.population import GRAIN, f32, ovals, pick, skin
from napari_gen2seg.train.synthetic.scene import kind
from napari_gen2seg.train.synthetic.shapes import blobs, round_profiles, super_profiles
from napari_gen2seg.train.synthetic.textures import fractal_noise, smooth_noise
from napari_gen2seg.train.synthetic.tiling import tile


@kind(
    "fluorescent nuclei",
    "bright textured nuclei on black, sparse or crowded",
    1.6,
    wear=Wear(
        blur=0.8, noise=0.025, uneven=0.3, low_contrast=0.4, invert=0.06, dim=0.4
    ),
)
def fluorescent_nuclei(rng: np.random.Generator, shape: Shape) -> Canvas:
    """Nuclei that add up or hide each other, over out-of-focus glow."""
    canvas = Canvas(shape)
    at = ovals(rng, shape, wobble=0.09, elongate=pick(rng, 1.3, 2.2))
    spread = pick(rng, 0.05, 0.3, 0.8)
    level = f32(np.exp(spread * rng.standard_normal(at.count)))
    value = at.of(level) * np.minimum(at.depth / rng.uniform(1, 4), 1)
    if rng.random() < 0.4:
        value *= 0.5 + 0.5 * at.height()
    rough = pick(rng, 0.0, 0.1, 0.25)
    if rough:
        grain = skin(rng, at, pick(rng, *GRAIN), log_uniform(rng, 0.6, 3))
        value *= np.maximum(1 + rough * grain, 0.1)
    if rng.random() < 0.4:
        canvas.add(at, value)
        canvas.claim(at)
    else:
        canvas.put(at, value)
        canvas.claim(at)
    canvas.image *= 0.75 / max(float(np.quantile(level, 0.9)), 1e-3)
    canvas.image += rng.uniform(0, 0.12)
    if rng.random() < 0.4:
        canvas.image += rng.uniform(0.1, 0.5) * blur(canvas.image, rng.uniform(3, 8))
    if rng.random() < 0.2:
        canvas.image += 0.1 * np.maximum(fractal_noise(rng, shape, 40), 0)[..., None]
    return canvas


@kind(
    "fluorescent cells",
    "cells with bright or dark nuclei inside, in one to three channels",
    1.2,
    wear=Wear(blur=0.8, noise=0.03, uneven=0.3, low_contrast=0.3, invert=0.05),
)
def fluorescent_cells(rng: np.random.Generator, shape: Shape) -> Canvas:
    """Whole cells are the objects; nuclei, spots and fibers inside are their parts."""
    channels = pick(rng, 1, 3)
    canvas = Canvas(shape, channels)
    mean = log_uniform(rng, 7, min(50, 0.3 * min(shape)))
    count = how_many(shape, mean, rng.uniform(0.15, 0.9), 90)
    radius = f32(mean * np.exp(0.2 * rng.standard_normal(count)))
    center = scatter(rng, shape, radius, apart=pick(rng, 0.7, 0.9, 1.1))
    stretch = np.sqrt(rng.uniform(1, 2.2, count))
    radii = np.stack([radius * stretch, radius / stretch], 1)
    angle = rng.uniform(0, np.pi, count)
    body = blobs(
        shape, center, radii, angle, round_profiles(rng, count, rng.uniform(0.02, 0.2))
    )
    share = rng.uniform(0.3, 0.6)
    offset = center + rng.normal(0, 0.12, (count, 2)) * radius[:, None]
    core = blobs(shape, offset, radii * share, angle, round_profiles(rng, count, 0.06))
    top = canvas.claim(body)
    level = f32(np.exp(0.25 * rng.standard_normal(count)))
    value = top.of(level) * (0.4 + 0.6 * np.minimum(top.depth / (0.5 * mean), 1))
    texture = pick(rng, 1, 2, 5, 13, 15, 23, 24)
    value *= np.maximum(1 + rng.uniform(0.05, 0.4) * skin(rng, top, texture), 0.05)
    if rng.random() < 0.4:
        value += rng.uniform(0.2, 0.8) * np.exp(-top.depth / rng.uniform(0.8, 2))
    flesh = np.zeros(shape, np.float32)
    flesh[top.row, top.col] = rng.uniform(0.3, 0.7) * value
    # Nuclei show only where their own cell does.
    kernel = canvas.labels[core.row, core.col] == core.owner + 1
    core = core.take(kernel)
    nucleus = np.zeros(shape, np.float32)
    glow = np.minimum(core.depth / 1.5, 1) * core.of(level)
    nucleus[core.row, core.col] = glow * np.maximum(1 + 0.2 * skin(rng, core, 2), 0)
    if channels == 1:
        canvas.image[..., 0] = flesh + pick(rng, -0.3, 0.3, 0.6) * nucleus * (
            flesh + 0.2
        )
    else:
        order = rng.permutation(3)
        canvas.image[..., order[0]] = flesh
        canvas.image[..., order[1]] = nucleus * rng.uniform(0.4, 1)
        if rng.random() < 0.4:
            extra = np.maximum(smooth_noise(rng, shape, 6), 0) * (flesh > 0)
            canvas.image[..., order[2]] = rng.uniform(0.1, 0.5) * extra
        if rng.random() < 0.3:
            canvas.image = 0.5 * canvas.image + 0.4 * canvas.image[..., order[:1]]
    canvas.image = np.maximum(canvas.image, 0) + rng.uniform(0, 0.1)
    return canvas


@kind(
    "spots",
    "hundreds of tiny objects, 6 to 10 pixels",
    0.7,
    wear=Wear(blur=0.6, noise=0.03, low_contrast=0.2, invert=0.3),
)
def spots(rng: np.random.Generator, shape: Shape) -> Canvas:
    """Vesicles, colonies, far-away things: little more than a dot each."""
    canvas = Canvas(shape)
    mean = rng.uniform(2.6, 5)
    count = how_many(shape, mean, rng.uniform(0.03, 0.5), 300)
    radius = mean * np.exp(0.12 * rng.standard_normal(count))
    clumps = int(rng.integers(1, 7)) if rng.random() < 0.4 else 0
    center = scatter(
        rng, shape, radius, apart=rng.uniform(0.9, 1.3), clumps=clumps, rounds=5
    )
    stretch = np.sqrt(rng.uniform(1, 1.5, count))
    radii = np.stack([radius * stretch, radius / stretch], 1)
    outline = super_profiles(count, pick(rng, 2.0, 2.0, 4.0))
    at = blobs(shape, center, radii, rng.uniform(0, np.pi, count), outline)
    top = canvas.claim(at)
    ground = rng.uniform(0.05, 0.3)
    canvas.image[..., 0] = ground + rng.uniform(0, 0.06) * fractal_noise(
        rng, shape, 24, 3
    )
    level = rng.uniform(0.3, 0.6) * np.exp(
        pick(rng, 0.05, 0.4) * rng.standard_normal(count)
    )
    bump = np.minimum(top.depth / rng.uniform(1, 3), 1)
    if rng.random() < 0.2:
        bump = np.exp(-((top.depth - 1) ** 2))
    canvas.put(top, ground + top.of(f32(level)) * bump)
    return canvas


@kind(
    "glowing membranes",
    "tissue of which only the cell outlines shine",
    0.8,
    fill=True,
    wear=Wear(blur=0.9, noise=0.05, uneven=0.4, low_contrast=0.3, invert=0.1, tint=0.3),
)
def glowing_membranes(rng: np.random.Generator, shape: Shape) -> Canvas:
    """Bright walls of varying strength on dark, part of the tissue missing."""
    canvas = Canvas(shape)
    spacing = log_uniform(rng, 9, 0.4 * min(shape))
    cells = tile(
        rng,
        shape,
        spacing,
        jitter=rng.uniform(0.5, 1),
        aspect=rng.uniform(1, 2),
        warp=rng.uniform(0, 0.15),
        uneven=rng.uniform(0, 0.25),
    )
    wall = rng.uniform(0.7, max(0.9, 0.06 * spacing))
    ragged = np.clip(
        0.9 + pick(rng, 0.1, 0.35) * smooth_noise(rng, shape, spacing), 0.15, 2
    )
    canvas.image[..., 0] = rng.uniform(0.03, 0.2) + 0.6 * ragged * np.exp(
        -((cells.border / wall) ** 2)
    )
    canvas.image[..., 0] += rng.uniform(0, 0.06) * fractal_noise(rng, shape, 20, 4)
    labels = cells.owner + 1
    if rng.random() < 0.5:
        labels = np.where(cells.border < wall, 0, labels)
    if rng.random() < 0.3:
        gone = smooth_noise(rng, shape, max(shape) / 2) > rng.uniform(0.2, 1)
        lost = np.bincount(cells.owner.ravel(), gone.ravel(), cells.count)
        lost = (lost > 0.3 * np.bincount(cells.owner.ravel()))[cells.owner]
        labels = np.where(lost, 0, labels)
        canvas.image[lost, 0] *= rng.uniform(0.05, 0.3)
    if rng.random() < 0.3:
        hills = np.clip((cells.border / (0.5 * spacing) - 0.45) * 6, 0, 1)
        canvas.image[..., 0] += rng.uniform(0.1, 0.5) * hills * (labels > 0)
    canvas.labels = labels.astype(np.int32)
    return canvas
