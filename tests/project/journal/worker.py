"""A process that works on an image as a person would, until it is killed.

``python worker.py FOLDER SEED [BYTES]``: does an act for each line on stdin, and tells
on stdout when it begins and when it is recorded. With BYTES, no file may grow larger
than that. ``python worker.py nursery SEED``: see `nursery`.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from napari_gen2seg.io.identity import ImageIdentity
from napari_gen2seg.project.journal import Act, Journal, Patch
from napari_gen2seg.project.origin import Origin

SHAPE = (3, 80, 90)
IMAGE = ImageIdentity("cells.tif", "0" * 32)


def tell(line: str) -> None:
    """Write a whole line or none of it: this process may be killed at any moment."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


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


def work(folder: Path, seed: int, orders: Iterable[object]) -> None:
    """Do an act for each order."""
    journal = Journal(IMAGE, SHAPE, folder=folder)
    wanted = acts(seed, journal)
    for number, _ in enumerate(orders):
        act = next(wanted)
        tell(f"do {number}")
        journal.record(act)
        tell(f"done {number}")
        if number % 7 == 6:
            journal.snapshot()


def nursery(seed: int) -> None:
    """Start a process for each line ``FOLDER COUNT``, so that libraries load once."""
    for line in sys.stdin:
        folder, count = line.split()
        child = os.fork()
        if not child:
            tell(f"pid {os.getpid()}")
            work(Path(folder), seed, range(int(count)))
            signal.pause()
        os.waitpid(child, 0)
        tell("dead 0")


if __name__ == "__main__":
    if sys.argv[1] == "nursery":
        nursery(int(sys.argv[2]))
    else:
        place, start, *most = sys.argv[1:]
        if most:
            import resource

            resource.setrlimit(resource.RLIMIT_FSIZE, (int(most[0]),) * 2)
        work(Path(place), int(start), sys.stdin)
