"""The fine-tuning's child process: start it, stop it, say why it died."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

from napari_gen2seg.errors import TrainingError
from napari_gen2seg.jobs.child import start
from napari_gen2seg.train.finetune.run_folder import CANCEL_NAME, CHILD_NAME

KILLED = (-9, 137)
NICE = 10  # twice as polite as the worker


def start_child(command: Sequence[str], errors: IO[bytes]) -> subprocess.Popen[bytes]:
    """Start a child whose stdout is read and whose stderr goes to a file.

    Raises
    ------
    TrainingError
        If it cannot be started.
    """
    child = start(
        command,
        "The training process",
        TrainingError,
        stderr=errors,
        PYTHONUNBUFFERED="1",
        PYTHONIOENCODING="utf-8",
    )
    _give_way(child.pid)
    return child


def _give_way(pid: int) -> None:
    """Let the window, and the worker that colors for it, come first."""
    import psutil

    low = psutil.BELOW_NORMAL_PRIORITY_CLASS if sys.platform == "win32" else NICE
    with suppress(psutil.Error):
        psutil.Process(pid).nice(low)


def cancel_child(child: subprocess.Popen[bytes], folder: Path) -> None:
    """Ask a child to save its state and stop."""
    if sys.platform == "win32":  # it knows no SIGTERM
        with suppress(OSError):
            (folder / CANCEL_NAME).touch()
        return
    with suppress(OSError):
        child.terminate()


def remember_child(folder: Path, pid: int | None) -> None:
    """Write down which process works in a run folder; None for none any more."""
    path = folder / CHILD_NAME
    with suppress(OSError):
        if pid is None:
            path.unlink(missing_ok=True)
        else:
            path.write_text(json.dumps({"pid": pid, "started": _started(pid)}), "utf-8")


def child_lives(folder: Path) -> bool:
    """Whether the process that was written down for a folder still runs."""
    try:
        known = json.loads((folder / CHILD_NAME).read_text("utf-8"))
        pid, started = int(known["pid"]), float(known["started"])
    except (OSError, ValueError, KeyError, TypeError):
        return False
    # Process numbers are used again; the moment it began is not.
    now = _started(pid)
    return now > 0 and abs(now - started) < 2


def exit_message(code: int, errors: Path, noise: Sequence[str], saved: bool) -> str:
    """Say why a child ended unexpectedly, and what to do."""
    way = (
        "Press Resume to go on from what it saved last."
        if saved
        else "Nothing was saved yet: start again."
    )
    if code in KILLED:
        return (
            "The system ended the training, most likely because memory ran out. "
            f"{way} If it happens again, close other programs, or begin a new training "
            "with a smaller crop or batch under Advanced."
        )
    last = _last_line(errors) or (noise[-1] if noise else "")
    said = f" Its last words: {last}" if last else ""
    return f"The training ended unexpectedly (code {code}).{said} {way}"


def _last_line(path: Path) -> str:
    try:
        text = path.read_text("utf-8", "replace")
    except OSError:
        return ""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:300] if lines else ""


def _started(pid: int) -> float:
    """When a process began, seconds since the epoch; 0 if there is none."""
    import psutil

    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return 0.0
        return float(process.create_time())
    except psutil.Error:
        return 0.0
