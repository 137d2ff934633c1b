"""A Labels layer over one plane, drawn into in place, sent to the screen in parts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_gen2seg.gui.layers.hidden import bring_back
from napari_gen2seg.gui.layers.layer_order import insert_above, lift_above
from napari_gen2seg.gui.layers.marks import (
    find_layer,
    layer_name,
    mark,
    place,
    rename,
    role_of,
)
from napari_gen2seg.gui.layers.removal import remove_layers

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Labels

    from napari_gen2seg.gui.layers.view import View

Window = tuple[slice, slice]


class CanvasLayer:
    """One array of few values, shown over a plane; made again when deleted.

    Parameters
    ----------
    viewer
        Where it is shown.
    role
        What the layer is for.
    colors
        Of each value.
    opacity
        Of the layer, 0..1.

    Attributes
    ----------
    array
        uint8 (h, w), drawn into by the owner, who then calls `send`.
    """

    def __init__(
        self,
        viewer: ViewerModel,
        role: str,
        colors: Mapping[int | None, Any],
        opacity: float,
    ) -> None:
        self._viewer, self._role = viewer, role
        self._colors, self._opacity = dict(colors), opacity
        self._drawn_for: tuple[View, tuple[int, int]] | None = None
        self.array = np.zeros((0, 0), np.uint8)
        # A dock that is opened again takes over what an earlier one left.
        left = [layer for layer in viewer.layers if role_of(layer) == role]
        self.layer_id = str(left[-1].unique_id) if left else None

    @property
    def layer(self) -> Labels | None:
        """The layer, if it is there."""
        return find_layer(self._viewer, self.layer_id)

    def ready(
        self,
        view: View,
        shape: tuple[int, int],
        *below: str | None,
        objects: str | None = None,
    ) -> tuple[Labels, bool]:
        """Return the layer over a plane, and whether the array is blank and new to it.

        Parameters
        ----------
        view
            The plane.
        shape
            (h, w) of the array.
        below
            ``unique_id`` of the layers that it is to lie above.
        objects
            The same, of the layer that it is made above, and may be moved below.
        """
        layer = self.layer
        if layer is not None:
            bring_back(layer)
        if layer is not None and self._drawn_for == (view, shape):
            if layer.editable:  # again, since napari has shown three dimensions
                layer.editable = False
            return layer, False
        where = view.placement(shape)
        if layer is not None and layer.ndim != view.ndim:
            remove_layers(self._viewer, [layer])
            layer = None
        self._drawn_for = (view, shape)
        blank = layer is None or self.array.shape != shape
        if blank:
            self.array = np.zeros(shape, np.uint8)
        if layer is not None:
            layer.data = view.spread(self.array)
            rename(self._viewer, layer, view.layer_id, self._role)
            layer.metadata.update(mark(self._role, view.layer_id))
            place(layer, where)
            lift_above(self._viewer, layer, *below)
        else:
            layer = self._made(view, where, *below, objects)
        if layer.editable:  # drawn by us alone
            layer.editable = False
        return layer, blank

    def follow(self, view: View, shape: tuple[int, int]) -> None:
        """Move the layer after the source was moved, scaled or rotated."""
        layer = self.layer
        if layer is not None and layer.ndim == view.ndim:
            place(layer, view.placement(shape))

    def send(self, *windows: Window) -> None:
        """Send changed pixels to the screen, and nothing else.

        Where the layer is seen as the array lies, by the event with which napari
        shows brush strokes: it uploads the windows alone. A whole refresh takes ten
        times as long, most of it for a transform that did not change.
        """
        layer = self.layer
        if layer is None or self._drawn_for is None:
            return
        dims, view = self._viewer.dims, self._drawn_for[0]
        beyond = dims.ndim - layer.ndim
        as_it_lies = dims.displayed == tuple(n + beyond for n in view.own_axes)
        if not as_it_lies or layer.contour or not layer.visible:
            layer.refresh(thumbnail=False, highlight=False, extent=False)
            return
        for window in windows:
            offset = [side.start for side in window]
            layer.events.labels_update(data=self.array[window], offset=offset)

    def _made(self, view: View, where: dict[str, Any], *below: str | None) -> Labels:
        from napari.layers import Labels
        from napari.utils.colormaps import DirectLabelColormap

        layer = Labels(
            view.spread(self.array),
            name=layer_name(self._viewer, view.layer_id, self._role),
            opacity=self._opacity,
            colormap=DirectLabelColormap(color_dict=self._colors),
            metadata=mark(self._role, view.layer_id),
            **where,
        )
        layer.editable = False
        self.layer_id = insert_above(self._viewer, layer, *below)
        return layer
