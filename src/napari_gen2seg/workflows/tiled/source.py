"""Where pixels come from: an array, or a file that any process can open."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from napari_gen2seg.common.types import Array
from napari_gen2seg.core.image.axes import Axes, Index, Window
from napari_gen2seg.core.image.rgb import RgbRecipe
from napari_gen2seg.io.formats.images import ImageFile, read_picture


class PlaneSource(Protocol):
    """Planes that are read a window at a time."""

    @property
    def layout(self) -> Axes:
        """Which axis is what."""
        ...

    def window(self, plane: Index, window: Window | None = None) -> Array:
        """Read a window of a plane: (H, W) or (H, W, C)."""
        ...

    def recipe(self, recipe: RgbRecipe | None) -> RgbRecipe:
        """Return how its channels become RGB."""
        ...


@dataclass(frozen=True, eq=False)
class ArraySource:
    """An array, of numpy, dask or zarr.

    Attributes
    ----------
    array
        The pixels.
    layout
        Which axis is what.
    """

    array: Any
    layout: Axes

    def window(self, plane: Index, window: Window | None = None) -> Array:
        """Read a window of a plane: (H, W) or (H, W, C)."""
        return self.layout.read(self.array, plane, window)

    def recipe(self, recipe: RgbRecipe | None) -> RgbRecipe:
        """Return how its channels become RGB."""
        return recipe or RgbRecipe()


@dataclass(frozen=True)
class FileSource:
    """A file; only its name travels to other processes.

    Attributes
    ----------
    path, series, axes
        As for `io.formats.images.read_picture` and `ImageFile.plane`.
    key
        Of its content: a process that stays does not take an earlier file for it.
    """

    path: Path
    series: int | None = None
    axes: str | None = None
    key: str = ""

    @property
    def file(self) -> ImageFile:
        """The file, opened."""
        return _opened(self)

    @cached_property
    def layout(self) -> Axes:
        """Which axis is what."""
        return Axes.of(self.file.pixels, self.axes or self.file.axes)

    def window(self, plane: Index, window: Window | None = None) -> Array:
        """Read a window of a plane: (H, W) or (H, W, C)."""
        if window is None or _is_chunked(self.file.pixels):
            return self.file.window(plane, window, self.axes)
        part = self.file.part(plane, window) if self.axes is None else None
        if part is not None:
            return part
        # A file that is decoded plane by plane: once for all of a plane's tiles.
        return _plane(self, plane)[window]

    def recipe(self, recipe: RgbRecipe | None) -> RgbRecipe:
        """Return how its channels become RGB."""
        return self.file.recipe(recipe, self.axes)

    def __getstate__(self) -> dict[str, Any]:
        """Leave out what was read."""
        return {one.name: getattr(self, one.name) for one in fields(self)}


def _is_chunked(pixels: Any) -> bool:
    """Whether a window can be read without its plane: zarr, dask, memory."""
    return isinstance(pixels, np.ndarray) or hasattr(pixels, "chunks")


@lru_cache(maxsize=2)
def _opened(source: FileSource) -> ImageFile:
    return read_picture(source.path, source.series)


@lru_cache(maxsize=1)
def _plane(source: FileSource, plane: Index) -> Array:
    return source.file.window(plane, None, source.axes)


def forget() -> None:
    """Let go of files that were opened, so that they may change or be deleted."""
    _opened.cache_clear()
    _plane.cache_clear()
