"""One-click quality on every kind of drawn scene: where a model is weak.

    python benchmarks/breadth.py [--model mini] [--scenes 8] [--methods map oracle]

Scenes of a seed that no training used, 384 pixels, a few objects of each; answers as
in `click_quality.py`. Models trained on such scenes know the drawing hand, so the
figures compare models and kinds with one another and promise nothing for photographs.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator

import numpy as np
from click_quality import maker  # benchmarks/click_quality.py
from clicks import click_labels  # benchmarks/clicks.py

from napari_gen2seg.core.map.object_size import median_diameter
from napari_gen2seg.io.annotated import Annotated
from napari_gen2seg.train.synthetic import KINDS, draw_scene

SEED = 987_654_321


def main() -> None:
    """Print mean IoU of one centre click by kind and method."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=str, default="mini")
    parser.add_argument("--resolution", type=int)
    parser.add_argument("--methods", nargs="+", default=["map", "oracle"])
    parser.add_argument("--scenes", type=int, default=8, help="per kind")
    parser.add_argument("--most", type=int, default=6, help="objects per scene")
    parser.add_argument("--size", type=int, default=384)
    parser.add_argument("--kinds", nargs="+", default=list(KINDS))
    chosen = parser.parse_args()
    makers = {name: maker(name, chosen) for name in chosen.methods}
    out(f"{'kind':22s}" + "".join(f"{name:>9s}" for name in makers))
    means = []
    for kind in chosen.kinds:
        rows: dict[str, list[float]] = {name: [] for name in makers}
        for picture in scenes(kind, chosen.scenes, chosen.size):
            for name, make in makers.items():
                found = click_labels(make(picture), picture.labels, most=chosen.most)
                rows[name] += [result.center for result in found]
        means.append([float(np.mean(row)) for row in rows.values()])
        out(f"{kind:22s}" + "".join(f"{mean:9.3f}" for mean in means[-1]))
    out(f"{'mean of kinds':22s}" + "".join(f"{m:9.3f}" for m in np.mean(means, 0)))


def scenes(kind: str, count: int, size: int) -> Iterator[Annotated]:
    """Draw scenes of a kind, the same ones every time."""
    for number in range(count):
        rng = np.random.default_rng((SEED, list(KINDS).index(kind), number))
        scene = draw_scene(rng, size, kind)
        rgb = np.rint(255 * scene.image).astype(np.uint8)
        yield Annotated(
            rgb,
            scene.labels,
            kind=kind,
            given_diameter=median_diameter(scene.labels),
        )


def out(text: str) -> None:
    """Write a line at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
