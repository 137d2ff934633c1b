"""Layers drawn otherwise, holding what they held: who counts labels need not again.

napari tells of its own undo and redo nothing but that the layer was drawn, so whoever
keeps count of labels has to take a drawing for an edit. Here we say which are none: our
own of other looks, and those of another plane.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from napari.components import ViewerModel
    from napari.layers import Layer

_changing: list[str] = []  # ``unique_id`` of layers, one for every change in progress


@contextmanager
def looks_only(layer: Layer) -> Iterator[None]:
    """Change colors of a layer, or which of its objects are shown, and nothing else."""
    _changing.append(str(layer.unique_id))
    try:
        yield
    finally:
        _changing.pop()


class Drawings:
    """Tells which drawings of the layers of a viewer may be edits.

    A layer that was hidden is drawn as another plane when it is shown again: what
    happened to it meanwhile is not told here.

    Parameters
    ----------
    viewer
        Whose sliders say which plane is drawn.
    """

    def __init__(self, viewer: ViewerModel) -> None:
        self._dims = viewer.dims
        self._place = self._now()

    def listen(self, on: bool) -> None:
        """Follow the sliders, or follow them no longer."""
        self._moved()
        for name in ("point", "order", "ndisplay", "ndim"):
            event = getattr(self._dims.events, name)
            if on:
                event.connect(self._moved, position="last")  # the layers are drawn then
            else:
                event.disconnect(self._moved)

    def may_be_edited(self, layer: Layer | None) -> bool:
        """Whether a layer that is being drawn may hold something else than before."""
        if self._place != self._now():
            return False
        return layer is None or str(layer.unique_id) not in _changing

    def _moved(self, _event: object = None) -> None:
        self._place = self._now()

    def _now(self) -> tuple[object, ...]:
        return self._dims.point, self._dims.order, self._dims.ndisplay
