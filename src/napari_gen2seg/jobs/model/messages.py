"""What the window's process and the models' process say to each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

WARM, LOAD, COLOR, UNLOAD, CANCEL = "warm", "load", "color", "unload", "cancel"
PROGRESS, DONE, FAILED = "progress", "done", "failed"


@dataclass(frozen=True)
class Message:
    """A request or a reply.

    Parameters
    ----------
    verb
        One of the constants above.
    number
        Number of the request; replies carry the number of theirs.
    payload
        Whatever belongs to it.
    """

    verb: str
    number: int
    payload: Any = None


@dataclass(frozen=True)
class Loaded:
    """Facts of the model that is loaded there.

    Parameters
    ----------
    device, dtype, reason
        As those of a `Colorer`.
    spec
        Its `ModelSpec`.
    """

    device: str
    dtype: str
    reason: str
    spec: Any = None
