"""The pictures of a project as a list: thumbnails, states, filter and order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING

from qtpy.QtCore import QSize, Qt, Signal
from qtpy.QtGui import QColor, QIcon, QPixmap
from qtpy.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QListWidget,
    QListWidgetItem,
    QVBoxLayout,
    QWidget,
)

from napari_gen2seg.common.text import count_text
from napari_gen2seg.gui.panels.widgets import (
    Panel,
    pixmap_of,
    shrink,
    told_label,
)
from napari_gen2seg.gui.project.entries import Entry, ordered
from napari_gen2seg.project.journal.state import STATES

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

_ICON = 44  # pixels
_NAME = Qt.ItemDataRole.UserRole
_ORDERS = (("by name", "name"), ("by doubt", "doubt"))


class QueueList(QWidget):
    """Shows entries; a double-click asks for a picture."""

    asked = Signal(str)  # name of a picture
    order_changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._entries: dict[str, Entry] = {}
        self._icons: dict[str, QIcon] = {}
        self._open = ""
        self._empty = QIcon(_blank())
        self.states = shrink(QComboBox())
        self.states.setToolTip("Show only pictures in this state.")
        for state in ("", *STATES):
            self.states.addItem(state or "all", state)
        self.order = shrink(QComboBox())
        self.order.setToolTip(
            "By doubt: pictures first whose proposals are the most doubtful. A picture "
            "is doubted once it was proposed for, or colored."
        )
        for title, order in _ORDERS:
            self.order.addItem(title, order)
        self.list = QListWidget()
        self.list.setIconSize(QSize(_ICON, _ICON))
        self.list.setUniformItemSizes(True)
        self.list.setWordWrap(False)
        self.list.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.show_crowded(False)
        self.list.setToolTip("Double-click a picture to open it.")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        choices = Panel()
        choices.column.setContentsMargins(0, 0, 0, 0)
        choices.add_row(self.states, self.order)
        column.addWidget(choices)
        self.hint = told_label()
        column.addWidget(self.hint)
        column.addWidget(self.list, 1)
        self._hint()
        self.list.itemDoubleClicked.connect(
            lambda one: self.asked.emit(one.data(_NAME))
        )
        self.states.activated.connect(self._reorder)
        self.order.activated.connect(self._reorder)

    # ---- what there is

    @property
    def shown(self) -> list[Entry]:
        """The entries that pass the filter, in order."""
        state, order = self.states.currentData(), self.order.currentData()
        return ordered(list(self._entries.values()), state, order)

    def around(self, name: str) -> tuple[list[Entry], list[Entry]]:
        """Return the entries of the list before one, and those after it.

        The one itself may be left out by the filter; where there is none of that name,
        all come after it.
        """
        order = ordered(list(self._entries.values()), "", self.order.currentData())
        shown = {one.name for one in self.shown}
        names = [one.name for one in order]
        at = names.index(name) if name in names else -1
        before = [one for one in order[: max(at, 0)] if one.name in shown]
        return before, [one for one in order[at + 1 :] if one.name in shown]

    # ---- showing

    def show_entries(self, entries: Mapping[str, Entry]) -> None:
        """Show other entries, by name."""
        self._entries = dict(entries)
        self._fill()

    def show_entry(self, entry: Entry) -> None:
        """Show one entry anew."""
        before = self._entries.get(entry.name)
        self._entries[entry.name] = entry
        row = self._row(entry.name)
        chosen = self.states.currentData()
        stays = chosen in ("", entry.state) and self.order.currentData() == "name"
        if before is None or row is None or not stays:
            self._fill()
        else:
            self._dress(row, entry)
            self._count()

    def show_thumbnail(self, name: str, rgb: npt.NDArray[np.uint8]) -> None:
        """Show a picture small, uint8 (h, w, 3)."""
        self._icons[name] = QIcon(_framed(pixmap_of(rgb)))
        row = self._row(name)
        if row is not None:
            row.setIcon(self._icons[name])

    def show_crowded(self, on: bool) -> None:
        """Give way, on a small screen, to what is said or unfolded below."""
        self.list.setMinimumHeight(60 if on else 100)

    def show_open(self, name: str) -> None:
        """Point out the picture that is open."""
        before, self._open = self._open, name
        for one in {before, name}:
            row, entry = self._row(one), self._entries.get(one)
            if row is not None and entry is not None:
                self._dress(row, entry)
        row = self._row(name)
        if row is not None:
            self.list.setCurrentItem(row)
            self.list.scrollToItem(row)

    def forget(self) -> None:
        """Show nothing: another project is opened."""
        self._icons.clear()
        self._open = ""
        self.show_entries({})

    # ---- inside

    def _reorder(self, _index: int = 0) -> None:
        self._fill()
        self.order_changed.emit()

    def _fill(self) -> None:
        bar = self.list.verticalScrollBar()
        at = bar.value()
        self.list.clear()
        for entry in self.shown:
            row = QListWidgetItem()
            row.setData(_NAME, entry.name)
            row.setIcon(self._icons.get(entry.name, self._empty))
            self._dress(row, entry)
            self.list.addItem(row)
            if entry.name == self._open:
                self.list.setCurrentItem(row)
        bar.setValue(at)
        self._count()

    def _count(self) -> None:
        """Tell with each state how many pictures are in it."""
        self._hint()
        counts = Counter(one.state for one in self._entries.values())
        for place in range(self.states.count()):
            state = self.states.itemData(place)
            count = counts[state] if state else len(self._entries)
            self.states.setItemText(place, f"{state or 'all'} ({count})")

    def _hint(self) -> None:
        """Say what to do where there is nothing to choose from."""
        text = ""
        if not self._entries:
            text = "No pictures yet: New ... makes a project of those in a folder."
        elif not self.list.count():
            text = "No picture is in this state; choose another above."
        self.hint.setText(text)
        self.hint.setVisible(bool(text))

    def _row(self, name: str) -> QListWidgetItem | None:
        for place in range(self.list.count()):
            row = self.list.item(place)
            if row.data(_NAME) == name:
                return row
        return None

    def _dress(self, row: QListWidgetItem, entry: Entry) -> None:
        row.setText(f"{entry.name}\n{_words(entry)}")
        row.setToolTip(entry.problem or f"{entry.name}: {_words(entry, whole=True)}")
        font = row.font()
        font.setBold(entry.name == self._open)
        row.setFont(font)


def _words(entry: Entry, whole: bool = False) -> str:
    """Say how far a picture is, in few words: a row is narrow."""
    state = "cannot be opened" if entry.problem else entry.state
    waiting = entry.count or entry.waiting
    if entry.state == "proposed" and not entry.problem:
        noun = "object" if entry.count else "proposal"
        text = f"{state}: {count_text(waiting, noun) if whole else waiting}"
    elif entry.count or whole:
        text = f"{state}, {count_text(entry.count, 'object')}"
    else:
        text = state
    if entry.doubt is not None and entry.state in ("untouched", "proposed"):
        text += f", doubt {100 * entry.doubt:.0f} %"
    return text


def _framed(pixmap: QPixmap) -> QPixmap:
    """Put a pixmap into the middle of a square, so that names stand in line."""
    from qtpy.QtGui import QPainter

    small = pixmap.scaled(
        _ICON,
        _ICON,
        Qt.AspectRatioMode.KeepAspectRatio,
        Qt.TransformationMode.SmoothTransformation,
    )
    square = _blank()
    painter = QPainter(square)
    painter.drawPixmap(
        (_ICON - small.width()) // 2, (_ICON - small.height()) // 2, small
    )
    painter.end()
    return square


def _blank() -> QPixmap:
    square = QPixmap(_ICON, _ICON)
    square.fill(QColor(0, 0, 0, 0))
    return square
