"""Insert and move layers in the viewer's list without selecting them."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from napari.components import ViewerModel
    from napari.layers import Layer


@contextmanager
def keep_selection(viewer: ViewerModel) -> Iterator[None]:
    """Leave the selected layers as they are while layers are added."""
    active = viewer.layers.selection.active
    before = [layer for layer in viewer.layers if layer in viewer.layers.selection]
    yield
    viewer.layers.selection = {one for one in before if one in viewer.layers}
    if active is not None and active in viewer.layers:
        viewer.layers.selection.active = active


def insert_above(viewer: ViewerModel, layer: Layer, *ids: str | None) -> str:
    """Add a layer just above the highest of those named; return its ``unique_id``."""
    places = [i for i, one in enumerate(viewer.layers) if str(one.unique_id) in ids]
    with keep_selection(viewer):
        viewer.layers.insert(max(places, default=len(viewer.layers) - 1) + 1, layer)
    return str(layer.unique_id)


def lift_above(viewer: ViewerModel, layer: Layer, *ids: str | None) -> None:
    """Move a layer just above the highest of those named, if it lies below that."""
    now = viewer.layers.index(layer)
    places = [i for i, one in enumerate(viewer.layers) if str(one.unique_id) in ids]
    if now < max(places, default=now):
        with keep_selection(viewer):
            viewer.layers.move(now, max(places) + 1)
