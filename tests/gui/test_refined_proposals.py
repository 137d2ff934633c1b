"""Proposals in the window get the outlines of the learned probe, behind the person."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from qtpy.QtCore import Qt
from tests.gui.person import CONTROL, SHIFT
from tests.gui.test_learned_probe import measured
from tests.helpers.stepped import Stepped
from tests.helpers.tiny_probe import tiny_probe_as_mini

from napari_gen2seg.core.candidates import paint, select
from napari_gen2seg.core.learned_probe.choice import LEARNED, SIMILARITY
from napari_gen2seg.models.probes import find_candidates
from napari_gen2seg.models.probes import propose as propose_headless

COIN, SECOND = (51, 155), (124, 45)


@pytest.fixture(autouse=True)
def tiny() -> Iterator[None]:
    with tiny_probe_as_mini():
        yield


@pytest.fixture
def offered(desk, memory):
    """Coins with proposals, whose outlines wait to be drawn anew."""
    memory.set("proposals", True)
    at = desk()
    review = at.bridge.controller.review
    at.later = Stepped()
    review.refiner._finder = at.later
    at.coloring = measured(at)
    at.person.until(lambda: review.review is not None)
    return at


def candidates(at):
    return at.bridge.controller.review.review.candidates


def point_at(at, place) -> None:
    at.person.move(88, 130)  # the pointer may be there already, which is no move
    at.person.move(*place)


def draw_all(at) -> None:
    while at.later.jobs:
        at.later.step()
    at.person.settle()


def equal(first, second) -> bool:
    return all(
        np.array_equal(one.array, other.array)
        for one, other in zip(first.masks, second.masks, strict=True)
    )


def test_they_come_later_and_are_those_of_the_command_line(offered):
    found = candidates(offered)
    assert found.method == SIMILARITY
    counter = offered.widget.review.counter
    assert counter.text().endswith("left, outlines being refined")
    draw_all(offered)
    refined = candidates(offered)
    assert refined.method == LEARNED and counter.text().endswith(" left")
    assert not equal(refined, found)
    wanted = find_candidates(offered.coloring)
    assert equal(refined, wanted)
    np.testing.assert_array_equal(refined.scores, wanted.scores)
    # What is drawn and kept is these, and as many as without a window.
    review = offered.bridge.controller.review
    index = review.review.at(COIN)
    edge, (row, col) = review._plane().outlines.of(index)
    crop, corner = refined.masks[index].window()
    assert (row, col) == corner and edge.shape == crop.shape
    review.keep_all()
    assert "outlines" not in offered.widget.status.text()
    labels = offered.labels
    headless = propose_headless(offered.coloring)
    np.testing.assert_array_equal(labels > 0, headless > 0)
    pairs = np.unique(np.stack([labels.ravel(), headless.ravel()]), axis=1)
    assert pairs.shape[1] == len(np.unique(labels)) == len(np.unique(headless))


def test_what_was_dropped_or_kept_before_stays_so(offered):
    review = offered.bridge.controller.review
    point_at(offered, SECOND)
    offered.person.press(Qt.Key.Key_D)
    point_at(offered, COIN)
    offered.person.press(Qt.Key.Key_Return)
    before, kept = review.review.counts, offered.labels.copy()
    assert (before.kept, before.dropped) == (1, 1)
    assert "in the map's outlines" in offered.widget.status.text()
    draw_all(offered)
    now = review.review.counts
    assert (now.kept, now.dropped) == (1, 1)
    np.testing.assert_array_equal(offered.labels, kept)
    for _ in range(2):
        offered.person.press(Qt.Key.Key_Z, CONTROL)
    assert review.review.counts.dropped == 0 and not offered.labels.any()
    for _ in range(2):
        offered.person.press(Qt.Key.Key_Z, CONTROL | SHIFT)
    assert review.review.counts.dropped == 1 and offered.labels.any()


def test_the_switch_goes_back_to_the_outlines_of_the_map_and_forth(offered):
    found = candidates(offered)
    draw_all(offered)
    panel = offered.widget.probe
    panel.method.textActivated.emit(SIMILARITY)
    draw_all(offered)
    assert candidates(offered) is found
    panel.method.textActivated.emit(LEARNED)
    draw_all(offered)
    assert candidates(offered).method == LEARNED
    chosen = select(candidates(offered))
    headless = propose_headless(offered.coloring, method=LEARNED)
    np.testing.assert_array_equal(paint(candidates(offered), chosen), headless)


def test_a_busy_model_is_asked_again(offered, monkeypatch):
    from napari_gen2seg.errors import Cancelled

    refiner = offered.bridge.controller.review.refiner
    probe = refiner._work._probe
    refined = type(probe).refined
    busy = [True]

    def sometimes(self, *asked):
        if busy:
            busy.pop()
            raise Cancelled("The model is busy with something else.")
        return refined(self, *asked)

    monkeypatch.setattr(type(probe), "refined", sometimes)
    left = refiner.left
    offered.later.step()
    assert refiner.left == left and not offered.later.jobs
    offered.person.until(lambda: bool(offered.later.jobs))
    draw_all(offered)
    assert candidates(offered).method == LEARNED


def test_no_outline_is_drawn_of_a_plane_that_is_out_of_sight(offered):
    refiner = offered.bridge.controller.review.refiner
    assert refiner.left
    offered.bridge.controller.review.turn(False)
    assert not refiner.left
    draw_all(offered)
    offered.bridge.controller.review.turn(True)
    draw_all(offered)
    assert candidates(offered).method == LEARNED


def test_without_the_network_the_outlines_of_the_map_are_good_enough(
    offered, monkeypatch
):
    from napari_gen2seg.errors import WeightsError

    refiner = offered.bridge.controller.review.refiner

    def gone(*_asked):
        raise WeightsError("The weights are gone.")

    monkeypatch.setattr(type(refiner._work._probe), "refined", gone)
    draw_all(offered)
    assert candidates(offered).method == SIMILARITY and not refiner.left
    point_at(offered, COIN)
    offered.person.press(Qt.Key.Key_Return)
    assert offered.labels.any()
