"""Where the area hardly depends on the tolerance.

Floods from the clicks at rising tolerance give the area as a function of it. While
the tolerance is below the noise of the map the area grows in fits; once the flood
fills the object it holds still until the tolerance reaches the colour of something
that touches it, and leaps. The tolerance is chosen by the least of three costs:

- *leaps* passed on the way: an object already left behind by a leap is not the one
  that was clicked, however still the area is afterwards. Growth at tolerances that
  are within the noise around the click is the object filling up, not a leap;
- *restlessness*: how much the area grows just below and, twice as dear, just above
  this level, counted in rings of one pixel around the object (a blurred rim alone
  grows by a ring or so);
- *distance from the usual*: for flat curves, a tolerance well above the noise of a
  map and below the distance between two of its colours.

The constants were fitted on drawn and real label pictures coloured by rule (spoilt
by noise, blur, drift and colours that shine through) and on maps of a small model.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from napari_gen2seg.common.types import Float64Array

LEVELS = np.asarray(4.0 * 1.36 ** np.arange(14), np.float64)
"""Tolerances at which areas are measured: 4 to 218 in steps of 36 %."""

_USUAL, _SPREAD = 85.0, 0.9  # colour units; natural logarithm
_RESTLESS = 0.4
_LEAP = 4.0  # cost of a leap
_RINGS = 5.0  # rings of growth that count as half a leap
_SPECK = 30.0  # map pixels
_NOISE = 4.0  # times the noise around the click: below, growth is filling up
_MOST_NOISE = 12.0  # colour units; more is not noise
_STILL = 1.25  # largest ratio of areas within a plateau


@dataclass(frozen=True)
class Plateau:
    """A range of tolerances over which the area holds still.

    Attributes
    ----------
    low, high
        Its ends, two of :data:`LEVELS`.
    best
        The tolerance to use.
    confidence
        0..1, how still the area is and how much of an object it can be.
    """

    low: float
    high: float
    best: float
    confidence: float


def choose(
    areas: Float64Array, rims: Float64Array, frame: int, noise: float
) -> Plateau:
    """Choose a tolerance from floods at the first of :data:`LEVELS`.

    Parameters
    ----------
    areas
        (n,) map pixels at each level, never falling.
    rims
        (n,) lengths of the outlines, in sides of map pixels.
    frame
        Pixels of the whole map.
    noise
        Colour units by which pixels near the clicks scatter.

    Returns
    -------
    Plateau
        Among the levels given; those beyond were not looked at.
    """
    count = len(areas)
    costs = _costs(areas, rims, noise)
    best = int(np.argmin(costs.total))
    still = np.maximum(areas, areas[best]) <= _STILL * np.minimum(areas, areas[best])
    breaks = np.flatnonzero(~still)
    low = int(breaks[breaks < best].max(initial=-1)) + 1
    high = int(breaks[breaks > best].min(initial=count)) - 1
    return Plateau(
        float(LEVELS[low]),
        float(LEVELS[high]),
        float(LEVELS[best]),
        _confidence(float(costs.restless[best]), float(areas[best]), frame),
    )


def settled(areas: Float64Array, rims: Float64Array, noise: float) -> bool:
    """Whether no further level can be chosen: the leaps passed cost too much."""
    costs = _costs(areas, rims, noise)
    return bool(costs.total[:-1].min(initial=np.inf) <= costs.leaps[-1])


@dataclass(frozen=True, eq=False)
class _Costs:
    """What speaks against each level: all of it, and parts of it."""

    total: Float64Array
    leaps: Float64Array
    restless: Float64Array


def _costs(areas: Float64Array, rims: Float64Array, noise: float) -> _Costs:
    logs = np.log(LEVELS[: len(areas)])
    # About 1.2 sides of the outline belong to one pixel beside it.
    rings = np.diff(areas) / np.maximum(rims[:-1] / 1.2, 1.0)
    growth = np.log1p(np.concatenate(([0.0], rings, [0.0])))
    restless = 0.5 * growth[:-1] + growth[1:]
    leaps = _smooth_step((growth[:-1] - np.log1p(_RINGS)) / 0.2)
    leaps *= _smooth_step((logs - np.log(_NOISE * min(noise, _MOST_NOISE))) / 0.25)
    ratio = np.diff(np.log(np.maximum(areas, 1)), prepend=np.log(max(areas[0], 1)))
    leaps *= np.minimum(ratio / 0.3, 1.0)
    # What is left behind weighs the less the smaller it is: a speck, or the first
    # stretch of a thin wire, is hardly ever the object.
    behind = np.concatenate((areas[:1], areas[:-1]))
    leaps *= behind / (behind + _SPECK)
    passed = _LEAP * np.cumsum(leaps)
    total = (
        np.square(logs - np.log(_USUAL)) / (2 * _SPREAD**2)
        + _RESTLESS * restless
        + passed
    )
    return _Costs(total, passed, restless)


def _confidence(restless: float, area: float, frame: int) -> float:
    """Restless, tiny and frame-filling regions are poor objects."""
    whole = max(0.0, area / frame - 0.25) / 0.75
    grown = 0.5 + 0.5 * min(area / 60.0, 1.0)
    return float(np.exp(-restless) * grown * (1.0 - whole))


def _smooth_step(values: Float64Array) -> Float64Array:
    steps: Float64Array = 1.0 / (1.0 + np.exp(-np.clip(values, -50, 50)))
    return steps
