"""Pictures whose data are replaced: no map of the old pixels comes back."""

from __future__ import annotations

import numpy as np
import pytest
from skimage import data

from napari_gen2seg.core.image.rgb import RgbRecipe

COIN = (51, 155)
STACK = np.stack([data.coins()] * 4)


def color(at) -> None:
    at.widget.model.color.click()
    at.person.wait(60)


def mapped(at) -> bool:
    """Whether the plane in view has a map, in the session or on screen."""
    coloring = at.person.layer("coloring")
    known = at.session.coloring(at.bridge.source.view) is not None
    shown = coloring is not None and coloring.visible
    assert known == shown
    return known


@pytest.fixture
def stack(desk):
    """One coloured plane of a stack."""
    at = desk(STACK, name="stack")
    at.viewer.dims.set_current_step(0, 2)
    color(at)
    assert mapped(at)
    return at


def test_scrolling_away_and_back_brings_no_old_map(stack):
    stack.viewer.layers["stack"].data = STACK[:, ::-1].copy()
    stack.person.wait()
    assert not mapped(stack)
    for step in (3, 2):
        stack.viewer.dims.set_current_step(0, step)
        stack.person.wait()
    assert not mapped(stack)


def test_colouring_again_shows_the_new_map(stack):
    old = stack.person.layer("coloring").data.copy()
    stack.viewer.layers["stack"].data = STACK[:, ::-1].copy()
    color(stack)
    assert mapped(stack)
    assert not np.array_equal(stack.person.layer("coloring").data, old)


def test_a_map_that_a_person_hid_stays_hidden(stack):
    stack.person.layer("coloring").visible = False
    color(stack)
    assert not stack.person.layer("coloring").visible


def test_a_map_of_another_size_is_not_taken_over(stack):
    stack.viewer.layers["stack"].data = STACK[:, :200, :250].copy()
    stack.person.wait()
    assert not mapped(stack)
    color(stack)
    plane = stack.bridge.source.view
    assert stack.session.coloring(plane).source_shape == (200, 250)


def test_data_replaced_while_another_picture_is_worked_on(desk):
    at = desk(name="first")
    first = at.viewer.layers["first"]
    color(at)
    at.viewer.add_image(np.fliplr(data.coins()), name="second")
    first.data = np.flipud(data.coins()).copy()
    at.widget.image.layer.choose(first)
    at.person.wait()
    assert not mapped(at)


def test_data_of_a_layer_that_gives_a_colour_replaced(desk):
    at = desk(name="red")
    red = at.viewer.layers["red"]
    green = at.viewer.add_image(np.fliplr(data.coins()), name="green")
    at.widget.image.layer.choose(red)
    at.bridge.source.change(
        partners=(str(green.unique_id),), recipe=RgbRecipe(channels=(0, 1, None))
    )
    color(at)
    assert mapped(at)
    green.data = data.coins().copy()
    at.person.wait()
    assert not mapped(at)
