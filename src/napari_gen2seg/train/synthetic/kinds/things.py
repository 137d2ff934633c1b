"""Things with a build: boxes in a room, creatures with limbs, one large object."""

from __future__ import annotations

import numpy as np

from napari_gen2seg.common.types import Array, Shape
from napari_gen2seg.train.synthetic.canvas import Canvas, Fragments, join
from napari_gen2seg.train.synthetic.curves import tubes, wander
from napari_gen2seg.train.synthetic.kinds.photos import (
    WORN,
    backdrop,
    cast_shadow,
    clutter,
)
from napari_gen2seg.train.synthetic.kinds.tissue import own_texture
from napari_gen2seg.train.synthetic.layout import log_uniform
from napari_gen2seg.train.synthetic.population import (
    any_profiles,
    colors,
    f32,
    lighting,
    pick,
    skin,
)
from napari_gen2seg.train.synthetic.scene import kind
from napari_gen2seg.train.synthetic.shapes import blobs
from napari_gen2seg.train.synthetic.textures import fractal_noise
from napari_gen2seg.train.synthetic.tiling import tile


def _fill_polygon(shape: Shape, corners: Array) -> tuple[Array, Array, Array]:
    """Pixels of a convex polygon: row, col, depth in pixels."""
    low = np.clip(np.floor(corners.min(0)).astype(int), 0, shape)
    high = np.clip(np.ceil(corners.max(0)).astype(int) + 1, 0, shape)
    row = np.arange(low[0], high[0], dtype=np.float32)[:, None]
    col = np.arange(low[1], high[1], dtype=np.float32)[None, :]
    points = [(float(y), float(x)) for y, x in corners]
    turns = list(zip(points, points[1:] + points[:1], strict=True))
    area = sum(y * nx - x * ny for (y, x), (ny, nx) in turns)
    depth = np.full((len(row), col.shape[1]), 1e9, np.float32)
    for (y, x), (ny, nx) in turns:
        norm = float(np.hypot(ny - y, nx - x)) + 1e-6
        norm = norm if area > 0 else -norm
        # Distance from the side's line, split into a row and a column part.
        part_col = (col - x) * ((ny - y) / norm)
        part_row = (row - y) * ((nx - x) / norm)
        np.minimum(depth, part_col - part_row, out=depth)
    i, j = np.nonzero(depth > 0)
    return (i + low[0]).astype(np.int32), (j + low[1]).astype(np.int32), depth[i, j]


def _box_faces(rng: np.random.Generator, shape: Shape, size: float) -> list[Array]:
    """Three visible faces of a box seen from above, corners (4, 2) each."""
    y, x = rng.uniform(0, 1, 2) * shape
    wide, deep, tall = size * rng.uniform(0.4, 1.4, 3)
    slant = rng.uniform(0.2, 0.9)
    a = np.array([rng.uniform(0.1, 0.5) * slant, 1]) * wide
    b = np.array([rng.uniform(0.1, 0.5) * slant, -1]) * deep
    up = np.array([-tall, 0.0])
    foot = np.array([y, x])
    return [
        np.array([foot, foot - a, foot - a + up, foot + up]),
        np.array([foot, foot - b, foot - b + up, foot + up]),
        np.array([foot + up, foot - a + up, foot - a - b + up, foot - b + up]),
    ]


@kind(
    "boxes",
    "boxes and slabs whose faces differ in brightness",
    0.7,
    whole=True,
    wear=WORN,
)
def boxes(rng: np.random.Generator, shape: Shape) -> Canvas:
    """Each box is one object of three faces; rooms label walls and floor too."""
    canvas = Canvas(shape, 3)
    if rng.random() < 0.5:
        canvas.image = backdrop(rng, shape)
    else:
        cells = tile(
            rng, shape, max(shape) * rng.uniform(0.4, 0.9), metric="box", aspect=1.5
        )
        paint = colors(rng, cells.count, 0.1)[cells.owner]
        shade = (
            1 + 0.1 * fractal_noise(rng, shape, 60, 2) + 0.05 * own_texture(rng, cells)
        )
        canvas.image = paint * shade[..., None]
        canvas.labels = cells.owner + 1
        canvas.count = cells.count
    size = log_uniform(rng, 9, 0.5 * min(shape))
    count = int(
        np.clip(shape[0] * shape[1] / (4 * size**2) * rng.uniform(0.3, 1.5), 1, 16)
    )
    faces = sorted(
        (
            _box_faces(rng, shape, size * float(np.exp(0.3 * rng.standard_normal())))
            for _ in range(count)
        ),
        key=lambda f: float(f[0][0, 0]),
    )
    columns: list[tuple[Array, ...]] = []
    for number, face in enumerate(faces):
        for k, corners in enumerate(face):
            row, col, depth = _fill_polygon(shape, corners)
            columns.append(
                (row, col, np.full(len(row), 3 * number + k, np.int32), depth)
            )
    row, col, owner, depth = (np.concatenate(c) for c in zip(*columns, strict=True))
    nothing = np.zeros(len(row), np.float32)
    at = Fragments(
        row, col, owner, depth, nothing, nothing, np.full(3 * count, size, np.float32)
    )
    top = canvas.claim(at, np.arange(3 * count) // 3)
    tones = np.tile(f32(rng.uniform(0.4, 1.1, 3)), count)[:, None]
    paint = np.repeat(colors(rng, count, 0.3), 3, 0) * tones
    value = (
        top.of(paint)
        * (1 + rng.uniform(0, 0.15) * skin(rng, top, aligned=True))[:, None]
    )
    value *= (1 - rng.uniform(0, 0.5) * np.exp(-top.depth / 1.2))[:, None]
    canvas.put(top, value)
    return canvas


@kind(
    "creatures",
    "bodies with limbs: animals, plants, tools, figures",
    1.2,
    whole=True,
    wear=WORN,
)
def creatures(rng: np.random.Generator, shape: Shape) -> Canvas:
    """A spine of varying girth with limbs of other colors, one label each."""
    canvas = Canvas(shape, 3)
    busy = rng.random() < 0.3
    canvas.image = clutter(rng, shape) if busy else backdrop(rng, shape)
    canvas.complete = not busy
    size = log_uniform(rng, 14, 0.8 * min(shape))
    count = int(np.clip(shape[0] * shape[1] / size**2 * rng.uniform(0.2, 1.0), 1, 18))
    curl = 0.0 if rng.random() < 0.4 else 0.25
    length = size * rng.uniform(0.6, 1.3, count)
    place = rng.uniform(0.05, 0.95, (count, 1, 2)) * shape
    spine = wander(
        rng, np.zeros((count, 2)), rng.uniform(0, 6.3, count), length, curl, 14
    )
    spine += place - spine.mean(1, keepdims=True)
    t = np.linspace(0, 2 * np.pi, 15)
    beat, phase = rng.uniform(0.3, 2, (2, count, 1)), rng.uniform(0, 6, (2, count, 1))
    girth = (
        1
        + 0.4 * np.sin(t * beat[0] + phase[0])
        + 0.25 * np.sin(t * 2.5 * beat[1] + phase[1])
    )
    girth = np.maximum(girth * (length * rng.uniform(0.06, 0.22, count))[:, None], 1.0)
    limbs = int(rng.integers(0, 6))
    body = np.repeat(np.arange(count), limbs)
    joint = rng.integers(15, size=len(body))
    reach = length[body] * rng.uniform(0.2, 0.6, len(body))
    limb = wander(
        rng, spine[body, joint], rng.uniform(0, 6.3, len(body)), reach, 0.2, 8
    )
    thick = np.maximum(1.2, 0.5 * girth[body, joint])
    thin = np.maximum(0.8, thick * rng.uniform(0.2, 0.9, len(body)))
    owners = np.concatenate([body, np.arange(count)])
    order = np.argsort(owners, kind="stable")
    curves = list(limb) + list(spine)
    widths = [
        a + (b - a) * np.linspace(0, 1, 9) for a, b in zip(thick, thin, strict=True)
    ]
    widths += list(girth)
    owners = owners[order]
    at = tubes(shape, [curves[k] for k in order], [widths[k] for k in order])
    if rng.random() < 0.6:
        cast_shadow(rng, canvas, at, max(2, int(0.08 * size)))
    top = canvas.claim(at, owners)
    paint = colors(rng, count, 0.3)[owners]
    if rng.random() < 0.4:
        other = rng.random(len(owners)) < 0.4
        paint[other] = colors(rng, int(other.sum()), 0.3)
    shade = 1 - rng.uniform(0.1, 0.6) * (top.v + rng.uniform(-0.4, 0.4)) ** 2
    if rng.random() < 0.6:
        shade *= 1 + rng.uniform(0.03, 0.3) * skin(rng, top)
    if rng.random() < 0.12:
        shade *= 1 + 0.3 * np.sign(np.sin(top.u / (size * rng.uniform(0.02, 0.08))))
    canvas.put(top, top.of(paint) * shade[:, None])
    return canvas


@kind(
    "large object",
    "one or two objects that fill much of the frame",
    0.8,
    whole=True,
    wear=WORN,
)
def large_object(rng: np.random.Generator, shape: Shape) -> Canvas:
    """A close-up: a big textured body with parts of its own before a ground."""
    canvas = Canvas(shape, pick(rng, 1, 3, 3))
    ground = clutter(rng, shape) if rng.random() < 0.5 else backdrop(rng, shape)
    canvas.image = ground[..., : canvas.channels].copy()
    canvas.complete = False
    count = int(rng.integers(1, 3))
    spots = int(rng.integers(0, 7))
    frame = np.array(shape)
    radius = min(shape) * rng.uniform(0.25, 0.6, count) / float(np.sqrt(count))
    center = rng.uniform(0.2, 0.8, (count, 2)) * frame
    stretch = np.sqrt(rng.uniform(1, 2, count))
    radii = np.stack([radius * stretch, radius / stretch], 1)
    angle = rng.uniform(0, np.pi, count)
    body = blobs(
        shape, center, radii, angle, any_profiles(rng, count), rng.normal(0, 0.15)
    )
    top = canvas.claim(body)
    parts = [body]
    if spots:
        owner = rng.integers(count, size=spots)
        small = radius[owner] * rng.uniform(0.08, 0.35, spots)
        place = center[owner] + rng.normal(0, 0.35, (spots, 2)) * radius[owner][:, None]
        shape_of = any_profiles(rng, spots)
        size = np.stack([small * 1.3, small], 1)
        part = blobs(shape, place, size, rng.uniform(0, np.pi, spots), shape_of)
        # Parts show on their own body only.
        seen = canvas.labels[part.row, part.col] == owner[part.owner] + 1
        parts.append(part.take(seen))
    at = join(parts)
    fresh = Canvas(shape)
    top = fresh.claim(at)
    paint = colors(rng, at.count, 0.3)
    shade = lighting(rng, top)
    for _ in range(int(rng.integers(0, 3))):
        shade *= 1 + rng.uniform(0.02, 0.25) * skin(rng, top, aligned=True)
    value = top.of(paint) * shade[:, None]
    canvas.put(top, value if canvas.channels == 3 else value.mean(1))
    return canvas
