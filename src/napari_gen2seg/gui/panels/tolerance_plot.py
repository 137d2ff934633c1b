"""Plot of the object's area against the tolerance, its plateau marked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from qtpy.QtCore import QPointF, QRectF, Qt, Signal
from qtpy.QtGui import QColor, QPainter, QPen, QPolygonF
from qtpy.QtWidgets import QSizePolicy, QWidget

if TYPE_CHECKING:
    from qtpy.QtGui import QMouseEvent, QPaintEvent

    from napari_gen2seg.core.probe.prober import Curve

LOW, HIGH = 4.0, 220.0  # tolerances shown
LINE, PLATEAU, NOW = (
    QColor(150, 200, 255),
    QColor(255, 209, 26, 60),
    QColor(255, 209, 26),
)


class TolerancePlot(QWidget):
    """Draws a curve; a press or drag in it asks for that tolerance."""

    tolerance_requested = Signal(float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._curve: Curve | None = None
        self._now: float | None = None
        self.setFixedHeight(44)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setToolTip(
            "Area of the object for every tolerance. The shaded range is where it "
            "hardly changes: automatic picks its middle. Drag to choose."
        )

    def show_curve(self, curve: Curve | None, now: float | None) -> None:
        """Show a curve and the tolerance in use; None for none."""
        self._curve, self._now = curve, now
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Draw."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        frame = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        painter.setPen(QPen(QColor(128, 128, 140, 90)))
        painter.drawRoundedRect(frame, 3, 3)
        if self._curve is None:
            painter.setPen(QColor(150, 155, 165))
            text = "area against tolerance, once you click"
            painter.drawText(frame, Qt.AlignmentFlag.AlignCenter, text)
            return
        left, right = (self._x(edge) for edge in self._curve.plateau)
        painter.fillRect(
            QRectF(left, 1, max(right - left, 2), self.height() - 2), PLATEAU
        )
        areas = np.log1p(np.asarray(self._curve.areas, float))
        top = max(float(areas.max()), 1e-9)
        points = [
            QPointF(self._x(t), self.height() - 5 - (self.height() - 10) * a / top)
            for t, a in zip(self._curve.tolerances, areas, strict=True)
        ]
        painter.setPen(QPen(LINE, 1.6))
        painter.drawPolyline(QPolygonF(points))
        if self._now is not None and np.isfinite(self._now):
            x = self._x(self._now)
            painter.setPen(QPen(NOW, 1.6))
            painter.drawLine(QPointF(x, 2), QPointF(x, self.height() - 2))

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        """Ask for the tolerance under the pointer."""
        self._ask(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        """Ask for the tolerance under the pointer while it is dragged."""
        self._ask(event)

    def _ask(self, event: QMouseEvent) -> None:
        if self._curve is not None:
            share = float(np.clip(event.position().x() / max(self.width(), 1), 0, 1))
            self.tolerance_requested.emit(LOW * (HIGH / LOW) ** share)

    def _x(self, tolerance: float) -> float:
        share = np.log(max(tolerance, LOW) / LOW) / np.log(HIGH / LOW)
        return float(np.clip(share, 0, 1) * self.width())
