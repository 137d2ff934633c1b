"""Overlay layers that the plugin draws: the coloring, and the preview over it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_gen2seg.gui.layers.layer_order import insert_above, lift_above

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Image, Labels, Layer

    from napari_gen2seg.core.coloring import Coloring
    from napari_gen2seg.gui.layers.view import View
    from napari_gen2seg.session import Preview

MARK = "napari-gen2seg"  # key in a layer's metadata
COLORING, PREVIEW, PROMPTS, OBJECTS = "coloring", "preview", "prompts", "objects"

# Inside the mask; what a click would add; what it would take away.
PREVIEW_COLORS: dict[int | None, Any] = {
    None: (0, 0, 0, 0),
    1: (1.0, 0.82, 0.10, 1),
    2: (1.0, 1.0, 1.0, 1),
    3: (1.0, 0.15, 0.35, 1),
}


def mark(role: str, source: str, **facts: Any) -> dict[str, Any]:
    """Return metadata that says what a layer of ours is for."""
    return {MARK: {"role": role, "source": source, **facts}}


def role_of(layer: Layer) -> str | None:
    """Return what a layer of ours is for; None for other layers."""
    return (layer.metadata.get(MARK) or {}).get("role")


def source_of(layer: Layer) -> str | None:
    """Return the ``unique_id`` of the layer that a layer of ours belongs to."""
    return (layer.metadata.get(MARK) or {}).get("source")


def find_layer(viewer: ViewerModel, unique_id: str | None) -> Layer | None:
    """Find a layer by its ``unique_id``; a proxy would break ``is``."""
    for layer in viewer.layers:
        if str(layer.unique_id) == unique_id:
            return layer
    return None


def layer_name(viewer: ViewerModel, source: str, what: str) -> str:
    """Name a layer of ours after its image: ``set08 objects``."""
    image = find_layer(viewer, source)
    return what if image is None else f"{image.name} {what}"


def place(layer: Layer, where: dict[str, Any]) -> None:
    """Move a layer, setting only what differs."""
    for name, value in where.items():
        now = getattr(layer, name)
        if name in ("units", "axis_labels"):
            if tuple(now) != tuple(value):
                setattr(layer, name, value)
        elif name == "affine":
            if not np.allclose(now.affine_matrix, value):
                layer.affine = value
        elif np.shape(now) != np.shape(value) or not np.allclose(now, value):
            setattr(layer, name, value)


class Overlays:
    """Coloring and preview as layers: made when needed, made again when deleted.

    Parameters
    ----------
    viewer
        Where they are shown.
    """

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = viewer
        self._coloring_id: str | None = None
        self._preview_id: str | None = None
        self._canvas = np.zeros((0, 0), np.uint8)  # the preview's one array
        self._window: tuple[slice, slice] | None = None  # where it is not blank
        self._drawn_for: tuple[View, tuple[int, int]] | None = None

        # A dock that is opened again takes over what an earlier one left.
        for layer in viewer.layers:
            if role_of(layer) == COLORING:
                self._coloring_id = str(layer.unique_id)
            elif role_of(layer) == PREVIEW:
                self._preview_id = str(layer.unique_id)

    @property
    def coloring(self) -> Image | None:
        """The coloring layer, if it is there."""
        return find_layer(self._viewer, self._coloring_id)

    @property
    def preview(self) -> Labels | None:
        """The preview layer, if it is there."""
        return find_layer(self._viewer, self._preview_id)

    def found(self, view: View) -> Coloring | None:
        """Read back the coloring of a view from a layer that is there already."""
        layer = self.coloring
        if layer is None or layer.metadata[MARK].get("plane") != view.key:
            return None
        from napari_gen2seg.core.coloring import Coloring

        facts = layer.metadata[MARK]
        height, width = (layer.data.shape[axis] for axis in view.own_axes)
        return Coloring.from_array(
            np.asarray(layer.data).reshape(height, width, 3),
            view.shape,
            model_id=facts["model"],
            revision=facts["revision"],
            resolution=facts["resolution"],
            black_background=facts.get("on_black", False),
            diameter=facts.get("diameter"),
            extra_maps=facts.get("more"),
            brightness_image=facts.get("picture"),
            image=facts.get("seen"),
            learned_probe=facts.get("learned_probe"),
        )

    def show_coloring(self, view: View, coloring: Coloring, make: bool = True) -> None:
        """Show a coloring over its plane.

        Parameters
        ----------
        view
            Where it belongs.
        coloring
            What to show.
        make
            Make the layer if it is not there; else a deleted layer stays deleted.
        """
        pixels = view.spread(coloring.as_rgb8())
        where = view.placement(coloring.shape)
        facts = mark(
            COLORING,
            view.layer_id,
            model=coloring.model_id,
            on_black=coloring.black_background,
            diameter=coloring.diameter,
            more=coloring.extra_maps,  # not shown, but clicks consult them
            picture=coloring.brightness_image,
            seen=coloring.image,  # what the learned probe reads
            learned_probe=coloring.learned_probe,
            revision=coloring.revision,
            resolution=coloring.resolution,
            plane=view.key,
        )
        layer = self.coloring
        if layer is not None and layer.ndim != view.ndim:
            self._viewer.layers.remove(layer)
            layer, make = None, True
        if layer is None:
            if not make:
                return
            from napari.layers import Image

            layer = Image(
                pixels,
                rgb=True,
                name=layer_name(self._viewer, view.layer_id, COLORING),
                opacity=0.45,
                metadata=facts,
                **where,
            )
            self._coloring_id = insert_above(self._viewer, layer, view.layer_id)
            return
        layer.data = pixels
        self._rename(layer, view)
        if "plane" not in layer.metadata[MARK]:  # hidden when it was outdated
            layer.visible = True
        layer.metadata.update(facts)
        place(layer, where)
        lift_above(self._viewer, layer, view.layer_id)

    def outdate(self, source_id: str) -> None:
        """Hide the coloring of an image that has other pixels now."""
        layer = self.coloring
        if layer is not None and source_of(layer) == source_id:
            layer.metadata[MARK].pop("plane", None)
            layer.visible = False

    def clear(self) -> None:
        """Show no preview."""
        old, self._window = self._window, None
        if old is not None:
            self._canvas[old] = 0
            self._send(self.preview, old)

    def draw(
        self,
        view: View,
        shape: tuple[int, int],
        preview: Preview | None,
    ) -> None:
        """Show a preview over its plane, writing into the one array in place.

        Parameters
        ----------
        view
            Where it belongs.
        shape
            (h, w) of the coloring.
        preview
            What to show; None for nothing.
        """
        if preview is None:
            self.clear()
            return
        layer = self._ready(view, shape)
        if layer.editable:  # again, since napari has shown three dimensions
            layer.editable = False
        old = self._window
        if old is not None:
            self._canvas[old] = 0
        row, col = preview.offset
        height, width = preview.array.shape
        self._window = slice(row, row + height), slice(col, col + width)
        self._canvas[self._window] = preview.array
        self._send(layer, *([] if old is None else [old]), self._window)

    def prepare(self, view: View, shape: tuple[int, int]) -> None:
        """Make the preview layer ahead of the first preview."""
        self._ready(view, shape)

    def follow(self, view: View, coloring: Coloring | None) -> None:
        """Move both layers after the source was moved, scaled or rotated."""
        if coloring is None:
            return
        where = view.placement(coloring.shape)
        for layer in (self.coloring, self.preview):
            if layer is not None and layer.ndim == view.ndim:
                place(layer, where)

    def _ready(self, view: View, shape: tuple[int, int]) -> Labels:
        layer = self.preview
        if layer is not None and self._drawn_for == (view, shape):
            return layer
        where = view.placement(shape)
        if layer is not None and layer.ndim != view.ndim:
            self._viewer.layers.remove(layer)
            layer = None
        self._drawn_for = (view, shape)
        below = view.layer_id, self._coloring_id
        if layer is not None:
            if self._canvas.shape != shape:
                self._new_canvas(shape)
            layer.data = view.spread(self._canvas)
            self._rename(layer, view)
            layer.metadata.update(mark(PREVIEW, view.layer_id))
            place(layer, where)
            lift_above(self._viewer, layer, *below)
            return layer
        from napari.layers import Labels
        from napari.utils.colormaps import DirectLabelColormap

        self._new_canvas(shape)
        layer = Labels(
            view.spread(self._canvas),
            name=layer_name(self._viewer, view.layer_id, PREVIEW),
            opacity=0.55,
            colormap=DirectLabelColormap(color_dict=PREVIEW_COLORS),
            metadata=mark(PREVIEW, view.layer_id),
            **where,
        )
        layer.editable = False  # drawn by the pointer alone
        self._preview_id = insert_above(self._viewer, layer, *below)
        return layer

    def _rename(self, layer: Layer, view: View) -> None:
        """Name a layer after the image that it is drawn over now."""
        if source_of(layer) != view.layer_id:
            layer.name = layer_name(
                self._viewer, view.layer_id, role_of(layer) or PREVIEW
            )

    def _send(self, layer: Labels | None, *windows: tuple[slice, slice]) -> None:
        """Send changed pixels to the screen, and nothing else.

        Where the layer is seen as the canvas lies, by the event with which napari
        shows brush strokes: it uploads the windows alone. A whole refresh takes ten
        times as long, most of it for a transform that did not change.
        """
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
            layer.events.labels_update(data=self._canvas[window], offset=offset)

    def _new_canvas(self, shape: tuple[int, int]) -> None:
        self._canvas = np.zeros(shape, np.uint8)
        self._window = None
