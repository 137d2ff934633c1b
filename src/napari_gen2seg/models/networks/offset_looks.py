"""Looks at one image at several sizes, joined object by object (no torch here).

The network likes objects of one size; where an image holds several, no single look
serves all. Of each object the more certain answer is kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage, sparse

from napari_gen2seg.common.types import Float32Array, Float64Array, Int32Array
from napari_gen2seg.core.map.instances import Instances
from napari_gen2seg.models.networks.offset_instances import find_instances

if TYPE_CHECKING:
    from numpy.typing import NDArray

# So much surer a coarser answer must be. Measured: at 1.0 and 1.5 things next to each
# other that a coarse look takes for one push out what was right.
_AHEAD = 2.5
_LEAST = 0.3  # score below which a coarser answer is not looked at
_JUST = 0.1  # logit of being an object, where smoothing would lose one


@dataclass(frozen=True, eq=False)
class Look:
    """What the network answered at one size.

    Attributes
    ----------
    resolution
        Longer side in pixels.
    logit, ends
        float32 (h, w) and (2, h, w): of being an object, and end points in pixels.
    instances
        What they come to.
    """

    resolution: int
    logit: Float32Array
    ends: Float32Array
    instances: Instances

    @classmethod
    def of(cls, resolution: int, fields: Float32Array) -> Look:
        """Take what the network answered: (h, w, 3), logit, end row, end column."""
        logit = np.ascontiguousarray(fields[..., 0])
        ends = np.ascontiguousarray(fields[..., 1:].transpose(2, 0, 1))
        return cls(resolution, logit, ends, find_instances(ends, logit))

    @cached_property
    def areas(self) -> NDArray[np.int64]:
        """Pixels of instances 1 to n."""
        found = self.instances
        return np.bincount(found.labels.ravel(), minlength=len(found) + 1)[1:]

    @property
    def diameters(self) -> Float64Array:
        """Of instances 1 to n, of discs of their areas, in pixels of this look."""
        return np.asarray(2 * np.sqrt(self.areas / np.pi))


def join_looks(looks: Sequence[Look]) -> Look:
    """Keep of each object the surest answer, at the finest size.

    Parameters
    ----------
    looks
        At least one, at different sizes.
    """
    finest, *others = sorted(looks, key=lambda one: -one.resolution)
    for other in others:
        finest = _join(finest, other)
    return finest


def _join(fine: Look, coarse: Look) -> Look:
    """Paste the instances of a coarser look that are surer than what is there."""
    shape = fine.logit.shape
    scale = np.divide(shape, coarse.logit.shape)
    rows, columns = (
        np.minimum(((np.arange(n) + 0.5) / s).astype(np.intp), m - 1)
        for n, s, m in zip(shape, scale, coarse.logit.shape, strict=True)
    )
    at = rows[:, None], columns
    there, labels = fine.instances.labels, coarse.instances.labels[at]
    # 1. Which instances come, and which go
    old, new_scores = fine.instances.scores, coarse.instances.scores
    both = _common(labels, there, (len(new_scores), len(old)))
    areas = np.maximum(both.sum(axis=1), 1)
    # What is there already, as far as it covers the object.
    held = both @ np.concatenate([[0.0], old]) / areas
    come = np.concatenate([[0.0], new_scores]) > np.maximum(_AHEAD * held, _LEAST)
    come[0] = False
    if not come.any():
        return fine
    gone = both[come].sum(axis=0) > 0.5 * np.maximum(both.sum(axis=0), 1)
    gone[0] = False
    # 2. Their pixels: one end point an object, so that its color is flat at any size
    new = come[labels]
    left = gone[there] & ~new
    raised = _enlarged(coarse.logit, shape)
    logit, ends = fine.logit.copy(), fine.ends.copy()
    logit[left] = -np.abs(raised[left])
    logit[new] = np.maximum(raised[new], _JUST)
    for axis, middle in enumerate(_centers(coarse)):
        center = (middle + 0.5) * scale[axis] - 0.5
        told = coarse.ends[axis][at] - middle[labels] + center[labels]
        ends[axis][new] = told[new]
    # 3. Numbers without a gap: those that stay, then those that came
    names = np.where(gone, 0, np.cumsum(~gone) - 1)
    stayed = np.where(left, 0, names[there])
    joined = np.where(new, (names.max() + np.cumsum(come))[labels], stayed)
    scores = np.concatenate([old[~gone[1:]], new_scores[come[1:]]])
    return Look(fine.resolution, logit, ends, _without_empty(joined, scores))


def _common(
    rows: Int32Array, columns: Int32Array, counts: tuple[int, int]
) -> sparse.csr_array:
    """Count the pixels that labels of two images have in common, 0 included."""
    ones = np.ones(rows.size, np.int64)
    shape = counts[0] + 1, counts[1] + 1
    return sparse.coo_array((ones, (rows.ravel(), columns.ravel())), shape).tocsr()


def _without_empty(labels: NDArray[np.integer], scores: Float32Array) -> Instances:
    """Leave out instances of which nothing is left."""
    kept = np.bincount(labels.ravel(), minlength=len(scores) + 1)[1:] > 0
    names = np.concatenate([[0], np.cumsum(kept) * kept]).astype(np.int32)
    return Instances(names[labels], scores[kept])


def _enlarged(values: Float32Array, shape: tuple[int, ...]) -> Float32Array:
    """Return (h, w) at a larger size, smooth."""
    factors = np.divide(shape, values.shape)
    grown = ndimage.zoom(values, factors, order=1, mode="nearest", grid_mode=True)
    return np.asarray(grown, np.float32)


def _centers(look: Look) -> Float64Array:
    """Return where the end points of each instance lie: (2, n + 1), row and column."""
    labels = look.instances.labels.ravel()
    count = len(look.instances) + 1
    areas = np.maximum(np.bincount(labels, minlength=count), 1)
    return np.stack([np.bincount(labels, e.ravel(), count) / areas for e in look.ends])
