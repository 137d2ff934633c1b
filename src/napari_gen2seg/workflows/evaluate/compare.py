"""Two reports on the same data: is one better?"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from napari_gen2seg.errors import DataError
from napari_gen2seg.metrics.bootstrap import Bootstrap, Drawn, Verdict, verdict
from napari_gen2seg.workflows.evaluate.report import Report, plain
from napari_gen2seg.workflows.evaluate.summary_measures import Facts, statistics_of


@dataclass(frozen=True)
class Difference:
    """One number of two reports.

    Attributes
    ----------
    name, title
        As in the reports' summaries.
    first, second
        The two values; None where there was nothing to measure.
    difference, low, high
        Second minus first, with its bootstrap interval over the same draws.
    verdict
        Of the second: ``"better"`` or ``"worse"`` if the interval leaves out 0.
    drawn
        ``"images"``, or, where there are few, ``"objects"``; None without an interval.
    """

    name: str
    title: str
    first: float | None
    second: float | None
    difference: float | None
    low: float | None
    high: float | None
    verdict: Verdict
    drawn: Drawn | None = None


@dataclass(frozen=True)
class Comparison:
    """Every number that two reports share, pair by pair.

    Attributes
    ----------
    first, second
        The models' names.
    data
        The data's name.
    pictures
        How many pictures both saw.
    confidence
        Of the intervals. Each number is judged alone: of twenty equal ones, one is
        expected to be called different at 0.95.
    differences
        In the order of the reports.
    """

    first: str
    second: str
    data: str
    pictures: int
    confidence: float
    differences: tuple[Difference, ...]

    def facts(self) -> Facts:
        """Return plain values."""
        return asdict(self)


def compare(first: Report | str | Path, second: Report | str | Path) -> Comparison:
    """Compare two reports on the same images and objects.

    Parameters
    ----------
    first, second
        Reports, or the JSON files of two.

    Returns
    -------
    Comparison
        The second against the first.

    Raises
    ------
    DataError
        If they are not about the same pictures and truth, or share no number.
    """
    one = first if isinstance(first, Report) else Report.load(first)
    two = second if isinstance(second, Report) else Report.load(second)
    _check(one, two)
    settings = one.content["settings"]
    pictures = len(one.images)
    bootstrap = Bootstrap(pictures, int(settings["resamples"]), int(settings["seed"]))
    once = np.ones((1, pictures))
    cap = int(settings["cap"])
    others = {s.name: s for s in statistics_of(two.images, cap)}
    found = []
    for mine in statistics_of(one.images, cap):
        other = others.get(mine.name)
        if other is None:
            continue
        low, high = bootstrap.gain(mine, other, float(settings["confidence"]))
        before, after = float(mine.value(once)[0]), float(other.value(once)[0])
        found.append(
            Difference(
                mine.name,
                mine.title,
                plain(before),
                plain(after),
                plain(after - before),
                plain(low),
                plain(high),
                verdict(low, high, mine.better),
                bootstrap.drawn(mine),
            )
        )
    if not found:
        raise DataError(
            "The reports share no number; evaluate both with the same protocol."
        )
    return Comparison(
        _name(one),
        _name(two),
        str(one.content["data"]["name"]),
        pictures,
        float(settings["confidence"]),
        tuple(found),
    )


def _name(report: Report) -> str:
    model = report.content["model"]
    return (
        f"{model['id']}@{model['revision']}" if model["revision"] else str(model["id"])
    )


def _check(one: Report, two: Report) -> None:
    """Refuse to compare what was not measured on the same things."""
    pairs = [
        ("pictures", _column(one, "name"), _column(two, "name")),
        ("truth", _column(one, "truth_key"), _column(two, "truth_key")),
        ("objects", _objects(one), _objects(two)),
    ]
    for what, before, after in pairs:
        if before != after:
            raise DataError(
                f"The reports differ in their {what}; two models can only be compared "
                "on the same data with the same settings. Evaluate both again."
            )
    both = [
        part
        for part in ("clicks", "edges")
        if all(part in report.images[0] for report in (one, two))
    ]
    mine, others = (_settings(report, both) for report in (one, two))
    for name in mine | others:
        if mine.get(name) != others.get(name):
            raise DataError(
                f"The reports were made with {name} {mine.get(name)} and "
                f"{others.get(name)}; they must be equal. Evaluate both with the same "
                "settings."
            )


def _settings(report: Report, parts: list[str]) -> Facts:
    """Return the settings that change a number of these parts, or its interval."""
    settings = report.content["settings"]
    names = ["cap", "resamples", "seed", "confidence"]
    if "edges" in parts:
        names += ["edge_levels", "edge_sigma", "edge_distance"]
    found = {name: settings.get(name) for name in names}
    if "clicks" in parts:
        # The rule is said by the name of each number.
        probe = settings.get("probe", {})
        found |= {f"probe {name}": probe[name] for name in probe if name != "rule"}
    return found


def _column(report: Report, name: str) -> list[Any]:
    return [image[name] for image in report.images]


def _objects(report: Report) -> list[Any]:
    """List the clicked objects of each image, the same for every rule."""
    return [
        [one["object"] for one in _first(image.get("clicks", {}).values())]
        for image in report.images
    ]


def _first(parts: Iterable[list[Facts]]) -> list[Facts]:
    return next(iter(parts), [])
