"""Page 4: is the new model better, in numbers and images; use it or not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QVBoxLayout,
    QWidget,
)
from superqt.utils import signals_blocked

from napari_gen2seg.gui.finetune.data.image_view import PictureView
from napari_gen2seg.gui.finetune.result.measure_names import MEASURES
from napari_gen2seg.gui.finetune.result.share_bar import ShareBar
from napari_gen2seg.gui.finetune.result.verdict import change_text, verdict_text
from napari_gen2seg.gui.finetune.texts import wide_label
from napari_gen2seg.gui.panels.widgets import shrink
from napari_gen2seg.session.session import sentence

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_gen2seg.gui.finetune.result.comparison import Shown
    from napari_gen2seg.session import Runner, Ticket


THROW_AWAY, FORGET = "Throw it away", "Forget this training"


class ResultPage(QWidget):
    """Shows a comparison and asks what to do with the new model.

    Parameters
    ----------
    runner
        Reads pictures behind the window.
    """

    adopt_requested = Signal()
    discard_requested = Signal()
    show_requested = Signal(str)  # a picture, by its name in the run
    continue_requested = Signal()
    remove_requested = Signal()
    back_requested = Signal()
    tied_changed = Signal(bool)

    def __init__(self, runner: Runner) -> None:
        super().__init__()
        self._runner = runner
        self._read: Callable[[str], Shown] | None = None
        self._unchanged = self.copying = False
        self.verdict = wide_label()
        self.numbers = QGridLayout()
        self._cells: dict[tuple[str, str], QLabel] = {}
        self.picture = shrink(QComboBox())
        self.views = {
            name: PictureView("")
            for name in (
                "truth",
                "map before",
                "map after",
                "mask before",
                "mask after",
            )
        }
        self.note = wide_label(width=160)
        self.adopt = QPushButton("Use the new model")
        self.discard = QPushButton(THROW_AWAY)
        self.show_layers = QPushButton("Show in napari")
        self.share = ShareBar()
        self.more = QPushButton("Train on…")
        self.more.setToolTip(
            "Correct or add labels, and train this model further. What it learned from "
            "is shown to it again, so that it does not forget."
        )
        self.remove = QPushButton("Remove")
        self.remove.setToolTip("Delete the new model from your models.")
        self.back = QPushButton("Back to the previous model")
        self._lay_out()
        for button, signal in (
            (self.adopt, self.adopt_requested),
            (self.discard, self.discard_requested),
            (self.more, self.continue_requested),
            (self.remove, self.remove_requested),
            (self.back, self.back_requested),
        ):
            button.clicked.connect(lambda _=False, signal=signal: signal.emit())
        self.show_layers.clicked.connect(self._show_asked)
        self.picture.currentIndexChanged.connect(self._look)
        self.share.busy_changed.connect(self._tie)
        self.show_use(False, False, "")

    @property
    def tied(self) -> bool:
        """Whether the model's files are read, so that they must stay where they are."""
        return self.copying or self.share.busy

    def _lay_out(self) -> None:
        for column, text in enumerate(("", "before", "after", "")):
            label = QLabel(f"<b>{text}</b>")
            label.setAlignment(_right(column))
            self.numbers.addWidget(label, 0, column)
        for row, (key, measure) in enumerate(MEASURES.items(), 1):
            name = QLabel(measure.text)
            name.setToolTip(measure.tip)
            self.numbers.addWidget(name, row, 0)
            for column, when in enumerate(("before", "after", "change"), 1):
                cell = QLabel("–")
                cell.setAlignment(_right(column))
                cell.setToolTip(measure.tip)
                self._cells[key, when] = cell
                self.numbers.addWidget(cell, row, column)
        self.numbers.setColumnStretch(0, 1)
        for column in (1, 2, 3):
            self.numbers.setColumnMinimumWidth(column, 48)
        grid = QGridLayout()
        for column, text in enumerate(("your labels", "before", "after")):
            label = QLabel(text)
            label.setAlignment(Qt.AlignmentFlag.AlignCenter)
            grid.addWidget(label, 0, column)
            grid.setColumnStretch(column, 1)
        grid.addWidget(self.views["truth"], 1, 0)
        for row, what in enumerate(("map", "mask"), 1):
            grid.addWidget(self.views[f"{what} before"], row, 1)
            grid.addWidget(self.views[f"{what} after"], row, 2)
            grid.setRowStretch(row, 1)
        self.note.setText(
            "<b>Above</b>: the coloring maps. A good map gives every object one "
            "clear color of its own.<br><br><b>Below</b>: the objects found in them "
            "without a click."
        )
        self.note.setAlignment(Qt.AlignmentFlag.AlignVCenter)
        grid.addWidget(self.note, 2, 0)
        which = QHBoxLayout()
        which.addWidget(QLabel("Held-back picture"))
        which.addWidget(self.picture, 1)
        which.addWidget(self.show_layers)
        left = QVBoxLayout()
        left.addWidget(self.verdict)
        left.addSpacing(12)
        left.addLayout(self.numbers)
        left.addStretch(1)
        right = QVBoxLayout()
        right.addLayout(which)
        right.addLayout(grid, 1)
        middle = QHBoxLayout()
        middle.addLayout(left, 2)
        middle.addSpacing(12)
        middle.addLayout(right, 3)
        last = QHBoxLayout()
        for button in (self.remove, self.discard):
            last.addWidget(button)
        last.addStretch(1)
        for button in (self.more, self.back, self.adopt):
            last.addWidget(button)
        column_ = QVBoxLayout(self)
        column_.addLayout(middle, 1)
        column_.addWidget(self.share)
        column_.addLayout(last)

    # ---- showing

    def show_result(
        self,
        compared: dict[str, Any] | None,
        title: Callable[[str], str],
        read: Callable[[str], Shown],
    ) -> None:
        """Show a comparison.

        Parameters
        ----------
        compared
            The event; None where nothing was held back.
        title
            Gives a picture's name for people.
        read
            Reads the pictures of one, by its name; called on another thread.
        """
        self._read = read
        found = compared or {}
        better, unchanged = bool(found.get("better")), bool(found.get("unchanged"))
        self._unchanged = unchanged
        clear = str(found.get("verdict")) in ("better", "worse")
        self.verdict.setText(verdict_text(found))
        for key, measure in MEASURES.items():
            more, form = measure.more, measure.form
            before = (found.get("before") or {}).get(key)
            after = (found.get("after") or {}).get(key)
            for when, value in (("before", before), ("after", after)):
                self._cells[key, when].setText(
                    "–" if value is None else form.format(value)
                )
            self._cells[key, "change"].setText(
                change_text(before, after, more, form, clear)
            )
        for button, on in (
            (self.adopt, better),
            (self.discard, found.get("verdict") == "worse"),
        ):
            font = button.font()
            font.setBold(on)
            button.setFont(font)
        with signals_blocked(self.picture):
            self.picture.clear()
            for one in found.get("pictures", ()):
                gain = f"{_number(one.get('before'))} → {_number(one.get('after'))}"
                self.picture.addItem(f"{title(one['name'])}   ({gain})", one["name"])
        self.show_layers.setEnabled(self.picture.count() > 0)
        self._look()

    def show_use(self, own: bool, used: bool, previous: str) -> None:
        """Show whether the model is the user's own, in use, and what was before it."""
        # The old model under a new name is nothing to use, or to share.
        self.adopt.setVisible(not used and not self._unchanged)
        self.share.setVisible(not self._unchanged)
        self.discard.setVisible(not own)
        self.discard.setText(FORGET if self._unchanged else THROW_AWAY)
        self.more.setVisible(own or self._unchanged)
        self.remove.setVisible(own)
        self.back.setVisible(used and bool(previous))
        self.back.setToolTip(f"Use {previous} again, as before.")

    def show_copying(self, on: bool) -> None:
        """Show whether the model is being copied to the user's models."""
        self.copying = on
        self.share.setDisabled(on)
        self._tie()

    def _tie(self) -> None:
        for button in (self.adopt, self.discard, self.remove):
            button.setDisabled(self.tied)
        self.tied_changed.emit(self.tied)

    def _look(self, _index: int = 0) -> None:
        name, read = self.picture.currentData(), self._read
        for view in self.views.values():
            view.show_image(None, "")
        if name is None or read is None:
            return

        def done(ticket: Ticket, value: Any, error: BaseException | None) -> None:
            if ticket.cancelled:
                return
            if error is not None:
                self.views["truth"].show_image(None, sentence(error))
                return
            self.views["truth"].show_image(value.truth)
            for what, pair in (("map", value.maps), ("mask", value.masks)):
                for when, rgb in zip(("before", "after"), pair, strict=True):
                    self.views[f"{what} {when}"].show_image(rgb, "not there")

        self._runner.submit("comparison", lambda _: read(name), done)

    def _show_asked(self) -> None:
        name = self.picture.currentData()
        if name is not None:
            self.show_requested.emit(name)


def _number(value: Any) -> str:
    return "–" if value is None else f"{value:.2f}"


def _right(column: int) -> Any:
    side = Qt.AlignmentFlag.AlignLeft if column == 0 else Qt.AlignmentFlag.AlignRight
    return side | Qt.AlignmentFlag.AlignVCenter
