"""Windows that are killed: at most the act in progress is missing.

``python scripts/crash.py --kills 30`` tries more moments, and two windows at once.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL"),
    pytest.mark.slow,
]

CRASH = Path(__file__).parents[2] / "scripts" / "crash.py"


def test_a_killed_window_loses_at_most_the_act_in_progress():
    command = [sys.executable, str(CRASH), "--kills=2", "--acts=8", "--brief"]
    done = subprocess.run([*command, "--seed=5"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 kills, 0 times too much is missing" in done.stdout
