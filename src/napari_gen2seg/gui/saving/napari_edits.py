"""What napari tells of an edit of labels, as a patch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from napari_gen2seg.project.journal import Patch


def patch_of(steps: Sequence[Any], shape: tuple[int, ...]) -> Patch:
    """Turn the value of a Labels layer's event ``paint`` into a patch.

    Parameters
    ----------
    steps
        What was done, in order: ``(indices, values before, values after)``, or since
        napari 0.9 ``(slices, mask or None, values before, value after)`` for tools that
        paint.
    shape
        Of the labels.

    Raises
    ------
    ValueError, TypeError
        If it is told in another way.
    """
    places, before, after = [], [], []
    for step in steps:
        if len(step) == 4:
            at, old, new = _of_box(*step)
        else:
            indices, old, new = step
            at = tuple(np.asarray(axis).ravel() for axis in indices)
        count = at[0].size
        places.append(at)
        before.append(_each(old, count))
        after.append(_each(new, count))
    if len(places) == 1:  # many pixels, perhaps: copied for nothing
        return Patch.from_pixels(places[0], before[0], after[0], shape)
    return Patch.from_pixels(
        [np.concatenate(axis) for axis in zip(*places, strict=True)],
        np.concatenate(before),
        np.concatenate(after),
        shape,
    )


def _of_box(
    box: tuple[slice, ...], mask: Any, old: Any, new: Any
) -> tuple[tuple[Any, ...], Any, Any]:
    sizes = tuple(side.stop - side.start for side in box)
    inside = np.nonzero(np.ones(sizes, bool) if mask is None else mask)
    starts = (side.start for side in box)
    return tuple(n + start for n, start in zip(inside, starts, strict=True)), old, new


def _each(values: Any, count: int) -> Any:
    flat = np.asarray(values, np.int64).ravel()
    return np.broadcast_to(flat, (count,))
