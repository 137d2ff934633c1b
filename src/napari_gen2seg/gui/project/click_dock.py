"""The dock for clicks beside a project's: found, opened, heard of."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject, Signal

from napari_gen2seg.gui.finetune.dock_side import PLUGIN, WIDGET
from napari_gen2seg.gui.panels.docked import tabify
from napari_gen2seg.gui.qt_threads import debounce
from napari_gen2seg.gui.widget import SegmentWidget

if TYPE_CHECKING:
    import napari
    from qtpy.QtWidgets import QWidget


class ClickDock(QObject):
    """Knows the dock for clicks in the window of another one, which may come and go.

    Parameters
    ----------
    viewer
        Where it is opened.
    beside
        The dock that asks; parent of this.

    Attributes
    ----------
    heard
        The dock that is heard of; None for none yet.
    """

    appeared = Signal(object)  # a dock that is to be told of everything
    work_changed = Signal()
    colored = Signal(object)  # the view
    proposed = Signal()
    said = Signal(str)  # its status line, while it is hidden; empty for nothing

    def __init__(self, viewer: napari.viewer.Viewer, beside: QWidget) -> None:
        super().__init__(beside)
        self._viewer, self._beside = viewer, beside
        self.heard: SegmentWidget | None = None
        self._connected: SegmentWidget | None = None
        self._tab_soon = debounce(self, lambda: tabify(beside))

    def find(self, make: bool = False) -> SegmentWidget | None:
        """Return the dock.

        Parameters
        ----------
        make
            Open it if it is not open.
        """
        window: Any = self._beside.window()
        with suppress(RuntimeError):  # Qt may have deleted it
            if self.heard is not None and self.heard.window() == window:
                return self.heard
        found = next(iter(window.findChildren(SegmentWidget)), None)
        if found is None and make:
            _, found = self._viewer.window.add_plugin_dock_widget(PLUGIN, WIDGET)
            self._tab_soon.start()
        if found is not None and found is not self.heard:
            self.heard = found
            self._hear(found)
            self.appeared.emit(found)
        return found

    def tell_anew(self) -> None:
        """Let the dock appear once more, the next time it is asked for."""
        self.heard = None

    def release(self) -> None:
        """Hear no more of it: its session may outlive this."""
        self.heard = None
        if self._connected is not None:
            with suppress(ValueError, TypeError, RuntimeError):
                self._connected.session.coloring_changed.disconnect(self._colored)
            self._connected = None

    def _hear(self, dock: SegmentWidget) -> None:
        if dock is not self._connected:
            self._connected = dock
            dock.keeper.changed.connect(self.work_changed)
            dock.session.coloring_changed.connect(self._colored)
            dock.bridge.controller.review.changed.connect(self.proposed)
            dock.status.told.connect(self._said)

    def _said(self, text: str) -> None:
        dock = self._connected
        with suppress(RuntimeError):  # Qt may have deleted it
            if dock is not None and dock.visibleRegion().isEmpty():
                self.said.emit(text)

    def work_text(self) -> tuple[str, str]:
        """Say how far the picture in view is, and where that is kept."""
        dock = self.heard
        try:
            if dock is None:
                return "", ""
            mark = dock.objects.saving.mark
            parts = dock.review.counter.text(), mark.text()
            return " · ".join(one for one in parts if one), mark.toolTip()
        except RuntimeError:  # Qt has deleted it
            return "", ""

    def _colored(self, view: object) -> None:
        self.colored.emit(view)
