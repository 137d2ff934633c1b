"""The held-back picture's colouring map, as a layer that changes while it trains."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_gen2seg.gui.layers import above, find_layer, keep_selection, mark
from napari_gen2seg.gui.planes import placement_over, spread

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from napari.components import ViewerModel
    from napari.layers import Image

    from napari_gen2seg.gui.finetune.pairs import Row

ROLE = "training"


class MapLayers:
    """One layer for every held-back picture that is open.

    Parameters
    ----------
    viewer
        Where they are shown.
    """

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = viewer
        self._ids: dict[str, str] = {}  # layer title -> unique_id

    def show(self, row: Row, title: str, rgb: npt.NDArray[np.uint8]) -> bool:
        """Show a map over its picture.

        A layer that a person deleted stays deleted. When the picture is gone, its
        map stays where it was.

        Parameters
        ----------
        row
            The picture.
        title
            Name of the layer.
        rgb
            uint8 (h, w, 3).

        Returns
        -------
        bool
            Whether there is a layer with it.
        """
        plane = row.plane
        if plane is None:
            return False
        if title in self._ids:
            layer = self._find(title)
            if layer is not None:
                layer.data = spread(plane, rgb)
            return layer is not None
        source = find_layer(self._viewer, row.layer_id)
        if source is None:
            return False
        from napari.layers import Image

        layer = Image(
            spread(plane, rgb),
            rgb=True,
            name=title,
            opacity=0.6,
            metadata=mark(ROLE, plane.layer_id),
            **placement_over(source, plane, (rgb.shape[0], rgb.shape[1])),
        )
        with keep_selection(self._viewer):
            self._viewer.layers.insert(above(self._viewer, row.layer_id), layer)
        self._ids[title] = str(layer.unique_id)
        return True

    def remove(self) -> None:
        """Take the layers away."""
        for title in list(self._ids):
            layer = self._find(title)
            if layer is not None:
                self._viewer.layers.remove(layer)
        self._ids.clear()

    def forget(self) -> None:
        """Leave the layers where they are, as a person's own."""
        self._ids.clear()

    @property
    def titles(self) -> list[str]:
        """Names of the layers that are there."""
        return [title for title in self._ids if self._find(title) is not None]

    def _find(self, title: str) -> Image | None:
        return find_layer(self._viewer, self._ids.get(title))
