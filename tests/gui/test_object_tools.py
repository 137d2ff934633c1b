"""Tools for kept objects: by key where the pointer is, by stroke, by button; and back.

Labels are drawn by hand here, so that what a tool is to give is known to the pixel.
"""

from __future__ import annotations

import numpy as np
import pytest
from napari.layers import Labels, Points
from qtpy.QtCore import Qt
from tests.gui.person import CONTROL, SHIFT

from napari_gen2seg.gui.annotate.tool_keys import TOOLS

COIN, SECOND, THIRD = (51, 155), (124, 45), (125, 102)
AWAY = (285, 200)


def discs(shape) -> np.ndarray:
    """Return a dumbbell (5), a ring (6) and a square with a bump (9)."""
    labels = np.zeros(shape, np.int32)
    rows, cols = np.indices(shape)
    for col in (90, 120):
        labels[(rows - 200) ** 2 + (cols - col) ** 2 < 16**2] = 5
    labels[196:205, 90:120] = 5
    ring = np.hypot(rows - 200, cols - 170)
    labels[(ring < 20) & (ring > 8)] = 6
    labels[230:262, 280:330] = 9
    labels[228:230, 300:302] = 9
    return labels


NECK, FIRST_BODY, SECOND_BODY = (200, 105), (200, 88), (200, 124)
RING, HOLE, SQUARE = (200, 184), (200, 170), (245, 300)


@pytest.fixture
def drawn(desk):
    """Coins that were colored, with three objects drawn by hand."""
    at = desk()
    labels = at.viewer.add_labels(discs((303, 384)), name="mine")
    at.widget.objects.target.choose(labels)
    at.bridge.controller.objects.choose(labels)
    at.widget.model.color.click()
    at.person.wait(60)
    at.person.settle()
    at.mine = labels
    at.before = labels.data.copy()
    return at


def status(at) -> str:
    return at.widget.status.text()


def key(at, letter, place, modifier=None) -> None:
    at.person.move(*place)
    at.person.press(letter, modifier)


def undo(at) -> None:
    at.person.press(Qt.Key.Key_Z, CONTROL)


def redo(at) -> None:
    at.person.press(Qt.Key.Key_Z, CONTROL | SHIFT)


def goes_back_and_forth(at) -> bool:
    """Undo and redo the last act, and say whether it was one step."""
    after = at.mine.data.copy()
    undo(at)
    back = np.array_equal(at.mine.data, at.before)
    redo(at)
    return back and np.array_equal(at.mine.data, after)


def test_no_key_is_one_of_naparis():
    from app_model.types import KeyBinding
    from napari.settings import get_settings

    ours = {KeyBinding.from_str(tool.key) for tool in TOOLS}
    theirs = {
        KeyBinding.from_str(str(key))
        for action, keys in get_settings().shortcuts.shortcuts.items()
        for key in keys
        if not any(
            part in action
            for part in ("shape", "image", "vector", "surface", "tracks", "orient")
        )
        and action
        not in (
            "napari:activate_direct_mode",
            "napari:activate_select_mode",
            "napari:activate_vertex_insert_mode",
            "napari:activate_vertex_remove_mode",
        )
        and not action.startswith("napari:activate_add_")
        and action != "napari:auto_contrast_once"
        and action != "napari:complete_polygon"
    }
    for provider in (Points, Labels):
        theirs |= set(provider.class_keymap)
    assert not ours & theirs


def test_delete_takes_one_object_and_nothing_else(drawn):
    key(drawn, Qt.Key.Key_D, FIRST_BODY)
    assert not (drawn.mine.data == 5).any()
    rest = drawn.before != 5
    assert np.array_equal(drawn.mine.data[rest], drawn.before[rest])
    assert "Object 5 deleted" in status(drawn)
    assert goes_back_and_forth(drawn)


def test_the_clicks_of_a_deleted_object_go_and_come_back_with_it(coins):
    coins.person.click(*COIN)
    coins.person.press(Qt.Key.Key_Return)
    coins.person.click(*SECOND)
    coins.person.press(Qt.Key.Key_Return)
    kept = coins.labels.copy()
    key(coins, Qt.Key.Key_D, SECOND)
    clicks = coins.person.layer("prompts")
    assert len(clicks.data) == 1
    undo(coins)
    assert np.array_equal(coins.labels, kept)
    assert clicks.features["object"].tolist() == [1, 2]
    redo(coins)
    assert len(clicks.data) == 1
    assert coins.labels.max() == 1
    undo(coins)
    key(coins, Qt.Key.Key_C, SECOND)
    assert coins.bridge.controller.current.number == 2
    assert len(coins.bridge.controller.current.prompts) == 1


@pytest.mark.parametrize("letter", [Qt.Key.Key_G, Qt.Key.Key_R, Qt.Key.Key_H])
def test_reshaping_changes_one_object(drawn, letter):
    place = {Qt.Key.Key_G: RING, Qt.Key.Key_R: SQUARE, Qt.Key.Key_H: RING}[letter]
    number = drawn.before[place]
    key(drawn, letter, place)
    now = drawn.mine.data
    assert not np.array_equal(now, drawn.before)
    others = (drawn.before != number) & (drawn.before != 0)
    assert np.array_equal(now[others], drawn.before[others])
    assert set(np.unique(now)) == {0, 5, 6, 9}
    assert goes_back_and_forth(drawn)


def test_grow_and_shrink_by_a_pixel(drawn):
    area = np.count_nonzero(drawn.before == 9)
    key(drawn, Qt.Key.Key_G, SQUARE)
    assert np.count_nonzero(drawn.mine.data == 9) > area
    assert drawn.mine.data[245, 330] == 9
    drawn.person.press(Qt.Key.Key_G, SHIFT)
    assert drawn.mine.data[245, 330] == 0
    drawn.person.press(Qt.Key.Key_G, SHIFT)
    assert drawn.mine.data[245, 329] == 0
    for _ in range(3):
        undo(drawn)
    assert np.array_equal(drawn.mine.data, drawn.before)


def test_holes_are_filled(drawn):
    key(drawn, Qt.Key.Key_H, RING)
    assert drawn.mine.data[HOLE] == 6
    drawn.person.press(Qt.Key.Key_H)
    assert "changes nothing" in status(drawn)


def test_cut_along_a_line(drawn):
    drawn.person.move(*NECK)
    drawn.person.press(Qt.Key.Key_K)
    assert drawn.bridge.controller.tools.tool == "cut"
    center = drawn.viewer.scene.camera.center
    drawn.person.drag([(180, 80), (200, 80), (222, 80)])
    now = drawn.mine.data
    assert set(np.unique(now[drawn.before == 5])) == {5, 10}
    assert now[200, 78] == 10
    assert now[SECOND_BODY] == 5
    assert drawn.viewer.scene.camera.center == center
    assert len(drawn.person.layer("prompts").data) == 0
    assert drawn.bridge.controller.tools.tool == ""  # once
    assert not (drawn.person.layer("preview").data == 3).any()
    assert goes_back_and_forth(drawn)


def test_the_cutting_key_twice_cuts_at_the_neck(drawn):
    key(drawn, Qt.Key.Key_K, NECK)
    drawn.person.press(Qt.Key.Key_K)
    now = drawn.mine.data
    assert {now[FIRST_BODY], now[SECOND_BODY]} == {5, 10}
    assert np.count_nonzero(now == 10) > 600
    assert drawn.bridge.controller.tools.tool == ""
    assert goes_back_and_forth(drawn)
    key(drawn, Qt.Key.Key_K, SQUARE)
    drawn.person.press(Qt.Key.Key_K)
    assert "no neck" in status(drawn)


def test_join_by_a_stroke_by_two_keys_and_by_a_click(drawn):
    tools = drawn.bridge.controller.tools
    drawn.person.move(*AWAY)
    drawn.person.press(Qt.Key.Key_J)
    drawn.person.drag([SECOND_BODY, (200, 140), (200, 160)])
    assert not (drawn.mine.data == 6).any()
    assert np.array_equal(drawn.mine.data == 9, drawn.before == 9)
    assert tools.tool == ""
    assert goes_back_and_forth(drawn)
    undo(drawn)
    key(drawn, Qt.Key.Key_J, SQUARE)
    assert "Join object 9" in status(drawn)
    key(drawn, Qt.Key.Key_J, RING)
    assert f"({np.count_nonzero(drawn.mine.data == 9):,} pixels)" in status(drawn)
    assert not (drawn.mine.data == 6).any()
    assert (drawn.mine.data[drawn.before == 6] == 9).all()
    undo(drawn)
    key(drawn, Qt.Key.Key_J, RING)
    drawn.person.click(*SQUARE)
    assert (drawn.mine.data[drawn.before == 9] == 6).all()
    assert len(drawn.person.layer("prompts").data) == 0


def test_escape_lets_go_and_clicks_are_clicks_again(drawn):
    drawn.person.move(*AWAY)
    drawn.person.press(Qt.Key.Key_J)
    drawn.person.press(Qt.Key.Key_Escape)
    assert drawn.bridge.controller.tools.tool == ""
    drawn.person.click(*COIN)
    assert len(drawn.person.layer("prompts").data) == 1
    assert np.array_equal(drawn.mine.data, drawn.before)


def test_control_click_goes_back_to_a_kept_object(coins):
    coins.person.click(*COIN)
    coins.person.click(60, 165)
    coins.person.press(Qt.Key.Key_Return)
    coins.person.click(*SECOND)
    coins.person.press(Qt.Key.Key_Return)
    before = coins.labels.copy()
    coins.person.click(*COIN, modifier=CONTROL)
    controller = coins.bridge.controller
    assert controller.current.number == 1
    assert len(controller.current.prompts) == 2
    assert len(coins.person.layer("prompts").data) == 3
    assert "Object 1 and its 2 clicks again" in status(coins)
    assert np.array_equal(coins.labels, before)
    coins.person.press(Qt.Key.Key_Return)
    assert np.array_equal(coins.labels > 0, before > 0)
    coins.person.click(*THIRD, modifier=CONTROL)  # nobody there: a click like others
    assert len(coins.person.layer("prompts").data) == 4
    assert controller.current.number == 3


def test_the_keys_work_on_the_labels_layer_too(drawn):
    drawn.viewer.layers.selection.active = drawn.mine
    key(drawn, Qt.Key.Key_H, RING)
    assert drawn.mine.data[HOLE] == 6
    key(drawn, Qt.Key.Key_D, SQUARE)
    assert not (drawn.mine.data == 9).any()
    drawn.mine.mode = "paint"
    drawn.person.press(Qt.Key.Key_K)
    drawn.person.drag([(180, 80), (222, 80)])
    assert drawn.mine.data[200, 76] == 7
    assert set(np.unique(drawn.mine.data)) == {0, 5, 6, 7}  # nothing was painted
    assert drawn.mine.mode == "paint"
    drawn.person.press(Qt.Key.Key_J)
    drawn.person.press(Qt.Key.Key_Escape)
    assert drawn.bridge.controller.tools.tool == ""
    drawn.person.press(Qt.Key.Key_Z, CONTROL)  # napari's own
    assert drawn.mine.data[200, 76] == 5
    key(drawn, Qt.Key.Key_C, RING)
    assert drawn.viewer.layers.selection.active is drawn.person.layer("prompts")
    assert drawn.bridge.controller.current.prompts.base.area > 0


def test_what_napari_took_back_can_be_followed_by_another_act(drawn):
    key(drawn, Qt.Key.Key_G, RING)
    drawn.mine.undo()
    key(drawn, Qt.Key.Key_G, SQUARE)
    undo(drawn)
    assert np.array_equal(drawn.mine.data, drawn.before)


def test_nothing_under_the_pointer_is_said(drawn):
    key(drawn, Qt.Key.Key_G, AWAY)
    assert "No object is there" in status(drawn)
    assert np.array_equal(drawn.mine.data, drawn.before)


def test_d_drops_a_proposal_first_and_deletes_what_is_kept(desk, memory):
    memory.set("proposals", True)
    at = desk()
    at.widget.model.color.click()
    review = at.bridge.controller.review
    at.person.until(lambda: review.review is not None)
    at.person.settle()
    at.person.move(*AWAY)
    at.person.move(*COIN)
    at.person.press(Qt.Key.Key_Return)
    assert at.labels[COIN] == 1
    key(at, Qt.Key.Key_D, SECOND)
    assert review.review.counts.dropped == 1
    assert at.labels[COIN] == 1
    key(at, Qt.Key.Key_D, COIN)
    assert not at.labels.any()
    at.person.until(lambda: review.review.counts.kept == 0)
    undo(at)
    assert at.labels[COIN] == 1
    undo(at)
    assert review.review.counts.dropped == 0


def test_labels_of_other_pixels_say_why_not(drawn):
    other = drawn.viewer.add_labels(np.ones((150, 190), int), scale=(2, 2), name="half")
    drawn.widget.objects.target.choose(other)
    drawn.bridge.controller.objects.choose(other)
    drawn.person.settle()
    drawn.viewer.layers.selection.active = drawn.person.layer("prompts")
    key(drawn, Qt.Key.Key_G, SQUARE)
    assert "other pixels" in status(drawn)
    assert (other.data == 1).all()


def test_the_journal_knows_what_tools_did(coins):
    def origins() -> dict[int, str]:
        known = coins.widget.keeper.objects.origins
        return {number: origin.who for number, origin in sorted(known.items())}

    for place in (COIN, SECOND):
        coins.person.click(*place)
        coins.person.press(Qt.Key.Key_Return)
    assert origins() == {1: "human", 2: "human"}
    key(coins, Qt.Key.Key_G, COIN)
    assert origins() == {1: "corrected", 2: "human"}
    key(coins, Qt.Key.Key_D, SECOND)
    assert origins() == {1: "corrected"}
    undo(coins)
    assert origins() == {1: "corrected", 2: "human"}
    undo(coins)
    assert origins() == {1: "human", 2: "human"}
    key(coins, Qt.Key.Key_J, COIN)
    key(coins, Qt.Key.Key_J, SECOND)
    assert origins() == {1: "corrected"}
    undo(coins)
    coins.person.press(Qt.Key.Key_K)
    row, col = COIN
    coins.person.drag([(row - 40, col), (row, col), (row + 40, col)])
    assert origins() == {1: "corrected", 2: "human", 3: "corrected"}


def test_a_button_is_a_tool_for_many_clicks_and_a_stroke(drawn):
    panel = drawn.widget.edit
    panel.tools.buttons["grow"].click()
    for place in (RING, SQUARE):
        drawn.person.click(*place)
    assert np.count_nonzero(drawn.mine.data == 6) > np.count_nonzero(drawn.before == 6)
    assert np.count_nonzero(drawn.mine.data == 9) > np.count_nonzero(drawn.before == 9)
    panel.tools.buttons["delete"].click()
    assert not panel.tools.buttons["grow"].isChecked()
    drawn.person.drag([FIRST_BODY, SECOND_BODY, RING])
    assert set(np.unique(drawn.mine.data)) == {0, 9}
    undo(drawn)
    assert set(np.unique(drawn.mine.data)) == {0, 5, 6, 9}  # one step
    panel.tools.buttons["delete"].click()
    assert not panel.tools.buttons["delete"].isChecked()
    drawn.person.click(*COIN)
    assert len(drawn.person.layer("prompts").data) == 1


def test_a_box_and_a_scribble_are_clicks_and_one_step(coins):
    controller = coins.bridge.controller
    coins.person.move(*AWAY)
    coins.person.press(Qt.Key.Key_B)
    row, col = COIN
    coins.person.drag([(row - 32, col - 32), (row, col), (row + 32, col + 32)])
    coins.person.settle()
    assert controller.tools.tool == ""
    assert len(controller.current.prompts) >= 1
    coins.person.press(Qt.Key.Key_Return)
    assert coins.labels[COIN] == 1
    inside = coins.labels[row - 32 : row + 33, col - 32 : col + 33]
    assert np.count_nonzero(inside) == np.count_nonzero(coins.labels)

    coins.person.press(Qt.Key.Key_B, SHIFT)
    row, col = SECOND
    coins.person.drag([(row, col - 10), (row, col), (row, col + 10)])
    assert len(controller.current.prompts) >= 3
    undo(coins)
    assert len(controller.current.prompts) == 0
    redo(coins)
    assert len(controller.current.prompts) >= 3
    coins.person.press(Qt.Key.Key_Return)
    assert coins.labels[SECOND] == 2
    assert coins.labels[COIN] == 1


def test_a_key_shows_all_keys_over_the_canvas(drawn):
    from napari_gen2seg.gui.panels.keys_sheet import KeysSheet

    drawn.person.press(Qt.Key.Key_F1)
    (sheet,) = drawn.viewer.window._qt_window.findChildren(KeysSheet)
    assert sheet.isVisible()
    for tool in TOOLS:
        assert f"<b>{tool.shown_key}</b>" in sheet.text()
    drawn.person.press(Qt.Key.Key_F1)
    assert not sheet.isVisible()


def test_every_part_of_the_fold_and_the_table_has_a_tooltip(qapp):
    from qtpy.QtWidgets import QPushButton

    from napari_gen2seg.gui.panels.edit_panel import EditPanel

    panel = EditPanel()
    assert all(button.toolTip() for button in panel.findChildren(QPushButton))
    assert set(panel.tools.buttons) == {tool.name for tool in TOOLS}
    panel.deleteLater()
