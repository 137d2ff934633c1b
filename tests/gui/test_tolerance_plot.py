"""The graph of area against tolerance, drawn after a click without a wait."""

from __future__ import annotations

import pytest

COIN = (51, 155)


@pytest.fixture
def asked(desk, monkeypatch):
    """Coloured coins, and what was asked for exact masks and shown in the graph."""
    at = desk()
    at.widget.model.color.click()
    at.person.wait(60)
    at.exact, at.shown = [], []
    exact, show = at.session.mask, at.widget.probe.show_curve
    monkeypatch.setattr(at.session, "mask", lambda *a: at.exact.append(a) or exact(*a))
    monkeypatch.setattr(
        at.widget.probe, "show_curve", lambda *a: at.shown.append(a) or show(*a)
    )
    return at


def test_drawing_the_graph_finds_no_mask_and_shows_its_tolerance(asked):
    asked.person.click(*COIN)
    asked.person.until(lambda: asked.shown)
    asked.person.wait(100)
    assert asked.exact == []  # a large one would stop the window for a second
    curve, now = asked.shown[-1]
    assert curve is not None
    mask = asked.session.mask(
        asked.bridge.source.view, asked.bridge.controller.current.prompts
    )
    assert now == pytest.approx(mask.tolerance)


def test_a_chosen_tolerance_is_the_one_in_the_graph(asked):
    asked.session.probing.set(tolerance=33.0)
    asked.person.click(*COIN)
    # The graph may be drawn before the new tolerance has come, and then once more.
    asked.person.until(lambda: asked.shown and asked.shown[-1][1] == 33.0)
