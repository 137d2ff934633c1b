"""The main job in a real viewer: colour, move, click, commit, undo."""

from __future__ import annotations

import numpy as np
import pytest
from qtpy.QtCore import Qt
from scipy import ndimage
from skimage import data
from tests.gui.person import CONTROL, SHIFT

# Middles of three coins, and a place between coins.
COIN, SECOND, THIRD = (51, 155), (124, 45), (125, 102)
GROUND = (88, 130)


def middles(labels: np.ndarray) -> list[tuple[float, float]]:
    return ndimage.center_of_mass(labels > 0, labels, range(1, labels.max() + 1))


def test_colour_makes_a_layer_over_the_picture_and_readies_clicks(coins):
    layer = coins.person.layer("coloring")
    assert layer.rgb
    assert layer.data.shape == (303, 384, 3)
    assert layer.data.max() > 200
    assert coins.viewer.layers.selection.active is coins.person.layer("prompts")
    assert coins.person.layer("prompts").mode == "add"


def test_object_lights_up_under_the_pointer_before_any_click(coins):
    coins.person.move(*COIN)
    assert coins.person.lit(COIN, 2)
    preview = coins.person.layer("preview")
    lit = preview.data > 0
    assert 500 < lit.sum() < 6000
    assert not lit[GROUND]
    coins.person.move(*SECOND)
    assert coins.person.lit(SECOND, 2)
    assert not preview.data[COIN]
    assert len(coins.person.layer("prompts").data) == 0


def test_what_lit_up_stays_lit_when_the_layers_for_clicks_come_later(desk):
    at = desk()
    at.widget.model.color.click()
    at.bridge.controller.hover_preview.point(COIN, frozenset())  # before they are made
    at.person.settle()
    assert at.person.lit(COIN, 2)


def test_click_fixes_the_preview_and_enter_commits_it_in_one_undo_step(coins):
    person = coins.person
    person.click(*COIN)
    person.move(*GROUND)
    lit = person.layer("preview").data == 1
    assert lit[COIN]
    person.press(Qt.Key.Key_Return)
    labels = coins.labels
    assert labels[COIN] == 1
    assert np.array_equal(labels == 1, lit)
    assert coins.bridge.controller.current.number == 2
    assert not (person.layer("preview").data == 1).any()
    person.click(*SECOND)
    person.press(Qt.Key.Key_Return)
    assert coins.labels[SECOND] == 2
    layer = person.layer("objects")
    coins.viewer.layers.selection.active = layer
    person.press(Qt.Key.Key_Z, CONTROL)
    assert coins.labels.max() == 1
    person.press(Qt.Key.Key_Z, CONTROL)
    assert coins.labels.max() == 0
    person.press(Qt.Key.Key_Z, CONTROL | SHIFT)
    assert coins.labels[COIN] == 1


def test_undo_brings_the_object_back_with_its_clicks(coins):
    person = coins.person
    person.click(*COIN)
    person.press(Qt.Key.Key_Return)
    assert coins.labels[COIN] == 1
    person.press(Qt.Key.Key_Z, CONTROL)  # on the click layer: nothing clicked yet
    assert coins.labels.max() == 0
    assert coins.bridge.controller.current.number == 1
    assert len(coins.bridge.controller.current.prompts) == 1
    assert person.layer("preview").data[COIN]
    person.press(Qt.Key.Key_Z, CONTROL)  # now the click itself
    assert len(person.layer("prompts").data) == 0
    assert not person.layer("preview").data.any()


def test_shift_click_and_toggle_give_negative_clicks(coins):
    person = coins.person
    person.click(*COIN)
    person.click(*SECOND, modifier=SHIFT)
    person.press(Qt.Key.Key_T)
    person.click(*GROUND)
    person.press(Qt.Key.Key_T)
    person.click(*THIRD)
    signs = list(person.layer("prompts").features["sign"])
    assert signs == [1, -1, -1, 1]
    assert coins.bridge.controller.current.prompts.signs == (1, -1, -1, 1)
    colors = person.layer("prompts").face_color
    assert colors[0][1] > colors[0][0]
    assert colors[1][0] > colors[1][1]
    lit = person.layer("preview").data == 1
    assert lit[COIN]
    assert lit[THIRD]
    assert not lit[SECOND]
    assert not lit[GROUND]


def test_other_objects_keep_their_pixels_unless_asked(coins):
    person = coins.person
    person.click(*COIN)
    person.press(Qt.Key.Key_Return)
    before = coins.labels == 1
    person.click(*COIN)
    person.press(Qt.Key.Key_Return)
    assert np.array_equal(coins.labels == 1, before)
    assert coins.labels.max() == 1
    assert "May overwrite" in coins.widget.status.text()
    assert not coins.bridge.controller.current.prompts.positive  # nor is it in the way
    coins.widget.objects.overwrite.setChecked(True)
    person.click(*COIN)
    person.press(Qt.Key.Key_Return)
    assert np.array_equal(coins.labels == 2, before)


def test_an_earlier_object_is_corrected_with_its_clicks(coins):
    person = coins.person
    for at in (COIN, SECOND):
        person.click(*at)
        person.press(Qt.Key.Key_Return)
    coins.widget.objects.number.setValue(1)
    person.wait()
    assert coins.bridge.controller.current.prompts.points[0] == pytest.approx(
        COIN, abs=1
    )
    person.click(*THIRD)
    person.press(Qt.Key.Key_Return)
    labels = coins.labels
    assert labels[COIN] == labels[THIRD] == 1
    assert labels[SECOND] == 2
    assert coins.bridge.controller.current.number == 3


def test_enter_over_an_object_commits_what_is_lit(coins):
    coins.person.move(*COIN)
    coins.person.press(Qt.Key.Key_Return)
    assert coins.labels[COIN] == 1


def test_one_click_each_commits_every_click(coins):
    coins.widget.objects.at_once.setChecked(True)
    for at in (COIN, SECOND, THIRD):
        coins.person.click(*at)
    labels = coins.labels
    assert [labels[at] for at in (COIN, SECOND, THIRD)] == [1, 2, 3]
    assert "3 objects" in coins.widget.objects.counter.text()
    points = coins.person.layer("prompts")
    assert len(points.data) == 3
    assert not points.face_color[:, 3].any()  # done, and out of sight
    coins.bridge.controller.current.set_object(2)
    assert points.face_color[:, 3].tolist() == [0, 1, 0]


def test_tolerance_is_automatic_until_it_is_moved_and_live(desk, painter):
    at = desk(np.tile(np.arange(160, dtype=np.uint8), (100, 1)))
    painter.draw, painter.side, painter.on_black = _ramp, None, False
    at.widget.model.color.click()
    person, probe = at.person, at.widget.probe
    person.click(50, 80)
    assert probe.auto.isChecked()
    automatic = (person.layer("preview").data > 0).sum()
    areas = []
    for value in (40, 80, 120):
        probe.slider.setValue(value)
        assert not probe.auto.isChecked()
        areas.append((person.layer("preview").data > 0).sum())
    assert areas[0] < areas[1] < areas[2]
    person.press(Qt.Key.Key_BracketRight)
    assert (person.layer("preview").data > 0).sum() > areas[2]
    probe.auto.setChecked(True)
    assert (person.layer("preview").data > 0).sum() == automatic


def _ramp(image):
    red = np.broadcast_to(np.linspace(0, 255, image.shape[1]), image.shape[:2])
    return np.stack([red, red * 0, red * 0], axis=-1)


def test_global_switch_reaches_other_objects_of_the_colour(desk, painter):
    picture = np.zeros((120, 160), np.uint8)
    picture[20:60, 20:60] = picture[60:100, 90:130] = 200
    at = desk(picture)
    painter.draw, painter.side, painter.on_black = _two_of_a_color, None, False
    at.widget.model.color.click()
    at.person.click(40, 40)
    assert not at.person.layer("preview").data[80, 110]
    at.widget.probe.contiguous.setChecked(False)
    assert at.person.layer("preview").data[80, 110]


def _two_of_a_color(image):
    return np.where(image[..., :1] > 0.5, (255.0, 40.0, 40.0), (0.0, 0.0, 0.0))


def test_escape_clears_the_clicks_of_this_object_only(coins):
    person = coins.person
    person.click(*COIN)
    person.press(Qt.Key.Key_Return)
    person.click(*SECOND)
    person.click(*THIRD)
    person.press(Qt.Key.Key_Escape)
    assert list(person.layer("prompts").features["object"]) == [1]
    assert not person.layer("preview").data.any()
    assert coins.labels[COIN] == 1


def test_keys_work_on_our_layer_only(coins):
    person = coins.person
    person.click(*COIN)
    coins.viewer.layers.selection.active = coins.viewer.layers["Image"]
    person.press(Qt.Key.Key_Return)
    assert person.layer("objects") is None


def test_brushing_in_the_labels_is_left_alone(coins):
    person = coins.person
    person.click(*COIN)
    person.press(Qt.Key.Key_Return)
    layer = person.layer("objects")
    coins.viewer.layers.selection.active = layer
    layer.mode = "erase"
    layer.brush_size = 12
    person.move(*SECOND)
    assert not person.layer("preview").data.any()
    person.click(*COIN)
    assert layer.data[COIN] == 0
    assert (layer.data == 1).any()


def test_next_object_goes_past_labels_that_were_there(desk):
    at = desk()
    there = np.zeros((303, 384), np.uint16)
    there[:5, :5] = 41
    layer = at.viewer.add_labels(there, name="by hand")
    at.widget.objects.target.choose(layer)
    at.widget.model.color.click()
    at.person.click(*COIN)
    at.person.press(Qt.Key.Key_Return)
    assert layer.data[COIN] == 42
    assert layer.data.dtype == np.uint16
    assert (layer.data[:5, :5] == 41).all()


def test_real_picture_of_three_channels(desk):
    at = desk(data.immunohistochemistry()[:256, :256], rgb=True)
    at.widget.model.color.click()
    assert at.person.layer("coloring").data.shape == (256, 256, 3)
    assert at.widget.image.thumbnail.pixmap().width() > 50


def test_brightness_has_a_say_until_it_is_unticked(desk, painter):
    picture = np.full((120, 160), 20, np.uint8)
    picture[20:100, 20:140] = 90
    picture[50:70, 60:90] = 230
    at = desk(picture)
    painter.draw, painter.side, painter.brightness = _one_color, None, True
    at.widget.model.color.click()
    at.person.click(60, 75)
    assert not at.person.layer("preview").data[30, 30]
    assert at.widget.probe.brightness.isEnabled()
    at.widget.probe.brightness.setChecked(False)
    assert at.person.layer("preview").data[30, 30]
    assert at.widget.memory.get("brightness") is False
    at.widget.probe.brightness.setChecked(True)
    assert not at.person.layer("preview").data[30, 30]


def test_brightness_cannot_be_ticked_where_it_has_no_say(coins):
    assert not coins.widget.probe.brightness.isEnabled()  # the stand-in hears none
    assert "map alone" in coins.widget.probe.brightness.toolTip()


def _one_color(image):
    gray = np.asarray(image, np.float32).mean(-1, keepdims=True)
    return np.where(gray > 0.2, (255.0, 40.0, 40.0), (0.0, 0.0, 0.0))
