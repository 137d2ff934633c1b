"""Clicks on drawn maps: ours beside the published recipe written straightforwardly.

The same maps and clicks in the same run, so that the ratio means something on a
busy machine too. The straightforward recipe needs ``opencv-contrib-python-headless``
for its joint bilateral filter; without it only our own columns are printed.

    python benchmarks/probe.py --sizes 512 1024 2048 4096 --clicks 12
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
import numpy.typing as npt
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import drawn_maps

from napari_gen2seg.core.coloring import Coloring
from napari_gen2seg.core.probe.prober import Prober, ProbeSettings
from napari_gen2seg.metrics.matching import iou

try:
    import cv2
except ImportError:
    cv2 = None

Bytes = npt.NDArray[np.uint8]
PAPER = ProbeSettings(rule="paper")


def straightforward(values: Bytes, row: int, col: int) -> npt.NDArray[np.bool_]:
    """Apply the published rule over the whole frame, in its own single precision."""
    height, width = values.shape[:2]
    image = torch.from_numpy(values).permute(2, 0, 1).float()
    across = (torch.linspace(0, 1, width) - col / (width - 1)) ** 2
    down = (torch.linspace(0, 1, height) - row / (height - 1)) ** 2
    weights = torch.exp(-(across + down[:, None]) / (2 * 0.01**2))
    weights = (weights * 2 - 1 + 1) / 2  # rounded like this where it was published
    query = (image * weights).sum((1, 2)) / (weights.sum() + 1e-6)
    nearness = 1 / (torch.norm(image - query[:, None, None], dim=0) + 1e-6)
    span = nearness.max() - nearness.min() + 1e-6
    similarity = ((nearness - nearness.min()) / span * 255).numpy().astype(np.uint8)
    guide = np.ascontiguousarray(values[..., ::-1])
    smooth = cv2.ximgproc.jointBilateralFilter(guide, similarity, 9, 75, 75)
    return np.asarray(smooth > 3)


def timed(function: Callable[[], Any], repeat: int = 1) -> tuple[float, Any]:
    """Return the fastest of some runs in milliseconds, and the last result."""
    best, result = float("inf"), None
    for _ in range(repeat):
        start = time.perf_counter()
        result = function()
        best = min(best, (time.perf_counter() - start) * 1e3)
    return best, result


def measure(size: int, count: int, reference: bool) -> dict[str, Any]:
    """Time clicks on one map of ``size`` squared."""
    labels = drawn_maps.blobs(size, 60, size)
    coloring = Coloring.from_array(np.rint(drawn_maps.paint(labels, size)))
    values = coloring.as_rgb8()
    rng = np.random.default_rng(size)
    objects = np.argwhere(labels > 0)
    clicks = [
        tuple(map(int, objects[i])) for i in rng.integers(len(objects), size=count)
    ]
    prober = coloring.prober
    ready_paper, _ = timed(prober.paper.prepare)
    ready_distance, _ = timed(prober.prepare)
    fresh = [
        timed(lambda p=point: Prober(coloring.values, (size, size)).probe([p]))[0]
        for point in clicks
    ]
    ours, own, plain, equal, quality = [], [], [], [], []
    for point in clicks:
        milliseconds, mask = timed(lambda p=point: prober.probe([p], None, PAPER), 3)
        ours.append(milliseconds)
        milliseconds, better = timed(lambda p=point: prober.probe([p]), 3)
        own.append(milliseconds)
        quality.append(iou(better.array, labels == labels[point]))
        if reference:
            milliseconds, expected = timed(lambda p=point: straightforward(values, *p))
            plain.append(milliseconds)
            equal.append(int(np.count_nonzero(mask.array != expected)))
    background = np.argwhere(labels == 0)
    empty = [
        timed(lambda p=point: prober.preview([p]))[0]
        for point in background[rng.integers(len(background), size=count)]
    ]
    result = {
        "size": size,
        "clicks": count,
        "distance_ms": float(np.median(own)),
        "distance_worst_ms": float(np.max(own)),
        "distance_unprepared_ms": float(np.median(fresh)),
        "distance_prepare_ms": ready_distance,
        "distance_iou": float(np.mean(quality)),
        "background_preview_ms": float(np.median(empty)),
        "paper_ms": float(np.median(ours)),
        "paper_worst_ms": float(np.max(ours)),
        "paper_prepare_ms": ready_paper,
    }
    if reference:
        result |= {
            "straightforward_ms": float(np.median(plain)),
            "paper_times_faster": float(np.median(np.divide(plain, ours))),
            "distance_times_faster": float(np.median(np.divide(plain, own))),
            "clicks_identical": sum(pixels == 0 for pixels in equal),
            "pixels_differing": sum(equal),
        }
    return result


def main() -> None:
    """Print one JSON object per size."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[512, 1024, 2048, 4096])
    parser.add_argument("--clicks", type=int, default=12)
    parser.add_argument("--no-reference", action="store_true")
    chosen = parser.parse_args()
    reference = cv2 is not None and not chosen.no_reference
    if cv2 is not None:
        cv2.setNumThreads(1)
        torch.set_num_threads(1)
    machine = (
        f"{platform.machine()} {platform.system()} python {platform.python_version()}"
    )
    sys.stdout.write(json.dumps({"machine": machine, "numpy": np.__version__}) + "\n")
    for size in chosen.sizes:
        found = measure(size, chosen.clicks, reference)
        rounded = {
            name: round(value, 3) if isinstance(value, float) else value
            for name, value in found.items()
        }
        sys.stdout.write(json.dumps(rounded) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
