"""The tolerance, as it moves the threshold of the learned probe."""

from __future__ import annotations

import math

MIDDLE = 30.0
"""Tolerance that stands for the network's own outline."""

_LOGITS = 3.0  # of a tolerance e times as large or small
_SMALLEST = 1e-3


def threshold_of(tolerance: float | None) -> float:
    """Return the logit above which a pixel belongs to the object.

    The larger the tolerance, the lower the threshold: raising it never loses a pixel.

    Parameters
    ----------
    tolerance
        0..441 as for the similarity probe, or None for the network's own outline.
    """
    if tolerance is None:
        return 0.0
    return -_LOGITS * math.log(max(tolerance, _SMALLEST) / MIDDLE)


def tolerance_of(tolerance: float | None) -> float:
    """Return the tolerance that a mask was made with, `MIDDLE` for None."""
    return MIDDLE if tolerance is None else tolerance
