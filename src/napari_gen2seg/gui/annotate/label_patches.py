"""Changes of many objects at once in a Labels layer: one step, one undo.

Only where the layer has the image's own pixels: then the plane is an array that can be
looked at and patched as it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_gen2seg.core.objects.patch import LabelPatch
from napari_gen2seg.gui.annotate.commit import (
    CommitError,
    Written,
    layer_indices,
    plane_window,
    same_grid,
    samples_of,
)
from napari_gen2seg.gui.annotate.labels_target import copyable, why_not
from napari_gen2seg.gui.layers.hidden import slice_if_hidden
from napari_gen2seg.gui.layers.view import WINDOW

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from napari.layers import Labels

    from napari_gen2seg.common.types import LabelArray
    from napari_gen2seg.gui.layers.view import View


def plane_labels(labels: Labels, view: View) -> LabelArray | None:
    """Return what a view shows of a layer, int (H, W), as it is now.

    None where the layer has other pixels than the image.
    """
    if labels.multiscale or labels.ndim != view.ndim or not same_grid(labels, view):
        return None
    try:
        plane: LabelArray = np.asarray(
            labels.data[plane_window(view, view.own_index, view.corner, view.shape)]
        ).reshape(view.shape)
    except IndexError:  # fewer planes than the image has
        return None
    return plane


def writable_plane(labels: Labels, view: View) -> LabelArray:
    """Return the plane of a view of a layer that can take a patch of it.

    Raises
    ------
    CommitError
        If it cannot.
    """
    problem = why_not(labels, view)
    if problem is not None:
        raise CommitError.of_layer(problem, copyable(labels, view))
    plane = plane_labels(labels, view)
    if plane is None:
        raise CommitError(
            f"{labels.name!r} has other pixels than the picture, and this changes it "
            "pixel by pixel. Click the objects instead, or choose a new layer."
        )
    return plane


def removed_beyond(
    labels: Labels, view: View, numbers: Collection[int]
) -> list[tuple[View, LabelPatch]]:
    """Return what removes the rest of objects that reach beyond the window of a view.

    Parameters
    ----------
    labels
        As for `write_patches`.
    view
        Nothing is removed where it is no window.
    numbers
        Objects that are removed inside of it.
    """
    if view.window is None or not numbers:
        return []
    row0, col0, row1, col1 = view.window
    height, width = view.plane_shape
    top, left = max(row0 - WINDOW, 0), max(col0 - WINDOW, 0)
    around = top, left, min(row1 + WINDOW, height), min(col1 + WINDOW, width)
    wide = view.through(around)
    plane = writable_plane(labels, wide)
    rest = np.isin(plane, list(numbers))
    rest[row0 - top : row1 - top, col0 - left : col1 - left] = False
    patch = LabelPatch.of(plane, (0, 0, *plane.shape), np.where(rest, 0, plane))
    return [(wide, patch)] if patch else []


def write_patches(
    labels: Labels, patches: Sequence[tuple[View, LabelPatch]], number: int
) -> Written:
    """Write patches of one or more planes as one undo step.

    Parameters
    ----------
    labels
        A layer of which `writable_plane` returned the planes.
    patches
        Where, and what changes; at least one.
    number
        The highest of the objects.
    """
    places, values = [], []
    for view, patch in patches:
        rows, cols, new = patch.pixels()
        rows, cols = rows + view.corner[0], cols + view.corner[1]
        places.append(layer_indices(view, view.own_index, rows, cols))
        values.append(new)
    indices = tuple(np.concatenate(axis) for axis in zip(*places, strict=True))
    flat = np.concatenate(values)
    slice_if_hidden(labels)
    with labels.block_history():
        labels.data_setitem(indices, flat)
    return Written(number, flat.size, 0, 0, samples_of(indices, flat))
