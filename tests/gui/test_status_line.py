"""What the dock says goes with the next act, or when it is no longer true."""

from __future__ import annotations

import pytest
from qtpy.QtCore import Qt
from tests.gui.person import CONTROL, SHIFT

COIN, SECOND, GROUND = (51, 155), (124, 45), (88, 130)


def said(at) -> str:
    return at.widget.status.text()


def enter(at) -> None:
    at.person.press(Qt.Key.Key_Return)


def test_nothing_to_commit_is_over_with_the_next_click(coins):
    coins.person.move(*GROUND)
    enter(coins)
    assert "Nothing to commit" in said(coins)
    coins.person.click(*COIN)
    assert said(coins) == ""
    enter(coins)
    assert said(coins).startswith("Object 1")
    coins.person.click(*SECOND)
    assert said(coins) == ""


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ((Qt.Key.Key_Z, CONTROL), "Nothing to take back"),
        ((Qt.Key.Key_Z, CONTROL | SHIFT), "Nothing to do again"),
        ((Qt.Key.Key_I, None), "Nothing to insist on"),
        ((Qt.Key.Key_G, None), "No object is there"),
        ((Qt.Key.Key_N, None), "Nothing to go to"),
    ],
)
def test_whatever_could_not_be_done_is_over_with_the_next_click(coins, key, words):
    coins.person.move(*GROUND)
    coins.person.press(*key)
    assert words in said(coins)
    coins.person.click(*COIN)
    assert said(coins) == ""


def test_escape_and_next_end_what_was_said_of_a_click(coins):
    coins.person.click(*COIN, modifier=SHIFT)
    assert "click the object first" in said(coins)
    coins.person.press(Qt.Key.Key_Escape)
    assert said(coins) == ""
    coins.person.click(*COIN, modifier=SHIFT)
    assert said(coins)
    coins.widget.objects.another.click()
    assert said(coins) == ""


def test_nothing_to_save_is_over_once_something_was_painted_by_hand(coins):
    at = coins
    layer = at.viewer.add_labels((at.viewer.layers[0].data * 0).astype("int32"))
    at.widget.objects.target.choose(layer)
    at.widget.objects.saving.save_requested.emit()
    assert "Nothing to save yet" in said(at)
    layer.mode, layer.selected_label = "paint", 3
    at.viewer.layers.selection.active = layer
    at.person.drag([COIN, (COIN[0] + 5, COIN[1] + 5)])
    assert layer.data[COIN] == 3
    assert "Nothing to save yet" not in said(at)


def test_what_waits_for_the_map_is_over_when_it_has_come(desk):
    at = desk(name="coins")
    at.viewer.layers.selection.active = at.viewer.layers["coins"]
    at.person.press(Qt.Key.Key_N)
    assert "needs the map" in said(at)
    at.person.press(Qt.Key.Key_Return)
    at.person.wait(60)
    assert said(at) == ""


def test_what_waits_for_proposals_is_over_when_they_are_found(coins):
    status, review = coins.widget.status, coins.bridge.controller.review
    coins.person.press(Qt.Key.Key_Return, SHIFT)
    assert "proposals are switched off" in said(coins)
    coins.widget.review.on.click()
    coins.person.until(lambda: review.review is not None)
    assert said(coins) == ""
    status.wait_for("Nothing to keep: proposals are still being looked for.")
    review.found.emit()
    assert said(coins) == ""


def test_what_was_done_is_not_taken_back_by_a_map_that_comes(coins):
    coins.person.click(*COIN)
    enter(coins)
    told = said(coins)
    assert told.startswith("Object 1")
    coins.session.coloring_changed.emit(coins.bridge.source.view)
    assert said(coins) == told
    coins.person.move(*SECOND)
    assert said(coins) == told


def test_the_size_to_press_color_for_is_not_said_after_color(coins):
    coins.widget.status.say("The model will look at 300 pixels. Press Color.")
    coins.widget.model.color.click()
    coins.person.wait(60)
    assert said(coins) == ""


def test_nothing_above_moves_when_something_is_said(coins):
    coins.viewer.window.resize(1366, 768)
    coins.person.wait(100)
    commit, status = coins.widget.objects.commit, coins.widget.status
    place = commit.mapTo(coins.widget, commit.rect().topLeft())
    for text in ("Saved.", "Object 17: 102 pixels (2,406 left to other objects)", ""):
        status.say(text)
        coins.person.wait(40)
        assert commit.mapTo(coins.widget, commit.rect().topLeft()) == place
    longer = "This is object 12, which is kept already. " * 5
    status.say(longer)  # once there is room for it, nothing moves any more
    coins.person.wait(40)
    place = commit.mapTo(coins.widget, commit.rect().topLeft())
    for text in ("", "Saved.", longer):
        status.say(text)
        coins.person.wait(40)
        assert commit.mapTo(coins.widget, commit.rect().topLeft()) == place
