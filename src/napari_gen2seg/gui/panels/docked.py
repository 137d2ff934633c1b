"""A dock widget that notices when it is taken out of the window."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QEvent, Signal
from qtpy.QtWidgets import QWidget

from napari_gen2seg.gui.qt_threads import debounce

if TYPE_CHECKING:
    from qtpy.QtGui import QCloseEvent


class Docked(QWidget):
    """Says when it has left the window, so that it can let go of everything."""

    left = Signal()  # may come more than once

    def __init__(self) -> None:
        super().__init__()
        self._left_soon = debounce(self, self._maybe_left)

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802 - Qt's name
        """Notice that the dock was removed, which napari does without closing."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.ParentChange:
            self._left_soon.start()

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802 - Qt's name
        """Notice that the dock is closed for good."""
        self.left.emit()
        super().closeEvent(event)

    def _maybe_left(self) -> None:
        if self.parent() is None:
            self.left.emit()
