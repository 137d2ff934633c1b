"""Corrections in a real viewer: refused growth, hand edits, Enter over background."""

from __future__ import annotations

import numpy as np
import pytest
from qtpy.QtCore import Qt
from tests.gui.person import CONTROL, SHIFT
from tests.helpers.fake_colorer import FakeColorer, as_it_is

COIN, SECOND = (51, 155), (124, 45)
GROUND = (88, 130)
SMALL, LARGE = (30, 40), (90, 120)


def enter(at) -> None:
    at.person.press(Qt.Key.Key_Return)


def with_tool(at, mode: str, places, label: int, size: int) -> None:
    """Select the objects, change them by hand, and go back to the clicks."""
    layer = at.person.layer("objects")
    at.viewer.layers.selection.active = layer
    layer.mode, layer.brush_size, layer.selected_label = mode, size, label
    for place in places:
        at.person.click(*place)
    layer.mode = "pan_zoom"
    at.bridge.controller.current.start_clicking()
    at.person.settle()


@pytest.fixture
def two_fields(desk):
    """A small field and, beside it, one many times as large."""
    picture = np.zeros((160, 200, 3), np.uint8)
    picture[20:40, 30:50] = (200, 40, 40)
    picture[20:150, 54:190] = (40, 200, 40)
    from napari_gen2seg.session import Inline, Session

    painter = FakeColorer(as_it_is)
    at = desk(picture, Session(Inline(), load=lambda *a, **k: painter), rgb=True)
    at.widget.model.color.click()
    at.person.wait(60)
    return at


def area(at) -> int:
    view = at.bridge.source.view
    mask = at.session.mask(view, at.bridge.controller.current.prompts)
    return int(np.count_nonzero(mask.full()))


def test_growth_beyond_four_times_is_refused_until_insisted_on(two_fields):
    at = two_fields
    at.person.click(*SMALL)
    before = area(at)
    at.person.click(*LARGE)
    assert area(at) <= 4 * before
    told = at.widget.status.text()
    assert "times as large" in told and "Press I" in told
    at.person.press(Qt.Key.Key_I)
    assert area(at) > 20 * before
    assert list(at.person.layer("prompts").features["sign"]) == [1, 2]
    at.person.press(Qt.Key.Key_Z, CONTROL)
    assert area(at) == before


def test_growth_that_fits_is_not_spoken_of(coins):
    coins.person.click(*COIN)
    coins.person.click(COIN[0] + 4, COIN[1] + 4)
    assert "times as large" not in coins.widget.status.text()
    coins.person.press(Qt.Key.Key_I)
    assert len(coins.person.layer("prompts").data) == 2


def test_clicks_start_from_what_the_eraser_left(coins):
    coins.person.click(*COIN)
    enter(coins)
    whole = coins.labels == 1
    top = (COIN[0] - 12, COIN[1])
    assert whole[top]
    with_tool(coins, "erase", [top], 1, 10)
    erased = coins.labels == 1
    assert erased.any() and not erased[top]

    coins.widget.objects.number.setValue(1)
    coins.person.settle()
    assert coins.bridge.controller.current.number == 1
    assert len(coins.bridge.controller.current.prompts) == 0  # they are in it already
    low = (COIN[0] + 12, COIN[1])
    coins.person.click(*low, SHIFT)
    enter(coins)
    now = coins.labels == 1
    assert not now[top] and not now[low] and now[COIN]
    assert not (now & ~erased).any()
    changed = np.argwhere(now ^ erased)
    assert np.abs(changed - low).max() < 16

    coins.widget.objects.undo.click()
    coins.person.settle()
    np.testing.assert_array_equal(coins.labels == 1, erased)


def test_clicks_start_from_what_was_painted(coins):
    coins.person.click(*COIN)
    enter(coins)
    with_tool(coins, "paint", [(200, 100 + 5 * n) for n in range(9)], 7, 12)
    painted = coins.labels == 7
    assert painted.sum() > 200
    coins.widget.objects.number.setValue(7)
    coins.person.settle()
    view = coins.bridge.source.view
    shown = coins.session.mask(view, coins.bridge.controller.current.prompts)
    np.testing.assert_array_equal(shown.full(), painted)
    coins.person.click(200, 110, SHIFT)
    enter(coins)
    now = coins.labels == 7
    assert not now[200, 110] and now[200, 138]
    assert not (now & ~painted).any()


def test_an_object_that_nobody_touched_is_still_that_of_its_clicks(coins):
    coins.person.click(*COIN)
    enter(coins)
    first = coins.labels == 1
    coins.widget.objects.number.setValue(1)
    coins.person.settle()
    assert len(coins.bridge.controller.current.prompts) == 1
    coins.person.press(Qt.Key.Key_Z, CONTROL)  # the click
    assert len(coins.bridge.controller.current.prompts) == 0
    coins.person.click(*SECOND)
    enter(coins)
    assert coins.labels[SECOND] == 1
    assert not (first & (coins.labels == 1)).any()


def test_enter_over_background_does_nothing(coins):
    coins.person.move(*COIN)
    coins.person.move(*GROUND)
    enter(coins)
    assert coins.person.layer("objects") is None
    assert len(coins.person.layer("prompts").data) == 0
    assert "background" in coins.widget.status.text()
    coins.person.move(*COIN)
    enter(coins)
    assert coins.labels[COIN] == 1


def test_one_click_each_ignores_background(coins):
    coins.widget.objects.at_once.setChecked(True)
    coins.person.click(*GROUND)
    assert coins.person.layer("objects") is None
    assert len(coins.person.layer("prompts").data) == 0
    assert "background" in coins.widget.status.text()
    coins.person.click(*COIN)
    assert coins.labels[COIN] == 1
    assert coins.bridge.controller.current.number == 2
