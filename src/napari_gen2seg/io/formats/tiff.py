"""TIFF, by tifffile: its images, sliced like arrays; a plane is read when asked for."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_gen2seg.io.formats.guard import check_fits, decoding, not_an_image
from napari_gen2seg.io.formats.tiff_pages import check_whole, raw_page
from napari_gen2seg.io.formats.tiff_samples import (
    JPEG,
    Pixels,
    axes_of_page,
    developed,
    orientation,
    page_like,
)
from napari_gen2seg.io.formats.tiff_window import raw_window

if TYPE_CHECKING:
    from tifffile import TiffFile, TiffPageSeries

    from napari_gen2seg.core.image.axes import Window

_CHANGED = (50001,)  # WebP, most often with loss


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
            axes, color, sample = page_like(series, self.numbers)
            page_axes = len(axes_of_page(series))
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
            page_axes = axes_of_page(series)
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
            axes = axes_of_page(series)
            lead = tuple(int(n) for n in series.shape[: series.ndim - len(axes)])
            if orientation(series) != 1 or len(index) != len(lead):
                return None
            number = int(np.ravel_multi_index(tuple(index), lead)) if lead else 0
            raw = raw_window(series, axes, number, window)
            if raw is None:
                return None
            return developed(raw, axes, series, self.numbers)[0]

    def _plane(self, series: TiffPageSeries, axes: str, number: int) -> Pixels:
        raw = raw_page(self.source, series, axes, number)
        return developed(raw, axes, series, self.numbers)[0]


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
        check_whole(source, file)
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
