"""What it costs to keep an act, to save labels whole, and to recover.

    python benchmarks/journal.py [--side 4096]

An act is what the window does between a commit and showing it: the change is found in
the object's box, put into a record and written to the journal. Times are of the thread
that calls (`record`); what waits for the disk is another one. "cpu" is that thread's
processor time, which other programs disturb less. "gap" is the longest time that a
clock of 1 ms in the calling thread stood still while labels were saved whole, and "gap
idle" the same while nothing was done: other programs' share of it.
"""

from __future__ import annotations

import argparse
import io
import json
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import tifffile

from napari_gen2seg.io.identity import ImageIdentity
from napari_gen2seg.project.journal import Act, Journal, Patch
from napari_gen2seg.project.origin import Origin


def disc(radius: int) -> np.ndarray:
    rows, cols = np.ogrid[-radius : radius + 1, -radius : radius + 1]
    return rows**2 + cols**2 <= radius**2


def spread(seconds: list[float]) -> dict[str, float]:
    values = np.array(seconds) * 1000
    return {
        "median": round(float(np.median(values)), 2),
        "p95": round(float(np.percentile(values, 95)), 2),
        "worst": round(float(values.max()), 2),
    }


def acts(journal: Journal, side: int, radius: int, count: int) -> dict[str, object]:
    """Time commits of one size."""
    rng = np.random.default_rng(radius)
    shape, mask = (side, side), disc(radius)
    origin = Origin("human", "mini", None, "0" * 64, points=((1.0, 2.0),), signs=(1,))
    wall, cpu = [], []
    for number in range(1, count + 1):
        corner = rng.integers(0, side - len(mask), 2).tolist()
        before = np.zeros(mask.shape, np.int32)
        after = np.where(mask, number, 0).astype(np.int32)
        start, spent = time.perf_counter(), time.thread_time()
        patch = Patch.from_windows(before, after, corner, shape)
        journal.record(Act("commit", patch, {number: origin}))
        wall.append(time.perf_counter() - start)
        cpu.append(time.thread_time() - spent)
    pixels = int(mask.sum())
    return {"pixels": pixels, "wall_ms": spread(wall), "cpu_ms": spread(cpu)}


def stroke(journal: Journal, side: int, count: int) -> dict[str, object]:
    """Time a ragged edit: every second pixel of a box, the worst case for runs."""
    shape, wall, cpu = (side, side), [], []
    before = np.zeros((100, 100), np.int32)
    after = before.copy()
    after[:, ::2] = 3
    for _ in range(count):
        start, spent = time.perf_counter(), time.thread_time()
        patch = Patch.from_windows(before, after, (5, 5), shape)
        journal.record(Act("edit", patch))
        wall.append(time.perf_counter() - start)
        cpu.append(time.thread_time() - spent)
    return {"pixels": 5000, "wall_ms": spread(wall), "cpu_ms": spread(cpu)}


def saving(journal: Journal) -> dict[str, object]:
    """Save labels whole on the other thread while a clock ticks on this one."""
    # As in a window that has read an image: not the loading of libraries is measured.
    small = io.BytesIO()
    tifffile.imwrite(small, np.zeros((9, 9), np.uint16), compression="zlib")
    idle, end = 0.0, time.perf_counter() + 3
    last = time.perf_counter()
    while last < end:  # what the machine does to a clock without us
        time.sleep(0.001)
        idle, last = max(idle, time.perf_counter() - last), time.perf_counter()
    done = threading.Event()
    threading.Thread(target=lambda: (journal.wait(), done.set())).start()
    start = last = time.perf_counter()
    journal.snapshot()
    gap = time.perf_counter() - last
    last = time.perf_counter()
    while not done.is_set() or journal.save_state != "saved":
        time.sleep(0.001)
        gap, last = max(gap, time.perf_counter() - last), time.perf_counter()
    return {
        "seconds": round(last - start, 2),
        "gap_ms": round(gap * 1000, 1),
        "gap_idle_ms": round(idle * 1000, 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--side", type=int, default=4096)
    parser.add_argument("--acts", type=int, default=100)
    parser.add_argument("--folder", type=Path, help="On the disk to be measured.")
    options = parser.parse_args()
    side = options.side
    with tempfile.TemporaryDirectory(dir=options.folder) as place:
        image = ImageIdentity("bench", "0" * 32)
        folder = Path(place) / "work"
        journal = Journal(image, (side, side), folder=folder)
        rows = [acts(journal, side, r, options.acts) for r in (20, 100, 178, 400)]
        print(json.dumps({"side": side, "acts": rows}))
        print(json.dumps({"ragged stroke": stroke(journal, side, options.acts)}))
        journal.wait()
        size = (folder / "journal.log").stat().st_size
        start = time.perf_counter()
        labels = journal.labels()
        recovered = time.perf_counter() - start
        print(
            json.dumps(
                {
                    "journal_kb": size // 1000,
                    "acts": journal.state.sequence,
                    "recover_s": round(recovered, 2),
                    "objects": len(np.unique(labels)) - 1,
                }
            )
        )
        print(json.dumps({"saved whole": saving(journal)}))
        start = time.perf_counter()
        journal.close()
        print(json.dumps({"close_s": round(time.perf_counter() - start, 2)}))


if __name__ == "__main__":
    main()
