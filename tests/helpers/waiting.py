"""Waits that end when the thing has happened, or can no longer happen.

No test gives up by the clock of a quiet machine: a busy one is not a failure. What is
waited for comes from something (a process, a thread, a run); once that has ended, it
will not come any more, and the wait says so at once. `BACKSTOP` is for what nobody
foresaw.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

BACKSTOP = 600
"""Seconds after which something hangs, on any machine."""

BACKSTOP_MS = 1000 * BACKSTOP
"""The same for `qtbot`."""


def wait_until(
    ready: Callable[[], Any],
    possible: Callable[[], Any] = lambda: True,
    seen: Callable[[], object] = lambda: "nothing to tell",
) -> None:
    """Wait until ``ready`` says so.

    Parameters
    ----------
    ready
        Whether it has happened.
    possible
        Whether it may still happen: that the process lives, for example.
    seen
        What to tell when it has not.
    """
    end = time.monotonic() + BACKSTOP
    while not ready():
        if not possible():
            assert ready(), f"it can no longer happen: {seen()}"  # just in between
            return
        assert time.monotonic() < end, f"it hangs: {seen()}"
        time.sleep(0.02)
