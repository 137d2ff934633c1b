"""Messages between the client and the server of the model process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari_gen2seg.models.spec import ModelSpec

WARM, LOAD, COLOR, PREDICT = "warm", "load", "color", "predict"
PROBE, UNLOAD, CANCEL = "probe", "unload", "cancel"
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
    device, dtype, reason, spec, notes
        As those of a `Colorer`.
    """

    device: str
    dtype: str
    reason: str
    spec: ModelSpec
    notes: tuple[str, ...] = ()
