"""Worker threads whose replies arrive in the Qt thread; calls that are merged."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QObject, Qt, QTimer, Signal

from napari_gen2seg.session import Lane

if TYPE_CHECKING:
    from collections.abc import Callable


class Mailbox(QObject):
    """Carries calls from any thread to the one it lives in.

    Once closed, or once Qt has deleted it, calls are dropped: whoever would have
    received them is gone.
    """

    _arrived = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._open = True
        self._arrived.connect(self._make, Qt.ConnectionType.QueuedConnection)

    def post(self, call: Callable[[], None]) -> None:
        """Make the call soon, in this object's thread."""
        if not self._open:
            return
        try:
            self._arrived.emit(call)
        except RuntimeError:  # Qt deleted this object while the work went on
            self._open = False

    def close(self) -> None:
        """Drop what is on its way and what may come."""
        self._open = False

    def _make(self, call: Callable[[], None]) -> None:
        if self._open:
            call()


def lane(mailbox: Mailbox, name: str) -> Lane:
    """Return a lane that replies through a mailbox."""
    return Lane(mailbox.post, name)


def debounce(parent: QObject, call: Callable[[], None], pause: int = 0) -> QTimer:
    """Return a timer that merges many starts into one call, ``pause`` ms later."""
    timer = QTimer(parent)
    timer.setSingleShot(True)
    timer.setInterval(pause)
    timer.timeout.connect(call)
    return timer
