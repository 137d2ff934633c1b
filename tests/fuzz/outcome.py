"""What trying something came to: it worked, or an error that this package names."""

from __future__ import annotations

import os
import signal
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from napari_gen2seg.errors import Gen2SegError

#: How many times as many cases as in the suite: ``NAPARI_GEN2SEG_FUZZ=20 pytest ...``.
TIMES = int(os.environ.get("NAPARI_GEN2SEG_FUZZ", "1"))
#: Where the stream of cases begins.
SEED = int(os.environ.get("NAPARI_GEN2SEG_FUZZ_SEED", "0"))
_CPU_SECONDS = 60  # of processor time, so that a busy computer is no hang


class Hang(Exception):
    """A case took longer than any that ends."""


def attempt(what: str, act: Callable[..., Any], *given: Any) -> str:
    """Try something.

    Parameters
    ----------
    what
        For the message.
    act, *given
        What may work, or be refused by an error of this package, and its arguments.

    Returns
    -------
    str
        ``"worked"``, or the name of the error.
    """
    try:
        with _no_hang():
            act(*given)
    except Gen2SegError as error:
        if not str(error).strip():
            raise AssertionError(f"{what}: {type(error).__name__} is mute") from error
        return type(error).__name__
    except (Exception, Hang) as error:
        told = "".join(traceback.format_exception(error)[-3:])
        raise AssertionError(
            f"{what}: {type(error).__name__}: {error}\n{told}"
        ) from error
    return "worked"


@contextmanager
def _no_hang() -> Iterator[None]:
    if not hasattr(signal, "SIGVTALRM"):
        yield
        return

    def rung(*_: Any) -> None:
        raise Hang(f"more than {_CPU_SECONDS} s of processor time")

    before = signal.signal(signal.SIGVTALRM, rung)
    signal.setitimer(signal.ITIMER_VIRTUAL, _CPU_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
