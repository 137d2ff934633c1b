"""Objects of one plane carried through a stack.

    python benchmarks/carry.py ../shared/data/stardist3d [--model mini]

The true objects of a plane in the middle are carried up and down, with nothing
corrected on the way. Each plane where an object truly is counts: carried there with an
IoU of 0.5 and more, carried badly, or stopped before. Planes beyond its true end count
too.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import numpy as np
import tifffile
import torch

from napari_gen2seg import load_model
from napari_gen2seg.core.image.rgb import to_rgb
from napari_gen2seg.core.objects.carry import CarrySettings, carry
from napari_gen2seg.metrics.matching import iou


def main() -> None:
    """Print the counts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--model", default="mini")
    parser.add_argument("--overlap", type=float, default=CarrySettings.min_overlap)
    parser.add_argument("--reach", type=float, default=0.0)
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    settings = CarrySettings(min_overlap=chosen.overlap, reach=chosen.reach)
    (path,) = sorted((chosen.data / "images").glob("*.tif"))
    image = tifffile.imread(path)
    truth = tifffile.imread(chosen.data / "labels" / path.name)
    model = load_model(chosen.model, "cpu")
    colorings = [model.color(to_rgb(plane)) for plane in image]
    candidates = [coloring.candidates() for coloring in colorings]
    middle = len(image) // 2
    good = bad = missed = beyond = stopped = 0
    ious: list[float] = []
    begun = time.process_time()
    for step in (1, -1):
        before = truth[middle].astype(np.int32)
        numbers = [int(n) for n in np.unique(before) if n]
        live = set(numbers)
        planes = range(middle + step, len(image) if step > 0 else -1, step)
        for z in planes:
            taken = np.zeros(before.shape, np.int32)
            done = carry(before, live, colorings[z], taken, settings, candidates[z])
            after = taken.copy()
            done.patch.apply(after)
            for number in numbers:
                true = truth[z] == number
                if number in done.overlaps and true.any():
                    found = iou(after == number, true)
                    ious.append(found)
                    good, bad = good + (found >= 0.5), bad + (found < 0.5)
                elif number in done.overlaps:
                    beyond += 1
                elif true.any():
                    missed += 1
            live &= set(done.overlaps)
            stopped += len(done.stopped)
            before = after
            if not live:
                break
    spent = time.process_time() - begun
    every = good + bad + missed
    sys.stdout.write(
        f"{len(image)} planes, {len(numbers)} objects of plane {middle}: of {every} "
        f"true places {good / every:.0%} carried (IoU >= 0.5), {bad / every:.0%} "
        f"badly, {missed / every:.0%} not; {beyond} beyond the end; mean IoU "
        f"{np.mean(ious):.2f}; {stopped} stops; "
        f"{1000 * spent / len(image):.0f} ms a plane\n"
    )


if __name__ == "__main__":
    main()
