"""Image files -> pixels and axes: TIFF by tifffile, everything else by Pillow."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_gen2seg.errors import StorageError


def read_tiff(source: Path) -> tuple[NDArray[Any], str]:
    """Read the first series of a TIFF and its axes."""
    import tifffile

    try:
        with tifffile.TiffFile(source) as file:
            if not file.series:
                raise not_an_image(source)
            series = file.series[0]
            array, axes = series.asarray(), series.axes
            inks = series.keyframe.photometric == tifffile.PHOTOMETRIC.SEPARATED
    except tifffile.TiffFileError as error:
        raise not_an_image(source) from error
    if inks and "S" in axes:
        array = _rgb_of_inks(np.moveaxis(array, axes.index("S"), -1))
        axes = axes.replace("S", "") + "S"
    # S are samples of one pixel (RGB); I is a plain sequence of pages.
    axes = axes.replace("S", "C").replace("I", "Q")
    if axes == "QYX" and array.shape[-1] in (3, 4):
        return array, "YXC"  # a stack of planes three pixels wide it is not
    if axes.count("Q") == 1 and "Z" not in axes:
        axes = axes.replace("Q", "Z")
    return array, axes


def read_other(source: Path) -> tuple[NDArray[Any], str]:
    """Read a PNG, JPEG and the like: gray, RGB, or RGB without its transparency."""
    import imageio.v3 as iio
    from PIL import Image

    with _any_size():
        with Image.open(source) as picture:
            inks = picture.mode == "CMYK"
        options: dict[str, Any] = {"mode": "RGB"} if inks else {}
        array = np.asarray(iio.imread(source, index=0, **options))
    if array.ndim == 3 and array.shape[-1] == 2:
        array = array[..., 0]
    if array.ndim == 3 and array.shape[-1] == 4:
        array = array[..., :3]
    return array, "YXC" if array.ndim == 3 else "YX"


def index_of(source: Path, colors: NDArray[Any]) -> NDArray[Any]:
    """Return the index of an indexed image, else the colors that were read of it."""
    from PIL import Image

    with _any_size(), Image.open(source) as picture:
        return np.asarray(picture) if picture.mode == "P" else colors


def not_an_image(source: Path) -> StorageError:
    """Say that a file is no image."""
    return StorageError(
        f"{source} is not a picture that can be read, or it is damaged; pictures are "
        "TIFF, PNG, JPEG, BMP, GIF or WebP files."
    )


@contextmanager
def _any_size() -> Iterator[None]:
    """Let Pillow read very large images, which are our daily bread."""
    from PIL import Image

    limit = Image.MAX_IMAGE_PIXELS
    Image.MAX_IMAGE_PIXELS = None
    try:
        yield
    finally:
        Image.MAX_IMAGE_PIXELS = limit


def _rgb_of_inks(inks: NDArray[Any]) -> NDArray[Any]:
    """Turn cyan, magenta, yellow, black (..., 4 or more) into RGB, as Pillow does."""
    if inks.shape[-1] < 4 or inks.dtype not in (np.uint8, np.uint16):
        return inks
    top = int(np.iinfo(inks.dtype).max)
    paper = np.uint32(top) - inks[..., :4]
    rgb = (paper[..., :3] * paper[..., 3:] + top // 2) // top
    return np.asarray(rgb, inks.dtype)
