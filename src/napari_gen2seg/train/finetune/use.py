"""How a model is best used on a kind of picture: no weights, two of its facts.

Labels say more than what to paint. They say whether clicks should hear the picture's
brightness (not where the labelled cells have dark nuclei inside, say), and how large the
objects are, where the model itself would read the size of something else off its map.
Both are read off a few labelled objects, before any step, and kept only where clicks are
surely better for it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_gen2seg.core.clicks import innermost
from napari_gen2seg.core.coloring import Coloring
from napari_gen2seg.core.metrics import iou
from napari_gen2seg.core.settings import ProbeSettings
from napari_gen2seg.models.base import BaseColorer
from napari_gen2seg.models.facts import ModelFacts
from napari_gen2seg.models.resolution import resolution_for_objects
from napari_gen2seg.train.finetune.pairs import Pair
from napari_gen2seg.train.finetune.watch import watched_objects

Use = dict[str, Any]
"""Facts of a model to change: `hears_brightness`, `source_diameter`."""

FEWEST = 6
"""Objects below which nothing is concluded."""

_LEAST = 0.03  # of mean IoU
_SURE = 2.5  # standard errors: one picture must not decide by chance about others
_ALIKE = 2.0  # largest ratio of the objects' sizes between pictures of one kind


def fitting_use(
    colorer: BaseColorer,
    facts: ModelFacts,
    pairs: Sequence[Pair],
    seed: int = 0,
    check: Callable[[], None] = lambda: None,
) -> Use:
    """Return which facts would make single clicks on labelled objects better.

    Parameters
    ----------
    colorer, facts
        The model as it is.
    pairs
        Labelled pictures that it has not been fitted to.
    seed
        Chooses the objects: at most 30 of at most three pictures.
    check
        Called between objects; may raise.

    Returns
    -------
    dict
        Empty where the facts are right as they are, or cannot be judged.
    """
    if not facts.on_black or not pairs:
        return {}
    diameter = common_diameter(pairs)
    scores: dict[tuple[bool, bool], list[float]] = {}
    for pair, ids in watched_objects(pairs, seed):
        check()
        maps = {False: colorer.color(pair.rgb)}
        if diameter is not None:
            wanted = resolution_for_objects(diameter, pair.labels.shape, facts)
            maps[True] = maps[False]
            if abs(wanted - maps[False].resolution) >= 0.15 * maps[False].resolution:
                maps[True] = colorer.color(pair.rgb, wanted)
        for label in ids:
            check()
            truth = pair.labels == label
            for sized, coloring in maps.items():
                for heard in (True, False):
                    found = scores.setdefault((sized, heard), [])
                    found.append(_click(coloring, truth, heard))
    best = best_use({key: np.asarray(found) for key, found in scores.items()})
    use: Use = {}
    if best[0]:
        use["source_diameter"] = round(float(diameter or 0), 1)
    if not best[1]:
        use["hears_brightness"] = False
    return use


def best_use(scores: dict[tuple[bool, bool], NDArray[np.float64]]) -> tuple[bool, bool]:
    """Choose by the IoU of the same objects: (at the labels' size, with brightness).

    (False, True) is how things are. Something else must be better by 0.03, and by more
    than chance; of two that are, what changes less, unless the other is better still.
    """
    usual = (False, True)
    best, gained = usual, 0.0
    # As it would be with one change, then with both.
    for key in ((False, False), (True, True), (True, False)):
        if key not in scores or len(scores[key]) < FEWEST:
            continue
        gains = scores[key] - scores[usual]
        error = float(gains.std(ddof=1)) / len(gains) ** 0.5
        mean = float(gains.mean())
        if mean >= max(_LEAST, _SURE * error) and mean >= gained + 0.01:
            best, gained = key, mean
    return best


def common_diameter(pairs: Sequence[Pair]) -> float | None:
    """Return the typical diameter in pixels; None where pictures differ in it."""
    diameters = np.asarray([pair.diameter for pair in pairs])
    if diameters.max() > _ALIKE * diameters.min():
        return None
    return float(np.exp(np.log(diameters).mean()))


def _click(coloring: Coloring, truth: NDArray[np.bool_], heard: bool) -> float:
    mask = coloring.probe([innermost(truth)], settings=ProbeSettings(brightness=heard))
    return iou(mask.full(), truth)
