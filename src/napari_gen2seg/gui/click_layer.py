"""The prompt layer of a picture: which one it is, how it is made, where it lies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_gen2seg.gui.click_table import OBJECT, SIGN
from napari_gen2seg.gui.layers import PROMPTS, mark, role_of, source_of
from napari_gen2seg.gui.planes import Plane, placement

if TYPE_CHECKING:
    from napari.layers import Image, Layer, Points


def fits(layer: Layer, plane: Plane) -> bool:
    """Whether a layer is the one for clicks on a plane's picture."""
    return (
        role_of(layer) == PROMPTS
        and source_of(layer) == plane.layer_id
        and layer.ndim == plane.ndim
    )


def new_clicks(source: Image, plane: Plane) -> Points:
    """Return an empty layer for clicks on a picture."""
    from napari.layers import Points

    return Points(
        np.empty((0, plane.ndim)),
        ndim=plane.ndim,
        name="clicks",
        features={SIGN: np.empty(0, int), OBJECT: np.empty(0, int)},
        size=10,
        border_color="white",
        border_width=0.12,
        canvas_size_limits=(9, 15),
        metadata=mark(PROMPTS, plane.layer_id),
        **over(source, plane),
    )


def over(source: Image, plane: Plane) -> dict[str, Any]:
    """Place clicks in the source's own full-size pixels."""
    ndim = source.ndim
    return placement(source, np.ones(ndim), np.zeros(ndim), plane.first)
