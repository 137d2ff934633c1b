"""Time, memory and seams of large sheets whose objects are known.

    python benchmarks/big.py [FOLDER] [--sides 4000 8000] [--workers 1 2] [--whole 4000]

A sheet of soft nuclei is drawn as OME-Zarr (sides of 16000 and 32000 on demand), and
`napari-gen2seg batch` finds all objects, in a process of its own. Printed for each side
and number of workers: seconds, the largest memory of any one process, tiles, and of the
objects that a border between tiles crosses and of those that none does the share

    split   two labels or more hold 15 % of it each: cut at a seam, or doubled,
    lost    no label has half of it in common (IoU).

What seams cost is the difference of the two. ``--whole`` adds the same sheet looked at
as a whole, where it fits.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

BLOCK = 500  # pixels: sheets are drawn in such blocks, each by its own seed


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--sides", type=int, nargs="+", default=[4000, 8000])
    parser.add_argument("--workers", type=int, nargs="+", default=[1])
    parser.add_argument("--whole", type=int, nargs="*", default=[])
    parser.add_argument("--model", default="mini")
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args()
    folder = chosen.folder or Path(tempfile.mkdtemp(prefix="big-"))
    rows = []
    print(
        f"{'side':>6} {'how':10} {'seconds':>8} {'MB':>6} {'tiles':>5} {'objects':>8} "
        f"{'found':>8} | crossed: number split lost | others: split lost"
    )
    for side in chosen.sides:
        image, truth = sheet(folder, side)
        ways = [(f"{n} worker", n, ()) for n in chosen.workers]
        if side in chosen.whole:
            ways.append(("whole", 1, ("--tile", "0")))
        for name, workers, more in ways:
            row = run(folder, image, truth, side, name, workers, more, chosen.model)
            rows.append(row)
            print(
                f"{side:6} {name:10} {row['seconds']:8.0f} {row['mb']:6.0f} "
                f"{row['tiles']:5} {row['objects']:8} {row['found']:8} | "
                f"{row['crossed']:6} {row['crossed_split']:6.2%} "
                f"{row['crossed_lost']:6.2%} | {row['split']:6.2%} {row['lost']:6.2%}",
                flush=True,
            )
    if chosen.json:
        chosen.json.write_text(json.dumps(rows, indent=1))


def sheet(folder: Path, side: int) -> tuple[Path, Path]:
    """Draw a sheet and its truth, unless they are there; return both."""
    import zarr

    image, truth = folder / f"{side}.zarr", folder / f"{side}-truth.zarr"
    if truth.exists():
        return image, truth
    group = zarr.open_group(image, mode="w")
    pixels = group.create_array(
        "0", shape=(side, side), dtype="uint16", chunks=(1000, 1000)
    )
    labels = zarr.create_array(
        folder / "drawing.zarr",
        shape=(side, side),
        dtype="uint32",
        chunks=(1000, 1000),
        overwrite=True,
    )
    before = 0
    for top in range(0, side, 2 * BLOCK):
        for left in range(0, side, 2 * BLOCK):
            # Two by two blocks are a chunk: each is written once.
            drawn = [
                [
                    block(side + 7919 * (top // BLOCK + down) + left // BLOCK + across)
                    for across in (0, 1)
                ]
                for down in (0, 1)
            ]
            numbers = np.block([[one[1] for one in row] for row in drawn])
            counts = np.cumsum([0] + [one[1].max() for row in drawn for one in row])
            for place in range(4):
                down, across = divmod(place, 2)
                part = numbers[BLOCK * down :, BLOCK * across :][:BLOCK, :BLOCK]
                part[part > 0] += before + counts[place]
            before += int(counts[-1])
            where = np.s_[top : top + 2 * BLOCK, left : left + 2 * BLOCK]
            height, width = min(2 * BLOCK, side - top), min(2 * BLOCK, side - left)
            values = np.block([[one[0] for one in row] for row in drawn])
            pixels[where] = values[:height, :width]
            labels[where] = numbers[:height, :width]
    group.attrs["ome"] = {
        "version": "0.5",
        "multiscales": [
            {
                "axes": [{"name": one, "type": "space"} for one in "yx"],
                "datasets": [
                    {
                        "path": "0",
                        "coordinateTransformations": [
                            {"type": "scale", "scale": [1.0, 1.0]}
                        ],
                    }
                ],
            }
        ],
    }
    (folder / "drawing.zarr").rename(truth)
    return image, truth


def block(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw nuclei of 16 to 34 pixels that do not touch: uint16 pixels, labels."""
    from scipy import ndimage

    rng = np.random.default_rng(seed)
    labels = np.zeros((BLOCK, BLOCK), np.int64)
    light = np.zeros((BLOCK, BLOCK), np.float32)
    number = 0
    for _ in range(260):
        row, column = rng.uniform(18, BLOCK - 18, 2)
        axes = rng.uniform(8, 17, 2)
        turn = rng.uniform(0, np.pi)
        top, left = int(row) - 18, int(column) - 18
        rows, columns = np.mgrid[top : top + 37, left : left + 37]
        along = (rows - row) * np.cos(turn) + (columns - column) * np.sin(turn)
        across = (columns - column) * np.cos(turn) - (rows - row) * np.sin(turn)
        apart = (along / axes[0]) ** 2 + (across / axes[1]) ** 2
        inside = np.s_[max(top, 0) : top + 37, max(left, 0) : left + 37]
        apart = apart[-labels[inside].shape[0] :, -labels[inside].shape[1] :]
        apart = apart[: labels[inside].shape[0], : labels[inside].shape[1]]
        if labels[inside][apart <= 1.5].any():
            continue
        number += 1
        labels[inside][apart <= 1] = number
        light[inside][apart <= 1] = rng.uniform(0.45, 1.0)
    texture = ndimage.gaussian_filter(rng.normal(0, 1, light.shape), 3)
    light *= 1 + 0.6 * texture.astype(np.float32)
    light = ndimage.gaussian_filter(light, 1.3) + 0.06
    noisy = light * 8000 + rng.normal(0, 250, light.shape)
    return np.clip(noisy, 0, 65535).astype(np.uint16), labels


def run(
    folder: Path,
    image: Path,
    truth: Path,
    side: int,
    name: str,
    workers: int,
    more: tuple[str, ...],
    model: str,
) -> dict:
    """Find all objects in a process of its own; return what it took and found."""
    out = Path(tempfile.mkdtemp(prefix="labels-", dir=folder))
    command = [sys.executable, "-m", "napari_gen2seg", "batch", str(image), str(out)]
    command += ["--model", model, "--workers", str(workers), *more]
    began = time.monotonic()
    child = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert child.stderr
    said = child.stderr.read()
    _, status, usage = os.wait4(child.pid, 0)
    seconds = time.monotonic() - began
    if status:
        sys.exit(said)
    record = json.loads((out / f"{side}.zarr.json").read_text())
    tiles = re.search(r"in (\d+) tiles of (\d+) pixels that overlap by (\d+)", said)
    count, window, overlap = map(int, tiles.groups()) if tiles else (1, side, 0)
    row = {
        "side": side,
        "how": name,
        "seconds": seconds,
        "mb": usage.ru_maxrss / 1024,
        "tiles": count,
        "text": record["looked_at"],
        "found": record["objects"],
    }
    row |= seams(out / f"{side}.zarr", truth, side, window - overlap)
    return row


def seams(out: Path, truth: Path, side: int, core: int) -> dict:
    """Count the objects that are split or lost, at borders of cores and elsewhere."""
    import zarr
    from scipy import ndimage

    found = zarr.open_array(out / "labels" / "objects" / "0", mode="r")
    known = zarr.open_array(truth, mode="r")
    counts = {True: np.zeros(3, int), False: np.zeros(3, int)}
    for top in range(0, side, 2 * BLOCK):
        for left in range(0, side, 2 * BLOCK):
            # Objects lie within a block, so every one is seen whole.
            pad = 40
            r0, c0 = max(top - pad, 0), max(left - pad, 0)
            window = np.s_[r0 : top + 2 * BLOCK + pad, c0 : left + 2 * BLOCK + pad]
            mine, theirs = known[window].astype(int), found[window].astype(int)
            areas = np.bincount(theirs.ravel())
            inner = known[top : top + 2 * BLOCK, left : left + 2 * BLOCK]
            numbers, local = np.unique(mine, return_inverse=True)
            boxes = ndimage.find_objects(local.reshape(mine.shape))
            for number in np.unique(inner[inner > 0]):
                place = int(np.searchsorted(numbers, number))
                box = boxes[place - 1]
                rows, columns = np.nonzero(mine[box] == number)
                rows, columns = rows + box[0].start, columns + box[1].start
                rims = rows + r0, columns + c0
                crossed = any(one.min() // core != one.max() // core for one in rims)
                held = np.bincount(theirs[rows, columns])
                held[0] = 0
                best = int(held.argmax())
                shared = held[best]
                split = np.count_nonzero(held >= 0.15 * rows.size) > 1
                iou = shared / (rows.size + areas[best] - shared) if shared else 0.0
                counts[crossed] += (1, split, iou < 0.5)
    at, off = counts[True], counts[False]
    return {
        "objects": int(at[0] + off[0]),
        "crossed": int(at[0]),
        "crossed_split": at[1] / max(at[0], 1),
        "crossed_lost": at[2] / max(at[0], 1),
        "split": off[1] / max(off[0], 1),
        "lost": off[2] / max(off[0], 1),
    }


if __name__ == "__main__":
    main()
