"""A simulated person: moves, clicks and presses keys on the real canvas.

The only place that knows napari's private canvas.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QEvent, QPoint, QPointF, Qt, QTimer
from qtpy.QtGui import QCursor, QMouseEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication
from tests.helpers.waiting import BACKSTOP_MS

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

SHIFT = Qt.KeyboardModifier.ShiftModifier
CONTROL = Qt.KeyboardModifier.ControlModifier


class Person:
    """Works in a shown viewer as a person would.

    Positions are (row, column) in the world of the two displayed axes.
    """

    def __init__(self, viewer: Any, qtbot: QtBot) -> None:
        self.viewer = viewer
        self.bot = qtbot
        viewer.window.resize(900, 560)
        self.wait(100)
        viewer.reset_view()
        self.wait(30)

    @property
    def canvas(self) -> Any:
        return self.viewer.window._qt_viewer.canvas

    def wait(self, milliseconds: int = 30) -> None:
        self.bot.wait(milliseconds)

    def until(self, ready: Any, timeout: int = BACKSTOP_MS) -> None:
        self.bot.waitUntil(lambda: bool(ready()), timeout=timeout)

    def place(self, row: float, col: float) -> QPoint:
        x, y = self.canvas.view.scene.transform.map([col, row])[:2]
        return QPoint(round(x), round(y))

    def still(self, row: float, col: float) -> None:
        """Wait until the canvas has its size: a sentence in the dock may move it."""
        before = None
        while (now := self.place(row, col)) != before:
            before = now
            self.wait(10)

    def move(self, row: float, col: float, wait: int = 40) -> None:
        self.still(row, col)
        native, place = self.canvas.native, self.place(row, col)
        if native.mapFromGlobal(QCursor.pos()) == place:
            # Left there by somebody else: Qt would take it for no move.
            QTest.mouseMove(native, place + QPoint(1, 1))
        QTest.mouseMove(native, place)
        self.wait(wait)
        self.settle()

    def lit(self, at: tuple[int, int], value: int | None = None) -> bool:
        """Wait until the preview shows something (or a value) at a place."""

        def ready() -> bool:
            preview = self.layer("preview")
            if preview is None:
                return False
            now = preview.data[at]
            return now > 0 if value is None else now == value

        self.until(ready)
        return True

    def settle(self) -> None:
        """Wait until what was asked for has been done."""
        self.wait(10)
        self.until(lambda: not any(timer.isActive() for timer in self._timers()))
        self.wait(10)

    def _timers(self) -> list[QTimer]:
        from napari_gen2seg.gui.annotate.bridge import Bridge

        bridges = self.viewer.window._qt_window.findChildren(Bridge)
        return [timer for one in bridges for timer in one.findChildren(QTimer)]

    def click(self, row: float, col: float, modifier: Any = None) -> None:
        self.move(row, col, 15)
        held = Qt.KeyboardModifier.NoModifier if modifier is None else modifier
        button = Qt.MouseButton.LeftButton
        QTest.mouseClick(self.canvas.native, button, held, self.place(row, col))
        self.settle()

    def drag(self, places: list[tuple[float, float]], modifier: Any = None) -> None:
        """Draw over places, the left button held down."""
        held = Qt.KeyboardModifier.NoModifier if modifier is None else modifier
        button, native = Qt.MouseButton.LeftButton, self.canvas.native
        self.move(*places[0])
        QTest.mousePress(native, button, held, self.place(*places[0]))
        for place in places[1:]:
            at = QPointF(self.place(*place))
            moved = QMouseEvent(
                QEvent.Type.MouseMove,
                at,
                QPointF(native.mapToGlobal(at.toPoint())),
                button,
                button,
                held,
            )
            QApplication.sendEvent(native, moved)
            self.wait(15)
        QTest.mouseRelease(native, button, held, self.place(*places[-1]))
        self.settle()

    def press(self, key: Any, modifier: Any = None) -> None:
        held = Qt.KeyboardModifier.NoModifier if modifier is None else modifier
        QTest.keyClick(self.canvas.native, key, held)
        self.settle()

    def roles(self) -> list[str]:
        """What the layers are for, from the bottom to the top; images have no role."""
        known = ("napari-gen2seg", {})
        return [one.metadata.get(*known).get("role", "") for one in self.viewer.layers]

    def layer(self, role: str) -> Any:
        """The plugin's layer of a role, or None."""
        for layer in self.viewer.layers:
            if layer.metadata.get("napari-gen2seg", {}).get("role") == role:
                return layer
        return None
