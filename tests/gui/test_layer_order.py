"""Which layer lies over which: map and preview over their picture, clicks on top."""

from __future__ import annotations

import numpy as np
import pytest
from skimage import data

COIN = (51, 155)
MIRRORED = (51, 383 - 155)  # COIN in the second picture


def color(at) -> None:
    at.widget.model.color.click()
    at.person.wait(60)


@pytest.fixture
def two(desk):
    """A first picture with its map and preview, and a second one just opened."""
    at = desk(name="first")
    color(at)
    at.person.move(*COIN)
    at.second = at.viewer.add_image(np.fliplr(data.coins()), name="second")
    at.person.wait()
    return at


def test_map_and_preview_lie_over_the_second_picture(two):
    order = two.viewer.layers.index
    color(two)
    two.person.move(*MIRRORED)
    assert two.person.lit(MIRRORED, 2)
    coloring, preview = two.person.layer("coloring"), two.person.layer("preview")
    assert order(two.second) < order(coloring) < order(preview)
    clicks = two.viewer.layers.selection.active
    assert clicks.metadata["napari-gen2seg"]["role"] == "prompts"
    assert order(preview) < order(clicks)


def test_order_that_a_person_gave_the_layers_stays(two):
    color(two)
    coloring, preview = two.person.layer("coloring"), two.person.layer("preview")
    layers = two.viewer.layers
    layers.move(layers.index(coloring), len(layers))
    layers.move(layers.index(preview), len(layers))
    before = list(layers)
    color(two)
    two.person.move(*MIRRORED)
    assert list(layers) == before
