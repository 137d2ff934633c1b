"""Labels that hold through z and time: switches of identity, and IoU a plane.

    python benchmarks/stacks.py [DATA] [--model mini] [--sides 512] [--planes 24]

Drawn: a stack of ellipsoids, and a movie of cells that move and divide, both with known
identities. Their true planes are numbered anew at random in each plane and linked: what
linking alone costs. With ``--model``, planes are proposed by a model first: what a
person gets. DATA is a folder with ``stardist3d`` (a real stack's labels) and
``usiigaci_movie`` (12 frames, no labels).

Printed: switches (a true object's number differs from that of the plane before), of so
many steps; the share of objects that bear one number throughout; numbers used for so
many objects; and for proposals the mean IoU a plane of the best label.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from pathlib import Path

import numpy as np

from napari_gen2seg import LinkSettings, link, load_model

SETTINGS = {
    "overlap only": LinkSettings(radius=0),
    "usual": LinkSettings(),
    "convex": LinkSettings(convex=True),
    "gap 1, divisions": LinkSettings(gaps=1, divisions=True),
}


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, nargs="?")
    parser.add_argument("--model")
    parser.add_argument("--sides", type=int, default=512)
    parser.add_argument("--planes", type=int, default=24)
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args()
    known = {
        "drawn stack": (ellipsoids(chosen.planes, chosen.sides), 0),
        "drawn movie": (cells(chosen.planes, chosen.sides), 0),
    }
    if chosen.data and (chosen.data / "stardist3d").is_dir():
        known["stardist3d"] = (read(chosen.data / "stardist3d" / "labels"), 0)
    rows = []
    print(f"{'labels':14} {'linked':18} {'switches':>14} {'whole':>6} {'numbers':>14}")
    for name, (truth, _) in known.items():
        for how, settings in SETTINGS.items():
            began = time.perf_counter()
            found = link(shuffled(truth), settings=settings).labels
            seconds = time.perf_counter() - began
            row = {"labels": name, "linked": how, **score(truth, found)}
            row["milliseconds_a_plane"] = 1000 * seconds / len(truth)
            rows.append(row)
            tell(row)
    if chosen.model:
        model = load_model(chosen.model)
        for name, (truth, _) in known.items():
            images = painted(truth)
            if name == "stardist3d" and chosen.data:
                images = read(chosen.data / "stardist3d" / "images")
            proposed = proposals(images, model)
            for how, settings in SETTINGS.items():
                found = link(proposed, settings=settings).labels
                row = {"labels": name, "linked": f"proposed, {how}"}
                rows.append({**row, **score(truth, found)})
                tell(rows[-1])
        if chosen.data and (chosen.data / "usiigaci_movie").is_dir():
            frames = read(chosen.data / "usiigaci_movie" / "images")
            movie = proposals(frames, model)
            for how, settings in SETTINGS.items():
                rows.append(lengths("usiigaci_movie", how, link(movie, 0, settings)))
    if chosen.json:
        chosen.json.write_text(json.dumps(rows, indent=1))


def tell(row: dict) -> None:
    iou = f"  IoU a plane {row['iou']:.3f}" if row["iou"] < 0.999 else ""
    print(
        f"{row['labels']:14} {row['linked']:18} "
        f"{row['switches']:6} of {row['steps']:5} {row['whole']:6.1%} "
        f"{row['numbers']:5} of {row['objects']:5}{iou}",
        flush=True,
    )


def lengths(name: str, how: str, linked) -> dict:  # type: ignore[no-untyped-def]
    """Say how long tracks are where no truth is there."""
    counts = Counter(linked.tracks[:, 0].astype(int).tolist())
    frames = len(linked.labels)
    long = sum(1 for n in counts.values() if n == frames)
    row = {"labels": name, "linked": how, "tracks": len(counts), "throughout": long}
    a_frame = len(linked.tracks) / frames
    print(
        f"{name:14} {how:18} {len(counts)} tracks, {long} through all {frames} frames "
        f"({a_frame:.0f} objects a frame)"
    )
    return row


def ellipsoids(planes: int, side: int, seed: int = 0) -> np.ndarray:
    """Draw ellipsoids that do not touch, flatter along z; int32 (planes, y, x)."""
    rng = np.random.default_rng(seed)
    labels = np.zeros((planes, side, side), np.int32)
    z, y, x = np.ogrid[:planes, :side, :side]
    number = 0
    for _ in range(side * side // 500):
        middle = rng.uniform((0, 0, 0), labels.shape)
        radius = rng.uniform((2.5, 8, 8), (6, 16, 16))
        low = np.maximum(middle - radius - 1, 0).astype(int)
        high = (middle + radius + 2).astype(int)
        box = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
        apart = (
            ((z[box[0]] - middle[0]) / radius[0]) ** 2
            + ((y[:, box[1]] - middle[1]) / radius[1]) ** 2
            + ((x[:, :, box[2]] - middle[2]) / radius[2]) ** 2
        )
        if labels[box][apart <= 1.1].any() or not (apart <= 1).any():
            continue
        number += 1
        labels[box][apart <= 1] = number
    return labels


def cells(frames: int, side: int, seed: int = 0) -> np.ndarray:
    """Draw cells that wander, keep apart and now and then divide."""
    rng = np.random.default_rng(seed)
    places = rng.uniform(20, side - 20, (side * side // 4000, 2))
    numbers = list(range(1, len(places) + 1))
    speed = rng.normal(0, 2.5, places.shape)
    radius = rng.uniform(7, 11, len(places))
    labels = np.zeros((frames, side, side), np.int32)
    y, x = np.mgrid[:side, :side]
    for frame in range(frames):
        for place, number, size in zip(places, numbers, radius, strict=True):
            near = (y - place[0]) ** 2 + (x - place[1]) ** 2 <= size**2
            labels[frame][near & (labels[frame] == 0)] = number
        # Those that come near push each other away.
        gap = places[:, None] - places[None]
        apart = np.maximum(np.linalg.norm(gap, axis=-1), 1)
        push = (np.maximum(radius[:, None] + radius[None] + 3 - apart, 0) / apart) * (
            apart > 1
        )
        speed = 0.8 * speed + rng.normal(0, 1.5, speed.shape)
        places = places + speed + 0.5 * (push[..., None] * gap).sum(1)
        places = np.clip(places, 12, side - 12)
        if frame % 4 == 3:
            mother = int(rng.integers(len(places)))
            shift = np.array([radius[mother] * 0.75, 0.0])
            radius[mother] *= 0.72
            places = np.vstack([places, places[mother] - shift])
            places[mother] += shift
            speed = np.vstack([speed, speed[mother]])
            radius = np.append(radius, radius[mother])
            top = max(numbers)
            numbers[mother] = top + 1
            numbers.append(top + 2)
    return labels


def shuffled(labels: np.ndarray, seed: int = 1) -> np.ndarray:
    """Number each plane anew, at random."""
    rng = np.random.default_rng(seed)
    found = np.zeros_like(labels)
    for place, plane in enumerate(labels):
        ids = np.unique(plane[plane > 0])
        table = np.zeros(int(labels.max()) + 1, labels.dtype)
        table[ids] = rng.permutation(ids.size) + 1
        found[place] = table[plane]
    return found


def painted(labels: np.ndarray, seed: int = 2) -> np.ndarray:
    """Return a picture of labels: soft, textured, noisy; uint16."""
    from scipy import ndimage

    rng = np.random.default_rng(seed)
    shades = np.append(0, rng.uniform(0.4, 1, int(labels.max())))
    light = ndimage.gaussian_filter(shades[labels], (0, 1.2, 1.2))
    texture = ndimage.gaussian_filter(rng.normal(0, 1, labels.shape), (0, 3, 3))
    noisy = light * (1 + 0.8 * texture) * 8000 + rng.normal(600, 200, labels.shape)
    return np.clip(noisy, 0, 65535).astype(np.uint16)


def proposals(images: np.ndarray, model) -> np.ndarray:  # type: ignore[no-untyped-def]
    """Propose the objects of every plane, at one size for all."""
    from napari_gen2seg.core.image.rgb import fixed_contrast, to_rgb

    recipe = fixed_contrast(images[len(images) // 2])
    side = model.color(to_rgb(images[len(images) // 2], recipe)).resolution
    labels = np.zeros(images.shape[:3], np.int32)
    for place, image in enumerate(images):
        labels[place] = model.color(to_rgb(image, recipe), side).propose()
    return labels


def read(folder: Path) -> np.ndarray:
    """Read a stack in one file, or planes in one file each."""
    from napari_gen2seg.io.formats.images import open_numbers

    files = sorted(path for path in folder.iterdir() if path.is_file())
    arrays = [np.asarray(open_numbers(path).array) for path in files]
    return arrays[0] if len(arrays) == 1 else np.stack(arrays)


def score(truth: np.ndarray, found: np.ndarray) -> dict:
    """Count switches of identity, and measure the overlap a plane."""
    before: dict[int, int] = {}
    borne: dict[int, set[int]] = {}
    switches = steps = 0
    overlaps = []
    for mine, theirs in zip(truth, found, strict=True):
        areas = np.bincount(theirs.ravel())
        now = {}
        for number in np.unique(mine[mine > 0]).tolist():
            mask = mine == number
            held = np.bincount(theirs[mask], minlength=areas.size)
            held[0] = 0
            best = int(held.argmax())
            size = int(mask.sum())
            union = size + areas[best] - held[best]
            overlaps.append(held[best] / union if held[best] else 0.0)
            if held[best] * 2 < size:
                continue
            now[number] = best
            borne.setdefault(number, set()).add(best)
            if number in before:
                steps += 1
                switches += before[number] != best
        before = now
    objects = np.unique(truth[truth > 0]).size
    return {
        "switches": int(switches),
        "steps": steps,
        "whole": sum(len(one) == 1 for one in borne.values()) / objects,
        "numbers": int(np.unique(found[found > 0]).size),
        "objects": int(objects),
        "iou": float(np.mean(overlaps)),
    }


if __name__ == "__main__":
    main()
