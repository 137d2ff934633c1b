"""Where the canvas looks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from napari_gen2seg.gui.layers.view import View

_SMALLEST = 48.0  # pixels of the canvas that an object is seen with at least


def camera_of(viewer: ViewerModel) -> Any:
    """Return the camera: scenes have it from napari 0.9 on, viewers before."""
    return getattr(viewer, "scene", viewer).camera


def center_of(viewer: ViewerModel) -> tuple[float, ...]:
    """Return the world position in the middle of the canvas."""
    at = list(viewer.dims.point)
    rows, cols = viewer.dims.displayed[-2:]
    at[rows], at[cols] = (float(value) for value in camera_of(viewer).center[-2:])
    return tuple(at)


def look_of(viewer: ViewerModel) -> tuple[float, ...]:
    """Return where the canvas looks, and how near: to tell whether it has moved."""
    camera = camera_of(viewer)
    return (*(float(value) for value in camera.center), float(camera.zoom))


def center_on(
    viewer: ViewerModel, view: View, point: tuple[float, float], diameter: float
) -> None:
    """Bring an object into the middle of the canvas, nearer if it is too small.

    Parameters
    ----------
    viewer
        Whose canvas.
    view
        The plane, which is on screen.
    point
        (row, column) of its middle in pixels of the plane.
    diameter
        In the same pixels.
    """
    data = np.zeros((3, len(view.index)))
    data[:] = view.index
    row, col = point[0] + view.corner[0], point[1] + view.corner[1]
    data[0, view.axes] = row, col
    data[1, view.axes] = row + diameter, col
    data[2, view.axes] = row, col + diameter
    camera = camera_of(viewer)
    world = view.to_world(data)
    extra = viewer.dims.ndim - world.shape[1]
    seen = world[:, [axis - extra for axis in viewer.dims.displayed]]
    camera.center = (0.0, float(seen[0, 0]), float(seen[0, 1]))
    spans = np.linalg.norm(seen[1:] - seen[0], axis=1)
    if spans.max() > 0:
        camera.zoom = max(camera.zoom, _SMALLEST / float(spans.max()))
