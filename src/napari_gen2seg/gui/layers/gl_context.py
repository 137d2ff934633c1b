"""The canvas's OpenGL context is the current one when napari removes a layer.

napari 0.9 hands all waiting OpenGL commands over whenever a layer goes, outside of any
draw. By then Qt has made its own context the current one, the one it puts the window
together with, so buffers of layers that stay are changed, and those of the layer that
goes are deleted, behind the back of the canvas, whose next draw may read memory that
is gone: a segmentation fault (docs/decisions/0026-the-canvas-draws-what-is-gone.md).
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from qtpy.QtWidgets import QWidget


class CanvasContext(QObject):
    """Makes the context of the canvas current before napari cleans up after a layer.

    It outlives the dock and ends with the window: what the dock drew may still wait to
    be handed over when somebody removes its layers later.

    Parameters
    ----------
    viewer
        Whose layers.
    widget
        In the same window as the canvas, sooner or later.
    """

    def __init__(self, viewer: ViewerModel, widget: QWidget) -> None:
        super().__init__()
        self._viewer: ViewerModel | None = viewer
        self._widget: QWidget | None = widget
        # napari's own listeners always come first. Before one removal ours are called
        # in time all the same; of several the canvas hears after the last.
        for event in self._events(viewer):
            event.connect(self._make_current)

    def close(self) -> None:
        """Go on without the dock, unless one that was closed before does so already."""
        if self._viewer is None or self._widget is None:
            return
        with suppress(RuntimeError):  # Qt may have deleted the dock
            window = self._widget.window()
            others = any(isinstance(one, CanvasContext) for one in window.children())
            if window is not self._widget and not others:
                self.setParent(window)
                self._viewer = self._widget = None  # holds nothing, and is found by it
                return
        for event in self._events(self._viewer):
            event.disconnect(self._make_current)

    @staticmethod
    def _events(viewer: ViewerModel) -> tuple[Any, ...]:
        events = viewer.layers.events
        return events.removing, events.removed

    def _make_current(self, _event: object = None) -> None:
        from qtpy.QtOpenGLWidgets import QOpenGLWidget

        with suppress(RuntimeError):  # Qt may have deleted the window
            place = self.parent() if self._widget is None else self._widget.window()
            for canvas in place.findChildren(QOpenGLWidget) if place else ():
                if canvas.isValid():
                    canvas.makeCurrent()
                    return
