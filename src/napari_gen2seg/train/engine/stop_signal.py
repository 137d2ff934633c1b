"""Stop when asked to: a signal is remembered, and looked for between two steps."""

from __future__ import annotations

import signal
from collections.abc import Callable


def asked_to_stop() -> Callable[[], bool]:
    """Return what tells whether SIGTERM or Ctrl+C has come.

    From now on neither of them ends this process by itself.
    """
    heard = False

    def hear(*_: object) -> None:
        nonlocal heard
        heard = True

    signal.signal(signal.SIGINT, hear)
    signal.signal(signal.SIGTERM, hear)
    return lambda: heard
