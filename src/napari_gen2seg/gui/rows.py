"""Small pieces that the panels share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

if TYPE_CHECKING:
    from qtpy.QtWidgets import QComboBox


class Panel(QWidget):
    """A titled part of the dock widget.

    Parameters
    ----------
    title
        What one does here, in a word or two.
    """

    def __init__(self, title: str) -> None:
        super().__init__()
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(0, 0, 0, 6)
        self.column.setSpacing(5)
        heading = QLabel(title)
        font = heading.font()
        font.setBold(True)
        font.setPointSizeF(font.pointSizeF() * 1.1)
        heading.setFont(font)
        self.column.addWidget(heading)

    def add_row(self, *widgets: QWidget, label: str | None = None) -> QHBoxLayout:
        """Add widgets side by side; the last one takes the room there is."""
        row = QHBoxLayout()
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(6)
        if label is not None:
            text = QLabel(label)
            text.setMinimumWidth(66)
            row.addWidget(text)
        for widget in widgets:
            row.addWidget(widget, 1 if widget is widgets[-1] else 0)
        self.column.addLayout(row)
        return row


def quiet_label(text: str = "") -> QLabel:
    """Return a label for explanations: wrapped, and a little fainter."""
    label = QLabel(text)
    label.setWordWrap(True)
    label.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
    label.setStyleSheet("color: palette(mid); color: rgba(200, 205, 215, 190);")
    return label


def shrink(combo: QComboBox) -> QComboBox:
    """Let a drop-down be narrower than its longest entry."""
    combo.setMinimumContentsLength(8)
    combo.setSizeAdjustPolicy(
        combo.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
    )
    combo.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
    return combo
