"""A name changed in the list itself, where the row shows more than the name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QLineEdit, QStyledItemDelegate

if TYPE_CHECKING:
    from qtpy.QtCore import QAbstractItemModel, QModelIndex
    from qtpy.QtWidgets import QWidget

NAME = Qt.ItemDataRole.UserRole
"""Role of a row's name."""
EDITED = Qt.ItemDataRole.UserRole + 2
"""Role of the name that a person typed."""


class NameEdit(QStyledItemDelegate):
    """Edits the name of a row; what was typed goes to the role `EDITED`."""

    def createEditor(  # noqa: N802  (Qt's)
        self, parent: QWidget, _option: Any, _index: QModelIndex
    ) -> QWidget:
        """Return a line for the name."""
        return QLineEdit(parent)

    def setEditorData(self, editor: QWidget, index: QModelIndex) -> None:  # noqa: N802
        """Begin with the name alone."""
        if isinstance(editor, QLineEdit):
            editor.setText(str(index.data(NAME)))

    def setModelData(  # noqa: N802
        self, editor: QWidget, model: QAbstractItemModel, index: QModelIndex
    ) -> None:
        """Leave what was typed beside the row."""
        if isinstance(editor, QLineEdit):
            model.setData(index, editor.text().strip(), EDITED)
