"""Widgets that the panels share: column, panel, labels, questions, pixmaps."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from qtpy.QtCore import QEvent, QSize, Qt
from qtpy.QtGui import QImage, QPixmap
from qtpy.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QMessageBox,
    QScrollArea,
    QSizePolicy,
    QStyle,
    QVBoxLayout,
    QWidget,
)
from superqt import QCollapsible

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt
    from qtpy.QtCore import QObject
    from qtpy.QtGui import QShowEvent
    from qtpy.QtWidgets import QComboBox, QWidget


_SENTENCE = 240  # pixels


class Column(QScrollArea):
    """Scrolls up and down, never sideways: as wide as its panels need.

    Parameters
    ----------
    panels
        From top to bottom.
    """

    def __init__(self, panels: Sequence[Panel]) -> None:
        super().__init__()
        inside = _Inside()
        column = QVBoxLayout(inside)
        column.setContentsMargins(6, 6, 6, 6)
        column.setSpacing(4)
        for place, panel in enumerate(panels):
            if place:
                line = QFrame()
                line.setFrameShape(QFrame.Shape.HLine)
                panel.column.insertWidget(0, line)  # hidden together with its panel
            column.addWidget(panel)
        column.addStretch(1)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidget(inside)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 - Qt's name
        """Be as wide as the panels need in the style that comes with the dock."""
        super().showEvent(event)
        self._fit()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        """Be as wide as a row needs that appears later, or whose text is longer now."""
        done: bool = super().eventFilter(watched, event)
        if event.type() == QEvent.Type.LayoutRequest and self.isVisible():
            self._fit()
        return done

    def _fit(self) -> None:
        spacing = QStyle.PixelMetric.PM_ScrollView_ScrollBarSpacing
        bar = self.verticalScrollBar().sizeHint().width()
        bar += max(self.style().pixelMetric(spacing, None, self), 0)
        beside = max(bar, self.width() - self.viewport().width())  # as it is drawn
        need = self.widget().minimumSizeHint().width() + beside
        self.setMinimumWidth(max(280, need))


class _Inside(QWidget):
    """What scrolls: as high as its sentences need at the width that they have.

    Qt's own least height is that of all wrapped texts at their least width.
    """

    def minimumSizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Return the least size."""
        size, layout = super().minimumSizeHint(), self.layout()
        if layout is not None and layout.hasHeightForWidth():
            width = max(self.width(), size.width())
            size.setHeight(min(size.height(), layout.heightForWidth(width)))
        return size


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
    _wrap(label)
    label.setMinimumWidth(40)
    return label


def told_label(text: str = "") -> QLabel:
    """Return a label for sentences, outside of what scrolls.

    Qt asks a window to be as high as a wrapped text is at its least width: narrow, a
    long sentence would push the window over the edge of the screen.
    """
    label = QLabel(text)
    wrapped_sentence(label)
    return label


def wrapped_sentence(label: QLabel) -> None:
    """Wrap what a label says, as `told_label` does."""
    _wrap(label)
    label.setMinimumWidth(_SENTENCE)


def _wrap(label: QLabel) -> None:
    """Wrap a text, as high as it is at the width that it gets."""
    label.setWordWrap(True)
    policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
    policy.setHeightForWidth(True)  # a policy that is set forgets it
    label.setSizePolicy(policy)


def fold(title: str, *panels: Panel) -> QCollapsible:
    """Return panels under a title that folds them away; folded at first."""
    folded = QCollapsible(title, expandedIcon="▼", collapsedIcon="▶")
    folded.setDuration(0)
    folded.layout().setContentsMargins(0, 0, 0, 0)
    for panel in panels:
        folded.addWidget(panel)
    # Folded away it would have no height, but Tab would still visit it.
    inside = folded.content()
    inside.setVisible(False)
    folded.toggled.connect(inside.setVisible)
    return folded


def pixmap_of(rgb: npt.NDArray[np.uint8]) -> QPixmap:
    """Turn uint8 (h, w, 3) into what a label or a painter can show."""
    data = np.ascontiguousarray(rgb)
    height, width = data.shape[:2]
    image = QImage(data.data, width, height, 3 * width, QImage.Format.Format_RGB888)
    return QPixmap.fromImage(image.copy())  # the array may go


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


def choose(
    parent: QWidget, title: str, text: str, answers: Mapping[str, Callable[[], None]]
) -> None:
    """Ask without blocking the window; Cancel is the default and does nothing.

    Parameters
    ----------
    parent
        Over what it opens.
    title, text
        The question.
    answers
        Text of a button -> what is done.
    """
    box = QMessageBox(parent)
    box.setWindowTitle(title)
    box.setText(text)
    doers = {
        box.addButton(name, QMessageBox.ButtonRole.ActionRole): do
        for name, do in answers.items()
    }
    box.setDefaultButton(box.addButton(QMessageBox.StandardButton.Cancel))

    def finished(_: int) -> None:
        for button, do in doers.items():
            if button is box.clickedButton():
                do()

    box.finished.connect(finished)
    box.open()
