"""Parts of an image that can be held back: corners, strips and halves (no torch)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_gen2seg.common.types import Int32Array

Window = tuple[slice, slice]
PartCounts = tuple[tuple[int, int], ...]
"""For each of `windows`: how many whole objects lie outside, and inside."""


def windows(shape: tuple[int, ...]) -> list[Window]:
    """List corners of a quarter, strips of a quarter, and, for few objects, halves."""
    height, width = shape[0], shape[1]
    rows = {
        n: (slice(0, height // n), slice(height - height // n, height)) for n in (2, 4)
    }
    cols = {n: (slice(0, width // n), slice(width - width // n, width)) for n in (2, 4)}
    found = [(row, col) for row in rows[2] for col in cols[2]]
    for n in (4, 2):
        found += [(row, slice(0, width)) for row in rows[n]]
        found += [(slice(0, height), col) for col in cols[n]]
    return found


PARTS = len(windows((1, 1)))
"""How many `windows` there are of any image."""


def count_parts(numbers: NDArray[np.integer]) -> PartCounts:
    """Count the objects on both sides of every window; those it cuts are on neither.

    Parameters
    ----------
    numbers
        (H, W), objects from 1 without gaps, 0 elsewhere.
    """
    areas = np.bincount(numbers.ravel())[1:]
    found = []
    for window in windows(numbers.shape):
        inside = np.bincount(numbers[window].ravel(), minlength=areas.size + 1)[1:]
        found.append(
            (
                int(np.count_nonzero(inside == 0)),
                int(np.count_nonzero(inside == areas)),
            )
        )
    return tuple(found)


def cut(labels: Int32Array, window: Window) -> tuple[Int32Array, Int32Array]:
    """Return the labels outside and inside a window, -1 on the other side.

    Objects that the border cuts are unknown on both sides, so that none is learnt and
    judged.
    """
    inside = np.zeros(labels.shape, bool)
    inside[window] = True
    split = np.intersect1d(_ids(labels[inside]), _ids(labels[~inside]))
    known = np.where(np.isin(labels, split), np.int32(-1), labels)
    unknown = np.int32(-1)
    return (
        np.where(inside, unknown, known).astype(np.int32),
        np.where(inside, known, unknown).astype(np.int32),
    )


def _ids(values: NDArray[np.int32]) -> NDArray[np.int32]:
    return np.unique(values[values > 0])
