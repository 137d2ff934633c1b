"""Masks and clicks that reach past a frame, in a real viewer."""

from __future__ import annotations

import numpy as np
from qtpy.QtCore import Qt
from skimage import data

COIN, SECOND = (51, 155), (124, 45)


def test_pixels_outside_the_labels_layer_are_counted_and_said(desk):
    at = desk()
    half = at.viewer.add_labels(np.zeros((303, 155), np.int32), name="half")
    at.widget.objects.target.choose(half)
    at.widget.model.color.click()
    at.person.wait(60)
    at.person.click(*COIN)
    lit = at.person.layer("preview").data == 1
    at.person.press(Qt.Key.Key_Return)
    assert np.array_equal(half.data == 1, lit[:, :155])
    lost = lit[:, 155:].sum()
    assert lost
    assert f"{lost:,} outside 'half'" in at.widget.status.text()
    at.person.click(*SECOND)
    at.person.press(Qt.Key.Key_Return)
    assert half.data[SECOND] == 2
    assert "outside" not in at.widget.status.text()


def test_clicks_wait_while_the_picture_is_smaller(desk):
    at = desk()
    at.widget.model.color.click()
    at.person.wait(60)
    at.person.click(*SECOND)
    clicks = at.person.layer("prompts")
    at.viewer.layers["Image"].data = data.coins()[:100]
    at.person.settle()
    assert len(clicks.data) == 1
    assert len(at.bridge.controller.current.prompts) == 0
    assert "outside" not in at.widget.status.text()
    at.widget.model.color.click()
    at.person.wait(60)
    at.person.click(*COIN)
    assert len(at.bridge.controller.current.prompts) == 1
    assert "outside" not in at.widget.status.text()
    at.person.press(Qt.Key.Key_Escape)  # what is not seen is not taken away
    assert len(clicks.data) == 1
    at.viewer.layers["Image"].data = data.coins()
    at.person.settle()
    assert len(at.bridge.controller.current.prompts) == 1


def test_a_click_outside_is_left_out_and_said(desk):
    at = desk()
    at.widget.model.color.click()
    at.person.wait(60)
    at.person.click(*SECOND)
    at.person.click(-20, 150)
    assert "outside 'Image'" in at.widget.status.text()
    assert len(at.person.layer("prompts").data) == 1
