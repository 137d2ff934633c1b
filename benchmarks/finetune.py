r"""Fine-tuning on a few labelled pictures of a domain, beside what a lab would train.

    python benchmarks/finetune.py DOMAIN [--model mini] [--k 1 3 5] [--seeds 0 1 2]
        [--minutes 3] [--sparse 10] [--group '(.*)_\d$'] [--rivals unet forest]
        [--split val] [--kind tissue_light tissue_dark]

DOMAIN holds ``images/``, ``labels/`` and perhaps ``split.json``. For each k and seed,
k pictures are labelled (with ``--sparse N`` only N objects of each) and all the rest,
of other groups, judges: none of it is seen in training, early stopping included, which
has to make do with what the run itself holds back of the k. Fine-tuning is the command
line in a child process. Rivals get the same labels and the seconds that its training
took. Everybody is clicked alike: one centre and one off-centre click an object.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import tifffile
from clicks import click_labels, summary  # benchmarks/clicks.py
from finetune_rivals import Clicked, Forest, SmallUnet  # benchmarks/

from napari_gen2seg.io.annotated import Annotated
from napari_gen2seg.metrics.click_protocol import Answer, ObjectClicks, answerer
from napari_gen2seg.models.probes import chosen_probe
from napari_gen2seg.train.data.image_folder import manifest_kinds
from napari_gen2seg.train.data.labeled_images import PairSpec, read_pairs
from napari_gen2seg.train.finetune.config import FinetuneConfig

RIVALS = {"unet": SmallUnet, "forest": Forest}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("domain", type=Path)
    parser.add_argument("--model", default="mini")
    parser.add_argument("--k", type=int, nargs="+", default=[1, 3, 5])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--minutes", type=float, default=3.0)
    parser.add_argument("--steps", type=int, help="end after so many steps instead")
    parser.add_argument("--rate", type=float, help="of learning")
    parser.add_argument("--sparse", type=int, help="label only so many objects")
    parser.add_argument("--group", help="pattern; its first group names what belongs")
    parser.add_argument("--split", help="judge by this part of split.json")
    parser.add_argument("--kind", nargs="+", help="of the manifest; others are left")
    parser.add_argument("--judged", type=int, default=8, help="pictures that judge")
    parser.add_argument("--most", type=int, default=30, help="objects of a picture")
    parser.add_argument("--rivals", nargs="*", choices=RIVALS, default=list(RIVALS))
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args()
    chosen.domain = chosen.domain.resolve()  # settings are read from elsewhere
    rows = []
    for k in chosen.k:
        for seed in chosen.seeds:
            rows.append(cell(chosen, k, seed))
            out(" ".join(f"{key} {show(value)}" for key, value in rows[-1].items()))
            if chosen.json:
                chosen.json.write_text(json.dumps(rows, indent=1) + "\n")
    if len(chosen.seeds) > 1:
        for k in chosen.k:
            mine = [row for row in rows if row["k"] == k]
            keys = [key for key in mine[0] if key not in ("k", "seed")]
            means = {key: mean([row[key] for row in mine]) for key in keys}
            out(f"k {k} MEAN " + " ".join(f"{a} {show(b)}" for a, b in means.items()))


def cell(chosen: argparse.Namespace, k: int, seed: int) -> dict[str, float | None]:
    """Fine-tune once and judge everybody."""
    with tempfile.TemporaryDirectory(prefix="finetune-") as folder:
        specs, judges = choose(chosen, k, seed, Path(folder) / "labels")
        config = FinetuneConfig(
            model=chosen.model,
            name="tuned",
            run=str(Path(folder) / "run"),
            pairs=specs,
            minutes=None if chosen.steps else chosen.minutes,
            steps=chosen.steps,
            rate=chosen.rate,
            seed=seed,
            score_seconds=20.0,
        )
        times = train(config)
        row: dict[str, float | None] = {"k": k, "seed": seed, "judges": len(judges)}
        for name, model in (("before", chosen.model), ("after", times.pop("model"))):
            found = summary(clicked(judges, colors(str(model)), chosen.most))
            row[name] = found["centre"]
            row[f"{name}_aside"] = found["off_centre"]
        row |= times
        pairs = [source.read() for source in read_pairs(specs)[0]]
        for name in chosen.rivals:
            rival = RIVALS[name]()
            begun = time.monotonic()
            rival.fit(pairs, float(times["training"] or 1), seed)
            row[f"{name}_s"] = time.monotonic() - begun
            found = summary(
                clicked(
                    judges, lambda pair, r=rival: Clicked(r.segment(pair)), chosen.most
                )
            )
            row[name] = found["centre"]
            row[f"{name}_aside"] = found["off_centre"]
    return row


def choose(
    chosen: argparse.Namespace, k: int, seed: int, folder: Path
) -> tuple[tuple[PairSpec, ...], list[Annotated]]:
    """Choose k pictures of k groups to label, and pictures of other groups to judge."""
    names = sorted((chosen.domain / "images").iterdir())
    if chosen.kind:
        kinds = manifest_kinds(chosen.domain)
        names = [path for path in names if kinds.get(path.stem) in chosen.kind]
    split = {}
    if (chosen.domain / "split.json").is_file():
        split = json.loads((chosen.domain / "split.json").read_text())
    rng = np.random.default_rng([seed, k])
    order = [names[i] for i in rng.permutation(len(names))]
    apart = set(split.get(chosen.split, ())) if chosen.split else set()
    learnt: dict[str, Path] = {}
    for path in order:
        if path.stem not in apart and len(learnt) < k:
            learnt.setdefault(group(path, chosen.group), path)
    rest = [
        path
        for path in order
        if group(path, chosen.group) not in learnt and (not apart or path.stem in apart)
    ]
    folder.mkdir()
    specs = []
    for path in learnt.values():
        labels = tifffile.imread(truth(path))
        if chosen.sparse:
            ids = np.unique(labels[labels > 0])
            kept = rng.permutation(ids)[: chosen.sparse]
            labels = np.where(np.isin(labels, kept), labels, 0)
        tifffile.imwrite(folder / f"{path.stem}.tif", labels)
        specs.append(
            PairSpec(
                str(path),
                str(folder / f"{path.stem}.tif"),
                path.stem,
                complete=not chosen.sparse,
                group=group(path, chosen.group),
            )
        )
    judges = tuple(
        PairSpec(str(path), str(truth(path)), path.stem, complete=True)
        for path in rest[: chosen.judged]
    )
    return tuple(specs), [source.read() for source in read_pairs(judges)[0]]


def truth(image: Path) -> Path:
    """Return the labels' file of a picture."""
    return image.parent.parent / "labels" / f"{image.stem}.tif"


def group(path: Path, pattern: str | None) -> str:
    """Return what a picture belongs to: itself, or what the pattern finds."""
    found = re.match(pattern, path.stem) if pattern else None
    return found.group(1) if found else path.stem


def train(config: FinetuneConfig) -> dict[str, object]:
    """Run the command; return the new model and seconds from the process's start."""
    begun = time.monotonic()
    child = subprocess.Popen(
        [sys.executable, "-m", "napari_gen2seg", "finetune", str(config.save())],
        stdout=subprocess.PIPE,
        text=True,
    )
    times: dict[str, object] = {"preview": None, "half": None}
    scores: list[tuple[float, float]] = []
    first = last = 0.0
    for line in child.stdout or ():
        event, now = json.loads(line), time.monotonic() - begun
        kind = event["event"]
        if kind == "preview" and times["preview"] is None:
            times["preview"] = now
        elif kind == "score" and event["one_click"] is not None:
            scores.append((now, event["one_click"]))
        elif kind == "step":
            first, last = first or now, now
            times["steps"] = event["step"]
        elif kind == "done":
            times["model"] = event["model"]
            times["end"] = now
        elif kind == "compared":
            times["verdict"] = event["verdict"]
    if child.wait():
        raise SystemExit(f"fine-tuning ended with {child.returncode}")
    times["training"] = last - first
    if scores and (gain := max(s for _, s in scores) - scores[0][1]) > 0:
        wanted = scores[0][1] + gain / 2
        times["half"] = next(at for at, score in scores if score >= wanted)
    return times


def colors(model: str) -> Callable[[Annotated], Answer]:
    """Return what makes an answerer of a picture, by a model's map."""
    from napari_gen2seg import load_model

    colorer = load_model(model)

    def answer(pair: Annotated) -> Answer:
        coloring = colorer.color(pair.image)
        return answerer(coloring, probe=chosen_probe(coloring))

    return answer


def clicked(
    judges: list[Annotated], make: Callable[[Annotated], Answer], most: int
) -> list[ObjectClicks]:
    """Click on objects of all judging pictures."""
    found: list[ObjectClicks] = []
    for pair in judges:
        found += click_labels(make(pair), pair.labels, pair.name, most=most)
    return found


def mean(values: list[object]) -> float | None:
    """Return the mean of the numbers among some values."""
    known = [v for v in values if isinstance(v, (int, float))]
    return float(np.mean(known)) if known else None


def show(value: object) -> str:
    """Write a value shortly."""
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def out(text: str) -> None:
    """Write a line at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
