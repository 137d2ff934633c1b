"""Table of an evaluation report: measure, value, interval."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QTableWidget,
    QTableWidgetItem,
    QWidget,
)

if TYPE_CHECKING:
    from napari_gen2seg.workflows.evaluate import Report


class ReportTable(QTableWidget):
    """Shows the summary of a report."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(0, 3, parent)
        self.setHorizontalHeaderLabels(["Measure", "Value", "95 % interval"])
        self.verticalHeader().hide()
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setWordWrap(True)
        header = self.horizontalHeader()
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        for column in (1, 2):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)

    def show_report(self, report: Report) -> None:
        """Replace what is shown."""
        self.setRowCount(0)
        intervals = False
        for entry in report.summary.values():
            row = self.rowCount()
            self.insertRow(row)
            low, high = (_number(entry[name]) for name in ("low", "high"))
            between = f"{low} to {high}" if low and high else ""
            intervals = intervals or bool(between)
            texts = (entry["title"], _number(entry["value"]), between)
            for column, text in enumerate(texts):
                item = QTableWidgetItem(text or "–")
                item.setToolTip(text)
                self.setItem(row, column, item)
        self.setColumnHidden(2, not intervals)
        self.resizeRowsToContents()


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"
