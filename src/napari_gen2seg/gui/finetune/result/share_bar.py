"""A row of the result page: the new model leaves as a file, or to the hub."""

from __future__ import annotations

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QPushButton, QWidget

from napari_gen2seg.gui.panels.widgets import quiet_label


class ShareBar(QWidget):
    """Offers the ways out, and shows one that is under way."""

    export_requested = Signal()
    bioimage_requested = Signal()
    hub_requested = Signal()
    cancel_requested = Signal()
    busy_changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.export = QPushButton("Export…")
        self.export.setToolTip("Copy the model: into a folder, or into one zip.")
        self.bioimage = QPushButton("Export for bioimage.io…")
        self.bioimage.setToolTip(
            "Write a package that other programs can run, without napari-gen2seg."
        )
        self.hub = QPushButton("Push to the Hub…")
        self.hub.setToolTip(
            "Publish the model on the Hugging Face hub, for others to download."
        )
        self.doing = quiet_label()
        self.progress = QProgressBar()
        self.progress.setRange(0, 0)  # nobody knows how long a network takes
        self.progress.setTextVisible(False)
        self.progress.setMaximumWidth(120)
        self.cancel = QPushButton("Cancel")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(QLabel("Share the model"))
        for button in (self.export, self.bioimage, self.hub):
            row.addWidget(button)
        row.addWidget(self.doing, 1)
        row.addWidget(self.progress)
        row.addWidget(self.cancel)
        for button, signal in (
            (self.export, self.export_requested),
            (self.bioimage, self.bioimage_requested),
            (self.hub, self.hub_requested),
            (self.cancel, self.cancel_requested),
        ):
            button.clicked.connect(lambda _=False, signal=signal: signal.emit())
        self.show_doing("")

    @property
    def busy(self) -> bool:
        """Whether something is under way."""
        return bool(self.doing.text())

    def show_doing(self, text: str) -> None:
        """Show what is under way; empty for nothing."""
        self.doing.setText(text)
        for widget in (self.progress, self.cancel):
            widget.setVisible(bool(text))
        for button in (self.export, self.bioimage, self.hub):
            button.setEnabled(not text)
        self.busy_changed.emit()
