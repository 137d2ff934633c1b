"""Undo and redo over the border between this session's acts and those of before."""

from __future__ import annotations

import numpy as np
import pytest
from qtpy.QtCore import Qt
from tests.gui.person import CONTROL, SHIFT

from napari_gen2seg.errors import DiskFullError
from napari_gen2seg.project.journal.writer import JournalWriter

COIN, SECOND, THIRD = (51, 155), (124, 45), (125, 102)


def keep(at, *places) -> None:
    for place in places:
        at.person.click(*place)
        at.person.press(Qt.Key.Key_Return)


def undo(at) -> None:
    at.person.press(Qt.Key.Key_Z, CONTROL)


def redo(at) -> None:
    at.person.press(Qt.Key.Key_Z, CONTROL | SHIFT)


def restart(at, desk):
    """Close the window, open the picture again, and go on."""
    at.widget.close_session()
    at.viewer.layers.clear()
    again = desk()
    again.widget.objects.saving.go_on.click()
    again.widget.model.color.click()
    again.person.wait(60)
    return again


def held(at) -> np.ndarray:
    """The labels, which the journal has too."""
    np.testing.assert_array_equal(at.widget.keeper.layer.journal.labels(), at.labels)
    return at.labels.copy()


@pytest.fixture
def later(coins, desk):
    """A window opened again on two kept coins."""
    keep(coins, COIN, SECOND)
    return restart(coins, desk)


def test_what_was_taken_back_last_is_done_again_first(later):
    before = held(later)
    keep(later, THIRD)
    after = held(later)
    undo(later)  # the click comes back, and goes next
    undo(later)
    np.testing.assert_array_equal(held(later), before)
    undo(later)
    assert held(later)[SECOND] == 0
    redo(later)
    np.testing.assert_array_equal(held(later), before)
    for _ in range(2):
        redo(later)
    np.testing.assert_array_equal(held(later), after)


def test_the_buttons_go_the_same_way_back(later):
    keep(later, THIRD)
    states = [held(later)]
    for _ in range(3):
        later.widget.objects.undo.click()
        states.append(held(later))
    assert not states.pop().any()
    while states:
        later.widget.objects.redo.click()
        np.testing.assert_array_equal(held(later), states.pop())
    later.widget.objects.undo.click()
    assert held(later)[THIRD] == 0
    assert held(later)[SECOND] == 2


def test_strokes_of_naparis_brush_come_after_what_was_before_them(later):
    before = held(later)
    layer = later.person.layer("objects")
    layer.fill((290, 10), 7)
    after = held(later)
    for _ in range(2):
        later.widget.objects.undo.click()
    assert held(later)[SECOND] == 0
    later.widget.objects.redo.click()
    np.testing.assert_array_equal(held(later), before)
    later.widget.objects.redo.click()
    np.testing.assert_array_equal(held(later), after)


def test_an_object_kept_again_as_it_was_before_it_was_deleted(coins, desk):
    """Taking the deletion back shows the very same pixels."""
    keep(coins, COIN)
    coins.person.move(*COIN)
    coins.person.press(Qt.Key.Key_D)
    assert not coins.labels.any()
    at = restart(coins, desk)
    keep(at, COIN)
    kept = held(at)
    at.widget.objects.undo.click()
    assert not held(at).any()
    at.widget.objects.undo.click()  # the deletion
    np.testing.assert_array_equal(held(at), kept)
    at.widget.objects.undo.click()
    assert not held(at).any()
    at.widget.objects.redo.click()
    np.testing.assert_array_equal(held(at), kept)
    at.widget.objects.redo.click()
    assert not held(at).any()
    at.widget.objects.redo.click()
    np.testing.assert_array_equal(held(at), kept)
    at.widget.objects.undo.click()
    assert not held(at).any()


def test_something_new_ends_what_was_taken_back_of_before(later):
    later.widget.objects.undo.click()
    keep(later, THIRD)
    after = held(later)
    redo(later)
    np.testing.assert_array_equal(held(later), after)
    assert later.widget.status.text() == "Nothing to do again."


def test_a_stroke_ends_what_was_taken_back_of_before(later):
    keep(later, THIRD)
    for _ in range(2):
        later.widget.objects.undo.click()
    later.person.layer("objects").fill((290, 10), 7)
    after = held(later)
    later.widget.objects.redo.click()
    np.testing.assert_array_equal(held(later), after)
    assert "cannot be done again" in later.widget.status.text()


def test_what_cannot_be_written_is_taken_back_all_the_same(later, monkeypatch):
    def full(self):
        raise DiskFullError("The disk is full.")

    monkeypatch.setattr(JournalWriter, "write", full)
    later.widget.objects.undo.click()
    assert later.labels[SECOND] == 0
    assert later.widget.keeper.layer.state == "not saved"
    monkeypatch.undo()
    later.widget.keeper.layer.retry()
    assert held(later)[COIN] == 1
    later.widget.objects.redo.click()
    assert held(later)[SECOND] == 2
