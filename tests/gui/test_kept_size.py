"""The size of kept objects, in layers of any pixel size, place and length."""

from __future__ import annotations

import dask.array as da
import numpy as np
import pytest
from qtpy.QtCore import Qt
from skimage import data

from napari_gen2seg.gui.panels.object_size import kept_diameter

COIN = (51, 155)


def test_objects_kept_on_a_pyramid_are_measured_at_its_level(desk):
    levels = [np.kron(data.coins(), np.ones((n, n), np.uint8)) for n in (4, 2, 1)]
    at = desk(levels, multiscale=True)
    source = at.bridge.source
    source.change(level=2)
    at.widget.model.color.click()
    at.person.wait(60)
    at.person.click(*(4 * n for n in COIN))
    at.person.press(Qt.Key.Key_Return)
    across = 2 * np.sqrt((at.labels == 1).sum() / np.pi)
    assert across > 20
    kept = at.bridge.controller.objects.layer
    assert kept_diameter(kept, source.view) == pytest.approx(across)
    at.widget.model.by_object.click()
    assert "Press Color" in at.widget.status.text()


def test_labels_of_another_pixel_size_and_place_are_measured_in_the_picture(desk):
    at = desk(np.zeros((3, 120, 200), np.uint8), scale=(2, 0.5, 0.5))
    at.viewer.dims.set_current_step(0, 2)
    labels = np.zeros((1, 60, 100), np.int32)
    labels[0, 10:20, 10:20] = 1
    layer = at.viewer.add_labels(labels, scale=(2, 1, 1), translate=(4, 0.25, 0.25))
    source = at.bridge.source
    found = kept_diameter(layer, source.view)
    assert found == pytest.approx(2 * 20 / np.sqrt(np.pi))


def test_labels_that_end_before_the_plane_in_view_are_said_to_be_missing(desk):
    at = desk(np.zeros((5, 120, 200), np.uint8))
    layer = at.viewer.add_labels(np.ones((2, 120, 200), np.int32))
    at.widget.objects.target.choose(layer)
    at.viewer.dims.set_current_step(0, 4)
    at.widget.model.by_object.click()
    assert "Draw one object" in at.widget.status.text()


def test_one_plane_of_a_lazy_stack_is_read_and_no_more(desk):
    read = []

    def plane(block_info=None):
        read.append(block_info[None]["chunk-location"][0])
        return np.ones((1, 120, 200), np.int32)

    at = desk(np.zeros((6, 120, 200), np.uint8))
    at.viewer.dims.set_current_step(0, 3)
    stack = da.map_blocks(plane, chunks=((1,) * 6, (120,), (200,)), dtype=np.int32)
    layer = at.viewer.add_labels(stack, visible=False)
    source = at.bridge.source
    read.clear()
    assert kept_diameter(layer, source.view) > 100
    assert read == [3]
