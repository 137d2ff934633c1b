"""The command line in a test: in this process, or as the program a person starts.

A process of its own imports torch and diffusers anew, which takes seconds. So what a
command does is tried in this process, and that it is a real program, with an exit
status and two streams, once for every command.
"""

from __future__ import annotations

import contextlib
import io
import os
import signal
import subprocess
import sys
from unittest import mock

import pytest
from tests.helpers.waiting import BACKSTOP

Ended = subprocess.CompletedProcess[str]


def run_here(*arguments: object, **environment: str | None) -> Ended:
    """Run a command in this process.

    Parameters
    ----------
    arguments
        Command and options, as typed after ``napari-gen2seg``.
    environment
        Variables to set meanwhile, or with None to take away.

    Returns
    -------
    subprocess.CompletedProcess
        Exit status and what was written to the two streams. What a person would see
        as a traceback is raised.
    """
    from napari_gen2seg.cli import main

    words = [str(argument) for argument in arguments]
    out, err = io.StringIO(), io.StringIO()
    handlers = {one: signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)}
    with (
        mock.patch.dict(os.environ),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        pytest.raises(SystemExit) as ending,
    ):
        for name, value in environment.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value
        try:
            main(words, prog_name="napari-gen2seg")
        finally:
            for one, handler in handlers.items():
                signal.signal(one, handler)
    code = ending.value.code
    assert isinstance(code, int)
    return Ended(words, code, out.getvalue(), err.getvalue())


def run(*arguments: object, **environment: str) -> Ended:
    """Run a command as a program, ``python -m napari_gen2seg``; see `run_here`."""
    return subprocess.run(
        [sys.executable, "-m", "napari_gen2seg", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=BACKSTOP,
        check=False,
        env={**os.environ, **environment},
    )
