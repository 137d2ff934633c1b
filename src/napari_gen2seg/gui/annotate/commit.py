"""Write a mask into a Labels layer: one step, one undo, nobody else's pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_gen2seg.common.types import BoolArray
from napari_gen2seg.core.probe.mask import Mask
from napari_gen2seg.errors import Gen2SegError
from napari_gen2seg.gui.annotate.labels_target import copyable, why_not
from napari_gen2seg.gui.layers.hidden import slice_if_hidden
from napari_gen2seg.gui.layers.overlays import OBJECTS, mark

if TYPE_CHECKING:
    from napari.layers import Labels

    from napari_gen2seg.gui.layers.view import View

Indices = tuple[npt.NDArray[np.intp], ...]
Samples = tuple[tuple[tuple[int, ...], int], ...]

_STRIP = 1 << 17  # pixels
_SAMPLES = 16


class CommitError(Gen2SegError, ValueError):
    """The chosen Labels layer cannot take the mask.

    Attributes
    ----------
    copy
        Whether an editable copy of the layer could take it.
    """

    copy = False

    @classmethod
    def of_layer(cls, message: str, copy: bool) -> CommitError:
        """Return the error for a layer that can never take it."""
        error = cls(message)
        error.copy = copy
        return error


class KeptAlreadyError(CommitError):
    """The mask is that of an object which the layer holds already."""


@dataclass(frozen=True)
class Written:
    """What a commit did.

    Parameters
    ----------
    number
        The object.
    pixels
        How many pixels it has now on this plane.
    spared
        Pixels of the mask that belong to other objects and were left to them.
    outside
        Pixels of the mask, in the picture's pixels, that the layer does not reach.
    samples
        Index of some written pixels, and what was written there, by which an undo is
        noticed; none if the layer did not change.
    """

    number: int
    pixels: int
    spared: int
    outside: int
    samples: Samples


def samples_of(indices: Indices, values: npt.NDArray[Any]) -> Samples:
    """Return some of the pixels that are written, from the first to the last."""
    step = -(-values.size // _SAMPLES)
    places = zip(*(axis[::step].tolist() for axis in indices), strict=True)
    return tuple(zip(places, values[::step].tolist(), strict=True))


def new_objects(view: View, name: str = "objects") -> Labels:
    """Make an empty Labels layer over the layer of a view, at the view's level."""
    from napari.layers import Labels

    return Labels(
        np.zeros(view.own_sizes, np.int32),
        name=name,
        metadata=mark(OBJECTS, view.layer_id),
        **view.placement(),
    )


def write(
    labels: Labels,
    view: View,
    mask: Mask,
    number: int,
    overwrite: bool = False,
    new: bool = False,
) -> Written:
    """Write an object into a Labels layer as one undo step.

    Pixels that the object had on this plane and that are not in the mask become
    background, so that a corrected object can be committed again.

    Parameters
    ----------
    labels
        The target.
    view, mask
        Where the mask comes from.
    number
        The object's label, 1 or more.
    overwrite
        Whether pixels of other objects may be taken.
    new
        Whether the layer is known to hold no pixel of the object: then the rest of
        the plane is not searched.

    Raises
    ------
    KeptAlreadyError
        If most of the mask belongs to another object, and none of it to this one:
        what is left over would be a scrap around that one.
    CommitError
        With a sentence, if the layer cannot take it. Nothing was written then.
    """
    problem = why_not(labels, view)
    if problem is not None:
        raise CommitError.of_layer(problem, copyable(labels, view))
    highest = np.iinfo(labels.data.dtype).max
    if number > highest:
        raise CommitError.of_layer(
            f"Object {number} does not fit {labels.name!r}, whose type "
            f"{labels.data.dtype} ends at {highest}. Convert the layer to int32, or "
            "choose a new one.",
            copyable(labels, view),
        )
    crop, corner, where, outside = _over_labels(labels, view, mask)
    window = plane_window(view, where, corner, crop.shape)
    before = np.asarray(labels.data[window])
    before = before.reshape(crop.shape)
    other = (before != 0) & (before != number)
    take = crop if overwrite else crop & ~other
    if not overwrite and not (crop & (before == number)).any():
        _check_not_kept(before[crop])
    pixels = int(np.count_nonzero(take))
    if not pixels:
        raise CommitError(
            f"All {int(np.count_nonzero(crop))} pixels of the mask belong to other "
            f"objects of {labels.name!r}. Allow overwriting, or click elsewhere."
        )
    change = take & (before != number)
    rows, cols = np.nonzero(change)
    values = np.full(rows.size, number, labels.data.dtype)
    rows, cols = rows + corner[0], cols + corner[1]
    old = None if new else _strays(labels, view, where, number, corner, take)
    if old is not None and old[0].size:
        rows, cols = np.concatenate([rows, old[0]]), np.concatenate([cols, old[1]])
        values = np.concatenate([values, np.zeros(old[0].size, values.dtype)])
    spared = int(np.count_nonzero(crop & other & ~take))
    if not rows.size:
        return Written(number, pixels, spared, outside, ())
    indices = layer_indices(view, where, rows, cols)
    slice_if_hidden(labels)
    with labels.block_history():
        labels.data_setitem(indices, values)
    return Written(number, pixels, spared, outside, samples_of(indices, values))


def _check_not_kept(under: npt.NDArray[Any]) -> None:
    """Refuse a new mask of which most is one kept object.

    Parameters
    ----------
    under
        int (n,), what the layer holds under the mask; 0 where it is free.
    """
    numbers, counts = np.unique(under[under != 0], return_counts=True)
    if not numbers.size or 2 * int(counts.max()) <= under.size:
        return
    raise KeptAlreadyError(
        f"This is object {numbers[counts.argmax()]}, which is kept already. Ctrl-click "
        "it to correct it, or press D over it to delete it. To draw over it, tick May "
        "overwrite and click again."
    )


def layer_indices(view: View, where: tuple[int, ...], rows: Any, cols: Any) -> Indices:
    """Return rows and columns of a plane as indices of a Labels layer."""
    full = [np.full(rows.size, at, np.intp) for at in where]
    full[view.own_axes[0]], full[view.own_axes[1]] = rows, cols
    return tuple(full)


def plane_window(
    view: View, where: tuple[int, ...], corner: tuple[int, int], size: tuple[int, ...]
) -> tuple[Any, ...]:
    """Return a box of a plane as an index of a Labels layer."""
    window: list[Any] = list(where)
    for axis, start, length in zip(view.own_axes, corner, size, strict=True):
        window[axis] = slice(start, start + length)
    return tuple(window)


def _strays(
    labels: Labels,
    view: View,
    where: tuple[int, ...],
    number: int,
    corner: tuple[int, int],
    take: BoolArray,
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Find pixels that the object has on this plane outside its new mask."""
    first, size = (0, 0), tuple(int(labels.data.shape[axis]) for axis in view.own_axes)
    if view.window is not None and same_grid(labels, view):
        first, size = view.corner, view.shape  # what lies beyond was not looked at
    height, width = size
    whole = np.asarray(labels.data[plane_window(view, where, first, size)])
    whole = whole.reshape(height, width)
    r, c = corner[0] - first[0], corner[1] - first[1]
    rows, cols = [], []
    strip = max(1, _STRIP // width)  # small enough for the processor's cache
    for top in range(0, height, strip):
        mine = whole[top : top + strip] == number
        if not mine.any():
            continue
        down, across = np.nonzero(mine)
        down += top
        at = down - r, across - c
        inside = (at[0] >= 0) & (at[0] < take.shape[0])
        inside &= (at[1] >= 0) & (at[1] < take.shape[1])
        stay = np.zeros(down.size, bool)
        stay[inside] = take[at[0][inside], at[1][inside]]
        rows.append(down[~stay] + first[0])
        cols.append(across[~stay] + first[1])
    if not rows:
        return np.empty(0, np.intp), np.empty(0, np.intp)
    return np.concatenate(rows), np.concatenate(cols)


def _over_labels(
    labels: Labels, view: View, mask: Mask
) -> tuple[BoolArray, tuple[int, int], tuple[int, ...], int]:
    """Bring a mask onto the grid of a Labels layer.

    Returns
    -------
    tuple
        bool crop, its (row, column) corner, and the index of the plane (0 on the
        plane's own axes), all in the Labels layer's pixels; and how many of the
        mask's pixels lie outside the layer.
    """
    crop, (row, col) = mask.window()
    corner = row + view.corner[0], col + view.corner[1]
    matrix, shift = labels_to_plane(labels, view)
    own = view.own_axes
    shape = tuple(int(labels.data.shape[axis]) for axis in own)
    if same_grid(labels, view):
        return crop, corner, view.own_index, 0
    others = [axis for axis in range(view.ndim) if axis not in own]
    if np.abs(matrix[np.ix_(others, own)]).max(initial=0) > 1e-6:
        raise CommitError(
            f"{labels.name!r} is rotated against the picture, so that its planes cross "
            "the picture's. Choose another layer or a new one."
        )
    inverse = np.linalg.inv(matrix)
    center = np.array(view.own_index, np.float64)
    r, c = corner
    edges = [(r - 1, c - 1), (r - 1, c + crop.shape[1]), (r + crop.shape[0], c - 1)]
    edges.append((r + crop.shape[0], c + crop.shape[1]))
    outline = np.tile(center, (4, 1))
    outline[:, own] = edges
    there = (outline - shift) @ inverse.T
    index = tuple(
        0 if axis in own else int(np.rint(there[0, axis])) for axis in range(view.ndim)
    )
    for axis in others:
        if not 0 <= index[axis] < labels.data.shape[axis]:
            raise CommitError(
                f"{labels.name!r} does not reach the plane in view. Choose another "
                "layer or a new one."
            )
    low = np.clip(np.floor(there[:, own].min(axis=0)), 0, shape).astype(int)
    high = np.clip(np.ceil(there[:, own].max(axis=0)) + 1, 0, shape).astype(int)
    if (high <= low).any():
        raise CommitError(
            f"The mask lies outside {labels.name!r}. Choose another layer or a new one."
        )
    grid = np.stack(np.mgrid[low[0] : high[0], low[1] : high[1]], axis=-1)
    at = np.zeros((*grid.shape[:2], view.ndim)) + np.array(index, np.float64)
    at[..., own] = grid
    here = np.rint((at @ matrix.T + shift)[..., own]).astype(int) - corner
    inside = (here >= 0).all(-1) & (here < crop.shape).all(-1)
    moved = np.zeros(grid.shape[:2], bool)
    moved[inside] = crop[here[inside][:, 0], here[inside][:, 1]]
    points = np.tile(center, (np.count_nonzero(crop), 1))
    points[:, own] = np.argwhere(crop) + corner
    reached = np.rint(((points - shift) @ inverse.T)[:, own])
    outside = ((reached < 0) | (reached >= shape)).any(axis=1)
    return moved, (int(low[0]), int(low[1])), index, int(np.count_nonzero(outside))


def same_grid(labels: Labels, view: View) -> bool:
    """Whether pixels of a Labels layer are those of the plane."""
    matrix, shift = labels_to_plane(labels, view)
    shape = tuple(int(labels.data.shape[axis]) for axis in view.own_axes)
    still = np.allclose(matrix, np.eye(view.ndim), atol=1e-6)
    return shape == view.plane_shape and still and bool(np.abs(shift).max() < 1e-3)


def read_object(
    labels: Labels, view: View, number: int
) -> tuple[BoolArray, tuple[int, int]] | None:
    """Return an object of a Labels layer on the plane of a view.

    Returns
    -------
    tuple or None
        bool crop and the (row, column) of its first pixel, in pixels of the plane;
        None where it has no pixel there.

    Raises
    ------
    CommitError
        If the layer does not reach the plane.
    """
    if labels.ndim != view.ndim or labels.multiscale:
        return None
    if same_grid(labels, view):
        here = labels.data[plane_window(view, view.own_index, view.corner, view.shape)]
        mine = np.asarray(here).reshape(view.shape) == number
        rows = np.flatnonzero(mine.any(axis=1))
        if not rows.size:
            return None
        cols = np.flatnonzero(mine[rows[0] : rows[-1] + 1].any(axis=0))
        r0, c0 = int(rows[0]), int(cols[0])
        return mine[r0 : int(rows[-1]) + 1, c0 : int(cols[-1]) + 1].copy(), (r0, c0)
    whole = np.ones(view.shape, bool)
    plane = Mask.from_window(whole, (0, 0), view.shape, view.shape)
    window, corner, where, _ = _over_labels(labels, view, plane)
    here = np.asarray(labels.data[plane_window(view, where, corner, window.shape)])
    rows, cols = np.nonzero(here.reshape(window.shape) == number)
    if not rows.size:
        return None
    at = np.tile(np.array(where, np.float64), (rows.size, 1))
    at[:, view.own_axes] = np.stack([rows, cols], axis=1) + corner
    matrix, shift = labels_to_plane(labels, view)
    # A pixel of the layer may be several of the plane, or a part of one.
    size = np.abs(matrix[np.ix_(view.own_axes, view.own_axes)]).sum(axis=1)
    middle = (at @ matrix.T + shift)[:, view.own_axes] - view.corner
    low = np.clip(np.rint(middle - (size - 1) / 2).astype(int), 0, view.shape)
    spans = np.maximum(np.rint(size).astype(int), 1)
    corner = low.min(axis=0)
    crop = np.zeros(low.max(axis=0) + spans - corner, bool)
    for row in range(spans[0]):
        for col in range(spans[1]):
            crop[low[:, 0] - corner[0] + row, low[:, 1] - corner[1] + col] = True
    crop = crop[: view.shape[0] - corner[0], : view.shape[1] - corner[1]]
    return (crop, (int(corner[0]), int(corner[1]))) if crop.any() else None


def labels_to_plane(
    labels: Labels, view: View
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return matrix and shift from pixels of a Labels layer to those of the level."""

    def move(point: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return view.to_pixels(labels.data_to_world(point))[view.first :]

    shift = move(np.zeros(view.ndim))
    columns = [move(axis) - shift for axis in np.eye(view.ndim)]
    return np.stack(columns, axis=1), shift
