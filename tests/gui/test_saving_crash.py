"""Windows that are killed: at most the act in progress is missing.

``CRASH_MOMENTS=30 pytest tests/gui/test_saving_crash.py`` tries more moments.
"""

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
from skimage import data
from tests.gui.saving_window import checksum

from napari_gen2seg.io.identity import ImageIdentity
from napari_gen2seg.project.journal import Journal

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL"),
    pytest.mark.slow,
]

ROOT = Path(__file__).parents[2]
MOMENTS = int(os.environ.get("CRASH_MOMENTS", "3"))
SEED, MOST = 5, 24


class Nursery:
    """Opens windows, one after the other, and kills them."""

    def __init__(self, log: Path) -> None:
        self.log = log.open("w")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.gui.saving_window", str(SEED)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.log,
            text=True,
            cwd=ROOT,
        )

    def run(self, home: Path, count: int, delay: float) -> list[int]:
        """Let a window work, kill it a moment after it began its last act.

        Returns
        -------
        list of int
            Checksum of the labels after each act that was done.
        """
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{home} {count + (delay == 0)}\n")
        self.process.stdin.flush()
        pid, done = 0, []
        for line in self.process.stdout:
            word, *values = line.split()
            if word == "dead":
                break
            if word == "pid":
                pid = int(values[0])
            elif word == "done":
                done.append(int(values[1]))
                if delay == 0 and len(done) == count:
                    os.kill(pid, signal.SIGKILL)
            elif word == "do" and int(values[0]) == count - 1 and delay:
                time.sleep(delay)
                os.kill(pid, signal.SIGKILL)
        return done

    def close(self) -> None:
        """End it."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()
        self.log.close()


@pytest.fixture
def nursery(tmp_path):
    made = Nursery(tmp_path / "log")
    yield made
    made.close()


def recovered(home: Path, monkeypatch: pytest.MonkeyPatch) -> np.ndarray:
    """Return the labels as the next start has them."""
    monkeypatch.setenv("NAPARI_GEN2SEG_HOME", str(home))
    image = ImageIdentity.of_array(data.coins(), "coins")
    with Journal(image, (303, 384)) as journal:
        return journal.labels()


def test_a_killed_window_loses_at_most_the_act_in_progress(
    tmp_path, nursery, monkeypatch, desk
):
    moments = random.Random(11)  # noqa: S311
    states = [checksum(np.zeros((303, 384)))]
    states += nursery.run(tmp_path / "all", MOST, 0)
    assert len(states) == MOST + 1, (tmp_path / "log").read_text()
    assert len(set(states)) > MOST // 2
    assert checksum(recovered(tmp_path / "all", monkeypatch)) == states[-1]
    home = tmp_path
    for number in range(MOMENTS):
        home = tmp_path / f"home-{number}"
        count = moments.randint(2, MOST)
        done = nursery.run(home, count, moments.uniform(0.01, 0.4))
        assert done == states[1 : len(done) + 1]
        kept = checksum(recovered(home, monkeypatch))
        possible = states[len(done) : len(done) + 2]
        assert kept in possible, (number, count, len(done))
    at = desk(name="coins")  # at the home of the last window that was killed
    row = at.widget.objects.saving
    if not row.offer.isHidden():
        row.go_on.click()
        assert checksum(at.labels) == kept
    else:
        assert kept == states[0]
