"""Typical object size, as a person shows it: drawn, or already kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_gen2seg.errors import ImageError, SettingsError
from napari_gen2seg.gui.annotate.commit import labels_to_plane
from napari_gen2seg.gui.layers.view import array_of

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Labels, Shapes

    from napari_gen2seg.core.coloring import Coloring
    from napari_gen2seg.gui.layers.view import View

STEP = 1.5  # between two sizes
SMALLEST, LARGEST = 128, 4096  # pixels
HOW = (
    "Draw one object in a Shapes layer (a line across it will do), or keep a few by "
    "clicking; then press this again."
)


def resolution_by_object(
    viewer: ViewerModel,
    view: View | None,
    kept: Labels | None,
    model: str,
) -> int:
    """Return the longer side at which a typical object has the size a model likes.

    Parameters
    ----------
    viewer
        Where somebody may have drawn an object.
    view
        The plane on screen.
    kept
        The layer of kept objects, if there is one.
    model
        Id of the chosen model.

    Raises
    ------
    ImageError
        If no picture is chosen.
    SettingsError
        If nothing was drawn or kept, or the model does not say which size it likes.
    """
    from napari_gen2seg.models.model_folder import read_model_config
    from napari_gen2seg.models.registry import find
    from napari_gen2seg.models.runtime.resolution import resolution_for_objects

    if view is None:
        raise ImageError("There is no picture in view; open one first.")
    diameter = drawn_diameter(viewer, view)
    if diameter is None and kept is not None:
        diameter = kept_diameter(kept, view)
    if diameter is None:
        raise SettingsError(HOW)
    path = find(model).path
    if path is None:
        raise SettingsError(
            f"{model} does not say which size of objects it likes; choose the size in "
            "pixels yourself."
        )
    return resolution_for_objects(diameter, view.shape, read_model_config(path))


def stepped(coloring: Coloring | None, factor: float) -> int:
    """Return a size ``factor`` times that at which a map was made, within reason.

    Raises
    ------
    ImageError
        If there is no map yet.
    """
    if coloring is None:
        raise ImageError("Press Color first; then look again, finer or coarser.")
    return round(min(max(coloring.resolution * factor, SMALLEST), LARGEST))


def drawn_diameter(viewer: ViewerModel, view: View) -> float | None:
    """Return the diameter of the shapes selected, or of the last one drawn.

    In pixels of the plane. The active Shapes layer comes first, then the topmost.
    """
    from napari.layers import Shapes

    layers = [layer for layer in viewer.layers if isinstance(layer, Shapes)]
    layers.sort(key=lambda layer: layer is viewer.layers.selection.active)
    for layer in reversed(layers):
        if not len(layer.data):
            continue
        chosen = sorted(layer.selected_data) or [len(layer.data) - 1]
        return float(np.median([_across(layer, i, view) for i in chosen]))
    return None


def _across(layer: Shapes, index: int, view: View) -> float:
    axes = list(view.axes)
    ratio = np.asarray(layer.scale)[-2:] / view.transform.scale[axes]
    points = np.asarray(layer.data[index], float)[:, -2:] * ratio
    points = points / view.factors[axes]
    kind = layer.shape_type[index]
    if kind in ("line", "path"):
        return float(np.linalg.norm(np.diff(points, axis=0), axis=1).sum())
    rows, cols = points[:, 0], points[:, 1]
    area = 0.5 * abs(rows @ np.roll(cols, 1) - cols @ np.roll(rows, 1))
    # A box, and the corners by which napari keeps an ellipse, are drawn around it.
    return float(np.sqrt(area) if kind != "polygon" else 2 * np.sqrt(area / np.pi))


def kept_diameter(kept: Labels, view: View) -> float | None:
    """Return the median equivalent diameter of the kept objects of a plane.

    In pixels of the plane, wherever and in whichever pixels the layer lies.
    """
    if kept.ndim != view.ndim:
        return None
    data = array_of(kept, 0)
    matrix, shift = labels_to_plane(kept, view)
    there = np.linalg.solve(matrix, np.asarray(view.own_index, np.float64) - shift)
    index: list[int | slice] = [round(at) for at in there]
    for axis in view.own_axes:
        index[axis] = slice(None)
    for at, size in zip(index, data.shape, strict=True):
        if isinstance(at, int) and not 0 <= at < size:
            return None  # the layer does not reach this plane
    labels = np.asarray(data[tuple(index)])
    areas = np.unique(labels[labels > 0], return_counts=True)[1]
    if not len(areas):
        return None
    own = list(view.own_axes)
    per_pixel = abs(np.linalg.det(matrix[np.ix_(own, own)]))
    return float(np.median(2 * np.sqrt(areas * per_pixel / np.pi)))
