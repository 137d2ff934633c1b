"""What parting at necks does to clicks: with and without it, on the same maps.

    python benchmarks/necks.py DATA [--model mini] [--split val --pictures 24]

Every object of some pictures per kind is clicked at its centre and once off it. Masks
are compared with the labels at the size of the map, brightness left out, so that only
the necks differ. The constants were chosen on training pictures.
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from pathlib import Path

import numpy as np
from changes import print_changes  # benchmarks/changes.py
from PIL import Image

import napari_gen2seg.core.probe.distance_rule as rule
from napari_gen2seg import load_model
from napari_gen2seg.core.coloring import Coloring
from napari_gen2seg.core.probe.prober import ProbeSettings
from napari_gen2seg.io.annotated import Annotated
from napari_gen2seg.metrics.click_protocol import (
    answerer,
    click_seed,
    interior_point,
    off_center,
)
from napari_gen2seg.metrics.matching import iou
from napari_gen2seg.train.data.image_folder import read_source

OBJECTS = 12  # per picture
LEAST = 12  # map pixels; smaller objects are left

part = rule.part_at_necks
seconds: list[float] = []


def timed(mask, *rest):  # type: ignore[no-untyped-def]
    """Part, and note how long it took."""
    begun = time.perf_counter()
    parted = part(mask, *rest)
    seconds.append(time.perf_counter() - begun)
    return parted


def main() -> None:
    """Print a table by kind."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--model", default="mini")
    parser.add_argument(
        "--sources", nargs="+", default=["dsb2018", "usiigaci", "ampis_powder"]
    )
    parser.add_argument("--split", default="train", choices=("train", "val"))
    parser.add_argument("--pictures", type=int, default=14, help="per kind")
    chosen = parser.parse_args()
    model = load_model(chosen.model, device="cpu")
    ious: dict[str, list[tuple[float, float]]] = defaultdict(list)
    rng = np.random.default_rng(0)
    pictures = 0
    for source in chosen.sources:
        for kind, picture in pick(chosen.data / source, chosen.pictures, chosen.split):
            ious[kind or source] += compare(model.color(picture.image), picture, rng)
            pictures += 1
    ious["all"] = [pair for pairs in ious.values() for pair in pairs]
    print_changes(ious)
    took = 1000 * np.array(seconds)
    print(
        f"{pictures} pictures; {np.median(took):.2f} ms at the median, "
        f"{np.quantile(took, 0.9):.2f} for one mask in ten"
    )


def pick(folder: Path, most: int, split: str) -> list[tuple[str | None, Annotated]]:
    """Choose pictures of every kind, evenly; of test-only sources, those there are."""
    pictures = read_source(folder, split) or read_source(folder, "val")
    kinds: dict[str | None, list[Annotated]] = defaultdict(list)
    for picture in pictures:
        kinds[picture.kind].append(picture)
    return [
        (kind, found[i])
        for kind, found in kinds.items()
        for i in np.linspace(0, len(found) - 1, min(most, len(found))).astype(int)
    ]


def compare(
    coloring: Coloring, picture: Annotated, rng: np.random.Generator
) -> list[tuple[float, float]]:
    """Return IoU without and with necks, two clicks per object."""
    height, width = coloring.shape
    labels = np.asarray(
        Image.fromarray(picture.labels).resize(
            (width, height), Image.Resampling.NEAREST
        )
    )
    # A map of its own for each way: a map remembers the mask of its last clicks.
    settings = ProbeSettings(brightness=False)
    answers = [
        answerer(Coloring.from_array(coloring.values), settings) for _ in range(2)
    ]
    numbers, counts = np.unique(labels, return_counts=True)
    numbers = rng.permutation(numbers[(numbers > 0) & (counts > LEAST)])[:OBJECTS]
    pairs = []
    for number in numbers:
        truth = labels == number
        for point in (interior_point(truth), off_center(truth, click_seed("", number))):
            both = []
            ways = (lambda mask, *_: mask), timed
            for rule.part_at_necks, answer in zip(ways, answers, strict=True):
                both.append(iou(answer([point], [1]), truth))
            pairs.append((both[0], both[1]))
    return pairs


if __name__ == "__main__":
    main()
