"""Hidden layers: napari does not slice them anew, and fails on what is stale."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari.layers import Layer


def slice_if_hidden(layer: Layer) -> None:
    """Slice a hidden layer as the viewer stands, before its data or colors change.

    While a layer is hidden napari (0.9) leaves its slice as it was, whatever becomes of
    data, plane and number of axes; writing and coloring then index out of it.
    """
    if not layer.visible:
        layer.set_view_slice()
