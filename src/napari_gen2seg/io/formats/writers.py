"""Labels and images to look at, written as TIFF or PNG, whole or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_gen2seg.common.atomic import writing
from napari_gen2seg.errors import ImageError


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
    if target.suffix.lower() in (".tif", ".tiff"):
        _write_tiff(target, stored)
    elif target.suffix.lower() == ".png":
        if labels.ndim != 2 or top >= 2**16:
            raise ImageError(
                "A PNG holds two dimensions and numbers up to 65535; these labels have "
                f"{labels.ndim} dimensions and go up to {top}. Write a .tif instead."
            )
        _write_png(target, stored)
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
    if target.suffix.lower() in (".tif", ".tiff"):
        _write_tiff(target, rgb)
    elif target.suffix.lower() == ".png":
        _write_png(target, rgb)
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
    if target.suffix.lower() not in (".tif", ".tiff", ".png"):
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


def _write_png(target: Path, array: NDArray[Any]) -> None:
    from PIL import Image

    with writing(target) as draft:
        Image.fromarray(array).save(draft, "PNG")


def _wrong_ending(target: Path) -> ImageError:
    return ImageError(
        f"{target.name} ends in {target.suffix or 'nothing'}; it must end in .tif or "
        ".png."
    )
