"""The training loop: a generator of events that can be stopped and gone on with."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict
from typing import Any

import torch

from napari_gen2seg.common.progress import Cancel
from napari_gen2seg.errors import Cancelled, TrainingError
from napari_gen2seg.io.annotated import Annotated
from napari_gen2seg.models.model_config import with_settings
from napari_gen2seg.train.data.split import Split
from napari_gen2seg.train.engine.distributed import Distributed
from napari_gen2seg.train.finetune.checkpoint import (
    Progress,
    read_state,
    save_best,
    save_state,
)
from napari_gen2seg.train.finetune.config import FinetuneConfig
from napari_gen2seg.train.finetune.events import (
    Event,
    InferenceCalibrated,
    Plan,
    Preview,
    RolledBack,
    Saved,
    Saving,
    Score,
    Step,
    Stopping,
    Trying,
    Why,
)
from napari_gen2seg.train.finetune.inference_settings import calibrate_inference
from napari_gen2seg.train.finetune.learner import Learner, lesson
from napari_gen2seg.train.finetune.memory_estimate import Amount
from napari_gen2seg.train.finetune.planning import prepare
from napari_gen2seg.train.finetune.replay import note_learnt, store
from napari_gen2seg.train.finetune.run_folder import CROPS, PREVIEWS, answered, clear
from napari_gen2seg.train.finetune.schedule import (
    TrainingSchedule,
    agreed_reason,
    reason,
)
from napari_gen2seg.train.finetune.sources import training_sources
from napari_gen2seg.train.finetune.validation import Validator

_STORED = 32  # crops kept for later runs


class Training:
    """One run; `events` does the work.

    Parameters
    ----------
    config
        The run.
    cancel
        Asked between steps: the state is saved, nothing is exported.
    resume
        Go on from the state in the run folder, where there is one.
    """

    def __init__(
        self, config: FinetuneConfig, cancel: Cancel | None = None, resume: bool = False
    ) -> None:
        self.config = config
        self.cancel = cancel
        self.resume = resume
        self.folder = config.folder
        self.pace = TrainingSchedule(config)
        self._saving = 0.0

    @property
    def progress(self) -> Progress:
        """Where the run is."""
        return self.pace.progress

    def events(self) -> Iterator[Event]:
        """Train, telling every step; ends after `Stopping`.

        Raises
        ------
        DataError, SettingsError, ModelError, MemoryShortError
            If the run cannot begin.
        StorageError
            If the disk is full; what was saved before is kept.
        TrainingError
            If the loss is no number for the second time.
        Cancelled
            If asked; the state is saved.
        """
        self.team = Distributed()
        state = read_state(self.folder, self.config) if self.resume else None
        begun = state is not None
        split, self.sources, warnings = training_sources(self.config, begun)
        self.split = split
        if state is not None and state["progress"].finished:
            self.pace.progress = state["progress"]
            if self.team.main:
                yield Stopping(reason(self.progress.finished))
            return
        self.ready = prepare(
            self.config,
            self.team.device(self.config.device),
            self.cancel,
            (state["trainable"], Amount(**state["amount"])) if state else None,
        )
        self._begin(split, state)
        if state is None and self.team.main:
            clear(self.folder)
            note_learnt(self.config, split.train)
        if self.team.main:
            yield self._plan(split, warnings)
        yield from self._first()
        yield from self._steps()

    def _begin(self, split: Split, state: dict[str, Any] | None) -> None:
        trainee, size = self.ready.trainee, self.ready.amount.crop
        torch.manual_seed(self.config.seed)
        self.crops = lesson(self.config, split, self.sources, trainee, size)
        self.learner = Learner(self.config, self.ready, self.crops, self.team)
        self.watch = Validator(split.validation, trainee.model_config, self.config.seed)
        self.shown: Annotated = (split.validation or split.train)[0]
        self.split = split
        if state is not None:
            self.learner.restore(state)
            self.pace.progress = state["progress"]
            self._watch_as_used()

    def _watch_as_used(self) -> None:
        """Watch the clicks that people will make with the new model."""
        model_config = self.ready.trainee.model_config
        self.watch.model_config = with_settings(model_config, self.progress.use or {})

    def _plan(self, split: Split, warnings: list[str]) -> Plan:
        return self.ready.plan(
            self.config,
            self.crops.names,
            tuple(pair.name for pair in split.validation),
            split.objects,
            warnings,
            self.progress.step,
        )

    def _first(self) -> Iterator[Event]:
        """Show the untrained map, ask the labels how it is best used, save, score."""
        if self.team.main:
            fresh = self.progress.use is None
            total = 3 if fresh else 1
            yield Trying("Looking at the held-back picture", 0, total)
            yield self._preview()
            if fresh:
                yield Trying("Trying clicks on your labels, in several ways", 1, total)
                # Whoever cancels here is heard before the first step, by all processes.
                with suppress(Cancelled):
                    yield self._ask_labels()
                yield self._save()
                if self.progress.use is not None:
                    yield Trying("Scoring the model as it is", 2, total)
                    yield self._score()
                self.progress.seconds = 0.0
        self.team.agree(0)
        self.pace.begin()

    def _ask_labels(self) -> InferenceCalibrated:
        trainee, split, seed = self.ready.trainee, self.split, self.config.seed
        found = calibrate_inference(
            trainee.colorer,
            trainee.model_config,
            split.train,
            split.validation,
            seed,
            self.cancel,
        )
        self.progress.use = found.use
        self._watch_as_used()
        return found

    def _steps(self) -> Iterator[Event]:
        last_told = last_shown = last_scored = last_saved = time.monotonic()
        shown_for = scored_for = 0.0
        while True:
            why = agreed_reason(self.team, self.folder, self.cancel, self.pace)
            if why is not None:
                break
            loss = self.learner.step(self.progress, self.pace.rate(self.ready.rate))
            if loss is None:
                back = self._roll_back()
                if self.team.main:
                    yield back
                continue
            self.pace.stepped()
            if not self.team.main:
                continue
            now = time.monotonic()
            if now - last_told >= 1 or self.progress.step == 1:
                last_told = now
                yield self._told(loss)
            # Looking must not cost more than a fifth of the time, however slow it is.
            if now - last_saved >= max(30, 20 * self._saving):
                yield self._save()
                last_saved = time.monotonic()
            if now - last_shown >= max(self.config.preview_seconds, 10 * shown_for):
                begun = time.monotonic()
                yield self._preview()
                last_shown = time.monotonic()
                shown_for = last_shown - begun
            if now - last_scored >= max(self.config.score_seconds, 6 * scored_for):
                begun = time.monotonic()
                yield self._score()
                last_scored = time.monotonic()
                scored_for = last_scored - begun
        yield from self._end(why)

    def _end(self, why: Why) -> Iterator[Event]:
        if why != "cancel" and self.team.main:
            yield self._preview()
            yield self._score()
            store(self.crops, self.folder / CROPS, _STORED)
            self.progress.finished = why
        if self.team.main:
            answered(self.folder)
            if why == "cancel":
                yield Saving(self.progress.step)
            yield self._save()
            on_cpu = self.ready.trainee.device.type == "cpu"
            waited = self.pace.waited if on_cpu else None
            yield Stopping(why, self.progress.step, waited)
        self.team.agree(0)
        if why == "cancel":
            raise Cancelled(
                f"Fine-tuning was cancelled at step {self.progress.step}. Its state is "
                "saved; it can be resumed."
            )

    def _told(self, loss: float) -> Step:
        return Step(
            self.progress.step,
            self.config.length[0],
            loss,
            self.pace.rate(self.ready.rate),
            self.pace.seconds,
            self.pace.left,
        )

    def _preview(self) -> Preview:
        with self.learner.average.worn():
            path = self.watch.preview(
                self.ready.trainee.colorer, self.shown, self.folder / PREVIEWS
            )
        return Preview(self.progress.step, self.shown.name, str(path))

    def _score(self) -> Score:
        with self.learner.average.worn():
            value = self.watch.score(self.ready.trainee.colorer)
        progress = self.progress
        best = progress.scored(value)
        if best:
            save_best(
                self.folder, self.ready.trainable, progress, self.learner.average.kept
            )
        seconds = self.pace.seconds if progress.step else 0.0
        return Score(progress.step, value, self.watch.count, seconds, best)

    def _save(self) -> Saved:
        begun = time.monotonic()
        self.pace.keep()
        path = save_state(
            self.folder,
            self.config,
            self.ready.trainable,
            asdict(self.ready.amount),
            self.progress,
            self.ready.trainee.trained,
            self.learner.average.shadow,
            self.learner.optimiser,
        )
        self._saving = time.monotonic() - begun
        return Saved(self.progress.step, str(path))

    def _roll_back(self) -> RolledBack:
        """Go back to the last good state with half the rate; once."""
        at, rolled = self.progress.step, self.progress.rolled
        if rolled:
            raise TrainingError(
                f"The loss became no number at step {at}, a second time and with half "
                "the rate. Start anew with a smaller rate; or resume and stop at once "
                "(Stop and keep best, or a file STOP in the run folder), which keeps "
                "the best weights so far."
            )
        state = read_state(self.folder, None)
        if state is None:
            raise TrainingError(
                f"The loss became no number at step {at}, and no state was saved yet. "
                "Start anew with a smaller rate."
            )
        self.learner.restore(state)
        self.pace.back_to(state["progress"])
        self.progress.rolled = rolled + 1
        self.progress.rate_scale /= 2
        return RolledBack(at, self.progress.step, self.pace.rate(self.ready.rate))
