"""A project labeled by a scripted annotator, before and after one fine-tuning.

    python benchmarks/annotate_project.py DATA [--sources usiigaci] [--images 9]
        [--learnt 3] [--exact] [--minutes 3 | --steps 300]

The validation pictures of a source become a project. The annotator of ``annotate.py``
labels the first three, from proposals, and marks them done; what no tool puts right is
painted with the brush, so that every picture reaches the same quality. Then the command
``napari-gen2seg finetune --project`` runs once, with the settings that the window has,
and the rest is labeled twice: with the model from before and with the new one. The rest
is never seen in training. Actions and seconds are those of ``annotate.py``.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from annotate import (  # benchmarks/annotate.py
    TARGET,
    Judge,
    Work,
    brushed,
    by_proposals,
    out,
)
from skimage.io import imsave

from napari_gen2seg import load_model
from napari_gen2seg.io.annotated import Annotated
from napari_gen2seg.metrics.click_protocol import object_labels
from napari_gen2seg.models.colorer import Colorer
from napari_gen2seg.project.item import Item
from napari_gen2seg.project.journal import Act, Patch
from napari_gen2seg.project.origin import Origin
from napari_gen2seg.project.project import Project
from napari_gen2seg.train.data.image_folder import read_source


def main() -> None:
    """Print a line a picture, one for the fine-tuning, and the two means."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--sources", nargs="+", default=["usiigaci"])
    parser.add_argument("--kind", nargs="+", help="of the manifest; others are left")
    parser.add_argument("--images", type=int, default=20, help="of each source")
    parser.add_argument("--learnt", type=int, default=3, help="labeled at first")
    parser.add_argument(
        "--exact",
        action="store_true",
        help="what is learnt from is labeled as the truth has it, not as the "
        "annotator, who takes the model's outlines where they are good enough",
    )
    parser.add_argument("--model", default="mini")
    parser.add_argument("--minutes", type=float, help="of training; else as the window")
    parser.add_argument("--steps", type=int, help="of training")
    chosen = parser.parse_args()
    warnings.filterwarnings("ignore", category=FutureWarning)
    for source in chosen.sources:
        pictures = [
            picture
            for picture in read_source(chosen.data / source, "val")
            if not chosen.kind or picture.kind in chosen.kind
        ]
        pictures = spread(pictures, chosen.images)
        with tempfile.TemporaryDirectory(prefix="annotate-") as folder:
            os.environ["NAPARI_GEN2SEG_HOME"] = folder
            whole(source, pictures, Path(folder), chosen)


def spread(pictures: list[Annotated], count: int) -> list[Annotated]:
    """Choose so many pictures with objects, from the whole of the list."""
    pictures = [one for one in pictures if object_labels(one.labels)]
    return pictures[:: max(1, len(pictures) // count)][:count]


def whole(
    source: str, pictures: list[Annotated], folder: Path, chosen: argparse.Namespace
) -> None:
    """Label, fine-tune, label twice."""
    project = Project.create(folder / "project", source, chosen.model)
    (folder / "images").mkdir()
    items = []
    for picture in pictures:
        path = folder / "images" / f"{picture.name}.tif"
        imsave(path, picture.image, check_contrast=False)
        items.append(project.add(path))
    before = load_model(chosen.model, device="cpu")
    first, rest = pictures[: chosen.learnt], pictures[chosen.learnt :]
    rows: dict[str, list[dict[str, Any]]] = {"first": []}
    for picture, item in zip(first, items, strict=False):
        labels = picture.labels
        if not chosen.exact:
            row, labels = labeled(picture, before)
            rows["first"].append(told(source, "first", row))
        keep(item, labels, before)
        project.set_state(item.name, "done")
    begun = time.monotonic()
    model, training = tuned(project, folder / "run", chosen)
    out({"source": source, **training, "seconds": round(time.monotonic() - begun, 1)})
    rows["before"] = [told(source, "before", labeled(one, before)[0]) for one in rest]
    if training["unchanged"]:  # the old model again
        rows["after"] = rows["before"]
    else:
        after = load_model(str(model), device="cpu")
        rows["after"] = [told(source, "after", labeled(one, after)[0]) for one in rest]
    for when, found in rows.items():
        if found:
            out({"source": source, "when": when, **mean(found)})
    both = [mean(rows[when])["actions_per_object"] for when in ("before", "after")]
    out({"source": source, "fewer_actions": round(both[0] / both[1], 2)})


def labeled(picture: Annotated, colorer: Colorer) -> tuple[dict[str, Any], Any]:
    """Label a picture: proposals, corrections, and the brush for what is left."""
    judge = Judge(picture.labels, object_labels(picture.labels))
    begun = time.perf_counter()
    work = by_proposals(colorer.color(picture.image), judge)
    tools = work.actions, float(judge.fits(work.labels).mean())
    finish(work, judge)
    row = {
        "picture": picture.name,
        "objects": len(judge.numbers),
        "actions": work.actions,
        "seconds": round(work.seconds, 1),
        "mean_iou": round(float(judge.fits(work.labels).mean()), 3),
        "actions_without_brush": tools[0],
        "mean_iou_without_brush": round(tools[1], 3),
        "acts": work.acts,
        "took_s": round(time.perf_counter() - begun, 1),
    }
    return row, work.labels


def finish(work: Work, judge: Judge) -> None:
    """Paint the worst objects anew till the mean is good enough."""
    for at in np.argsort(judge.fits(work.labels), kind="stable"):
        if judge.fits(work.labels).mean() >= TARGET:
            break
        mask = judge.truth == judge.numbers[at]
        work.does("key", "next object")
        under, counts = np.unique(work.labels[mask], return_counts=True)
        most = int(under[np.argmax(counts * (under > 0))])
        mine = work.labels == most
        if most and np.count_nonzero(mine & mask) > 0.5 * np.count_nonzero(mine):
            work.labels[mine] = 0  # it was meant for this one
        number = int(work.labels.max()) + 1
        work.labels[brushed(work, mask)] = number


def keep(item: Item, labels: Any, colorer: Colorer) -> None:
    """Write labels into a project, as a window does."""
    with item.journal() as journal:
        now = np.zeros(journal.shape, np.int32)
        origin = Origin("corrected", colorer.spec.id)
        numbers = [int(n) for n in np.unique(labels) if n > 0]
        patch = Patch.from_windows(now, np.asarray(labels, np.int32))
        journal.record(Act("edit", patch, dict.fromkeys(numbers, origin)))


def tuned(
    project: Project, run: Path, chosen: argparse.Namespace
) -> tuple[Path, dict[str, Any]]:
    """Fine-tune on a project in a process of its own; return the model."""
    command = [sys.executable, "-m", "napari_gen2seg", "finetune"]
    command += ["--project", str(project.folder), "--out", str(run)]
    for name in ("minutes", "steps"):
        if getattr(chosen, name) is not None:
            command += [f"--{name}", str(getattr(chosen, name))]
    ended = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    events = {one["event"]: one for one in map(json.loads, ended.stdout.splitlines())}
    compared = events["compared"]
    row = {
        "steps": events.get("step", {}).get("step", 0),
        "verdict": compared["verdict"],
        "unchanged": compared["unchanged"],
        "one_click": [compared[when]["one_click"] for when in ("before", "after")],
        "ap": [compared[when]["ap"] for when in ("before", "after")],
        "use": compared["use"],
    }
    return Path(events["done"]["model"]), row


def told(source: str, when: str, row: dict[str, Any]) -> dict[str, Any]:
    """Print a picture's row."""
    out({"source": source, "when": when, **row})
    return row


def mean(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the figures of several pictures, an object."""
    objects = sum(row["objects"] for row in rows)
    sums = {
        f"{name}_per_object": round(sum(row[name] for row in rows) / objects, 2)
        for name in ("actions", "seconds", "actions_without_brush")
    }
    means = {
        name: round(float(np.mean([row[name] for row in rows])), 3)
        for name in ("mean_iou", "mean_iou_without_brush")
    }
    return {"pictures": len(rows), "objects": objects, **sums, **means}


if __name__ == "__main__":
    main()
