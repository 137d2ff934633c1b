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

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from qtpy.QtWidgets import QWidget


class CanvasContext:
    """Makes the context of the canvas current before napari cleans up after a layer.

    Parameters
    ----------
    viewer
        Whose layers.
    widget
        In the same window as the canvas, sooner or later.
    """

    def __init__(self, viewer: ViewerModel, widget: QWidget) -> None:
        self._viewer, self._widget = viewer, widget
        # napari's own listeners always come first. Before one removal ours are called
        # in time all the same; of several the canvas hears after the last.
        for event in self._events():
            event.connect(self._make_current)

    def close(self) -> None:
        """Stop doing so."""
        for event in self._events():
            event.disconnect(self._make_current)

    def _events(self) -> tuple[Any, ...]:
        events = self._viewer.layers.events
        return events.removing, events.removed

    def _make_current(self, _event: object = None) -> None:
        from qtpy.QtOpenGLWidgets import QOpenGLWidget

        with suppress(RuntimeError):  # Qt may have deleted the window
            for canvas in self._widget.window().findChildren(QOpenGLWidget):
                if canvas.isValid():
                    canvas.makeCurrent()
                    return
