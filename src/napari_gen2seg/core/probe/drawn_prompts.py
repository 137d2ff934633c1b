"""Boxes and scribbles as clicks, so that every rule of the probe can answer them.

A scribble is many clicks. A box is the few clicks that give the object which fills it
best, and bounds beyond which nothing counts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from napari_gen2seg.common.types import Float64Array, Shape
from napari_gen2seg.core.image.geometry import nearest_pixel, rescale
from napari_gen2seg.core.probe.mask import BBox, Mask
from napari_gen2seg.errors import PromptError

Answer = Callable[[Any, Any], Mask]
"""Points (n, 2) in source pixels and their signs -> a mask, as `Coloring.probe`."""

_MOST = 24  # clicks of a scribble
_SPACING = 4.0  # pixels between two of them, at least
_GRID = (0.5, 0.3, 0.7, 0.15, 0.85)  # shares of a box where it is tried
_BODIES = 3  # positive clicks of a box
_LEAK = 0.05  # of a mask: more of it outside of the box is clicked away
_BETTER = 0.02  # of the box: what a further click must gain


@dataclass(frozen=True, eq=False)
class DrawnPrompt:
    """What was drawn, as clicks.

    Those of a scribble mean all that they are on, and no corrections of the first: a
    similarity probe is to be told so (``insisted=True``).

    Attributes
    ----------
    points
        float64 (n, 2), (row, column) in source pixels.
    signs
        int8 (n,), +1 or -1.
    bounds
        (row0, column0, row1, column1) in source pixels, half open, beyond which nothing
        counts (`bounded`); None for a scribble.
    """

    points: Float64Array
    signs: npt.NDArray[np.int8]
    bounds: BBox | None = None


def scribble_prompt(
    stroke: npt.ArrayLike,
    shape: Shape,
    sign: int = 1,
    spacing: float = _SPACING,
    most: int = _MOST,
) -> DrawnPrompt:
    """Turn a scribble into clicks at even distances along it.

    Parameters
    ----------
    stroke
        (n, 2) corners (row, column) in source pixels; one is a click.
    shape
        (H, W) of the image; corners outside are left out.
    sign
        +1 keep, -1 leave out.
    spacing
        Pixels between two clicks, at least.
    most
        Most clicks.

    Raises
    ------
    PromptError
        If no corner lies in the image.
    """
    corners = np.asarray(stroke, np.float64).reshape(-1, 2)
    size = np.asarray(shape)
    inside = ((corners >= -0.5) & (corners < size - 0.5)).all(axis=1)
    corners = corners[inside]
    if not len(corners):
        raise PromptError(
            f"The scribble lies outside the picture, which has {shape[0]} rows and "
            f"{shape[1]} columns; draw inside."
        )
    steps = np.linalg.norm(np.diff(corners, axis=0), axis=1)
    along = np.concatenate([[0.0], np.cumsum(steps)])
    count = int(np.clip(along[-1] // spacing + 1, 1, most))
    places = np.linspace(0, along[-1], count)
    points = np.stack([np.interp(places, along, corners[:, k]) for k in (0, 1)], axis=1)
    _, first = np.unique(nearest_pixel(points, shape), axis=0, return_index=True)
    points = points[np.sort(first)]
    return DrawnPrompt(points, np.full(len(points), sign, np.int8))


def box_prompt(answer: Answer, box: npt.ArrayLike, shape: Shape) -> DrawnPrompt:
    """Turn a box into the clicks whose mask fills it best.

    Places in the box are tried, then a second and third of another body if the box is
    not full, then clicks that leave out what runs over its rim: about ten probes.

    Parameters
    ----------
    answer
        Such as ``coloring.probe``.
    box
        (row0, column0, row1, column1) in source pixels, in any order of its corners.
    shape
        (H, W) of the image.

    Raises
    ------
    PromptError
        If the box holds no pixel of the image.
    """
    bounds = _checked(box, shape)
    low, size = np.asarray(bounds[:2]), np.subtract(bounds[2:], bounds[:2])
    points: list[tuple[float, float]] = []
    best, best_fit = None, 0.0
    for _ in range(_BODIES):
        found = None
        asked: list[Mask] = []
        for down in _GRID:
            for right in _GRID:
                place = low + np.floor((size - 1) * (down, right) + 0.5)
                point = (float(place[0]), float(place[1]))
                if any(_holds(mask, point) for mask in (*asked, best) if mask):
                    continue
                mask = answer([*points, point], None)
                asked.append(mask)
                fit = _fit(mask, bounds)
                if fit > best_fit + _BETTER:
                    found, best_fit = (point, mask), fit
        if found is None:
            break
        points.append(found[0])
        best = found[1]
    if best is None:
        points = [(float(at[0]), float(at[1])) for at in (low + (size - 1) / 2)[None]]
        best = answer(points, None)
    signs = [1] * len(points)
    for _ in range(_BODIES):
        leak = _outside(best, bounds)
        if leak is None:
            break
        trial = answer([*points, leak], [*signs, -1])
        held = _held(trial, bounds) >= (1 - _BETTER) * _held(best, bounds)
        if not held or _fit(trial, bounds) < _fit(best, bounds):
            break
        points, signs, best = [*points, leak], [*signs, -1], trial
    return DrawnPrompt(
        np.asarray(points, np.float64), np.asarray(signs, np.int8), bounds
    )


def bounded(mask: Mask, bounds: BBox | None) -> Mask:
    """Return what of a mask lies in a box, to the pixel of the map.

    Parameters
    ----------
    mask
        The answer to the clicks of a `DrawnPrompt`.
    bounds
        Its bounds, in source pixels; None leaves the mask as it is.

    Raises
    ------
    PromptError
        If nothing of the mask lies in the box.
    """
    if bounds is None:
        return mask
    low, high = _on_map(bounds, mask)
    r0, c0 = mask.bbox[:2]
    window = mask.crop.copy()
    window[: max(low[0] - r0, 0)] = False
    window[:, : max(low[1] - c0, 0)] = False
    window[max(high[0] - r0, 0) :] = False
    window[:, max(high[1] - c0, 0) :] = False
    if not window.any():
        raise PromptError("No object was found in the box; draw it around one.")
    kept = tuple(
        at
        for at in mask.keep
        if bounds[0] <= at[0] < bounds[2] and bounds[1] <= at[1] < bounds[3]
    )
    part = Mask.from_window(window, (r0, c0), mask.shape, mask.source_shape)
    return replace(mask, crop=part.crop, bbox=part.bbox, keep=kept)


def _checked(box: npt.ArrayLike, shape: Shape) -> BBox:
    corners = np.asarray(box, np.float64).reshape(-1)
    if corners.shape != (4,) or not np.isfinite(corners).all():
        raise PromptError(
            f"The box is {np.asarray(box).tolist()}; it must be (row0, column0, row1, "
            "column1) in pixels."
        )
    first, second = corners[:2], corners[2:]
    low = np.clip(np.floor(np.minimum(first, second) + 0.5), 0, shape).astype(int)
    high = np.clip(np.floor(np.maximum(first, second) + 0.5), 0, shape).astype(int)
    if (high <= low).any():
        raise PromptError(
            f"The box {corners.tolist()} holds no pixel of the picture, which has "
            f"{shape[0]} rows and {shape[1]} columns; draw it around an object."
        )
    return int(low[0]), int(low[1]), int(high[0]), int(high[1])


def _on_map(
    bounds: BBox, mask: Mask
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Return the first pixel of a map in a box, and the first beyond it."""
    edges = np.asarray(bounds, np.float64).reshape(2, 2) - 0.5
    moved = rescale(edges, mask.source_shape, mask.shape)
    low, high = np.ceil(moved).astype(np.intp)
    return low, np.maximum(high, low + 1)


def _holds(mask: Mask, point: tuple[float, float]) -> bool:
    row, col = nearest_pixel(rescale(point, mask.source_shape, mask.shape), mask.shape)
    r, c = int(row) - mask.bbox[0], int(col) - mask.bbox[1]
    inside = 0 <= r < mask.crop.shape[0] and 0 <= c < mask.crop.shape[1]
    return inside and bool(mask.crop[r, c])


def _fit(mask: Mask, bounds: BBox) -> float:
    """Return how well a mask's extent fits a box (IoU), less what runs over."""
    low, high = _on_map(bounds, mask)
    box = np.asarray(mask.bbox, float)
    inner = np.minimum(box[2:], high) - np.maximum(box[:2], low)
    if (inner <= 0).any() or not mask.area:
        return 0.0
    both = float(inner.prod())
    union = float((box[2:] - box[:2]).prod()) + float((high - low).prod()) - both
    return both / union * (1 - _beyond(mask, low, high).mean())


def _beyond(
    mask: Mask, low: npt.NDArray[np.intp], high: npt.NDArray[np.intp]
) -> npt.NDArray[np.bool_]:
    """Tell of each pixel of a mask whether it lies outside of a box."""
    rows, cols = np.nonzero(mask.crop)
    places = np.stack([rows, cols], axis=1) + mask.bbox[:2]
    return np.asarray(((places < low) | (places >= high)).any(axis=1))


def _held(mask: Mask, bounds: BBox) -> int:
    """Count the pixels of a mask that lie in a box."""
    return mask.area - int(np.count_nonzero(_beyond(mask, *_on_map(bounds, mask))))


def _outside(mask: Mask, bounds: BBox) -> tuple[float, float] | None:
    """Return the innermost place of what runs over the rim of a box, if it is much."""
    low, high = _on_map(bounds, mask)
    beyond = _beyond(mask, low, high)
    if beyond.mean() <= _LEAK:
        return None
    leak = mask.crop.copy()
    rows, cols = np.nonzero(mask.crop)
    leak[rows[~beyond], cols[~beyond]] = False
    depth = ndimage.distance_transform_edt(np.pad(leak, 1))[1:-1, 1:-1]
    deepest = np.asarray(np.unravel_index(np.argmax(depth), depth.shape))
    place = rescale(deepest + mask.bbox[:2], mask.shape, mask.source_shape)
    return float(place[0]), float(place[1])
