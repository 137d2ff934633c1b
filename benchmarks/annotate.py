"""A scripted annotator: actions and seconds an object, three ways of working.

    python benchmarks/annotate.py DATA [--sources dsb2018 usiigaci] [--images 5]

It labels pictures until the mean IoU of their objects is 0.85 and no false object is
left, or until nothing helps, by

``clicks``   one click an object, then further clicks on the worst;
``propose``  the candidates of the map: a threshold if that saves work, one key that
             keeps all, false ones deleted, merged ones split, torn ones merged,
             missing ones clicked;
``brush``    one brush stroke an object (as wide as fits in), thinner ones till it is
             well covered.

Every click, key, drag and stroke is an action. Their times are those of `SECONDS`,
about the keystroke-level model of Card, Moran and Newell (1980): a key 0.3 s, pointing
and pressing 1.3 s, a drag 2.4 s; a brush moves 200 pixels a second. Thinking is left
out, as is the model's own time. The person knows the truth and never errs.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from napari_gen2seg import load_model
from napari_gen2seg.core.coloring import Coloring
from napari_gen2seg.core.objects.edit import delete_objects, merge_along
from napari_gen2seg.core.objects.find import next_number
from napari_gen2seg.core.objects.patch import LabelPatch
from napari_gen2seg.core.objects.review import Review
from napari_gen2seg.core.objects.split import split_along, split_at_neck
from napari_gen2seg.errors import PromptError
from napari_gen2seg.io.annotated import Annotated
from napari_gen2seg.metrics.click_protocol import (
    answerer,
    interior_point,
    next_correction,
    object_labels,
)
from napari_gen2seg.metrics.matching import iou, overlaps
from napari_gen2seg.models.probes import chosen_probe, find_candidates
from napari_gen2seg.train.data.image_folder import read_source

SECONDS = {"key": 0.3, "click": 1.3, "drag": 2.4, "stroke": 1.3}
BRUSH = 200.0  # pixels a second
TARGET = 0.85
RIGHT = 0.5  # IoU of an object that is not false
TRIES = 4  # acts of correction an object
THRESHOLDS = (0.3, 0.45, 0.6, 0.75)

Mask = npt.NDArray[np.bool_]
Labels = npt.NDArray[np.int32]


@dataclass
class Work:
    """What was done on one picture."""

    labels: Labels
    actions: int = 0
    seconds: float = 0.0
    acts: dict[str, int] = field(default_factory=dict)
    clicks: dict[int, tuple[list[Any], list[int]]] = field(default_factory=dict)

    def does(self, kind: str, what: str, length: float = 0.0, times: int = 1) -> None:
        """Count an act, ``times`` times."""
        self.actions += times
        self.seconds += times * SECONDS[kind] + length / BRUSH
        self.acts[what] = self.acts.get(what, 0) + times


@dataclass
class Judge:
    """How good labels are beside the truth."""

    truth: Labels
    numbers: list[int]

    def fits(self, labels: Labels) -> npt.NDArray[np.float64]:
        """Return the IoU of each true object with its best."""
        found = overlaps(self.truth, labels)
        if not found.found.size:
            return np.zeros(len(self.numbers))
        rows = np.searchsorted(found.ground_truth, self.numbers)
        return np.asarray(found.table[rows].max(axis=1))

    def false(self, labels: Labels) -> list[int]:
        """Return the objects that are nobody's best, nor right themselves."""
        found = overlaps(self.truth, labels)
        if not found.table.size:
            return found.found.tolist()
        best = set(found.table.argmax(axis=1)[found.table.max(axis=1) > 0.1].tolist())
        wrong = np.flatnonzero(found.table.max(axis=0) < RIGHT)
        return [int(found.found[at]) for at in wrong if at not in best]


def by_clicks(coloring: Coloring, judge: Judge) -> Work:
    """One click an object, then corrections."""
    work = Work(np.zeros(judge.truth.shape, np.int32))
    for number in judge.numbers:
        point = interior_point(judge.truth == number)
        work.does("click", "click")
        write(work, coloring, next_number(work.labels), [point], [1])
    improve(work, coloring, judge)
    return work


def by_proposals(coloring: Coloring, judge: Judge) -> Work:
    """All that is proposed, then corrections."""
    work = Work(np.zeros(judge.truth.shape, np.int32))
    review = Review.begin(find_candidates(coloring), values=coloring.values)

    def errors(chosen: Review) -> int:
        painted = chosen.painted()
        missing = int(np.count_nonzero(judge.fits(painted) < RIGHT))
        return missing + len(judge.false(painted))

    trials = [review, *(review.choosing(least) for least in THRESHOLDS)]
    costs = [errors(trial) + (trial is not review) for trial in trials]
    best = trials[int(np.argmin(costs))]
    if best is not review:
        work.does("drag", "threshold")
    kept = best.keep(work.labels, best.shown)
    work.does("key", "keep all")
    kept.patch.apply(work.labels)
    for index, number in zip(kept.indices, kept.numbers, strict=True):
        place = review.candidates.points[index].tolist()
        work.clicks[int(number)] = [place], [1]
    wrong = judge.false(work.labels)
    if wrong:
        work.does("click", "delete", times=len(wrong))
        delete_objects(work.labels, wrong).apply(work.labels)
    improve(work, coloring, judge)
    return work


def by_brush(_: Coloring, judge: Judge) -> Work:
    """Strokes of a round brush that never leaves the object."""
    work = Work(np.zeros(judge.truth.shape, np.int32))
    for number in judge.numbers:
        work.does("key", "next object")
        work.labels[brushed(work, judge.truth == number)] = number
    return work


def brushed(work: Work, mask: Mask) -> Mask:
    """Paint an object with strokes of a round brush; return what they cover."""
    depth = ndimage.distance_transform_edt(mask)
    radius, painted = 0.7 * float(depth.max()), np.zeros_like(mask)
    for attempt in range(TRIES):
        more = ndimage.distance_transform_edt(depth < radius) < radius
        length = np.count_nonzero(more & ~painted) / max(2 * radius, 1)
        painted |= more & mask
        if attempt:
            work.does("key", "brush size")
        work.does("stroke", "stroke", length)
        if iou(painted, mask) >= TARGET:
            break
        radius = max(radius / 2, 1.0)
    return painted


def improve(work: Work, coloring: Coloring, judge: Judge) -> None:
    """Correct the worst object by what helps most, until all is good enough."""
    tries = dict.fromkeys(range(len(judge.numbers)), 0)
    fits = judge.fits(work.labels)
    while fits.mean() < TARGET:
        open_ = [at for at in tries if fits[at] < TARGET and tries[at] < TRIES]
        if not open_:
            break
        at = min(open_, key=lambda place: fits[place])
        tries[at] += 1
        before, clicks = work.labels.copy(), dict(work.clicks)
        best = fits.sum() + 0.02, None
        for name, cost, act in remedies(work, coloring, judge, judge.numbers[at]):
            try:
                act()
            except PromptError:
                continue
            found = judge.fits(work.labels)
            if found.sum() > best[0]:
                state = work.labels.copy(), dict(work.clicks)
                best = found.sum(), (name, cost, found, state)
            work.labels[:], work.clicks = before, dict(clicks)
        if best[1] is None:
            tries[at] = TRIES
            continue
        name, cost, fits, (labels, work.clicks) = best[1]
        work.labels[:] = labels
        for kind in cost:
            work.does(kind, name)
    wrong = judge.false(work.labels)
    if wrong:
        work.does("click", "delete", times=len(wrong))
        delete_objects(work.labels, wrong).apply(work.labels)


def remedies(
    work: Work, coloring: Coloring, judge: Judge, number: int
) -> Iterator[tuple[str, tuple[str, ...], Callable[[], None]]]:
    """Yield what may help one true object: a name, its acts, and how it is done."""
    mask = judge.truth == number
    under, counts = np.unique(work.labels[mask], return_counts=True)
    counts, under = counts[under > 0], under[under > 0]
    if not under.size or counts.max() < 0.3 * mask.sum():
        free = mask & (work.labels == 0)
        if free.any():
            point, new = interior_point(free), next_number(work.labels)
            yield "click", ("click",), lambda: write(work, coloring, new, [point], [1])
    if not under.size:
        return
    most = int(under[np.argmax(counts)])
    mine = work.labels == most
    others = np.unique(judge.truth[mine])
    rivals = [
        int(other)
        for other in others
        if other > 0
        and other != number
        and np.count_nonzero(mine & (judge.truth == other)) > 0.2 * mine.sum()
    ]
    if rivals:
        cut = border(mine, mask, judge.truth == rivals[0])
        yield (
            "split at neck",
            ("key",),
            lambda: put(work, split_at_neck(work.labels, most)),
        )
        yield (
            "split along",
            ("drag",),
            lambda: put(work, split_along(work.labels, cut, most)),
        )
    parts = [
        int(part)
        for part in under
        if np.count_nonzero((work.labels == part) & mask)
        > 0.5 * np.count_nonzero(work.labels == part)
    ]
    if len(parts) > 1:
        stroke = [interior_point(work.labels == part) for part in parts]
        yield "merge", ("drag",), lambda: put(work, merge_along(work.labels, stroke))
    step = next_correction(mask, mine)
    if step is not None and most in work.clicks:
        points, signs = work.clicks[most]
        # Picked first, so that its clicks come back.
        yield (
            "correct",
            ("click", "click"),
            lambda: write(work, coloring, most, [*points, step[0]], [*signs, step[1]]),
        )


def put(work: Work, patch: LabelPatch) -> None:
    """Apply a patch; clicks of objects that changed are gone."""
    patch.apply(work.labels)
    for number in patch.numbers.tolist():
        work.clicks.pop(number, None)


def write(
    work: Work, coloring: Coloring, number: int, points: list[Any], signs: list[int]
) -> None:
    """Keep what clicks give as an object, where others leave room."""
    mask = answerer(coloring, probe=chosen_probe(coloring))(points, signs)
    work.labels[work.labels == number] = 0
    work.labels[mask & (work.labels == 0)] = number
    work.clicks[number] = points, signs


def border(mine: Mask, one: Mask, two: Mask) -> npt.NDArray[np.float64]:
    """Return a straight line between two true objects, across what covers both."""
    near, far = (ndimage.distance_transform_edt(~mask) for mask in (one, two))
    places = np.argwhere(mine & (np.abs(near - far) <= 1.5)).astype(float)
    if len(places) < 2:
        places = np.argwhere(mine).astype(float)
    middle = places.mean(axis=0)
    _, _, ways = np.linalg.svd(places - middle, full_matrices=False)
    along = (places - middle) @ ways[0]
    return np.stack([middle + at * ways[0] for at in (along.min(), along.max())])


WAYS = {"clicks": by_clicks, "propose": by_proposals, "brush": by_brush}


def main() -> None:
    """Print a line a picture and way, then the means."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--sources", nargs="+", default=["dsb2018"])
    parser.add_argument("--ways", nargs="+", default=list(WAYS), choices=list(WAYS))
    parser.add_argument("--kind", nargs="+", help="of the manifest; others are left")
    parser.add_argument("--images", type=int, default=5, help="of each source")
    parser.add_argument("--model", default="mini")
    chosen = parser.parse_args()
    warnings.filterwarnings("ignore", category=FutureWarning)
    model = load_model(chosen.model, device="cpu")
    rows = []
    for source in chosen.sources:
        pictures: list[Annotated] = [
            picture
            for picture in read_source(chosen.data / source, "val")
            if not chosen.kind or picture.kind in chosen.kind
        ]
        for picture in pictures[:: max(1, len(pictures) // chosen.images)][
            : chosen.images
        ]:
            judge = Judge(picture.labels, object_labels(picture.labels))
            if not judge.numbers:
                continue
            coloring = model.color(picture.image)
            for way in chosen.ways:
                begun = time.perf_counter()
                work = WAYS[way](coloring, judge)
                row = {
                    "source": source,
                    "kind": picture.kind,
                    "picture": picture.name,
                    "way": way,
                    "objects": len(judge.numbers),
                    "actions": work.actions,
                    "seconds": round(work.seconds, 1),
                    "mean_iou": round(float(judge.fits(work.labels).mean()), 3),
                    "acts": work.acts,
                    "took_s": round(time.perf_counter() - begun, 1),
                }
                rows.append(row)
                out(row)
    for source, kind in sorted({(row["source"], row["kind"]) for row in rows}):
        for way in chosen.ways:
            mine = [
                row
                for row in rows
                if (row["source"], row["kind"], row["way"]) == (source, kind, way)
            ]
            objects = sum(row["objects"] for row in mine)
            out(
                {
                    "source": source,
                    "kind": kind,
                    "way": way,
                    "pictures": len(mine),
                    "objects": objects,
                    "actions_per_object": round(
                        sum(row["actions"] for row in mine) / objects, 2
                    ),
                    "seconds_per_object": round(
                        sum(row["seconds"] for row in mine) / objects, 2
                    ),
                    "mean_iou": round(float(np.mean([r["mean_iou"] for r in mine])), 3),
                    "reached": sum(row["mean_iou"] >= TARGET for row in mine),
                }
            )


def out(row: dict[str, Any]) -> None:
    """Write one line."""
    sys.stdout.write(json.dumps(row) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
