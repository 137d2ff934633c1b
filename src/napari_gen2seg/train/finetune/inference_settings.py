"""Calibrate inference settings (input size, brightness) on labeled images.

No weights change, only two settings of the model.

Labels say more than what to paint. They say whether clicks should hear the picture's
brightness (not where the labelled cells have dark nuclei inside, say), and how large
the objects are, where the model itself would read the size of something else off its
map. Both are read off a few labelled objects, before any step, and kept only where
clicks are surely better for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_gen2seg.common.progress import Cancel, check_cancel
from napari_gen2seg.core.coloring import Coloring
from napari_gen2seg.core.probe.settings import ProbeSettings
from napari_gen2seg.io.annotated import Annotated
from napari_gen2seg.metrics.click_protocol import answerer, interior_point
from napari_gen2seg.metrics.matching import iou
from napari_gen2seg.models.model_config import ModelConfig, with_settings
from napari_gen2seg.models.runtime.resolution import TOLERATED, choose_resolution
from napari_gen2seg.train.finetune.events import InferenceCalibrated
from napari_gen2seg.train.finetune.validation import watched_objects

if TYPE_CHECKING:  # the window reads names from here, and knows no torch
    from napari_gen2seg.models.base_colorer import BaseColorer

Use = dict[str, Any]
"""Facts of a model to change: `hears_brightness`, `source_diameter`."""

Way = tuple[bool, bool]
"""At the size that the labels give; with brightness."""

Scores = dict[Way, list[NDArray[np.float64]]]
"""IoU of clicks on the same objects, an array for each picture."""

NEUTRAL: Use = {"source_diameter": None, "hears_brightness": True}

FEWEST = 6
"""Objects below which nothing is concluded."""

OBJECTS = 12
"""At most so many objects are clicked in each of three pictures."""

_LEAST = 0.03  # of mean IoU
_SURE = 2.5  # standard errors: one picture must not decide by chance about others
_WORSE = -0.01  # mean gain at which a picture speaks against
# The same where several pictures of a kind have objects of like sizes and what is asked
# is whether to take that size: it is likely from the start.
_LIKELY, _WORSE_LIKELY = 1.5, -0.05
# Largest standard deviation of log sizes between pictures of one kind: two of them may
# differ by a factor of 2.
_ALIKE = 0.35


def calibrate_inference(
    colorer: BaseColorer,
    model_config: ModelConfig,
    train: Sequence[Annotated],
    validation: Sequence[Annotated] = (),
    seed: int = 0,
    cancel: Cancel | None = None,
) -> InferenceCalibrated:
    """Find which settings would make single clicks on labeled objects better.

    Parameters
    ----------
    colorer, model_config
        The model as it is. What an earlier fine-tuning found stays until the labels
        surely say otherwise.
    train, validation
        Labelled pictures that it has not been fitted to yet. Of those held back one
        has a say, by the objects that are watched.
    seed
        Chooses the objects.
    cancel
        Asked between objects.

    Returns
    -------
    InferenceCalibrated
        Its ``use`` is empty where they are right as they are, or cannot be judged.

    Raises
    ------
    Cancelled
        If asked.
    """
    if not model_config.on_black or not train:
        return InferenceCalibrated()
    told: Use = {
        "source_diameter": model_config.source_diameter,
        "hears_brightness": model_config.uses_brightness,
    }
    model_config = with_settings(model_config, NEUTRAL)
    colorer = colorer.with_config(model_config)
    diameter = common_diameter(train)
    if model_config.default_resolution is not None:
        diameter = None  # it would not be heard
    looked = [*watched_objects(validation, seed)[:1], *watched_objects(train, seed)]
    looked = [(pair, ids) for pair, ids in looked if ids]
    if sum(len(ids) for _, ids in looked[:3]) < FEWEST:
        return InferenceCalibrated()
    scores: Scores = {}
    colored: dict[str, dict[bool, Coloring]] = {}
    for pair, ids in looked[:3]:
        check_cancel(cancel, "Fine-tuning")
        # Two parts of one picture share its maps.
        if pair.key not in colored:
            colored[pair.key] = _maps(colorer, pair, diameter)
        maps = colored[pair.key]
        found: dict[Way, list[float]] = {}
        for label in ids[:: -(-len(ids) // OBJECTS)]:
            check_cancel(cancel, "Fine-tuning")
            ground_truth = pair.labels == label
            for sized, coloring in maps.items():
                for heard in (True, False):
                    one = _click(coloring, ground_truth, heard)
                    found.setdefault((sized, heard), []).append(one)
        for way, values in found.items():
            scores.setdefault(way, []).append(np.asarray(values))
    before = told["source_diameter"]
    # A size that was found before is given up where the labels have none in common.
    usual = before is not None and diameter is not None, bool(told["hears_brightness"])
    sized, heard = best_use(scores, usual, len(colored) > 1)
    use: Use = {"source_diameter": None, "hears_brightness": heard}
    if sized and diameter is not None:
        alike = before and before / TOLERATED <= diameter <= before * TOLERATED
        use["source_diameter"] = before if alike else round(diameter, 1)
    changed = {key: value for key, value in use.items() if value != told[key]}
    return InferenceCalibrated(
        changed, _tried(scores), sum(map(len, next(iter(scores.values()))))
    )


def _tried(scores: Scores) -> tuple[dict[str, Any], ...]:
    return tuple(
        {
            "size": "labels" if sized else "read",
            "brightness": heard,
            "one_click": float(np.concatenate(values).mean()),
        }
        for (sized, heard), values in scores.items()
    )


def best_use(scores: Scores, usual: Way = (False, True), several: bool = False) -> Way:
    """Choose by the IoU of the same objects, image by image.

    Something else than the usual way must be better by 0.03, by more than chance, and
    worse in no picture; one that changes more, better by as much than one that changes
    less. The size of the labels needs less to be believed where ``several`` pictures
    have it in common.
    """
    best = usual
    sized, heard = usual
    for way in ((sized, not heard), (not sized, heard), (not sized, not heard)):
        if way not in scores:
            continue
        pictures = [
            new - old for new, old in zip(scores[way], scores[best], strict=True)
        ]
        gains = np.concatenate(pictures)
        likely = several and way == (True, best[1]) and not best[0]
        sure, worse = (_LIKELY, _WORSE_LIKELY) if likely else (_SURE, _WORSE)
        if len(gains) < FEWEST or min(gain.mean() for gain in pictures) < worse:
            continue
        error = float(gains.std(ddof=1)) / len(gains) ** 0.5
        if gains.mean() >= max(_LEAST, sure * error):
            best = way
    return best


def common_diameter(pairs: Sequence[Annotated]) -> float | None:
    """Return the typical diameter in pixels; None where images differ in it."""
    sizes = np.log([pair.diameter for pair in pairs])
    return None if sizes.std() > _ALIKE else float(np.exp(sizes.mean()))


def _maps(
    colorer: BaseColorer, pair: Annotated, diameter: float | None
) -> dict[bool, Coloring]:
    """Color an image at the size that the model reads, and at that of the labels."""
    maps = {False: colorer.color(pair.image)}
    if diameter is not None:
        model_config = replace(colorer.config, source_diameter=diameter)
        wanted, read = (
            choose_resolution(pair.image, model_config),
            maps[False].resolution,
        )
        same = abs(wanted - read) < 0.15 * read
        maps[True] = maps[False] if same else colorer.color(pair.image, wanted)
    return maps


def _click(coloring: Coloring, ground_truth: NDArray[np.bool_], heard: bool) -> float:
    answer = answerer(coloring, ProbeSettings(brightness=heard))
    return iou(answer([interior_point(ground_truth)], [1]), ground_truth)


def use_words(use: Mapping[str, Any]) -> str:
    """Say which settings of a model the labels set right; "" where none.

    Parameters
    ----------
    use
        From `finetune.use.calibrate_inference`.
    """
    said = []
    diameter = use.get("source_diameter")
    if diameter is not None:
        said.append(
            f"It looks at every picture as if its objects measured {diameter:.0f} "
            "pixels, as the labeled ones do; the size can be chosen by hand."
        )
    if use.get("hears_brightness") is False:
        said.append(
            "Its clicks leave the picture's brightness out, which misled them on the "
            "labeled objects."
        )
    return " ".join(said)
