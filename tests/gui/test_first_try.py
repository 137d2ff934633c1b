"""What somebody does who has never read the manual."""

from __future__ import annotations

import numpy as np
import pytest
from napari.layers import Labels
from napari.utils.colormaps import DirectLabelColormap
from qtpy.QtCore import Qt
from skimage import data
from tests.gui.person import SHIFT

from napari_gen2seg.gui.layers.warm_up import warm_up

COIN, GROUND = (51, 155), (88, 130)


@pytest.fixture
def coins(desk):
    """Coloured coins, ready for clicks."""
    at = desk(name="coins")
    at.widget.model.color.click()
    at.person.wait(60)
    return at


def test_enter_after_escape_keeps_nothing_of_what_escape_threw_away(coins):
    person = coins.person
    person.click(*COIN)
    person.press(Qt.Key.Key_Escape)
    person.press(Qt.Key.Key_Return)
    assert "objects" not in [layer.name for layer in coins.viewer.layers]
    assert "Nothing to commit" in coins.widget.status.text()
    person.move(*GROUND)
    person.move(*COIN)  # moving over it offers it again
    person.press(Qt.Key.Key_Return)
    assert coins.labels[COIN] == 1


def test_a_click_on_what_is_lit_counts_while_the_picture_is_selected(coins):
    person = coins.person
    coins.viewer.layers.selection.active = coins.viewer.layers["coins"]
    person.move(*GROUND)  # the pointer may be over the coin from before
    person.move(*COIN)
    assert person.lit(COIN, 2)
    person.click(*COIN)
    person.wait(30)
    assert coins.viewer.layers.selection.active is person.layer("prompts")
    assert len(person.layer("prompts").data) == 1
    assert coins.bridge.controller.current.prompts.signs == (1,)
    person.press(Qt.Key.Key_Return)
    assert coins.labels[COIN] == 1


def test_a_click_while_painting_by_hand_places_no_prompt(coins):
    person = coins.person
    mine = coins.viewer.add_labels(np.zeros((303, 384), int), name="mine")
    coins.viewer.layers.selection.active = mine
    person.click(*COIN)
    assert len(person.layer("prompts").data) == 0
    assert coins.viewer.layers.selection.active is mine


def test_leaving_out_before_anything_is_clicked_says_what_to_do(coins):
    coins.person.click(*COIN, modifier=SHIFT)
    assert "click the object first" in coins.widget.status.text()


def test_a_picture_that_is_opened_is_the_one_to_colour(coins):
    at = coins
    at.widget.choose(resolution=512)
    at.viewer.add_image(data.cell(), name="cell")
    assert at.widget.image.layer.currentText() == "cell"
    # A size in pixels was meant for the picture before.
    assert at.session.model.choice.resolution is None


def test_a_picture_that_is_opened_does_not_take_an_object_away(coins):
    coins.person.click(*COIN)
    coins.viewer.add_image(data.cell(), name="cell")
    assert coins.widget.image.layer.currentText() == "coins"
    assert len(coins.bridge.controller.current.prompts) == 1


def test_finer_and_coarser_colour_again(coins):
    model, session = coins.widget.model, coins.session
    first = session.coloring(coins.bridge.source.view).resolution
    model.finer.click()
    coins.person.wait(30)
    finer = session.coloring(coins.bridge.source.view).resolution
    assert finer == round(1.5 * first)
    model.coarser.click()
    coins.person.wait(30)
    assert session.coloring(coins.bridge.source.view).resolution == round(finer / 1.5)


def test_careful_clicks_consult_the_mirror_images_too(coins):
    model, session = coins.widget.model, coins.session
    plane = coins.bridge.source.view
    shown = session.coloring(plane).values
    assert session.coloring(plane).extra_maps is None
    model.careful.click()
    assert coins.widget.memory.get("passes") == 4
    model.color.click()
    coins.person.wait(60)
    careful = session.coloring(plane)
    assert careful.extra_maps is not None and careful.extra_maps.shape[2] == 9
    np.testing.assert_array_equal(careful.values, shown)
    coins.person.click(*COIN)
    coins.person.press(Qt.Key.Key_Return)
    assert coins.labels[COIN] == 1
    model.careful.click()  # back to the map from memory
    model.color.click()
    assert session.coloring(plane).extra_maps is None


def test_finer_before_there_is_a_map_says_what_to_do_first(desk):
    at = desk()
    at.widget.model.finer.click()
    assert "Press Color first" in at.widget.status.text()


def test_a_model_that_could_not_be_loaded_is_not_remembered(desk, memory):
    at = desk()
    at.widget.choose(model="nobody/nothing")
    assert memory.get("model") == "mini"
    at.widget.choose(model="mini")
    at.widget.model.color.click()
    at.person.wait(30)
    assert memory.get("model") == "mini"


def test_what_happened_stays_in_sight_in_a_small_window(coins):
    coins.viewer.window.resize(1200, 800)
    coins.person.wait(60)
    status = coins.widget.status
    coins.person.click(*COIN)
    coins.person.press(Qt.Key.Key_Return)
    assert status.text().startswith("Object 1")
    assert status.visibleRegion().boundingRect().height() == status.height()


def test_the_background_is_kept_only_with_a_word_about_it(coins):
    coins.person.click(*GROUND)
    coins.person.press(Qt.Key.Key_Return)
    assert "takes for background" in coins.widget.status.text()
    coins.person.click(*COIN)
    coins.person.press(Qt.Key.Key_Return)
    assert "takes for background" not in coins.widget.status.text()


def test_a_map_read_back_from_its_layer_still_knows_its_background(coins):
    plane = coins.bridge.source.view
    assert coins.bridge.overlays.found(plane).black_background


def test_what_napari_compiles_for_overlays_is_compiled_when_the_dock_opens(desk):
    warm_up.cache_clear()
    at = desk()
    at.person.until(lambda: warm_up.cache_info().currsize == 1)
    at.widget.model.color.click()
    at.person.wait(60)
    at.person.click(51, 155)
    (shown,) = [one for one in at.viewer.layers if isinstance(one, Labels)]
    assert shown.dtype == np.uint8  # that dictionary, and no other
    assert isinstance(shown.colormap, DirectLabelColormap)
