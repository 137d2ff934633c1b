"""Child processes that run this package, whichever way it was imported here."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from napari_gen2seg.errors import Gen2SegError


def start(
    command: Sequence[str],
    what: str,
    failure: type[Gen2SegError],
    *,
    stdin: int = subprocess.DEVNULL,
    stderr: IO[bytes] | None = None,
    **variables: str,
) -> subprocess.Popen[bytes]:
    """Start a child whose stdout is read, without a console window.

    Parameters
    ----------
    command
        What runs.
    what
        The process, for the error's sentence.
    failure
        The error's kind.
    stdin, stderr
        As for `subprocess.Popen`.
    **variables
        Set in the child's environment.

    Raises
    ------
    Gen2SegError
        Of the kind ``failure``, if the child cannot be started.
    """
    environment = {**os.environ, **variables}
    home = str(Path(__file__).parents[2])  # where this package is imported from
    before = environment.get("PYTHONPATH")
    environment["PYTHONPATH"] = f"{home}{os.pathsep}{before}" if before else home
    try:
        return subprocess.Popen(
            list(command),
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=stderr,
            env=environment,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
    except OSError as error:
        raise failure(
            f"{what} could not be started with {command[0]!r}: "
            f"{error.strerror or error}. Run 'napari-gen2seg doctor'."
        ) from error
