"""One-click IoU against the size of objects at model scale; the rule that chooses it.

    python benchmarks/scale.py DATA [--model mini] [--pictures 8] [--most 5]

Every training picture that is taken is coloured at several sizes and clicked once in
the middle of some objects. Printed: mean IoU by the diameter of a typical object at
model scale, per kind of picture; then what the automatic size reaches beside the size
at which objects are as large as the model likes (known from the labels) and beside the
best of the sizes tried (known from the truth). Constants of the rule in
`models.runtime.resolution` were chosen from this table: training pictures only.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np

from napari_gen2seg import load_model
from napari_gen2seg.io.annotated import Annotated
from napari_gen2seg.metrics.click_protocol import answerer, interior_point
from napari_gen2seg.metrics.matching import iou
from napari_gen2seg.models.runtime.resolution import resolution_for_objects
from napari_gen2seg.train.data.image_folder import read_source

SIZES = (192, 256, 384, 512, 768, 1024)
BINS = (0, 10, 14, 18, 22.5, 28, 35, 44, 55, 200)


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--sources", nargs="+", default=["dsb2018", "usiigaci"])
    parser.add_argument("--model", default="mini")
    parser.add_argument("--pictures", type=int, default=8, help="of each kind")
    parser.add_argument("--most", type=int, default=5, help="objects of each picture")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--maps", type=Path, help="keep every map in this folder")
    chosen = parser.parse_args()
    model = load_model(chosen.model)
    rows = []
    for source in chosen.sources:
        for kind, pictures in by_kind(read_source(chosen.data / source)).items():
            every = max(1, len(pictures) // chosen.pictures)
            for number, picture in enumerate(pictures[::every][: chosen.pictures]):
                name = f"{source} {kind}".strip()
                rows += study(model, picture, name, number, chosen)
            report(name, [row for row in rows if row["kind"] == name])
    if chosen.json:
        chosen.json.write_text(json.dumps(rows, indent=1))


def by_kind(pictures: list[Annotated]) -> dict[str, list[Annotated]]:
    """Return the pictures of each kind."""
    kinds = defaultdict(list)
    for picture in pictures:
        kinds[picture.kind].append(picture)
    return kinds


def study(model, picture: Annotated, kind: str, number: int, chosen) -> list[dict]:  # type: ignore[no-untyped-def, type-arg]
    """Return a row for each size of one picture."""
    native = max(picture.image.shape[:2])
    ids = np.unique(picture.labels[picture.labels > 0])
    ids = np.random.default_rng(number).permutation(ids)[: chosen.most]
    truths = [picture.labels == label for label in ids]
    liked = resolution_for_objects(picture.diameter, picture.image.shape, model.config)
    looks = {f"at {size}": size for size in SIZES if size <= 4 * native}
    looks |= {"liked": liked, "automatic": None}
    rows = []
    for look, size in looks.items():
        if size and size * picture.diameter / native > BINS[-2] * 1.5:
            continue
        coloring = model.color(picture.image, size)
        answer = answerer(coloring)
        overlaps = [
            iou(answer([interior_point(truth)], [1]), truth) for truth in truths
        ]
        rows.append(
            {
                "kind": kind,
                "picture": number,
                "native": native,
                "look": look,
                "size": coloring.resolution,
                "diameter": picture.diameter * coloring.resolution / native,
                "iou": float(np.mean(overlaps)),
                "objects": len(overlaps),
            }
        )
        if chosen.maps and look != "automatic":
            chosen.maps.mkdir(exist_ok=True)
            stem = f"{kind.replace(' ', '_')}-{number}-{look.replace(' ', '')}"
            np.save(chosen.maps / f"{stem}.npy", coloring.values.astype(np.float16))
    return rows


def report(kind: str, rows: list[dict]) -> None:  # type: ignore[type-arg]
    """Print what one kind of picture showed."""
    parts = []
    for low, high in itertools.pairwise(BINS):
        inside = [
            r for r in rows if low <= r["diameter"] < high and r["look"] != "automatic"
        ]
        if inside:
            mean = np.mean([r["iou"] for r in inside])
            parts.append(f"{low:g}-{high:g} px {mean:.2f} ({len(inside)})")
    best = defaultdict(float)
    for row in rows:
        best[row["picture"]] = max(best[row["picture"]], row["iou"])
    auto, liked = (
        np.mean([r["iou"] for r in rows if r["look"] == look])
        for look in ("automatic", "liked")
    )
    sys.stdout.write(
        f"{kind}: " + ", ".join(parts) + f"\n{kind}: automatic {auto:.2f}, liked size "
        f"{liked:.2f}, best of all {np.mean(list(best.values())):.2f}\n"
    )
    sys.stdout.flush()


if __name__ == "__main__":
    main()
