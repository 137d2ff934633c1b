"""Status line of the dock: what just happened, and no longer than it is true."""

from __future__ import annotations

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QLabel

from napari_gen2seg.gui.panels.widgets import wrapped_sentence

_LINES, _MOST = 3, 6  # that stay free for sentences, at first and at most


class StatusLine(QLabel):
    """Shows one sentence; each kind goes when something makes it untrue.

    What an act did, or why it did nothing, stays until the next act. What waited for
    something, and what went wrong, goes also when that has come. What is under the
    pointer goes with the pointer.
    """

    told = Signal(str)  # what is said now; empty for nothing

    def __init__(self) -> None:
        super().__init__()
        wrapped_sentence(self)
        self.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
        self._reserve()
        self._waiting = self._pointed = ""

    def setText(self, text: str) -> None:  # noqa: N802 - Qt's name
        """Show a sentence, and tell who shows it too."""
        super().setText(text)
        self._reserve()
        self.told.emit(text)

    def clear(self) -> None:
        """Say nothing."""
        self.setText("")

    def _reserve(self) -> None:
        """Keep the lines that a sentence took, or what is above would jump."""
        line = self.fontMetrics().lineSpacing()
        need = self.heightForWidth(max(self.width(), self.minimumWidth()))
        least = max(self.minimumHeight(), need, _LINES * line)
        self.setMinimumHeight(min(least, _MOST * line))

    def say(self, text: str) -> None:
        """Say what an act did, or why it did nothing."""
        self.setText(text)

    def wait_for(self, text: str) -> None:
        """Say what is wrong or missing until something has come."""
        self._waiting = text
        self.setText(text)

    def point(self, text: str) -> None:
        """Say what is under the pointer; "" takes that back, and nothing else."""
        if text or self.text() == self._pointed:
            self.setText(text)
        self._pointed = text

    def act(self) -> None:
        """Begin another act: what was said of the last one is over."""
        self.clear()

    def come(self) -> None:
        """Take back what waited for something that has come now."""
        if self.text() == self._waiting:
            self.clear()
