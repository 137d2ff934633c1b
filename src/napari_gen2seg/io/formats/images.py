"""Images in, images and labels out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_gen2seg.common.atomic import writing
from napari_gen2seg.core.image.axes import Axes
from napari_gen2seg.errors import ImageError, StorageError
from napari_gen2seg.io.formats.decode import (
    index_of,
    not_an_image,
    read_other,
    read_tiff,
)

TIFF_ENDINGS = (".tif", ".tiff")
PICTURE_ENDINGS = (*TIFF_ENDINGS, ".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp")


@dataclass(frozen=True, eq=False)
class ImageFile:
    """An image file's content: no labels, and several planes perhaps.

    Parameters
    ----------
    array
        The pixels as they are in the file, of any dtype.
    axes
        One letter a dimension: ``Y``, ``X``, ``Z``, ``T``, ``C`` (channel or the
        samples of RGB); ``Q`` where the file does not say.
    path
        Where it came from.
    """

    array: NDArray[Any]
    axes: str
    path: Path


def read_picture(path: str | Path) -> ImageFile:
    """Read an image file whole.

    Parameters
    ----------
    path
        TIFF (OME and ImageJ stacks included), PNG, JPEG, BMP, GIF or WebP. Of a
        pyramid, the full resolution is read.

    Raises
    ------
    StorageError
        If the file is not there, may not be read, or is damaged.
    ImageError
        If it is of a kind that is not read here, or empty.
    """
    source = Path(path).expanduser()
    if not source.exists():
        raise StorageError(f"There is no file {source}. Check its name and folder.")
    if source.is_dir():
        raise StorageError(f"{source} is a folder; name one picture in it.")
    ending = source.suffix.lower()
    if ending not in PICTURE_ENDINGS:
        raise ImageError(
            f"{source.name} ends in {ending or 'nothing'}, which is not read here; it "
            f"must be one of {', '.join(PICTURE_ENDINGS)}. Save it as TIFF first."
        )
    try:
        array, axes = (
            read_tiff(source) if ending in TIFF_ENDINGS else read_other(source)
        )
    except StorageError:
        raise
    except OSError as error:
        if error.errno is None:  # the decoder's word, not the system's
            raise not_an_image(source) from error
        raise StorageError(
            f"{source} could not be read ({error.strerror}). Check that you may read "
            "it."
        ) from error
    except (ValueError, SyntaxError, IndexError, RuntimeError) as error:
        raise StorageError(
            f"{source} is damaged or of a kind that is not read here ({error}). Save "
            "it again as plain TIFF or PNG."
        ) from error
    if array.size == 0:
        raise ImageError(f"{source} holds no pixels; choose another picture.")
    return ImageFile(array, axes, source)


def plane_of(picture: ImageFile) -> NDArray[Any]:
    """Return the one plane of an image, (H, W) or (H, W, C).

    Where the file does not say what its axes are, the pixels as they are.

    Raises
    ------
    ImageError
        If there are several planes.
    """
    if "Q" in picture.axes:
        return picture.array
    layout = Axes.of(picture.array, picture.axes)
    if layout.several:
        raise ImageError(
            f"{picture.path.name} holds {layout.several}; it must hold one plane. Save "
            "each plane as a picture of its own."
        )
    return layout.read(picture.array, (0,) * len(layout.planes))


def read_numbers(path: str | Path) -> NDArray[Any]:
    """Read an image whose values are numbers: an indexed PNG gives its index.

    Raises
    ------
    StorageError, ImageError
        As `read_picture` raises them.
    """
    picture = read_picture(path)
    if picture.array.ndim == 3 and picture.path.suffix.lower() == ".png":
        return index_of(picture.path, picture.array)
    return picture.array


def write_labels(path: str | Path, labels: NDArray[Any]) -> None:
    """Write label numbers as TIFF or PNG, atomically.

    Parameters
    ----------
    path
        Ends in ``.tif``, ``.tiff`` or (two dimensions only) ``.png``.
    labels
        Integers or booleans; 0 is background. Stored in 8 bits for a mask, else in
        16, or in 32 where a number above 65 535 occurs.

    Raises
    ------
    ImageError
        If the labels do not fit the kind of file.
    StorageError
        If the file cannot be written.
    """
    target = Path(path)
    if labels.dtype != np.bool_ and not np.issubdtype(labels.dtype, np.integer):
        raise ImageError(f"Labels must be integers; these are {labels.dtype}.")
    if labels.size and int(labels.min()) < 0:
        raise ImageError(
            f"Labels must be 0 or more; the smallest here is {labels.min()}."
        )
    top = int(labels.max()) if labels.size else 0
    if labels.dtype == np.bool_:
        stored = labels.astype(np.uint8) * np.uint8(255)
    else:
        stored = labels.astype(np.uint16 if top < 2**16 else np.uint32)
    if target.suffix.lower() in TIFF_ENDINGS:
        _write_tiff(target, stored)
    elif target.suffix.lower() == ".png":
        if labels.ndim != 2 or top >= 2**16:
            raise ImageError(
                "A PNG holds two dimensions and numbers up to 65535; these labels have "
                f"{labels.ndim} dimensions and go up to {top}. Write a .tif instead."
            )
        _write_other(target, stored)
    else:
        raise _wrong_ending(target)


def write_rgb(path: str | Path, rgb: NDArray[np.uint8]) -> None:
    """Write an image to look at, uint8 (h, w) or (h, w, 3), as TIFF or PNG.

    Raises
    ------
    ImageError
        If the name's ending is another.
    StorageError
        If the file cannot be written.
    """
    target = Path(path)
    if target.suffix.lower() in TIFF_ENDINGS:
        _write_tiff(target, rgb)
    elif target.suffix.lower() == ".png":
        _write_other(target, rgb)
    else:
        raise _wrong_ending(target)


def check_ending(path: str | Path) -> None:
    """Refuse a name that cannot be written, before long work rather than after.

    Raises
    ------
    ImageError
        With the endings there are.
    """
    target = Path(path)
    if target.suffix.lower() not in (*TIFF_ENDINGS, ".png"):
        raise _wrong_ending(target)


def _write_tiff(target: Path, array: NDArray[Any]) -> None:
    import tifffile

    rgb = array.ndim == 3 and array.shape[-1] == 3 and array.dtype == np.uint8
    with writing(target) as draft:
        tifffile.imwrite(
            draft,
            array,
            photometric="rgb" if rgb else "minisblack",
            compression="zlib",
        )


def _write_other(target: Path, array: NDArray[Any]) -> None:
    import imageio.v3 as iio

    with writing(target) as draft:
        iio.imwrite(draft, array)


def _wrong_ending(target: Path) -> ImageError:
    return ImageError(
        f"{target.name} ends in {target.suffix or 'nothing'}; it must end in .tif or "
        ".png."
    )
