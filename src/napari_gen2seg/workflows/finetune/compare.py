"""The old and the new model on what was held back, clicked the same way."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_gen2seg.core import ranking
from napari_gen2seg.core.clicks import innermost, off_centre
from napari_gen2seg.core.metrics import (
    AP_THRESHOLDS,
    average_precision,
    iou,
    overlaps,
)
from napari_gen2seg.core.study import click_trace, clicks_to
from napari_gen2seg.io.atomic import writing
from napari_gen2seg.io.images import write_labels
from napari_gen2seg.models.hooks import Cancel, check_cancel
from napari_gen2seg.train.finetune.config import FinetuneConfig
from napari_gen2seg.train.finetune.events import Compared, Scores, Verdict
from napari_gen2seg.train.finetune.pairs import Pair

if TYPE_CHECKING:
    from napari_gen2seg.core.coloring import Coloring
    from napari_gen2seg.models.colorer import Colorer

COMPARE = "compare"
PICTURES = 8
OBJECTS = 30
CORRECTED = 8
"""At most so many pictures; objects of a picture; of those, objects corrected."""
WANTED, CAP = 0.85, 20
ENOUGH = 12
"""Objects not watched while training, from which on those alone are judged by."""
MANY = 4
"""Pictures from which on the bootstrap draws pictures rather than objects."""
RESAMPLES = 2000

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Judged:
    """One model on one picture.

    Attributes
    ----------
    centre, off_centre
        IoU of one click, per object.
    clicks
        Clicks to `WANTED`, for the first objects.
    table, scores
        IoU of true with proposed objects, and the proposals' scores.
    """

    centre: Floats
    off_centre: Floats
    clicks: Floats
    table: Floats
    scores: Floats


def compare_models(
    config: FinetuneConfig, model: Path, cancel: Cancel | None = None
) -> tuple[Compared, dict[str, Any]]:
    """Compare a run's new model with its base; write ``RUN/compare``.

    Returns
    -------
    Compared, dict
        The event, and the content of ``report.json``.

    Raises
    ------
    Cancelled
        If asked.
    StorageError
        If the folder cannot be written.
    """
    from napari_gen2seg.models.loader import load_model
    from napari_gen2seg.train.finetune.mixture import material

    held = material(config)[0].held[:PICTURES]
    chosen, rule = judged_objects(held, config.seed)
    folder = config.folder / COMPARE
    folder.mkdir(parents=True, exist_ok=True)
    results: dict[str, list[Judged]] = {}
    for when, name in (("before", config.model), ("after", str(model))):
        colorer: Colorer = load_model(
            name, config.device, revision=config.revision if when == "before" else None
        )
        try:
            results[when] = [
                _judge(colorer, pair, ids, folder, when, cancel)
                for pair, ids in zip(held, chosen, strict=True)
            ]
        finally:
            colorer.unload()
    before, after = results["before"], results["after"]
    low, high, over = interval(before, after, config.seed)
    verdict = judge(low, high)
    scores = {when: summarise(found) for when, found in results.items()}
    pictures = tuple(
        {
            "name": pair.name,
            "objects": len(ids),
            "before": _mean(one.centre),
            "after": _mean(two.centre),
        }
        for pair, ids, one, two in zip(held, chosen, before, after, strict=True)
    )
    path = folder / "report.json"
    report: dict[str, Any] = {
        "before": asdict(scores["before"]),
        "after": asdict(scores["after"]),
        "verdict": verdict,
        "low": low,
        "high": high,
        "interval": f"95 % bootstrap of the gain in one-click IoU, over {over}",
        "objects": sum(map(len, chosen)),
        "judged_by": rule,
        "pictures": list(pictures),
    }
    with writing(path) as draft:
        draft.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    compared = Compared(
        scores["before"],
        scores["after"],
        verdict == "better",
        verdict,
        low,
        high,
        pictures,
        str(path),
    )
    return compared, report


def judged_objects(held: Sequence[Pair], seed: int) -> tuple[list[list[int]], str]:
    """Choose the objects to judge by: not those that chose the weights, if possible.

    Returns
    -------
    ids, rule
        Of each picture, and in words which they are.
    """
    from napari_gen2seg.train.finetune.watch import clickable, watched_objects

    watched = {pair.name: set(ids) for pair, ids in watched_objects(held, seed)}
    rng = np.random.default_rng([seed, 78])
    every, others = [], []
    for pair in held:
        ids = rng.permutation(clickable(pair.labels)).tolist()
        every.append(ids[:OBJECTS])
        others.append([n for n in ids if n not in watched.get(pair.name, ())][:OBJECTS])
    if sum(map(len, others)) >= ENOUGH:
        return others, "objects that were not watched while training"
    return every, "all objects, those watched while training among them"


def _judge(
    colorer: Colorer,
    pair: Pair,
    ids: Sequence[int],
    folder: Path,
    when: str,
    cancel: Cancel | None,
) -> Judged:
    check_cancel(cancel, "The comparison")
    coloring = colorer.color(pair.rgb)
    coloring.save(folder / f"{pair.name}-{when}.tif")
    proposals = coloring.propose()
    write_labels(folder / f"{pair.name}-{when}-labels.tif", proposals)
    answer = _answerer(coloring)
    centre, aside, clicks = [], [], []
    for number, label in enumerate(ids):
        check_cancel(cancel, "The comparison")
        truth = pair.labels == label
        first = answer([innermost(truth)], [1])
        seed = zlib.crc32(f"{pair.name}/{label}".encode())
        centre.append(iou(first, truth))
        aside.append(iou(answer([off_centre(truth, seed)], [1]), truth))
        if number < CORRECTED:
            trace = click_trace(answer, truth, first, until=WANTED, cap=CAP)
            clicks.append(clicks_to(trace, WANTED, CAP)[0])
    for label in ranking.mostly_unknown(proposals, pair.labels < 0):
        proposals[proposals == label] = 0
    return Judged(
        np.asarray(centre, float),
        np.asarray(aside, float),
        np.asarray(clicks, float),
        overlaps(np.maximum(pair.labels, 0), proposals).table,
        np.asarray(ranking.evenness(coloring.values, proposals), float),
    )


def _answerer(
    coloring: Coloring,
) -> Callable[[Sequence[tuple[int, int]], Sequence[int]], Bools]:
    def answer(points: Sequence[tuple[int, int]], signs: Sequence[int]) -> Bools:
        return coloring.probe(points, signs).full()

    return answer


def summarise(found: Sequence[Judged]) -> Scores:
    """Return means over all objects of all pictures."""
    tables = [one.table for one in found]
    ranked = [one.scores for one in found]
    ap = [average_precision(tables, ranked, t) for t in AP_THRESHOLDS] if found else []
    return Scores(
        _mean(np.concatenate([one.centre for one in found] or [np.zeros(0)])),
        _mean(np.concatenate([one.off_centre for one in found] or [np.zeros(0)])),
        _mean(np.asarray(ap)),
        _mean(np.concatenate([one.clicks for one in found] or [np.zeros(0)])),
    )


def interval(
    before: Sequence[Judged], after: Sequence[Judged], seed: int
) -> tuple[float | None, float | None, str]:
    """Return the 95 % bootstrap interval of the gain in one-click IoU.

    Objects of a picture share its map: where there are `MANY` pictures, pictures are
    drawn; where there are fewer, objects, which is too narrow.
    """
    gains = [two.centre - one.centre for one, two in zip(before, after, strict=True)]
    gains = [gain for gain in gains if len(gain)]
    rng = np.random.default_rng([seed, 79])
    if len(gains) >= MANY:
        draws = rng.integers(len(gains), size=(RESAMPLES, len(gains)))
        sums = np.asarray([gain.sum() for gain in gains])
        counts = np.asarray([len(gain) for gain in gains])
        means = sums[draws].sum(1) / counts[draws].sum(1)
        over = f"{len(gains)} pictures"
    else:
        every = np.concatenate(gains or [np.zeros(0)])
        over = f"{len(every)} objects of {len(gains)} pictures"
        if len(every) < 2:
            return None, None, over
        draws = rng.integers(len(every), size=(RESAMPLES, len(every)))
        means = every[draws].mean(1)
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(high), over


def judge(low: float | None, high: float | None) -> Verdict:
    """Say what an interval of the gain means."""
    if low is not None and low > 0:
        return "better"
    if high is not None and high < 0:
        return "worse"
    return "no difference"


def _mean(values: Floats) -> float | None:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else None
