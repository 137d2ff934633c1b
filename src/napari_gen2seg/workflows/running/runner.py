"""Work as calls and trees of calls, so that others can do it; here: this process."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from napari_gen2seg.common.progress import Cancel, check_cancel

FAN = 4
"""How many parts of a tree become one."""


class Runner(Protocol):
    """Who does the work. What is called must be a function of a module."""

    @property
    def workers(self) -> int:
        """How many calls run at a time."""
        ...

    def call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Make one call."""
        ...

    def each(
        self, function: Callable[..., Any], calls: Sequence[tuple[Any, ...]]
    ) -> Iterator[tuple[int, Any]]:
        """Make many calls; yield the place and the answer of each when it is there."""
        ...

    def tree(
        self,
        leaf: Callable[..., Any],
        calls: Sequence[tuple[Any, ...]],
        merge: Callable[[list[Any]], Any],
        finish: Callable[[Any], Any],
    ) -> Any:
        """Merge what many calls answer, some at a time, until one is left; finish it.

        Only what `finish` returns comes back here.
        """
        ...


@dataclass(frozen=True)
class InProcess:
    """Does the work here, one call after the other.

    Attributes
    ----------
    cancel
        Asked before each call.
    """

    cancel: Cancel | None = None
    workers: int = 1

    def call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Make one call."""
        check_cancel(self.cancel)
        return function(*arguments)

    def each(
        self, function: Callable[..., Any], calls: Sequence[tuple[Any, ...]]
    ) -> Iterator[tuple[int, Any]]:
        """Make many calls; yield the place and the answer of each."""
        for place, arguments in enumerate(calls):
            yield place, self.call(function, *arguments)

    def tree(
        self,
        leaf: Callable[..., Any],
        calls: Sequence[tuple[Any, ...]],
        merge: Callable[[list[Any]], Any],
        finish: Callable[[Any], Any],
    ) -> Any:
        """Merge what many calls answer, as soon as there are enough of a kind."""
        # A stack of (height, part): no more are in memory than a tree is high.
        stack: list[tuple[int, Any]] = []
        for arguments in calls:
            stack.append((0, self.call(leaf, *arguments)))
            while len(stack) >= FAN and len({h for h, _ in stack[-FAN:]}) == 1:
                height, _ = stack[-1]
                parts = [part for _, part in stack[-FAN:]]
                stack[-FAN:] = [(height + 1, merge(parts))]
        return finish(merge([part for _, part in stack]))
