"""Enter over what the pointer is on, once and again, in a real viewer."""

from __future__ import annotations

import numpy as np
import pytest
from qtpy.QtCore import Qt
from tests.gui.person import CONTROL, SHIFT

# Middles of two coins, and a place between coins.
COIN, SECOND = (51, 155), (124, 45)
GROUND = (88, 130)


def clicks(at) -> int:
    return len(at.person.layer("prompts").data)


def enter(at) -> None:
    at.person.press(Qt.Key.Key_Return)


def point_at(at, place) -> None:
    at.person.move(*GROUND)  # the pointer may be there already, which is no move
    at.person.move(*place)


@pytest.mark.parametrize("overwrite", [False, True])
def test_enter_twice_is_as_good_as_once(coins, overwrite):
    coins.widget.objects.overwrite.setChecked(overwrite)
    point_at(coins, COIN)
    enter(coins)
    enter(coins)
    assert coins.labels[COIN] == 1
    assert coins.bridge.controller.current.number == 2
    assert clicks(coins) == 1
    assert "Nothing to commit" in coins.widget.status.text()
    coins.person.click(*SECOND)
    enter(coins)
    assert coins.labels[SECOND] == 2
    assert coins.labels[COIN] == 1
    assert len(np.unique(coins.labels)) == 3


def test_enter_over_what_is_kept_already_leaves_no_click(coins):
    coins.person.click(*COIN)
    enter(coins)
    point_at(coins, COIN)
    enter(coins)
    assert "which is kept already" in coins.widget.status.text()
    assert clicks(coins) == 1
    assert len(coins.bridge.controller.current.prompts) == 0


def test_a_mask_that_is_mostly_a_kept_object_makes_no_scrap_around_it(coins):
    point_at(coins, COIN)
    enter(coins)
    for _ in range(2):
        coins.person.press(Qt.Key.Key_G, SHIFT)  # a rim is free now
    before = coins.labels.copy()
    for act in ("point", "click"):
        if act == "click":
            coins.person.click(*COIN)
        else:
            point_at(coins, COIN)
        enter(coins)
        np.testing.assert_array_equal(coins.labels, before)
        assert "This is object 1" in coins.widget.status.text()
        assert len(coins.bridge.controller.current.prompts) == 0
    # Both ways out work.
    coins.person.click(*COIN, CONTROL)
    enter(coins)
    assert (coins.labels == 1).sum() >= (before == 1).sum()
    coins.widget.objects.overwrite.setChecked(True)
    coins.person.click(*COIN)
    enter(coins)
    assert coins.labels[COIN] == 2
    assert len(np.unique(coins.labels)) == 2


def test_one_click_each_that_fails_does_not_join_the_next(coins):
    coins.widget.objects.at_once.setChecked(True)
    coins.person.click(*COIN)
    coins.person.click(*COIN)
    assert "which is kept already" in coins.widget.status.text()
    assert clicks(coins) == 1
    coins.person.click(*SECOND)
    assert coins.labels[SECOND] == 2
    assert "left to other objects" not in coins.widget.status.text()


def test_enter_over_an_object_works_with_one_click_each_too(coins):
    coins.widget.objects.at_once.setChecked(True)
    point_at(coins, COIN)
    enter(coins)
    assert coins.labels[COIN] == 1
    assert "Object 1:" in coins.widget.status.text()
    assert coins.bridge.controller.current.number == 2
