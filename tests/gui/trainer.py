"""A person who fine-tunes: opens the dialog, presses its buttons, answers it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QMessageBox
from tests.helpers.waiting import BACKSTOP_MS

CHILD = Path(__file__).parents[1] / "jobs" / "training" / "training_child.py"


def press(button: Any) -> None:
    assert button.isEnabled(), button.text()
    assert button.isVisible(), button.text()
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def coin_labels(first: int = 1, shape: tuple[int, int] = (303, 384)) -> np.ndarray:
    labels = np.zeros(shape, np.int32)
    places = [(51, 155), (51, 210), (124, 45), (124, 100), (195, 100), (195, 160)]
    rows, cols = np.ogrid[: shape[0], : shape[1]]
    for number, (row, col) in enumerate(places, first):
        labels[(rows - row) ** 2 + (cols - col) ** 2 < 400] = number
    return labels


class Trainer:
    """A desk with two labelled pictures and the dialog open."""

    def __init__(self, desk: Any, bot: Any, model: Path) -> None:
        self.desk, self.bot, self.model = desk, bot, model
        self.viewer, self.widget = desk.viewer, desk.widget

    def open(self) -> Any:
        self.until(lambda: self.widget.model.finetune.isVisible())
        press(self.widget.model.finetune)
        self.dialog = self.widget.finetune.dialog
        self.work = self.dialog.work
        self.until(lambda: self.dialog.pairs.rows)
        return self.dialog

    def until(self, ready: Any) -> None:
        self.bot.waitUntil(lambda: bool(ready()), timeout=BACKSTOP_MS)

    def settings(self, steps: int = 100_000) -> Any:
        page = self.dialog.settings
        page.model.addItem("tiny", str(self.model))
        page.model.setCurrentIndex(page.model.count() - 1)
        page.fields["steps"].setValue(steps)
        page.name.selectAll()
        QTest.keyClicks(page.name, "my coins")
        return page

    def start(self, steps: int = 100_000) -> None:
        self.open()
        press(self.dialog.pictures.next)
        self.settings(steps)
        press(self.dialog.settings.start)
        assert self.work.busy

    def ended(self) -> str:
        self.until(lambda: not self.work.busy)
        self.bot.wait(50)
        return self.work.state

    def finish(self) -> None:
        """Stop it, keep the best, and wait for the result."""
        self.until(lambda: self.work.state == "running")
        press(self.dialog.training.stop)
        assert self.ended() == "done"

    def adopt(self) -> None:
        """Train a little, and use the new model."""
        self.start(5)
        assert self.ended() == "done"
        press(self.dialog.result.adopt)
        self.until(self.dialog.result.more.isVisible)

    def steps(self, count: int) -> None:
        self.until(lambda: len(self.dialog.training.loss.points) >= count)

    def answer(self, yes: bool) -> str:
        """Answer the question on screen, and return it."""
        self.until(lambda: self.boxes())
        box = self.boxes()[-1]
        kind = QMessageBox.StandardButton
        QTest.mouseClick(
            box.button(kind.Yes if yes else kind.No), Qt.MouseButton.LeftButton
        )
        self.bot.wait(30)
        return box.windowTitle()

    def choose(self, text: str) -> str:
        """Press a button of the question on screen, and return the question."""
        self.until(lambda: self.boxes())
        box = self.boxes()[-1]
        (button,) = [one for one in box.buttons() if one.text() == text]
        press(button)
        self.bot.wait(30)
        return box.text()

    def boxes(self) -> list[Any]:
        found = self.widget.findChildren(QMessageBox)
        return [box for box in found if box.isVisible()]

    def layer(self, name: str) -> Any:
        return next((one for one in self.viewer.layers if one.name == name), None)
