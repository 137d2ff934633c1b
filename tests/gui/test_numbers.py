"""Which number an object gets where others have theirs, in a real viewer."""

from __future__ import annotations

import numpy as np
import pytest
from qtpy.QtCore import Qt
from tests.helpers.stepped import Stepped

COIN, SECOND = (51, 155), (124, 45)
GROUND = (88, 130)


@pytest.fixture
def mine(desk):
    """Coloured coins, and a Labels layer with objects 1 and 2."""
    at = desk()
    there = np.zeros((303, 384), np.int32)
    there[:6, :20], there[10:16, :20] = 1, 2
    at.before = there.copy()
    at.mine = at.viewer.add_labels(there, name="mine")
    at.widget.objects.target.choose(None)  # it was taken at once
    at.widget.model.color.click()
    at.person.wait(60)
    at.bridge.controller.current.next_object()  # the first of a layer to come
    return at


def enter(at) -> None:
    at.person.press(Qt.Key.Key_Return)


def assert_untouched(at) -> None:
    old = at.before > 0
    assert np.array_equal(at.mine.data[old], at.before[old])


def test_an_object_clicked_before_its_layer_was_chosen_replaces_nothing(mine):
    mine.person.click(*COIN)
    assert mine.bridge.controller.current.number == 1
    mine.widget.objects.target.choose(mine.mine)
    enter(mine)
    assert_untouched(mine)
    assert mine.mine.data[COIN] == 3
    assert "Object 3:" in mine.widget.status.text()
    assert mine.widget.objects.number.value() == 4
    assert list(mine.person.layer("prompts").features["object"]) == [3]
    mine.widget.objects.undo.click()
    assert mine.bridge.controller.current.number == 3
    assert len(mine.bridge.controller.current.prompts) == 1


def test_a_label_painted_meanwhile_keeps_its_number(mine):
    mine.widget.objects.target.choose(mine.mine)
    mine.person.click(*COIN)
    assert mine.bridge.controller.current.number == 3
    clicks = mine.viewer.layers.selection.active
    mine.viewer.layers.selection.active = mine.mine
    mine.mine.mode = "paint"
    mine.person.press(Qt.Key.Key_M)
    assert mine.mine.selected_label == 3
    mine.person.click(*GROUND)
    painted = mine.mine.data == 3
    assert painted.any()
    mine.viewer.layers.selection.active = clicks
    enter(mine)
    assert np.array_equal(mine.mine.data == 3, painted)
    assert mine.mine.data[COIN] == 4


def test_nothing_is_written_before_the_layer_was_counted(mine):
    slow = mine.bridge.controller.objects.tally._runner = Stepped()
    mine.person.click(*COIN)
    mine.widget.objects.target.choose(mine.mine)
    enter(mine)
    assert np.array_equal(mine.mine.data, mine.before)
    assert "counted" in mine.widget.status.text()
    assert len(mine.bridge.controller.current.prompts) == 1
    slow.step()
    enter(mine)
    assert_untouched(mine)
    assert mine.mine.data[COIN] == 3


def test_a_pyramid_is_refused_for_what_it_is(mine):
    levels = [mine.before, mine.before[::2, ::2]]
    mine.widget.objects.target.choose(mine.viewer.add_labels(levels, name="levels"))
    mine.viewer.layers.selection.active = mine.person.layer("prompts")
    mine.person.click(*COIN)
    enter(mine)
    assert "is a pyramid" in mine.widget.status.text()
    assert len(mine.bridge.controller.current.prompts) == 1


def test_a_stroke_is_heeded_before_it_was_counted(mine):
    mine.widget.objects.target.choose(mine.mine)
    mine.bridge.controller.objects.tally._runner = Stepped()
    mine.mine.selected_label = 7
    mine.mine.paint((200, 200), 7)  # a stroke of the brush ends like this
    mine.person.click(*COIN)
    enter(mine)
    assert mine.mine.data[COIN] == 8


def test_a_number_gone_back_to_corrects_the_object(mine):
    mine.widget.objects.target.choose(mine.mine)
    mine.widget.objects.number.setValue(1)
    mine.person.settle()
    mine.mine.paint((200, 200), 9)  # a count in between does not lead away
    mine.person.settle()
    assert mine.bridge.controller.current.number == 1
    mine.person.click(*COIN)
    enter(mine)
    assert mine.mine.data[COIN] == 1
    assert (mine.mine.data[:6, :20] == 1).all()  # clicks start from what it is now
    assert (mine.mine.data == 2).sum() == 120


def test_a_number_gone_back_to_in_one_layer_is_not_meant_in_another(mine):
    mine.person.click(*COIN)
    enter(mine)  # into a new layer
    mine.widget.objects.number.setValue(1)
    mine.person.settle()
    mine.widget.objects.target.choose(mine.mine)
    enter(mine)
    assert_untouched(mine)
    assert mine.mine.data[COIN] == 3
    assert mine.labels[COIN] == 1


def test_what_is_undone_in_one_layer_replaces_nothing_in_another(mine):
    mine.person.click(*COIN)
    enter(mine)
    mine.widget.objects.target.choose(mine.mine)
    mine.widget.objects.undo.click()
    assert mine.labels.max() == 0
    enter(mine)
    assert_untouched(mine)
    assert mine.mine.data[COIN] == 3
