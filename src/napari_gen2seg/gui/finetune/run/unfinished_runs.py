"""A line above the pages: earlier trainings wait to be resumed, or decided on."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QComboBox, QFrame, QHBoxLayout, QPushButton
from superqt.utils import signals_blocked

from napari_gen2seg.errors import Gen2SegError
from napari_gen2seg.gui.finetune.texts import wide_label
from napari_gen2seg.gui.panels.widgets import ask, shrink
from napari_gen2seg.jobs.training.past_runs import discard, waiting_runs

if TYPE_CHECKING:
    from napari_gen2seg.jobs.training.past_runs import PastRun


class WaitingBar(QFrame):
    """Offers the runs that were left behind, the newest first."""

    resume_requested = Signal(object)  # run folder
    open_requested = Signal(object)
    warned = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.text = wide_label()
        self.which = shrink(QComboBox())
        self.which.setToolTip("Earlier trainings, unfinished or not decided on.")
        self.take_up, self.drop = QPushButton("Resume"), QPushButton("Throw away")
        row = QHBoxLayout(self)
        row.addWidget(self.text, 3)
        row.addWidget(self.which, 1)
        row.addWidget(self.take_up)
        row.addWidget(self.drop)
        self._runs: list[PastRun] = []
        self._present: Path | None = None
        self._busy = False
        self.which.currentIndexChanged.connect(self._tell)
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
        self._present, self._busy = present, busy
        self._runs = [one for one in waiting_runs() if one.folder != present]
        with signals_blocked(self.which):
            self.which.clear()
            for run in self._runs:
                self.which.addItem(f"{run.name} ({_when(run)})")
        self.which.setVisible(len(self._runs) > 1)
        self.setVisible(bool(self._runs))
        self._tell()

    @property
    def _run(self) -> PastRun | None:
        place = self.which.currentIndex()
        return self._runs[place] if 0 <= place < len(self._runs) else None

    def _tell(self, _index: int = 0) -> None:
        run = self._run
        if run is None:
            return
        if run.state != "done":
            far = f" at step {run.step:,}" if run.step else ""
            far += f" of {run.steps:,}" if run.step and run.steps else ""
            text = f"The training of {run.name!r} stopped{far} ({_when(run)})."
        elif run.unchanged:
            text = f"The training of {run.name!r} ({_when(run)}) gained nothing."
        else:
            text = f"The new model {run.name!r} ({_when(run)}) waits for your decision."
        if len(self._runs) > 1:
            text += f" {len(self._runs)} trainings wait; choose one."
        self.text.setText(text)
        self.take_up.setText("See the result" if run.state == "done" else "Resume")
        self.take_up.setEnabled(not self._busy)
        self.take_up.setToolTip("When this training has ended." if self._busy else "")

    def _take_up(self) -> None:
        run = self._run
        self.setVisible(False)
        if run is not None:
            signal = (
                self.open_requested if run.state == "done" else self.resume_requested
            )
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
            self.look(self._present, self._busy)

        text = f"What {run.name!r} has learned so far is deleted."
        ask(self, "Throw it away?", text, drop)


def _when(run: PastRun) -> str:
    return time.strftime("%d %b %H:%M", time.localtime(run.when))
