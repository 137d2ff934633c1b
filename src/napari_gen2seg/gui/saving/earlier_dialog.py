"""Asks which earlier work is to be opened again; never blocks the window."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QListWidget,
    QListWidgetItem,
    QVBoxLayout,
)

from napari_gen2seg.gui.panels.widgets import told_label

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qtpy.QtWidgets import QWidget

    from napari_gen2seg.gui.saving.set_aside import Aside

_ROLE = Qt.ItemDataRole.UserRole
_WHAT = (
    "Set aside when work on this picture was begun anew. What you open takes the place "
    "of the present work, which is set aside itself: nothing is lost."
)


class EarlierDialog(QDialog):
    """Lists what was set aside for a picture: when, and how many objects.

    Parameters
    ----------
    parent
        Over which it opens.
    """

    chosen = Signal(object)  # the folder

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Earlier work")
        self.what = told_label(_WHAT)
        self.list = QListWidget()
        self.list.setMinimumWidth(360)
        self.problem = told_label("")
        button = QDialogButtonBox.StandardButton
        self.buttons = QDialogButtonBox(button.Open | button.Cancel)
        self.open_it = self.buttons.button(button.Open)
        column = QVBoxLayout(self)
        for one in (self.what, self.list, self.problem, self.buttons):
            column.addWidget(one)
        self._say("Reading ...")
        self.list.currentItemChanged.connect(lambda *_: self._show())
        self.list.itemDoubleClicked.connect(lambda _: self._choose())
        self.buttons.accepted.connect(self._choose)
        self.buttons.rejected.connect(self.reject)

    def show_list(self, found: Sequence[Aside]) -> None:
        """Show what there is, the first one marked."""
        self.list.clear()
        if not found:
            self._say("Nothing is set aside.")
        for one in found:
            item = QListWidgetItem(one.text)
            item.setData(_ROLE, one)
            item.setToolTip(str(one.folder))
            self.list.addItem(item)
        if found:
            self.list.setCurrentRow(0)
        self._show()

    def _say(self, text: str) -> None:
        item = QListWidgetItem(text)
        item.setFlags(Qt.ItemFlag.NoItemFlags)
        self.list.addItem(item)
        self._show()

    @property
    def _now(self) -> Aside | None:
        item = self.list.currentItem()
        return None if item is None else item.data(_ROLE)

    def _show(self) -> None:
        now = self._now
        self.problem.setText("" if now is None else now.problem)
        self.open_it.setEnabled(now is not None and not now.problem)

    def _choose(self) -> None:
        now = self._now
        if now is not None and not now.problem:
            self.accept()
            self.chosen.emit(now.folder)
