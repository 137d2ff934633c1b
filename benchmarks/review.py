"""Candidates under review on drawn maps: what a slider, a pointer and a key cost.

    python benchmarks/review.py --sizes 1024 4096 --objects 300

Milliseconds of processor time (microseconds where said), the median of several calls.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import drawn_maps

from napari_gen2seg.core.candidates import CandidateSet
from napari_gen2seg.core.objects.drawn import CandidateOutlines
from napari_gen2seg.core.objects.edit import delete_objects, merge_objects
from napari_gen2seg.core.objects.measure import Appearance, measure_masks
from napari_gen2seg.core.objects.reshape import grow, smooth
from napari_gen2seg.core.objects.review import Review
from napari_gen2seg.core.objects.similar import similarity, traits
from napari_gen2seg.core.objects.split import split_at_neck
from napari_gen2seg.core.objects.table import ObjectTable
from napari_gen2seg.errors import PromptError


def median_ms(function: Callable[[], Any], times: int = 7) -> float:
    """Return the median milliseconds of processor time of a call."""
    took = []
    for _ in range(times):
        start = time.process_time()
        function()
        took.append((time.process_time() - start) * 1e3)
    return round(float(np.median(took)), 3)


def measure(size: int, objects: int) -> dict[str, Any]:
    """Time everything on one image of ``size`` squared."""
    rng = np.random.default_rng(0)
    drawn = drawn_maps.blobs(size, objects, size)
    drawn[np.bincount(drawn.ravel())[drawn] < 40] = 0
    count = len(np.unique(drawn)) - 1
    candidates = CandidateSet.from_labels(drawn, rng.uniform(0.2, 1, count))
    values = drawn_maps.paint(drawn, size)
    image = Appearance.of(rng.normal(drawn * 3.0, 4).astype(np.float32))
    labels = np.zeros(drawn.shape, np.int32)
    review = Review.begin(candidates, labels, values=values)
    thresholds = iter(np.tile(np.linspace(0, 0.9, 50), 40))

    def slide() -> None:
        review.choosing(float(next(thresholds)), (3, 400)).painted(labels)

    outlines, canvas = CandidateOutlines(candidates), np.zeros((size, size), np.uint8)

    def slide_in_window() -> None:
        outlines.draw(
            canvas, review.choosing(float(next(thresholds)), (3, 400)), labels
        )

    def select_alone() -> None:
        _ = review.choosing(float(next(thresholds)), (3, 400)).shown

    places = iter(rng.uniform(0, size, (4000, 2)).tolist())
    report: dict[str, Any] = {
        "size": size,
        "candidates": count,
        "begin": median_ms(lambda: Review.begin(candidates, labels, values=values), 3),
        "select": median_ms(select_alone, 21),
        "select_and_paint": median_ms(slide, 21),
        "outlines": median_ms(outlines.find, 1),
        "select_and_outline": median_ms(slide_in_window, 21),
        "at_us": round(median_ms(lambda: review.at(next(places)), 2001) * 1e3, 1),
        "doubt_and_next": median_ms(
            lambda: review.choosing(float(next(thresholds))).next_doubtful()
        ),
        "keep_one": median_ms(lambda: review.keep(labels, review.shown[:1], 1)),
        "keep_all": median_ms(lambda: review.keep(labels, review.shown)),
    }
    kept = review.keep(labels, review.shown)
    kept.patch.apply(labels)
    report["seen_all"] = median_ms(lambda: review.seen(labels), 3)
    table = ObjectTable.of(labels, image)
    one = int(table.numbers[len(table) // 2])
    box, others = table.box_of(one), table.numbers[:2].tolist()
    patch = grow(labels, [one], within=box)
    report |= {
        "seen_one": median_ms(lambda: review.seen(labels, patch.box)),
        "table": median_ms(lambda: ObjectTable.of(labels, image), 1),
        "table_after_one": median_ms(lambda: table.updated(labels, patch, image)),
        "delete": median_ms(lambda: delete_objects(labels, [one], box)),
        "delete_searched": median_ms(lambda: delete_objects(labels, [one])),
        "grow": median_ms(lambda: grow(labels, [one], within=box)),
        "smooth": median_ms(lambda: smooth(labels, [one], within=box)),
        "merge": median_ms(lambda: merge_objects(labels, others)),
        "split_at_neck": median_ms(lambda: _neck(labels, one, box)),
    }
    measures = measure_masks(candidates.masks, image)
    known = traits(measures, image)
    report["traits"] = median_ms(lambda: measure_masks(candidates.masks, image), 1)
    report["similarity"] = median_ms(lambda: similarity(known, known[:5], known[5:8]))
    return report


def _neck(labels: Any, number: int, box: Any) -> None:
    with suppress(PromptError):
        split_at_neck(labels, number, within=box)


def main() -> None:
    """Print one JSON object per size."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[1024, 4096])
    parser.add_argument("--objects", type=int, default=300)
    chosen = parser.parse_args()
    machine = (
        f"{platform.machine()} {platform.system()} python {platform.python_version()}"
    )
    sys.stdout.write(json.dumps({"machine": machine, "numpy": np.__version__}) + "\n")
    for size in chosen.sizes:
        sys.stdout.write(json.dumps(measure(size, chosen.objects)) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
