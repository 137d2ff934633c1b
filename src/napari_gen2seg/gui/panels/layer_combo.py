"""A drop-down of layers that follows the viewer."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QComboBox, QWidget
from superqt.utils import signals_blocked

from napari_gen2seg.gui.layers.overlays import find_layer
from napari_gen2seg.gui.panels.widgets import shrink
from napari_gen2seg.gui.qt_threads import debounce

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.components import ViewerModel
    from napari.layers import Layer


class LayerCombo(QComboBox):
    """Offers the layers that pass a test, known by their ``unique_id``.

    Parameters
    ----------
    viewer
        Whose layers.
    accepts
        Which of them.
    nothing
        Text of a first entry that stands for no layer; no such entry if None.
    """

    chosen = Signal(object)  # the layer, or None

    def __init__(
        self,
        viewer: ViewerModel,
        accepts: Callable[[Layer], bool],
        nothing: str | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        shrink(self)
        self._viewer = viewer
        self._accepts = accepts
        self._nothing = nothing
        self._last: str | None = None
        self._soon = debounce(self, self._picked)
        for name in ("inserted", "removed", "reordered"):
            getattr(viewer.layers.events, name).connect(self.refresh)
        self.currentIndexChanged.connect(self._picked)
        self.refresh()

    @property
    def layer(self) -> Any:
        """The chosen layer, or None."""
        return find_layer(self._viewer, self.currentData())

    def choose(self, layer: Layer | None) -> None:
        """Choose a layer; None chooses the first entry."""
        place = 0 if layer is None else self.findData(str(layer.unique_id))
        if place >= 0:
            self.setCurrentIndex(place)

    def refresh(self, event: object = None) -> None:
        """Read the layers again; the choice stays if it can."""
        keep = self.currentData()
        with signals_blocked(self):
            self.clear()
            if self._nothing is not None:
                self.addItem(self._nothing, None)
            for layer in reversed(self._viewer.layers):
                if self._accepts(layer):
                    self.addItem(layer.name, str(layer.unique_id))
                    layer.events.name.connect(self._renamed)
            place = self.findData(keep) if keep is not None else 0
            self.setCurrentIndex(max(place, 0) if self.count() else -1)
        if getattr(event, "type", "") == "removed":
            # Several may be going: who works on the next one may remove layers too,
            # which napari is about to remove.
            self._soon.start()
        else:
            self._picked()

    def close_choice(self) -> None:
        """Stop following the viewer."""
        with suppress(RuntimeError):  # Qt deletes timers together with their window
            self._soon.stop()
        for name in ("inserted", "removed", "reordered"):
            getattr(self._viewer.layers.events, name).disconnect(self.refresh)
        for layer in self._viewer.layers:
            layer.events.name.disconnect(self._renamed)

    def _renamed(self, event: Any) -> None:
        place = self.findData(str(event.source.unique_id))
        if place >= 0:
            self.setItemText(place, event.source.name)

    def _picked(self, _index: int = 0) -> None:
        now = self.currentData()
        if now != self._last:
            self._last = now
            self.chosen.emit(self.layer)
