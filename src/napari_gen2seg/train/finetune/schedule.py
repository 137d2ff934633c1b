"""How far a run is, how large its steps are, and when it has lasted long enough."""

from __future__ import annotations

import time
from pathlib import Path

from napari_gen2seg.common.progress import Cancel
from napari_gen2seg.train.engine.distributed import Distributed
from napari_gen2seg.train.engine.learning_rate import share_done, warmup_cosine
from napari_gen2seg.train.finetune.checkpoint import Progress
from napari_gen2seg.train.finetune.config import LONGEST, FinetuneConfig
from napari_gen2seg.train.finetune.events import Why
from napari_gen2seg.train.finetune.run_folder import asked
from napari_gen2seg.train.loss.weighted import published_share

WARM, WARM_STEPS = 0.1, 100
"""Share of the run in which the rate rises, and the most steps that may take."""


class TrainingSchedule:
    """The clock and the schedule of a run.

    Parameters
    ----------
    config
        Says how long.

    Attributes
    ----------
    progress
        Where the run is; replaced when it goes on, or back.
    """

    def __init__(self, config: FinetuneConfig) -> None:
        self._config = config
        self.progress = Progress()
        self._since = time.monotonic()
        self._began = self._since, time.process_time()
        self._warm: tuple[int, float] | None = None

    def begin(self) -> None:
        """Count the minutes from here: loading and first looks are no training."""
        self._since = time.monotonic()
        self._began = self._since, time.process_time()

    def stepped(self) -> None:
        """Count a step. The first one here is slow and says nothing of the others."""
        self.progress.step += 1
        if self._warm is None:
            self._warm = self.progress.step, self.seconds

    def keep(self) -> None:
        """Write the time so far into the progress, which is about to be saved."""
        self.back_to(self.progress)

    def back_to(self, progress: Progress) -> None:
        """Take another progress; the time that was spent is not given back."""
        progress.seconds, self._since = self.seconds, time.monotonic()
        self.progress = progress

    @property
    def seconds(self) -> float:
        """Seconds of training, before a resume included."""
        return self.progress.seconds + time.monotonic() - self._since

    @property
    def left(self) -> float | None:
        """Seconds that are left, most likely; None while that cannot be told."""
        steps, minutes = self._config.length
        at, seconds, left = self.progress.step, self.seconds, []
        if steps is not None and self._warm is not None and at > self._warm[0]:
            each = (seconds - self._warm[1]) / (at - self._warm[0])
            left.append(each * (steps - at))
        if minutes is not None:
            share = self._time_share(minutes)
            whole = seconds / share if share > 0 else 60.0 * minutes
            left.append(max(60 * minutes, whole) - seconds)
        return max(0.0, min(left)) if left else None

    def _time_share(self, minutes: float) -> float:
        """How much of the time is over; less where too few steps were made to tell."""
        over, least = self.seconds / (60 * minutes), self._config.least_steps
        if not least:
            return over
        return min(over, max(self.progress.step / least, over / LONGEST))

    @property
    def waited(self) -> float:
        """Share of the time in which this process did not compute, 0..1.

        On a processor: because something else did, or the disk was slow.
        """
        wall = time.monotonic() - self._began[0]
        spent = time.process_time() - self._began[1]
        return max(0.0, 1 - spent / wall) if wall > 0 else 0.0

    @property
    def share(self) -> float:
        """How much of the run is done, 0..1."""
        steps, minutes = self._config.length
        seconds = 60 * minutes * self._time_share(minutes) if minutes else 0.0
        return share_done(self.progress.step, seconds, steps, minutes)

    def rate(self, largest: float) -> float:
        """Linear warm-up, then half a cosine down to 2 %; or the paper's schedule.

        The warm-up lasts a tenth of the run, `WARM_STEPS` steps at most.

        Parameters
        ----------
        largest
            Step size at its height.
        """
        largest *= self.progress.rate_scale
        if self._config.recipe == "published":
            return largest * published_share(self.progress.step)
        # A fixed number of steps would be half the run on a slow computer.
        ramp = max(self.share / WARM, (self.progress.step + 1) / WARM_STEPS)
        return warmup_cosine(largest, ramp, self.share)

    @property
    def over(self) -> Why | None:
        """Why the run has lasted long enough; None while it has not."""
        steps, minutes = self._config.length
        if steps is not None and self.progress.step >= steps:
            return "steps"
        if minutes is not None and self._time_share(minutes) >= 1:
            return "minutes"
        if self.progress.waited >= self._config.patience:
            return "patience"
        return None


_REASONS: tuple[Why, ...] = ("steps", "minutes", "patience", "stop", "cancel")


def agreed_reason(
    team: Distributed, folder: Path, cancel: Cancel | None, pace: TrainingSchedule
) -> Why | None:
    """Return why to stop now, the first process's answer for all; None to go on.

    Parameters
    ----------
    team, folder, cancel, pace
        Of the run.
    """
    why: Why | None = None
    if team.main:
        why = asked(folder, cancel) or pace.over
    number = team.agree(_REASONS.index(why) if why else -1)
    return _REASONS[int(number)] if number >= 0 else None


def reason(text: str) -> Why:
    """Return the reason that a finished run has written down."""
    return next((why for why in _REASONS if why == text), "steps")
