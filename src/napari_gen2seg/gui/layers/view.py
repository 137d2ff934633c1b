"""The view: which plane of which layer is worked on, how it is read, where it lies."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_gen2seg.core.image.axes import PlaneAxes, read_plane
from napari_gen2seg.core.image.rgb import RgbRecipe
from napari_gen2seg.errors import ImageError
from napari_gen2seg.gui.layers.transform import LayerTransform

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Image, Layer

Box = tuple[int, int, int, int]  # row0, column0, row1, column1, half open

LARGE = 2048  # pixels of the longer side: shrunk whole, a larger plane loses its small
WINDOW = 1024  # pixels of a side of what is looked at instead


@dataclass(frozen=True)
class ReadOptions:
    """How a person wants an image layer to be read.

    Parameters
    ----------
    level
        Pyramid level.
    channel_axis
        0 if the first axis holds channels, else None.
    partners
        ``unique_id`` of layers that give green and blue; empty for none. The
        layer itself gives red then.
    recipe
        Channels, contrast, inversion.
    windows
        Whether a large plane is looked at in windows at its own size, not shrunk whole.
    """

    level: int = 0
    channel_axis: int | None = None
    partners: tuple[str, ...] = ()
    recipe: RgbRecipe = field(default_factory=RgbRecipe)
    windows: bool = True

    @property
    def color_recipe(self) -> RgbRecipe:
        """The recipe to color by: channels of a microscope have no common contrast."""
        channels = self.channel_axis is not None or bool(self.partners)
        return replace(self.recipe, joint=False) if channels else self.recipe


@dataclass(frozen=True)
class View:
    """One plane of an image layer, or a window of it, handed around as a value.

    Places (row, column) of the plane are counted from the first pixel of the window.

    Views are equal, and equal as keys of a cache, where they show the same plane.
    How its channels become RGB and where it lies in the world may differ: a coloring
    stays with its plane when the layer is moved or its contrast changed.

    Parameters
    ----------
    layer_id
        ``unique_id`` of the layer.
    axes
        The layer's two axes on screen, rising.
    index
        Position on every axis of the layer, in pixels of the level; 0 on the two
        axes of the plane and on the channel axis.
    sizes
        Size of the level along every axis of the layer.
    level
        Pyramid level, 0 for the full size and for plain arrays.
    channel_axis
        None, or 0 where the first axis holds channels.
    factors
        How many full-size pixels one pixel of the level spans, per axis.
    transform
        Where the layer lies.
    recipe, partners
        How its channels, and those of further layers, become RGB.
    window
        Which part of the plane, in pixels of the level; None for all of it.
    """

    layer_id: str
    axes: tuple[int, int]
    index: tuple[int, ...]
    sizes: tuple[int, ...]
    level: int
    channel_axis: int | None
    factors: npt.NDArray[np.float64] = field(compare=False, repr=False)
    transform: LayerTransform = field(compare=False, repr=False)
    recipe: RgbRecipe = field(default_factory=RgbRecipe, compare=False)
    partners: tuple[str, ...] = field(default=(), compare=False)
    window: Box | None = None

    @classmethod
    def of(
        cls,
        layer: Image,
        axes: tuple[int, int],
        index: tuple[int, ...],
        options: ReadOptions | None = None,
    ) -> View:
        """Return the view of a plane of a layer, on screen or not."""
        options = options or ReadOptions()
        level = options.level if options.level < len(layer.level_shapes) else 0
        return cls(
            str(layer.unique_id),
            axes,
            index,
            level_shape(layer, level),
            level,
            options.channel_axis,
            level_factors(layer, level),
            LayerTransform.of(layer),
            options.color_recipe,
            options.partners,
        )

    @property
    def inner_rims(self) -> tuple[bool, bool, bool, bool]:
        """Beyond which rims the plane goes on: top, left, bottom, right."""
        if self.window is None:
            return False, False, False, False
        (top, left, bottom, right), (height, width) = self.window, self.plane_shape
        return top > 0, left > 0, bottom < height, right < width

    @property
    def key(self) -> tuple[Any, ...]:
        """What names the plane, as plain values: what equal views have in common."""
        whole = (
            self.layer_id,
            self.axes,
            self.index,
            self.sizes,
            self.level,
            self.channel_axis,
        )
        return whole if self.window is None else (*whole, self.window)

    @property
    def plane_shape(self) -> tuple[int, int]:
        """(H, W) of the whole plane at its level."""
        return self.sizes[self.axes[0]], self.sizes[self.axes[1]]

    @property
    def shape(self) -> tuple[int, int]:
        """(H, W) of what is looked at: the window, or the plane."""
        if self.window is None:
            return self.plane_shape
        row0, col0, row1, col1 = self.window
        return row1 - row0, col1 - col0

    @property
    def corner(self) -> tuple[int, int]:
        """(row, column) of the first pixel that is looked at."""
        return (0, 0) if self.window is None else self.window[:2]

    @property
    def large(self) -> bool:
        """Whether the plane is too large to be shrunk whole."""
        return max(self.plane_shape) > LARGE

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

    @property
    def own_sizes(self) -> tuple[int, ...]:
        """The level's sizes as numbered in derived layers."""
        return self.sizes[self.first :]

    @property
    def own_factors(self) -> npt.NDArray[np.float64]:
        """Full-size pixels per pixel of the level, as numbered in derived layers."""
        return self.factors[self.first :]

    def at(self, index: tuple[int, ...]) -> View:
        """Return the view of another plane of the layer."""
        return replace(self, index=index)

    def through(self, window: Box | None) -> View:
        """Return the view of a window of the plane, or of all of it."""
        return replace(self, window=window)

    def window_around(self, place: tuple[float, float], side: int = WINDOW) -> Box:
        """Return the window around a place of the plane, wholly inside of it.

        Parameters
        ----------
        place
            (row, column) counted from the first pixel of the plane.
        side
            In pixels; a plane that is smaller has all of itself.
        """
        low, high = [], []
        for at, size in zip(place, self.plane_shape, strict=True):
            start = int(np.clip(round(at - side / 2), 0, max(size - side, 0)))
            low.append(start)
            high.append(min(start + side, size))
        return low[0], low[1], high[0], high[1]

    def moved_as(self, layer: Layer) -> View:
        """Return the view where its layer lies now."""
        return replace(self, transform=LayerTransform.of(layer))

    def read(self, data: Any, rgb: bool = False) -> npt.NDArray[Any]:
        """Read the pixels of the plane and nothing else, on any thread.

        Parameters
        ----------
        data
            The array of the view's level: numpy, dask, zarr or alike.
        rgb
            Whether a further last axis of the array holds colours.

        Returns
        -------
        numpy.ndarray
            (H, W), or (H, W, C) for RGB and for a channel axis.
        """
        channel = len(self.index) if rgb else self.channel_axis
        place = (*self.index, 0) if rgb else self.index
        part = None
        if self.window is not None:
            row0, col0, row1, col1 = self.window
            part = slice(row0, row1), slice(col0, col1)
        return read_plane(data, PlaneAxes(*self.axes, channel), place, part)

    def to_pixels(self, position: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Convert world positions (..., n) to pixels of the level (..., ndim).

        In the layer's own axes, its channel axis included.
        """
        where = self.transform.to_data(position)
        return np.asarray((where + 0.5) / self.factors - 0.5)

    def to_world(self, pixels: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Convert pixels of the level (..., ndim) to world positions (..., ndim)."""
        full = (np.asarray(pixels, np.float64) + 0.5) * self.factors - 0.5
        return self.transform.to_world(full)

    def to_plane(self, position: npt.ArrayLike) -> tuple[float, float] | None:
        """Convert a world position to (row, column) of the plane.

        Returns
        -------
        tuple or None
            None outside of what is looked at.
        """
        where = self.to_pixels(position)
        row, col = (
            float(where[axis]) - start
            for axis, start in zip(self.axes, self.corner, strict=True)
        )
        height, width = self.shape
        if -0.5 <= row < height - 0.5 and -0.5 <= col < width - 0.5:
            return row, col
        return None

    def placement(self, shape: tuple[int, int] | None = None) -> dict[str, Any]:
        """Place an array over the plane it was made from.

        Parameters
        ----------
        shape
            (h, w) of an array that stands for this window alone, with length 1 on the
            other axes; None for an array over the whole layer at the view's level.

        Returns
        -------
        dict
            See `LayerTransform.placement`.
        """
        scale_by = self.factors.copy()
        at = np.zeros(len(self.index))
        if shape is not None:
            at[:] = self.index
            for axis, of, size in zip(self.axes, self.shape, shape, strict=True):
                scale_by[axis] *= of / size
                at[axis] = 0
        origin = (at + 0.5) * self.factors - 0.5
        for axis, start in zip(self.axes, self.corner, strict=True):
            first = 0.0 if shape is None else start * self.factors[axis]
            origin[axis] = first + 0.5 * scale_by[axis] - 0.5
        return self.transform.placement(scale_by, origin, self.first)

    def full_size_placement(self) -> dict[str, Any]:
        """Place a layer whose data are in the source's own full-size pixels."""
        ndim = len(self.index)
        return self.transform.placement(np.ones(ndim), np.zeros(ndim), self.first)

    def spread(self, array: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Give an (h, w) or (h, w, C) array the axes of a derived layer."""
        shape = [1] * self.ndim
        for axis, size in zip(self.own_axes, array.shape[:2], strict=True):
            shape[axis] = size
        return array.reshape(*shape, *array.shape[2:])


def axis_name(layer: Layer, axis: int) -> str:
    """Return what a person calls an axis; napari's own names are mere numbers."""
    name = str(layer.axis_labels[axis])
    return f"axis {axis}" if name.lstrip("-").isdigit() else name


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


def view_on_screen(
    viewer: ViewerModel, layer: Image, options: ReadOptions | None = None
) -> View:
    """Return the view of the plane of a layer that the viewer shows.

    Raises
    ------
    ImageError
        If the viewer shows no plane of it, with what to do.
    """
    options = options or ReadOptions()
    dims, channel_axis = viewer.dims, options.channel_axis
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
    view = View.of(layer, (axes[0], axes[1]), (0,) * layer.ndim, options)
    where = view.to_pixels(dims.point)
    index = [0] * layer.ndim
    for axis in range(layer.ndim):
        if axis in axes or axis == channel_axis:
            continue
        index[axis] = int(np.rint(where[axis]))
        if not 0 <= index[axis] < view.sizes[axis]:
            raise ImageError(
                f"The slider is outside {layer.name!r}: position {index[axis]} on axis "
                f"{axis}, which has {view.sizes[axis]} planes. Move it back."
            )
    return view.at(tuple(index))


def array_of(layer: Layer, level: int) -> Any:
    """Return the array of a pyramid level, or the layer's only one."""
    return layer.data[level] if layer.multiscale else layer.data
