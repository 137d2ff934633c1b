"""A kept object under the pointer: how it is lit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_gen2seg.core.probe.mask import Mask
from napari_gen2seg.session.preview import INSIDE, source_area
from napari_gen2seg.session.state import Preview

if TYPE_CHECKING:
    from napari_gen2seg.common.types import BoolArray, LabelArray
    from napari_gen2seg.core.coloring import Coloring

_SIDE = 128  # pixels around the pointer that are looked at first


def kept_preview(
    labels: LabelArray, point: tuple[float, float], coloring: Coloring
) -> Preview:
    """Return the object under a place as it is lit.

    Parameters
    ----------
    labels
        int (H, W), the objects of the plane, one of them under the place.
    point
        (row, column) in pixels of the plane.
    coloring
        The map on whose grid it is drawn.
    """
    crop, corner = _around(labels, point)
    mask = Mask.from_source(crop, corner, coloring.shape, coloring.source_shape)
    return Preview(
        mask.crop.astype(np.uint8) * np.uint8(INSIDE),
        mask.bbox[:2],
        float("nan"),
        1.0,
        source_area(mask),
        pixels=int(np.count_nonzero(crop)),
    )


def _around(
    labels: LabelArray, point: tuple[float, float]
) -> tuple[BoolArray, tuple[int, int]]:
    """Return an object and the corner of what was looked at.

    The box around the place grows until the object touches no rim of it: to search a
    whole plane would take longer than the pointer rests.
    """
    row, col = (round(n) for n in point)
    number, side = labels[row, col], _SIDE
    while True:
        top, left = max(row - side, 0), max(col - side, 0)
        bottom, right = row + side + 1, col + side + 1
        mine = labels[top:bottom, left:right] == number
        cut = (
            (top > 0 and mine[0].any())
            or (left > 0 and mine[:, 0].any())
            or (bottom < labels.shape[0] and mine[-1].any())
            or (right < labels.shape[1] and mine[:, -1].any())
        )
        if not cut:
            return mine, (top, left)
        side *= 2
