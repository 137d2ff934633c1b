"""The training loop: a generator of events that can be stopped and gone on with."""

from __future__ import annotations

import math
import shutil
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from napari_gen2seg.errors import Cancelled, TrainingError
from napari_gen2seg.models.hooks import Cancel, check_cancel
from napari_gen2seg.train.finetune.average import TrainedAverage
from napari_gen2seg.train.finetune.config import FinetuneConfig
from napari_gen2seg.train.finetune.crops import Crops, read_stored, store
from napari_gen2seg.train.finetune.events import (
    Event,
    Plan,
    Preview,
    RolledBack,
    Saved,
    Score,
    Step,
    Stopping,
    Why,
)
from napari_gen2seg.train.finetune.losses import guided_loss, published_loss
from napari_gen2seg.train.finetune.memory import Amount
from napari_gen2seg.train.finetune.mixture import Mixture, material
from napari_gen2seg.train.finetune.pairs import Pair
from napari_gen2seg.train.finetune.published import (
    BETAS,
    paper_loss,
    published_share,
)
from napari_gen2seg.train.finetune.setup import prepare
from napari_gen2seg.train.finetune.split import Split
from napari_gen2seg.train.finetune.state import (
    BEST_NAME,
    STATE_NAME,
    Progress,
    read_state,
    save_best,
    save_state,
)
from napari_gen2seg.train.finetune.team import Team
from napari_gen2seg.train.finetune.watch import Watch

STOP_NAME, CANCEL_NAME = "STOP", "CANCEL"
PREVIEWS, CROPS = "previews", "crops"

_STORED = 32  # crops kept for later runs
_CLIP = 1.0
_WHY: tuple[Why, ...] = ("steps", "minutes", "patience", "stop", "cancel")


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
        self.published = config.recipe == "published"
        self.folder = config.folder
        self.progress = Progress()
        self._since = time.monotonic()
        self._saving = 0.0

    def plan(self) -> Plan:
        """Say what `events` would do; nothing is written.

        Raises
        ------
        DataError, SettingsError, ModelError, MemoryShortError
            If the run could not begin.
        """
        split, self.sources, warnings = material(self.config)
        self.team = Team()
        self.ready = prepare(self.config, self.team.device(self.config.device))
        self._begin(split, None)
        return self._plan(split, warnings)

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
        self.team = Team()
        state = read_state(self.folder, self.config) if self.resume else None
        if state is None and self.team.main:
            _clear(self.folder)
        split, self.sources, warnings = material(self.config)
        if state is not None and state["progress"].finished:
            self.progress = state["progress"]
            if self.team.main:
                yield Stopping(self._why(self.progress.finished))
            return
        self.ready = prepare(
            self.config,
            self.team.device(self.config.device),
            self.cancel,
            (state["trains"], Amount(**state["amount"])) if state else None,
        )
        self._begin(split, state)
        if self.team.main:
            yield self._plan(split, warnings)
        yield from self._first(state is None)
        yield from self._steps()

    def _begin(self, split: Split, state: dict[str, Any] | None) -> None:
        trainee = self.ready.trainee
        torch.manual_seed(self.config.seed)
        self.average = TrainedAverage(trainee.trained, 0.0 if self.published else 0.995)
        self.optimiser = torch.optim.AdamW(
            trainee.trained.values(),
            lr=self.ready.rate,
            weight_decay=1e-2,
            betas=BETAS if self.published else (0.9, 0.98),
        )
        facts, size, seed = trainee.facts, self.ready.amount.crop, self.config.seed
        self.crops: Crops | Mixture = (
            Mixture(self.sources, facts, size, seed)
            if self.sources
            else Crops(
                split.train,
                facts,
                size,
                seed,
                read_stored(self.config.replay),
                drawn=trainee.guided,
            )
        )
        self.watch = Watch(split.held, trainee.facts, self.config.seed)
        self.shown: Pair = (split.held or split.train)[0]
        if state is not None:
            self._restore(state)

    @torch.no_grad()
    def _restore(self, state: dict[str, Any]) -> None:
        self.progress = state["progress"]
        for name, value in state["trained"].items():
            self.ready.trainee.trained[name].copy_(value)
        self.average.restore(state["average"], self.progress.step)
        self.optimiser.load_state_dict(state["optimiser"])
        torch.set_rng_state(state["rng"])

    def _plan(self, split: Split, warnings: list[str]) -> Plan:
        ready, trainee = self.ready, self.ready.trainee
        steps, minutes = self.config.length
        return Plan(
            steps=steps,
            seconds_estimate=60 * minutes if minutes else None,
            trains=ready.trains,
            parameters=trainee.parameters,
            trainable=trainee.trainable,
            memory_bytes=ready.memory,
            memory_free=ready.free,
            batch=ready.amount.batch,
            crop=ready.amount.crop,
            precision=ready.precision,
            device=trainee.colorer.device,
            reason=trainee.colorer.reason,
            train=self.crops.names,
            held=tuple(pair.name for pair in split.held),
            objects=split.objects,
            warnings=(*warnings, *ready.warnings),
            accumulate=ready.amount.accumulate,
            checkpointing=ready.amount.checkpointing,
            resumed=self.progress.step,
        )

    def _first(self, fresh: bool) -> Iterator[Event]:
        """Show the untrained map, save, keep some crops, score."""
        if self.team.main:
            yield self._preview()
            if fresh:
                yield self._save()
                yield self._score()
                self.progress.seconds = 0.0
        self.team.agree(0)
        # Loading and first looks are no training: the minutes begin here.
        self._since = time.monotonic()

    def _steps(self) -> Iterator[Event]:
        last_told = last_shown = last_scored = last_saved = time.monotonic()
        shown_for = scored_for = 0.0
        while True:
            why = self._agreed()
            if why is not None:
                break
            loss = self._step()
            if loss is None:
                back = self._roll_back()
                if self.team.main:
                    yield back
                continue
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
            self._unask()
            yield self._save()
            yield Stopping(why)
        self.team.agree(0)
        if why == "cancel":
            raise Cancelled(
                f"Fine-tuning was cancelled at step {self.progress.step}. Its state is "
                "saved; it can be resumed."
            )

    def _step(self) -> float | None:
        """Take one step; None when the loss or a gradient is no number."""
        ready, trainee = self.ready, self.ready.trainee
        trainee.training()
        rate = self._rate()
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        self.optimiser.zero_grad(set_to_none=True)
        total = 0.0
        for turn in range(ready.amount.accumulate):
            loss = self._loss(turn)
            total += self.team.mean(loss.detach()) / ready.amount.accumulate
            if not math.isfinite(total):
                return None
            (loss / ready.amount.accumulate).backward()
        self.team.average(trainee.trained.values())
        norm = torch.nn.utils.clip_grad_norm_(trainee.trained.values(), _CLIP)
        if not math.isfinite(float(norm)):
            return None
        self.optimiser.step()
        self.average.update()
        self.progress.step += 1
        return total

    def _loss(self, turn: int) -> torch.Tensor:
        ready, trainee = self.ready, self.ready.trainee
        # After a roll-back other crops: the same ones might do the same again.
        place = self.progress.step * ready.amount.accumulate + turn
        place += self.progress.rolled << 32
        batch = {
            key: value.to(trainee.device)
            for key, value in self.crops.batch(
                place, ready.amount.batch, self.team.process
            ).items()
        }
        with ready.mixed():
            prediction = trainee.predict(
                batch["pixels"], batch["origin"], latent_term=not self.published
            )
        if self.published:
            return paper_loss(prediction, batch["labels"])
        if trainee.guided:
            guides = trainee.facts.guides
            longest = max(guides.wavelengths) if guides else 0.0
            return guided_loss(prediction, batch["labels"], batch["origin"], longest)
        return published_loss(prediction, batch["labels"])

    def _share(self) -> float:
        """Return how much of the run is done, 0..1."""
        steps, minutes = self.config.length
        share = self.progress.step / steps if steps else 0.0
        if minutes:
            share = max(share, self._seconds() / (60 * minutes))
        return min(share, 1.0)

    def _rate(self) -> float:
        """Linear warm-up, then half a cosine down to 2 %; or the paper's schedule."""
        if self.published:
            share = published_share(self.progress.step)
            return self.ready.rate * self.progress.rate_scale * share
        share = self._share()
        ramp = min(1.0, (self.progress.step + 1) / 20)
        cosine = 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * share))
        return self.ready.rate * self.progress.rate_scale * ramp * cosine

    def _seconds(self) -> float:
        """Return the seconds of training, before a resume included."""
        return self.progress.seconds + time.monotonic() - self._since

    def _agreed(self) -> Why | None:
        """Return why to stop, the first process's answer for all."""
        why = self._reason() if self.team.main else None
        number = self.team.agree(_WHY.index(why) if why else -1)
        return _WHY[int(number)] if number >= 0 else None

    def _reason(self) -> Why | None:
        steps, minutes = self.config.length
        if (self.folder / CANCEL_NAME).exists() or self._cancelled():
            return "cancel"
        if (self.folder / STOP_NAME).exists():
            return "stop"
        if steps is not None and self.progress.step >= steps:
            return "steps"
        if minutes is not None and self._seconds() >= 60 * minutes:
            return "minutes"
        if self.progress.waited >= self.config.patience:
            return "patience"
        return None

    def _cancelled(self) -> bool:
        try:
            check_cancel(self.cancel)
        except Cancelled:
            return True
        return False

    @staticmethod
    def _why(text: str) -> Why:
        return next((why for why in _WHY if why == text), "steps")

    def _unask(self) -> None:
        for name in (STOP_NAME, CANCEL_NAME):
            with suppress(OSError):
                (self.folder / name).unlink(missing_ok=True)

    def _told(self, loss: float) -> Step:
        steps, minutes = self.config.length
        seconds, left = self._seconds(), []
        if steps is not None:
            left.append(seconds / self.progress.step * (steps - self.progress.step))
        if minutes is not None:
            left.append(60 * minutes - seconds)
        return Step(
            self.progress.step,
            steps,
            loss,
            self._rate(),
            seconds,
            max(0.0, min(left)),
        )

    def _preview(self) -> Preview:
        with self.average.worn():
            path = self.watch.preview(
                self.ready.trainee.colorer, self.shown, self.folder / PREVIEWS
            )
        return Preview(self.progress.step, self.shown.name, str(path))

    def _score(self) -> Score:
        with self.average.worn():
            value = self.watch.score(self.ready.trainee.colorer)
        progress = self.progress
        best = not value <= progress.best
        if best:
            progress.best, progress.best_step, progress.waited = value, progress.step, 0
            save_best(self.folder, self.ready.trains, progress, self.average.shadow)
        else:
            progress.waited += 1
        seconds = self._seconds() if progress.step else 0.0
        return Score(progress.step, value, self.watch.count, seconds, best)

    def _save(self) -> Saved:
        begun = time.monotonic()
        self.progress.seconds, self._since = self._seconds(), begun
        path = save_state(
            self.folder,
            self.config,
            self.ready.trains,
            asdict(self.ready.amount),
            self.progress,
            self.ready.trainee.trained,
            self.average.shadow,
            self.optimiser,
        )
        self._saving = time.monotonic() - begun
        return Saved(self.progress.step, str(path))

    def _roll_back(self) -> RolledBack:
        """Go back to the last good state with half the rate; once."""
        at, rolled = self.progress.step, self.progress.rolled
        if rolled:
            raise TrainingError(
                f"The loss became no number at step {at}, a second time and with half "
                "the rate. The last good state is kept: resume with a smaller rate, "
                "or use the best weights so far (stop and keep)."
            )
        state = read_state(self.folder, None)
        if state is None:
            raise TrainingError(
                f"The loss became no number at step {at}, and no state was saved yet. "
                "Start anew with a smaller rate."
            )
        seconds = self._seconds()
        self._restore(state)
        self.progress.rolled = rolled + 1
        self.progress.rate_scale /= 2
        self.progress.seconds, self._since = seconds, time.monotonic()
        return RolledBack(at, self.progress.step, self._rate())


def _clear(folder: Path) -> None:
    """Remove what an earlier run of the same folder left, its settings aside."""
    for name in (STATE_NAME, BEST_NAME, STOP_NAME, CANCEL_NAME, "events.jsonl"):
        with suppress(OSError):
            (folder / name).unlink(missing_ok=True)
    for name in (PREVIEWS, CROPS, "compare"):
        shutil.rmtree(folder / name, ignore_errors=True)
