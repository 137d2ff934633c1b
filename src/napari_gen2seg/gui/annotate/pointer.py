"""Mouse position and clicks on the canvas, whichever layer is selected."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QObject, QTimer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from napari.components import ViewerModel

STROKE = "Control"  # modifier with which a drag is a stroke
NEGATIVE = ("Shift", "Alt")  # modifiers that turn a click into a negative one
CLICK = 5  # pixels of the screen that a click may move, as napari has it
LONGEST_PAUSE = 0.1  # seconds between two previews when each is slow
SLOW = 0.02  # seconds


class Pointer(QObject):
    """Calls back with the latest position; older ones are never queued.

    A move is answered at once, before the window spends its time on drawing. Moves
    that pile up meanwhile are merged into one. When previews are slow, as many
    milliseconds are left to the window as the last one took.

    Parameters
    ----------
    viewer
        Whose pointer.
    moved
        Called with the world position, and with the names of the modifiers held.
    parent
        Deleted with it.
    """

    def __init__(
        self,
        viewer: ViewerModel,
        moved: Callable[[tuple[float, ...], frozenset[str]], None],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._moved = moved
        self._latest: tuple[tuple[float, ...], frozenset[str]] | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._now)
        viewer.mouse_move_callbacks.append(self._seen)

    def close(self) -> None:
        """Stop listening."""
        with suppress(RuntimeError):  # Qt deletes timers together with their window
            self._timer.stop()
        self._latest = None
        if self._seen in self._viewer.mouse_move_callbacks:
            self._viewer.mouse_move_callbacks.remove(self._seen)

    def _seen(self, _viewer: object, event: Any) -> None:
        if event.dims_displayed is not None and len(event.dims_displayed) != 2:
            return
        held = frozenset(str(getattr(key, "name", key)) for key in event.modifiers)
        self._latest = tuple(float(x) for x in event.position), held
        if not self._timer.isActive():
            self._now()

    def _now(self) -> None:
        latest, self._latest = self._latest, None
        if latest is None:
            return
        start = time.perf_counter()
        self._moved(*latest)
        cost = time.perf_counter() - start
        pause = min(cost, LONGEST_PAUSE) if cost > SLOW else 0.0
        self._timer.start(round(1000 * pause))


class ClickListener:
    """Calls back with a click: pressed and let go without moving, left button.

    One with Control held is a stroke's (`StrokeListener`).

    Parameters
    ----------
    viewer
        Whose canvas.
    clicked
        Called with the world position, and -1 where a modifier asks to leave out.
    """

    def __init__(
        self,
        viewer: ViewerModel,
        clicked: Callable[[tuple[float, ...], int], None],
    ) -> None:
        self._viewer = viewer
        self._clicked = clicked
        viewer.mouse_drag_callbacks.append(self._seen)

    def close(self) -> None:
        """Stop listening."""
        if self._seen in self._viewer.mouse_drag_callbacks:
            self._viewer.mouse_drag_callbacks.remove(self._seen)

    def _seen(self, _viewer: object, event: Any) -> Iterator[None]:
        flat = event.dims_displayed is None or len(event.dims_displayed) == 2
        if not flat or event.button != 1:
            return
        held = {str(getattr(key, "name", key)) for key in event.modifiers}
        if STROKE in held:
            return
        position = tuple(float(x) for x in event.position)
        yield
        if event.type == "mouse_release":  # and not "mouse_move": that is a drag
            self._clicked(position, -1 if held & set(NEGATIVE) else 1)


class StrokeListener:
    """Calls back with a stroke: a drag that nothing else is to hear of, left button.

    The canvas does not move meanwhile, and the selected layer rests: no point is added,
    no pixel painted.

    Parameters
    ----------
    viewer
        Whose canvas.
    wanted
        Asked at its start, with the names of the modifiers held, whether it is one.
    drawing
        Called with the world positions so far while it is drawn.
    drawn
        Called with them at its end, and -1 where a modifier asks to leave out. One
        alone is a click: pressed and let go almost in one place.
    """

    def __init__(
        self,
        viewer: ViewerModel,
        wanted: Callable[[frozenset[str]], bool],
        drawing: Callable[[list[tuple[float, ...]]], None],
        drawn: Callable[[list[tuple[float, ...]], int], None],
    ) -> None:
        self._viewer = viewer
        self._wanted, self._drawing, self._drawn = wanted, drawing, drawn
        # Before those of layers, which are heard of a press after this.
        viewer.mouse_drag_callbacks.append(self._seen)

    def close(self) -> None:
        """Stop listening."""
        if self._seen in self._viewer.mouse_drag_callbacks:
            self._viewer.mouse_drag_callbacks.remove(self._seen)

    def _seen(self, _viewer: object, event: Any) -> Iterator[None]:
        flat = event.dims_displayed is None or len(event.dims_displayed) == 2
        held = frozenset(str(getattr(key, "name", key)) for key in event.modifiers)
        if not flat or event.button != 1 or not self._wanted(held):
            return
        sign = -1 if held & set(NEGATIVE) else 1
        stroke = [tuple(float(x) for x in event.position)]
        start, far = np.asarray(event.pos, float), False
        layer = self._viewer.layers.selection.active
        mode = getattr(layer, "mode", None)
        if mode is not None:
            layer.mode = "pan_zoom"
        try:
            yield
            while event.type == "mouse_move":
                event.handled = True  # or the canvas would move along
                moved = float(np.linalg.norm(np.asarray(event.pos, float) - start))
                far = far or moved >= CLICK
                if far:
                    stroke.append(tuple(float(x) for x in event.position))
                    self._drawing(stroke)
                yield
        finally:
            if mode is not None and layer.mode == "pan_zoom":
                layer.mode = mode
        self._drawn(stroke, sign)
