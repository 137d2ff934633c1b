"""Asks for pictures, folders and files; never blocks the window."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QCheckBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QFormLayout,
    QLineEdit,
)

from napari_gen2seg.gui.panels.widgets import quiet_label

if TYPE_CHECKING:
    from qtpy.QtWidgets import QWidget


class NewProjectDialog(QDialog):
    """A folder of pictures, a folder for the project, and whether to copy.

    Parameters
    ----------
    pictures
        Folder of the pictures.
    parent
        Over which it opens.
    """

    chosen = Signal(object, object, bool)  # the two folders, and whether to copy

    def __init__(self, pictures: Path, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("New project")
        self.pictures = QLineEdit(str(pictures))
        self.folder = QLineEdit(str(pictures.with_name(f"{pictures.name}-project")))
        for one in (self.pictures, self.folder):
            one.setMinimumWidth(340)
        self.copy = QCheckBox("Copy the pictures into the project")
        self.copy.setToolTip(
            "To share the project. Else it points at the pictures where they are."
        )
        self.buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel
        )
        form = QFormLayout(self)
        form.addRow("Pictures", self.pictures)
        form.addRow("Project", self.folder)
        form.addRow("", self.copy)
        form.addRow(
            quiet_label(
                "The project is a folder of plain files: labels, and what was done. A "
                "folder that holds a project already gets the pictures added."
            )
        )
        form.addRow(self.buttons)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)

    @classmethod
    def ask(
        cls,
        pictures: Path,
        parent: QWidget,
        then: Callable[[Path, Path, bool], object],
    ) -> None:
        """Ask, without blocking the window."""
        dialog = cls(pictures, parent)
        dialog.chosen.connect(then)
        dialog.finished.connect(lambda _: dialog.deleteLater())
        dialog.open()

    def accept(self) -> None:
        """Take what was chosen."""
        pictures = Path(self.pictures.text()).expanduser()
        folder = Path(self.folder.text()).expanduser()
        copy = self.copy.isChecked()
        super().accept()
        self.chosen.emit(pictures, folder, copy)


def ask_folder(parent: QWidget, title: str, then: Callable[[str], object]) -> None:
    """Ask for a folder that is there, without blocking the window."""
    dialog = QFileDialog(parent, title)
    dialog.setFileMode(QFileDialog.FileMode.Directory)
    dialog.setOption(QFileDialog.Option.ShowDirsOnly, True)
    _open(dialog, then)


def ask_file(parent: QWidget, title: str, then: Callable[[str], object]) -> None:
    """Ask for a file that is there, without blocking the window."""
    dialog = QFileDialog(parent, title)
    dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
    _open(dialog, then)


def ask_new(parent: QWidget, usual: Path, then: Callable[[str], object]) -> None:
    """Ask for the name of a new folder, without blocking the window."""
    dialog = QFileDialog(parent, "New folder for the data set", str(usual.parent))
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    dialog.selectFile(usual.name)
    _open(dialog, then)


def _open(dialog: QFileDialog, then: Callable[[str], object]) -> None:
    dialog.fileSelected.connect(then)
    dialog.finished.connect(lambda _: dialog.deleteLater())
    dialog.open()
