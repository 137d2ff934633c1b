"""A simulated person: moves, clicks and presses keys on the real canvas.

The only place that knows napari's private canvas.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest

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
        viewer.window.resize(1000, 700)
        self.wait(120)

    @property
    def canvas(self) -> Any:
        return self.viewer.window._qt_viewer.canvas

    def wait(self, milliseconds: int = 30) -> None:
        self.bot.wait(milliseconds)

    def until(self, ready: Any, timeout: int = 8000) -> None:
        self.bot.waitUntil(lambda: bool(ready()), timeout=timeout)

    def place(self, row: float, col: float) -> QPoint:
        x, y = self.canvas.view.scene.transform.map([col, row])[:2]
        return QPoint(round(x), round(y))

    def move(self, row: float, col: float, wait: int = 40) -> None:
        QTest.mouseMove(self.canvas.native, self.place(row, col))
        self.wait(wait)

    def click(self, row: float, col: float, modifier: Any = None) -> None:
        self.move(row, col, 15)
        held = Qt.KeyboardModifier.NoModifier if modifier is None else modifier
        button = Qt.MouseButton.LeftButton
        QTest.mouseClick(self.canvas.native, button, held, self.place(row, col))
        self.wait()

    def press(self, key: Any, modifier: Any = None) -> None:
        held = Qt.KeyboardModifier.NoModifier if modifier is None else modifier
        QTest.keyClick(self.canvas.native, key, held)
        self.wait()

    def layer(self, role: str) -> Any:
        """The plugin's layer of a role, or None."""
        for layer in self.viewer.layers:
            if layer.metadata.get("napari-gen2seg", {}).get("role") == role:
                return layer
        return None
