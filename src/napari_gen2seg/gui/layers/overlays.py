"""Overlay layers that the plugin draws: coloring, outlines of proposals, preview."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_gen2seg.gui.layers.canvas_layer import CanvasLayer, Window
from napari_gen2seg.gui.layers.hidden import bring_back, put_aside
from napari_gen2seg.gui.layers.layer_order import insert_above, lift_above
from napari_gen2seg.gui.layers.marks import (
    COLORING,
    DRAWN,
    MARK,
    OBJECTS,
    PREVIEW,
    PROMPTS,
    PROPOSALS,
    find_layer,
    layer_name,
    mark,
    place,
    rename,
    role_of,
    source_of,
)
from napari_gen2seg.gui.layers.removal import remove_layers
from napari_gen2seg.gui.layers.window_frames import WindowFrames

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt
    from napari.components import ViewerModel
    from napari.layers import Image, Labels

    from napari_gen2seg.core.coloring import Coloring
    from napari_gen2seg.gui.layers.view import View
    from napari_gen2seg.session import Preview

    DrawProposals = Callable[[npt.NDArray[np.uint8], bool], None]

__all__ = [
    "COLORING",
    "DRAWN",
    "MARK",
    "OBJECTS",
    "PREVIEW",
    "PROMPTS",
    "PROPOSALS",
    "Overlays",
    "find_layer",
    "layer_name",
    "mark",
    "place",
    "role_of",
    "source_of",
]

# Inside the mask; what a click would add; what it would take away.
PREVIEW_COLORS: dict[int | None, Any] = {
    None: (0, 0, 0, 0),
    1: (1.0, 0.82, 0.10, 1),
    2: (1.0, 1.0, 1.0, 1),
    3: (1.0, 0.15, 0.35, 1),
}


# The outline of a proposal; of a doubtful one; of one under a stroke being drawn; what
# is kept: the map's colors below would mix with the object's own.
PROPOSAL_COLORS: dict[int | None, Any] = {
    None: (0, 0, 0, 0),
    1: (0.15, 0.95, 1.0, 1),
    2: (1.0, 0.55, 0.05, 1),
    3: (1.0, 1.0, 1.0, 1),
    4: (0.3, 0.3, 0.3, 0.4),
}


class Overlays:
    """Coloring and preview as layers: made when needed, made again when deleted.

    Parameters
    ----------
    viewer
        Where they are shown.

    Attributes
    ----------
    frames
        Around windows of a large plane that were colored.
    """

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = viewer
        self._coloring_id: str | None = None
        self._preview = CanvasLayer(viewer, PREVIEW, PREVIEW_COLORS, 0.55)
        self._proposals = CanvasLayer(viewer, PROPOSALS, PROPOSAL_COLORS, 0.9)
        self.frames = WindowFrames(viewer)
        self.objects: str | None = None  # ``unique_id`` of the layer that takes them
        self._window: Window | None = None  # where the preview is not blank
        self._drawn: tuple[View, DrawProposals] | None = None

        # A dock that is opened again takes over what an earlier one left.
        for layer in viewer.layers:
            if role_of(layer) == COLORING:
                self._coloring_id = str(layer.unique_id)
                layer.events.visible.connect(self._turned)

    @property
    def coloring(self) -> Image | None:
        """The coloring layer, if it is there."""
        return find_layer(self._viewer, self._coloring_id)

    @property
    def preview(self) -> Labels | None:
        """The preview layer, if it is there."""
        return self._preview.layer

    @property
    def proposals(self) -> Labels | None:
        """The layer of the proposals' outlines, if it is there."""
        return self._proposals.layer

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
        there = self.coloring is not None
        self._let_go_unfit(view)
        layer = self.coloring
        if layer is None:
            make = make or there
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
            layer.events.visible.connect(self._turned)
            return
        bring_back(layer)
        layer.data = pixels
        rename(self._viewer, layer, view.layer_id, COLORING)
        if "plane" not in layer.metadata[MARK]:  # hidden when it was outdated
            layer.visible = True
        layer.metadata.update(facts)
        place(layer, where)
        lift_above(self._viewer, layer, view.layer_id)

    def put_others_aside(self, view: View) -> None:
        """Hide what is drawn over another image than that of a view."""
        others = [
            layer
            for layer in (self.proposals, self.preview, self.coloring)
            if layer is not None and source_of(layer) != view.layer_id
        ]
        if others:
            self._drawn = None  # or it would be drawn again, since the coloring goes
        for layer in others:
            put_aside(layer)

    def _under(self, view: View) -> tuple[str | None, ...]:
        """Return the layers, by ``unique_id``, that outlines and preview lie over."""
        return view.layer_id, self._coloring_id, self.frames.layer_id

    def _let_go_unfit(self, view: View) -> None:
        """Remove layers of another number of axes, all at once."""
        layers = self.coloring, self.preview, self.proposals
        remove_layers(
            self._viewer,
            [one for one in layers if one is not None and one.ndim != view.ndim],
        )

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
            self._preview.array[old] = 0
            self._preview.send(old)

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
        self.prepare(view, shape)
        canvas, old = self._preview.array, self._window
        if old is not None:
            canvas[old] = 0
        row, col = preview.offset
        height, width = preview.array.shape
        self._window = slice(row, row + height), slice(col, col + width)
        canvas[self._window] = preview.array
        self._preview.send(*([] if old is None else [old]), self._window)

    def prepare(self, view: View, shape: tuple[int, int]) -> None:
        """Make the preview layer ahead of the first preview."""
        self._let_go_unfit(view)
        below = *self._under(view), self._proposals.layer_id
        _, blank = self._preview.ready(view, shape, *below, objects=self.objects)
        if blank:
            self._window = None

    def draw_proposals(self, view: View, draw: DrawProposals) -> None:
        """Show outlines of proposals over their plane.

        Parameters
        ----------
        view
            Where they belong.
        draw
            Writes into a uint8 (H, W) at source size what `PROPOSAL_COLORS` names;
            told whether the coloring is in sight, and called again when that changes.
        """
        self._drawn = view, draw
        self._let_go_unfit(view)
        coloring = self.coloring
        below = self._under(view)
        self._proposals.ready(view, view.shape, *below, objects=self.objects)
        draw(self._proposals.array, coloring is not None and coloring.visible)
        height, width = view.shape
        self._proposals.send((slice(0, height), slice(0, width)))

    def clear_proposals(self) -> None:
        """Show no proposals."""
        self._drawn = None
        canvas = self._proposals.array
        if canvas.any():
            canvas[:] = 0
            self._proposals.send((slice(0, canvas.shape[0]), slice(0, canvas.shape[1])))

    def _turned(self, _event: Any = None) -> None:
        """Draw what depends on whether the coloring is in sight."""
        if self._drawn is not None and self.proposals is not None:
            self.draw_proposals(*self._drawn)

    def follow(self, view: View, coloring: Coloring | None) -> None:
        """Move the layers after the source was moved, scaled or rotated."""
        if coloring is None:
            return
        layer = self.coloring
        if layer is not None and layer.ndim == view.ndim:
            place(layer, view.placement(coloring.shape))
        self._preview.follow(view, coloring.shape)
        self._proposals.follow(view, view.shape)
