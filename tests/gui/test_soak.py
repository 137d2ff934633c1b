"""A random person at a real window, for as long as the suite can bear."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SOAK = Path(__file__).parents[2] / "scripts" / "soak.py"


@pytest.mark.slow
def test_half_a_minute_of_anything(tmp_path):
    command = [sys.executable, str(SOAK), "--minutes", "0.5", "--seed", "7"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "the window is well" in done.stdout
