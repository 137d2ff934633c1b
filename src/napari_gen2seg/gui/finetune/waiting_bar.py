"""A line above the pages: an earlier training waits to be resumed, or decided on."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QFrame, QHBoxLayout, QPushButton

from napari_gen2seg.errors import Gen2SegError
from napari_gen2seg.gui.finetune.words import wide_label
from napari_gen2seg.gui.rows import ask
from napari_gen2seg.session.training_runs import discard, waiting_runs

if TYPE_CHECKING:
    from napari_gen2seg.session.training_runs import PastRun


class WaitingBar(QFrame):
    """Offers the newest run that an earlier window left behind."""

    resume_asked = Signal(object)  # run folder
    open_asked = Signal(object)
    warned = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.text = wide_label()
        self.take_up, self.drop = QPushButton("Resume"), QPushButton("Throw away")
        row = QHBoxLayout(self)
        row.addWidget(self.text, 1)
        row.addWidget(self.take_up)
        row.addWidget(self.drop)
        self._run: PastRun | None = None
        self._present: Path | None = None
        self.take_up.clicked.connect(self._take_up)
        self.drop.clicked.connect(self._drop)
        self.setVisible(False)

    def look(self, present: Path | None, busy: bool) -> None:
        """Look for runs.

        Parameters
        ----------
        present
            Folder of the run that the pages show, which is not offered.
        busy
            Whether something is being trained, so that nothing can be taken up.
        """
        self._present = present
        runs = [] if busy else [one for one in waiting_runs() if one.folder != present]
        self._run = run = runs[0] if runs else None
        self.setVisible(run is not None)
        if run is None:
            return
        when = time.strftime("%d %b %H:%M", time.localtime(run.when))
        if run.state == "done":
            text = f"The new model {run.name!r} ({when}) waits for your decision."
        else:
            far = f" at step {run.step:,}" if run.step else ""
            far += f" of {run.steps:,}" if run.step and run.steps else ""
            text = f"The training of {run.name!r} stopped{far} ({when})."
        self.text.setText(text)
        self.take_up.setText("See the result" if run.state == "done" else "Resume")

    def _take_up(self) -> None:
        run, self._run = self._run, None
        self.setVisible(False)
        if run is not None:
            signal = self.open_asked if run.state == "done" else self.resume_asked
            signal.emit(run.folder)

    def _drop(self) -> None:
        run = self._run
        if run is None:
            return

        def drop() -> None:
            try:
                discard(run.folder)
            except Gen2SegError as error:
                self.warned.emit(str(error))
            self.look(self._present, False)

        text = f"What {run.name!r} has learnt so far is deleted."
        ask(self, "Throw it away?", text, drop)
