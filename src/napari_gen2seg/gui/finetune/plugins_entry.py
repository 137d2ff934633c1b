"""Fine-tune below *Plugins*: a widget that opens the dialog and goes again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtWidgets import QWidget

from napari_gen2seg.gui.finetune.dock_side import PLUGIN, WIDGET
from napari_gen2seg.gui.qt_threads import debounce

if TYPE_CHECKING:
    import napari
    from qtpy.QtGui import QShowEvent


class FinetuneEntry(QWidget):
    """Opens the dialog over the dock it belongs to.

    napari lists only widgets below *Plugins*, and would dock the dialog itself.

    Parameters
    ----------
    viewer
        napari gives it.
    """

    def __init__(self, viewer: napari.viewer.Viewer) -> None:
        super().__init__()
        self._viewer = viewer
        self._soon = debounce(self, self._open)

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 - Qt's name
        """Open the dialog once napari has finished with this widget."""
        super().showEvent(event)
        self._soon.start()

    def _open(self) -> None:
        window = self._viewer.window
        _, dock = window.add_plugin_dock_widget(PLUGIN, WIDGET)
        dock.finetune.open()
        window.remove_dock_widget(self)
        self.deleteLater()
