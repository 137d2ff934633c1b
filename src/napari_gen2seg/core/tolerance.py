"""Where the area hardly depends on the tolerance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

LEVELS = np.asarray(4.0 * 1.36 ** np.arange(14), np.float64)
"""Tolerances at which areas are measured: 4 to 218 in steps of 36 %."""


@dataclass(frozen=True)
class Plateau:
    """A range of tolerances over which the area holds still."""

    low: float
    high: float
    best: float
    confidence: float


def choose(areas: npt.NDArray[np.float64], frame: int) -> Plateau:
    """Choose a tolerance from the areas at :data:`LEVELS`.

    Parameters
    ----------
    areas
        (n,) map pixels, never falling.
    frame
        Pixels of the whole map.
    """
    best: tuple[float, int, int] = (-np.inf, 0, 0)
    for first in range(len(areas)):
        # A blurred rim lets any object grow by about one pixel all around.
        most = 1.15 * areas[first] + 3.5 * np.sqrt(areas[first])
        last = int(np.searchsorted(areas, most, "right")) - 1
        width = np.log(LEVELS[last] / LEVELS[first]) + 0.2
        share = areas[last] / frame
        worth = width * (1.0 - 0.8 * min(share / 0.5, 1.0)) * min(areas[last] / 12, 1.0)
        if worth > best[0] + 1e-9:
            best = (float(worth), first, last)
    worth, first, last = best
    low, high = float(LEVELS[first]), float(LEVELS[last])
    return Plateau(
        low, high, float(np.sqrt(low * high)), float(1 - np.exp(-worth / 1.0))
    )
