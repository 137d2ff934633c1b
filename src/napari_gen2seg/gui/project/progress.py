"""Who made the objects of a project, by which model, and how fast: a small table."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QHeaderView, QTableWidget, QTableWidgetItem

from napari_gen2seg.common.text import count_text
from napari_gen2seg.gui.panels.widgets import Panel, told_label
from napari_gen2seg.gui.project.entries import Entry
from napari_gen2seg.models.registry import title_of
from napari_gen2seg.project.progress import BY_HAND, COUNTED, Progress, progress_of

_HEADS = {
    "With": "The model in use; the one used last comes last.",
    "Objects": "In pictures that are in work or done.",
    "As proposed": "Proposals kept unchanged.",
    "Corrected": "Changed by brush, eraser or further clicks afterwards.",
    "Clicked": "From clicks.",
    "Drawn": "By brush, or imported.",
    "A minute": "Objects a minute at work; pauses of more than two minutes left out.",
}


class ProgressPage(Panel):
    """Shows the progress with each model, so before and after each fine-tuning."""

    def __init__(self) -> None:
        super().__init__()
        self.table = QTableWidget(0, len(_HEADS))
        self.table.setHorizontalHeaderLabels(list(_HEADS))
        for place, tip in enumerate(_HEADS.values()):
            self.table.horizontalHeaderItem(place).setToolTip(tip)
        header = self.table.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        self.table.verticalHeader().hide()
        self.table.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
        # It must not push the window over the edge of a small screen.
        self.table.setMinimumHeight(48)
        self.table.setMaximumHeight(110)
        self.told = told_label()
        self.column.addWidget(self.told)
        self.column.addWidget(self.table)

    def show_entries(self, entries: Sequence[Entry]) -> None:
        """Show the progress of some pictures."""
        counted = [one.objects for one in entries if one.state in COUNTED]
        rows = progress_of(counted)
        done = sum(one.state == "done" for one in entries)
        objects = sum(one.objects for one in rows)
        self.told.setText(
            f"{done} of {count_text(len(entries), 'picture')} done, "
            f"{count_text(objects, 'object')} looked at."
        )
        self.table.setRowCount(len(rows))
        for place, row in enumerate(rows):
            for column, text in enumerate(_cells(row)):
                cell = QTableWidgetItem(text)
                if column:
                    cell.setTextAlignment(
                        int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
                    )
                self.table.setItem(place, column, cell)


def _cells(row: Progress) -> tuple[str, ...]:
    def part(count: int) -> str:
        return f"{count:,} ({100 * count / row.objects:.0f} %)" if count else "0"

    return (
        "no model" if row.model == BY_HAND else title_of(row.model),
        f"{row.objects:,}",
        part(row.unchanged),
        part(row.corrected),
        part(row.clicked),
        part(row.drawn),
        "–" if row.rate is None else f"{row.rate:.1f}",
    )
