"""A graph that grows while a model trains."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from qtpy.QtCore import QPointF, QRectF, Qt
from qtpy.QtGui import QColor, QPainter, QPen, QPolygonF
from qtpy.QtWidgets import QSizePolicy, QWidget

if TYPE_CHECKING:
    from qtpy.QtGui import QPaintEvent

Points = list[tuple[float, float]]
FAINT, BEST = QColor(128, 128, 140, 90), QColor(255, 209, 26)
LEFT, TOP, BOTTOM, RIGHT = 44, 22, 18, 8  # pixels around the graph


class Chart(QWidget):
    """Draws one quantity against the steps.

    Parameters
    ----------
    title
        Above the graph.
    color
        Of the line.
    low, high
        Fixed ends of the axis; None takes them from the values.
    dots
        Mark every value; else a smooth line is drawn over faint ones.
    """

    def __init__(
        self,
        title: str,
        color: QColor,
        low: float | None = None,
        high: float | None = None,
        dots: bool = False,
    ) -> None:
        super().__init__()
        self._title, self._color, self._dots = title, color, dots
        self._low, self._high = low, high
        self.points: Points = []
        self.best: float | None = None  # step of the best value
        self.base: float | None = None  # value before training
        self.last_step = 1.0
        self.decimals: int | None = None  # of the axis; None: as many as it takes
        self.setMinimumHeight(96)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def add(self, step: float, value: float | None) -> None:
        """Add a value; a step back (after a resume) drops what came later."""
        while self.points and self.points[-1][0] >= step:
            self.points.pop()
        if value is not None and math.isfinite(value):
            self.points.append((step, value))
        self.update()

    def clear(self) -> None:
        """Forget everything."""
        self.points, self.best, self.base = [], None, None
        self.last_step = 1.0
        self.update()

    def reach(self, steps: float | None) -> None:
        """Let the axis end at a number of steps."""
        self.last_step = float(steps or 1)
        self.update()

    # ---- drawing

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Draw."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        text = self.palette().windowText().color()
        frame = QRectF(self.rect()).adjusted(LEFT, TOP, -RIGHT, -BOTTOM)
        painter.setPen(text)
        painter.drawText(
            QRectF(LEFT, 0, frame.width(), TOP),
            Qt.AlignmentFlag.AlignVCenter,
            self._title,
        )
        painter.setPen(QPen(FAINT))
        painter.drawRect(frame)
        if not self.points:
            painter.setPen(text)  # the frame's colour is too faint to read
            painter.drawText(frame, Qt.AlignmentFlag.AlignCenter, "not yet")
            return
        low, high = self._ends()
        last = max(self.last_step, self.points[-1][0], 1.0)

        def place(step: float, value: float) -> QPointF:
            share = min(max((value - low) / (high - low), 0.0), 1.0)
            return QPointF(
                frame.left() + frame.width() * step / last,
                frame.bottom() - frame.height() * share,
            )

        self._draw_axes(painter, frame, low, high, last)
        if self.base is not None:
            painter.setPen(QPen(text, 1, Qt.PenStyle.DashLine))
            at = place(0, self.base).y()
            painter.drawLine(QPointF(frame.left(), at), QPointF(frame.right(), at))
        columns = max(int(frame.width()), 1) / last
        line = [place(*point) for point in thinned(self.points, columns)]
        if self._dots:
            painter.setPen(QPen(self._color, 2))
            painter.drawPolyline(QPolygonF(line))
            painter.setBrush(self._color)
            for at_point in line:
                painter.drawEllipse(at_point, 2.5, 2.5)
        else:
            faint = QColor(self._color)
            faint.setAlpha(80)
            painter.setPen(QPen(faint, 1))
            painter.drawPolyline(QPolygonF(line))
            painter.setPen(QPen(self._color, 2))
            mean = thinned(smooth(self.points), columns)
            painter.drawPolyline(QPolygonF([place(*one) for one in mean]))
        for step, value in self.points:
            if step == self.best:
                painter.setPen(QPen(BEST, 2))
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.drawEllipse(place(step, value), 5, 5)

    def _draw_axes(
        self, painter: QPainter, frame: QRectF, low: float, high: float, last: float
    ) -> None:
        painter.setPen(self.palette().windowText().color())
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        for value, at in ((high, frame.top()), (low, frame.bottom())):
            painter.drawText(
                QRectF(0, at - 8, LEFT - 6, 16), right, self._written(value)
            )
        below = QRectF(frame.left(), frame.bottom() + 2, frame.width(), BOTTOM - 2)
        painter.drawText(below, Qt.AlignmentFlag.AlignLeft, "0")
        painter.drawText(below, Qt.AlignmentFlag.AlignRight, f"{last:,.0f} steps")

    def _written(self, value: float) -> str:
        return short(value) if self.decimals is None else f"{value:.{self.decimals}f}"

    def _ends(self) -> tuple[float, float]:
        values = [value for _, value in self.points]
        if self.base is not None:
            values.append(self.base)
        low = min(values) if self._low is None else self._low
        high = max(values) if self._high is None else self._high
        if self.decimals is not None:
            # Wide enough for the decimals shown: what lies between them is noise.
            unit = 10.0**-self.decimals
            low, high = math.floor(low / unit) * unit, math.ceil(high / unit) * unit
        if high - low < 1e-6:  # one value: in the middle
            room = max(0.05 * abs(low), 1e-3)
            return low - room, high + room
        return low, high


def smooth(points: Sequence[tuple[float, float]], memory: float = 0.9) -> Points:
    """Average a noisy curve over the last values, unbiased at its beginning."""
    mean, weight, smoothed = 0.0, 0.0, []
    for step, value in points:
        mean = memory * mean + (1 - memory) * value
        weight = memory * weight + (1 - memory)
        smoothed.append((step, mean / weight))
    return smoothed


def thinned(points: Sequence[tuple[float, float]], columns: float) -> Points:
    """Keep the last point of every pixel column: more cannot be seen, and takes long.

    Parameters
    ----------
    points
        Steps, which rise, and values.
    columns
        Pixel columns for one step.
    """
    return list({int(point[0] * columns): point for point in points}.values())


def short(value: float) -> str:
    """Write a number in few letters."""
    return f"{value:.2f}" if abs(value) >= 0.01 or value == 0 else f"{value:.0e}"
