"""Kill windows at random moments, and say what of the work in them is missing.

    python scripts/crash.py [--kills 30] [--acts 24] [--seed 0]

Each window is a process of its own under a virtual display, in which objects are kept,
erased, given classes, taken back and done again with real events, as the seed says. It
gets SIGKILL in the middle of an act, or just after one. Then the work is opened as the
next start would: at most the act in progress may be missing. The same is tried on a
disk that is full (a small one is mounted, which only root may do), and with two windows
on one picture of a project.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

import numpy as np
import tifffile
from skimage import data

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

from tests.gui.saving_window import SHAPE, Order, checksum  # noqa: E402

from napari_gen2seg.cli.virtual_display import virtual_display  # noqa: E402
from napari_gen2seg.io.identity import ImageIdentity  # noqa: E402
from napari_gen2seg.project.journal import Journal  # noqa: E402
from napari_gen2seg.project.project import Project  # noqa: E402

PAGE = 4096  # bytes; what a small disk gives out at a time
STUCK = 600  # seconds without a word


class Missing(Exception):
    """More is missing than may be."""


class Window:
    """What a window says, and the hand that kills it."""

    def __init__(self, nursery: subprocess.Popen[str]) -> None:
        self.nursery = nursery
        self.pid = 0
        self.done: list[int] = []  # checksum after each act
        self.states: list[str] = []  # whether it was saved then

    def kill(self) -> None:
        """End it as a crash does."""
        with contextlib.suppress(ProcessLookupError):
            if self.pid:
                os.kill(self.pid, 9)

    def listen(self) -> Iterator[tuple[str, int]]:
        """Yield what it says, until it is dead."""
        for line in self.nursery.stdout or ():
            word, *values = line.split() or [""]
            if word == "dead":
                self.pid = 0
                return
            if word not in ("pid", "do", "done", "idle"):
                continue  # a notification
            if word == "pid":
                self.pid = int(values[0])
            elif word == "done":
                self.done.append(int(values[1]))
                self.states.append(values[2])
            yield word, int(values[0]) if values else 0


class Nursery:
    """Opens windows, one after the other."""

    def __init__(self, log: Path) -> None:
        self.log = log.open("w")
        self.window: Window | None = None
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.gui.saving_window"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.log,
            text=True,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"},
        )

    def open(self, order: Order) -> Window:
        """Let a window work."""
        if self.process.stdin is not None:
            self.process.stdin.write(json.dumps(asdict(order)) + "\n")
            self.process.stdin.flush()
        self.window = Window(self.process)
        return self.window

    def close(self) -> None:
        """End it."""
        if self.process.stdin is not None:
            self.process.stdin.close()
        if self.window is not None:
            self.window.kill()  # when something else went wrong
        self.process.wait(STUCK)
        self.log.close()


def recovered(home: Path) -> int:
    """Return the checksum of the work as the next start has it."""
    os.environ["NAPARI_GEN2SEG_HOME"] = str(home)
    image = ImageIdentity.of_array(data.coins(), "coins")
    with Journal(image, SHAPE) as journal:
        return checksum(journal.labels(), journal.state.classes)


def whole(nursery: Nursery, home: Path, acts: int, seed: int) -> list[int]:
    """Let a window do everything, and return the checksum before and after each act."""
    window = nursery.open(Order(str(home), acts, seed))
    for word, _ in window.listen():
        if word == "idle":
            window.kill()
    if len(window.done) != acts:
        raise Missing(f"the window did {len(window.done)} acts of {acts}")
    states = [checksum(np.zeros(SHAPE), {}), *window.done]
    if recovered(home) != states[-1]:
        raise Missing("after the last act nothing was in progress, but it is missing")
    return states


def killed(
    nursery: Nursery, home: Path, states: list[int], seed: int, chance: random.Random
) -> str:
    """Kill a window once, and tell what came of it."""
    count = chance.randint(2, len(states) - 1)
    delay = chance.choice([0.0, *(chance.uniform(0.005, 0.4) for _ in range(3))])
    window = nursery.open(Order(str(home), count + (delay == 0), seed))
    for word, number in window.listen():
        last = word == ("do" if delay else "done") and number == count - 1
        if last or word == "idle":
            time.sleep(delay)
            window.kill()
    if window.done != states[1 : len(window.done) + 1]:
        raise Missing("the window did something else than before; nothing is known")
    found, done = recovered(home), len(window.done)
    if found not in states[done : done + 2]:
        there = [n for n, one in enumerate(states) if one == found]
        raise Missing(f"{done} acts were done, the work is that after {there}")
    kept = "all that was done" if found == states[done] else "and the one in progress"
    return f"{delay:.3f} s into act {count}; {done} were done; there is {kept}"


def on_full_disk(
    nursery: Nursery, home: Path, acts: int, seed: int, freed: bool
) -> str:
    """Let a window work on a disk that gets full; kill it then, or later with space."""
    home.mkdir()
    with mounted(home, 64):
        filler = home / "filler"
        # The last page of the journal takes a few acts more.
        window = nursery.open(Order(str(home), acts, seed))
        full = -1
        for word, number in window.listen():
            if word == "done" and number == 1:
                fill(filler)
            if word == "done" and window.states[-1] == "not-saved" and full < 0:
                full = number
            if word == "do" and freed and full >= 0 and number == full + 2:
                filler.unlink()
            if word == "idle" or (full >= 0 and not freed and number == full + 2):
                window.kill()
        filler.unlink(missing_ok=True)  # opening it writes too
        if full < 0:
            raise Missing("the disk was full, but nobody was told")
        found = recovered(home)
        safe = [n for n, one in enumerate(window.states) if one != "not-saved"]
        if freed and found != window.done[-1]:
            raise Missing("the disk has space again, but acts are missing")
        # The act in progress when it was killed may be there as well.
        if not freed and found not in window.done[(safe or [0])[-1] :]:
            raise Missing("acts that were told to be saved are missing")
    said = f"{full} acts, then the disk was full and it was told"
    done = len(window.done)
    return f"{said}; with space again all {done} were written" if freed else said


def two_windows(nurseries: tuple[Nursery, Nursery], folder: Path, seed: int) -> str:
    """Open a picture of a project in two windows; kill one, then the other."""
    folder.mkdir()
    tifffile.imwrite(folder / "a.tif", data.coins())
    project = Project.create(folder / "project")
    project.add(folder / "a.tif")
    place = str(project.folder)
    first = nurseries[0].open(Order(str(folder / "one"), 6, seed, place, "a"))
    heard = first.listen()
    for word, _ in heard:
        if word == "idle":
            break
    second = nurseries[1].open(Order(str(folder / "two"), 4, seed + 1, place, "a", 9.0))
    for word, number in second.listen():
        if word == "done" and number == 2:
            first.kill()
        if word == "idle":
            second.kill()
    list(heard)
    if set(second.states[:3]) - {"-", "not-saved"}:
        raise Missing(f"the second window said {second.states}: it is in use elsewhere")
    works = {}
    for item in Project.open(project.folder).items:
        work = item.work()
        works[item.name] = checksum(work.labels(), work.state.classes)
    for name, window in (("first", first), ("second", second)):
        if window.done[-1] not in works.values():
            raise Missing(f"what the {name} window did is not there: {sorted(works)}")
    return f"the second window was told; the work of both is there ({', '.join(works)})"


def fill(path: Path) -> None:
    """Write a file until the disk is full."""
    with path.open("wb", 0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(PAGE))


@contextlib.contextmanager
def mounted(folder: Path, pages: int) -> Iterator[None]:
    """Make a folder a disk of so many pages."""
    options = ["-t", "tmpfs", "-o", f"size={pages * PAGE}", "tmpfs", str(folder)]
    subprocess.run(["mount", *options], check=True, capture_output=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def can_mount(folder: Path) -> bool:
    """Tell whether small disks can be made here."""
    folder.mkdir()
    try:
        with mounted(folder, 4):
            return True
    except (OSError, subprocess.CalledProcessError):
        return False


def main() -> int:
    """Read the options, kill windows, tell what came of it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--acts", type=int, default=24)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--brief", action="store_true", help="one disk, no two windows")
    options = parser.parse_args()
    bad = 0

    def tried(name: str, do: Callable[[], str]) -> None:
        nonlocal bad
        try:
            print(f"{name}: {do()}", flush=True)
        except Missing as missing:
            bad += 1
            print(f"{name}: WRONG: {missing}", flush=True)

    chance = random.Random(options.seed)  # noqa: S311
    with tempfile.TemporaryDirectory() as place, virtual_display():
        root = Path(place) / f"seed-{options.seed}"
        root.mkdir()
        nurseries = Nursery(root / "log"), Nursery(root / "log-2")
        nursery = nurseries[0]
        try:
            states = whole(nursery, root / "whole", options.acts, options.seed)
            if can_mount(root / "mount"):
                for freed in (True,) if options.brief else (True, False):
                    home = root / f"full-{freed}"
                    tried(
                        "full disk",
                        lambda home=home, freed=freed: on_full_disk(  # type: ignore[misc]
                            nursery, home, 16, options.seed, freed
                        ),
                    )
            else:
                print("full disk: not tried, for only root can mount a small one")
            if not options.brief:
                where = root / "two"
                tried(
                    "two windows", lambda: two_windows(nurseries, where, options.seed)
                )
            for number in range(1, options.kills + 1):
                home = root / f"home-{number}"
                tried(
                    f"kill {number} of {options.kills}",
                    lambda home=home: killed(
                        nursery, home, states, options.seed, chance
                    ),  # type: ignore[misc]
                )
        except Missing as missing:
            bad += 1
            print(f"WRONG: {missing}", (root / "log").read_text(), sep="\n")
        finally:
            for one in nurseries:
                one.close()
    print(
        f"seed {options.seed}: {options.kills} kills, {bad} times too much is missing"
    )
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
