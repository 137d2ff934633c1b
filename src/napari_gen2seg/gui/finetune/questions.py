"""A question with more answers than yes and no."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from qtpy.QtWidgets import QMessageBox

if TYPE_CHECKING:
    from qtpy.QtWidgets import QWidget


def choose(
    parent: QWidget, title: str, text: str, answers: Mapping[str, Callable[[], None]]
) -> None:
    """Ask without blocking the window; Cancel is the default and does nothing.

    Parameters
    ----------
    parent
        Over what it opens.
    title, text
        The question.
    answers
        Text of a button -> what is done.
    """
    box = QMessageBox(parent)
    box.setWindowTitle(title)
    box.setText(text)
    doers = {
        box.addButton(name, QMessageBox.ButtonRole.ActionRole): do
        for name, do in answers.items()
    }
    box.setDefaultButton(box.addButton(QMessageBox.StandardButton.Cancel))

    def finished(_: int) -> None:
        for button, do in doers.items():
            if button is box.clickedButton():
                do()

    box.finished.connect(finished)
    box.open()
