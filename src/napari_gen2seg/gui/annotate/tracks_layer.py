"""The objects of a stack or movie as a Tracks layer of napari."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_gen2seg.gui.layers.layer_order import keep_selection
from napari_gen2seg.gui.layers.marks import (
    MARK,
    TRACKS,
    layer_name,
    mark,
    role_of,
    source_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from napari.components import ViewerModel
    from napari.layers import Labels, Tracks

    from napari_gen2seg.common.types import Float64Array, LabelArray
    from napari_gen2seg.gui.layers.view import View

_OLD, _OPACITY = " (old)", "opacity"  # of a layer that is out of date
_DIM = 0.3
_LONGEST = 300  # planes of a tail, the most that napari's slider has


def planes_along(labels: Labels, view: View, axis: int) -> Iterator[LabelArray]:
    """Return the planes of a Labels layer along an axis, at the place in view.

    Parameters
    ----------
    labels
        On the pixels of the view's image.
    view
        Tells the place on the axes before it.
    axis
        Of the labels; what comes after it is a plane, or a volume.
    """
    before = view.own_index[:axis]
    for place in range(labels.data.shape[axis]):
        yield np.asarray(labels.data[(*before, place)])


def show_tracks(
    viewer: ViewerModel,
    labels: Labels,
    view: View,
    axis: int,
    rows: Float64Array,
    parents: Mapping[int, int],
) -> Tracks:
    """Show tracks over an image: a layer of their own, made once and then updated.

    Parameters
    ----------
    viewer
        Where.
    labels
        Whose objects they are.
    view, axis
        As for `planes_along`.
    rows
        float64 (n, 2 + axes of a plane), of `tracks_of`.
    parents
        Object -> the one that divided.
    """
    from napari.layers import Tracks

    before = np.tile(np.asarray(view.own_index[:axis], np.float64), (len(rows), 1))
    data = np.hstack([rows[:, :1], before, rows[:, 1:]])
    there = set(rows[:, 0].astype(int).tolist())
    graph = {
        new: [old] for new, old in parents.items() if new in there and old in there
    }
    shown = find_tracks(viewer, str(labels.unique_id))
    if shown is not None and shown.data.shape[1] == data.shape[1]:
        shown.graph = {}  # of tracks that may be gone
        shown.data = data
        shown.graph = graph
        _renew(shown)
        return shown
    layer = Tracks(
        data,
        graph=graph,
        name=layer_name(viewer, view.layer_id, TRACKS),
        tail_length=min(int(labels.data.shape[axis]), _LONGEST),
        metadata=mark(TRACKS, str(labels.unique_id)),
        **view.placement(),
    )
    with keep_selection(viewer):
        if shown is not None:
            viewer.layers.remove(shown)
        viewer.layers.append(layer)
    return layer


def outdate_tracks(viewer: ViewerModel, labels_id: str | None) -> None:
    """Name and dim the tracks of a Labels layer whose objects are others now."""
    layer = None if labels_id is None else find_tracks(viewer, labels_id)
    if layer is not None and _OPACITY not in layer.metadata[MARK]:
        layer.metadata[MARK][_OPACITY] = float(layer.opacity)
        layer.opacity *= _DIM
        layer.name = f"{layer.name}{_OLD}"


def _renew(layer: Tracks) -> None:
    """Show tracks as they were before they were out of date."""
    opacity = layer.metadata[MARK].pop(_OPACITY, None)
    if opacity is not None:
        layer.opacity = opacity
        layer.name = str(layer.name).removesuffix(_OLD)


def find_tracks(viewer: ViewerModel, labels_id: str) -> Tracks | None:
    """Return the tracks of a Labels layer, if they are shown."""
    for layer in viewer.layers:
        if role_of(layer) == TRACKS and source_of(layer) == labels_id:
            return layer
    return None
