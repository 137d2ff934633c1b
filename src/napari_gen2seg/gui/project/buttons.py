"""The buttons of the dock: above the list the project, below it what one does."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import QObject, Qt, Signal
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QLabel,
    QMenu,
    QProgressBar,
    QPushButton,
    QSizePolicy,
)

from napari_gen2seg.gui.panels.widgets import Panel, fold, shrink, told_label
from napari_gen2seg.gui.project.progress import ProgressPage

if TYPE_CHECKING:
    from napari_gen2seg.project.project import Project

_TOLD = 180  # letters of a sentence that leave room for the list on a small screen
KINDS = {
    "Label images (TIFF)": "tiff",
    "COCO": "coco",
    "YOLO-seg": "yolo",
    "ImageJ ROIs": "imagej",
    "Cellpose": "cellpose",
    "StarDist": "stardist",
    "OME-Zarr": "ome-zarr",
}


class ProjectButtons(QObject):
    """Two panels that only say what was asked for, and show what they are told."""

    new_requested = Signal()
    open_requested = Signal()
    recent_requested = Signal(str)  # folder of a project
    go_requested = Signal(int)  # 1 for the next picture, -1 for the one before
    mark_requested = Signal(str)  # a state
    ahead_requested = Signal(bool)
    propose_requested = Signal()
    finetune_requested = Signal()
    import_requested = Signal(bool)  # a folder, rather than a file
    export_requested = Signal(str, bool)  # a kind, and whether pictures in work too
    cancel_requested = Signal()
    crowded = Signal(bool)  # whether more is shown than the buttons

    def __init__(self) -> None:
        super().__init__()
        self.top, self.bottom = Panel("Project"), Panel()
        self.recent = shrink(QComboBox())
        self.recent.setToolTip("Projects that were opened before.")
        self.new = _button("New ...", "Make a project of the pictures in a folder.")
        self.open = _button("Open ...", "Open the folder of a project.")
        self.top.add_row(self.new, self.open, self.recent)
        self.previous = _button("Previous", "The picture before in the list (Page Up).")
        self.next = _button("Next", "The next picture in the list (Page Down).")
        self.done = _button(
            "Done", "This picture is done: save it and go on (Ctrl+Enter)."
        )
        self.skip = _button("Skip", "Leave this picture out, and go on.")
        self.ahead = QCheckBox("Color ahead")
        self.ahead.setToolTip(
            "Color a picture when it is opened, and the next two while you work."
        )
        self.propose = _button(
            "Propose",
            "Write proposals into all pictures that nobody has begun, in place of "
            "earlier ones.",
        )
        self.finetune = _button(
            "Fine-tune ...", "Teach the model what is in the pictures in work or done."
        )
        self.imports = _button("Import", "Take labels of other programs.")
        self.exports = _button("Export", "Write a data set for other programs.")
        self._menus()
        self.bar = QProgressBar()
        self.bar.setMinimumWidth(60)
        self.cancel = _button("Cancel", "Stop at the next step.")
        self.offer = Panel()
        self.offered = told_label()
        self.again = _button("Propose again", "On what nobody has begun.")
        self.later = _button("Not now", "Pictures are colored by the new model anyway.")
        self.page = ProgressPage()
        # On the picture: the dock for clicks may be hidden. In a row that is there.
        self.work = QLabel()
        self.work.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.work.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.status = told_label()
        self._lay_out()
        self.show_running(False)
        self.show_open(False)
        self.show_status("")
        self.offer.hide()
        self._connect()

    def _menus(self) -> None:
        """Fill the menus of import and export."""
        sources, kinds = QMenu(self.imports), QMenu(self.exports)
        for title, folder in (("A file ...", False), ("A folder ...", True)):
            action = sources.addAction(title)
            action.triggered.connect(
                lambda _=False, folder=folder: self.import_requested.emit(folder)
            )
        in_work = kinds.addAction("Pictures in work too")
        in_work.setCheckable(True)
        kinds.addSeparator()
        for title, kind in KINDS.items():
            action = kinds.addAction(f"{title} ...")
            action.setData(kind)
            action.triggered.connect(
                lambda _=False, kind=kind: self.export_requested.emit(
                    kind, in_work.isChecked()
                )
            )
        self.imports.setMenu(sources)
        self.exports.setMenu(kinds)

    def _lay_out(self) -> None:
        bottom = self.bottom
        bottom.column.setContentsMargins(0, 0, 0, 0)
        # Above the buttons: the list gives way to a sentence, they stay where they are.
        bottom.column.addWidget(self.status)
        bottom.add_row(self.previous, self.next).setStretch(0, 1)
        bottom.add_row(self.done, self.skip).setStretch(0, 1)
        self.offer.column.setContentsMargins(0, 0, 0, 0)
        self.offer.column.addWidget(self.offered)
        self.offer.add_row(self.again, self.later).setStretch(0, 1)
        bottom.column.addWidget(self.offer)
        bottom.add_row(self.propose, self.finetune).setStretch(0, 1)
        bottom.add_row(self.imports, self.exports).setStretch(0, 1)
        bottom.add_row(self.ahead, self.work)
        self.running = Panel()
        self.running.column.setContentsMargins(0, 0, 0, 0)
        self.running.add_row(self.cancel, self.bar)
        bottom.column.addWidget(self.running)
        self.progress = fold("Progress", self.page)
        self.progress.toggled.connect(self._unfolded)
        bottom.column.addWidget(self.progress)
        for one in (self.previous, self.next, self.done, self.skip):
            one.setMinimumWidth(60)

    def _unfolded(self, on: bool) -> None:
        """Keep room for what is unfolded: the list above gives way first."""
        title = self.progress.toggleButton().sizeHint().height()
        page = self.page.minimumSizeHint().height()
        self.progress.setMinimumHeight(title + page if on else 0)
        self._tell_crowded()

    def _connect(self) -> None:
        self.new.clicked.connect(lambda: self.new_requested.emit())
        self.open.clicked.connect(lambda: self.open_requested.emit())
        self.recent.activated.connect(self._recent_chosen)
        self.next.clicked.connect(lambda: self.go_requested.emit(1))
        self.previous.clicked.connect(lambda: self.go_requested.emit(-1))
        self.done.clicked.connect(lambda: self.mark_requested.emit("done"))
        self.skip.clicked.connect(lambda: self.mark_requested.emit("skipped"))
        self.ahead.toggled.connect(self.ahead_requested)
        for one in (self.propose, self.again):
            one.clicked.connect(lambda: self.propose_requested.emit())
        self.later.clicked.connect(self.offer.hide)
        self.finetune.clicked.connect(lambda: self.finetune_requested.emit())
        self.cancel.clicked.connect(lambda: self.cancel_requested.emit())

    # ---- showing

    def show_project(self, project: Project | None, recent: Sequence[Path]) -> None:
        """Show which project is open, and those that were opened before."""
        self.recent.clear()
        if project is None:
            self.recent.addItem("recent projects", "")
        for folder in recent:
            self.recent.addItem(folder.name, str(folder))
            place, tip = self.recent.count() - 1, Qt.ItemDataRole.ToolTipRole
            self.recent.setItemData(place, str(folder), tip)
        if project is not None:
            self.recent.setCurrentIndex(self.recent.findData(str(project.folder)))
        for one in (self.previous, self.next, self.propose, self.finetune):
            one.setEnabled(project is not None)
        for one in (self.imports, self.exports):
            one.setEnabled(project is not None)

    def show_open(self, is_open: bool) -> None:
        """Show whether a picture is open."""
        for one in (self.done, self.skip):
            one.setEnabled(is_open)

    def show_status(self, text: str) -> None:
        """Say something in a few lines; what is longer is in the tooltip."""
        long = len(text) > _TOLD
        self.status.setText(f"{text[:_TOLD].rstrip()} …" if long else text)
        self.status.setToolTip(text if long else "")
        self.status.setVisible(bool(text))
        self._tell_crowded()

    def _tell_crowded(self) -> None:
        more = bool(self.status.text()) or self.progress.isExpanded()
        self.crowded.emit(more)

    def show_work(self, text: str, tip: str = "") -> None:
        """Show how far the picture is that is open; nothing for none."""
        self.work.setText(text)
        self.work.setToolTip("\n".join(one for one in (text, tip) if one))

    def show_running(self, running: bool) -> None:
        """Show whether something takes its time."""
        self.running.setVisible(running)
        self.bar.setRange(0, 0)
        self.bar.setFormat("")

    def show_progress(self, fraction: float | None, text: str) -> None:
        """Show how far it is."""
        self.bar.setRange(0, 0 if fraction is None else 100)
        if fraction is not None:
            self.bar.setValue(round(100 * fraction))
        self.show_status(text)

    def show_offer(self, title: str) -> None:
        """Offer to propose again with a new model."""
        self.offered.setText(f"{title} is in use. Propose again on what is untouched?")
        self.offer.show()

    def _recent_chosen(self, _index: int) -> None:
        folder = self.recent.currentData()
        if folder:
            self.recent_requested.emit(folder)


def _button(title: str, tip: str) -> QPushButton:
    button = QPushButton(title)
    button.setToolTip(tip)
    button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
    return button
