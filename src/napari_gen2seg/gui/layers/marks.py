"""What marks a layer as ours: its role, the image it belongs to, its name and place."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer

MARK = "napari-gen2seg"  # key in a layer's metadata
COLORING, PREVIEW, PROMPTS, OBJECTS = "coloring", "preview", "prompts", "objects"
PROPOSALS, TRACKS, WINDOWS = "proposals", "tracks", "windows"
# By us over a picture; nobody works on them.
DRAWN = COLORING, WINDOWS, PREVIEW, PROPOSALS


def mark(role: str, source: str, **facts: Any) -> dict[str, Any]:
    """Return metadata that says what a layer of ours is for."""
    return {MARK: {"role": role, "source": source, **facts}}


def role_of(layer: Layer) -> str | None:
    """Return what a layer of ours is for; None for other layers."""
    return (layer.metadata.get(MARK) or {}).get("role")


def source_of(layer: Layer) -> str | None:
    """Return the ``unique_id`` of the layer that a layer of ours belongs to."""
    return (layer.metadata.get(MARK) or {}).get("source")


def work_of(layer: Layer) -> Path | None:
    """Return the folder of the work on an image of a project; None for others."""
    folder = (layer.metadata.get(MARK) or {}).get("work")
    return None if folder is None else Path(folder)


def of_project(folder: Path) -> dict[str, Any]:
    """Return metadata of an image of a project, whose work lies in a folder."""
    return {MARK: {"work": str(folder)}}


def find_layer(viewer: ViewerModel, unique_id: str | None) -> Layer | None:
    """Find a layer by its ``unique_id``; a proxy would break ``is``."""
    for layer in viewer.layers:
        if str(layer.unique_id) == unique_id:
            return layer
    return None


def layer_name(viewer: ViewerModel, source: str, what: str) -> str:
    """Name a layer of ours after its image: ``set08 objects``."""
    image = find_layer(viewer, source)
    return what if image is None else f"{image.name} {what}"


def place(layer: Layer, where: dict[str, Any]) -> None:
    """Move a layer, setting only what differs."""
    for name, value in where.items():
        now = getattr(layer, name)
        if name in ("units", "axis_labels"):
            if tuple(now) != tuple(value):
                setattr(layer, name, value)
        elif name == "affine":
            if not np.allclose(now.affine_matrix, value):
                layer.affine = value
        elif np.shape(now) != np.shape(value) or not np.allclose(now, value):
            setattr(layer, name, value)


def rename(viewer: ViewerModel, layer: Layer, source: str, what: str) -> None:
    """Name a layer after the image that it is drawn over now."""
    if source_of(layer) != source:
        layer.name = layer_name(viewer, source, what)
