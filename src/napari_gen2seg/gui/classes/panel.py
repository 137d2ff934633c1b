"""The list of classes in the dock: their keys, colors and names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING

from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QColor, QIcon, QPixmap
from qtpy.QtWidgets import (
    QCheckBox,
    QColorDialog,
    QComboBox,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QPushButton,
)
from superqt.utils import signals_blocked

from napari_gen2seg.gui.classes.name_edit import EDITED, NAME, NameEdit
from napari_gen2seg.gui.panels.widgets import Panel

if TYPE_CHECKING:
    from napari_gen2seg.gui.classes.book import ClassBook

_KEY = Qt.ItemDataRole.UserRole + 1
_SWATCH = 12  # pixels


class ClassesPanel(Panel):
    """Shows the classes; asks for changes of the list."""

    add_requested = Signal(str)
    remove_requested = Signal(str)
    color_requested = Signal(str, str)  # name, #rrggbb
    rename_requested = Signal(str, str)  # name, the other name
    key_requested = Signal(str, int)  # name, 1 to 9
    paint_requested = Signal(bool)

    def __init__(self) -> None:
        super().__init__()
        self.list = QListWidget()
        self.list.setFixedHeight(84)
        self.list.setToolTip(
            "Ctrl and the digit give the class to the object under the pointer, "
            "Ctrl+0 takes it away. In the table of objects: the digit alone. "
            "Double-click a class, or press F2, to call it otherwise."
        )
        self.list.setItemDelegate(NameEdit(self.list))
        self.name = QLineEdit()
        self.name.setPlaceholderText("a new class")
        self.name.setToolTip("Name of a class; Enter adds it.")
        self.add = QPushButton("Add")
        self.remove = QPushButton("Remove")
        self.remove.setToolTip("Take it off the list; objects that have it keep it.")
        self.color = QPushButton("Color ...")
        self.color.setToolTip("Choose another color for the class.")
        self.rename = QPushButton("Rename")
        self.rename.setToolTip(
            "Call the class otherwise, for all objects that have it."
        )
        self.key = QComboBox()
        self.key.addItems([f"Key {digit}" for digit in range(1, 10)])
        self.key.setToolTip(
            "The digit that gives the class; the class that has it takes the other one."
        )
        self.paint = QCheckBox("Show objects by class")
        self.paint.setToolTip("Objects without a class are gray.")
        self.dialog: QColorDialog | None = None
        self.column.addWidget(self.list)
        self.add_row(self.add, self.name)
        self.add_row(self.rename, self.key)
        self.add_row(self.remove, self.color)
        self.column.addWidget(self.paint)
        self.add.clicked.connect(self._add)
        self.name.returnPressed.connect(self._add)
        self.remove.clicked.connect(
            lambda: self.chosen and self.remove_requested.emit(self.chosen)
        )
        self.color.clicked.connect(self._ask_color)
        self.paint.toggled.connect(self.paint_requested)
        self.rename.clicked.connect(
            lambda: self.chosen and self.list.editItem(self.list.currentItem())
        )
        self.list.itemChanged.connect(self._named)
        self.list.currentItemChanged.connect(self._show_key)
        self.key.activated.connect(
            lambda place: (
                self.chosen and self.key_requested.emit(self.chosen, place + 1)
            )
        )

    @property
    def chosen(self) -> str:
        """Name of the class that is chosen in the list; empty for none."""
        row = self.list.currentItem()
        return "" if row is None else str(row.data(NAME))

    def show_classes(self, book: ClassBook, given: Mapping[int, str]) -> None:
        """Show the classes, and how many objects of the image have each."""
        counts, chosen = Counter(given.values()), self.chosen
        rows = [(one.name, one.key, one.color) for one in book.classes]
        known = {name for name, _, _ in rows}
        rows += [(name, None, "") for name in sorted(set(counts) - known)]
        with signals_blocked(self.list):
            self.list.clear()
            for name, key, color in rows:
                digit = "" if key is None else f"{key}  "
                row = QListWidgetItem(f"{digit}{name}  ({counts[name]})")
                row.setData(NAME, name)
                row.setData(_KEY, key)
                if name in known:
                    row.setFlags(row.flags() | Qt.ItemFlag.ItemIsEditable)
                row.setIcon(swatch(color))
                self.list.addItem(row)
                if name == chosen:
                    self.list.setCurrentItem(row)
        self._show_key()

    def _add(self) -> None:
        self.add_requested.emit(self.name.text())
        self.name.clear()

    def _named(self, row: QListWidgetItem) -> None:
        """Ask for the name that was typed into the list."""
        new = row.data(EDITED)
        if new:
            with signals_blocked(self.list):
                row.setData(EDITED, None)
            self.rename_requested.emit(str(row.data(NAME)), str(new))

    def _show_key(self, *_: object) -> None:
        row = self.list.currentItem()
        key = None if row is None else row.data(_KEY)
        with signals_blocked(self.key):
            self.key.setCurrentIndex(-1 if key is None else int(key) - 1)

    def _ask_color(self) -> None:
        name = self.chosen
        if not name:
            return
        dialog = self.dialog = QColorDialog(self)
        dialog.setOption(QColorDialog.ColorDialogOption.DontUseNativeDialog)
        dialog.colorSelected.connect(
            lambda color: self.color_requested.emit(name, color.name())
        )
        dialog.open()


def swatch(color: str) -> QIcon:
    """Return a small square of a color; an empty one for none."""
    pixmap = QPixmap(_SWATCH, _SWATCH)
    pixmap.fill(QColor(color) if color else QColor(0, 0, 0, 0))
    return QIcon(pixmap)
