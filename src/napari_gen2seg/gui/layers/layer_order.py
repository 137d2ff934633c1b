"""Insert and move layers in the viewer's list without selecting them."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from napari_gen2seg.gui.layers.marks import (
    PREVIEW,
    PROMPTS,
    PROPOSALS,
    role_of,
    source_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from napari.components import ViewerModel
    from napari.layers import Layer

OVER_OBJECTS = PROPOSALS, PREVIEW, PROMPTS  # from below


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


def insert_objects(viewer: ViewerModel, layer: Layer) -> None:
    """Add a layer of objects below what is drawn over objects, above all else."""
    place = len(viewer.layers)
    while place and role_of(viewer.layers[place - 1]) in OVER_OBJECTS:
        place -= 1
    with keep_selection(viewer):
        viewer.layers.insert(place, layer)


def lift_over_objects(viewer: ViewerModel, objects: str | None) -> None:
    """Move proposals, preview and clicks above a layer of objects, by ``unique_id``."""
    for at, role in enumerate(OVER_OBJECTS):
        below = {
            str(one.unique_id)
            for one in viewer.layers
            if role_of(one) in OVER_OBJECTS[:at]
        }
        under = [one for one in viewer.layers if str(one.unique_id) == objects]
        whose = source_of(under[0]) if under else None  # its image; None of any image
        for layer in [one for one in viewer.layers if role_of(one) == role]:
            if role == PROMPTS and whose not in (None, source_of(layer)):
                continue  # the clicks of another image stay where that is
            if under and viewer.layers.index(layer) < viewer.layers.index(under[0]):
                lift_above(viewer, layer, objects, *below)


def lift_above(viewer: ViewerModel, layer: Layer, *ids: str | None) -> None:
    """Move a layer just above the highest of those named, if it lies below that."""
    now = viewer.layers.index(layer)
    places = [i for i, one in enumerate(viewer.layers) if str(one.unique_id) in ids]
    if now < max(places, default=now):
        with keep_selection(viewer):
            viewer.layers.move(now, max(places) + 1)
