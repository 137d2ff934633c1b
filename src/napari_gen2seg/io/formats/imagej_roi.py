"""ImageJ ROIs: a zip with an outline an object, as the ROI Manager saves it.

Outlines run along pixel edges, so that ImageJ fills them to the same pixels. Objects of
several pieces or with holes are one outline with bridges without width.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from napari_gen2seg.common.atomic import writing
from napari_gen2seg.common.types import Shape
from napari_gen2seg.core.outlines import fill
from napari_gen2seg.errors import DataError
from napari_gen2seg.io.objects import ImageObjects

ROI_ENDINGS = (".zip", ".roi")
_OURS = re.compile(r"(?:\d{4}-)?\d{5}-(?!\d)(.+)")
"""Plane, number and class, as written here; other names are people's own."""


def write_rois(path: Path, planes: Sequence[tuple[int | None, ImageObjects]]) -> None:
    """Write the objects of an image or of a stack.

    Parameters
    ----------
    path
        Ends in ``.zip``.
    planes
        Place of each plane in the stack, from 0, with its objects; None for the only
        plane of an image.

    Raises
    ------
    DataError
        If there is no object.
    StorageError
        If it cannot be written.
    """
    import roifile

    rois = []
    for place, objects in planes:
        for one in objects.objects:
            at = "" if place is None else f"{place + 1:04d}-"
            kind = f"-{one.class_name}" if one.class_name else ""
            points = one.outline()[:, ::-1]  # x, y
            roi = roifile.ImagejRoi.frompoints(
                points, name=f"{at}{one.number:05d}{kind}", position=place
            )
            roi.roitype = roifile.ROI_TYPE.POLYGON
            rois.append(roi)
    if not rois:
        raise DataError(f"There is no object to be written to {path.name}.")
    with writing(path) as draft:
        draft.unlink(missing_ok=True)  # roifile adds to a zip that is there
        roifile.roiwrite(draft, rois)


def read_rois(path: Path, shape: Shape) -> dict[int, ImageObjects]:
    """Read the objects of an image or of a stack.

    Parameters
    ----------
    path
        ``.zip`` of the ROI Manager, or one ``.roi``. Outlines with an area are read;
        lines and points are passed over.
    shape
        (H, W) of a plane.

    Returns
    -------
    dict
        Place in the stack, from 0 (also for ROIs that name none), -> objects.

    Raises
    ------
    DataError
        If it cannot be read.
    """
    import roifile

    try:
        found = roifile.roiread(path)
        rois = found if isinstance(found, list) else [found]
        planes: dict[int, list[Any]] = {}
        for roi in rois:
            polygons = _polygons(roi)
            if polygons:
                window, corner = fill(polygons, shape)
                place = max(roi.position, roi.z_position, roi.t_position, 1) - 1
                named = _OURS.fullmatch(str(roi.name or ""))
                name = "" if named is None else named[1]
                planes.setdefault(place, []).append((window, corner, name))
    except (OSError, ValueError, TypeError, IndexError, KeyError) as error:
        raise DataError(
            f"{path} could not be read as ImageJ ROIs ({error}); it must be a .zip "
            "saved by the ROI Manager, or a .roi."
        ) from error
    return {
        place: ImageObjects.of_masks(shape, masks) for place, masks in planes.items()
    }


def _polygons(roi: Any) -> list[Any]:
    """Return the outlines of a ROI, (n, 2) rows and columns; none of a line."""
    import roifile

    areas = (
        roifile.ROI_TYPE.POLYGON,
        roifile.ROI_TYPE.RECT,
        roifile.ROI_TYPE.OVAL,
        roifile.ROI_TYPE.FREEHAND,
        roifile.ROI_TYPE.TRACED,
    )
    if roi.roitype not in areas:
        return []
    rings = roi.coordinates(multi=True)
    return [np.asarray(ring, np.float64)[:, ::-1] for ring in rings if len(ring) > 2]
