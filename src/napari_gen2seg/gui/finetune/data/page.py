"""Page 1: which images to learn from, and what the model will be told of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)
from superqt.utils import signals_blocked

from napari_gen2seg.common.text import count_text
from napari_gen2seg.gui.finetune.data.image_view import PictureView, preview_of
from napari_gen2seg.gui.finetune.texts import (
    WARNING,
    labels_text,
    wide_label,
)
from napari_gen2seg.gui.panels.widgets import shrink
from napari_gen2seg.session.session import sentence

if TYPE_CHECKING:
    from napari_gen2seg.gui.finetune.data.candidates import TrainingCandidate
    from napari_gen2seg.gui.finetune.data.selection import PairList
    from napari_gen2seg.session import Runner, Ticket

HEADS = {
    "Picture": "Tick what to use. Every plane of a stack is a picture of its own.",
    "Labels": "The Labels layer, or the folder, that says where the objects are.",
    "Objects": "How many objects are labeled.",
    "All labeled": "Tick it if every object is labeled: whatever is not labeled is "
    "then taught as background. Unticked, it is unknown, so a few objects are enough.",
    "Use": "Hold a picture back to see how well the model does on what it has not "
    "learned from. Automatic holds back about a fifth of the pictures, or part of "
    "the only one.",
}
ROLES = (("automatic", "auto"), ("learn from it", "train"), ("hold back", "validation"))
ALL, USE = 3, 4
EMPTY_BOX = "QTableView::indicator:unchecked {border: 1px solid gray;}"


class PairsPage(QWidget):
    """Lists images with labels and asks which to use.

    Parameters
    ----------
    pairs
        What there is.
    runner
        Draws previews behind the window.
    """

    next_requested = Signal()

    def __init__(self, pairs: PairList, runner: Runner) -> None:
        super().__init__()
        self._pairs, self._runner = pairs, runner
        self._listed: list[TrainingCandidate] = []  # in the table
        self.table = QTableWidget(0, len(HEADS))
        self.table.setHorizontalHeaderLabels(list(HEADS))
        for place, tip in enumerate(HEADS.values()):
            self.table.horizontalHeaderItem(place).setToolTip(tip)
        header = self.table.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self.table.verticalHeader().hide()
        # napari's empty boxes have the colour of the cells; grey shows on any theme.
        self.table.setStyleSheet(EMPTY_BOX)
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.view = PictureView("Choose a picture in the list.")
        self.told = wide_label()
        self.partner = shrink(QComboBox())
        self.partner.setToolTip("The picture that these labels were drawn on.")
        self.partner_label = QLabel("Picture")
        self.folder = QPushButton("Add a folder…")
        self.folder.setToolTip(
            "A folder with images/ and labels/: files of the same names, labels as "
            "TIFF or PNG of whole numbers."
        )
        self.again = QPushButton("Look again")
        self.total = wide_label()
        self.next = QPushButton("Next")
        self._lay_out()
        self.table.itemChanged.connect(self._ticked)
        self.table.itemSelectionChanged.connect(self._look)
        self.partner.activated.connect(self._partner_asked)
        self.folder.clicked.connect(self._ask_folder)
        self.again.clicked.connect(pairs.rescan)
        self.next.clicked.connect(lambda: self.next_requested.emit())
        pairs.changed.connect(self._fill)
        pairs.chosen_changed.connect(self._show_total)
        pairs.looking.connect(self._looking)
        self._show_total()

    def _lay_out(self) -> None:
        intro = wide_label(
            "<b>Show the model a few of your own objects.</b> Label 5 to 30 of them in "
            "a Labels layer, by clicking in the dock or with napari's brush; they need "
            "not be all."
        )
        below = QHBoxLayout()
        below.addWidget(self.folder)
        below.addWidget(self.again)
        below.addStretch(1)
        left = QVBoxLayout()
        left.addWidget(self.table, 1)
        left.addLayout(below)
        right = QVBoxLayout()
        which = QHBoxLayout()
        which.addWidget(self.partner_label)
        which.addWidget(self.partner, 1)
        right.addLayout(which)
        right.addWidget(self.view, 1)
        right.addWidget(self.told)
        middle = QHBoxLayout()
        middle.addLayout(left, 3)
        middle.addLayout(right, 2)
        last = QHBoxLayout()
        last.addWidget(self.total, 1)
        last.addWidget(self.next)
        column = QVBoxLayout(self)
        column.addWidget(intro)
        column.addLayout(middle, 1)
        column.addLayout(last)

    # ---- showing

    def _fill(self) -> None:
        before, now, at = self._listed, list(self._pairs.rows), self.table.currentRow()
        keep = before[at].key if 0 <= at < len(before) else None
        keys = [row.key for row in now]
        # Most often a stroke of the brush changed one of many rows, or none.
        same = keys == [row.key for row in before]
        self._listed = now
        with signals_blocked(self.table):
            self.table.setRowCount(len(now))
            for place, row in enumerate(now):
                if not same or _cells(before[place]) != _cells(row):
                    self._fill_row(place, row)
        if keys:
            self.table.selectRow(keys.index(keep) if keep in keys else 0)
        self._look()

    def _fill_row(self, place: int, row: TrainingCandidate) -> None:
        usable = row.facts is not None
        *texts, problem, _ = _cells(row)
        for column, text in enumerate((*texts, "")):
            item = QTableWidgetItem(text)
            item.setToolTip(problem or text)
            item.setFlags(
                Qt.ItemFlag.ItemIsSelectable
                | (Qt.ItemFlag.ItemIsEnabled if usable else Qt.ItemFlag.NoItemFlags)
            )
            if column == 2:
                item.setTextAlignment(
                    Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
                )
            if column in (0, ALL):
                item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
            self.table.setItem(place, column, item)
        roles = QComboBox()
        for text, role in ROLES:
            roles.addItem(text, role)
        roles.setEnabled(usable)
        roles.activated.connect(
            lambda _, row=row, roles=roles: self._pairs.choose(
                row, role=roles.currentData()
            )
        )
        self.table.setCellWidget(place, USE, roles)

    def _show_choices(self) -> None:
        """Show what is wanted: a choice for one set of labels may be for others too."""
        with signals_blocked(self.table):
            for place, row in enumerate(self._listed):
                at = self._pairs.choice(row)
                for column, on in (
                    (0, at.use and row.facts is not None),
                    (ALL, at.complete),
                ):
                    state = Qt.CheckState.Checked if on else Qt.CheckState.Unchecked
                    self.table.item(place, column).setCheckState(state)
                roles = self.table.cellWidget(place, USE)
                roles.setCurrentIndex(roles.findData(at.role))

    @property
    def row(self) -> TrainingCandidate | None:
        """The image selected in the list."""
        place = self.table.currentRow()
        rows = self._pairs.rows
        return rows[place] if 0 <= place < len(rows) else None

    def _looking(self, on: bool) -> None:
        self.again.setText("Looking…" if on else "Look again")

    def _show_total(self) -> None:
        used, objects = self._pairs.used, self._pairs.objects
        notes, said = self._pairs.notes(), self._pairs.worries()
        self._show_choices()
        if not self._pairs.rows:
            text = (
                "No picture with labels is open. Open a picture, label some objects in "
                "a Labels layer of the same size, or add a folder."
            )
        elif not used:
            text = "Tick at least one picture."
        else:
            text = (
                f"{count_text(len(used), 'picture')} with "
                f"{count_text(objects, 'object')}."
            )
        lines = [text, *notes, *(WARNING.format(one) for one in said)]
        self.total.setText("<br>".join(lines))
        self.next.setEnabled(bool(used))
        self._show_told()

    def _show_told(self) -> None:
        row = self.row
        if row is None:
            self.told.setText("")
            return
        if row.facts is None:
            self.told.setText(row.problem)
            return
        complete = self._pairs.choice(row).complete
        facts = self._pairs.joined(row).facts or row.facts
        self.told.setText(labels_text(facts, complete))

    # ---- asking

    def _ticked(self, item: QTableWidgetItem) -> None:
        rows = self._pairs.rows
        if not 0 <= item.row() < len(rows) or item.column() not in (0, ALL):
            return
        on = item.checkState() == Qt.CheckState.Checked
        name = "use" if item.column() == 0 else "complete"
        self._pairs.choose(rows[item.row()], **{name: on})
        self._look()  # other labels of the picture may come in, or go

    def _show_partner(self, row: TrainingCandidate | None) -> None:
        others = () if row is None else row.others
        for one in (self.partner, self.partner_label):
            one.setVisible(bool(others))
        self.partner.clear()
        if row is not None and row.layer_id is not None:
            self.partner.addItem(row.name.split(", plane ")[0], row.layer_id)
            for name, layer_id in others:
                self.partner.addItem(name, layer_id)

    def _partner_asked(self, _index: int) -> None:
        row, chosen = self.row, self.partner.currentData()
        if row is not None and chosen != row.layer_id:
            self._pairs.pair_with(row, chosen)

    def _look(self) -> None:
        row = self.row
        self._show_told()
        self._show_partner(row)
        if row is None or row.facts is None:
            self.view.show_image(None, "" if row is None else row.problem)
            return
        joined, complete = self._pairs.joined(row), self._pairs.choice(row).complete

        def done(ticket: Ticket, value: Any, error: BaseException | None) -> None:
            if ticket.cancelled:
                return
            if error is not None:
                self.view.show_image(None, sentence(error))
            else:
                self.view.show_image(value)

        self._runner.submit("pair view", lambda _: preview_of(joined, complete), done)

    def _ask_folder(self) -> None:
        chosen = QFileDialog.getExistingDirectory(
            self, "Folder with images/ and labels/"
        )
        if chosen:
            self._pairs.add_folder(Path(chosen))


def _cells(row: TrainingCandidate) -> tuple[str, str, str, str, bool]:
    """Return what the table tells of a row, apart from what a person chose."""
    count = "–" if row.facts is None else str(row.facts.objects)
    return row.name, row.drawn, count, row.problem, row.suggested
