"""PNG, JPEG, GIF, BMP and WebP: by Pillow, PNG of 16-bit color by imagecodecs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_gen2seg.io.formats.color_models import oriented
from napari_gen2seg.io.formats.guard import check_fits, decoding

if TYPE_CHECKING:
    from PIL import Image

Pixels = NDArray[Any]

_ORIENTATION = 274
_AS_IT_IS = ("1", "L", "LA", "I", "F", "RGB", "RGBA")


def read_raster(source: Path, numbers: bool = False) -> tuple[Pixels, str, bool | None]:
    """Read a raster image upright: gray, or RGB without its transparency.

    Parameters
    ----------
    source
        The file. Several frames (of a GIF, say) become planes along ``T``.
    numbers
        Whether its values are label numbers: then an indexed image gives its index.

    Returns
    -------
    pixels, axes, color
        Gray images have no ``C``, and ``color`` is None of them.

    Raises
    ------
    StorageError
        If it cannot be read or is damaged.
    MemoryShortError
        If it does not fit.
    """
    from PIL import Image

    with decoding(source), _any_size(), Image.open(source) as picture:
        # The other pictures of an MPO are copies: small ones, or for a second eye.
        frames = 1 if picture.format == "MPO" else int(getattr(picture, "n_frames", 1))
        width, height = picture.size
        check_fits(source, width * height * 4 * frames)
        orientation = _orientation(picture)
        if frames > 1 and not numbers:
            stack = np.empty((frames, height, width, 3), np.uint8)
            for number in range(frames):
                picture.seek(number)
                stack[number] = np.asarray(picture.convert("RGB"))
            if (stack == stack[..., :1]).all():
                return oriented(stack[..., 0], "TYX", orientation), "TYX", None
            return oriented(stack, "TYXC", orientation), "TYXC", True
        if picture.format == "PNG" and _deep(source):
            array = _deep_png(source)
        else:
            array = _frame(picture, numbers)
    if array.ndim == 3:
        samples = array.shape[-1]
        array = array[..., 0] if samples < 3 else array[..., :3]
    axes = "YXC" if array.ndim == 3 else "YX"
    return oriented(array, axes, orientation), axes, True if array.ndim == 3 else None


def _frame(picture: Image.Image, numbers: bool) -> Pixels:
    """Return the first frame as numbers."""
    if picture.mode in ("P", "PA"):
        if numbers:
            return np.asarray(
                picture.getchannel(0) if picture.mode == "PA" else picture
            )
        return np.asarray(picture.convert("RGB"))
    if picture.mode in _AS_IT_IS or picture.mode.startswith("I;16"):
        return np.asarray(picture)
    return np.asarray(picture.convert("RGB"))  # inks, YCbCr, CIELab and others


def _orientation(picture: Image.Image) -> int:
    value = picture.getexif().get(_ORIENTATION, 1)
    return int(value) if isinstance(value, int) else 1


def _deep(source: Path) -> bool:
    """Whether a PNG has 16 bits and several samples, of which Pillow keeps 8."""
    with source.open("rb") as stream:
        head = stream.read(26)
    return len(head) == 26 and head[24] == 16 and head[25] in (2, 4, 6)


def _deep_png(source: Path) -> Pixels:
    import imagecodecs

    return np.asarray(imagecodecs.png_decode(source.read_bytes()))


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
