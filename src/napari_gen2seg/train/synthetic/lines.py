"""Curves: fibres, cables, worms, branching trees."""

from __future__ import annotations

import numpy as np

from .canvas import Canvas
from .degrade import Wear
from .layout import log_uniform
from .nuclei import skin
from .scene import kind
from .shapes import tubes, wander
from .textures import fractal_noise, textured_plane

Array = np.ndarray
Shape = tuple[int, int]


def _strands(
    rng: np.random.Generator, shape: Shape, count: int, thick: float, curl: float, long: float
) -> tuple[list[Array], list[Array | float]]:
    """Random curves with a common or a random direction."""
    common = rng.uniform(0, 2 * np.pi)
    aligned = rng.random() < 0.4
    curves: list[Array] = []
    widths: list[Array | float] = []
    for _ in range(count):
        start = rng.uniform(-0.1, 1.1, 2) * shape
        heading = common + 0.2 * rng.standard_normal() if aligned else rng.uniform(0, 6.3)
        length = long * rng.uniform(0.5, 1.3)
        curve = wander(rng, start, heading, length, curl, step=max(4.0, length / 60))
        curves.append(curve - (curve.mean(0) - start if length > 0.5 * max(shape) else 0))
        widths.append(max(0.6, thick * float(np.exp(0.2 * rng.standard_normal()))))
    return curves, widths


@kind("fibres", "thin filaments that cross", 1.2, whole=True,
      wear=Wear(blur=0.6, noise=0.03, invert=0.3))
def fibres(rng: np.random.Generator, shape: Shape) -> Canvas:
    """Filaments one to several pixels wide, each an instance."""
    canvas = Canvas(shape)
    thick = log_uniform(rng, 0.7, 5)
    count = int(rng.integers(1, max(3, int(30 / (0.5 + thick)))) + 1)
    curves, widths = _strands(
        rng, shape, count, thick, rng.uniform(0, 0.25), max(shape) * rng.uniform(0.3, 1.3)
    )
    at = tubes(shape, curves, widths)
    canvas.image[..., 0] = rng.uniform(0.05, 0.3) + 0.04 * fractal_noise(rng, shape, 30, 4)
    top = canvas.claim(at)
    tone = rng.uniform(0.5, 0.9) + rng.choice([0.02, 0.15]) * rng.standard_normal(count)
    value = top.of(tone.astype(np.float32)) * (1 - rng.uniform(0, 0.6) * top.v**2)
    value += rng.uniform(0, 0.12) * skin(rng, top)
    canvas.put(top, value.astype(np.float32))
    return canvas


@kind("cables", "thick coloured cables in a tangle, shaded, crossing", 1.0, whole=True,
      wear=Wear(blur=0.5, noise=0.015, invert=0.0))
def cables(rng: np.random.Generator, shape: Shape) -> Canvas:
    """Wires and tubes; one instance each through every crossing."""
    canvas = Canvas(shape, 3)
    thick = log_uniform(rng, 2, 0.06 * min(shape) + 3)
    count = int(rng.integers(2, 14))
    curves, widths = _strands(
        rng, shape, count, thick, rng.uniform(0.02, 0.3), max(shape) * rng.uniform(0.8, 2)
    )
    at = tubes(shape, curves, widths)
    plain = rng.uniform(0.2, 0.95, 3).astype(np.float32)
    cloth = rng.uniform(0, 0.1) * textured_plane(rng, shape)
    canvas.image[:] = plain + cloth[..., None]
    if rng.random() < 0.7:
        shift = rng.integers(-int(thick) - 1, int(thick) + 2, 2)
        canvas.scale(at, rng.uniform(0.4, 0.9), int(shift[0]), int(shift[1]))
    top = canvas.claim(at)
    if rng.random() < 0.4:
        colour = np.tile(rng.uniform(0, 1, 3), (count, 1)) + 0.03 * rng.standard_normal((count, 3))
    else:
        colour = rng.uniform(0, 1, (count, 3))
    value = top.of(colour.astype(np.float32))
    across = top.v + rng.uniform(-0.4, 0.4)
    shade = 1 - rng.uniform(0.2, 0.7) * across**2
    value = value * shade[:, None]
    gloss = rng.choice([0.0, 0.2, 0.5]) * np.exp(-(((top.v - 0.3) / 0.2) ** 2))
    value = value + gloss[:, None]
    if rng.random() < 0.3:
        band = np.sin(top.u / rng.uniform(1, 6) + top.v)
        value = value * (1 + rng.uniform(0.05, 0.3) * band)[:, None]
    canvas.put(top, value.astype(np.float32))
    return canvas


@kind("worms", "thick curved bodies that taper: worms, leaves, chromosomes", 0.8)
def worms(rng: np.random.Generator, shape: Shape) -> Canvas:
    """Tapered curves, short and thick."""
    canvas = Canvas(shape)
    thick = log_uniform(rng, 2.5, 0.08 * min(shape))
    count = int(np.clip(0.3 * shape[0] * shape[1] / (thick**2 * 14) * rng.uniform(0.2, 1), 1, 50))
    curves, widths = _strands(rng, shape, count, thick, rng.uniform(0.05, 0.5), thick * rng.uniform(5, 14))
    shaped: list[Array | float] = []
    for curve, width in zip(curves, widths, strict=True):
        t = np.linspace(-1, 1, len(curve))
        shaped.append(np.maximum(width * (1 - np.abs(t) ** rng.uniform(1.5, 6)), 0.7))
    at = tubes(shape, curves, shaped)
    ground = rng.uniform(0.2, 0.8)
    canvas.image[..., 0] = ground + rng.uniform(0, 0.06) * textured_plane(rng, shape)
    top = canvas.claim(at)
    tone = rng.uniform(0.15, 0.4) * rng.choice([-1, 1]) * np.exp(0.3 * rng.standard_normal(count))
    value = ground + top.of(tone.astype(np.float32))
    value = value * (1 - rng.uniform(-0.3, 0.5) * top.v**2) + rng.uniform(0, 0.08) * skin(rng, top)
    value += rng.choice([0.0, 0.15, -0.15]) * np.exp(-top.depth)
    canvas.put(top, value.astype(np.float32))
    return canvas


@kind("branching", "trees and stars: neurons, roots, dendrites", 1.0, whole=True,
      wear=Wear(blur=0.7, noise=0.03, invert=0.25))
def branching(rng: np.random.Generator, shape: Shape) -> Canvas:
    """Objects of a body and branches."""
    canvas = Canvas(shape)
    count = int(rng.integers(1, 8))
    scale = min(shape) * rng.uniform(0.15, 0.5) / np.sqrt(count)
    curves: list[Array] = []
    widths: list[Array | float] = []
    group: list[int] = []
    for number in range(count):
        root = rng.uniform(0.05, 0.95, 2) * shape
        body = scale * rng.uniform(0.08, 0.25)
        curves.append(np.array([root, root + [0, 1.0]]))
        widths.append(max(body, 1.5))
        group.append(number)
        for _ in range(int(rng.integers(3, 8))):
            arm = wander(rng, root, rng.uniform(0, 6.3), scale * rng.uniform(1, 2.5), 0.2)
            base = max(0.9, body * rng.uniform(0.2, 0.5))
            curves.append(arm)
            widths.append(np.linspace(base, 0.8, len(arm)))
            group.append(number)
            if rng.random() < 0.6:
                fork = arm[int(rng.integers(1, len(arm)))]
                twig = wander(rng, fork, rng.uniform(0, 6.3), scale * rng.uniform(0.3, 1), 0.2)
                curves.append(twig)
                widths.append(np.linspace(0.7 * base, 0.7, len(twig)))
                group.append(number)
    at = tubes(shape, curves, widths)
    owners = np.array(group)
    canvas.image[..., 0] = rng.uniform(0.05, 0.35) + 0.05 * fractal_noise(rng, shape, 30, 4)
    top = canvas.claim(at, owners)
    tone = rng.uniform(0.5, 0.85) + 0.1 * rng.standard_normal(count)
    value = tone.astype(np.float32)[owners][top.owner]
    value = value * np.minimum(0.55 + top.depth / 4, 1) + rng.uniform(0, 0.08) * skin(rng, top)
    canvas.put(top, value.astype(np.float32))
    return canvas
