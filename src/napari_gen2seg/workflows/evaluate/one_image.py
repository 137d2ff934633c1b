"""What one image gives under each protocol, as plain values for the report."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_gen2seg.common.types import BoolArray
from napari_gen2seg.core.learned_probe.choice import LEARNED, SIMILARITY
from napari_gen2seg.metrics import matching
from napari_gen2seg.metrics.boundaries import (
    edge_counts,
    edge_strength,
    label_boundaries,
    thresholds,
)
from napari_gen2seg.metrics.click_protocol import (
    WANTED,
    answerer,
    choose_objects,
    click_study,
)
from napari_gen2seg.metrics.matching import AP_THRESHOLDS, match, overlaps
from napari_gen2seg.models.probes import chosen_probe, propose

if TYPE_CHECKING:
    from napari_gen2seg.core.coloring import Coloring
    from napari_gen2seg.core.learned_probe.probe import Probe
    from napari_gen2seg.core.probe.settings import ProbeSettings
    from napari_gen2seg.io.annotated import Annotated
    from napari_gen2seg.workflows.evaluate.settings import EvaluationSettings

Facts = dict[str, Any]

DIGITS = 6
"""Decimals kept in a report: far more than any difference that matters."""


def study_image(
    name: str,
    ground_truth: Annotated,
    coloring: Coloring,
    settings: EvaluationSettings,
    check: Callable[[], None],
) -> Facts:
    """Measure one colored image.

    Parameters
    ----------
    name
        Of the picture; part of the seeds.
    ground_truth
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
        "shape": list(ground_truth.shape),
        "map": {"shape": list(coloring.shape), "resolution": coloring.resolution},
        "picture_key": coloring.source_key,
        "truth_key": _key(ground_truth),
    }
    if settings.does("clicks"):
        probe = chosen_probe(coloring, settings.method)
        facts["probe"] = SIMILARITY if probe is None else LEARNED
        facts["clicks"] = {
            rule: list(
                _clicks(
                    name,
                    ground_truth,
                    coloring,
                    replace(settings.probe, rule=rule),
                    settings,
                    check,
                    probe,
                )
            )
            for rule in settings.rules
        }
    check()
    if settings.does("proposals"):
        facts["proposals"] = _proposals(ground_truth, coloring, settings.method)
    check()
    if settings.does("edges"):
        facts["edges"] = _edges(ground_truth, coloring, settings)
    return facts


def _clicks(
    name: str,
    ground_truth: Annotated,
    coloring: Coloring,
    how: ProbeSettings,
    settings: EvaluationSettings,
    check: Callable[[], None],
    probe: Probe | None,
) -> Iterator[Facts]:
    def objects() -> Iterator[tuple[int, BoolArray]]:
        for number in choose_objects(
            ground_truth.areas, settings.smallest, settings.most
        ):
            check()
            yield number, ground_truth.mask(number)

    # The published rule has no negative click.
    corrections = settings.corrections and how.rule == "distance"
    for one in click_study(
        answerer(coloring, how, probe),
        name,
        objects(),
        seed=settings.seed,
        until=WANTED[-1] if corrections else None,
        cap=settings.cap,
    ):
        facts: Facts = {
            "object": one.number,
            "area": one.area,
            "centre": round(one.center, DIGITS),
            "off_centre": round(one.off_center, DIGITS),
        }
        if one.trace is not None:
            facts["trace"] = [round(overlap, DIGITS) for overlap in one.trace]
        yield facts


def _proposals(
    ground_truth: Annotated, coloring: Coloring, method: str | None
) -> Facts:
    found = propose(coloring, method=method)
    for label in matching.mostly_unknown(found, ground_truth.unknown):
        found[found == label] = 0
    if ground_truth.masks:
        masks = (ground_truth.mask(number) for number in ground_truth.areas)
        table, _ = matching.mask_overlaps(masks, found)
        table = table.reshape(len(ground_truth.areas), -1)
    else:
        table = overlaps(np.maximum(ground_truth.labels, 0), found).table
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


def _edges(
    ground_truth: Annotated, coloring: Coloring, settings: EvaluationSettings
) -> Facts:
    people = ground_truth.boundaries or (label_boundaries(ground_truth.labels),)
    strength = edge_strength(coloring.values, ground_truth.shape, settings.edge_sigma)
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


def _key(ground_truth: Annotated) -> str:
    """Tell whether two reports speak of the same ground truth."""
    digest = zlib.crc32(np.ascontiguousarray(ground_truth.labels).tobytes())
    for edge in ground_truth.boundaries:
        digest = zlib.crc32(np.packbits(edge).tobytes(), digest)
    for number, (mask, origin) in sorted(ground_truth.masks.items()):
        digest = zlib.crc32(f"{number}{origin}{mask.shape}".encode(), digest)
        digest = zlib.crc32(np.packbits(mask).tobytes(), digest)
    return f"{digest:08x}"
