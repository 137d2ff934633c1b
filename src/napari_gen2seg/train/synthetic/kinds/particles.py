"""Compact things in gray: particles, rods, rings, chains."""

from __future__ import annotations

import numpy as np

from napari_gen2seg.common.types import Array, Shape
from napari_gen2seg.train.synthetic.canvas import Canvas, unhidden
from napari_gen2seg.train.synthetic.degrade import Wear
from napari_gen2seg.train.synthetic.layout import (
    any_order,
    how_many,
    log_uniform,
    scatter,
    sizes,
)
from napari_gen2seg.train.synthetic.population import (
    GRAIN,
    f32,
    lighting,
    ovals,
    pick,
    skin,
)
from napari_gen2seg.train.synthetic.scene import kind
from napari_gen2seg.train.synthetic.shapes import blobs, round_profiles, super_profiles
from napari_gen2seg.train.synthetic.textures import fractal_noise, textured_plane


@kind(
    "particles",
    "shaded grains of many sizes piled up, bright at the edges",
    0.75,
    wear=Wear(
        blur=0.6, noise=0.035, uneven=0.3, low_contrast=0.3, invert=0.03, tint=0.05
    ),
)
def particles(rng: np.random.Generator, shape: Shape) -> Canvas:
    """Scanning electron micrographs of powders, crystals and grains."""
    canvas = Canvas(shape)
    outline = pick(rng, "round", "round", "any")
    at = ovals(
        rng,
        shape,
        small=4,
        large=48,
        cover=(0.3, 1.9),
        wobble=pick(rng, 0.01, 0.06, 0.15),
        elongate=pick(rng, 1.05, 1.6, 2.5),
        profiles=outline,
    )
    order = any_order(rng, at.count)
    if order is not None:
        at = unhidden(at.stacked(order), shape)
    top = canvas.claim(at)
    canvas.image[..., 0] = rng.uniform(0.03, 0.45) + rng.uniform(0.01, 0.08) * (
        fractal_noise(rng, shape, 20)
        if rng.random() < 0.6
        else textured_plane(rng, shape)
    )
    if rng.random() < 0.6:
        shift = rng.integers(-4, 5, 2)
        canvas.scale(at, rng.uniform(0.4, 0.9), int(shift[0]), int(shift[1]))
    tone = rng.uniform(0.35, 0.7) + rng.uniform(0, 0.1) * rng.standard_normal(at.count)
    # What lies on top is nearer to the detector and lighter.
    height = np.arange(at.count) if order is None else order
    rank = (height / at.count - 1) * rng.uniform(0, 0.3)
    value = top.of(f32(tone + rank)) * lighting(rng, top, rng.uniform(0, 1.2))
    value += rng.uniform(-0.05, 0.45) * np.exp(-top.depth / rng.uniform(0.6, 2.5))
    value += rng.uniform(0, 0.1) * skin(rng, top)
    if rng.random() < 0.3:
        value -= rng.uniform(0.1, 0.4) * np.exp(-top.depth / 0.7)
    canvas.put(top, value)
    return canvas


@kind(
    "rods",
    "rod bacteria: touching, in chains, in palisades",
    1.5,
    wear=Wear(blur=0.7, noise=0.03, low_contrast=0.4, invert=0.25),
)
def rods(rng: np.random.Generator, shape: Shape) -> Canvas:
    """Rods that align with their neighbors, with or without a halo."""
    canvas = Canvas(shape)
    width = log_uniform(rng, 2.5, 14)
    ratio = rng.uniform(1.5, 7)
    count = how_many(shape, width * np.sqrt(ratio), rng.uniform(0.08, 0.8), 140)
    half = sizes(rng, width, count, pick(rng, 0.04, 0.15))
    long = half * np.clip(ratio * np.exp(0.3 * rng.standard_normal(count)), 1.1, 10)
    center, angle = _swarm(rng, shape, half, long)
    outline = super_profiles(count, rng.uniform(2.2, 5))
    bend = rng.normal(0, pick(rng, 0.02, 0.3), count)
    radii = np.stack([long, half], 1)
    ground = rng.uniform(0.45, 0.7)
    canvas.image[..., 0] = ground + rng.uniform(0.005, 0.05) * fractal_noise(
        rng, shape, 30, 4
    )
    if rng.random() < 0.6:
        reach = rng.uniform(1, 4)
        halo = blobs(shape, center, radii + reach, angle, outline, bend * 0.8)
        fade = np.minimum(halo.depth / reach, 1)
        canvas.put(halo, ground + rng.uniform(0.05, 0.3) * fade)
    at = blobs(shape, center, radii, angle, outline, bend)
    top = canvas.claim(at)
    dark = rng.uniform(0.12, 0.5)
    tone = ground - dark * np.exp(pick(rng, 0.05, 0.3) * rng.standard_normal(count))
    value = top.of(f32(tone))
    style = rng.random()
    if style < 0.35:
        value += rng.uniform(0.05, 0.8) * dark * top.height()
    elif style < 0.6:
        value -= rng.uniform(0, 0.2) * top.height()
    elif style < 0.75:
        # Stained ends or a septum.
        value += 0.5 * dark * np.cos(top.u * pick(rng, 3.1, 6.2))
    value += rng.uniform(0, 0.2) * np.exp(-top.depth) + rng.uniform(0, 0.05) * skin(
        rng, top
    )
    canvas.put(top, value)
    return canvas


def _swarm(
    rng: np.random.Generator, shape: Shape, half: Array, long: Array
) -> tuple[Array, Array]:
    """Places and directions of rods: free, aligned by a field, or end to end."""
    count = len(half)
    clumps = int(rng.integers(1, 5)) if rng.random() < 0.5 else 0
    apart = rng.uniform(0.5, 1.1)
    center = scatter(rng, shape, np.sqrt(half * long), apart=apart, clumps=clumps)
    waves = rng.uniform(30, 120, 2)
    field = 2.5 * np.sin(center[:, 0] / waves[0] + rng.uniform(0, 6))
    field += 1.5 * np.cos(center[:, 1] / waves[1])
    free = rng.uniform(0, np.pi, count)
    angle = np.where(rng.random(count) < rng.random(), field, free)
    angle += rng.normal(0, 0.15, count)
    if rng.random() < 0.35:
        # Daughters stay behind their mother, or at her side.
        beside = rng.random() < 0.4
        for child in range(1, count):
            if rng.random() < 0.6:
                angle[child] = angle[child - 1] + rng.normal(0, 0.12)
                turn = angle[child] + (np.pi / 2 if beside else 0)
                gap = (half if beside else long)[[child, child - 1]].sum() * 1.02
                center[child] = center[child - 1] + gap * np.array(
                    [np.sin(turn), np.cos(turn)]
                )
    return center, angle


@kind(
    "rings",
    "hollow cells and bubbles: the inside looks like the outside",
    0.9,
    wear=Wear(blur=0.7, noise=0.03, low_contrast=0.4, invert=0.3),
)
def rings(rng: np.random.Generator, shape: Shape) -> Canvas:
    """Outlines; the inside belongs to the object."""
    canvas = Canvas(shape)
    at = ovals(
        rng, shape, small=5, large=50, cover=(0.1, 0.8), wobble=pick(rng, 0.02, 0.12)
    )
    canvas.image[..., 0] = rng.uniform(0.1, 0.5) + rng.uniform(0, 0.06) * (
        textured_plane(rng, shape)
    )
    top = canvas.claim(at)
    thick = rng.uniform(0.8, 3) * np.exp(0.2 * rng.standard_normal(at.count))
    at_wall = top.depth / top.of(f32(thick)) - 1
    height = top.of(f32(np.exp(pick(rng, 0.05, 0.4) * rng.standard_normal(at.count))))
    value = canvas.image[top.row, top.col, 0]
    value += rng.uniform(0.1, 0.5) * height * np.exp(-at_wall * at_wall)
    if rng.random() < 0.5:
        value -= rng.uniform(0, 0.2) * np.exp(-((at_wall - 2) ** 2))
    if rng.random() < 0.4:
        value += rng.uniform(-0.08, 0.08)
    if rng.random() < 0.3:
        value += rng.uniform(0.02, 0.08) * skin(rng, top, pick(rng, *GRAIN))
    canvas.put(top, value)
    return canvas


@kind(
    "chains",
    "round cells in strings and bunches: yeast, cocci, beads",
    0.8,
    wear=Wear(blur=0.7, noise=0.03, low_contrast=0.3, invert=0.3),
)
def chains(rng: np.random.Generator, shape: Shape) -> Canvas:
    """Each cell buds from another, touching it; dark or bright rims."""
    canvas = Canvas(shape)
    mean = log_uniform(rng, 3.5, 22)
    count = how_many(shape, mean, rng.uniform(0.1, 0.5), 140)
    radius = sizes(rng, mean, count, pick(rng, 0.06, 0.25))
    center = rng.uniform(0, 1, (count, 2)) * shape
    stay = rng.uniform(0.5, 0.95)
    straight = rng.uniform(0.1, 2.5)
    heading = rng.uniform(0, 2 * np.pi)
    for child in range(1, count):
        if rng.random() < stay:
            heading += rng.normal(0, straight)
            gap = 0.97 * (radius[child] + radius[child - 1])
            center[child] = center[child - 1] + gap * np.array(
                [np.sin(heading), np.cos(heading)]
            )
    center = np.mod(center, shape)
    radii = np.stack([radius, radius * rng.uniform(0.8, 1, count)], 1)
    outline = round_profiles(rng, count, 0.03)
    at = blobs(shape, center, radii, rng.uniform(0, np.pi, count), outline)
    top = canvas.claim(at)
    ground = rng.uniform(0.35, 0.65)
    canvas.image[..., 0] = ground + 0.03 * fractal_noise(rng, shape, 30)
    tone = rng.uniform(0.1, 0.3) * pick(rng, -1, 1) + 0.04 * rng.standard_normal(count)
    value = (ground + top.of(f32(tone))) * lighting(rng, top, rng.uniform(0, 0.8))
    value += (
        rng.uniform(0.1, 0.4)
        * pick(rng, -1, 1)
        * np.exp(-top.depth / rng.uniform(0.7, 2))
    )
    canvas.put(top, value)
    return canvas
