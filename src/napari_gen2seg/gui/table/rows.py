"""Rows and columns of the table of objects, as Qt shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QAbstractTableModel, QModelIndex, Qt
from qtpy.QtGui import QColor

from napari_gen2seg.core.objects.table import COLUMNS

if TYPE_CHECKING:
    import numpy.typing as npt

    from napari_gen2seg.common.types import Array
    from napari_gen2seg.core.objects.table import ObjectTable

# What people look for first, then what was measured, and where it is last.
FIRST = ("number", "area", "certainty", "origin", "class")
THROUGH = ("volume", "planes", "first", "last", "track")
_LAST = ("row", "column", "row0", "column0", "row1", "column1")
SHOWN = (*FIRST, *(n for n in COLUMNS if n not in (*FIRST, *_LAST)), *_LAST)

_Index = QModelIndex
_DISPLAY, _ALIGN = Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.TextAlignmentRole
_DECORATION = Qt.ItemDataRole.DecorationRole
_RISING, _FALLING = Qt.SortOrder.AscendingOrder, Qt.SortOrder.DescendingOrder
_TIP = Qt.ItemDataRole.ToolTipRole
_RIGHT = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
_WORDS = {
    "area": "In pixels.",
    "certainty": "0 to 1; empty where nobody knows.",
    "volume": "In all planes, in the units of the layer's scale.",
    "planes": "In how many planes it is.",
    "first": "The first plane in which it is.",
    "last": "The last plane in which it is.",
    "track": "Its number in the Tracks layer.",
}


class ObjectRows(QAbstractTableModel):
    """Shows an `ObjectTable`; sorted here, by whole columns at once.

    A proxy that sorts asks for every pair it compares: of 5 000 rows that takes longer
    than a window may stand still.
    """

    def __init__(self, parent: Any = None) -> None:
        super().__init__(parent)
        self.names = SHOWN
        self._columns: list[Array] = [np.zeros(0) for _ in SHOWN]
        self._order: npt.NDArray[np.intp] = np.zeros(0, np.intp)
        self._by: tuple[int, bool] = (0, False)  # column, falling
        self.colors: dict[str, str] = {}  # of classes, #rrggbb

    def show_table(self, table: ObjectTable | None) -> None:
        """Show other objects, or the same ones as they are now."""
        names = _names(table)
        columns = [np.zeros(0)] * len(names)
        if table is not None:
            columns = [table.column(name) for name in names]
        if names == self.names and np.array_equal(columns[0], self._columns[0]):
            self._columns = columns
            if len(self._order):
                last = self.index(len(self._order) - 1, len(names) - 1)
                self.dataChanged.emit(self.index(0, 0), last)
                column, falling = self._by
                self.sort(column, _FALLING if falling else _RISING)
            return
        self.beginResetModel()
        column, falling = self._by
        kept = self.names[column] if column < len(self.names) else names[0]
        self._by = (names.index(kept) if kept in names else 0, falling)
        self.names, self._columns = names, columns
        self._order = self._sorted()
        self.endResetModel()

    def number_at(self, row: int) -> int:
        """Return the object in a row."""
        return int(self._columns[0][self._order[row]])

    def row_of(self, number: int) -> int | None:
        """Return the row of an object; None if it has none."""
        found = np.flatnonzero(self._columns[0][self._order] == number)
        return int(found[0]) if found.size else None

    def text(self, rows: list[int]) -> str:
        """Return rows as text that a spreadsheet takes: a tab between two columns."""
        places = self._order[rows]
        columns = [
            [_as_text(name, value) for value in values[places].tolist()]
            for name, values in zip(self.names, self._columns, strict=True)
        ]
        lines = ["\t".join(cells) for cells in zip(*columns, strict=True)]
        return "\n".join(["\t".join(self.names), *lines])

    # ---- what Qt asks

    def rowCount(self, parent: QModelIndex | None = None) -> int:  # noqa: N802
        """Return how many objects there are."""
        return 0 if parent is not None and parent.isValid() else len(self._order)

    def columnCount(self, parent: QModelIndex | None = None) -> int:  # noqa: N802
        """Return how many facts there are of each."""
        return 0 if parent is not None and parent.isValid() else len(self.names)

    def data(self, index: QModelIndex, role: int = _DISPLAY) -> Any:
        """Return what a cell shows."""
        if role == _DISPLAY and index.row() < len(self._order):
            return self._cell(index.row(), index.column())
        if role == _DECORATION and SHOWN[index.column()] == "class":
            color = self.colors.get(self._cell(index.row(), index.column()))
            return None if color is None else QColor(color)
        if role == _ALIGN and self._columns[index.column()].dtype.kind in "if":
            return _RIGHT
        return None

    def headerData(  # noqa: N802 - Qt's name
        self, section: int, orientation: Qt.Orientation, role: int = _DISPLAY
    ) -> Any:
        """Return the name of a column."""
        if orientation == Qt.Orientation.Horizontal and 0 <= section < len(self.names):
            if role == _DISPLAY:
                return self.names[section]
            if role == _TIP:
                return f"{_WORDS.get(self.names[section], '')} Click to sort.".strip()
        return None

    def sort(self, column: int, order: Qt.SortOrder = _RISING) -> None:
        """Sort by a column; what is empty comes last."""
        self.layoutAboutToBeChanged.emit()
        old = self.persistentIndexList()
        numbers = [self.number_at(index.row()) for index in old]
        self._by = max(column, 0), order == _FALLING
        self._order = self._sorted()
        place = {int(n): row for row, n in enumerate(self._columns[0][self._order])}
        new = [
            self.index(place[number], index.column())
            for number, index in zip(numbers, old, strict=True)
        ]
        self.changePersistentIndexList(old, new)
        self.layoutChanged.emit()

    def _sorted(self) -> npt.NDArray[np.intp]:
        column, falling = self._by
        values = self._columns[column]
        order = np.argsort(values, kind="stable")
        if falling:
            empty = np.count_nonzero(values != values)  # not a number: sorted last
            told = order.size - int(empty)
            order = np.concatenate([order[:told][::-1], order[told:]])
        return order

    def _cell(self, row: int, column: int) -> str:
        value = self._columns[column][self._order[row]]
        return _as_text(self.names[column], value.item())


def _names(table: ObjectTable | None) -> tuple[str, ...]:
    """Return the columns of a table: those through the planes after the first ones."""
    more = () if table is None else [n for n in THROUGH if n in table.more]
    return (*FIRST, *more, *SHOWN[len(FIRST) :])


def _as_text(name: str, value: Any) -> str:
    """Write a fact as a cell shows it."""
    if not isinstance(value, float):
        return str(value)
    if value != value:
        return ""  # not known
    if name == "certainty":
        return f"{value:.2f}"
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.4g}"
