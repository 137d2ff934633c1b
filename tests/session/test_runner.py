"""The lane: one at a time, latest of a kind wins, replies where they belong."""

from __future__ import annotations

import threading

import pytest
from tests.helpers.waiting import BACKSTOP

from napari_gen2seg.errors import Cancelled
from napari_gen2seg.session import Inline, Lane


class Replies:
    """Collects replies and lets a test wait for them."""

    def __init__(self) -> None:
        self.got: list = []
        self._more = threading.Condition()

    def __call__(self, ticket, value, error) -> None:
        with self._more:
            self.got.append((ticket, value, error))
            self._more.notify()

    def wait(self, count: int) -> list:
        with self._more:
            assert self._more.wait_for(lambda: len(self.got) >= count, BACKSTOP)
        return self.got


@pytest.fixture
def lane():
    made = Lane()
    yield made
    made.close()


def test_work_runs_on_one_other_thread_in_order(lane):
    replies, threads = Replies(), []

    def work(ticket):
        threads.append(threading.get_ident())
        return ticket.kind

    for kind in "abc":
        lane.submit(kind, work, replies)
    assert [value for _, value, _ in replies.wait(3)] == ["a", "b", "c"]
    assert len(set(threads)) == 1
    assert threads[0] != threading.get_ident()


def test_latest_of_a_kind_replaces_waiting_and_cancels_running(lane):
    replies, started, go = Replies(), threading.Event(), threading.Event()

    def slow(ticket):
        started.set()
        go.wait(BACKSTOP)
        ticket.check()
        return "slow"

    first = lane.submit("color", slow, replies)
    assert started.wait(BACKSTOP)
    second = lane.submit("color", lambda t: "second", replies)
    third = lane.submit("color", lambda t: "third", replies)
    go.set()
    got = {ticket.number: (value, error) for ticket, value, error in replies.wait(3)}
    assert first.cancelled
    assert second.cancelled
    assert isinstance(got[first.number][1], Cancelled)
    assert isinstance(got[second.number][1], Cancelled)
    assert got[third.number] == ("third", None)


def test_an_error_is_carried_and_the_lane_goes_on(lane):
    replies = Replies()
    lane.submit("a", lambda t: 1 / 0, replies)
    lane.submit("b", lambda t: "fine", replies)
    got = replies.wait(2)
    assert isinstance(got[0][2], ZeroDivisionError)
    assert got[1][1] == "fine"


def test_progress_is_silent_after_cancel(lane):
    heard, replies = [], Replies()
    started, go = threading.Event(), threading.Event()

    def work(ticket):
        ticket.progress(0.1, "before")
        started.set()
        go.wait(BACKSTOP)
        ticket.progress(0.2, "after")

    ticket = lane.submit("a", work, replies, lambda t, f, text: heard.append(text))
    assert started.wait(BACKSTOP)
    ticket.cancel()
    go.set()
    replies.wait(1)
    assert heard == ["before"]


def test_closed_lane_does_nothing_and_forgets_what_waits():
    lane, ran = Lane(), []
    started, go = threading.Event(), threading.Event()

    def slow(_):
        started.set()
        go.wait(BACKSTOP)

    running = lane.submit("a", slow, lambda *_: None)
    assert started.wait(BACKSTOP)
    lane.submit("b", lambda t: ran.append("b"), lambda *_: None)
    lane.close()
    go.set()
    late = lane.submit("c", lambda t: ran.append("c"), lambda *_: None)
    lane.close(wait=BACKSTOP)
    assert running.cancelled
    assert late.cancelled
    assert ran == []


def test_replies_go_through_deliver():
    posted, arrived = [], threading.Event()

    def deliver(call):
        posted.append(call)
        arrived.set()

    lane, replies = Lane(deliver), Replies()
    lane.submit("a", lambda t: 5, replies)
    assert arrived.wait(BACKSTOP)
    assert replies.got == []
    posted[0]()
    assert replies.got[0][1] == 5
    lane.close()


def test_inline_replies_before_it_returns():
    replies = Replies()
    Inline().submit("a", lambda t: 5, replies)
    assert replies.got[0][1] == 5
