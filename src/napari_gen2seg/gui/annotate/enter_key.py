"""Enter on the image's own layer, where a plane has no layer for clicks yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_gen2seg.gui.layers.overlays import find_layer

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.components import ViewerModel

    from napari_gen2seg.gui.layers.source import Source


class EnterKey:
    """Binds Enter on the layer of the image in view, and on no other.

    A plane that has no coloring has no layer for clicks yet, so there would be no key
    for "color it" otherwise.

    Parameters
    ----------
    viewer, source
        Where the layers are, and which is the image in view.
    pressed
        Called when Enter is pressed while that layer is selected.
    """

    def __init__(
        self, viewer: ViewerModel, source: Source, pressed: Callable[[], None]
    ) -> None:
        self._viewer, self._source, self._pressed = viewer, source, pressed
        self._id: str | None = None

    def follow(self) -> None:
        """Take the layer in view now, and leave the one before."""
        layer = self._source.layer
        if layer is None or str(layer.unique_id) == self._id:
            return
        self.release()
        self._id = str(layer.unique_id)
        layer.bind_key("Enter", self._entered, overwrite=True)

    def release(self) -> None:
        """Bind nothing any more."""
        layer = find_layer(self._viewer, self._id)
        self._id = None
        if layer is not None:
            layer.bind_key("Enter", None)

    def _entered(self, _layer: object) -> None:
        self._pressed()
