"""Numbers of a whole data set, and how sure they are.

Every number is a function of weights, one for each picture: all 1 for the value
itself, and counts of random draws with replacement for its bootstrap interval (Efron
1979). Objects of one picture share its map and are not independent; pictures are.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from napari_gen2seg.common.types import Float64Array

OfWeights = Callable[[Float64Array], Float64Array]
"""(B, pictures) weights -> (B,) values; NaN where there is nothing to measure."""


@dataclass(frozen=True, eq=False)
class Statistic:
    """One number of a report.

    Attributes
    ----------
    name
        ``part/number``, as in the report's summary.
    title
        For people.
    better
        +1 if more is better, -1 if less is.
    value
        The number as a function of weights.
    """

    name: str
    title: str
    better: int
    value: OfWeights


def draws(pictures: int, resamples: int, seed: int) -> Float64Array:
    """Return bootstrap weights: how often each picture is drawn, (B, pictures).

    A single picture says nothing about others: no draws, and so no interval.
    """
    if pictures < 2:
        return np.zeros((0, pictures))
    rng = np.random.default_rng(seed)
    chosen = rng.integers(pictures, size=(resamples, pictures))
    rows = np.arange(resamples)[:, None] * pictures
    flat = np.bincount((chosen + rows).ravel(), minlength=resamples * pictures)
    return flat.reshape(resamples, pictures).astype(np.float64)


def interval(values: Float64Array, confidence: float) -> tuple[float, float]:
    """Return the percentile interval; NaN without two values."""
    known = values[np.isfinite(values)]
    if len(known) < 2:
        return math.nan, math.nan
    low, high = np.quantile(known, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)


def ratio(over: Iterable[float], under: Iterable[float]) -> OfWeights:
    """Return the statistic "weighted sum over weighted sum"."""
    top, bottom = np.fromiter(over, float), np.fromiter(under, float)

    def value(weights: Float64Array) -> Float64Array:
        total = weights @ bottom
        return np.where(
            total > 0, weights @ top / np.where(total > 0, total, 1), np.nan
        )

    return value
