"""Pages of a TIFF as they are stored; what is missing or cut off is named.

Nothing missing is ever made up: tifffile fills planes that it cannot find with zeros,
here they are an error.
"""

from __future__ import annotations

import math
import struct
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray

from napari_gen2seg.errors import StorageError
from napari_gen2seg.io.formats.guard import check_fits

if TYPE_CHECKING:
    from tifffile import TiffFile, TiffPageSeries

Pixels = NDArray[Any]


def raw_page(source: Path, series: TiffPageSeries, axes: str, number: int) -> Pixels:
    """Read the stored samples of one page."""
    planes = math.prod(series.shape[: series.ndim - len(axes)])
    named = f"plane {number + 1} of {planes}" if planes > 1 else "the picture"
    shape = series.keyframe.shape
    if len(series) < planes and series.dataoffset is not None:  # one page for all
        size = math.prod(shape) * series.dtype.itemsize
        start = series.dataoffset + number * size
        if start + size > source.stat().st_size:
            raise _cut_off(source, named)
        order = series.parent.byteorder if series.parent is not None else "="
        stored = np.memmap(
            source, series.dtype.newbyteorder(order), "r", start, tuple(shape)
        )
        return stored.astype(series.dtype)
    page = series[number] if number < len(series) else None
    if page is None:
        raise StorageError(_missing(source, series, named))
    place = Path(page.parent.filehandle.path)
    size = place.stat().st_size
    ends = [
        int(start) + int(count)
        for start, count in zip(page.dataoffsets, page.databytecounts, strict=False)
    ]
    if max(ends, default=0) > size:
        raise _cut_off(place, named)
    expected = math.prod(shape) * int(series.keyframe.bitspersample) // 8
    if (
        int(series.keyframe.compression) == 1
        and 0 < sum(page.databytecounts) < expected
    ):
        raise StorageError(
            f"{source} is damaged: {named} has {sum(page.databytecounts)} bytes of "
            f"pixels, but its size asks for {expected}. Copy or save it again."
        )
    check_fits(source, math.prod(shape) * series.dtype.itemsize)
    return np.asarray(page.asarray()).reshape(shape)


def check_whole(source: Path, file: TiffFile) -> None:
    """Refuse a file that ends before it says so."""
    size = source.stat().st_size
    planes = sum(len(series) for series in file.series)
    metadata = file.imagej_metadata or {}
    told = int(metadata.get("images", 1)) if file.is_imagej else 1
    series = file.series[0]
    page = series.keyframe
    raw = int(page.compression) == 1 and any(page.dataoffsets)
    lost = told > planes and math.prod(series.shape) == page.size
    if _next_page(file) >= size or lost:
        whole = planes
        if raw and page.nbytes:
            whole = max(0, size - int(page.dataoffsets[0])) // int(page.nbytes)
        many = f" of {told}" if told > 1 else ""
        raise _cut_off(source, f"plane {min(whole + 1, max(told, planes + 1))}{many}")
    stored = int(page.size) * max(int(page.bitspersample), 1) // 8
    if raw and stored > size:
        raise StorageError(
            f"{source} is damaged: it says that a plane has the shape {page.shape}, "
            f"which takes {stored} bytes, but the file has {size}. Copy or save it "
            "again."
        )


def _next_page(file: TiffFile) -> int:
    """Return where the page after the last one that could be read should be."""
    tiff, handle = file.tiff, file.filehandle
    last = file.pages[len(file.pages) - 1]
    handle.seek(last.offset)
    (tags,) = struct.unpack(tiff.tagnoformat, handle.read(tiff.tagnosize))
    handle.seek(last.offset + tiff.tagnosize + tags * tiff.tagsize)
    stored = handle.read(tiff.offsetsize)
    if len(stored) < tiff.offsetsize:
        return 0
    return int(struct.unpack(tiff.offsetformat, stored)[0])


def _missing(source: Path, series: TiffPageSeries, named: str) -> str:
    """Say which plane is not there, and which files of the set are not."""
    files: set[str] = set()
    metadata = series.parent.ome_metadata if series.parent is not None else None
    if metadata:
        names = {
            str(node.attrib["FileName"])
            for node in ElementTree.fromstring(metadata).iter()  # noqa: S314
            if node.tag.endswith("UUID") and "FileName" in node.attrib
        }
        files = {name for name in names if not (source.parent / name).is_file()}
    if files:
        return (
            f"{named[0].upper()}{named[1:]} of {source.name} is in another file of the "
            f"set, and {', '.join(sorted(files)[:5])} is not there. Put the files of "
            "the set into one folder."
        )
    return (
        f"{source} does not hold {named}: its data are missing. Copy the file again, "
        "or choose another plane."
    )


def _cut_off(source: Path, named: str) -> StorageError:
    return StorageError(
        f"{source} is cut off: it ends within {named}. Its copy or download was "
        "interrupted; fetch it again."
    )
