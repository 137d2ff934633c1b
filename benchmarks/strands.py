"""What following strands does to clicks: with and without it, on the same maps.

    python benchmarks/strands.py [DATA] [--model mini]

Drawn scenes of ten kinds, of a seed that no training used (thin things, and bodies
that must stay what they are), and some pictures per kind of DATA. One centre click per
object.
"""

from __future__ import annotations

import argparse
import copy
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from breadth import scenes  # benchmarks/breadth.py
from changes import print_changes  # benchmarks/changes.py

from napari_gen2seg import load_model
from napari_gen2seg.core.coloring import Coloring
from napari_gen2seg.io.annotated import Annotated
from napari_gen2seg.metrics.click_protocol import interior_point, object_labels
from napari_gen2seg.metrics.matching import iou
from napari_gen2seg.train.data.image_folder import read_source

THIN = ["fibres", "cables", "branching", "hoops", "worms"]
BODIES = ["rods", "chains", "palisades", "creatures", "adherent cells", "piles"]


def main() -> None:
    """Print a table by kind."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, nargs="?")
    parser.add_argument("--model", default="mini")
    parser.add_argument(
        "--sources", nargs="+", default=["dsb2018", "usiigaci", "ampis_powder"]
    )
    parser.add_argument("--pictures", type=int, default=10, help="per kind")
    parser.add_argument("--first", type=int, default=0, help="scene to begin with")
    parser.add_argument("--most", type=int, default=8, help="objects per picture")
    chosen = parser.parse_args()
    model = load_model(chosen.model, device="cpu")
    rows: dict[str, list[tuple[float, float]]] = defaultdict(list)
    seconds: list[tuple[float, float]] = []
    for kind, picture in pictures(chosen):
        on = model.color(picture.image)
        # A map of its own for each way: a map remembers the masks of its last clicks.
        off = copy.copy(on)
        off.prober.strands = None
        for way in (on, off):
            way.prober.prepare()
        for number in object_labels(picture.labels, most=chosen.most):
            truth = picture.labels == number
            both = [click(way, truth) for way in (off, on)]
            rows[kind].append((both[0][0], both[1][0]))
            seconds.append((both[0][1], both[1][1]))
    print_changes(rows)
    took = 1000 * np.array(seconds)
    print(
        "ms for a click without and with: median {:.1f}, {:.1f}; "
        "one in ten above {:.1f}, {:.1f}".format(
            *np.median(took, 0), *np.quantile(took, 0.9, 0)
        )
    )


def pictures(chosen: argparse.Namespace) -> Iterator[tuple[str, Annotated]]:
    """Yield drawn scenes, then pictures, with their kinds."""
    for kind in THIN + BODIES:
        found = list(scenes(kind, chosen.first + chosen.pictures, 384))
        yield from ((kind, picture) for picture in found[chosen.first :])
    for source in chosen.sources if chosen.data else ():
        for kind, picture in pick(chosen.data / source, chosen.pictures, "train"):
            yield kind or source, picture


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


def click(coloring: Coloring, truth: np.ndarray) -> tuple[float, float]:
    """Return IoU and seconds of one center click."""
    begun = time.perf_counter()
    mask = coloring.probe([interior_point(truth)])
    took = time.perf_counter() - begun
    return iou(mask.full(), truth), took


if __name__ == "__main__":
    main()
