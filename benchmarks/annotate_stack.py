"""A scripted annotator of a stack: actions an object, all planes at once or one by one.

    python benchmarks/annotate_stack.py DATA/stardist3d [--model mini]

*Keep proposals of all planes*, objects as convex bodies, is two actions, the tick and
the button. Then each nucleus that no object matches in 3-D (IoU of 0.5) is helped:
objects that match none and lie there are deleted (a key each), it is clicked in its
largest section, and carried on upwards and downwards (a click and two keys).
Whoever works plane by plane clicks every section once, and has matched sections then.
The annotator knows the truth and never errs; what helps nothing is not counted.
"""

from __future__ import annotations

import argparse
import json
import sys
from functools import partial
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.stacks import read

from napari_gen2seg import LinkSettings, load_model
from napari_gen2seg.core.candidates import CandidateSet
from napari_gen2seg.core.coloring import Coloring
from napari_gen2seg.core.image.rgb import fixed_contrast, to_rgb
from napari_gen2seg.core.objects.carry import carry
from napari_gen2seg.core.objects.carrying import Carrying
from napari_gen2seg.core.objects.keep_stack import StackOfCandidates
from napari_gen2seg.core.objects.review import Review
from napari_gen2seg.metrics.click_protocol import answerer, interior_point
from napari_gen2seg.models.probes import chosen_probe, find_candidates

MATCH = 0.5
Labels = np.ndarray


def ious(truth: Labels, labels: Labels) -> dict[int, tuple[float, int]]:
    """Return for each true body the best IoU in 3-D, and the object that has it."""
    shape = int(truth.max()) + 1, int(labels.max()) + 1
    both = np.zeros(shape, np.int64)
    np.add.at(both, (truth.ravel(), labels.ravel()), 1)
    mine, theirs = both.sum(1), both.sum(0)
    union = mine[:, None] + theirs - both
    rates = both / np.maximum(union, 1)
    rates[:, 0] = 0
    return {
        int(n): (float(rates[n].max()), int(rates[n].argmax()))
        for n in np.flatnonzero(mine)
        if n
    }


def matched(rates: dict[int, tuple[float, int]]) -> int:
    """Return how many bodies an object matches."""
    return sum(rate >= MATCH for rate, _ in rates.values())


def keep_all(candidates: list[CandidateSet], shape: tuple[int, ...]) -> Labels:
    """Keep the proposals of all planes, linked."""
    labels = np.zeros(shape, np.int32)
    stack = StackOfCandidates(LinkSettings(convex=True))
    for place, found in enumerate(candidates):
        stack.add(Review.begin(found), labels[place])
    kept = stack.finish(1, labels.__getitem__)
    for place, patch in kept.patches.items():
        patch.apply(labels[place])
    return labels


def helped(
    truth: Labels,
    labels: Labels,
    number: int,
    colorings: list[Coloring],
    candidates: list[CandidateSet],
) -> tuple[Labels, dict[str, int]]:
    """Return the labels after one body was deleted, clicked and carried on."""
    after, body = labels.copy(), truth == number
    matches = {best for rate, best in ious(truth, labels).values() if rate >= MATCH}
    under, counts = np.unique(after[body], return_counts=True)
    wrong = []
    for one, count in zip(under.tolist(), counts.tolist(), strict=True):
        share = count / max(np.count_nonzero(after == one), 1)
        if one and one not in matches and max(share, count / body.sum()) > 0.3:
            wrong.append(one)
            after[after == one] = 0
    middle = int(body.sum((1, 2)).argmax())
    coloring, new = colorings[middle], int(labels.max()) + 1
    point = interior_point(body[middle])
    mask = answerer(coloring, probe=chosen_probe(coloring))([point], [1])
    after[middle][mask & (after[middle] == 0)] = new
    if not (after[middle] == new).any():
        return labels, {}
    for step in (1, -1):
        way: Carrying[int] = Carrying.begin(after[middle], {new}, part=True)
        for z in range(middle + step, len(truth) if step > 0 else -1, step):
            probe = chosen_probe(colorings[z])
            ask = None if probe is None else partial(probe.mask, colorings[z])
            taken, before, found = after[z].copy(), way.before, candidates[z]
            done = carry(before, way.live, colorings[z], taken, None, found, ask)
            way.arrived(z, z, taken, done)
            if not way.live:
                break
        for at, patch in way.patches:
            patch.apply(after[at])
    return after, {"delete": len(wrong), "click": 1, "carry on": 2}


def main() -> None:
    """Print what it took."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--model", default="mini")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    images, truth = read(chosen.data / "images"), read(chosen.data / "labels")
    model = load_model(chosen.model, "cpu")
    recipe = fixed_contrast(images[len(images) // 2])
    side = model.color(to_rgb(images[len(images) // 2], recipe)).resolution
    colorings = [model.color(to_rgb(image, recipe), side) for image in images]
    candidates = [find_candidates(coloring) for coloring in colorings]
    labels = keep_all(candidates, truth.shape)
    rates = ious(truth, labels)
    acts = {"keep all planes": 2, "delete": 0, "click": 0, "carry on": 0}
    at_once = matched(rates)
    for number, (rate, _) in sorted(rates.items(), key=lambda one: one[1][0]):
        if rate >= MATCH:
            continue
        after, took = helped(truth, labels, number, colorings, candidates)
        now = ious(truth, after)
        if matched(now) > matched(ious(truth, labels)):
            labels = after
            for name, count in took.items():
                acts[name] += count
    sections = wrong = 0
    for plane, coloring in zip(truth, colorings, strict=True):
        for number in np.unique(plane[plane > 0]).tolist():
            sections += 1
            point = interior_point(plane == number)
            found = answerer(coloring, probe=chosen_probe(coloring))([point], [1])
            true = plane == number
            wrong += (found & true).sum() < MATCH * (found | true).sum()
    rates = ious(truth, labels)
    told = {
        "bodies": len(rates),
        "planes": len(truth),
        "actions": sum(acts.values()),
        "acts": acts,
        "matched at once": at_once,
        "matched": matched(rates),
        "mean IoU in 3-D": round(float(np.mean([r for r, _ in rates.values()])), 3),
        "objects that match nothing": len(np.unique(labels))
        - 1
        - len({best for rate, best in rates.values() if rate >= MATCH}),
        "plane by plane: clicks": sections,
        "plane by plane: sections matched": sections - int(wrong),
    }
    sys.stdout.write(json.dumps(told, indent=1) + "\n")


if __name__ == "__main__":
    main()
