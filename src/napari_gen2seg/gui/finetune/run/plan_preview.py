"""What a training would do and need, found out before Start by a child process."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject, Signal

from napari_gen2seg.common.text import bytes_text, count_text
from napari_gen2seg.errors import Gen2SegError
from napari_gen2seg.gui.finetune.texts import (
    length_text,
    plan_text,
)
from napari_gen2seg.jobs.training.past_runs import crops_for
from napari_gen2seg.jobs.training.plan import plan
from napari_gen2seg.jobs.training.run import COMMAND
from napari_gen2seg.models.registry import find
from napari_gen2seg.models.runtime.memory import LIBRARIES, estimate_memory
from napari_gen2seg.session.session import sentence
from napari_gen2seg.train.data.split import validation_number
from napari_gen2seg.train.finetune.config import PRESETS, FinetuneConfig

if TYPE_CHECKING:
    from napari_gen2seg.gui.finetune.data.candidates import TrainingCandidate
    from napari_gen2seg.gui.finetune.data.selection import PairChoice, PairList
    from napari_gen2seg.gui.finetune.run.controller import TrainingController
    from napari_gen2seg.gui.finetune.settings_page import SettingsPage
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


#: Bytes for every value: itself; with its gradient, two moments and average.
LIGHT, FULL = 4, 20


def whole_plan(
    pairs: PairList, settings: SettingsPage, work: TrainingController
) -> tuple[str, str, bool]:
    """Return what Start will do, the memory it needs, and whether it can be pressed."""
    used, values, busy = pairs.used, settings.values, work.busy
    learnt = any(choice.role != "validation" for _, choice in used)
    ready = learnt and bool(values["name"]) and not busy
    line = plan_line(used, pairs.objects, values, busy)
    return line, memory_line(values), ready


def plan_line(
    used: list[tuple[TrainingCandidate, PairChoice]],
    objects: int,
    values: dict[str, Any],
    busy: bool,
) -> str:
    """Say what would be learnt from what, and for how long."""
    if busy:
        return "A model is being trained; see page 3."
    if not used:
        return "Choose pictures on page 1 first."
    if not values["name"]:
        return "Give the new model a name."
    held = [row.name for row, choice in used if choice.role == "validation"]
    if len(held) == len(used):
        return (
            "Every picture is held back: let at least one be learned from, on page 1."
        )
    if held:
        back = _back(str(len(held)))
    elif all(choice.role == "train" for _, choice in used):
        back = "nothing held back: nobody will know whether it is better"
    elif objects < 2:
        back = "too few to hold any back: nobody will know whether it is better"
    elif len(used) == 1:
        back = "a part of it held back to judge by, if its objects allow it"
    else:
        back = _back(_number(used))
    ends = length_text(values) or f"{PRESETS[values['preset']].minutes:g} minutes"
    return (
        f"<b>Start training</b> makes {values['name']!r} from "
        f"{count_text(len(used), 'picture')} with {count_text(objects, 'object')}, "
        f"{back}. It ends after {ends}, or earlier "
        "when it no longer gets better. The model you have is not changed."
    )


def _back(count: str) -> str:
    """Say how many pictures are held back; objects are counted beside them."""
    noun = "picture is" if count == "1" else "pictures are"
    return f"of which {count} {noun} held back to judge by"


def _number(used: list[tuple[TrainingCandidate, PairChoice]]) -> str:
    """Say how many images will be held back, if each stands for itself."""
    groups = [row.source.group or row.key for row, _ in used]
    if len(set(groups)) < len(groups):
        return "some"
    free = sum(choice.role == "auto" for _, choice in used)
    return str(validation_number(free, len(used) - free, FinetuneConfig.hold_back))


def memory_line(values: dict[str, Any]) -> str:
    """Say how much memory it takes at least; the rest is measured at the start."""
    try:
        spec = find(values["model"])
        if spec.path is None:
            return ""
        count = estimate_memory(spec).parameters
    except (Gen2SegError, OSError):
        return ""
    least = LIBRARIES + count * (
        LIGHT if values["trainable"] in ("lora", "last_blocks") else FULL
    )
    return (
        f"Memory: at least {bytes_text(least)}. Crop, batch and what is trained are "
        "chosen to fit when it starts; if nothing fits, you are told what would."
    )
