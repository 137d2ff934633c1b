"""One-click quality on annotated pictures, beside classical rivals in the same run.

    python benchmarks/click_quality.py DATA [--model mini] [--most 40] [--clicks]

DATA holds folders with ``images/``, ``labels/`` and optionally ``split.json``. Rivals
get the same clicks: plain colour distance on the raw picture with the same probe
(``wand``), the wand with the fixed tolerance that the truth says is best per object
(``oracle``), Otsu + distance-transform watershed (``otsu``), and scikit-image's random
walker (``walker``). ``flips`` is the model, seeing mirror images too, whose maps are
stacked as further colour channels.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
from clicks import click_labels, summary, touching_score  # benchmarks/clicks.py
from rivals import Oracle, Otsu, RandomWalker, Wand  # benchmarks/rivals.py

from napari_gen2seg.core.coloring import Coloring
from napari_gen2seg.core.probe.settings import ProbeSettings
from napari_gen2seg.io.annotated import Annotated
from napari_gen2seg.metrics.click_protocol import (
    ObjectClicks,
    answerer,
    interior_point,
)
from napari_gen2seg.models.colorer import Colorer
from napari_gen2seg.train.data.image_folder import read_source

BINS = (0, 200, 800, 3200, 1 << 30)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--sources", nargs="+", default=["dsb2018", "usiigaci"])
    parser.add_argument("--model", default="mini")
    parser.add_argument("--methods", nargs="+", default=["model", "wand", "otsu"])
    parser.add_argument("--resolution", type=int, help="override the resolution rule")
    parser.add_argument("--kind", nargs="+", help="of the manifest; others are left")
    parser.add_argument("--pictures", type=int, help="at most this many per source")
    parser.add_argument("--most", type=int, default=40, help="objects per picture")
    parser.add_argument("--clicks", action="store_true", help="count clicks to 0.85")
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args()
    warnings.filterwarnings("ignore", category=FutureWarning)
    rows: dict[str, dict[str, list[ObjectClicks]]] = {}
    touching: dict[str, list[int]] = {}
    for source in chosen.sources:
        pictures = [
            picture
            for picture in read_source(chosen.data / source, "val")
            if not chosen.kind or picture.kind in chosen.kind
        ]
        if chosen.pictures:
            pictures = pictures[:: max(1, len(pictures) // chosen.pictures)]
        for method in chosen.methods:
            begun = time.perf_counter()
            rows.setdefault(source, {})[method] = run(
                method, source, pictures, chosen, touching
            )
            line(source, method, rows[source][method], time.perf_counter() - begun)
        if source in touching:
            apart, pairs = touching[source]
            out(
                f"{source}: touching pairs told apart {apart}/{pairs} "
                f"({100 * apart / max(pairs, 1):.0f} %)"
            )
        sizes(rows[source])
    if chosen.json:
        chosen.json.write_text(
            json.dumps(
                {s: {m: summary(r) for m, r in t.items()} for s, t in rows.items()},
                indent=2,
            )
        )


def run(
    method: str,
    source: str,
    pictures: list[Annotated],
    chosen: argparse.Namespace,
    touching: dict[str, list[int]],
) -> list[ObjectClicks]:
    """Click through one source with one method."""
    make = maker(method, chosen)
    results: list[ObjectClicks] = []
    for number, picture in enumerate(pictures):
        answer = make(picture)
        results += click_labels(
            answer,
            picture.labels,
            str(number),
            most=chosen.most,
            corrections=chosen.clicks,
        )
        if method == "model":
            apart, pairs = answer.touching(picture.labels)
            count = touching.setdefault(source, [0, 0])
            count[0] += apart
            count[1] += pairs
    return results


class Model:
    """Clicks on the colouring of one picture."""

    def __init__(
        self,
        colorer: Colorer,
        picture: Annotated,
        resolution: int | None,
        passes: int = 1,
        brightness: bool = True,
    ):
        self.coloring = colorer.color(picture.image, resolution, passes=passes)
        self.answer = answerer(self.coloring, ProbeSettings(brightness=brightness))

    def __call__(self, points, signs):  # type: ignore[no-untyped-def]
        return self.answer(points, signs)

    def touching(self, labels: np.ndarray) -> tuple[int, int]:
        """Count touching pairs told apart, at the size of the map."""
        from PIL import Image

        height, width = self.coloring.shape
        small = np.asarray(
            Image.fromarray(labels).resize((width, height), Image.Resampling.NEAREST)
        )
        same = Coloring.from_array(self.coloring.values)

        def tolerance(label: int) -> float:
            return same.probe([interior_point(small == label)]).tolerance

        return touching_score(self.coloring.values, small, tolerance)


def maker(method: str, chosen: argparse.Namespace) -> Callable[[Annotated], object]:
    """Return what makes an answerer of a picture."""
    if method in ("model", "map", "flips"):
        from napari_gen2seg import load_model

        colorer = load_model(chosen.model)
        options = {"map": {"brightness": False}, "flips": {"passes": 4}}.get(method, {})
        return lambda picture: Model(colorer, picture, chosen.resolution, **options)
    return {
        "wand": Wand,
        "oracle": Oracle,
        "otsu": Otsu,
        "walker": RandomWalker,
    }[method]


def line(source: str, method: str, rows: list[ObjectClicks], seconds: float) -> None:
    """Print one row of the table."""
    s = summary(rows)
    more = f" clicks {s['clicks']:.2f} never {s['never']:.2f}" if "clicks" in s else ""
    out(
        f"{source:12s} {method:8s} objects {s['objects']:.0f} centre {s['centre']:.3f} "
        f"off-centre {s['off_centre']:.3f} >=0.5 {s['centre_50']:.2f} "
        f">=0.75 {s['centre_75']:.2f}{more} ({seconds:.0f} s)"
    )


def sizes(table: dict[str, list[ObjectClicks]]) -> None:
    """Print centre-click IoU by object area in pixels."""
    for method, rows in table.items():
        cells = []
        for low, high in itertools.pairwise(BINS):
            inside = [r.center for r in rows if low <= r.area < high]
            if inside:
                name = f"{low}-{high}" if high < 1 << 30 else f">={low}"
                cells.append(f"{name} px: {np.mean(inside):.3f} (n={len(inside)})")
        out(f"  {method} by area: " + "; ".join(cells))


def out(text: str) -> None:
    """Write a line at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
