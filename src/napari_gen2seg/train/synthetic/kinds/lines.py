"""Curves: fibers, cables, worms, hoops, branching trees."""

from __future__ import annotations

import numpy as np

from napari_gen2seg.common.types import Array, Shape
from napari_gen2seg.train.synthetic.canvas import Canvas
from napari_gen2seg.train.synthetic.curves import tubes, wander
from napari_gen2seg.train.synthetic.degrade import Wear
from napari_gen2seg.train.synthetic.kinds.photos import backdrop
from napari_gen2seg.train.synthetic.layout import log_uniform
from napari_gen2seg.train.synthetic.population import colors, f32, pick, skin
from napari_gen2seg.train.synthetic.scene import kind
from napari_gen2seg.train.synthetic.textures import fractal_noise, textured_plane

Strands = tuple[list[Array], list[Array | float]]


def strands(
    rng: np.random.Generator,
    shape: Shape,
    count: int,
    thick: float,
    curl: float,
    long: float,
) -> Strands:
    """Random curves and their radii; of common direction, of any, or in bundles."""
    common = rng.uniform(0, 2 * np.pi)
    aligned = rng.random() < 0.4
    bundled = rng.random() < 0.35
    start = rng.uniform(-0.1, 1.1, (count, 2)) * shape
    free = rng.uniform(0, 2 * np.pi, count)
    heading = common + 0.2 * rng.standard_normal(count) if aligned else free
    length = long * rng.uniform(0.5, 1.3, count)
    points = int(np.clip(long / max(4.0, thick), 6, 48))
    path = wander(rng, start, heading, length, curl, points)
    path -= 0.5 * (path[:, -1:] - path[:, :1])
    radius = np.maximum(thick * np.exp(0.15 * rng.standard_normal(count)), 0.6)
    if bundled:
        # Neighbours run side by side, just touching.
        for mother in range(0, count, int(rng.integers(2, 5))):
            if rng.random() < 0.6:
                along = np.gradient(path[mother], axis=0)
                across = along[:, ::-1] * [1, -1]
                across /= np.maximum(np.sqrt((across**2).sum(1)), 1e-6)[:, None]
                for child in range(
                    mother + 1, min(mother + int(rng.integers(2, 5)), count)
                ):
                    gap = max(
                        2.05 * radius[mother], 2 * radius[mother] + 1.2 * (thick < 2)
                    )
                    path[child] = path[mother] + across * (gap * (child - mother))
                    radius[child] = radius[mother]
    return list(path), list(radius)


@kind(
    "fibres",
    "thin filaments that cross",
    1.3,
    whole=True,
    wear=Wear(blur=0.5, noise=0.03, low_contrast=0.3, invert=0.3, coarse=0.03),
)
def fibres(rng: np.random.Generator, shape: Shape) -> Canvas:
    """Filaments one to many pixels wide, each an instance through its crossings."""
    canvas = Canvas(shape)
    thick = log_uniform(rng, 0.7, 7)
    web = rng.random() < 0.25
    count = int(rng.integers(1, max(3, int((90 if web else 34) / (0.6 + thick)))) + 1)
    curl = pick(rng, 0.0, 0.05, 0.25)
    long = max(shape) * (1.6 if web else rng.uniform(0.3, 1.5))
    at = tubes(shape, *strands(rng, shape, count, thick, curl, long))
    ground = rng.uniform(0.05, 0.4)
    canvas.image[..., 0] = ground + rng.uniform(0, 0.06) * fractal_noise(
        rng, shape, 30, 4
    )
    if rng.random() < 0.4:
        shift = rng.integers(-3, 4, 2)
        canvas.scale(at, rng.uniform(0.4, 0.9), int(shift[0]), int(shift[1]))
    top = canvas.claim(at)
    tone = rng.uniform(0.45, 0.9) * np.exp(
        pick(rng, 0.02, 0.25) * rng.standard_normal(count)
    )
    rank = np.linspace(-1, 0, count) * (0.4 if web else pick(rng, 0.0, 0.3))
    value = top.of(f32(tone + rank)) * (1 - rng.uniform(0, 0.7) * top.v**2)
    value += rng.uniform(0, 0.4) * np.exp(-top.depth / 0.8) * (thick > 2)
    value += rng.uniform(0, 0.12) * skin(rng, top)
    if rng.random() < 0.2:
        # Beads or striation along the fibre.
        value *= 1 + rng.uniform(0.1, 0.4) * np.sin(top.u / rng.uniform(0.8, 4))
    canvas.put(top, value)
    return canvas


@kind(
    "cables",
    "thick colored cables in a tangle, shaded, crossing",
    1.2,
    whole=True,
    wear=Wear(blur=0.5, noise=0.015, low_contrast=0.15, invert=0.0),
)
def cables(rng: np.random.Generator, shape: Shape) -> Canvas:
    """Wires, hoses and branches; one instance each through every crossing."""
    canvas = Canvas(shape, 3)
    thick = log_uniform(rng, 1.5, 0.06 * min(shape) + 3)
    count = int(rng.integers(2, 15))
    curl = rng.uniform(0, 0.3)
    long = max(shape) * rng.uniform(0.7, 2)
    at = tubes(shape, *strands(rng, shape, count, thick, curl, long))
    if rng.random() < 0.5:
        cloth = rng.uniform(0, 0.1) * textured_plane(rng, shape)
        canvas.image = colors(rng, 1) + cloth[..., None]
    else:
        canvas.image = backdrop(rng, shape)
    if rng.random() < 0.7:
        reach = int(thick) + 1
        shift = rng.integers(-reach, reach + 1, 2)
        canvas.scale(at, rng.uniform(0.4, 0.9), int(shift[0]), int(shift[1]))
    top = canvas.claim(at)
    if rng.random() < 0.4:
        paint = colors(rng, 1, 0.5) + f32(0.03 * rng.standard_normal((count, 3)))
    else:
        paint = colors(rng, count, 0.7)
    across = top.v + rng.uniform(-0.4, 0.4)
    shade = 1 - rng.uniform(0.1, 0.7) * across**2
    if rng.random() < 0.3:
        band = np.sin(top.u / rng.uniform(1, 6) + pick(rng, 0, 1, 3) * top.v)
        shade *= 1 + rng.uniform(0.05, 0.3) * band
    if rng.random() < 0.4:
        shade *= 1 + rng.uniform(0.05, 0.25) * skin(rng, top)
    value = top.of(paint) * shade[:, None]
    gloss = pick(rng, 0.0, 0.2, 0.5) * np.exp(-(((top.v - 0.3) / 0.2) ** 2))
    canvas.put(top, value + gloss[:, None])
    return canvas


@kind(
    "worms",
    "thick curved bodies that taper: worms, leaves, chromosomes",
    0.8,
    wear=Wear(low_contrast=0.35),
)
def worms(rng: np.random.Generator, shape: Shape) -> Canvas:
    """Tapered curves, short and thick, some with a midrib."""
    canvas = Canvas(shape, pick(rng, 1, 1, 3))
    thick = log_uniform(rng, 2.5, 0.09 * min(shape))
    room = 0.3 * shape[0] * shape[1] / (thick**2 * 14)
    count = int(np.clip(room * rng.uniform(0.2, 1.3), 1, 50))
    curves, widths = strands(
        rng, shape, count, thick, rng.uniform(0.05, 0.5), thick * rng.uniform(4, 14)
    )
    taper = rng.uniform(1.2, 6)
    shaped: list[Array | float] = []
    for curve, width in zip(curves, widths, strict=True):
        t = np.linspace(-1, 1, len(curve))
        shaped.append(np.maximum(width * (1 - np.abs(t) ** taper), 0.7))
    at = tubes(shape, curves, shaped)
    ground = rng.uniform(0.2, 0.8)
    canvas.image += (
        ground + rng.uniform(0, 0.07) * textured_plane(rng, shape)[..., None]
    )
    top = canvas.claim(at)
    strength = np.exp(0.3 * rng.standard_normal(count)) * pick(rng, -1, 1)
    value = ground + top.of(f32(rng.uniform(0.1, 0.4) * strength))
    value *= 1 - rng.uniform(-0.3, 0.5) * top.v**2
    value += rng.uniform(0, 0.08) * skin(rng, top) + pick(
        rng, 0.0, 0.15, -0.15
    ) * np.exp(-top.depth)
    if rng.random() < 0.25:
        value += pick(rng, -0.2, 0.2) * np.exp(-((top.v * 8) ** 2))
    if rng.random() < 0.2:
        value *= 1 + 0.2 * np.sin(top.u / rng.uniform(1, 4))
    if canvas.channels == 3:
        canvas.image *= 0.3 + colors(rng, 1)
        canvas.put(top, value[:, None] * (0.4 + top.of(colors(rng, count, 0.5))))
    else:
        canvas.put(top, value)
    return canvas


@kind(
    "hoops",
    "rings, links and coils with the ground showing through",
    0.6,
    whole=True,
    wear=Wear(blur=0.5, noise=0.02, invert=0.15),
)
def hoops(rng: np.random.Generator, shape: Shape) -> Canvas:
    """Closed curves; the hole is not part of the object."""
    canvas = Canvas(shape, 3)
    mean = log_uniform(rng, 7, 0.3 * min(shape))
    count = int(
        np.clip(
            0.5 * shape[0] * shape[1] / (4 * mean**2) * rng.uniform(0.2, 1.2), 1, 40
        )
    )
    turns = np.linspace(0, 2 * np.pi, 28)
    curves: list[Array] = []
    widths: list[Array | float] = []
    corners = pick(rng, 0, 0, 3, 4)
    for _ in range(count):
        a, b = mean * rng.uniform(0.7, 1.3), mean * rng.uniform(0.4, 1)
        angle = rng.uniform(0, np.pi)
        push = 1 + (0.2 * np.cos(corners * turns) if corners else 0)
        x, y = a * push * np.cos(turns), b * push * np.sin(turns)
        c, s = np.cos(angle), np.sin(angle)
        curves.append(
            np.stack([x * s + y * c, x * c - y * s], 1) + rng.uniform(0, 1, 2) * shape
        )
        widths.append(max(1.0, mean * rng.uniform(0.06, 0.25)))
    at = tubes(shape, curves, widths)
    canvas.image = backdrop(rng, shape)
    if rng.random() < 0.5:
        canvas.scale(
            at,
            rng.uniform(0.5, 0.9),
            int(rng.integers(-3, 4)),
            int(rng.integers(-3, 4)),
        )
    top = canvas.claim(at)
    paint = colors(rng, count if rng.random() < 0.6 else 1, 0.5)
    paint = np.broadcast_to(paint, (count, 3)) + f32(
        0.02 * rng.standard_normal((count, 3))
    )
    shade = 1 - rng.uniform(0.2, 0.7) * (top.v + rng.uniform(-0.3, 0.3)) ** 2
    shade *= 1 + rng.uniform(0, 0.15) * skin(rng, top)
    canvas.put(top, top.of(paint) * shade[:, None])
    return canvas


@kind(
    "branching",
    "trees and stars: neurons, roots, dendrites",
    1.0,
    whole=True,
    wear=Wear(blur=0.5, noise=0.03, low_contrast=0.3, invert=0.25, coarse=0.03),
)
def branching(rng: np.random.Generator, shape: Shape) -> Canvas:
    """Objects of a body and branches that divide."""
    canvas = Canvas(shape)
    count = int(rng.integers(1, 8))
    scale = min(shape) * rng.uniform(0.15, 0.5) / float(np.sqrt(count))
    fat = pick(rng, 1.0, 1.0, 2.5)
    root = rng.uniform(0.05, 0.95, (count, 2)) * shape
    body = scale * rng.uniform(0.08, 0.25, count)
    arms = np.repeat(np.arange(count), rng.integers(2, 8, count))
    n = len(arms)
    arm = wander(
        rng, root[arms], rng.uniform(0, 6.3, n), scale * rng.uniform(1, 2.5, n), 0.2, 16
    )
    base = np.maximum(0.9, fat * body[arms] * rng.uniform(0.2, 0.5, n))
    forks = np.flatnonzero(rng.random(n) < 0.6)
    knot = arm[forks, rng.integers(1, 16, len(forks))]
    reach = scale * rng.uniform(0.3, 1, len(forks))
    twig = wander(rng, knot, rng.uniform(0, 6.3, len(forks)), reach, 0.2, 8)
    curves = (
        [np.stack([r, r + np.array([0.0, 1.0])]) for r in root] + list(arm) + list(twig)
    )
    widths: list[Array | float] = list(np.maximum(body, 1.5))
    widths += [b + (0.8 - b) * np.linspace(0, 1, 17) for b in base]
    widths += [
        0.7 * base[k] + (0.7 - 0.7 * base[k]) * np.linspace(0, 1, 9) for k in forks
    ]
    owners = np.concatenate([np.arange(count), arms, arms[forks]])
    order = np.argsort(owners, kind="stable")
    curves = [curves[k] for k in order]
    widths = [widths[k] for k in order]
    owners = owners[order]
    at = tubes(shape, curves, widths)
    canvas.image[..., 0] = rng.uniform(0.05, 0.35) + rng.uniform(0, 0.06) * (
        fractal_noise(rng, shape, 30, 4)
    )
    top = canvas.claim(at, owners)
    tone = rng.uniform(0.5, 0.85) * np.exp(
        pick(rng, 0.05, 0.3) * rng.standard_normal(count)
    )
    value = f32(tone)[owners][top.owner] * np.minimum(
        rng.uniform(0.3, 0.8) + top.depth / 4, 1
    )
    value += rng.uniform(0, 0.08) * skin(rng, top)
    canvas.put(top, value)
    return canvas
