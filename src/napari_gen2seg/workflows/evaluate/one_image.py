"""What one picture gives under each protocol, as plain values for the report."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_gen2seg.common.types import BoolArray
from napari_gen2seg.metrics import matching
from napari_gen2seg.metrics.boundaries import (
    edge_counts,
    edge_strength,
    label_boundaries,
    thresholds,
)
from napari_gen2seg.metrics.click_protocol import (
    choose_objects,
    click_trace,
    interior_point,
    off_center,
)
from napari_gen2seg.metrics.matching import AP_THRESHOLDS, iou, match, overlaps
from napari_gen2seg.workflows.evaluate.settings import WANTED

if TYPE_CHECKING:
    from napari_gen2seg.core.coloring import Coloring
    from napari_gen2seg.core.probe.settings import ProbeSettings
    from napari_gen2seg.io.annotated import Annotated
    from napari_gen2seg.workflows.evaluate.settings import EvaluationSettings

Facts = dict[str, Any]

DIGITS = 6
"""Decimals kept in a report: far more than any difference that matters."""


def study_picture(
    name: str,
    truth: Annotated,
    coloring: Coloring,
    settings: EvaluationSettings,
    check: Callable[[], None],
) -> Facts:
    """Measure one coloured picture.

    Parameters
    ----------
    name
        Of the picture; part of the seeds.
    truth
        What is in it.
    coloring
        Its map.
    settings
        What to measure.
    check
        Called between objects; may raise to stop.

    Returns
    -------
    dict
        Plain values: ``name``, ``shape``, ``map``, and a part for each protocol.
    """
    facts: Facts = {
        "name": name,
        "shape": list(truth.shape),
        "map": {"shape": list(coloring.shape), "resolution": coloring.resolution},
        "picture_key": coloring.source_key,
        "truth_key": _key(truth),
    }
    if settings.does("clicks"):
        facts["clicks"] = {
            rule: list(
                _clicks(
                    name,
                    truth,
                    coloring,
                    replace(settings.probe, rule=rule),
                    settings,
                    check,
                )
            )
            for rule in settings.rules
        }
    check()
    if settings.does("proposals"):
        facts["proposals"] = _proposals(truth, coloring)
    check()
    if settings.does("edges"):
        facts["edges"] = _edges(truth, coloring, settings)
    return facts


def answerer(
    coloring: Coloring, probe: ProbeSettings
) -> Callable[[Sequence[tuple[int, int]], Sequence[int]], BoolArray]:
    """Return what turns clicks into full masks."""

    def answer(points: Sequence[tuple[int, int]], signs: Sequence[int]) -> BoolArray:
        return coloring.probe(points, signs, probe).full()

    return answer


def _clicks(
    name: str,
    truth: Annotated,
    coloring: Coloring,
    probe: ProbeSettings,
    settings: EvaluationSettings,
    check: Callable[[], None],
) -> Iterator[Facts]:
    answer = answerer(coloring, probe)
    for number in choose_objects(truth.areas, settings.smallest, settings.most):
        check()
        mask = truth.mask(number)
        seed = zlib.crc32(f"{name}/{number}".encode()) + settings.seed
        first = answer([interior_point(mask)], [1])
        aside = answer([off_center(mask, seed)], [1])
        facts: Facts = {
            "object": number,
            "area": truth.areas[number],
            "centre": round(iou(first, mask), DIGITS),
            "off_centre": round(iou(aside, mask), DIGITS),
        }
        if settings.corrections and probe.rule == "distance":
            trace = click_trace(answer, mask, first, until=WANTED[-1], cap=settings.cap)
            facts["trace"] = [round(overlap, DIGITS) for overlap in trace]
        yield facts


def _proposals(truth: Annotated, coloring: Coloring) -> Facts:
    found = coloring.propose()
    for label in matching.mostly_unknown(found, truth.unknown):
        found[found == label] = 0
    if truth.crops:
        masks = (truth.mask(number) for number in truth.areas)
        table, _ = matching.mask_overlaps(masks, found)
        table = table.reshape(len(truth.areas), -1)
    else:
        table = overlaps(np.maximum(truth.labels, 0), found).table
    scores = matching.evenness(coloring.values, found)
    hits, ious = [], []
    right = np.zeros((len(AP_THRESHOLDS), len(scores)), bool)
    for place, threshold in enumerate(AP_THRESHOLDS):
        pairs = match(table, threshold)
        hits.append(len(pairs))
        ious.append(round(sum(float(table[pair]) for pair in pairs), DIGITS))
        right[place] = matching.hits(table, scores, threshold)
    return {
        "true": table.shape[0],
        "found": table.shape[1],
        "hits": hits,
        "iou_sums": ious,
        "scores": [round(float(score), DIGITS) for score in scores],
        # One row a threshold, one digit a proposal.
        "right": ["".join("01"[flag] for flag in row) for row in right.astype(int)],
    }


def _edges(truth: Annotated, coloring: Coloring, settings: EvaluationSettings) -> Facts:
    people = truth.boundaries or (label_boundaries(truth.labels),)
    strength = edge_strength(coloring.values, truth.shape, settings.edge_sigma)
    counts = edge_counts(
        strength, people, thresholds(settings.edge_levels), settings.edge_distance
    )
    return {
        "people": len(people),
        "found": counts.found.tolist(),
        "found_hits": counts.found_hits.tolist(),
        "truth": counts.truth.tolist(),
        "truth_hits": counts.truth_hits.tolist(),
    }


def _key(truth: Annotated) -> str:
    """Tell whether two reports speak of the same truth."""
    digest = zlib.crc32(np.ascontiguousarray(truth.labels).tobytes())
    for edge in truth.boundaries:
        digest = zlib.crc32(np.packbits(edge).tobytes(), digest)
    for number, (crop, origin) in sorted(truth.crops.items()):
        digest = zlib.crc32(f"{number}{origin}{crop.shape}".encode(), digest)
        digest = zlib.crc32(np.packbits(crop).tobytes(), digest)
    return f"{digest:08x}"
