"""Objects found without a click: how many are right, and what choosing anew costs.

    python benchmarks/propose.py DATA [--sets dsb2018/fluorescence usiigaci ...]
    python benchmarks/propose.py

With DATA, folders with ``images/``, ``labels/`` and optionally ``split.json`` (the
validation part is taken; after a slash comes a kind of ``manifest.json``): every model
of ``--model`` with the settings that ship (with ``--alone`` also in the outlines that
the map has, before the learned probe), and Otsu's threshold with a watershed; with
``--unet`` the net of ``unet_rival.py``, told the size of the objects. One row each:
average precision hits / (hits + missed + added) at an IoU of 0.5 and of 0.75, panoptic
quality, mean IoU of the matched; objects missed, added, split (two and more of what was
found make up one) and merged (one covers two and more), as shares of the true ones;
processor time an image for map and candidates.

Without DATA, drawn maps: candidates once, selected and painted many times, beside
probing everything again as `Coloring.propose` does.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import drawn_maps

from napari_gen2seg.core.candidates import paint, select
from napari_gen2seg.core.coloring import Coloring
from napari_gen2seg.core.proposal_settings import ProposalSettings
from napari_gen2seg.io.annotated import Annotated
from napari_gen2seg.metrics.matching import match, mostly_unknown, overlaps

SETS = (
    "dsb2018/fluorescence",
    "dsb2018",
    "usiigaci",
    "ampis_powder",
    "granular",
    "embryos",
    "nanoshapes",
    "mushrooms",
    "bolts",
)
"""Sets of which every object is marked."""

COVERED = 0.5
"""Share of an object that counts as covered."""

Labels = np.ndarray


@dataclass
class Tally:
    """What one way found on one set."""

    true: int = 0
    found: int = 0
    ious: list[float] = field(default_factory=list)
    close: int = 0
    split: int = 0
    merged: int = 0
    seconds: list[float] = field(default_factory=list)

    def add(self, truth: Labels, found: Labels) -> None:
        """Count one image."""
        compared = overlaps(truth, found)
        pairs = match(compared.table)
        self.true += len(compared.ground_truth)
        self.found += len(compared.found)
        self.ious += [float(compared.table[pair]) for pair in pairs]
        self.close += len(match(compared.table, 0.75))
        both = np.histogram2d(
            truth.ravel(),
            found.ravel(),
            [
                [*compared.ground_truth, compared.ground_truth.max(initial=0) + 1],
                [*compared.found, compared.found.max(initial=0) + 1],
            ],
        )[0]
        of_true = both / np.maximum(areas_of(truth, compared.ground_truth), 1)[:, None]
        of_found = both / np.maximum(areas_of(found, compared.found), 1)[None]
        self.merged += int((of_true[:, (of_true > COVERED).sum(0) > 1] > COVERED).sum())
        self.split += int(((of_found > COVERED).sum(1) > 1).sum())

    def line(self) -> str:
        """Return the row for people."""
        hits = len(self.ious)
        every = max(self.true, 1)

        def precision(right: int) -> float:
            return right / max(self.true + self.found - right, 1)

        quality = 2 * sum(self.ious) / max(self.true + self.found, 1)
        return (
            f"{self.true:6d}  {precision(hits):.3f}  {precision(self.close):.3f}  "
            f"{quality:.3f}  {np.mean(self.ious or [0]):.3f}  "
            f"{(self.true - hits) / every:6.2f} {(self.found - hits) / every:6.2f} "
            f"{self.split / every:6.2f} {self.merged / every:6.2f}  "
            f"{np.mean(self.seconds):.2f} s"
        )


def areas_of(labels: Labels, numbers: Labels) -> Labels:
    """Return the area of every object."""
    return np.bincount(labels.ravel(), minlength=1)[numbers]


Way = Callable[[Annotated], tuple[Labels, float]]


def found_by_model(name: str, alone: bool) -> dict[str, Way]:
    """Return a model's ways to find objects, by name."""
    from napari_gen2seg import load_model
    from napari_gen2seg.models.probes import propose

    model = load_model(name, "cpu")
    last: dict[str, Any] = {}

    def mapped(image: Annotated) -> tuple[Coloring, float]:
        if last.get("image") is not image:
            begun = time.process_time()
            coloring = model.color(image.image)
            last.update(image=image, kept=(coloring, time.process_time() - begun))
        return last["kept"]

    def found(image: Annotated, method: str | None = None) -> tuple[Labels, float]:
        coloring, took = mapped(image)
        begun = time.process_time()
        labels = propose(coloring, method=method)
        return labels, took + time.process_time() - begun

    ways: dict[str, Way] = {name: found}
    if alone:
        ways[f"{name}, map alone"] = partial(found, method="similarity")
    return ways


def by_threshold(image: Annotated) -> tuple[Labels, float]:
    """Find objects without weights."""
    from benchmarks.rivals import Otsu

    begun = time.process_time()
    labels = Otsu(image).labels
    return labels, time.process_time() - begun


def found_by_unet(path: Path) -> dict[str, Way]:
    """Return the way of a U-Net trained on the same images, by name."""
    from benchmarks.unet_rival import Rival

    rival = Rival(path)

    def found(image: Annotated) -> tuple[Labels, float]:
        begun = time.process_time()
        labels = rival(image)
        return labels, time.process_time() - begun

    return {f"U-Net, {rival.minutes:.0f} min": found}


def measure_real(chosen: argparse.Namespace) -> None:
    """Print the tables of annotated images."""
    import torch
    from benchmarks.corrections import pick

    torch.set_num_threads(1)
    ways: dict[str, Way] = {}
    for name in chosen.model:
        ways.update(found_by_model(name, chosen.alone))
    ways["Otsu + watershed"] = by_threshold
    if chosen.unet:
        ways.update(found_by_unet(chosen.unet))
    for name in chosen.sets:
        images = pick(chosen.data, name, chosen.images)
        out(f"\n{name}: {len(images)} images")
        out("  true  AP0.5  AP0.75    PQ    IoU  missed  added  split merged  time")
        for way, find in ways.items():
            tally = Tally()
            for image in images:
                labels, took = find(image)
                for lost in mostly_unknown(labels, image.labels < 0):
                    labels = np.where(labels == lost, 0, labels)
                tally.add(np.maximum(image.labels, 0), labels)
                tally.seconds.append(took)
            out(f"{tally.line()}  {way}")


def timed(function: Callable[[], Any]) -> tuple[float, Any]:
    """Return how many milliseconds a call took, and its result."""
    start = time.perf_counter()
    result = function()
    return (time.perf_counter() - start) * 1e3, result


def measure(size: int, objects: int) -> dict[str, Any]:
    """Time both ways on one map of ``size`` squared."""
    labels = drawn_maps.blobs(size, objects, size)
    coloring = Coloring.from_array(drawn_maps.paint(labels, size))
    settings = [ProposalSettings(min_score=score / 20) for score in range(10)]
    once, candidates = timed(coloring.candidates)
    again = [
        timed(lambda s=s: paint(candidates, select(candidates, s))) for s in settings
    ]
    old, expected = timed(lambda: coloring.propose(settings[3]))
    return {
        "size": size,
        "candidates": len(candidates),
        "candidates_ms": round(once),
        "select_and_paint_ms": round(float(np.median([took for took, _ in again])), 2),
        "select_and_paint_first_ms": round(again[0][0], 2),
        "propose_ms": round(old),
        "equal": bool(np.array_equal(again[3][1], expected)),
    }


def out(text: str) -> None:
    """Print a line at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main() -> None:
    """Print the tables, or one JSON object per size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, nargs="?")
    parser.add_argument("--sets", nargs="+", default=SETS)
    parser.add_argument("--model", nargs="+", default=["mini"])
    parser.add_argument("--alone", action="store_true", help="the map alone, too")
    parser.add_argument("--unet", type=Path, help="weights by unet_rival.py")
    parser.add_argument("--images", type=int, default=6, help="per set")
    parser.add_argument("--sizes", type=int, nargs="+", default=[512, 1024, 2048])
    parser.add_argument("--objects", type=int, default=300)
    chosen = parser.parse_args()
    machine = (
        f"{platform.machine()} {platform.system()} python {platform.python_version()}"
    )
    out(json.dumps({"machine": machine, "numpy": np.__version__}))
    if chosen.data:
        measure_real(chosen)
        return
    for size in chosen.sizes:
        out(json.dumps(measure(size, chosen.objects)))


if __name__ == "__main__":
    main()
