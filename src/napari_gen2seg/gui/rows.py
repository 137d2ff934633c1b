"""Small pieces that the panels share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QMessageBox,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)
from superqt import QCollapsible

if TYPE_CHECKING:
    from collections.abc import Callable

    from qtpy.QtWidgets import QComboBox


class Panel(QWidget):
    """A titled part of the dock widget.

    Parameters
    ----------
    title
        What one does here, in a word or two; none for an inner part.
    """

    def __init__(self, title: str = "") -> None:
        super().__init__()
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(0, 0, 0, 2)
        self.column.setSpacing(4)
        if title:
            heading = QLabel(title)
            font = heading.font()
            font.setBold(True)
            heading.setFont(font)
            self.column.addWidget(heading)

    def add_row(self, *widgets: QWidget, label: str | None = None) -> QHBoxLayout:
        """Add widgets side by side; the last one takes the room there is."""
        row = QHBoxLayout()
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(6)
        if label is not None:
            text = QLabel(label)
            text.setMinimumWidth(58)
            row.addWidget(text)
        for widget in widgets:
            row.addWidget(widget, 1 if widget is widgets[-1] else 0)
        self.column.addLayout(row)
        return row


def quiet_label(text: str = "") -> QLabel:
    """Return a label for explanations: wrapped, narrow if need be."""
    label = QLabel(text)
    label.setWordWrap(True)
    label.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
    label.setMinimumWidth(40)
    return label


def fold(title: str, *panels: Panel) -> QCollapsible:
    """Return panels under a title that folds them away; folded at first."""
    folded = QCollapsible(title)
    folded.setDuration(0)
    folded.layout().setContentsMargins(0, 0, 0, 0)
    for panel in panels:
        folded.addWidget(panel)
    return folded


def shrink(combo: QComboBox) -> QComboBox:
    """Let a drop-down be narrower than its longest entry."""
    combo.setMinimumContentsLength(4)
    combo.setSizeAdjustPolicy(
        combo.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
    )
    combo.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
    return combo


def ask(parent: QWidget, title: str, text: str, yes: Callable[[], None]) -> None:
    """Ask yes or no, no being the default, without blocking the window."""
    box = QMessageBox(parent)
    box.setWindowTitle(title)
    box.setText(text)
    box.setStandardButtons(
        QMessageBox.StandardButton.Yes | QMessageBox.StandardButton.No
    )
    box.setDefaultButton(QMessageBox.StandardButton.No)
    box.finished.connect(
        lambda answer: yes() if answer == QMessageBox.StandardButton.Yes else None
    )
    box.open()
