"""The mark, Save and Save as; the offer to go on with earlier work."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QFileDialog, QPushButton

from napari_gen2seg.common.text import count_text
from napari_gen2seg.gui.layers.marks import source_of
from napari_gen2seg.gui.panels.widgets import Panel, quiet_label, told_label
from napari_gen2seg.gui.saving.earlier_dialog import EarlierDialog

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari.layers import Labels

    from napari_gen2seg.gui.saving.keeper import Keeper
    from napari_gen2seg.gui.saving.opening import Work
    from napari_gen2seg.gui.saving.set_aside import Aside

WORDS = {"": "", "saved": "Saved", "saving": "Saving ...", "not saved": "NOT saved"}


class SaveRow(Panel):
    """Says whether the work is saved; offers Save, Save as, and earlier work."""

    save_requested = Signal()
    save_as_requested = Signal(str)
    go_on_requested = Signal()
    anew_requested = Signal()
    earlier_requested = Signal()  # what was set aside, please
    earlier_chosen = Signal(object)  # folder of it that is to be opened

    def __init__(self) -> None:
        super().__init__()
        self.column.setContentsMargins(0, 0, 0, 0)
        self.offer = Panel()
        self.offer.column.setContentsMargins(0, 0, 0, 0)
        self.what = told_label()
        self.go_on = QPushButton("Go on")
        font = self.go_on.font()
        font.setBold(True)  # nothing is lost by it
        self.go_on.setFont(font)
        self.go_on.setToolTip("Labels, clicks and settings as they were.")
        self.anew = QPushButton("Begin anew")
        self.anew.setToolTip("The earlier work is set aside, not deleted.")
        self.offer.column.addWidget(self.what)
        self.offer.add_row(self.anew, self.go_on)
        self.offer.hide()
        self.mark = quiet_label()
        self.save = QPushButton("Save")
        self.save.setToolTip("Save the labels whole, where the work is kept.")
        self.save_as = QPushButton("Save as ...")
        self.save_as.setToolTip("Write the labels into a TIFF file.")
        self.column.addWidget(self.offer)
        self.add_row(self.save, self.save_as, self.mark)
        self.earlier = QPushButton("Earlier work ...")
        self.earlier.setToolTip("What was set aside for this picture; open it again.")
        self.earlier.hide()
        self.column.addWidget(self.earlier, 0, Qt.AlignmentFlag.AlignLeft)
        self.earlier_dialog: EarlierDialog | None = None
        self.dialog: QFileDialog | None = None
        self._usual = ""  # file of the labels that is suggested
        self.save.clicked.connect(lambda: self.save_requested.emit())
        self.save_as.clicked.connect(self.ask_name)
        self.go_on.clicked.connect(lambda: self.go_on_requested.emit())
        self.anew.clicked.connect(lambda: self.anew_requested.emit())
        self.earlier.clicked.connect(self.ask_earlier)

    def show_keeper(self, keeper: Keeper) -> None:
        """Show whether the work is saved, and what is offered."""
        kept = keeper.layer
        self._usual = "" if kept is None else usual_file(keeper, kept.layer)
        self.mark.setText("" if kept is None else WORDS[kept.state])
        where = ""
        if kept is not None and kept.journal is not None:
            where = f"Every act is kept in {kept.journal.folder}."
        self.mark.setToolTip((kept.problem if kept is not None else "") or where)
        work = keeper.earlier.offer
        if work is not None:
            self.what.setText(offer_text(work))
        self.offer.setVisible(work is not None)
        self.earlier.setVisible(bool(keeper.aside.folders))

    def ask_earlier(self) -> None:
        """Ask which earlier work is to be opened, without blocking the window."""
        dialog = EarlierDialog(self)
        dialog.chosen.connect(self.earlier_chosen)
        dialog.finished.connect(self._earlier_answered)
        self.earlier_dialog = dialog
        dialog.open()
        self.earlier_requested.emit()

    def show_earlier(self, found: Sequence[Aside]) -> None:
        """Show what was set aside, if somebody asked for it."""
        if self.earlier_dialog is not None:
            self.earlier_dialog.show_list(found)

    def _earlier_answered(self) -> None:
        dialog, self.earlier_dialog = self.earlier_dialog, None
        if dialog is not None:
            dialog.deleteLater()

    def ask_name(self) -> None:
        """Ask for a file, without blocking the window."""
        dialog = QFileDialog(self, "Save labels as", "", "TIFF (*.tif *.tiff)")
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix("tif")
        if self._usual:
            dialog.setDirectory(str(Path(self._usual).parent))
            dialog.selectFile(Path(self._usual).name)
        dialog.fileSelected.connect(self.save_as_requested)
        dialog.finished.connect(lambda _: dialog.deleteLater())
        self.dialog = dialog
        dialog.open()


def usual_file(keeper: Keeper, labels: Labels) -> str:
    """Name a file for labels beside the picture as `segment` does: ``NAME-labels.tif``.

    Empty where the picture has no file.
    """
    work = keeper.works.of(source_of(labels))
    path = None if work is None else work.identity.path
    return "" if path is None else str(path.with_name(f"{path.stem}-labels.tif"))


def offer_text(work: Work) -> str:
    """Say what earlier work there is."""
    journal = work.journal
    if journal is None or work.labels is None or journal.earlier is None:
        return ""
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(journal.state.touched))
    objects = count_text(work.count, "object")
    text = f"Earlier work on {work.identity.name}: {objects}, {when}."
    if journal.earlier.since_saved or journal.earlier.torn:
        text += " It was not closed; every act is there."
    if journal.earlier.found.how == "changed":
        text += " The image has changed since."
    return text
