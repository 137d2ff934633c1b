"""Taking back commits and clicks in a real viewer."""

from __future__ import annotations

import numpy as np
import pytest
from qtpy.QtCore import Qt
from skimage import data
from tests.gui.person import CONTROL

# Middles of two coins.
COIN, SECOND = (51, 155), (124, 45)


def clicks(at) -> int:
    return len(at.person.layer("prompts").data)


def enter(at) -> None:
    at.person.press(Qt.Key.Key_Return)


def take_back(at) -> None:
    at.person.press(Qt.Key.Key_Z, CONTROL)


def test_a_correction_that_only_removed_pixels_can_be_taken_back(coins):
    for at in (COIN, SECOND):
        coins.person.click(*at)
    enter(coins)
    whole = coins.labels == 1
    coins.widget.objects.number.setValue(1)
    coins.person.settle()
    take_back(coins)  # the second click
    enter(coins)
    assert coins.labels[COIN] == 1
    assert coins.labels[SECOND] == 0
    coins.widget.objects.undo.click()
    assert np.array_equal(coins.labels == 1, whole)
    assert coins.bridge.controller.current.number == 1
    coins.widget.objects.undo.click()
    assert coins.labels.max() == 0


def test_one_click_each_taken_back_takes_the_click_along(coins):
    coins.widget.objects.at_once.setChecked(True)
    coins.person.click(*COIN)
    take_back(coins)
    assert coins.labels.max() == 0
    assert clicks(coins) == 0
    coins.person.click(*SECOND)
    assert coins.labels[SECOND] == 1
    assert coins.labels[COIN] == 0


def test_one_click_more_taken_back_leaves_the_object_as_it_was(coins):
    coins.widget.objects.at_once.setChecked(True)
    coins.person.click(*COIN)
    before = coins.labels == 1
    coins.widget.objects.number.setValue(1)
    coins.person.settle()
    coins.person.click(*SECOND)
    assert coins.labels[SECOND] == 1
    take_back(coins)
    assert np.array_equal(coins.labels == 1, before)
    assert coins.bridge.controller.current.prompts.points[0] == pytest.approx(
        COIN, abs=1
    )
    assert len(coins.bridge.controller.current.prompts) == 1


def test_undo_goes_back_to_the_plane_of_the_commit(desk):
    at = desk(np.stack([data.coins()] * 5), scale=(3, 1, 1), translate=(7, 0, 0))
    dims = at.viewer.dims
    dims.set_current_step(0, 2)
    at.widget.model.color.click()
    at.person.wait(60)
    at.person.click(*COIN)
    enter(at)
    assert at.labels[2][COIN] == 1
    dims.set_current_step(0, 4)
    at.person.settle()
    at.widget.objects.undo.click()
    assert at.labels.max() == 0
    assert dims.current_step[0] == 2
    assert len(at.bridge.controller.current.prompts) == 1
    assert "clicks are here again" in at.widget.status.text()


def test_undo_promises_no_clicks_where_none_are(coins):
    coins.person.click(*COIN)
    enter(coins)
    coins.viewer.layers.remove(coins.person.layer("prompts"))
    coins.widget.objects.undo.click()
    assert coins.labels.max() == 0
    assert "object 1" in coins.widget.status.text()
    assert "clicks" not in coins.widget.status.text()
