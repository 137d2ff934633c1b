"""A dock widget that notices when it is taken out of the window."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from qtpy.QtCore import QCoreApplication, QEvent, Qt, QTimer, Signal
from qtpy.QtWidgets import QDockWidget, QLabel, QMainWindow, QWidget

from napari_gen2seg.gui.qt_threads import debounce

if TYPE_CHECKING:
    from qtpy.QtGui import QCloseEvent

_PLACE = QEvent.Type.User
_AT_ONCE = 1  # before the window's own LayoutRequest, which has priority 0
_OURS = re.compile(r" \((napari-)?gen2seg\)$")  # what napari puts behind each name


class Docked(QWidget):
    """Opens as a tab beside the docks that are there, and says when it has left.

    Two docks below each other have no room on a small screen: the window would grow
    beyond its edge. Once it has left, it can let go of everything.
    """

    left = Signal()  # may come more than once

    def __init__(self) -> None:
        super().__init__()
        self._left_soon = debounce(self, self._maybe_left)
        self._placed = False

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802 - Qt's name
        """Notice that the dock was removed, which napari does without closing."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.ParentChange:
            self._left_soon.start()
            if not self._placed:
                QCoreApplication.postEvent(self, QEvent(_PLACE), _AT_ONCE)

    def customEvent(self, event: QEvent) -> None:  # noqa: N802 - Qt's name
        """Become a tab before the window is laid out: it would grow for two docks."""
        if event.type() == _PLACE and not self._placed:
            self._placed = tabify(self)
            dock = _dock_of(self)
            if self._placed and dock is not None:
                _shorten_title(dock)

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802 - Qt's name
        """Notice that the dock is closed for good."""
        self.left.emit()
        super().closeEvent(event)

    def _maybe_left(self) -> None:
        if self.parent() is None:
            self.left.emit()


def tabify(widget: QWidget) -> bool:
    """Make the dock of a widget a tab beside those of ours on the same side.

    Returns
    -------
    bool
        Whether it is in a window by now; a tab only if there is another one.
    """
    window, mine = widget.window(), _dock_of(widget)
    if mine is None or not isinstance(window, QMainWindow):
        return False
    side = window.dockWidgetArea(mine)
    if side == Qt.DockWidgetArea.BottomDockWidgetArea:
        _keep_sides_whole(window)
    for other in window.findChildren(Docked):
        dock = _dock_of(other)
        if dock is None or dock is mine or dock.isHidden() or dock.isFloating():
            continue
        if window.dockWidgetArea(dock) != side:  # the table below the canvas
            continue
        if mine not in window.tabifiedDockWidgets(dock):
            window.tabifyDockWidget(dock, mine)
        QTimer.singleShot(0, mine.raise_)  # the tab is made when Qt lays them out
        break
    return True


def _shorten_title(dock: QDockWidget) -> None:
    """Leave the plugin's name out of title bar and tab, which are too narrow for it.

    It stays in the menus, where docks of several plugins lie side by side.
    """
    whole = dock.windowTitle()
    short = _OURS.sub("", whole)
    if short == whole:
        return

    def rename(*_: object) -> None:
        bar = dock.titleBarWidget()
        labels = [] if bar is None else bar.findChildren(QLabel)
        for label in labels:
            if label.text() == whole:
                label.setText(short)
                label.setToolTip(whole)

    rename()
    dock.setWindowTitle(short)
    dock.toggleViewAction().setText(whole)
    # napari makes another title bar when the dock floats, or comes to another side.
    dock.topLevelChanged.connect(rename)
    dock.dockLocationChanged.connect(rename)


def _keep_sides_whole(window: QMainWindow) -> None:
    """Let a dock below end at the canvas: napari's own controls fill a laptop's height.

    Across the whole width it would come on top of them, and the window would grow
    beyond the screen (measured with the controls of a volume).
    """
    for corner, side in (
        (Qt.Corner.BottomLeftCorner, Qt.DockWidgetArea.LeftDockWidgetArea),
        (Qt.Corner.BottomRightCorner, Qt.DockWidgetArea.RightDockWidgetArea),
    ):
        window.setCorner(corner, side)


def main_window(widget: QWidget) -> QWidget:
    """Return the window that a dock belongs to, also while it floats."""
    window = widget.window()
    parent = window.parentWidget()
    return window if parent is None else parent.window()


def _dock_of(widget: QWidget) -> QDockWidget | None:
    parent = widget.parentWidget()
    while parent is not None and not isinstance(parent, QDockWidget):
        parent = parent.parentWidget()
    return parent
