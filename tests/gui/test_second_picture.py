"""A second picture beside the first: objects, map and preview of its own."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile
from qtpy.QtCore import Qt
from skimage import data

COIN, SECOND = (51, 155), (124, 45)
MIRRORED = (51, 383 - 155)  # COIN in the second picture
LARGER = np.pad(np.fliplr(data.coins()), ((0, 60), (0, 60)), mode="edge")


def color(at) -> None:
    at.widget.model.color.click()
    at.person.wait(60)


def keep(at, *places) -> None:
    for place in places:
        at.person.click(*place)
        at.person.press(Qt.Key.Key_Return)


def labels_of(at, picture) -> list:
    return [
        layer
        for layer in at.viewer.layers
        if layer.metadata.get("napari-gen2seg", {}).get("role") == "objects"
        and layer.metadata["napari-gen2seg"]["source"] == str(picture.unique_id)
    ]


@pytest.fixture
def two(desk):
    """Two objects kept on a first picture, and a second one just opened."""
    at = desk(name="first")
    at.first = at.viewer.layers["first"]
    color(at)
    keep(at, COIN, SECOND)
    at.second = at.viewer.add_image(LARGER, name="second")
    at.person.wait()
    return at


def test_objects_of_a_second_picture_get_a_layer_of_their_own(two):
    assert two.bridge.source.layer is two.second
    assert two.widget.objects.target.layer is None
    color(two)
    keep(two, MIRRORED)
    (first,), (second,) = labels_of(two, two.first), labels_of(two, two.second)
    assert second.data.shape == LARGER.shape
    assert second.data[MIRRORED] == 1
    assert first.data.max() == 2
    assert two.widget.objects.target.layer is second


def test_going_back_goes_on_in_the_first_picture_s_layer(two):
    color(two)
    keep(two, MIRRORED)
    two.widget.image.layer.choose(two.first)
    two.person.wait()
    assert [two.widget.objects.target.layer] == labels_of(two, two.first)
    assert two.bridge.controller.current.number == 3
    two.widget.image.layer.choose(two.second)
    two.person.wait()
    assert [two.widget.objects.target.layer] == labels_of(two, two.second)
    assert two.bridge.controller.current.number == 2


def test_what_is_drawn_over_a_picture_is_hidden_with_another_one_chosen(two):
    def seen():
        ours = map(two.person.layer, ("coloring", "preview", "proposals"))
        return [one.visible for one in ours if one is not None]

    assert seen() == [False, False]  # the second one is chosen, and not colored yet
    two.widget.image.layer.choose(two.first)
    two.person.wait()
    assert two.person.layer("coloring").visible
    two.bridge.controller.current.start_clicking()
    two.person.click(125, 102)
    assert seen() == [True, True]
    two.person.layer("coloring").visible = False  # by a person: it stays so
    two.widget.image.layer.choose(two.second)
    assert not any(seen())
    two.widget.image.layer.choose(two.first)
    assert not two.person.layer("coloring").visible


def test_an_object_half_clicked_is_there_again_after_a_look_at_another(two):
    two.widget.image.layer.choose(two.first)
    two.bridge.controller.current.start_clicking()
    two.second.visible = False
    two.person.click(125, 102)
    two.widget.image.layer.choose(two.second)
    two.person.wait()
    assert len(two.bridge.controller.current.prompts) == 0
    two.widget.image.layer.choose(two.first)
    two.person.wait()
    assert two.bridge.controller.current.number == 3
    assert len(two.bridge.controller.current.prompts) == 1


def test_a_layer_chosen_by_hand_stays_chosen(two):
    mine = two.viewer.add_labels(np.zeros((363, 444), np.int32), name="mine")
    two.widget.objects.target.choose(mine)
    two.widget.image.layer.choose(two.first)
    two.person.wait()
    assert two.widget.objects.target.layer is mine


def test_what_was_said_of_one_picture_is_not_said_of_the_next(two):
    status = two.widget.status
    assert status.text() == ""
    color(two)
    keep(two, MIRRORED)
    assert status.text()
    two.widget.image.layer.choose(two.first)
    assert status.text() == ""


def test_a_warning_goes_once_a_picture_is_coloured(two):
    two.viewer.layers.remove(two.second)
    two.viewer.layers.remove(two.first)
    two.person.wait()
    two.widget.model.color.click()
    assert two.widget.status.text()
    two.viewer.add_image(LARGER, name="third")
    two.person.wait()
    color(two)
    assert two.widget.status.text() == ""
    # What can only fail is not offered.
    two.viewer.add_image(np.zeros((1, 3000), np.uint8), name="line")
    two.person.wait()
    assert "1 x 3000 pixels" in two.widget.image.facts.text()
    assert not two.widget.model.color.isEnabled()
    assert two.widget.model.doing.text() == ""
    two.viewer.layers.remove("line")
    two.person.wait()
    assert two.widget.model.color.isEnabled()


def opened(at, tmp_path, picture):
    """Open a picture as File > Open does."""
    path = tmp_path / "opened.tif"
    tifffile.imwrite(path, picture, photometric="minisblack")
    (layer,) = at.viewer.open(str(path), plugin="napari")
    at.person.wait(60)
    return layer


def test_a_picture_opened_from_a_file_lies_over_all_of_the_last_one(desk, tmp_path):
    at = desk(name="first")
    color(at)
    keep(at, COIN, SECOND)
    layer = opened(at, tmp_path, LARGER)
    assert at.bridge.source.layer is layer
    assert [one for one in at.viewer.layers if one.visible][-1] is layer
    assert not any(
        at.person.layer(role).visible for role in ("coloring", "preview", "prompts")
    )
    color(at)
    keep(at, MIRRORED)
    names = [one.name for one in at.viewer.layers]
    seen = [one.name for one in at.viewer.layers if one.visible]
    assert seen[: seen.index(layer.name)] == ["first", "first objects"]
    assert all(name.startswith(layer.name) for name in names[names.index(layer.name) :])
    at.widget.image.layer.choose(at.viewer.layers["first"])
    at.person.wait(60)
    order = at.viewer.layers.index
    assert order(at.person.layer("prompts")) > order(at.viewer.layers["first objects"])


def test_the_view_stays_where_a_person_left_it(desk, tmp_path):
    at = desk(name="first")
    color(at)
    camera = at.viewer.scene.camera
    camera.zoom, camera.center = 5.0, (0.0, 40.0, 60.0)
    opened(at, tmp_path, LARGER)
    assert (camera.zoom, tuple(camera.center)[-2:]) == (5.0, (40.0, 60.0))


def test_a_view_that_we_moved_shows_all_of_a_picture_that_is_opened(desk, tmp_path):
    at = desk(np.pad(data.coins(), ((0, 900), (0, 900))), name="first")
    at.widget.review.on.click()
    color(at)
    review = at.bridge.controller.review
    at.person.until(lambda: review.review is not None)
    whole = at.viewer.scene.camera.zoom
    at.person.press(Qt.Key.Key_N)
    assert at.viewer.scene.camera.zoom > whole
    layer = opened(at, tmp_path, LARGER)
    for corner in ((0, 0), layer.data.shape):
        place = at.person.place(*corner)
        assert at.person.canvas.native.rect().contains(place)
