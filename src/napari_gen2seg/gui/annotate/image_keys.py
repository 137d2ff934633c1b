"""Keys on the image's own layer, where a plane has no layer for clicks yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_gen2seg.gui.layers.overlays import find_layer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from napari.components import ViewerModel

    from napari_gen2seg.gui.layers.source import Source


class ImageKeys:
    """Binds keys on the layer of the image in view, and on no other.

    A plane that has no coloring has no layer for clicks yet, and for a while the
    image's own is the selected one: without these a person would press keys that do
    nothing and say nothing.

    Parameters
    ----------
    viewer, source
        Where the layers are, and which is the image in view.
    keys
        As napari names it -> what is called while that layer is selected.
    """

    def __init__(
        self,
        viewer: ViewerModel,
        source: Source,
        keys: Mapping[str, Callable[[], None]],
    ) -> None:
        self._viewer, self._source, self._keys = viewer, source, dict(keys)
        self._id: str | None = None

    def follow(self) -> None:
        """Take the layer in view now, and leave the one before."""
        layer = self._source.layer
        if layer is None or str(layer.unique_id) == self._id:
            return
        self.release()
        self._id = str(layer.unique_id)
        for key, call in self._keys.items():
            layer.bind_key(key, _bound(call), overwrite=True)

    def release(self) -> None:
        """Bind nothing any more."""
        layer = find_layer(self._viewer, self._id)
        self._id = None
        if layer is not None:
            for key in self._keys:
                layer.bind_key(key, None)


def _bound(call: Callable[[], None]) -> Callable[[object], None]:
    return lambda _layer: call()  # napari asks for its __name__
