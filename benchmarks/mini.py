"""The model that ships on every set of annotated images, beside what it must beat.

    python benchmarks/mini.py DATA --model mini PATH [--images 6] [--objects 10]
        [--probe mini]

DATA holds folders with ``images/``, ``labels/``, optionally ``split.json`` and
``manifest.json``, itself or one level down (``more/``); of each the validation images
are clicked, by the one protocol (`metrics.click_protocol`): in the middle of an object,
beside it, and at pixels scattered over all of it, as a pointer comes by. Similarity
answers; with ``--probe`` that learned probe, too, on the same maps. ``otsu`` is Otsu's
threshold and a watershed, clicked: no weights. ``--images`` and ``--objects``
take so many per set and image, for a first look in minutes.

One row a set and method: objects; mean IoU of one click in the middle with its 95 %
bootstrap interval, beside the middle, and of scattered ones; the share of scattered
clicks that give a mask of IoU 0.7 and more; AP at 0.5 of the objects found without a
click (only where all objects are marked); processor time an image. Then by size, and
the processor time of a first click.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch
from rivals import Otsu  # benchmarks/rivals.py

from napari_gen2seg import Probe, load_model, load_probe
from napari_gen2seg.core.proposal_settings import ProposalSettings
from napari_gen2seg.io.annotated import Annotated
from napari_gen2seg.metrics.bootstrap import Bootstrap, object_mean
from napari_gen2seg.metrics.click_protocol import (
    Answer,
    answerer,
    click_seed,
    interior_point,
    object_labels,
    off_center,
)
from napari_gen2seg.metrics.matching import (
    SIZE_CLASSES,
    iou,
    match,
    overlaps,
    size_class,
)
from napari_gen2seg.models.colorer import Colorer
from napari_gen2seg.train.data.image_folder import is_complete, read_source

GOOD = 0.7
SCATTERED = 3
NEVER_TRAINED = ("ampis_powder",)


@dataclass
class Clicked:
    """What one object gave."""

    area: int
    center: float
    off_center: float
    scattered: list[float]


@dataclass
class Row:
    """What one method gave on one set."""

    images: list[list[Clicked]] = field(default_factory=list)
    hits: int = 0
    others: int = 0
    seconds: list[float] = field(default_factory=list)
    clicks: list[float] = field(default_factory=list)

    def line(self, complete: bool) -> str:
        """Return the row for people."""
        every = [one for image in self.images for one in image]
        if not every:
            return "no objects"
        low, high = self.interval()
        scattered = np.concatenate([one.scattered for one in every])
        ap = (
            f"{self.hits / max(self.hits + self.others, 1):.2f}" if complete else "   -"
        )
        return (
            f"{len(every):5d}  {mean(every, 'center'):.3f} ({low:.2f}..{high:.2f})  "
            f"{mean(every, 'off_center'):.3f}  {scattered.mean():.3f}  "
            f"{(scattered >= GOOD).mean():.2f}  {ap}  {np.mean(self.seconds):.2f} s"
        )

    def interval(self) -> tuple[float, float]:
        """Return the bootstrap interval of clicks in the middle."""
        values = [[one.center for one in image] for image in self.images]
        statistic = object_mean("center", "one click", 1, values)
        return Bootstrap(len(values)).interval(statistic)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--model", nargs="+", default=["mini"])
    parser.add_argument("--probe", help="learned, on the first model: name or folder")
    parser.add_argument("--sources", nargs="+", help="folders in DATA; all without")
    parser.add_argument("--images", type=int, help="at most so many per set")
    parser.add_argument("--objects", type=int, default=40, help="per image")
    parser.add_argument("--part", default="val", help="of split.json")
    parser.add_argument("--no-otsu", action="store_true")
    parser.add_argument("--json", type=Path, help="write every object")
    chosen = parser.parse_args()
    torch.set_num_threads(1)  # time of one core
    models = {name: load_model(name, "cpu") for name in chosen.model}
    methods: dict[str, Callable[[Annotated], tuple[Answer, np.ndarray]]] = {
        name: painter(model) for name, model in models.items()
    }
    if chosen.probe:
        first = chosen.model[0]
        methods[f"{first} +learned"] = painter(models[first], load_probe(chosen.probe))
    if not chosen.no_otsu:
        methods["otsu"] = thresholded
    rows: dict[str, dict[str, Row]] = {}
    for source in chosen.sources or sets(chosen.data):
        folder = chosen.data / source
        images = read_source(folder, chosen.part)
        if chosen.images:
            images = images[:: -(-len(images) // chosen.images)]
        told = ", never trained on" if source in NEVER_TRAINED else ""
        out(f"\n{source}: {len(images)} images{told}")
        out("objects  middle (95 %)      beside scattered good  AP    time")
        for name, make in methods.items():
            row = rows.setdefault(source, {})[name] = Row()
            for image in images:
                click(row, image, make, chosen.objects, chosen.part)
            out(f"  {row.line(is_complete(folder))}  {name}")
    totals(rows, list(methods))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    out(f"\nPeak memory of all of it {peak:.2f} GB.")
    if chosen.json:
        told_rows = {s: {m: asdict(r) for m, r in t.items()} for s, t in rows.items()}
        chosen.json.write_text(json.dumps(told_rows), encoding="utf-8")


def sets(data: Path) -> list[str]:
    """Return the folders of annotated images that have a part held back."""
    found = []
    for labels in sorted([*data.glob("*/labels"), *data.glob("*/*/labels")]):
        folder = labels.parent
        split = folder / "split.json"
        held = split.is_file() and json.loads(split.read_text()).get("val")
        if held or folder.name in NEVER_TRAINED:
            found.append(str(folder.relative_to(data)))
    return found


def painter(
    model: Colorer, probe: Probe | None = None
) -> Callable[[Annotated], tuple[Answer, np.ndarray]]:
    """Return what makes clicks and objects of an image's map."""

    def make(image: Annotated) -> tuple[Answer, np.ndarray]:
        coloring = model.color(image.image)
        return answerer(coloring, probe=probe), coloring.propose(ProposalSettings())

    return make


def thresholded(image: Annotated) -> tuple[Answer, np.ndarray]:
    """Make clicks and objects without weights."""
    found = Otsu(image)
    return found, found.labels


def click(
    row: Row,
    image: Annotated,
    make: Callable[[Annotated], tuple[Answer, np.ndarray]],
    most: int,
    part: str,
) -> None:
    """Click through one image with one method."""
    begun = time.process_time()
    answer, found = make(image)
    row.seconds.append(time.process_time() - begun)
    table = overlaps(np.maximum(image.labels, 0), found.astype(np.int32)).table
    hits = len(match(table))
    row.hits += hits
    row.others += sum(table.shape) - 2 * hits
    clicked = []
    for number in object_labels(image.labels, most=most):
        truth = image.labels == number
        seed = click_seed(image.name, number)
        pixels = np.argwhere(truth)
        some = np.random.default_rng(seed).integers(len(pixels), size=SCATTERED)
        points = [interior_point(truth), off_center(truth, seed)]
        points += [(int(r), int(c)) for r, c in pixels[some]]
        begun = time.process_time()
        first = answer(points[:1], [1])
        row.clicks.append(time.process_time() - begun)
        rest = [answer([point], [1]) for point in points[1:]]
        ious = [iou(mask, truth) for mask in (first, *rest)]
        clicked.append(Clicked(len(pixels), ious[0], ious[1], ious[2:]))
    row.images.append(clicked)


def totals(rows: dict[str, dict[str, Row]], methods: list[str]) -> None:
    """Print means over sets, each counting the same, and by size of the objects."""
    out("\nMean over sets: middle, beside, scattered; then middle by size")
    for name in methods:
        kinds = [[o for i in t[name].images for o in i] for t in rows.values()]
        kinds = [kind for kind in kinds if kind]
        means = [
            np.mean([mean(kind, value) for kind in kinds])
            for value in ("center", "off_center", "scattered")
        ]
        every = [one for kind in kinds for one in kind]
        parts = []
        for size in SIZE_CLASSES:
            some = [one for one in every if size_class(one.area) == size]
            if some:
                parts.append(f"{size} {mean(some, 'center'):.3f} ({len(some)})")
        out(f"  {' '.join(f'{m:.3f}' for m in means)}  {', '.join(parts)}  {name}")
        took = 1e3 * np.concatenate([t[name].clicks for t in rows.values()])
        low, high = np.percentile(took, (50, 90))
        out(f"    a first click: median {low:.0f} ms, one in ten above {high:.0f} ms")


def mean(objects: list[Clicked], value: str) -> float:
    """Return the mean of a field over objects."""
    return float(np.mean([np.mean(getattr(one, value)) for one in objects]))


def out(text: str) -> None:
    """Write a line."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
