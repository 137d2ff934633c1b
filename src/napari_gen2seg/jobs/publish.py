"""A model leaves the computer: to the Hugging Face hub, or as a bioimage.io package.

Both are the commands that the command line has, in a process of their own: networks
are traced there, not in the window's process, and Cancel ends whatever hangs.
"""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from napari_gen2seg.errors import ModelError
from napari_gen2seg.jobs.child import start

COMMAND = (sys.executable, "-m", "napari_gen2seg", "models")
LOOK = 0.1  # seconds between two looks at whether it is still wanted

Check = Callable[[], None]
Tell = Callable[[str], None]


def push(
    model: Path, repo: str, public: bool, check: Check, command: Sequence[str] = COMMAND
) -> str:
    """Upload a model to the hub, as who is logged in there.

    Parameters
    ----------
    model
        Its folder.
    repo
        ``OWNER/NAME``; made if it is not there.
    public
        Whether everybody may see a repository made here.
    check
        Called now and then; raises to stop.
    command
        Handles models; for tests.

    Returns
    -------
    str
        Address of the commit.

    Raises
    ------
    ModelError
        With the command's own sentence.
    """
    seen = ["--public"] if public else []
    arguments = [*command, "push", "--yes", *seen, "--", str(model), repo]
    said = _run(arguments, "The upload", check, lambda _: None)
    return said[-1].removesuffix(": uploaded") if said else repo


def export_bioimageio(
    model: Path,
    target: Path,
    author: str,
    licence: str,
    size: int,
    check: Check,
    tell: Tell,
    command: Sequence[str] = COMMAND,
) -> str:
    """Write a bioimage.io package, and have it checked where that is possible.

    Parameters
    ----------
    model, target
        Its folder, and the zip to write.
    author, licence, size
        See `napari_gen2seg.models.library.bioimageio.export_bioimageio`.
    check
        Called now and then; raises to stop.
    tell
        Told, on any thread, what was done so far.
    command
        Handles models; for tests.

    Returns
    -------
    str
        What became of it.

    Raises
    ------
    ModelError
        With the command's own sentence.
    """
    options = ["--bioimageio", "--check", "--size", str(size)]
    # One word each: a name may begin with a dash.
    options += [f"--author={author}", f"--licence={licence}"]
    arguments = [*command, "export", *options, "--", str(model), str(target)]
    return " ".join(_run(arguments, "The export", check, tell)[-1:])


def _run(arguments: Sequence[str], what: str, check: Check, tell: Tell) -> list[str]:
    """Run a command to its end; return what it said, line by line."""
    said: list[str] = []
    with tempfile.TemporaryFile() as errors:
        child = start(
            arguments,
            what,
            ModelError,
            stderr=errors,
            PYTHONUNBUFFERED="1",
            PYTHONIOENCODING="utf-8",
            HF_HUB_DISABLE_PROGRESS_BARS="1",
        )

        def listen() -> None:
            with suppress(OSError, ValueError):  # closed after the child's end
                for line in child.stdout or ():
                    said.append(line.decode("utf-8", "replace").strip())
                    tell(said[-1])

        ear = threading.Thread(target=listen, name="gen2seg-sharing", daemon=True)
        ear.start()
        try:
            while child.poll() is None:
                check()
                with suppress(subprocess.TimeoutExpired):
                    child.wait(LOOK)
        finally:
            _end(child)
            ear.join(2)
            if child.stdout is not None:
                child.stdout.close()
        if child.returncode:
            errors.seek(0)
            text = errors.read().decode("utf-8", "replace")
            raise ModelError(_sentence(text, what, child.returncode))
    return said


def _end(child: subprocess.Popen[bytes]) -> None:
    """End a command that still runs; it may take away first what is half done."""
    if child.poll() is None and sys.platform != "win32":
        with suppress(OSError, subprocess.TimeoutExpired):
            child.send_signal(signal.SIGINT)
            child.wait(2)
    child.kill()
    child.wait()


def _sentence(text: str, what: str, code: int) -> str:
    """Return the sentence with which a command ended."""
    lines = text.strip().splitlines()
    starts = [n for n, line in enumerate(lines) if re.match("Error: ", line)]
    if starts:
        return " ".join(" ".join(lines[starts[-1] :]).split())[len("Error: ") :]
    last = f" Its last words: {lines[-1].strip()[:300]}" if lines else ""
    return f"{what} ended unexpectedly (code {code}).{last} Try again."
