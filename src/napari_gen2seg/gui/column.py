"""Panels one below the other, with lines between, scrolled where they do not fit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget

if TYPE_CHECKING:
    from qtpy.QtGui import QShowEvent


class Column(QScrollArea):
    """Scrolls up and down, never sideways: as wide as its panels need.

    Parameters
    ----------
    panels
        From top to bottom.
    """

    def __init__(self, panels: Sequence[QWidget]) -> None:
        super().__init__()
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.setContentsMargins(6, 6, 6, 6)
        column.setSpacing(4)
        for place, panel in enumerate(panels):
            if place:
                line = QFrame()
                line.setFrameShape(QFrame.Shape.HLine)
                column.addWidget(line)
            column.addWidget(panel)
        column.addStretch(1)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidget(inside)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 - Qt's name
        """Be as wide as the panels need in the style that comes with the dock."""
        super().showEvent(event)
        bar = self.verticalScrollBar().sizeHint().width()
        need = self.widget().minimumSizeHint().width() + bar
        self.setMinimumWidth(max(280, need))
