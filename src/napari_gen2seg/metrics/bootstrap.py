"""Numbers of a whole data set, how sure they are, and what two of them say.

Every number is a function of weights, one for each image: all 1 for the value itself,
and counts of random draws with replacement for its bootstrap interval (Efron 1979).

**Few images.** Objects of one image share its map and are not independent; images are.
So images are drawn, where there are `FEW` or more. Of fewer, an interval over images
says nothing (of two, both are better by chance every fourth time, and any interval of
theirs lies above 0 then): a mean over objects is drawn over objects instead, which says
how sure it is *for these images* and is too narrow for others; anything else has no
interval, and so no verdict. `Bootstrap.drawn` says which it was, and whoever shows an
interval should.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from napari_gen2seg.common.types import Float64Array

OfWeights = Callable[[Float64Array], Float64Array]
"""(B, images) weights -> (B,) values; NaN where there is nothing to measure."""

Verdict = Literal["better", "worse", "no difference"]
Drawn = Literal["images", "objects"]

FEW = 4
"""From so many images on, images are drawn."""

RESAMPLES = 2000
CONFIDENCE = 0.95

_AT_ONCE = 1 << 20  # values drawn at a time: crowded images must not fill the memory


@dataclass(frozen=True, eq=False)
class Statistic:
    """One number of a data set.

    Attributes
    ----------
    name
        ``part/number``, as in a report's summary.
    title
        For people.
    better
        +1 if more is better, -1 if less is.
    value
        The number as a function of weights.
    objects
        Where it is a mean over objects: their values, an array for each image.
    """

    name: str
    title: str
    better: int
    value: OfWeights
    objects: tuple[Float64Array, ...] | None = None


def object_mean(
    name: str, title: str, better: int, objects: Iterable[npt.ArrayLike]
) -> Statistic:
    """Return the mean of values of objects, given image by image."""
    values = tuple(np.asarray(image, np.float64) for image in objects)
    sums = (float(image.sum()) for image in values)
    counts = (float(len(image)) for image in values)
    return Statistic(name, title, better, ratio(sums, counts), values)


def ratio(over: Iterable[float], under: Iterable[float]) -> OfWeights:
    """Return the statistic "weighted sum over weighted sum"."""
    top, bottom = np.fromiter(over, float), np.fromiter(under, float)

    def value(weights: Float64Array) -> Float64Array:
        total = weights @ bottom
        return np.where(
            total > 0, weights @ top / np.where(total > 0, total, 1), np.nan
        )

    return value


class Bootstrap:
    """Resampled values of the numbers of one data set, all over the same draws.

    Two of equal images, resamples and seed draw the same, so the values of two models
    on the same objects can be subtracted.

    Parameters
    ----------
    images
        How many there are.
    resamples
        How often is drawn.
    seed
        Of the draws.
    """

    def __init__(self, images: int, resamples: int = RESAMPLES, seed: int = 0) -> None:
        self.images, self.resamples, self.seed = images, resamples, seed
        self._weights = draws(images, resamples, seed)

    def drawn(self, statistic: Statistic) -> Drawn | None:
        """Return what is drawn for a number; None where it has no interval."""
        if statistic.objects is None:
            return "images" if self.images >= FEW else None
        told = [len(image) for image in statistic.objects if len(image)]
        if len(told) >= FEW:
            return "images"
        return "objects" if sum(told) > 1 else None

    def values(self, statistic: Statistic) -> Float64Array:
        """Return the resampled values, (resamples,); empty where nothing is drawn."""
        drawn = self.drawn(statistic)
        if drawn is None:
            return np.zeros(0)
        if drawn == "images":
            return statistic.value(self._weights)
        values = np.concatenate(statistic.objects or ())
        rng = np.random.default_rng(self.seed)
        rows = max(1, _AT_ONCE // len(values))
        return np.concatenate(
            [
                values[rng.integers(len(values), size=(count, len(values)))].mean(1)
                for count in _parts(self.resamples, rows)
            ]
        )

    def interval(
        self, statistic: Statistic, confidence: float = CONFIDENCE
    ) -> tuple[float, float]:
        """Return the percentile interval of a number; NaN where it has none."""
        return interval(self.values(statistic), confidence)

    def gain(
        self, before: Statistic, after: Statistic, confidence: float = CONFIDENCE
    ) -> tuple[float, float]:
        """Return the interval of ``after`` minus ``before``, of the same objects."""
        one, two = self.values(before), self.values(after)
        return interval(two - one, confidence)


def draws(images: int, resamples: int, seed: int) -> Float64Array:
    """Return bootstrap weights: how often each image is drawn, (B, images)."""
    rng = np.random.default_rng(seed)
    chosen = rng.integers(max(images, 1), size=(resamples, images))
    rows = np.arange(resamples)[:, None] * images
    flat = np.bincount((chosen + rows).ravel(), minlength=resamples * images)
    return flat.reshape(resamples, images).astype(np.float64)


def interval(
    values: Float64Array, confidence: float = CONFIDENCE
) -> tuple[float, float]:
    """Return the percentile interval of resampled values; NaN without two of them."""
    known = values[np.isfinite(values)]
    if len(known) < 2:
        return math.nan, math.nan
    low, high = np.quantile(known, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)


def verdict(low: float, high: float, better: int = 1) -> Verdict:
    """Say what the interval of a gain means: all of it must lie on one side of 0.

    Parameters
    ----------
    low, high
        Of the interval; without one both are NaN, and nothing can be said.
    better
        +1 if more is better, -1 if less is.
    """
    if low > 0:
        return "better" if better > 0 else "worse"
    if high < 0:
        return "worse" if better > 0 else "better"
    return "no difference"


def _parts(total: int, most: int) -> list[int]:
    return [min(most, total - start) for start in range(0, total, most)]
