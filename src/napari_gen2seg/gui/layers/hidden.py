"""Hidden layers: stale slices of napari's, and what we hide for a while."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_gen2seg.gui.layers.marks import MARK

if TYPE_CHECKING:
    from napari.layers import Layer


def slice_if_hidden(layer: Layer) -> None:
    """Slice a hidden layer as the viewer stands, before its data or colors change.

    While a layer is hidden napari (0.9) leaves its slice as it was, whatever becomes of
    data, plane and number of axes; writing and coloring then index out of it.
    """
    if not layer.visible:
        layer.set_view_slice()


_ASIDE = "aside"  # in our mark: hidden by us, so that it is ours to show it again


def put_aside(layer: Layer) -> None:
    """Hide a layer of ours for now; one that a person hid stays theirs."""
    if layer.visible:
        layer.metadata[MARK][_ASIDE] = True
        layer.visible = False


def bring_back(layer: Layer) -> None:
    """Show a layer that was put aside, before anything else about it changes."""
    if layer.metadata[MARK].pop(_ASIDE, False):
        layer.visible = True
