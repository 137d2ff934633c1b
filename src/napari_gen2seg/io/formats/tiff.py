"""TIFF, by tifffile: its images, their planes, and what their numbers mean.

A plane is read when it is asked for. Nothing missing is ever made up: tifffile fills
planes that it cannot find with zeros, here they are an error that names them.
"""

from __future__ import annotations

import logging
import math
import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray

from napari_gen2seg.errors import ImageError, StorageError
from napari_gen2seg.io.formats.color_models import (
    inverted,
    is_ramp,
    oriented,
    rgb_of_inks,
    rgb_of_lab,
    rgb_of_palette,
    rgb_of_ycbcr,
)
from napari_gen2seg.io.formats.guard import check_fits, decoding, not_an_image
from napari_gen2seg.io.formats.tiff_window import raw_window

if TYPE_CHECKING:
    from tifffile import TiffFile, TiffPageSeries

    from napari_gen2seg.core.image.axes import Window

Pixels = NDArray[Any]

JPEG = (6, 7, 33007, 34892, 34934)
"""Compressions that change numbers: no labels are stored like this."""

_TO_RGB = (*JPEG, 33003, 33005, 50001, 50002, 52546)  # decoded to RGB already
_CHANGED = (50001,)  # WebP, most often with loss
_ORIENTATION, _RAMPS = 274, ("imagej",)
_FREE = "ZTVUWPLM"  # letters for axes that have no name, or one twice


@dataclass(frozen=True, eq=False)
class TiffImage:
    """One image (series) of a TIFF, sliced like an array and read plane by plane.

    Parameters
    ----------
    source
        The file.
    number
        Which image of it.
    numbers
        Whether its values are label numbers: then they stay what they are, and only
        the image is turned upright.
    """

    source: Path
    number: int = 0
    numbers: bool = False

    @cached_property
    def _first(self) -> tuple[tuple[int, ...], np.dtype[Any], str, bool | None]:
        """Shape, type, axes and whether it is in color, as they are handed out."""
        with _opened(self.source) as file:
            series = file.series[self.number]
            axes, color, sample = _like(series, self.numbers)
            page_axes = len(_page_axes(series))
            lead = tuple(int(n) for n in series.shape[: series.ndim - page_axes])
            return (*lead, *sample.shape), sample.dtype, axes, color

    @property
    def shape(self) -> tuple[int, ...]:
        """Its length along each axis."""
        return self._first[0]

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of its pixels."""
        return self._first[1]

    @property
    def axes(self) -> str:
        """One letter for each."""
        return self._first[2]

    @property
    def color(self) -> bool | None:
        """Whether its channels are one color image; None if the file does not say."""
        return self._first[3]

    @property
    def nothing(self) -> float | None:
        """The value of pixels without data (GDAL's tag), if there is one."""
        with _opened(self.source) as file:
            page = file.series[self.number].keyframe
            return float(page.nodata) if 42113 in page.tags else None

    @property
    def lossy(self) -> bool:
        """Whether the compression may have changed the numbers."""
        with _opened(self.source) as file:
            compression = int(file.series[self.number].keyframe.compression)
            return compression in (*JPEG, *_CHANGED)

    def __getitem__(self, index: Any) -> Pixels:
        """Read the planes that an index names, and no others."""
        index = index if isinstance(index, tuple) else (index,)
        shape, dtype = self.shape, self.dtype
        with decoding(self.source), _opened(self.source) as file:
            series = file.series[self.number]
            page_axes = _page_axes(series)
            lead = series.ndim - len(page_axes)
            sizes = tuple(int(n) for n in series.shape[:lead])
            planes = np.arange(math.prod(sizes)).reshape(sizes)
            wanted = planes[tuple(i for i in index[:lead] if i is not Ellipsis)]
            first = shape[lead:]
            pixels = math.prod(first) * wanted.size
            check_fits(self.source, pixels * dtype.itemsize)
            out = np.empty((wanted.size, *first), dtype)
            for place, plane in enumerate(wanted.ravel()):
                out[place] = self._plane(series, page_axes, int(plane))
        found = out.reshape(*wanted.shape, *first)
        rest = (slice(None),) * wanted.ndim + tuple(index[lead:])
        return np.asarray(found[rest])

    def window(self, index: Sequence[int], window: Window) -> Pixels | None:
        """Read a window of a plane, without the rest of it.

        Parameters
        ----------
        index
            The place on each axis before the page's own.
        window
            Rows and columns.

        Returns
        -------
        numpy.ndarray or None
            As `__getitem__` gives it; None where the plane must be read whole.
        """
        with decoding(self.source), _opened(self.source) as file:
            series = file.series[self.number]
            axes = _page_axes(series)
            lead = tuple(int(n) for n in series.shape[: series.ndim - len(axes)])
            if _orientation(series) != 1 or len(index) != len(lead):
                return None
            number = int(np.ravel_multi_index(tuple(index), lead)) if lead else 0
            raw = raw_window(series, axes, number, window)
            if raw is None:
                return None
            return _developed(raw, axes, series, self.numbers)[0]

    def _plane(self, series: TiffPageSeries, axes: str, number: int) -> Pixels:
        raw = _raw_page(self.source, series, axes, number)
        return _developed(raw, axes, series, self.numbers)[0]


def tiff_images(source: Path) -> list[tuple[str, tuple[int, int], bool]]:
    """List the images of a TIFF.

    Returns
    -------
    list
        Of each its name, (H, W), and whether the file calls it a reduced copy.

    Raises
    ------
    StorageError
        If it is no TIFF, or cut short.
    """
    with decoding(source), _opened(source) as file:
        if not file.series:
            raise not_an_image(source)
        _check_whole(source, file)
        found = []
        for series in file.series:
            sizes = dict(zip(series.axes, series.shape, strict=True))
            page = series.keyframe
            extra = bool(page.is_reduced or page.is_mask or int(page.photometric) == 4)
            shape = (int(sizes.get("Y", 0)), int(sizes.get("X", 0)))
            found.append((str(series.name or ""), shape, extra))
        return found


@contextmanager
def _opened(source: Path) -> Iterator[TiffFile]:
    """Open a TIFF, its library silent: what it would print is an error here."""
    import tifffile

    log = logging.getLogger("tifffile")
    log.addFilter(_nothing_said)
    try:
        with tifffile.TiffFile(source) as file:
            yield file
    except tifffile.TiffFileError as error:
        raise not_an_image(source) from error
    finally:
        log.removeFilter(_nothing_said)


def _nothing_said(_: logging.LogRecord) -> bool:
    return False


def _page_axes(series: TiffPageSeries) -> str:
    """Return the axes within one page, the last ones of the series."""
    return str(series.axes[-series.keyframe.ndim :])


def _like(series: TiffPageSeries, numbers: bool) -> tuple[str, bool | None, Pixels]:
    """Return axes, color and an array like a page, of what the reader hands out.

    A page is developed of which only the corner is there; its size is put back.
    """
    axes = _page_axes(series)
    sizes = series.keyframe.shape
    small = [min(n, 1) if a in "YX" else n for n, a in zip(sizes, axes, strict=True)]
    corner = np.zeros(small, series.dtype)
    page, page_axes, color = _developed(corner, axes, series, numbers)
    letters = dict(zip(axes, sizes, strict=True))
    turned = _orientation(series) in (5, 6, 7, 8)
    letters["Y"], letters["X"] = (
        (letters["X"], letters["Y"]) if turned else (letters["Y"], letters["X"])
    )
    shape = tuple(
        int(letters[a]) if a in "YX" else n
        for n, a in zip(page.shape, page_axes, strict=True)
    )
    whole = np.broadcast_to(page.dtype.type(0), shape)
    lead = str(series.axes[: series.ndim - len(axes)])
    named = _named(lead + page_axes)
    if named.endswith("YX") and _rows_as_pages(lead, page_axes, shape):
        named = named[:-3] + "YXC"  # planes three pixels wide they are not
    elif color is None and "C" in named:
        color = False
    return named, color, whole


def _rows_as_pages(lead: str, axes: str, shape: tuple[int, ...]) -> bool:
    return lead in ("Q", "I") and axes == "YX" and shape[-1] in (3, 4)


def _named(axes: str) -> str:
    """Give every axis a letter of its own; C are channels or samples."""
    if "S" in axes:  # samples of a pixel; whole channels beside them number planes
        axes = axes.replace("C", "Q").replace("S", "C")
    free = iter(letter for letter in _FREE if letter not in axes)
    named = ""
    for letter in axes:
        new = letter in "QI" or letter in named
        named += next(free, letter) if new else letter
    return named


def _orientation(series: TiffPageSeries) -> int:
    tag = series.keyframe.tags.get(_ORIENTATION)
    return int(tag.value) if tag is not None and isinstance(tag.value, int) else 1


def _developed(
    raw: Pixels, axes: str, series: TiffPageSeries, numbers: bool
) -> tuple[Pixels, str, bool | None]:
    """Turn the stored samples of a page into gray or RGB, upright.

    Returns
    -------
    pixels, axes, color
        Samples, where there are several, are the last axis.
    """
    if "Y" not in axes or "X" not in axes:
        raise ImageError(
            f"The pages have the axes {axes}; rows and columns must be among them. "
            "Save the picture as plain TIFF."
        )
    page = series.keyframe
    if "S" in axes:
        raw = np.moveaxis(raw, axes.index("S"), -1)
        axes = axes.replace("S", "") + "S"
        alphas = sum(int(extra) in (1, 2) for extra in page.extrasamples)
        raw = raw[..., : raw.shape[-1] - alphas] if alphas < raw.shape[-1] else raw
        if raw.shape[-1] == 1:
            raw, axes = raw[..., 0], axes[:-1]
    color: bool | None = None
    if not numbers:
        raw, axes, color = _interpreted(raw, axes, series)
    return oriented(raw, axes, _orientation(series)), axes, color


def _interpreted(
    raw: Pixels, axes: str, series: TiffPageSeries
) -> tuple[Pixels, str, bool | None]:
    """Apply the photometric interpretation."""
    from tifffile import PHOTOMETRIC

    page = series.keyframe
    kind, sampled = PHOTOMETRIC(page.photometric), axes.endswith("S")
    if kind == PHOTOMETRIC.MINISWHITE:
        return inverted(raw, int(page.bitspersample)), axes, False if sampled else None
    if kind == PHOTOMETRIC.PALETTE and page.colormap is not None:
        if series.kind in _RAMPS and is_ramp(page.colormap):
            return raw, axes, None
        return rgb_of_palette(raw, page.colormap), f"{axes}S", True
    if kind in (PHOTOMETRIC.LOGL, PHOTOMETRIC.LOGLUV, PHOTOMETRIC.ITULAB):
        raise ImageError(
            f"The picture is stored as {kind.name}, which is not read here. Save it as "
            "RGB."
        )
    if not sampled:
        return raw, axes, None
    if kind == PHOTOMETRIC.RGB:
        return raw[..., :3], axes, True if raw.shape[-1] >= 3 else None
    if kind == PHOTOMETRIC.SEPARATED:
        return rgb_of_inks(raw), axes, True
    if kind == PHOTOMETRIC.YCBCR:
        decoded = int(page.compression) in _TO_RGB
        return raw[..., :3] if decoded else rgb_of_ycbcr(raw), axes, True
    if kind in (PHOTOMETRIC.CIELAB, PHOTOMETRIC.ICCLAB):
        if raw.shape[-1] < 3:
            return raw, axes, None  # lightness alone
        return rgb_of_lab(raw, icc=kind == PHOTOMETRIC.ICCLAB), axes, True
    return raw, axes, False


def _raw_page(source: Path, series: TiffPageSeries, axes: str, number: int) -> Pixels:
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


def _check_whole(source: Path, file: TiffFile) -> None:
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
