"""Words for the terminal, which nobody need be there to read."""

from __future__ import annotations

import errno
import os
import sys

import click


def say(text: str = "", *, err: bool = False, nl: bool = True) -> None:
    """Print a line; where that is impossible, the work goes on all the same.

    Parameters
    ----------
    text
        The line.
    err
        To stderr in the place of stdout.
    nl
        Whether it ends here.
    """
    try:
        click.echo(text, err=err, nl=nl)
        stream = sys.stderr if err else sys.stdout
        if stream is not None:
            stream.flush()
    except (OSError, ValueError) as error:  # full, closed, or gone
        silence(err=err)
        told = isinstance(error, OSError) and error.errno != errno.EPIPE
        if told and not err:
            why = os.strerror(getattr(error, "errno", None) or errno.EIO)
            say(
                f"What is said here cannot be written ({why}); the work goes on.",
                err=True,
            )


def silence(*, err: bool = False) -> None:
    """Let nothing more be written to stdout (or stderr), at the end neither."""
    null = os.open(os.devnull, os.O_WRONLY)
    stream = sys.stderr if err else sys.stdout
    try:
        os.dup2(null, stream.fileno())
    except (OSError, ValueError, AttributeError):  # a stream without a file below
        open_null = os.fdopen(os.dup(null), "w", encoding="utf-8")
        if err:
            sys.stderr = open_null
        else:
            sys.stdout = open_null
    finally:
        os.close(null)
