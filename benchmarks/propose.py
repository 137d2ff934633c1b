"""Proposals on drawn maps: candidates once, selected and painted many times.

What a slider costs: selection and painting alone, beside probing everything again as
`Coloring.propose` does.

    python benchmarks/propose.py --sizes 512 1024 2048 --objects 300
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import drawn_maps

from napari_gen2seg.core.candidates import paint, select
from napari_gen2seg.core.coloring import Coloring
from napari_gen2seg.core.proposal_settings import ProposalSettings


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


def main() -> None:
    """Print one JSON object per size."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[512, 1024, 2048])
    parser.add_argument("--objects", type=int, default=300)
    chosen = parser.parse_args()
    machine = (
        f"{platform.machine()} {platform.system()} python {platform.python_version()}"
    )
    sys.stdout.write(json.dumps({"machine": machine, "numpy": np.__version__}) + "\n")
    for size in chosen.sizes:
        sys.stdout.write(json.dumps(measure(size, chosen.objects)) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
