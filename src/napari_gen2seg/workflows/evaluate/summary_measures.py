"""Every number of a report, as a function of weights for the pictures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_gen2seg.common.types import Float64Array
from napari_gen2seg.metrics import boundaries, matching
from napari_gen2seg.metrics.bootstrap import OfWeights, Statistic, ratio
from napari_gen2seg.metrics.click_protocol import WANTED, clicks_to
from napari_gen2seg.metrics.matching import AP_THRESHOLDS, size_class

Facts = dict[str, Any]


def statistics_of(images: Sequence[Facts], cap: int) -> list[Statistic]:
    """Return every statistic that the pictures have facts for.

    Parameters
    ----------
    images
        As `study_picture` returns them.
    cap
        Largest number of clicks.
    """
    found: list[Statistic] = []
    rules = [rule for rule in ("distance", "paper") if rule in _part(images, "clicks")]
    for rule in rules:
        found += _of_clicks(images, rule, cap)
    if _part(images, "proposals"):
        found += _of_proposals([image["proposals"] for image in images])
    if _part(images, "edges"):
        found += _of_edges([image["edges"] for image in images])
    return found


def _part(images: Sequence[Facts], name: str) -> Any:
    return images[0].get(name) or {}


def _of_clicks(images: Sequence[Facts], rule: str, cap: int) -> list[Statistic]:
    pictures: list[list[Facts]] = [image["clicks"][rule] for image in images]
    counts = [float(len(objects)) for objects in pictures]
    some = [float(count > 0) for count in counts]
    begin, title = f"clicks/{rule}", f"rule {rule}"

    def over_objects(of: Callable[[Facts], float]) -> OfWeights:
        return ratio((sum(map(of, p)) for p in pictures), counts)

    def over_pictures(of: Callable[[Facts], float]) -> OfWeights:
        means = (sum(map(of, p)) / max(len(p), 1) for p in pictures)
        return ratio(means, some)

    found = []
    for where, words in (("centre", "centre"), ("off_centre", "off-centre")):

        def overlap(one: Facts, where: str = where) -> float:
            return float(one[where])

        found += [
            Statistic(
                f"{begin}/{where}",
                f"One {words} click, mean IoU over objects, {title}",
                1,
                over_objects(overlap),
            ),
            Statistic(
                f"{begin}/{where}_pictures",
                f"One {words} click, mean IoU over pictures, {title}",
                1,
                over_pictures(overlap),
            ),
        ]
    for least in (0.5, 0.75):

        def reached(one: Facts, least: float = least) -> float:
            return float(one["centre"] >= least)

        found.append(
            Statistic(
                f"{begin}/centre_{round(100 * least)}",
                f"Share of objects with IoU from {least:.2f} after one click, {title}",
                1,
                over_objects(reached),
            )
        )
    for size in ("small", "medium", "large"):
        chosen = [[o for o in p if size_class(o["area"]) == size] for p in pictures]
        if any(chosen):
            found.append(
                Statistic(
                    f"{begin}/centre_{size}",
                    f"One centre click, mean IoU of {size} objects, {title}",
                    1,
                    ratio(
                        (sum(o["centre"] for o in p) for p in chosen),
                        (float(len(p)) for p in chosen),
                    ),
                )
            )
    if any("trace" in one for objects in pictures for one in objects):
        found += _of_corrections(over_objects, begin, title, cap)
    return found


def _of_corrections(
    over_objects: Callable[[Callable[[Facts], float]], OfWeights],
    begin: str,
    title: str,
    cap: int,
) -> list[Statistic]:
    found = []
    for wanted in WANTED:

        def needed(one: Facts, wanted: float = wanted) -> float:
            return float(clicks_to(one["trace"], wanted, cap)[0])

        def never(one: Facts, wanted: float = wanted) -> float:
            return float(not clicks_to(one["trace"], wanted, cap)[1])

        digits = round(100 * wanted)
        found += [
            Statistic(
                f"{begin}/clicks_to_{digits}",
                f"Clicks to IoU {wanted:.2f} (cap {cap}), {title}",
                -1,
                over_objects(needed),
            ),
            Statistic(
                f"{begin}/never_{digits}",
                f"Share of objects that never reach IoU {wanted:.2f}, {title}",
                -1,
                over_objects(never),
            ),
        ]
    return found


def _of_proposals(parts: list[Facts]) -> list[Statistic]:
    true = np.array([p["true"] for p in parts], float)
    every = true + np.array([p["found"] for p in parts], float)
    hits = np.array([p["hits"] for p in parts], float).T  # (T, pictures)
    sums = np.array([p["iou_sums"] for p in parts], float).T
    found = [
        Statistic(
            "proposals/pq",
            "Panoptic quality of proposals (IoU 0.50)",
            1,
            ratio(sums[0], every / 2),
        )
    ]
    found += [
        Statistic(
            f"proposals/f1_{round(100 * AP_THRESHOLDS[place])}",
            f"F1 of proposals at IoU {AP_THRESHOLDS[place]:.2f}",
            1,
            ratio(hits[place], every / 2),
        )
        for place in (0, 5)
    ]

    def accuracy(weights: Float64Array) -> Float64Array:
        under = (weights @ every)[:, None] - weights @ hits.T
        shares = weights @ hits.T / np.where(under > 0, under, np.nan)
        return np.asarray(shares.mean(axis=1))

    found.append(
        Statistic(
            "proposals/accuracy",
            "Hits / (hits + misses + extras), mean over IoU 0.50 to 0.95",
            1,
            accuracy,
        )
    )
    order, owner, right = _ranked(parts)
    for name, places in (("ap_50", [0]), ("ap", list(range(len(AP_THRESHOLDS))))):

        def precision(
            weights: Float64Array, places: list[int] = places
        ) -> Float64Array:
            return np.array(
                [
                    np.mean(
                        [
                            matching.average_precision(
                                right[place][order], row[owner][order], row @ true
                            )
                            for place in places
                        ]
                    )
                    for row in weights
                ]
            )

        words = "at IoU 0.50" if name == "ap_50" else "over IoU 0.50 to 0.95"
        found.append(
            Statistic(
                f"proposals/{name}", f"COCO AP of proposals {words}", 1, precision
            )
        )
    return found


def _ranked(parts: list[Facts]) -> tuple[Any, Any, npt.NDArray[np.bool_]]:
    """Return the ranking of all proposals, their pictures, and which are right."""
    scores = np.concatenate([np.asarray(p["scores"], float) for p in parts])
    owner = np.repeat(np.arange(len(parts)), [len(p["scores"]) for p in parts])
    right = np.array(
        [
            [digit == "1" for part in parts for digit in part["right"][place]]
            for place in range(len(AP_THRESHOLDS))
        ],
        bool,
    ).reshape(len(AP_THRESHOLDS), -1)
    return np.argsort(-scores, kind="stable"), owner, right


def _of_edges(parts: list[Facts]) -> list[Statistic]:
    names = ("found", "found_hits", "truth", "truth_hits")
    table = np.array([[part[name] for part in parts] for name in names], float)

    def of_curve(measure: Callable[[Float64Array, Float64Array], float]) -> OfWeights:
        def value(weights: Float64Array) -> Float64Array:
            summed = np.einsum("bp,npt->nbt", weights, table)
            precision, recall = boundaries.curve(*summed)
            return np.array(
                [measure(p, r) for p, r in zip(precision, recall, strict=True)]
            )

        return value

    # Each picture's counts at its own best threshold, one column a picture.
    own = np.stack(
        [table[:, place, _best_level(table[:, place])] for place in range(len(parts))],
        axis=1,
    )

    def of_own(weights: Float64Array) -> Float64Array:
        precision, recall = boundaries.curve(*(weights @ own.T).T)
        both = precision + recall
        return 2 * precision * recall / np.where(both > 0, both, 1)

    return [
        Statistic(
            "edges/ap",
            "Edge AP of the map's gradient (BSDS protocol)",
            1,
            of_curve(boundaries.average_precision),
        ),
        Statistic(
            "edges/ods",
            "Edge F at the best threshold of the data set",
            1,
            of_curve(boundaries.best_f),
        ),
        Statistic(
            "edges/ois",
            "Edge F at the best threshold of each picture",
            1,
            of_own,
        ),
    ]


def _best_level(counts: Float64Array) -> int:
    precision, recall = boundaries.curve(*counts)
    both = precision + recall
    return int((precision * recall / np.where(both > 0, both, 1)).argmax())
