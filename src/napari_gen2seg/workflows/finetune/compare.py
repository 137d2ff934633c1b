"""Compare the old and the new model on the validation images, clicked the same way."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Generator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from napari_gen2seg.common.atomic import writing
from napari_gen2seg.common.progress import Cancel
from napari_gen2seg.common.types import Float64Array
from napari_gen2seg.errors import StorageError
from napari_gen2seg.io.annotated import Annotated
from napari_gen2seg.metrics.bootstrap import (
    RESAMPLES,
    Bootstrap,
    object_mean,
    verdict,
)
from napari_gen2seg.metrics.matching import AP_THRESHOLDS, pooled_average_precision
from napari_gen2seg.train.finetune.config import FinetuneConfig
from napari_gen2seg.train.finetune.events import (
    Compared,
    Comparing,
    Scores,
)
from napari_gen2seg.train.finetune.run_folder import COMPARE, REPORT_NAME
from napari_gen2seg.workflows.finetune.judged_clicks import Judged, click_through

if TYPE_CHECKING:
    from napari_gen2seg.models.colorer import Colorer
    from napari_gen2seg.train.finetune.export import Best

IMAGES = 8
"""At most so many pictures are looked at."""
OBJECTS, ALL_OBJECTS = 30, 120
"""At most so many objects of a picture, and of all (eight of a picture at least)."""
CORRECTED = 8
"""So many objects of all are corrected until they fit (two of a picture at least)."""
ENOUGH = 12
"""Objects not watched while training, from which on those alone are judged by."""

When = Literal["before", "after"]


@dataclass
class _Count:
    """How much is done, and when that was told last."""

    total: int
    done: int = 0
    told: float = 0.0


def compare_models(
    config: FinetuneConfig,
    model: Path,
    cancel: Cancel | None = None,
    best: Best | None = None,
) -> Generator[Comparing, None, tuple[Compared, dict[str, Any]]]:
    """Compare a run's new model with its base; write ``RUN/compare``.

    Parameters
    ----------
    config, model
        The run and the folder of its new model.
    cancel
        Asked between objects.
    best
        What the run kept. If that is the old model, it is not clicked a second time.

    Yields
    ------
    Comparing
        How far it is.

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
    from napari_gen2seg.train.finetune.sources import training_sources

    unchanged = best is not None and best.unchanged
    use = best.use if best is not None else {}
    split = training_sources(config, begun=True)[0]
    validation = split.validation[:IMAGES]
    chosen, rule = judged_objects(validation, config.seed)
    folder = config.folder / COMPARE
    folder.mkdir(parents=True, exist_ok=True)
    count = _Count(sum(map(len, chosen)) * (1 if unchanged else 2))

    def look(when: When) -> Generator[Comparing, None, list[Judged]]:
        name = config.model if when == "before" else str(model)
        revision = config.revision if when == "before" else None
        return _look(
            config, (name, revision), validation, chosen, folder, when, cancel, count
        )

    before = yield from look("before")
    if unchanged:
        after = before
        _copy(validation, folder)
    else:
        after = yield from look("after")
    low, high, over = gain(before, after, config.seed)
    told = verdict(low, high)
    bounds = _plain(low), _plain(high)
    scores = summarize(before), summarize(after)
    pictures = tuple(
        {
            "name": pair.name,
            "objects": len(ids),
            "before": _mean(one.center),
            "after": _mean(two.center),
        }
        for pair, ids, one, two in zip(validation, chosen, before, after, strict=True)
    )
    path = folder / REPORT_NAME
    report: dict[str, Any] = {
        "before": asdict(scores[0]),
        "after": asdict(scores[1]),
        "verdict": told,
        "unchanged": unchanged,
        "use": use,
        "low": bounds[0],
        "high": bounds[1],
        "interval": f"95 % bootstrap of the gain in one-click IoU, over {over}",
        "objects": sum(map(len, chosen)),
        "judged_by": rule,
        "own_work": list(split.own_work),
        "probes": [_probes(before), _probes(after)],
        "pictures": list(pictures),
    }
    with writing(path) as draft:
        draft.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    better = told == "better"
    compared = Compared(
        *scores,
        better,
        told,
        *bounds,
        pictures,
        str(path),
        unchanged,
        use,
        split.own_work,
    )
    return compared, report


def _look(
    config: FinetuneConfig,
    model: tuple[str, str | None],
    validation: Sequence[Annotated],
    chosen: Sequence[Sequence[int]],
    folder: Path,
    when: When,
    cancel: Cancel | None,
    count: _Count,
) -> Generator[Comparing, None, list[Judged]]:
    """Click through all images with one model."""
    from napari_gen2seg.models.loader import load_model

    found: list[Judged] = []
    if not validation:
        return found
    corrected = max(2, -(-CORRECTED // len(validation)))
    colorer: Colorer = load_model(model[0], config.device, revision=model[1])
    try:
        for pair, ids in zip(validation, chosen, strict=True):
            yield Comparing(count.done, count.total, pair.name, when)
            clicks = click_through(colorer, pair, ids, corrected, folder, when, cancel)
            found.append((yield from _counted(clicks, count, pair.name, when)))
    finally:
        colorer.unload()
    return found


def _counted(
    clicks: Generator[None, None, Judged], count: _Count, name: str, when: When
) -> Generator[Comparing, None, Judged]:
    while True:
        try:
            next(clicks)
        except StopIteration as end:
            judged: Judged = end.value
            return judged
        count.done += 1
        now = time.monotonic()
        if now - count.told >= 1 or count.done == count.total:
            count.told = now
            yield Comparing(count.done, count.total, name, when)


def _copy(validation: Sequence[Annotated], folder: Path) -> None:
    """Let what was made before stand for what is made after, too."""
    try:
        for pair in validation:
            for end in (".tif", "-labels.tif"):
                shutil.copyfile(
                    folder / f"{pair.name}-before{end}",
                    folder / f"{pair.name}-after{end}",
                )
    except OSError as error:
        raise StorageError(
            f"The comparison could not be written to {folder}: {error}. Free some "
            "space there and resume."
        ) from error


def judged_objects(
    validation: Sequence[Annotated], seed: int
) -> tuple[list[list[int]], str]:
    """Choose the objects to judge by: not those that chose the weights, if possible.

    Returns
    -------
    ids, rule
        Of each picture, and in words which they are.
    """
    from napari_gen2seg.train.finetune.validation import clickable, watched_objects

    watched = {pair.name: set(ids) for pair, ids in watched_objects(validation, seed)}
    rng = np.random.default_rng([seed, 78])
    most = min(OBJECTS, max(8, ALL_OBJECTS // max(1, len(validation))))
    every, others = [], []
    for pair in validation:
        ids = rng.permutation(clickable(pair.labels)).tolist()
        every.append(ids[:most])
        others.append([n for n in ids if n not in watched.get(pair.name, ())][:most])
    if sum(map(len, others)) >= ENOUGH:
        return others, "objects that were not watched while training"
    return every, "all objects, those watched while training among them"


def summarize(found: Sequence[Judged]) -> Scores:
    """Return means over all objects of all images."""
    tables = [one.table for one in found]
    ranked = [one.scores for one in found]
    ap = (
        [pooled_average_precision(tables, ranked, t) for t in AP_THRESHOLDS]
        if found
        else []
    )
    return Scores(
        _mean(np.concatenate([one.center for one in found] or [np.zeros(0)])),
        _mean(np.concatenate([one.off_center for one in found] or [np.zeros(0)])),
        _mean(np.asarray(ap)),
        _mean(np.concatenate([one.clicks for one in found] or [np.zeros(0)])),
    )


def gain(
    before: Sequence[Judged], after: Sequence[Judged], seed: int
) -> tuple[float, float, str]:
    """Return the 95 % bootstrap interval of the gain in one-click IoU, and over what.

    The interval and the rule for few pictures are those of `metrics.bootstrap`, as in
    an evaluation: the same clicks with the same seed have the same interval there.

    Returns
    -------
    low, high, over
        NaN where there are too few objects; ``over`` is for people.
    """
    one, two = (
        object_mean("one_click", "One-click IoU", 1, [j.center for j in looked])
        for looked in (before, after)
    )
    bootstrap = Bootstrap(len(before), RESAMPLES, seed)
    counts = [len(judged.center) for judged in before if len(judged.center)]
    over = f"{len(counts)} pictures"
    if bootstrap.drawn(one) != "images":
        over = f"{sum(counts)} objects of {over}"
    return (*bootstrap.gain(one, two), over)


def _probes(found: Sequence[Judged]) -> str:
    """Name the probe that answered the clicks."""
    return " and ".join(sorted({one.probe for one in found}))


def _plain(value: float) -> float | None:
    return value if np.isfinite(value) else None


def _mean(values: Float64Array) -> float | None:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else None
