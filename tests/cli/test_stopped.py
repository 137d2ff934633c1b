"""Ctrl+C on the command line: a word, the documented status, nothing left behind."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import IO, cast

import imageio.v3 as iio
import numpy as np
import pytest
from tests.helpers.waiting import BACKSTOP

from napari_gen2seg.io.formats.writers import write_labels

posix = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")

# Stays where the map is written but not in place yet.
SAVES = """
import os
import sys
import numpy as np
from pathlib import Path
from napari_gen2seg import Coloring

def fsync(_):
    print("written", flush=True)
    while True:
        pass

os.fsync = fsync
Coloring.from_array(np.zeros((64, 64, 3), np.float32)).save(Path(sys.argv[1]))
"""


def start(*arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A child of a job in the background would ignore the signal.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


@posix
def test_ctrl_c_ends_an_evaluation_with_the_documented_status(
    tmp_path: Path, tiny_offsets: Path
) -> None:
    (tmp_path / "images").mkdir()
    labels = np.zeros((96, 96), np.uint16)
    labels[20:60, 20:60] = 1
    for number in range(200):
        iio.imwrite(tmp_path / "images" / f"{number}.png", labels.astype(np.uint8))
        write_labels(tmp_path / "labels" / f"{number}.png", labels)
    options = ("--model", tiny_offsets, "--device", "cpu", "--resolution", 64)
    child = start("-m", "napari_gen2seg", "evaluate", tmp_path, *options)
    for line in cast("IO[str]", child.stderr):
        if line.startswith("1 of 200"):
            break
    child.send_signal(signal.SIGINT)
    _, told = child.communicate(timeout=BACKSTOP)
    assert child.returncode == 130
    assert told.splitlines()[-1] == "Stopped."
    assert "Traceback" not in told
    assert "Aborted" not in told


@posix
def test_ctrl_c_leaves_no_half_a_map(tmp_path: Path) -> None:
    target = tmp_path / "map.tif"
    child = start("-c", SAVES, target)
    assert cast("IO[str]", child.stdout).readline() == "written\n"
    child.send_signal(signal.SIGINT)
    child.communicate(timeout=BACKSTOP)
    assert list(tmp_path.iterdir()) == []
