"""Corrections, simulated: how good a mask is after 1, 2, ... 5 clicks, and worse.

    python benchmarks/corrections.py DATA [--sets dsb2018/fluorescence usiigaci ...]

DATA holds folders with ``images/``, ``labels/`` and optionally ``split.json``, of which
the validation part is taken; after a slash comes a kind of ``manifest.json``. The
first click is in the middle of the object (``middle``) or anywhere in its inner half
(``scattered``), each further one in the middle of the largest wrong piece or anywhere
in it: `napari_gen2seg.metrics.click_protocol`, as everywhere.

Printed for every set, every way to answer clicks and every way to click: mean IoU after
1 to 5 clicks, clicks to an IoU of 0.85 and 0.90 (cap 20, which counts where it is never
reached), the share of objects whose mask was above four times the object after the
first click, and was made so by a later one, and the mean change of IoU by one click to
a mask that was at 0.85 or above. Maps are made
once and kept in ``--cache``, so that two versions of the program are compared on the
same maps. ``--answerers similarity learned`` adds the learned probe to the table.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np

from napari_gen2seg.core.coloring import Coloring
from napari_gen2seg.io.annotated import Annotated
from napari_gen2seg.metrics.click_protocol import (
    CAP,
    WANTED,
    Answer,
    ClickStep,
    answerer,
    click_seed,
    click_steps,
    clicks_to,
    object_labels,
)
from napari_gen2seg.train.data.image_folder import read_source

SHOWN = 5
"""Clicks after which the mean IoU is printed."""

FLOOD = 4.0
"""Times the object above which a mask has run away."""

GOOD = 0.85
"""IoU from which on a click must not do harm."""

SETS = ("dsb2018/fluorescence", "usiigaci", "ampis_powder")

ANSWERERS = ("similarity", "learned")
"""Ways to answer clicks on a map, by the name in the table."""

Trace = list[ClickStep]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--sets", nargs="+", default=SETS)
    parser.add_argument("--model", default="mini")
    parser.add_argument(
        "--answerers", nargs="+", default=[ANSWERERS[0]], choices=ANSWERERS
    )
    parser.add_argument("--probe", default="mini", help="learned: its name or folder")
    parser.add_argument("--images", type=int, default=3, help="per set")
    parser.add_argument("--most", type=int, default=6, help="objects per image")
    parser.add_argument("--cap", type=int, default=CAP)
    parser.add_argument("--cache", type=Path, help="folder for the maps")
    parser.add_argument("--json", type=Path, help="write every click here")
    chosen = parser.parse_args()
    make = Maps(chosen.model, chosen.cache)
    everything: dict[str, list[Trace]] = {}
    out(HEAD)
    for name in chosen.sets:
        images = pick(chosen.data, name, chosen.images)
        for way in chosen.answerers:
            for scattered in (False, True):
                begun = time.perf_counter()
                traces = [
                    trace
                    for image in images
                    for trace in run(
                        answer_of(way, make(name, image), chosen.probe),
                        image,
                        scattered,
                        chosen,
                    )
                ]
                row = f"{name} {way} {'scattered' if scattered else 'middle'}"
                everything[row] = traces
                out(line(row, traces, chosen.cap, time.perf_counter() - begun))
    if chosen.json:
        rows = {
            row: [[vars(step) for step in trace] for trace in traces]
            for row, traces in everything.items()
        }
        chosen.json.write_text(json.dumps(rows))


def answer_of(way: str, coloring: Coloring, probe: str) -> Answer:
    """Return a way to answer clicks on a map."""
    if way == "similarity":
        return answerer(coloring)
    from napari_gen2seg import load_probe

    learned = load_probe(probe)
    return lambda points, signs: learned.mask(coloring, points, signs).full()


class Maps:
    """Makes the maps of images, or takes them from a folder."""

    def __init__(self, model: str, folder: Path | None) -> None:
        self._model, self._folder = model, folder
        self._colorer = None
        self._made: dict[tuple[str, str], Coloring] = {}

    def __call__(self, source: str, image: Annotated) -> Coloring:
        """Return the map of an image."""
        key = (source, image.name)
        if key not in self._made:
            self._made[key] = self._found(source, image)
        return self._made[key]

    def _found(self, source: str, image: Annotated) -> Coloring:
        path = None
        if self._folder is not None:
            model = self._model.replace("/", "_")
            name = f"{model}-{source.replace('/', '-')}-{image.name}.tif"
            path = self._folder / name
            if path.is_file():
                return Coloring.load(path)
        if self._colorer is None:
            from napari_gen2seg import load_model

            self._colorer = load_model(self._model)
        coloring = self._colorer.color(image.image)
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            coloring.save(path)
        return coloring


def pick(data: Path, name: str, count: int) -> list[Annotated]:
    """Return so many images of a set, evenly over its validation part."""
    folder, _, kind = name.partition("/")
    if not (data / folder).is_dir() and (data / "more" / folder).is_dir():
        folder = f"more/{folder}"
    images = [
        image
        for image in read_source(data / folder, "val")
        if not kind or image.kind == kind
    ]
    places = np.unique(np.linspace(0, len(images) - 1, count).round().astype(int))
    return [images[place] for place in places]


def run(
    answer: Answer, image: Annotated, scattered: bool, chosen: argparse.Namespace
) -> list[Trace]:
    """Correct the objects of one image."""
    return [
        _with_areas(
            click_steps(
                answer,
                image.labels == number,
                until=max(WANTED),
                cap=chosen.cap,
                least=SHOWN,
                seed=click_seed(image.name, number) if scattered else None,
            ),
            int(np.count_nonzero(image.labels == number)),
        )
        for number in object_labels(image.labels, most=chosen.most)
    ]


def _with_areas(steps: Iterable[ClickStep], area: int) -> Trace:
    """Return the steps with areas as multiples of the object's."""
    return [replace(step, area=step.area / area) for step in steps]


def _grown(trace: Trace) -> Trace:
    """Return the masks that a correcting click made larger."""
    return [b for a, b in itertools.pairwise(trace) if b.area > a.area]


HEAD = (
    f"{'set, answerer, clicks':44s} objects | IoU after 1 to {SHOWN} clicks{'':8s} "
    f"| to 0.85   0.90 | above x{FLOOD:.0f} at 1, later | change at {GOOD}"
)


def line(row: str, traces: list[Trace], cap: int, seconds: float) -> str:
    """Return one row of the table."""
    overlaps = [[step.iou for step in trace] for trace in traces]
    after = [
        np.mean([trace[min(click, len(trace) - 1)] for trace in overlaps])
        for click in range(SHOWN)
    ]
    counts = [
        np.mean([clicks_to(trace, wanted, cap)[0] for trace in overlaps])
        for wanted in WANTED
    ]
    floods = [
        np.mean([any(step.area > FLOOD for step in part) for part in parts])
        for parts in ([t[:1] for t in traces], [_grown(t) for t in traces])
    ]
    changes = [
        b - a for trace in overlaps for a, b in itertools.pairwise(trace) if a >= GOOD
    ]
    change = f"{np.mean(changes):+.4f} (n={len(changes)})" if changes else "none"
    means = " ".join(f"{mean:.3f}" for mean in after)
    return (
        f"{row:44s} {len(traces):7d} | {means:30s} | {counts[0]:6.1f} {counts[1]:6.1f} "
        f"| {floods[0]:5.2f} {floods[1]:5.2f} | {change} ({seconds:.0f} s)"
    )


def out(text: str) -> None:
    """Write a line at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
