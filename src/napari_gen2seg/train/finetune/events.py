"""What a fine-tuning run tells, one value at a time (no torch here).

Each event is one JSON object on the command's output: its fields and ``"event"``, the
class's name in small letters.
"""

from __future__ import annotations

import dataclasses
import json
import math
from dataclasses import dataclass, field
from typing import Any, Literal

from napari_gen2seg.metrics.bootstrap import Verdict

Why = Literal["steps", "minutes", "patience", "stop", "cancel"]


@dataclass(frozen=True)
class Event:
    """Something happened."""

    @property
    def kind(self) -> str:
        """The name under which it is written."""
        return type(self).__name__.lower()

    def facts(self) -> dict[str, Any]:
        """Return plain values that JSON knows."""
        plain: dict[str, Any] = _plain(dataclasses.asdict(self))
        return {"event": self.kind, **plain}

    def line(self) -> str:
        """Return the one line of JSON, without its end."""
        return json.dumps(self.facts(), ensure_ascii=False, allow_nan=False)


@dataclass(frozen=True)
class Plan(Event):
    """What will be done, before it begins.

    Attributes
    ----------
    steps
        Planned steps; where only minutes limit the run, an estimate (None at first).
    seconds_estimate
        Of the whole run, None while unknown.
    trains
        What of the model changes: ``"full"``, ``"lora"`` or ``"last_blocks"``.
    parameters, trainable
        Values in the model, and how many of them change.
    memory_bytes, memory_free
        Estimated need, and what is free on the device.
    batch, crop
        Crops per step (on each device), and their side in pixels.
    precision, device, reason
        Number type, where it computes, and why.
    train, validation
        Names of the pictures trained on, and held back.
    objects
        Labelled objects to train on.
    warnings
        Sentences for people.
    """

    steps: int | None
    seconds_estimate: float | None
    trains: str
    parameters: int
    trainable: int
    memory_bytes: int
    memory_free: int
    batch: int
    crop: int
    precision: str
    device: str
    reason: str
    train: tuple[str, ...]
    validation: tuple[str, ...]
    objects: int
    warnings: tuple[str, ...] = ()
    accumulate: int = 1
    checkpointing: bool = False
    resumed: int = 0


@dataclass(frozen=True)
class InferenceCalibrated(Event):
    """Labeled objects were clicked in several ways, before the first step.

    Attributes
    ----------
    use
        Facts of the model that they set right, as in `Compared`; empty where none.
    tried
        For each way: ``size`` (``"read"`` off the map, or that of the ``"labels"``),
        ``brightness`` (whether it was heard) and ``one_click``, the mean IoU. Empty
        where the labels are too few to ask.
    objects
        Clicked in each way.
    """

    use: dict[str, Any] = field(default_factory=dict)
    tried: tuple[dict[str, Any], ...] = ()
    objects: int = 0

    @property
    def kind(self) -> str:
        """The name under which it is written."""
        return "use"


@dataclass(frozen=True)
class Step(Event):
    """Training goes on; about once a second at most.

    Attributes
    ----------
    seconds, left
        Of training so far, and most likely to come; None while too little was done
        to tell.
    """

    step: int
    steps: int | None
    loss: float
    rate: float
    seconds: float
    left: float | None


@dataclass(frozen=True)
class Score(Event):
    """One-click IoU of held-back objects; ``step`` 0 is before training."""

    step: int
    one_click: float
    objects: int
    seconds: float
    best: bool


@dataclass(frozen=True)
class Preview(Event):
    """The map of a held-back image was rewritten (`Coloring.load` reads it)."""

    step: int
    name: str
    path: str


@dataclass(frozen=True)
class Saved(Event):
    """Everything needed to go on is on disk."""

    step: int
    path: str


@dataclass(frozen=True)
class Trying(Event):
    """Something is looked at before the first step.

    Attributes
    ----------
    what
        In a few words.
    done, total
        How many such looks are behind, and how many there are.
    """

    what: str
    done: int
    total: int


@dataclass(frozen=True)
class Saving(Event):
    """A cancel was heard: the state is being saved."""

    step: int


@dataclass(frozen=True)
class Stopping(Event):
    """Training ends, and why.

    Attributes
    ----------
    step
        Steps made.
    waited
        Share of the time in which it did not get to compute, on a processor; None
        elsewhere. Much of it means that the machine was busy with something else.
    """

    reason: Why
    step: int | None = None
    waited: float | None = None


@dataclass(frozen=True)
class RolledBack(Event):
    """The loss was no number: back to the last good state, with half the rate."""

    step: int
    to: int
    rate: float

    @property
    def kind(self) -> str:
        """The name under which it is written."""
        return "rolled_back"


@dataclass(frozen=True)
class Scores:
    """Means over the held-back objects; None where there was nothing to measure.

    Attributes
    ----------
    one_click, off_centre
        IoU of one centre, and one off-centre, click.
    ap
        COCO AP (IoU 0.50 to 0.95) of the proposals.
    clicks
        Clicks to IoU 0.85 (at most 10).
    """

    one_click: float | None
    off_centre: float | None
    ap: float | None
    clicks: float | None


@dataclass(frozen=True)
class Comparing(Event):
    """The comparison goes on; about once a second at most, and at its end.

    Attributes
    ----------
    done, total
        Objects clicked, with both models counted: the new one does not count where
        it is the old one, since nothing was gained.
    name
        The held-back picture that is looked at.
    when
        ``"before"`` for the old model, ``"after"`` for the new one.
    """

    done: int
    total: int
    name: str
    when: Literal["before", "after"]


@dataclass(frozen=True)
class Compared(Event):
    """The old and the new model on the held-back images.

    Attributes
    ----------
    before, after, better, verdict
        The scores of both, and what they mean.
    low, high
        95 % bootstrap interval of the gain in one-click IoU; None where too few.
    pictures
        For each: ``name``, ``before``, ``after`` (one-click IoU).
    path
        ``report.json``, beside the maps and masks of both.
    unchanged
        No step scored better than the old model, and its use is right as it was, so
        the new one *is* the old one; it was clicked once, and the figures of both are
        the same.
    use
        Facts of the model that the labels set right: ``source_diameter`` in pixels,
        ``hears_brightness``.
    own_work
        Of the objects in the held-back images, how many are unchanged proposals, and
        how many there are.
    """

    before: Scores
    after: Scores
    better: bool
    verdict: Verdict
    low: float | None
    high: float | None
    pictures: tuple[dict[str, Any], ...]
    path: str
    unchanged: bool = False
    use: dict[str, Any] = field(default_factory=dict)
    own_work: tuple[int, int] = (0, 0)


@dataclass(frozen=True)
class Done(Event):
    """The new model is in ``model``; ``unchanged``: it is the old one."""

    model: str
    verdict: Verdict
    seconds: float
    unchanged: bool = False


@dataclass(frozen=True)
class Failed(Event):
    """The run could not go on; ``kind`` in JSON is the error's class."""

    error: str
    message: str

    def facts(self) -> dict[str, Any]:
        """Return plain values that JSON knows."""
        return {"event": "failed", "kind": self.error, "message": self.message}


def _plain(value: Any) -> Any:
    """Replace what JSON does not know: numbers that are none become null."""
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
