"""Compact things: particles, rods, rings."""

from __future__ import annotations

import numpy as np

from .canvas import Canvas
from .degrade import Wear
from .layout import how_many, log_uniform, scatter, sizes
from .nuclei import ovals, skin
from .scene import kind
from .shapes import blobs, round_profiles, super_profiles
from .textures import fractal_noise, textured_plane

Array = np.ndarray
Shape = tuple[int, int]


@kind("particles", "shaded grains of many sizes piled up, bright at the edges", 1.4,
      wear=Wear(blur=0.6, noise=0.035, uneven=0.3, invert=0.03, tint=0.05))
def particles(rng: np.random.Generator, shape: Shape) -> Canvas:
    """Scanning electron micrographs of powders: depth by size and shade."""
    canvas = Canvas(shape)
    at = ovals(rng, shape, small=4, large=45, cover=(0.3, 1.8), wobble=0.05,
               elongate=rng.choice([1.05, 1.6]))
    top = canvas.claim(at)
    ground = rng.uniform(0.05, 0.4)
    canvas.image[..., 0] = ground + 0.06 * fractal_noise(rng, shape, 20)
    if rng.random() < 0.6:
        canvas.scale(at, rng.uniform(0.4, 0.9), *rng.integers(-3, 4, 2))
    tone = rng.uniform(0.35, 0.65) + rng.uniform(0, 0.1) * rng.standard_normal(at.count)
    # The newest painted lie on top and are lighter in deep piles.
    rank = np.linspace(-1, 0, at.count) * rng.uniform(0, 0.3)
    value = top.of((tone + rank).astype(np.float32))
    dome = top.height()
    turn = rng.uniform(0, 2 * np.pi)
    lit = top.u * np.sin(turn) + top.v * np.cos(turn)
    value = value + rng.uniform(-0.1, 0.35) * (dome - 0.6) + rng.uniform(0, 0.2) * lit
    value = value + rng.uniform(0, 0.45) * np.exp(-top.depth / rng.uniform(0.7, 2.5))
    value = value + rng.uniform(0, 0.1) * skin(rng, top)
    canvas.put(top, value.astype(np.float32))
    return canvas


@kind("rods", "rod bacteria: touching, in chains, in palisades", 1.4,
      wear=Wear(blur=0.7, noise=0.03, invert=0.25))
def rods(rng: np.random.Generator, shape: Shape) -> Canvas:
    """Rods that align with their neighbours, with or without a halo."""
    canvas = Canvas(shape)
    width = log_uniform(rng, 2.5, 14)
    ratio = rng.uniform(1.5, 6)
    count = how_many(shape, width * np.sqrt(ratio), rng.uniform(0.08, 0.7), 140)
    half = sizes(rng, width, count, rng.choice([0.04, 0.15]))
    long = half * np.clip(ratio * np.exp(0.3 * rng.standard_normal(count)), 1.1, 9)
    clumps = int(rng.integers(1, 5)) if rng.random() < 0.5 else 0
    center = scatter(rng, shape, np.sqrt(half * long), apart=rng.uniform(0.5, 1.1), clumps=clumps)
    field = 2.5 * np.sin(center[:, 0] / 60 + rng.uniform(0, 6)) + 1.5 * np.cos(center[:, 1] / 50)
    angle = np.where(rng.random(count) < rng.random(), field, rng.uniform(0, np.pi, count))
    angle = angle + rng.normal(0, 0.15, count)
    profiles = super_profiles(count, rng.uniform(2.2, 4))
    bend = rng.normal(0, rng.choice([0.02, 0.3]), count)
    radii = np.stack([long, half], 1)
    at = blobs(shape, center, radii, angle, profiles, bend)
    ground = rng.uniform(0.45, 0.7)
    canvas.image[..., 0] = ground + 0.03 * fractal_noise(rng, shape, 30)
    if rng.random() < 0.6:
        halo = blobs(shape, center, radii + rng.uniform(1, 3.5), angle, profiles, bend * 0.8)
        canvas.put(halo, np.full(len(halo.row), ground + rng.uniform(0.05, 0.3), np.float32), 0.7)
    top = canvas.claim(at)
    tone = ground - rng.uniform(0.15, 0.5) + rng.uniform(0, 0.06) * rng.standard_normal(count)
    value = top.of(tone.astype(np.float32))
    style = rng.random()
    if style < 0.3:
        value = value + rng.uniform(0.1, 0.3) * top.height()
    elif style < 0.6:
        value = value - rng.uniform(0.0, 0.2) * top.height()
    value = value + 0.12 * np.exp(-top.depth / 1.0) + rng.uniform(0, 0.04) * skin(rng, top)
    canvas.put(top, value.astype(np.float32))
    return canvas


@kind("rings", "hollow cells, rings and bubbles: the inside looks like the outside", 0.8,
      wear=Wear(blur=0.7, noise=0.03, invert=0.3))
def rings(rng: np.random.Generator, shape: Shape) -> Canvas:
    """Outlines; the inside belongs to the object."""
    canvas = Canvas(shape)
    at = ovals(rng, shape, small=6, large=50, cover=(0.1, 0.7), wobble=0.08)
    canvas.image[..., 0] = rng.uniform(0.1, 0.5) + rng.uniform(0, 0.06) * textured_plane(rng, shape)
    top = canvas.claim(at)
    thick = rng.uniform(0.8, 3) * np.exp(0.2 * rng.standard_normal(at.count))
    wall = np.exp(-((top.depth / top.of(thick.astype(np.float32)) - 1) ** 2))
    under = canvas.image[top.row, top.col, 0]
    value = under + rng.uniform(0.15, 0.5) * wall
    if rng.random() < 0.5:
        value -= rng.uniform(0, 0.15) * np.exp(-((top.depth / top.of(thick.astype(np.float32)) - 3) ** 2))
    if rng.random() < 0.4:
        value += rng.uniform(-0.08, 0.08)
    canvas.put(top, value.astype(np.float32))
    return canvas


@kind("phase contrast", "pale cells with halos, inside as bright as outside", 1.6,
      wear=Wear(blur=0.9, noise=0.025, uneven=0.5, low_contrast=0.5, invert=0.08, tint=0.05))
def phase_contrast(rng: np.random.Generator, shape: Shape) -> Canvas:
    """Cells in phase contrast or relief (DIC): outlines, halos, granules."""
    canvas = Canvas(shape)
    mean = log_uniform(rng, 6, min(45, 0.25 * min(shape)))
    count = how_many(shape, mean, rng.uniform(0.1, 0.9), 120)
    radius = sizes(rng, mean, count, rng.choice([0.12, 0.35]))
    clumps = int(rng.integers(1, 4)) if rng.random() < 0.4 else 0
    center = scatter(rng, shape, radius, apart=rng.uniform(0.7, 1.1), clumps=clumps)
    stretch = np.sqrt(rng.uniform(1, rng.choice([1.3, 4.0]), count))
    radii = np.stack([radius * stretch, radius / stretch], 1)
    profiles = round_profiles(rng, count, rng.choice([0.03, 0.12, 0.25]), 6)
    angle = rng.uniform(0, np.pi, count)
    bend = rng.normal(0, 0.15, count)
    at = blobs(shape, center, radii, angle, profiles, bend)
    ground = rng.uniform(0.4, 0.6)
    canvas.image[..., 0] = ground + rng.uniform(0.005, 0.03) * fractal_noise(rng, shape, 16, 4)
    halo = rng.uniform(1.5, 6)
    ring = blobs(shape, center, radii + halo, angle, profiles, bend)
    bright = rng.uniform(0.0, 0.3)
    fade = np.minimum(ring.depth / halo, 1)
    canvas.put(ring, (ground + bright * fade).astype(np.float32))
    top = canvas.claim(at)
    inside = ground - rng.choice([0.0, 0.05, 0.18]) * rng.choice([1, 1, -1])
    value = np.full(len(top.row), inside, np.float32)
    value += rng.uniform(0.01, 0.09) * skin(rng, top, int(rng.choice([0, 1, 2, 13, 15])))
    value -= rng.uniform(0.05, 0.3) * np.exp(-top.depth / rng.uniform(0.8, 2.5))
    if rng.random() < 0.4:
        turn = rng.uniform(0, 2 * np.pi)
        c, s = np.cos(angle)[top.owner], np.sin(angle)[top.owner]
        across = (top.u * c - top.v * s) * np.cos(turn) + (top.u * s + top.v * c) * np.sin(turn)
        value += rng.uniform(0.1, 0.3) * across * np.exp(-top.depth / (0.4 * mean + 1))
    if rng.random() < 0.5:
        spot = np.exp(-((top.u - 0.15) ** 2 + top.v**2) / rng.uniform(0.05, 0.15))
        value += rng.choice([-0.12, 0.12]) * spot
    canvas.put(top, value.astype(np.float32))
    return canvas
