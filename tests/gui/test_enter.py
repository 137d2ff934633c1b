"""Enter over what the pointer is on, once and again, in a real viewer."""

from __future__ import annotations

import numpy as np
import pytest
from qtpy.QtCore import Qt

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
    assert "overwriting" in coins.widget.status.text()
    assert clicks(coins) == 1
    assert len(coins.bridge.controller.current.prompts) == 0


def test_one_click_each_that_fails_does_not_join_the_next(coins):
    coins.widget.objects.at_once.setChecked(True)
    coins.person.click(*COIN)
    coins.person.click(*COIN)
    assert "overwriting" in coins.widget.status.text()
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
