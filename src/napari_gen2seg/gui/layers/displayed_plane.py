"""Which plane of which layer is on screen, and where its pixels lie in the world."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_gen2seg.core.image.axes import PlaneAxes, read_plane
from napari_gen2seg.errors import ImageError

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Image, Layer


@dataclass(frozen=True)
class Plane:
    """One 2-D picture of an image layer.

    Parameters
    ----------
    layer_id
        ``unique_id`` of the layer.
    axes
        The layer's two axes on screen, rising.
    index
        Position on every axis of the layer, in pixels of the level; 0 on the two
        axes of the plane and on the channel axis.
    shape
        (H, W) at the level.
    level
        Pyramid level, 0 for the full size and for plain arrays.
    channel_axis
        None, or 0 where the first axis holds channels.
    """

    layer_id: str
    axes: tuple[int, int]
    index: tuple[int, ...]
    shape: tuple[int, int]
    level: int = 0
    channel_axis: int | None = None

    @property
    def first(self) -> int:
        """First axis that derived layers share with the source."""
        return 0 if self.channel_axis is None else 1

    @property
    def ndim(self) -> int:
        """Axes of derived layers."""
        return len(self.index) - self.first

    @property
    def own_axes(self) -> tuple[int, int]:
        """The plane's axes as numbered in derived layers."""
        return self.axes[0] - self.first, self.axes[1] - self.first

    @property
    def own_index(self) -> tuple[int, ...]:
        """The index as numbered in derived layers."""
        return self.index[self.first :]


def level_shape(layer: Image, level: int = 0) -> tuple[int, ...]:
    """Return the shape of a level, channels of RGB left out."""
    return tuple(int(n) for n in layer.level_shapes[level][: layer.ndim])


def default_level(layer: Image, longest: int = 4096) -> int:
    """Choose the finest pyramid level whose last two axes fit ``longest`` pixels."""
    if not layer.multiscale:
        return 0
    count = len(layer.level_shapes)
    for level in range(count):
        if max(level_shape(layer, level)[-2:]) <= longest:
            return level
    return count - 1


def level_factors(layer: Image, level: int) -> npt.NDArray[np.float64]:
    """Return how many full-size pixels one pixel of a level spans, per axis."""
    shapes = np.asarray(layer.level_shapes, np.float64)[:, : layer.ndim]
    return np.asarray(shapes[0] / shapes[level])


def plane_in_view(
    viewer: ViewerModel, layer: Image, level: int = 0, channel_axis: int | None = None
) -> Plane:
    """Find the plane of a layer that the viewer shows.

    Raises
    ------
    ImageError
        If the viewer shows no plane of it, with what to do.
    """
    dims = viewer.dims
    if dims.ndisplay != 2:
        raise ImageError(
            "The viewer shows three dimensions; objects are clicked in two. Press the "
            "2D/3D button at the lower left."
        )
    extra = dims.ndim - layer.ndim
    axes = tuple(sorted(axis - extra for axis in dims.displayed))
    if min(axes) < 0 or channel_axis in axes:
        raise ImageError(
            f"The axes on screen are not rows and columns of {layer.name!r}. Use the "
            "viewer's roll or transpose button until the picture fills the view."
        )
    if level >= len(layer.level_shapes):
        level = 0
    shape = level_shape(layer, level)
    where = np.asarray(layer.world_to_data(dims.point))
    where = (where + 0.5) / level_factors(layer, level) - 0.5
    index = [0] * layer.ndim
    for axis in range(layer.ndim):
        if axis in axes or axis == channel_axis:
            continue
        index[axis] = int(np.rint(where[axis]))
        if not 0 <= index[axis] < shape[axis]:
            raise ImageError(
                f"The slider is outside {layer.name!r}: position {index[axis]} on axis "
                f"{axis}, which has {shape[axis]} planes. Move it back."
            )
    return Plane(
        str(layer.unique_id),
        (axes[0], axes[1]),
        tuple(index),
        (shape[axes[0]], shape[axes[1]]),
        level,
        channel_axis,
    )


def array_of(layer: Image, level: int) -> Any:
    """Return the array of a pyramid level, or the layer's only one."""
    return layer.data[level] if layer.multiscale else layer.data


def read(data: Any, plane: Plane, rgb: bool = False) -> npt.NDArray[Any]:
    """Read the pixels of a plane and nothing else, on any thread.

    Parameters
    ----------
    data
        The array of the plane's level: numpy, dask, zarr or alike.
    plane
        Which plane.
    rgb
        Whether a further last axis of the array holds colours.

    Returns
    -------
    numpy.ndarray
        (H, W), or (H, W, C) for RGB and for a channel axis.
    """
    channel = len(plane.index) if rgb else plane.channel_axis
    place = (*plane.index, 0) if rgb else plane.index
    return read_plane(data, PlaneAxes(*plane.axes, channel), place)


def to_plane(
    layer: Image, plane: Plane, position: npt.ArrayLike
) -> tuple[float, float] | None:
    """Convert a world position to (row, column) of the plane.

    Returns
    -------
    tuple or None
        None outside the picture.
    """
    where = np.asarray(layer.world_to_data(position))
    where = (where + 0.5) / level_factors(layer, plane.level) - 0.5
    row, col = (float(where[axis]) for axis in plane.axes)
    height, width = plane.shape
    if -0.5 <= row < height - 0.5 and -0.5 <= col < width - 0.5:
        return row, col
    return None


def placement(
    layer: Layer,
    scale_by: npt.ArrayLike,
    origin: npt.ArrayLike,
    first: int = 0,
) -> dict[str, Any]:
    """Place an array so that it lies over a layer.

    Parameters
    ----------
    layer
        The layer to lie over.
    scale_by
        (ndim,) how many of the layer's pixels one pixel of the array spans.
    origin
        (ndim,) where the centre of the array's first pixel lies, in pixels of the
        layer.
    first
        Leading axes of the layer that the array lacks.

    Returns
    -------
    dict
        ``scale translate rotate shear affine units axis_labels`` for a new layer.
    """
    from napari.utils.transforms import Affine

    scale = np.asarray(layer.scale) * np.asarray(scale_by, np.float64)
    linear = Affine(
        scale=layer.scale, rotate=layer.rotate, shear=layer.shear
    ).linear_matrix
    translate = np.asarray(layer.translate) + linear @ np.asarray(origin, np.float64)
    shear = np.asarray(layer.shear)
    if shear.ndim == 1:  # the upper triangle, row by row
        full = np.eye(layer.ndim)
        full[np.triu_indices(layer.ndim, 1)] = shear
        shear = full
    affine = np.asarray(layer.affine.affine_matrix)
    return {
        "scale": scale[first:],
        "translate": translate[first:],
        "rotate": np.asarray(layer.rotate)[first:, first:],
        "shear": shear[first:, first:],
        "affine": affine[first:, first:],
        "units": layer.units[first:],
        "axis_labels": layer.axis_labels[first:],
    }


def placement_over(
    layer: Image, plane: Plane, shape: tuple[int, int] | None = None
) -> dict[str, Any]:
    """Place an array over the plane it was made from.

    Parameters
    ----------
    layer, plane
        The source.
    shape
        (h, w) of an array that stands for this plane alone, with length 1 on the
        other axes; None for an array over the whole layer at the plane's level.
    """
    factors = level_factors(layer, plane.level)
    scale_by = factors.copy()
    at = np.zeros(layer.ndim)
    if shape is not None:
        at[:] = plane.index
        for axis, of, size in zip(plane.axes, plane.shape, shape, strict=True):
            scale_by[axis] *= of / size
            at[axis] = 0
    origin = (at + 0.5) * factors - 0.5
    for axis in plane.axes:
        origin[axis] = 0.5 * scale_by[axis] - 0.5
    return placement(layer, scale_by, origin, plane.first)


def spread(plane: Plane, picture: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """View an (h, w) or (h, w, C) array with the axes of a derived layer."""
    shape = [1] * plane.ndim
    for axis, size in zip(plane.own_axes, picture.shape[:2], strict=True):
        shape[axis] = size
    return picture.reshape(*shape, *picture.shape[2:])
