"""Train, export, compare: the whole of fine-tuning as one generator."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_gen2seg.common.arguments import checked_arguments
from napari_gen2seg.common.progress import Cancel, check_cancel
from napari_gen2seg.errors import (
    Cancelled,
    Gen2SegError,
    MemoryShortError,
    StorageError,
    TrainingError,
)
from napari_gen2seg.train.finetune.config import (
    FinetuneConfig,
    finetune_config,
    read_finetune_config,
)
from napari_gen2seg.train.finetune.events import (
    Compared,
    Done,
    Event,
    Failed,
    Plan,
    Stopping,
)
from napari_gen2seg.train.finetune.run_folder import (
    CONFIG_NAME,
    EVENTS_NAME,
    answered,
    begun_before,
    check_begin,
    forget,
    listening,
)

if TYPE_CHECKING:
    from napari_gen2seg.io.label_facts import LabelFacts

Config = FinetuneConfig | Mapping[str, Any] | str | Path


@dataclass(frozen=True)
class FinetuneResult:
    """What a run gave.

    Attributes
    ----------
    model
        Folder of the new model; `load_model` takes it.
    plan
        What was done.
    compared
        The old and the new model on what was held back.
    seconds
        From beginning to end.
    """

    model: Path
    plan: Plan | None
    compared: Compared
    seconds: float

    @property
    def better(self) -> bool:
        """Whether the new model is surely better on the held-back objects."""
        return self.compared.better

    @property
    def unchanged(self) -> bool:
        """Whether the old model was kept as it is, weights and use."""
        return self.compared.unchanged


@checked_arguments()
def finetune(
    config: Config,
    cancel: Cancel | None = None,
    *,
    resume: bool = False,
    overwrite: bool = False,
) -> FinetuneResult:
    """Fine-tune a model on labeled images.

    Parameters
    ----------
    config
        A `FinetuneConfig`, its plain values, or its JSON file.
    cancel
        Asked between steps.
    resume
        Go on from where the run folder was left.
    overwrite
        Begin anew in a folder that holds an earlier run, and lose that.

    Returns
    -------
    FinetuneResult
        The new model's folder, and whether it is better.

    Raises
    ------
    Gen2SegError
        As `iter_finetune`.
    """
    plan: Plan | None = None
    compared: Compared | None = None
    done: Done | None = None
    for event in iter_finetune(config, cancel, resume=resume, overwrite=overwrite):
        if isinstance(event, Plan):
            plan = event
        elif isinstance(event, Compared):
            compared = event
        elif isinstance(event, Done):
            done = event
    if compared is None or done is None:
        raise TrainingError(
            "This process helped another one of the same run; the result is there."
        )
    return FinetuneResult(Path(done.model), plan, compared, done.seconds)


def plan_finetune(config: Config, facts: Sequence[LabelFacts] | None = None) -> Plan:
    """Say what a run would do and how much memory it takes; nothing is written.

    Parameters
    ----------
    config
        As for `finetune`.
    facts
        What is in the labels of its pairs, where that is known: their files are not
        read then, and need not be there yet.

    Raises
    ------
    SettingsError, DataError, ModelError, MemoryShortError
        If the run could not begin.
    """
    from napari_gen2seg.train.finetune.planning import plan

    return plan(_config(config), facts)


@checked_arguments()
def iter_finetune(
    config: Config,
    cancel: Cancel | None = None,
    *,
    resume: bool = False,
    overwrite: bool = False,
) -> Iterator[Event]:
    """Fine-tune a model, telling every step.

    Parameters
    ----------
    config
        A `FinetuneConfig`, its plain values, or its JSON file.
    cancel
        Asked between steps. A file ``CANCEL`` in the run folder means the same, a file
        ``STOP`` that the best weights so far are to be kept.
    resume
        Go on from where the run folder was left; begins anew where nothing is left.
    overwrite
        Begin anew in a folder that holds an earlier run, which is lost as soon as the
        new one begins.

    Yields
    ------
    Event
        See `train.finetune.events`; each is appended to ``events.jsonl`` too.

    Raises
    ------
    SettingsError, DataError, ModelError, MemoryShortError
        If the run cannot begin.
    StorageError
        If the folder holds an earlier run that is neither to be resumed nor to be
        overwritten; or if the disk is full: what was saved before is kept.
    MemoryShortError
        If memory runs out later, too; what was saved before is kept.
    TrainingError
        If the loss is no number twice; the last good state is kept.
    Cancelled
        If asked; the state is saved.
    """
    given, config = config, _config(config)
    begun = time.monotonic()
    last: Plan | Stopping | None = None
    check_begin(config.folder, resume, overwrite)
    # Of several processes the first one writes.
    main = os.environ.get("RANK", "0") == "0"
    if main:
        forget(config.folder, resume)
    cancel = listening(config.folder, cancel)
    # Nothing is written over an earlier run before it is certain that this one begins.
    earlier = begun_before(config.folder)
    written = config.folder / CONFIG_NAME
    own = isinstance(given, (str, Path)) and Path(given).resolve() == written.resolve()
    try:
        if main and not own and not earlier:
            config.save()
        for event in _events(config, cancel, resume, begun):
            if main and not own and earlier:
                config.save()
            earlier = False
            last = event if isinstance(event, (Plan, Stopping)) else last
            _log(config.folder, event)
            yield event
    except Cancelled:
        if main:
            answered(config.folder)
        raise
    except (Gen2SegError, MemoryError, RuntimeError) as error:
        named = _named(error, last)
        if named is None:
            raise
        if not earlier:
            # Where the log is on a full disk, the error itself says so.
            with suppress(StorageError):
                _log(config.folder, Failed(type(named).__name__, str(named)))
        if named is error:
            raise
        raise named from error


def _named(error: Exception, last: Plan | Stopping | None) -> Gen2SegError | None:
    """Turn memory that ran out into an error with advice; None for what is unknown."""
    if isinstance(error, Gen2SegError):
        return error
    from napari_gen2seg.models.runtime.placement import is_out_of_memory

    if not is_out_of_memory(error):
        return None
    if isinstance(last, Plan):
        text = (
            f"in training, with crops of {last.crop} pixels and {last.batch} at once. "
            "Start anew with a smaller crop or batch; or close other programs and "
            "resume from what was saved last."
        )
    elif isinstance(last, Stopping):
        text = (
            "after training, while the new model was written and compared. Close other "
            "programs and resume: what was learned is kept."
        )
    else:
        text = "before training began. Close other programs, or take a smaller model."
    return MemoryShortError(f"Memory ran out {text}")


def _events(
    config: FinetuneConfig, cancel: Cancel | None, resume: bool, begun: float
) -> Iterator[Event]:
    # Late: torch and its friends take seconds to import.
    from napari_gen2seg.train.finetune.loop import Training
    from napari_gen2seg.workflows.finetune.model_card import learnt_from, write_card

    training = Training(config, cancel, resume)
    main = False
    for event in training.events():
        main = main or isinstance(event, (Plan, Stopping))
        yield event
    if not main:
        return
    progress = training.progress
    learnt = learnt_from(config, training.split)
    # The network in training and its optimiser make room for the two to compare.
    del training
    from napari_gen2seg.train.finetune.export import export_best, read_best
    from napari_gen2seg.workflows.finetune.compare import compare_models

    check_cancel(cancel, "Fine-tuning")
    model = export_best(config, config.folder)
    best = read_best(config.folder)
    compared, report = yield from compare_models(config, model, cancel, best)
    write_card(config, model, report, progress, learnt)
    yield compared
    seconds = time.monotonic() - begun
    yield Done(str(model), compared.verdict, seconds, compared.unchanged)


def _config(config: Config) -> FinetuneConfig:
    if isinstance(config, FinetuneConfig):
        return config
    if isinstance(config, (str, Path)):
        return read_finetune_config(config)
    return finetune_config(dict(config))


def _log(folder: Path, event: Event) -> None:
    line = json.dumps({"time": round(time.time(), 1)} | event.facts())
    try:
        with (folder / EVENTS_NAME).open("a", encoding="utf-8") as file:
            file.write(line + "\n")
    except OSError as error:
        raise StorageError(
            f"The run's log could not be written to {folder}: {error}. Free some space "
            "there and resume."
        ) from error
