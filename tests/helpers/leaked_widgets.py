"""Windows that a test leaves behind, and who still holds them."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from qtpy.QtCore import QCoreApplication, QEvent
from qtpy.QtWidgets import QApplication, QWidget

HOLDERS = 6  # named for each leaked widget; more says nothing more


class LeakedWidgets(AssertionError):
    """A test ended and windows of its own are still there."""


@contextmanager
def none_left_behind() -> Iterator[None]:
    """Fail where a window made inside is still there at the end.

    What was there before does not count, nor what belongs to it (a menu of the window
    that a whole file of tests shares).
    """
    before = QApplication.topLevelWidgets()
    yield
    left = _left(before)
    if left:
        # Collecting circles takes a third of a second beside napari: only now.
        let_go()
        left = _left(before)
    if left:
        raise LeakedWidgets("\n".join(_described(widget) for widget in left))


def _left(before: list[QWidget]) -> list[QWidget]:
    """Return the windows that are neither of these nor belong to one of them."""
    _delete()
    return [
        widget
        for widget in QApplication.topLevelWidgets()
        if not any(ancestor in before for ancestor in _line(widget))
    ]


def let_go() -> None:
    """Do what Qt and Python put off: delete, and collect circles."""
    for _ in range(2):
        gc.collect()
        _delete()


def _delete() -> None:
    """Let Qt delete what was told to go later."""
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    QCoreApplication.processEvents()


def _line(widget: QWidget) -> list[QWidget]:
    """Return a widget and all above it."""
    line = []
    above: QWidget | None = widget
    while above is not None:
        line.append(above)
        above = above.parentWidget()
    return line


def _described(widget: QWidget) -> str:
    name = widget.objectName() or widget.windowTitle() or "no name"
    lines = [f"{type(widget).__module__}.{type(widget).__qualname__} ({name}), held by"]
    holders = [one for one in gc.get_referrers(widget) if not _ours(one)]
    lines += [f"    {_holder(one)}" for one in holders[:HOLDERS]]
    return "\n".join(lines if holders else [*lines, "    nobody in Python"])


def _ours(holder: Any) -> bool:
    """Tell whether it is a frame or list of this very search."""
    return (
        type(holder).__name__ == "frame" and holder.f_code.co_filename == __file__
    ) or (isinstance(holder, list) and all(isinstance(w, QWidget) for w in holder))


def _holder(holder: Any) -> str:
    kind = f"{type(holder).__module__}.{type(holder).__qualname__}"
    if type(holder).__name__ == "frame":
        return f"frame of {holder.f_code.co_qualname}, line {holder.f_lineno}"
    if isinstance(holder, dict):
        owners = [
            one
            for one in gc.get_referrers(holder)
            if getattr(one, "__dict__", None) is holder
        ]
        return (
            f"attributes of {owners[0]!r:.120}"
            if owners
            else f"dict {set(holder)!r:.120}"
        )
    return f"{kind} {holder!r:.120}"
