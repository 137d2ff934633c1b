"""When a stage ends, and how large its steps are until then."""

from __future__ import annotations

import math

from napari_gen2seg.train.mini.config import StageConfig


def done(step: int, stage: StageConfig, seconds: float) -> bool:
    """Tell whether a stage is over: by its steps, or by its time."""
    return step >= stage.steps or (stage.minutes > 0 and seconds > 60 * stage.minutes)


def share(step: int, stage: StageConfig, seconds: float) -> float:
    """Progress 0..1 by steps, or by time where time ends the stage first."""
    share = step / stage.steps
    if stage.minutes > 0:
        share = max(share, seconds / (60 * stage.minutes))
    return min(share, 1.0)


def rate(step: int, share: float, stage: StageConfig) -> float:
    """Linear warm-up, then half a cosine down to 2 %."""
    ramp = min(1.0, (step + 1) / max(stage.ramp, 1))
    return stage.rate * ramp * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * share)))
