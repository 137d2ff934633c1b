"""A process that works on an image as a person would, until it is killed.

``python worker.py FOLDER SEED [BYTES]``: does an act for each line on stdin, and tells
on stdout when it begins and when it is recorded. With BYTES, no file may grow larger
than that.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from napari_gen2seg.project.identity import ImageIdentity
from napari_gen2seg.project.journal import Act, Journal, Patch
from napari_gen2seg.project.origin import Origin

SHAPE = (3, 80, 90)
IMAGE = ImageIdentity("cells.tif", "0" * 32)


def next_act(rng: np.random.Generator, labels: np.ndarray, journal: Journal) -> Act:
    """Return what the person does next; the labels are changed by it."""
    before = labels.copy()
    number = int(rng.integers(1, 60))
    plane = int(rng.integers(0, SHAPE[0]))
    row, col = (int(rng.integers(0, n - 20)) for n in SHAPE[1:])
    box = labels[plane, row : row + 20, col : col + 20]
    what = rng.choice(["commit", "edit", "delete", "undo", "redo", "clicks", "state"])
    origins: dict[int, Origin | None] = {}
    if what == "undo" and journal.undo_count:
        return journal._work.history.undo()  # type: ignore[return-value]
    if what == "redo" and journal.redo_count:
        return journal._work.history.redo()  # type: ignore[return-value]
    if what == "clicks":
        return Act("clicks", values={"clicks": [[plane, row, col, 1]]})
    if what == "state":
        return Act("state", values={"state": "done"})
    if what == "delete":
        labels[labels == number] = 0
        origins[number] = None
    elif what == "edit":
        box[rng.random(box.shape) < 0.5] = number
    else:
        what = "commit"
        box[:] = number
        origins[number] = Origin("human", points=((row, col),), signs=(1,))
    return Act(what, Patch.from_windows(before, labels), origins)


def acts(seed: int, journal: Journal) -> Iterator[Act]:
    """Work without end."""
    rng = np.random.default_rng(seed)
    labels = journal.labels()
    while True:
        act = next_act(rng, labels, journal)
        if act.kind in ("undo", "redo") and act.patch is not None:
            act.patch.apply(labels)
        yield act


def main(folder: Path, seed: int, most: int | None) -> None:
    if most is not None:
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
    journal = Journal(IMAGE, SHAPE, folder=folder)
    wanted = acts(seed, journal)
    for number, _ in enumerate(sys.stdin):
        act = next(wanted)
        print(f"do {number}", flush=True)  # noqa: T201
        journal.record(act)
        print(f"done {number}", flush=True)  # noqa: T201
        if number % 7 == 6:
            journal.snapshot()


if __name__ == "__main__":
    folder, seed, *most = sys.argv[1:]
    main(Path(folder), int(seed), int(most[0]) if most else None)
