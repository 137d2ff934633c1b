"""A runner that works when it is told to, so that anything can come between."""

from __future__ import annotations

from typing import Any

from napari_gen2seg.session import Ticket


class Stepped:
    """Keeps what is submitted until `step`; otherwise as the session's lane."""

    def __init__(self) -> None:
        self.jobs: list[tuple[Ticket, Any, Any]] = []

    def submit(self, kind: str, work: Any, done: Any, report: Any = None) -> Ticket:
        for ticket, *_ in self.jobs:
            if ticket.kind == kind:
                ticket.cancel()
        ticket = Ticket(kind, len(self.jobs))
        if report is not None:
            ticket.listen(lambda fraction, text: report(ticket, fraction, text))
        self.jobs.append((ticket, work, done))
        return ticket

    def close(self) -> None:
        self.jobs.clear()

    def step(self, place: int = 0, *, heed_cancel: bool = True) -> None:
        """Do one of the jobs, and hand out its reply."""
        ticket, work, done = self.jobs.pop(place)
        value = error = None
        try:
            if heed_cancel:
                ticket.check()
            value = work(ticket)
        except Exception as caught:  # noqa: BLE001 - handed on, as a lane does
            error = caught
        done(ticket, value, error)
