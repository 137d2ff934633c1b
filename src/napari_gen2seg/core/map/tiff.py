"""A coloring map as a TIFF: the map on the first page, facts as JSON, more behind.

Further maps are pages in colour, the brightness beside them is a grey one of their
size, the instances that the model found are a page of whole numbers, and the brightness
of the whole picture is a grey one of 8 bits at the end.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_gen2seg.common.atomic import replacing
from napari_gen2seg.common.types import Float32Array, Int32Array
from napari_gen2seg.errors import StorageError


def write_map(
    target: Path,
    facts: dict[str, Any],
    values: Float32Array,
    extra_maps: Float32Array | None,
    brightness_image: npt.NDArray[np.uint8] | None,
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
    brightness_image
        uint8 (H, W), or None.
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
                    pages.write(page[..., 0], metadata=None)
            if labels is not None:
                pages.write(labels, metadata=None)
            if brightness_image is not None:
                pages.write(brightness_image, metadata=None)
    except OSError as error:
        raise StorageError(
            f"The colouring map could not be written to {target}: "
            f"{error.strerror or error}. Choose a folder that exists, can be "
            "written and has space; nothing was changed."
        ) from error
    return target


def read_map(
    source: Path,
) -> tuple[
    Any,
    npt.NDArray[Any],
    npt.NDArray[Any] | None,
    npt.NDArray[Any] | None,
    npt.NDArray[Any] | None,
]:
    """Read facts (None where there are none), map, extra maps, brightness and labels.

    Each of the last three is None where it was not written.

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
            bytes_ = bool(further) and further[-1].dtype == np.uint8
            brightness_image = further.pop() if bytes_ else None
            whole = bool(further) and further[-1].dtype == np.int32
            labels = further.pop() if whole else None
            extra_maps = np.dstack(further) if further else None
    except OSError as error:
        raise StorageError(
            f"The colouring map {source} could not be read: "
            f"{error.strerror or error}. Check the path."
        ) from error
    except (tifffile.TiffFileError, ValueError, IndexError, KeyError) as error:
        raise StorageError(
            f"{source} is no readable colouring map ({error}); it must be a TIFF "
            "written by Coloring.save."
        ) from error
    return facts, values, extra_maps, brightness_image, labels
