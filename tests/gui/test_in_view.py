"""What the dock says is of the image and the plane in view, in a real viewer."""

from __future__ import annotations

import numpy as np
import pytest
from qtpy.QtCore import Qt
from skimage import data
from tests.helpers.stepped import Stepped

from napari_gen2seg.gui.panels.model_panel import NOT_COLORED
from napari_gen2seg.session import Session

COIN = (51, 155)


def said(at) -> str:
    return at.widget.model.doing.text()


@pytest.fixture
def stack(desk):
    """Two planes of coins, the first colored and an object of it clicked."""
    at = desk(np.stack([data.coins(), data.coins()[::-1]]), name="pair")
    at.viewer.dims.set_current_step(0, 0)
    at.person.settle()
    at.widget.model.color.click()
    at.person.wait(60)
    at.person.click(*COIN)
    return at


def test_a_plane_without_a_coloring_says_so_and_nothing_of_another(stack):
    assert said(stack).startswith("Colored in")
    assert "pixels" in stack.widget.probe.result.text()
    stack.person.press(Qt.Key.Key_Return)
    assert "Object 1" in stack.widget.status.text()
    stack.viewer.dims.set_current_step(0, 1)
    stack.person.settle()
    assert said(stack) == NOT_COLORED
    assert stack.widget.probe.result.text() == ""
    assert stack.widget.status.text() == ""
    stack.viewer.dims.set_current_step(0, 0)
    stack.person.settle()
    assert NOT_COLORED not in said(stack)


@pytest.mark.parametrize("selected", ["prompts", "image"])
def test_enter_colors_a_plane_that_is_not_colored_and_commits_nothing(stack, selected):
    stack.viewer.dims.set_current_step(0, 1)
    layer = (
        stack.viewer.layers["pair"]
        if selected == "image"
        else stack.person.layer(selected)
    )
    stack.viewer.layers.selection.active = layer
    stack.person.settle()
    stack.person.press(Qt.Key.Key_Return)
    assert said(stack).startswith("Colored in")
    assert stack.person.layer("objects") is None


def test_another_image_is_not_said_to_be_colored(coins):
    coins.viewer.add_image(data.coins()[::-1], name="second")
    coins.person.settle()
    assert said(coins) == NOT_COLORED
    coins.widget.image.layer.choose(coins.viewer.layers["Image"])
    coins.person.settle()
    assert said(coins).startswith("Colored in")


def test_other_pixels_are_not_said_to_be_colored(coins):
    image = coins.viewer.layers["Image"]
    image.data = image.data[::-1].copy()
    coins.person.settle()
    assert said(coins) == NOT_COLORED


def test_what_failed_elsewhere_is_not_said_here(desk, painter):
    runner = Stepped()
    at = desk(session=Session(runner, load=lambda *a, **k: painter))
    painter.draw = lambda rgb: rgb[..., 0]  # no map
    at.widget.model.color.click()
    at.viewer.add_image(data.coins()[::-1], name="second")
    at.person.settle()
    assert said(at).startswith("Another picture or plane")
    while runner.jobs:
        runner.step()
    at.person.settle()
    assert said(at) == NOT_COLORED
    assert at.widget.status.text() == ""
    at.widget.image.layer.choose(at.viewer.layers["Image"])
    at.person.settle()
    assert said(at) == f"Failed. {NOT_COLORED}"


def test_the_layer_for_clicks_is_made_again_by_the_next_move(coins):
    clicks = coins.person.layer("prompts")
    coins.viewer.layers.remove(clicks)
    coins.person.settle()
    assert coins.person.layer("prompts") is None
    coins.person.move(*COIN)
    again = coins.person.layer("prompts")
    assert again is not None
    assert coins.viewer.layers.selection.active is again
    coins.person.click(*COIN)
    assert len(again.data) == 1


def test_layers_are_named_after_their_image(desk):
    at = desk(name="set08")
    at.widget.model.color.click()
    at.person.wait(60)
    at.person.click(*COIN)
    at.person.press(Qt.Key.Key_Return)
    for role, what in (("objects", "objects"), ("prompts", "clicks")):
        assert at.person.layer(role).name == f"set08 {what}"
    at.viewer.add_image(data.coins()[::-1], name="set09")
    at.person.settle()
    at.widget.model.color.click()
    at.person.wait(60)
    at.person.move(*COIN)
    for role in ("coloring", "preview"):
        assert at.person.layer(role).name == f"set09 {role}"
    assert "set09 clicks" in at.viewer.layers
    assert "set08 clicks" in at.viewer.layers
