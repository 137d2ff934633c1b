"""Learning-rate schedule: how far a run is, and how large its steps are there."""

from __future__ import annotations

import math

FLOOR = 0.02
"""The last steps as a share of the largest."""


def share_done(
    step: int, seconds: float, steps: int | None, minutes: float | None
) -> float:
    """Return the progress of a run, 0..1, by steps or by time, whichever ends it first.

    Parameters
    ----------
    step, seconds
        Done so far.
    steps, minutes
        After which the run ends; None or 0 where it does not end by that.
    """
    share = step / steps if steps else 0.0
    if minutes:
        share = max(share, seconds / (60 * minutes))
    return min(share, 1.0)


def warmup_cosine(largest: float, ramp: float, share: float) -> float:
    """Return the learning rate: linear warm-up, then half a cosine down to 2 %.

    Parameters
    ----------
    largest
        At its height.
    ramp
        Share of the warm-up that is done; from 1 on it is over.
    share
        Progress of the run, 0..1.
    """
    cosine = FLOOR + (1 - FLOOR) * 0.5 * (1 + math.cos(math.pi * share))
    return largest * min(1.0, ramp) * cosine
