"""A window of a TIFF's page: the tiles or strips that it touches, and no others."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_gen2seg.common.types import Array
from napari_gen2seg.errors import StorageError

if TYPE_CHECKING:
    from tifffile import TiffPage, TiffPageSeries

    from napari_gen2seg.core.image.axes import Window


def raw_window(
    series: TiffPageSeries, axes: str, number: int, window: Window
) -> Array | None:
    """Read the stored samples of a window of one page.

    Parameters
    ----------
    series, axes, number
        The image, the axes of its pages, and which page.
    window
        Rows and columns, within the page.

    Returns
    -------
    numpy.ndarray or None
        (H, W) or (H, W, samples); None where a page must be decoded whole: other axes,
        or one page for many planes.

    Raises
    ------
    StorageError
        If a part of it cannot be read.
    """
    key = series.keyframe
    if axes not in ("YX", "YXS") or number >= len(series):
        return None
    page: Any = series[number]
    if page is None:
        return None
    if page.is_memmappable:
        return np.array(page.asarray(out="memmap")[window])
    if len(page.dataoffsets) < 2:
        return None
    rows, columns = (
        range(*part.indices(length))
        for part, length in zip(window, key.shape[:2], strict=True)
    )
    shape = (len(rows), len(columns), *key.shape[2:])
    out = np.full(shape, key.nodata, series.dtype)
    if not out.size:
        return out
    long, wide = _part(key)
    across = -(-key.imagewidth // wide)
    for down in range(rows.start // long, (rows.stop - 1) // long + 1):
        for along in range(columns.start // wide, (columns.stop - 1) // wide + 1):
            part = _decoded(page, key, down * across + along)
            if part is None:  # nothing is stored: it is as `nodata`
                continue
            top, left = down * long, along * wide
            part = part[: key.imagelength - top, : key.imagewidth - left]
            own = (
                _within(rows, top, part.shape[0]),
                _within(columns, left, part.shape[1]),
            )
            there = (
                slice(top + own[0].start - rows.start, top + own[0].stop - rows.start),
                slice(
                    left + own[1].start - columns.start,
                    left + own[1].stop - columns.start,
                ),
            )
            out[there] = part[own].reshape(out[there].shape)
    return out


def _part(key: TiffPage) -> tuple[int, int]:
    """Return the rows and columns of a tile, or of a strip."""
    if key.is_tiled:
        return int(key.tilelength), int(key.tilewidth)
    return min(int(key.rowsperstrip), int(key.imagelength)), int(key.imagewidth)


def _within(wanted: range, first: int, length: int) -> slice:
    """Return what of a part is wanted, counted from its beginning."""
    return slice(max(wanted.start - first, 0), max(min(wanted.stop - first, length), 0))


def _decoded(page: Any, key: TiffPage, index: int) -> Array | None:
    """Decode one tile or strip: (rows, columns, samples)."""
    handle = page.parent.filehandle
    start, count = page.dataoffsets[index], page.databytecounts[index]
    if not start or not count:
        return None
    handle.seek(start)
    data = handle.read(count)
    if len(data) < count:
        raise StorageError(
            f"{Path(handle.path)} is cut off: it ends within a tile. Its copy or "
            "download was interrupted; fetch it again."
        )
    more: dict[str, Any] = {"_fullsize": False}
    if int(key.compression) in (6, 7, 34892, 33007):
        more |= {"jpegtables": page.jpegtables, "jpegheader": key.jpegheader}
    found = key.decode(data, index, **more)[0]
    return None if found is None else np.asarray(found)[0]
