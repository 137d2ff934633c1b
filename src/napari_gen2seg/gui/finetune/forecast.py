"""What a training would do and need, found out before Start by a child process."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject, Signal

from napari_gen2seg.gui.finetune.words import plan_text
from napari_gen2seg.session.session import sentence
from napari_gen2seg.session.training import COMMAND
from napari_gen2seg.session.training_plan import plan
from napari_gen2seg.session.training_runs import crops_for

if TYPE_CHECKING:
    from napari_gen2seg.gui.finetune.pair_list import PairList
    from napari_gen2seg.session import Runner, Ticket


class Forecast(QObject):
    """Asks the training command for its plan; a newer question replaces an older.

    Parameters
    ----------
    pairs
        What would be trained on.
    runner
        Where it waits for the answer.
    command
        Starts the child; for tests.
    """

    told = Signal(str)
    asking = Signal(bool)  # whether an answer is waited for

    def __init__(
        self,
        pairs: PairList,
        runner: Runner,
        command: Sequence[str] = COMMAND,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._pairs, self._runner, self._command = pairs, runner, command
        self._ticket: Ticket | None = None

    def ask(self, values: dict[str, Any]) -> None:
        """Find out what a training with these settings would do and need."""
        sources, names, rows = self._pairs.sources()
        titles = {name: row.name for name, row in zip(names, rows, strict=True)}
        config = {**values, "replay": crops_for(str(values["model"]))}

        def done(ticket: Ticket, found: Any, error: BaseException | None) -> None:
            if ticket.cancelled:
                return
            self._ticket = None
            self.asking.emit(False)
            if error is not None:
                self.told.emit(sentence(error))
            else:
                self.told.emit(plan_text(found, lambda name: titles.get(name, name)))

        self.drop()
        self.told.emit("Loading the model to see what it needs…")
        self.asking.emit(True)
        self._ticket = self._runner.submit(
            "plan",
            lambda t: plan(config, sources, names, t.check, self._command),
            done,
        )

    def drop(self) -> None:
        """Stop asking: it starts for real, or something was changed."""
        if self._ticket is not None:
            self._ticket.cancel()
            self._ticket = None
            self.asking.emit(False)
