"""Images in: the one reader of every command and window.

Which decoder reads a file is told by its first bytes; what else is there (CZI, ND2,
...) is left to the readers that a person has installed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_gen2seg.core.image.axes import Axes, Index, Window
from napari_gen2seg.core.image.rgb import RgbRecipe, to_rgb
from napari_gen2seg.errors import ImageError, StorageError
from napari_gen2seg.io.formats.color_models import without_gaps
from napari_gen2seg.io.formats.guard import decoding, not_an_image

TIFF_ENDINGS = (".tif", ".tiff", ".btf", ".tf8")
RASTER_ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp")
PICTURE_ENDINGS = (*TIFF_ENDINGS, *RASTER_ENDINGS, ".npy")
"""What is read without any plugin, but for OME-Zarr, which is a folder."""

_SLIDES = (".svs", ".ndpi", ".scn", ".qptiff", ".lsm", ".stk", ".flex")  # TIFFs too
_LIKE = 0.5  # of the largest image's area: what is larger is another image, no copy


@dataclass(frozen=True, eq=False)
class ImageFile:
    """An image in a file: no labels, and several planes perhaps.

    Parameters
    ----------
    pixels
        What can be sliced; planes are read when they are asked for. Colors are RGB
        whatever the file keeps them as, upright, and of the file's depth.
    axes
        One letter a dimension: ``Y``, ``X``, ``C`` (channels, or the samples of RGB);
        others number planes.
    path
        Where it came from.
    color
        Whether the channels are one color image; False for channels of a microscope,
        each with a contrast of its own; None if the file does not say.
    nothing
        The value of pixels without data, if the file names one.
    notes
        What somebody should be told, as sentences.
    """

    pixels: Any
    axes: str
    path: Path
    color: bool | None = None
    nothing: float | None = None
    notes: tuple[str, ...] = ()

    @cached_property
    def array(self) -> NDArray[Any]:
        """All of its pixels, of whatever type they have."""
        with decoding(self.path):
            return np.asarray(self.pixels[...])

    def plane(
        self,
        index: Index | None = None,
        axes: str | None = None,
        recipe: RgbRecipe | None = None,
    ) -> NDArray[Any]:
        """Read one plane as it is to be looked at, by `core.image.rgb.to_rgb` too.

        Parameters
        ----------
        index
            Its place on each axis before rows and columns; None for the only one.
        axes
            What the axes are, where the file names them wrongly.
        recipe
            How channels become RGB.

        Returns
        -------
        numpy.ndarray
            (H, W) or (H, W, C), any type. Channels of a microscope that would be taken
            for one color image, and everything with a recipe, are RGB as the model
            sees it, float32 (H, W, 3) in 0..1.

        Raises
        ------
        ImageError
            If there are several planes and none is named, or the axes do not fit.
        PromptError
            If the plane is not there.
        StorageError, MemoryShortError
            If it cannot be read.
        """
        layout = Axes.of(self.pixels, axes or self.axes)
        if index is None:
            if layout.several:
                raise ImageError(
                    f"{self.path.name} holds {layout.several}; it must hold one plane. "
                    "Save each plane as a picture of its own."
                )
            index = (0,) * len(layout.planes)
        layout.check(index)
        with decoding(self.path):
            pixels = self._tidy(layout.read(self.pixels, index))
        color = self.color
        if axes is not None and "C" in axes.upper() and "C" not in self.axes:
            color = None if axes.upper().endswith("C") else False
        return _shown(pixels, color, recipe)

    def window(
        self,
        index: Index,
        window: Window | None = None,
        axes: str | None = None,
    ) -> NDArray[Any]:
        """Read a window of one plane, its values as the file has them.

        Parameters
        ----------
        index
            The plane.
        window
            Rows and columns; None for all.
        axes
            As for `plane`.

        Returns
        -------
        numpy.ndarray
            (H, W) or (H, W, C); to be shown by `recipe`.

        Raises
        ------
        StorageError, MemoryShortError
            If it cannot be read.
        """
        layout = Axes.of(self.pixels, axes or self.axes)
        with decoding(self.path):
            return self._tidy(layout.read(self.pixels, index, window))

    def part(self, index: Index, window: Window) -> NDArray[Any] | None:
        """Read a window of a plane of a file that is decoded by plane, if it can be.

        Returns
        -------
        numpy.ndarray or None
            As `window`; None where the plane must be decoded whole: of a TIFF stored in
            tiles or strips only those of the window are.
        """
        letters = self.axes.replace("C", "")
        read = getattr(self.pixels, "window", None)
        channels_first = "C" in self.axes and not self.axes.endswith("C")
        if read is None or channels_first or not letters.endswith("YX"):
            return None
        pixels = read(index, window)
        return None if pixels is None else self._tidy(pixels)

    def _tidy(self, pixels: NDArray[Any]) -> NDArray[Any]:
        """Return the pixels of a plane without an axis of one, and without gaps."""
        if pixels.ndim == 3 and pixels.shape[-1] == 1:
            pixels = pixels[..., 0]
        if self.nothing is not None and pixels.dtype.kind in "uif":
            pixels = without_gaps(pixels, self.nothing)
        return pixels

    def recipe(
        self, recipe: RgbRecipe | None = None, axes: str | None = None
    ) -> RgbRecipe:
        """Return how its channels become RGB, as `plane` does it."""
        recipe = recipe or RgbRecipe()
        color = self.color
        if axes is not None and "C" in axes.upper() and "C" not in self.axes:
            color = None if axes.upper().endswith("C") else False
        if color is False and recipe.joint is None:
            return replace(recipe, joint=False)
        return recipe


def _shown(
    pixels: NDArray[Any], color: bool | None, recipe: RgbRecipe | None
) -> NDArray[Any]:
    """Leave pixels as they are where `to_rgb` shows them right, else make RGB."""
    channels = pixels.shape[-1] if pixels.ndim == 3 else 1
    alike = color is False and channels in (3, 4)  # might be taken for RGB
    if recipe is None and not alike:
        return pixels
    recipe = recipe or RgbRecipe()
    if color is False and recipe.joint is None:
        recipe = replace(recipe, joint=False)
    return to_rgb(pixels, recipe)


def read_picture(path: str | Path, series: int | None = None) -> ImageFile:
    """Open an image file; its planes are read when they are asked for.

    Parameters
    ----------
    path
        TIFF (OME and ImageJ stacks and slides included), PNG, JPEG, BMP, GIF, WebP,
        NPY, OME-Zarr, or what a reader plugin of napari, or bioio, reads. Of a
        pyramid, the full resolution.
    series
        Which image of a file with several, from 0. By default the largest, if the
        others are small (a thumbnail, a label); `ImageFile.notes` tell of it.

    Raises
    ------
    StorageError
        If the file is not there, may not be read, is cut off or damaged.
    ImageError
        If nothing that is installed reads it, it is empty, or holds several images
        of a size and none is named.
    """
    return _opened(_existing(path), series, numbers=False)


def open_numbers(path: str | Path, series: int | None = None) -> ImageFile:
    """Open a file whose values are label numbers: of an indexed image the index.

    Raises
    ------
    StorageError, ImageError
        As `read_picture`.
    """
    return _opened(_existing(path), series, numbers=True)


def plane_of(picture: ImageFile) -> NDArray[Any]:
    """Return the one plane of an image, (H, W) or (H, W, C); see `ImageFile.plane`."""
    return picture.plane()


def kind_of(source: Path) -> str:
    """Tell by its first bytes what a file is: a decoder's name, or ``""``."""
    if source.is_dir():
        return "zarr" if _is_zarr(source) else ""
    with decoding(source), source.open("rb") as stream:
        head = stream.read(16)
    if head[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        ending = source.suffix.lower()
        known = (*TIFF_ENDINGS, *RASTER_ENDINGS, *_SLIDES)
        return "tiff" if ending in known else ""  # raw photographs are TIFFs too
    if head.startswith(b"\x93NUMPY"):
        return "npy"
    if head.startswith((b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"BM")):
        return "jpeg" if head.startswith(b"\xff\xd8\xff") else "raster"
    return "raster" if head[:4] == b"RIFF" and head[8:12] == b"WEBP" else ""


def _existing(path: str | Path) -> Path:
    try:
        source = Path(path).expanduser()
    except (TypeError, RuntimeError) as error:
        raise ImageError(
            f"The picture is {path!r}; it must be the name of a file."
        ) from error
    try:
        there = source.exists()
    except (OSError, ValueError) as error:
        raise StorageError(f"There can be no file of this name ({error}).") from error
    if not there:
        raise StorageError(f"There is no file {source}. Check its name and folder.")
    if source.is_dir() and not _is_zarr(source):
        raise StorageError(f"{source} is a folder; name one picture in it.")
    return source


def _is_zarr(folder: Path) -> bool:
    return any((folder / name).is_file() for name in (".zgroup", "zarr.json"))


def _opened(source: Path, series: int | None, *, numbers: bool) -> ImageFile:
    kind = kind_of(source)
    if kind == "tiff":
        picture = _open_tiff(source, series, numbers)
    elif kind == "npy":
        picture = _open_npy(source)
    elif kind in ("raster", "jpeg"):
        from napari_gen2seg.io.formats.raster import read_raster

        array, axes, color = read_raster(source, numbers)
        picture = ImageFile(array, axes, source, color)
    elif kind == "zarr":
        from napari_gen2seg.io.formats.omezarr import open_image

        pixels, axes = open_image(source)
        picture = ImageFile(pixels, axes, source, False if "C" in axes else None)
    elif source.suffix.lower() in PICTURE_ENDINGS:
        raise not_an_image(source)
    else:
        picture = _open_by_plugin(source, series)
    several = kind in ("tiff", "")
    if series is not None and not several and series != 0:
        raise ImageError(f"{source.name} holds one image; leave series out.")
    if 0 in picture.pixels.shape:
        raise ImageError(f"{source.name} holds no pixels; choose another picture.")
    return picture


def _open_tiff(source: Path, series: int | None, numbers: bool) -> ImageFile:
    from napari_gen2seg.io.formats.tiff import TiffImage, tiff_images

    chosen, notes = _choose(source, tiff_images(source), series)
    with decoding(source):
        image = TiffImage(source, chosen, numbers)
        return ImageFile(image, image.axes, source, image.color, image.nothing, notes)


def _open_npy(source: Path) -> ImageFile:
    with decoding(source):
        array = np.load(source, mmap_mode="r", allow_pickle=False)
    if array.ndim < 2:
        raise ImageError(
            f"{source.name} has the shape {array.shape}; it must have rows and columns."
        )
    return ImageFile(array, usual_axes(array.shape), source)


def _open_by_plugin(source: Path, series: int | None) -> ImageFile:
    from napari_gen2seg.io.formats.plugins import plugin_images, shape_of

    found = plugin_images(source)
    images = [(name, shape_of(array, axes), False) for name, array, axes, _ in found]
    chosen, notes = _choose(source, images, series)
    _, array, axes, color = found[chosen]
    return ImageFile(array, axes, source, color, None, notes)


def _choose(
    source: Path,
    images: Sequence[tuple[str, tuple[int, int], bool]],
    series: int | None,
) -> tuple[int, tuple[str, ...]]:
    """Choose the image that was named, or the one that is meant.

    Parameters
    ----------
    images
        Name, (H, W), and whether it is but a copy or a mask of another.

    Raises
    ------
    ImageError
        If there is no such image, or several could be meant.
    """
    listed = "; ".join(
        f"{place}: {shape[0]} x {shape[1]}{f' ({name})' if name else ''}"
        for place, (name, shape, _) in enumerate(images[:20])
    )
    if series is not None:
        if not 0 <= series < len(images):
            raise ImageError(
                f"{source.name} has no image {series}; it holds {len(images)} "
                f"({listed})."
            )
        return series, ()
    if len(images) == 1:
        return 0, ()
    areas = [shape[0] * shape[1] * (not copy) for _, shape, copy in images]
    largest = int(np.argmax(areas))
    rivals = [n for n, area in enumerate(areas) if area > _LIKE * areas[largest]]
    if len(rivals) > 1:
        raise ImageError(
            f"{source.name} holds {len(images)} images ({listed}); say which one is "
            f"meant: --series {rivals[1]}, or series={rivals[1]}."
        )
    height, width = images[largest][1]
    note = (
        f"{source.name} holds {len(images)} images ({listed}); the largest is read, "
        f"{largest}: {height} x {width}. Another is chosen with --series."
    )
    return largest, (note,)


def usual_axes(shape: Sequence[int]) -> str:
    """Name the axes of an array of which nothing is said: the last are the plane's."""
    color = len(shape) > 2 and shape[-1] in (1, 3, 4)
    tail = "YXC" if color else "YX"
    before = len(shape) - len(tail)
    if before > 8:
        raise ImageError(
            f"The array has {len(shape)} dimensions; it must have at most 10."
        )
    return "MLPWUVTZ"[8 - before :] + tail
