"""What an evaluation leaves behind: numbers as JSON, and a page to look at."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_gen2seg.common.atomic import writing
from napari_gen2seg.errors import DataError
from napari_gen2seg.metrics.bootstrap import Bootstrap
from napari_gen2seg.metrics.boundaries import curve
from napari_gen2seg.metrics.click_protocol import WANTED, clicks_to
from napari_gen2seg.workflows.evaluate.html_report import page
from napari_gen2seg.workflows.evaluate.settings import EvaluationSettings
from napari_gen2seg.workflows.evaluate.summary_measures import Facts, statistics_of

if TYPE_CHECKING:
    from napari_gen2seg.workflows.evaluate.worst_cases import WorstCase

FORMAT = "napari-gen2seg evaluation"
VERSION = 1


@dataclass(frozen=True, eq=False)
class Report:
    """Everything an evaluation found.

    The content holds no time and no path of the machine: the same model on the same
    data with the same settings and versions writes the same bytes.

    Attributes
    ----------
    content
        Plain values, as in the JSON: ``settings``, ``model``, ``data``, ``versions``,
        ``summary``, ``curves`` and ``images``.
    worst
        Worst objects first; not part of the JSON.
    """

    content: dict[str, Any]
    worst: tuple[WorstCase, ...] = ()

    @property
    def summary(self) -> dict[str, dict[str, Any]]:
        """``{"clicks/distance/center": {"value", "low", "high", ...}, ...}``."""
        return dict(self.content["summary"])

    @property
    def images(self) -> list[Facts]:
        """One entry an image."""
        return list(self.content["images"])

    def value(self, name: str) -> float:
        """Return one number of the summary, NaN where it could not be measured.

        Raises
        ------
        DataError
            If the report has no such number.
        """
        if name not in self.summary:
            raise DataError(
                f"The report has no {name!r}; it has {', '.join(self.summary)}."
            )
        value = self.summary[name]["value"]
        return math.nan if value is None else float(value)

    def to_json(self) -> str:
        """Return the content as text."""
        return json.dumps(self.content, indent=1, sort_keys=True, allow_nan=False)

    def save_json(self, path: str | Path) -> None:
        """Write the content.

        Raises
        ------
        StorageError
            If it cannot be written.
        """
        with writing(path) as draft:
            draft.write_text(self.to_json() + "\n", encoding="utf-8")

    def save_html(self, path: str | Path) -> None:
        """Write a page that needs no other file and no network.

        Raises
        ------
        StorageError
            If it cannot be written.
        """
        with writing(path) as draft:
            draft.write_text(page(self.content, self.worst), encoding="utf-8")

    @classmethod
    def load(cls, path: str | Path) -> Report:
        """Read what `save_json` wrote (without the images of the worst cases).

        Raises
        ------
        DataError
            If it cannot be read, or is something else.
        """
        try:
            content = json.loads(Path(path).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise DataError(
                f"{path} could not be read ({error}); it must be a report that "
                "`napari-gen2seg evaluate --json` wrote."
            ) from error
        if not isinstance(content, dict) or content.get("format") != FORMAT:
            raise DataError(
                f"{path} is no evaluation report; it must be one that "
                "`napari-gen2seg evaluate --json` wrote."
            )
        if content.get("version") != VERSION:
            raise DataError(
                f"{path} has the format version {content.get('version')}; this program "
                f"reads version {VERSION}. Evaluate again."
            )
        return cls(content)


def make_report(
    images: list[Facts],
    settings: EvaluationSettings,
    model: Facts,
    data: Facts,
    worst: Sequence[WorstCase] = (),
) -> Report:
    """Sum up the images.

    Parameters
    ----------
    images
        As `study_image` returns them.
    settings, model, data
        What was done, with what, on what.
    worst
        For the page.
    """
    return Report(
        {
            "format": FORMAT,
            "version": VERSION,
            "settings": settings.facts(),
            "model": model,
            "data": data,
            "versions": versions(),
            "summary": summary(images, settings),
            "curves": curves(images, settings),
            "images": images,
        },
        tuple(worst),
    )


def summary(images: list[Facts], settings: EvaluationSettings) -> Facts:
    """Return every number with its bootstrap interval."""
    bootstrap = Bootstrap(len(images), settings.resamples, settings.seed)
    once = np.ones((1, len(images)))
    found: Facts = {}
    for statistic in statistics_of(images, settings.cap):
        low, high = bootstrap.interval(statistic, settings.confidence)
        found[statistic.name] = {
            "title": statistic.title,
            "better": statistic.better,
            "value": plain(float(statistic.value(once)[0])),
            "low": plain(low),
            "high": plain(high),
            "drawn": bootstrap.drawn(statistic),
        }
    return found


def curves(images: list[Facts], settings: EvaluationSettings) -> Facts:
    """Return what the page draws: shares, clicks, precision and recall."""
    found: Facts = {}
    for rule in images[0].get("clicks", {}):
        objects = [one for image in images for one in image["clicks"][rule]]
        if objects:
            found |= _click_curves(objects, rule, settings.cap)
    if "edges" in images[0]:
        names = ("found", "found_hits", "truth", "truth_hits")
        sums = [np.sum([i["edges"][name] for i in images], axis=0) for name in names]
        found["edge_precision"], found["edge_recall"] = map(_column, curve(*sums))
    return found


def _click_curves(objects: list[Facts], rule: str, cap: int) -> Facts:
    """Return the curves of clicks by one rule, of all objects together."""
    center = np.array([one["centre"] for one in objects])
    places = np.arange(21) / 20
    found: Facts = {f"share_{rule}": _column((center[:, None] >= places).mean(0))}
    traces = [one["trace"] for one in objects if "trace" in one]
    if not traces:
        return found
    clicks = np.arange(1, cap + 1)
    best = [[_best(trace, n) for n in range(1, cap + 1)] for trace in traces]
    found[f"iou_{rule}"] = _column(np.mean(best, axis=0))
    for wanted in WANTED:
        needed = [clicks_to(trace, wanted, cap) for trace in traces]
        # Who never reaches it needs more clicks than there are.
        last = np.array([number if reached else cap + 1 for number, reached in needed])
        shares = (last[:, None] <= clicks).mean(0)
        found[f"reached_{round(100 * wanted)}_{rule}"] = _column(shares)
    return found


def _column(values: npt.NDArray[np.floating]) -> list[float | None]:
    return [plain(float(value)) for value in values]


def plain(value: float) -> float | None:
    """Return a number as JSON knows it: six decimals, None for none."""
    return round(value, 6) if math.isfinite(value) else None


def versions() -> dict[str, str]:
    """Return the versions of what can change a number."""
    import platform
    from importlib import metadata

    found = {"python": platform.python_version(), "machine": platform.machine()}
    for name in (
        "napari-gen2seg",
        "numpy",
        "scipy",
        "scikit-image",
        "torch",
        "diffusers",
    ):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found


def _best(trace: Sequence[float], clicks: int) -> float:
    """Return the IoU after so many clicks; who stopped early keeps what they had."""
    return float(trace[min(clicks, len(trace)) - 1])
