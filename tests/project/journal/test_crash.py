"""Processes that are killed, and disks that are full: at most the act in progress."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from tests.project.journal.worker import IMAGE, SHAPE, acts

from napari_gen2seg.errors import InUseError
from napari_gen2seg.io.identity import ImageIdentity
from napari_gen2seg.project.journal import Act, Journal, Patch

WORKER = Path(__file__).with_name("worker.py")
ROOT = Path(__file__).parents[3]


def work(
    folder: Path | str, seed: int, count: int, *more: str
) -> subprocess.Popen[str]:
    """Start a process that does so many acts and then waits to be killed."""
    child = subprocess.Popen(
        [sys.executable, str(WORKER), str(folder), str(seed), *more],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    assert child.stdin is not None
    child.stdin.write("\n" * count)
    child.stdin.flush()
    return child


def expected(seed: int, count: int, folder: Path) -> list[tuple[np.ndarray, set[int]]]:
    """Return the labels, and the objects known, after 0, 1, 2, ... acts of a seed."""
    labels = np.zeros(SHAPE, np.int32)
    found: list[tuple[np.ndarray, set[int]]] = [(labels.copy(), set())]
    with Journal(IMAGE, SHAPE, folder=folder) as journal:
        wanted = acts(seed, journal)
        for _ in range(count):
            act = journal.record(next(wanted))
            if act.patch is not None:
                act.patch.apply(labels)
            found.append((labels.copy(), set(journal.state.origins)))
        kinds = {act.kind for act in journal._work.acts}
    assert {"commit", "edit", "delete", "undo", "redo"} <= kinds
    return found


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
@pytest.mark.slow
def test_killed_at_random_moments_nothing_but_the_act_in_progress_is_missing(
    tmp_path: Path,
) -> None:
    moments = random.Random(7)  # noqa: S311
    seed, most = 3, 120
    states = expected(seed, most, tmp_path / "expected")
    nursery = work("nursery", seed, 0)
    assert nursery.stdin is not None
    assert nursery.stdout is not None
    for number in range(30):
        folder = tmp_path / f"work-{number}"
        count = moments.randint(1, most)
        nursery.stdin.write(f"{folder} {count}\n")
        nursery.stdin.flush()
        pid = recorded = 0
        for line in nursery.stdout:
            word, value = line.split()
            if word == "dead":
                break
            if word == "pid":
                pid = int(value)
            elif word == "done":
                recorded = int(value) + 1
            elif int(value) == count - 1:
                time.sleep(moments.uniform(0, 0.004))
                os.kill(pid, signal.SIGKILL)
        with Journal(IMAGE, SHAPE, folder=folder) as journal:
            assert recorded <= journal.state.sequence <= count
            labels, objects = states[journal.state.sequence]
            np.testing.assert_array_equal(journal.labels(), labels)
            assert set(journal.state.origins) == objects
            # And it goes on from there, undo included.
            undone = journal.undo()
            if undone is not None and undone.patch is not None:
                assert undone.patch.fits(labels)
        with Journal(IMAGE, SHAPE, folder=folder) as journal:
            assert journal.earlier is not None
            assert journal.earlier.since_saved == 0
    nursery.stdin.close()
    assert nursery.wait() == 0


@pytest.mark.skipif(sys.platform == "win32", reason="limits of POSIX")
def test_a_full_disk_is_named_and_what_was_written_stays(tmp_path: Path) -> None:
    folder = tmp_path / "work"
    child = work(folder, 5, 400, "60000")
    out, err = child.communicate()
    assert "DiskFullError" in err
    assert "Could not write" in err
    done = sum(line.startswith("done") for line in out.splitlines())
    assert done > 3
    with Journal(IMAGE, SHAPE, folder=folder) as journal:
        assert journal.earlier is not None
        assert journal.earlier.torn == 0
        assert journal.state.sequence == done
        labels, _ = expected(5, done, tmp_path / "expected")[done]
        np.testing.assert_array_equal(journal.labels(), labels)


@pytest.mark.skipif(sys.platform == "win32", reason="limits of POSIX")
def test_acts_that_found_no_space_are_written_when_there_is(tmp_path: Path) -> None:
    """In a process of its own: a limit on files holds for all that it writes."""
    child = subprocess.run(
        [sys.executable, "-c", FULL_FOR_A_WHILE, str(tmp_path / "work")],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    assert child.returncode == 0, child.stderr
    with Journal(IMAGE, SHAPE, folder=tmp_path / "work") as journal:
        assert journal.state.sequence == 41
        assert (journal.labels()[0, :41, :5] == np.arange(1, 42)[:, None]).all()


FULL_FOR_A_WHILE = """
import resource, sys
from pathlib import Path
import numpy as np
from napari_gen2seg.errors import DiskFullError
from napari_gen2seg.project.journal import Act, Journal, Patch
from tests.project.journal.worker import IMAGE, SHAPE

journal = Journal(IMAGE, SHAPE, folder=Path(sys.argv[1]))

def commit(row):
    return journal.record(
        Act("commit", Patch.from_pixels(([0]*5, [row]*5, range(5)), 0, row + 1, SHAPE))
    )

for row in range(20):
    commit(row)
journal.wait()
assert journal.save_state == "saved"
size = (Path(sys.argv[1]) / "journal.log").stat().st_size
_, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (size + 100, hard))
for row in range(20, 40):
    try:
        commit(row)
    except DiskFullError:
        pass
    else:
        raise SystemExit("it took more than there is space for")
    assert journal.save_state == "not saved"
    assert (journal.labels()[0, row, :5] == row + 1).all()
try:
    journal.close()
except DiskFullError:
    pass
else:
    raise SystemExit("closed with work that is not saved")
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
commit(40)
journal.wait()
assert journal.save_state == "saved"
journal.close()
"""


def test_two_processes_on_one_journal_are_noticed(tmp_path: Path) -> None:
    folder = tmp_path / "work"
    child = work(folder, 1, 5)
    assert child.stdout is not None
    try:
        for line in child.stdout:
            if line.startswith("done"):
                break
        with pytest.raises(InUseError, match=f"process {child.pid} on"):
            Journal(IMAGE, SHAPE, folder=folder)
    finally:
        child.kill()
        child.communicate()
    with Journal(IMAGE, SHAPE, folder=folder) as journal:  # its lock was let go of
        assert journal.earlier is not None


def test_whoever_begins_second_is_told(tmp_path: Path) -> None:
    """Nothing is there when both open, so only the first act shows it."""
    image = ImageIdentity("cells.tif", "1" * 32, tmp_path / "cells.tif")
    patch = Patch.from_pixels(([0], [0]), [0], [1], (4, 4))
    first, second = Journal(image, (4, 4)), Journal(image, (4, 4))
    first.record(Act("commit", patch))
    with pytest.raises(InUseError):
        second.record(Act("commit", patch))
    assert second.save_state == "not saved"
    first.close()
    with pytest.raises(InUseError, match="Open it again"):
        second.close()
    second.close(force=True)
    with Journal(image, (4, 4)) as third:
        assert third.state.sequence == 1
