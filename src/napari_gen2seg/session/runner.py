"""Worker threads: one lane for slow work; the latest request of a kind wins.

A lane is one thread, so two models never run at once. A request comes back as a
call of its ``done``, on the thread that ``deliver`` chooses. Tests inject
:class:`Inline`, or a runner of their own, and need no waiting.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from napari_gen2seg.errors import Cancelled

Task = Callable[["Ticket"], Any]
Done = Callable[["Ticket", Any, BaseException | None], None]
Report = Callable[["Ticket", float | None, str], None]
Deliver = Callable[[Callable[[], None]], None]


@dataclass(eq=False)
class Ticket:
    """One request on its way: the handle to cancel it, and its number.

    Parameters
    ----------
    kind
        Requests of one kind replace each other; those of different kinds queue.
    number
        Rises with every request; replies to an older number are stale.
    """

    kind: str
    number: int
    _asked: threading.Event = field(default_factory=threading.Event)
    _report: Callable[[float | None, str], None] | None = None

    def cancel(self) -> None:
        """Ask the work to stop; it does so at its next step."""
        self._asked.set()

    @property
    def cancelled(self) -> bool:
        """Whether it was asked to stop."""
        return self._asked.is_set()

    def listen(self, report: Callable[[float | None, str], None]) -> None:
        """Say who hears of the progress."""
        self._report = report

    def progress(self, fraction: float | None, text: str = "") -> None:
        """Say how far the work is: 0..1, or None when unknown."""
        if self._report is not None and not self.cancelled:
            self._report(fraction, text)

    def check(self) -> None:
        """Raise if it was asked to stop.

        Raises
        ------
        Cancelled
            After :meth:`cancel`.
        """
        if self.cancelled:
            raise Cancelled("Stopped as asked; nothing was changed.")


class Runner(Protocol):
    """Where slow work runs."""

    def submit(
        self, kind: str, work: Task, done: Done, report: Report | None = None
    ) -> Ticket:
        """Run ``work(ticket)``, then call ``done(ticket, value, error)``.

        An older request of the same ``kind`` is cancelled first.
        """
        ...

    def close(self) -> None:
        """Cancel everything and accept nothing more."""
        ...


def _directly(call: Callable[[], None]) -> None:
    call()


class Inline:
    """A runner that does the work at once, in the caller's thread."""

    def __init__(self) -> None:
        self._count = 0
        self._closed = False

    def submit(
        self, kind: str, work: Task, done: Done, report: Report | None = None
    ) -> Ticket:
        """Run and reply before returning."""
        self._count += 1
        ticket = Ticket(kind, self._count)
        if self._closed:
            ticket.cancel()
            return ticket
        if report is not None:
            ticket.listen(lambda fraction, text: report(ticket, fraction, text))
        value, error = _attempt(work, ticket)
        done(ticket, value, error)
        return ticket

    def close(self) -> None:
        """Accept nothing more."""
        self._closed = True


class Lane:
    """A runner with one thread of its own, started when first needed.

    Parameters
    ----------
    deliver
        Receives every reply as a call without arguments and makes it on the
        right thread; by default the reply is made on the lane's own thread.
    name
        Name of the thread, seen in debuggers.
    """

    def __init__(self, deliver: Deliver = _directly, name: str = "gen2seg") -> None:
        self._deliver = deliver
        self._name = name
        self._count = 0
        self._waiting: deque[tuple[Ticket, Task, Done]] = deque()
        self._running: Ticket | None = None
        self._thread: threading.Thread | None = None
        self._turn = threading.Condition()
        self._closed = False

    def submit(
        self, kind: str, work: Task, done: Done, report: Report | None = None
    ) -> Ticket:
        """Queue the work; see :class:`Runner`."""
        with self._turn:
            self._count += 1
            ticket = Ticket(kind, self._count)
            if self._closed:
                ticket.cancel()
                return ticket
            if report is not None:
                tell = report  # narrowed for the closure
                ticket.listen(
                    lambda fraction, text: self._deliver(
                        lambda: tell(ticket, fraction, text)
                    )
                )
            if self._running is not None and self._running.kind == kind:
                self._running.cancel()
            replaced = [entry for entry in self._waiting if entry[0].kind == kind]
            for entry in replaced:
                entry[0].cancel()
                self._waiting.remove(entry)
            self._waiting.append((ticket, work, done))
            if self._thread is None:
                # A daemon: closing the program never waits for a network.
                self._thread = threading.Thread(
                    target=self._work, name=self._name, daemon=True
                )
                self._thread.start()
            self._turn.notify()
        for old, _, old_done in replaced:
            self._reply(old, old_done, None, Cancelled("Replaced by a newer request."))
        return ticket

    def close(self, wait: float = 0.0) -> None:
        """Cancel everything; wait at most ``wait`` seconds for the thread."""
        with self._turn:
            self._closed = True
            for ticket, _, _ in self._waiting:
                ticket.cancel()
            self._waiting.clear()
            if self._running is not None:
                self._running.cancel()
            self._turn.notify()
        if wait and self._thread is not None:
            self._thread.join(wait)

    def _work(self) -> None:
        while True:
            with self._turn:
                while not self._waiting and not self._closed:
                    self._turn.wait()
                if self._closed:
                    return
                ticket, work, done = self._waiting.popleft()
                self._running = ticket
            value, error = _attempt(work, ticket)
            with self._turn:
                self._running = None
            self._reply(ticket, done, value, error)
            del value, error, work, done, ticket  # hold no picture while idle

    def _reply(
        self, ticket: Ticket, done: Done, value: Any, error: BaseException | None
    ) -> None:
        self._deliver(lambda: done(ticket, value, error))


def _attempt(work: Task, ticket: Ticket) -> tuple[Any, BaseException | None]:
    """Do the work; an exception is a value here, because it must reach a person."""
    try:
        ticket.check()
        return work(ticket), None
    except Exception as error:  # noqa: BLE001 - carried to the caller's thread
        return None, error
