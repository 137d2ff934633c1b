"""A picture of a project as an image layer, and where one looked at it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_gen2seg.core.image.axes import Axes
from napari_gen2seg.gui.layers.marks import of_project

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Image

    from napari_gen2seg.io.formats.images import ImageFile
    from napari_gen2seg.project.item import Item

_IN_MEMORY = 1 << 30  # bytes; larger pictures are read plane by plane
_COLORS = 3, 4


@dataclass(frozen=True, eq=False)
class Pixels:
    """The pixels of a picture, as a layer takes them.

    Attributes
    ----------
    data
        Rows and columns last, but for the colors of a color image; channels of a
        microscope first.
    axes
        Name of each axis of the layer.
    rgb
        Whether the last axis holds colors.
    """

    data: Any
    axes: tuple[str, ...]
    rgb: bool


def read_pixels(item: Item) -> Pixels:
    """Read a picture; on any thread.

    Raises
    ------
    StorageError, ImageError
        If it is gone or cannot be read.
    """
    image = item.image()
    letters = Axes.of(image.pixels, image.axes).letters.lower()
    shape = tuple(int(n) for n in image.pixels.shape)
    small = np.prod(shape) * np.dtype(image.pixels.dtype).itemsize <= _IN_MEMORY
    data = image.array if small or "c" in letters[:-1] else image.pixels
    if "c" not in letters:
        return Pixels(data, tuple(letters), False)
    at = letters.index("c")
    others = letters.replace("c", "")
    if shape[at] == 1:
        return Pixels(np.squeeze(data, at), tuple(others), False)
    if _is_color(image, shape[at], at == len(letters) - 1):
        return Pixels(np.moveaxis(data, at, -1), tuple(others), True)
    return Pixels(np.moveaxis(data, at, 0), ("channel", *others), False)


def layer_of(item: Item, pixels: Pixels) -> Image:
    """Make the layer of a picture; it is in no viewer yet."""
    from napari.layers import Image

    return Image(
        pixels.data,
        name=item.name,
        rgb=pixels.rgb,
        axis_labels=pixels.axes,
        metadata=of_project(item.folder),
    )


def look_now(viewer: ViewerModel, layer: Image) -> dict[str, Any]:
    """Return where one looks at a picture, and with which contrast, as plain values."""
    camera = _camera(viewer)
    return {
        "center": [round(float(n), 3) for n in camera.center],
        "zoom": round(float(camera.zoom), 5),
        "point": [float(n) for n in viewer.dims.point],
        "contrast": [float(n) for n in layer.contrast_limits],
        "gamma": float(layer.gamma),
    }


def look_again(viewer: ViewerModel, layer: Image, look: Any) -> None:
    """Look at a picture as one did; what does not fit is passed over."""
    if not isinstance(look, Mapping):
        return
    camera = _camera(viewer)
    point = look.get("point", ())
    with suppress(TypeError, ValueError):
        if len(point) == viewer.dims.ndim > 2:
            viewer.dims.set_point(range(len(point)), point)
        low, high = look.get("contrast", layer.contrast_limits)
        if low < high and not layer.rgb:
            layer.contrast_limits = low, high
        layer.gamma = look.get("gamma", layer.gamma)
        camera.center = tuple(look.get("center", camera.center))
        camera.zoom = look.get("zoom", camera.zoom)


def _camera(viewer: ViewerModel) -> Any:
    # Scenes have cameras from napari 0.9 on, viewers before.
    return getattr(viewer, "scene", viewer).camera


def _is_color(image: ImageFile, channels: int, last: bool) -> bool:
    if channels not in _COLORS:
        return False
    return last if image.color is None else image.color
