"""Every number of a report, as a function of weights for the images."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_gen2seg.common.types import Float64Array
from napari_gen2seg.metrics import boundaries, matching
from napari_gen2seg.metrics.bootstrap import OfWeights, Statistic, object_mean, ratio
from napari_gen2seg.metrics.click_protocol import WANTED, clicks_to
from napari_gen2seg.metrics.matching import AP_THRESHOLDS, SIZE_CLASSES, size_class

Facts = dict[str, Any]


def statistics_of(images: Sequence[Facts], cap: int) -> list[Statistic]:
    """Return every statistic that the images have facts for.

    Parameters
    ----------
    images
        As `study_image` returns them.
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
    clicked: list[list[Facts]] = [image["clicks"][rule] for image in images]
    found = []
    for where, words in (("centre", "center"), ("off_centre", "off-center")):
        ious = [[float(one[where]) for one in objects] for objects in clicked]
        found += _of_one_click(f"clicks/{rule}/{where}", words, rule, ious)
    center = [[float(one["centre"]) for one in objects] for objects in clicked]
    found += [
        object_mean(
            f"clicks/{rule}/centre_{round(100 * least)}",
            f"Share of objects with IoU from {least:.2f} after one click, rule {rule}",
            1,
            [[float(iou >= least) for iou in ious] for ious in center],
        )
        for least in (0.5, 0.75)
    ]
    found += _of_sizes(clicked, rule)
    if any("trace" in one for objects in clicked for one in objects):
        found += _of_corrections(clicked, rule, cap)
    return found


def _of_one_click(
    name: str, words: str, rule: str, ious: list[list[float]]
) -> list[Statistic]:
    means = [sum(image) / max(len(image), 1) for image in ious]
    return [
        object_mean(
            name, f"One {words} click, mean IoU over objects, rule {rule}", 1, ious
        ),
        Statistic(
            f"{name}_pictures",
            f"One {words} click, mean IoU over pictures, rule {rule}",
            1,
            ratio(means, [float(len(image) > 0) for image in ious]),
        ),
    ]


def _of_sizes(clicked: list[list[Facts]], rule: str) -> list[Statistic]:
    found = []
    for size in SIZE_CLASSES:
        chosen = [
            [float(one["centre"]) for one in objects if size_class(one["area"]) == size]
            for objects in clicked
        ]
        if any(chosen):
            found.append(
                object_mean(
                    f"clicks/{rule}/centre_{size}",
                    f"One center click, mean IoU of {size} objects, rule {rule}",
                    1,
                    chosen,
                )
            )
    return found


def _of_corrections(clicked: list[list[Facts]], rule: str, cap: int) -> list[Statistic]:
    found = []
    for wanted in WANTED:
        needed = [
            [clicks_to(one["trace"], wanted, cap) for one in objects]
            for objects in clicked
        ]
        digits = round(100 * wanted)
        found += [
            object_mean(
                f"clicks/{rule}/clicks_to_{digits}",
                f"Clicks to IoU {wanted:.2f} (cap {cap}), rule {rule}",
                -1,
                [[float(clicks) for clicks, _ in image] for image in needed],
            ),
            object_mean(
                f"clicks/{rule}/never_{digits}",
                f"Share of objects that never reach IoU {wanted:.2f}, rule {rule}",
                -1,
                [[float(not reached) for _, reached in image] for image in needed],
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
    """Return the ranking of all proposals, their images, and which are right."""
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
