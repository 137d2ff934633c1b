"""Progress and cancelling, in the two shapes people pass them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from napari_gen2seg.errors import Cancelled

#: Called with a fraction 0..1 (None when unknown) and a sentence.
Progress = Callable[[float | None, str], None]


class EventLike(Protocol):
    """Anything like `threading.Event`."""

    def is_set(self) -> bool:
        """Tell whether to stop."""
        ...


#: Asked between stages: a callable that returns True, or an event that is set.
Cancel = Callable[[], bool] | EventLike


def is_cancelled(cancel: Cancel | None) -> bool:
    """Tell whether to stop; never without somebody to ask."""
    if cancel is None:
        return False
    return cancel() if callable(cancel) else cancel.is_set()


def check_cancel(cancel: Cancel | None, what: str = "The work") -> None:
    """Stop when asked to.

    Raises
    ------
    Cancelled
        If ``cancel`` says so.
    """
    if is_cancelled(cancel):
        raise Cancelled(f"{what} was cancelled.")


def report(progress: Progress | None, fraction: float | None, text: str) -> None:
    """Tell the progress callback, when there is one."""
    if progress is not None:
        progress(fraction, text)
