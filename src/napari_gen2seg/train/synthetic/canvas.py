"""The image being drawn, and fragments: the pixels of many objects as flat arrays.

All objects of a scene are rasterised together into one list of fragments (a row, a
column, an owner and how deep inside its owner the pixel lies), then shaded together.
There is no Python loop over pixels and hardly one over objects.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter

from napari_gen2seg.common.types import Array


@dataclass(eq=False)
class Fragments:
    """Pixels of `count` objects, painted in the order in which they are listed.

    Attributes
    ----------
    row, col : int32 (M,), pixel positions, all inside the picture
    owner : int32 (M,), object index in 0..count-1
    depth : float32 (M,), distance to the object's own rim in pixels, > 0 inside
    u, v : float32 (M,), position in the object's own frame; about -1..1 along its axes
        (for curves: u = distance along the curve in pixels, v = -1..1 across it)
    radius : float32 (count,), half of the object's smaller extent in pixels
    """

    row: Array
    col: Array
    owner: Array
    depth: Array
    u: Array
    v: Array
    radius: Array

    @classmethod
    def none(cls) -> Fragments:
        """No objects at all."""
        place, value = np.zeros(0, np.int32), np.zeros(0, np.float32)
        return cls(place, place, place, value, value, value, value)

    @property
    def count(self) -> int:
        """Number of objects."""
        return len(self.radius)

    def take(self, keep: Array) -> Fragments:
        """The fragments selected by a boolean or index array; same objects."""
        return Fragments(
            self.row[keep],
            self.col[keep],
            self.owner[keep],
            self.depth[keep],
            self.u[keep],
            self.v[keep],
            self.radius,
        )

    def stacked(self, order: Array) -> Fragments:
        """The same fragments, objects of a higher `order` (count,) painted later."""
        return self.take(np.argsort(np.asarray(order)[self.owner], kind="stable"))

    def of(self, per_object: Array) -> Array:
        """Spread a value per object, (count, ...), over its fragments."""
        return np.asarray(per_object)[self.owner]

    def height(self) -> Array:
        """Height of a dome over each object, 0 at the rim and 1 at the middle."""
        flat = 1 - np.clip(self.depth / self.of(self.radius), 0, 1)
        return np.sqrt(np.maximum(1 - flat * flat, 0))


def join(parts: list[Fragments]) -> Fragments:
    """Several fragment lists as one; owners are renumbered in order."""
    offsets = np.cumsum([0] + [part.count for part in parts])
    names = ("row", "col", "depth", "u", "v", "radius")
    joined = {n: np.concatenate([getattr(p, n) for p in parts]) for n in names}
    owner = np.concatenate(
        [part.owner + np.int32(o) for part, o in zip(parts, offsets, strict=False)]
    )
    return Fragments(owner=owner, **joined)


def unhidden(
    at: Fragments, shape: tuple[int, int], group: Array | None = None
) -> Fragments:
    """Fragments without objects of which others hide more than four fifths.

    `group` (count,) joins objects into one, whose largest part is the measure.
    """
    group = np.arange(at.count) if group is None else group
    order = np.full(shape, -1, np.int32)
    order[at.row, at.col] = at.owner
    seen = np.bincount(group[order[order >= 0]], minlength=at.count)
    size = np.zeros(at.count)
    np.maximum.at(size, group, np.bincount(at.owner, minlength=at.count))
    shown = seen >= 0.2 * size
    return at.take(shown[group[at.owner]])


class Canvas:
    """An image with 1 or 3 channels and its instance labels.

    Parameters
    ----------
    shape : (H, W)
    channels : 1 (grey) or 3

    Attributes
    ----------
    image : float32 (H, W, channels)
    labels : int32 (H, W), 0 = background
    count : number of labels given so far
    whole : whether an object in several pieces keeps one label (curves, stacks of
        parts) instead of having its pieces told apart
    complete : whether every object in the picture carries a label
    """

    def __init__(self, shape: tuple[int, int], channels: int = 1) -> None:
        self.shape = shape
        self.image = np.zeros((*shape, channels), np.float32)
        self.labels = np.zeros(shape, np.int32)
        self.count = 0
        self.whole = False
        self.complete = True

    @property
    def channels(self) -> int:
        """Number of channels of the image."""
        return int(self.image.shape[2])

    def claim(self, fragments: Fragments, group: Array | None = None) -> Fragments:
        """Give the objects labels; later ones cover earlier ones.

        `group` (count,) joins objects that share a value under one label. Returns the
        fragments that stay visible, each pixel once.
        """
        order = np.full(self.shape, -1, np.int32)
        order[fragments.row, fragments.col] = np.arange(len(fragments.row))
        seen = order[fragments.row, fragments.col] == np.arange(len(fragments.row))
        top = fragments.take(seen)
        if group is None:
            ids, total = top.owner, fragments.count
        else:
            values, inverse = np.unique(group, return_inverse=True)
            ids, total = inverse.astype(np.int32)[top.owner], len(values)
        self.labels[top.row, top.col] = ids + (self.count + 1)
        self.count += total
        return top

    def put(self, at: Fragments, values: Array, alpha: Array | float = 1.0) -> None:
        """Blend values, (M,) or (M, channels), over the image at unique pixels."""
        if values.ndim == 1:
            values = values[:, None]
        if np.ndim(alpha) == 1:
            alpha = np.asarray(alpha)[:, None]
        if not isinstance(alpha, np.ndarray) and alpha == 1.0:
            self.image[at.row, at.col] = values
        else:
            under = self.image[at.row, at.col]
            self.image[at.row, at.col] = under + alpha * (values - under)

    def add(self, at: Fragments, values: Array) -> None:
        """Add light, (M,), of overlapping fragments to all channels."""
        flat = at.row.astype(np.int64) * self.shape[1] + at.col
        light = np.bincount(flat, values, self.labels.size).astype(np.float32)
        self.image += light.reshape(self.shape)[..., None]

    def scale(
        self, at: Fragments, factor: float, dy: int, dx: int, soft: float = 0.0
    ) -> None:
        """Multiply the image where the fragments land after a shift: a shadow.

        `soft` is the blur of the shadow's edge in pixels.
        """
        row, col = at.row + dy, at.col + dx
        inside = (row >= 0) & (row < self.shape[0]) & (col >= 0) & (col < self.shape[1])
        veil = np.ones(self.shape, np.float32)
        veil[row[inside], col[inside]] = factor
        if soft > 0.5:
            veil = gaussian_filter(veil, soft, truncate=2.0)
        self.image = self.image * veil[..., None]
