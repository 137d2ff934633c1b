"""Undo leaves nothing behind that nobody sees, and redo does it all again."""

from __future__ import annotations

import numpy as np
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from tests.gui.person import CONTROL, SHIFT

COIN, SECOND, THIRD = (51, 155), (124, 45), (125, 102)


def keep(at, *places) -> None:
    for place in places:
        at.person.click(*place)
        at.person.press(Qt.Key.Key_Return)


def again(at) -> None:
    at.person.press(Qt.Key.Key_Z, CONTROL | SHIFT)


def objects_clicked(at) -> list[int]:
    return [int(n) for n in at.person.layer("prompts").features["object"]]


def test_undoing_two_commits_by_the_button_skips_no_number(coins):
    keep(coins, COIN, SECOND)
    coins.widget.objects.undo.click()
    coins.widget.objects.undo.click()
    coins.person.settle()
    assert coins.labels.max() == 0
    assert objects_clicked(coins) == [1]  # those of 2 would be seen by nobody
    assert coins.bridge.controller.current.number == 1
    coins.person.press(Qt.Key.Key_Return)
    keep(coins, THIRD)
    assert coins.labels[COIN] == 1
    assert coins.labels[THIRD] == 2


def test_redo_brings_commits_back_with_their_clicks(coins):
    keep(coins, COIN, SECOND)
    whole = coins.labels.copy()
    coins.person.click(*THIRD)
    for _ in range(2):
        coins.widget.objects.undo.click()
    assert coins.labels.max() == 0
    for _ in range(2):
        coins.widget.objects.redo.click()
    coins.person.settle()
    assert np.array_equal(coins.labels, whole)
    assert objects_clicked(coins) == [1, 2, 3]
    assert coins.bridge.controller.current.number == 3
    assert len(coins.bridge.controller.current.prompts) == 1
    assert coins.person.layer("preview").data[THIRD]
    coins.person.press(Qt.Key.Key_Return)
    assert coins.labels[THIRD] == 3


def test_redo_of_clicks_and_of_what_escape_removed(coins):
    coins.person.click(*COIN)
    coins.person.click(*SECOND, modifier=SHIFT)
    before = coins.bridge.controller.current.prompts
    coins.person.press(Qt.Key.Key_Z, CONTROL)
    assert len(coins.bridge.controller.current.prompts) == 1
    again(coins)
    assert coins.bridge.controller.current.prompts == before
    coins.person.press(Qt.Key.Key_Escape)
    assert not len(coins.bridge.controller.current.prompts)
    again(coins)
    assert coins.bridge.controller.current.prompts == before
    again(coins)
    assert coins.bridge.controller.current.prompts == before
    assert coins.widget.status.text() == "Nothing to do again."


def test_something_new_ends_what_can_be_redone(coins):
    keep(coins, COIN)
    coins.widget.objects.undo.click()
    coins.person.press(Qt.Key.Key_Escape)
    keep(coins, SECOND)
    before = coins.labels.copy()
    coins.widget.objects.redo.click()
    assert np.array_equal(coins.labels, before)


def test_redo_of_an_edit_by_hand(coins):
    keep(coins, COIN)
    layer = coins.person.layer("objects")
    layer.fill((290, 10), 7)
    painted = coins.labels.copy()
    coins.widget.objects.undo.click()
    assert not (coins.labels == 7).any()
    coins.widget.objects.redo.click()
    assert np.array_equal(coins.labels, painted)


def test_a_typed_number_and_enter_go_there_and_commit_nothing(coins):
    keep(coins, COIN, SECOND)
    before = coins.labels.copy()
    coins.person.move(*THIRD)  # lit: Enter on the canvas would commit it
    field = coins.widget.objects.number
    field.setFocus()
    field.selectAll()
    QTest.keyClicks(field, "1")
    QTest.keyClick(field, Qt.Key.Key_Return)
    coins.person.settle()
    assert coins.bridge.controller.current.number == 1
    assert len(coins.bridge.controller.current.prompts) == 1
    assert np.array_equal(coins.labels, before)
    QTest.keyClick(field, Qt.Key.Key_Return)  # the same number again
    coins.person.settle()
    assert np.array_equal(coins.labels, before)
