"""The size of a typical object: drawn in a Shapes layer, or kept by clicking."""

from __future__ import annotations

import numpy as np
import pytest

from napari_gen2seg.gui.panels.object_size import drawn_diameter, kept_diameter

SHAPES = {
    "line": ([[10, 10], [10, 50]], 40),
    "rectangle": ([[10, 10], [10, 50], [50, 50], [50, 10]], 40),
    "ellipse": ([[10, 10], [10, 90], [30, 90], [30, 10]], 40),
    "polygon": ([[0, 0], [0, 40], [40, 40], [40, 0]], 2 * 40 / np.sqrt(np.pi)),
}


@pytest.mark.parametrize("kind", SHAPES)
def test_a_drawn_shape_has_a_diameter_in_pixels_of_the_picture(desk, kind):
    desk = desk(np.zeros((120, 200), np.uint8), scale=(0.5, 0.5))
    source = desk.bridge.source
    corners, wanted = SHAPES[kind]
    desk.viewer.add_shapes([np.array(corners)], shape_type=kind, scale=(0.5, 0.5))
    found = drawn_diameter(desk.viewer, source.view)
    assert found == pytest.approx(wanted)
    # The same on screen, drawn in another unit.
    desk.viewer.add_shapes([np.array(corners) / 4], shape_type=kind, scale=(2, 2))
    again = drawn_diameter(desk.viewer, source.view)
    assert again == pytest.approx(wanted)


def test_kept_objects_have_a_median_diameter_on_their_plane(desk):
    desk = desk(np.zeros((3, 120, 200), np.uint8))
    source = desk.bridge.source
    labels = np.zeros((3, 120, 200), np.int32)
    plane = int(source.view.index[0])
    labels[plane, :10, :10], labels[plane, 40:60, :20] = 1, 2
    labels[plane, 80:100, 50:70] = 3
    labels[(plane + 1) % 3] = 4  # elsewhere
    layer = desk.viewer.add_labels(labels)
    found = kept_diameter(layer, source.view)
    assert found == pytest.approx(2 * 20 / np.sqrt(np.pi))
    layer.data = np.zeros_like(labels)
    assert kept_diameter(layer, source.view) is None


def test_the_button_chooses_the_size_or_says_what_to_do(desk):
    desk = desk()  # coins, 303 x 384
    button, combo = desk.widget.model.by_object, desk.widget.model.resolution
    desk.widget.choose(model="mini")
    button.click()
    assert "Draw one object" in desk.widget.status.text()
    assert combo.currentData() is None
    desk.viewer.add_shapes([np.array([[100, 100], [100, 150]])], shape_type="line")
    button.click()
    from napari_gen2seg.models.model_folder import read_model_config
    from napari_gen2seg.models.registry import find

    liked = read_model_config(find("mini").path).object_diameter
    assert combo.currentData() == round(384 * liked / 50)
    assert desk.session.model.choice.resolution == combo.currentData()
    assert "Press Color" in desk.widget.status.text()
