"""A coloring map as a TIFF: the map on the first page, facts as JSON, more behind.

Further maps are pages in color, the brightness beside them is a gray one of their size,
the instances that the model found are a page of whole numbers. Pages of 8 bits follow:
the brightness of the whole image is a gray one, the image as the model saw it one in
color.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_gen2seg.common.atomic import not_written, replacing
from napari_gen2seg.common.types import Float32Array, Int32Array
from napari_gen2seg.errors import StorageError


def write_map(
    target: Path,
    facts: dict[str, Any],
    values: Float32Array,
    extra_maps: Float32Array | None,
    brightness_image: npt.NDArray[np.uint8] | None,
    image: npt.NDArray[np.uint8] | None,
    labels: Int32Array | None = None,
) -> Path:
    """Write a map that any program opens; the file appears whole or not at all.

    Parameters
    ----------
    target
        The file.
    facts
        What JSON can say.
    values, extra_maps
        float32 (h, w, 3), and (h, w, 3 n) or (h, w, 3 n + 1) or None.
    brightness_image, image
        uint8 (H, W) and (h, w, 3), or None.
    labels
        int32 (h, w), instances, or None.

    Raises
    ------
    StorageError
        If it cannot be written.
    """
    import tifffile

    channels = 0 if extra_maps is None else extra_maps.shape[-1]
    further = (
        []
        if extra_maps is None
        else np.split(extra_maps, range(3, channels, 3), axis=-1)
    )
    try:
        with (
            replacing(target, sync=True) as draft,
            tifffile.TiffWriter(draft) as pages,
        ):
            told = json.dumps(facts)
            pages.write(values, photometric="rgb", description=told, metadata=None)
            for page in further:
                if page.shape[-1] == 3:
                    pages.write(page, photometric="rgb", metadata=None)
                else:
                    pages.write(page[..., 0], photometric="minisblack", metadata=None)
            if labels is not None:
                pages.write(labels, photometric="minisblack", metadata=None)
            if brightness_image is not None:
                pages.write(brightness_image, photometric="minisblack", metadata=None)
            if image is not None:
                pages.write(image, photometric="rgb", metadata=None)
    except OSError as error:
        raise not_written(target, error, " Nothing was changed.") from error
    return target


@dataclass(frozen=True, eq=False)
class MapFile:
    """Content of a file; ``facts`` is None where there are none.

    Attributes
    ----------
    facts
        What JSON said.
    values, extra_maps, brightness_image, image, labels
        As for `write_map`.
    """

    facts: Any
    values: npt.NDArray[Any]
    extra_maps: npt.NDArray[Any] | None
    brightness_image: npt.NDArray[Any] | None
    image: npt.NDArray[Any] | None
    labels: npt.NDArray[Any] | None


def read_map(source: Path) -> MapFile:
    """Read what `write_map` wrote.

    Raises
    ------
    StorageError
        If the file is missing, damaged or no TIFF.
    """
    import tifffile

    try:
        with tifffile.TiffFile(source) as tiff:
            first = tiff.pages[0]
            facts = json.loads(getattr(first, "description", "") or "null")
            values = first.asarray()
            further = [page.asarray() for page in list(tiff.pages)[1:]]
            of_bytes = [page for page in further if page.dtype == np.uint8]
            whole = [page for page in further if page.dtype == np.int32]
            labels = whole[0] if whole else None
            further = [
                page for page in further if page.dtype not in (np.uint8, np.int32)
            ]
            gray = next((page for page in of_bytes if page.ndim == 2), None)
            image = next((page for page in of_bytes if page.ndim == 3), None)
            extra_maps = np.dstack(further) if further else None
    except OSError as error:
        raise StorageError(
            f"The coloring map {source} could not be read: "
            f"{error.strerror or error}. Check the path."
        ) from error
    except Exception as error:  # a damaged TIFF makes its library raise anything
        raise StorageError(
            f"{source} is no readable coloring map ({error}); it must be a TIFF "
            "written by Coloring.save."
        ) from error
    return MapFile(facts, values, extra_maps, gray, image, labels)
