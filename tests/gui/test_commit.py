"""Masks into Labels layers: no window needed."""

from __future__ import annotations

import dask.array as da
import numpy as np
import pytest
import zarr
from napari.components import ViewerModel
from napari.layers import Labels

from napari_gen2seg.core.probe.mask import Mask
from napari_gen2seg.gui.annotate.commit import (
    CommitError,
    new_objects,
    read_object,
    write,
)
from napari_gen2seg.gui.annotate.count import count_objects
from napari_gen2seg.gui.annotate.hand_edits import hand_edited, remember
from napari_gen2seg.gui.annotate.labels_layer import Objects
from napari_gen2seg.gui.layers.view import view_on_screen
from napari_gen2seg.session import Inline

H, W = 40, 60


def square(row: int, col: int, size: int = 8) -> Mask:
    frame = np.zeros((H, W), bool)
    frame[row : row + size, col : col + size] = True
    return Mask.from_window(frame, (0, 0), (H, W), (H, W))


@pytest.fixture
def flat():
    viewer = ViewerModel()
    image = viewer.add_image(np.zeros((H, W), np.uint8), scale=(0.5, 0.25))
    return viewer, image, view_on_screen(viewer, image)


@pytest.fixture
def stack():
    viewer = ViewerModel()
    image = viewer.add_image(np.zeros((5, H, W), np.uint8), scale=(2, 0.5, 0.25))
    viewer.dims.set_current_step(0, 3)
    return viewer, image, view_on_screen(viewer, image)


def test_commit_is_one_undo_step_and_touches_its_plane_only(stack):
    _, image, view = stack
    labels = new_objects(view)
    assert labels.data.shape == (5, H, W)
    assert labels.scale == pytest.approx(image.scale)
    written = write(labels, view, square(4, 6), 7)
    assert written.pixels == 64
    assert np.array_equal(labels.data[3] == 7, square(4, 6).array)
    assert not labels.data[[0, 1, 2, 4]].any()
    labels.undo()
    assert not labels.data.any()
    labels.redo()
    assert (labels.data == 7).sum() == 64


def test_correction_moves_the_object_in_one_step(flat):
    _, _image, view = flat
    labels = new_objects(view)
    write(labels, view, square(4, 6), 1)
    write(labels, view, square(8, 10), 1)
    assert np.array_equal(labels.data == 1, square(8, 10).array)
    labels.undo()
    assert np.array_equal(labels.data == 1, square(4, 6).array)


def test_others_are_spared_unless_overwriting(flat):
    _, _image, view = flat
    labels = new_objects(view)
    write(labels, view, square(4, 6), 1)
    written = write(labels, view, square(8, 10), 2)
    assert written.spared == 16
    assert (labels.data == 1).sum() == 64
    assert (labels.data == 2).sum() == 48
    write(labels, view, square(8, 10), 2, overwrite=True)
    assert (labels.data == 1).sum() == 48
    assert (labels.data == 2).sum() == 64


def test_nothing_left_to_write_is_an_error_and_changes_nothing(flat):
    _, _image, view = flat
    labels = new_objects(view)
    write(labels, view, square(4, 6), 1)
    with pytest.raises(CommitError, match="This is object 1, which is kept"):
        write(labels, view, square(5, 7, 4), 2)
    assert labels.data.max() == 1


@pytest.mark.parametrize(
    ("where", "at"),
    [
        ({"scale": (1.0, 0.5)}, (2, 3, 4)),  # half the pixels
        ({"scale": (0.25, 0.125)}, (8, 12, 16)),  # twice as many
        ({"scale": (0.5, 0.25), "translate": (1, 1)}, (2, 2, 8)),  # shifted
    ],
)
def test_layer_of_another_grid_gets_the_mask_where_it_is(flat, where, at):
    _, _image, view = flat
    labels = Labels(np.zeros((90, 130), np.uint16), **where)
    write(labels, view, square(4, 6), 1)
    rows, cols = np.nonzero(labels.data)
    row, col, size = at
    # Grids whose pixels do not nest are half a pixel off at most.
    assert abs(rows.min() - row) <= 1
    assert abs(cols.min() - col) <= 1
    assert np.ptp(rows) + 1 == pytest.approx(size, abs=1)
    assert np.ptp(cols) + 1 == pytest.approx(size, abs=1)


def test_zarr_labels_are_written_too(stack):
    _, image, view = stack
    labels = Labels(zarr.zeros((5, H, W), dtype="u2"), scale=image.scale)
    write(labels, view, square(4, 6), 9)
    assert (np.asarray(labels.data[3]) == 9).sum() == 64
    assert not np.asarray(labels.data[:3]).any()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (da.zeros((H, W), dtype="u2"), "lazy"),
        ([np.zeros((H, W), np.uint8), np.zeros((H // 2, W // 2), np.uint8)], "pyramid"),
        (np.zeros((3, H, W), np.uint8), "3 dimensions"),
    ],
)
def test_layers_that_cannot_take_masks_are_refused_with_what_to_do(flat, data, words):
    _, _image, view = flat
    with pytest.raises(CommitError, match=words) as caught:
        write(Labels(data, name="mine"), view, square(4, 6), 1)
    assert "'mine'" in str(caught.value)
    assert "hoose" in str(caught.value)


def test_number_beyond_the_type_is_refused(flat):
    _, image, view = flat
    labels = Labels(np.zeros((H, W), np.uint8), scale=image.scale)
    with pytest.raises(CommitError, match="ends at 255"):
        write(labels, view, square(4, 6), 256)


def test_turned_labels_are_refused(stack):
    _, _image, view = stack
    tilt = np.eye(4)
    tilt[:2, :2] = [[0.8, -0.6], [0.6, 0.8]]
    labels = Labels(np.zeros((5, H, W), np.uint8), affine=tilt)
    with pytest.raises(CommitError, match="rotated"):
        write(labels, view, square(4, 6), 1)


def test_counting_reads_stacks_plane_by_plane():
    labels = np.zeros((4, 9, 9), np.int32)
    labels[0, 0, 0], labels[1, 2, 3], labels[3, 3, 3] = 5, 5, 70_000_000
    assert count_objects(labels) == (2, 70_000_000)
    assert count_objects(da.from_array(labels)) == (2, 70_000_000)
    assert count_objects(labels[2]) == (0, 0)


def test_undo_skips_what_was_taken_back_in_the_layer(flat):
    viewer, _image, view = flat
    objects = Objects(viewer, Inline())
    for number, at in ((1, 4), (2, 20)):
        objects.commit(view, square(at, at), number)
    assert (objects.tally.count, objects.tally.highest) == (2, 2)
    objects.layer.undo()  # in napari itself
    assert objects.tally.count == 1
    assert objects.undo() == ("Image objects", 1)
    assert objects.undo() is None


def test_undo_after_work_by_hand_takes_that_back_first(flat):
    viewer, _image, view = flat
    objects = Objects(viewer, Inline())
    objects.commit(view, square(4, 6), 1)
    objects.layer.data_setitem((np.array([30]), np.array([30])), 9)
    assert objects.undo() == ("Image objects", None)
    assert objects.layer.data.max() == 1
    assert objects.undo() == ("Image objects", 1)


def test_deleted_target_is_made_anew(flat):
    viewer, _image, view = flat
    objects = Objects(viewer, Inline())
    objects.commit(view, square(4, 6), 1)
    viewer.layers.remove(objects.layer)
    assert objects.undo() is None
    objects.commit(view, square(4, 6), 2)
    assert (objects.layer.data == 2).sum() == 64


@pytest.mark.parametrize(
    "where",
    [
        {"scale": (0.5, 0.25)},
        {"scale": (1.0, 0.5), "translate": (0.25, 0.125)},  # two by two pixels each
        {"scale": (0.5, 0.25), "translate": (1.0, 0.5)},
    ],
)
def test_an_object_is_read_back_where_it_is_on_the_plane(flat, where):
    _, _image, view = flat
    labels = Labels(np.zeros((H, W), np.int32), **where)
    write(labels, view, square(4, 6), 3)
    crop, corner = read_object(labels, view, 3)
    found = np.zeros((H, W), bool)
    found[corner[0] : corner[0] + crop.shape[0], corner[1] :][:, : crop.shape[1]] = crop
    np.testing.assert_array_equal(found, square(4, 6).array)
    assert read_object(labels, view, 4) is None


def test_a_commit_taken_back_is_no_change_by_hand(flat):
    _, _image, view = flat
    labels = new_objects(view)
    for clicks, mask in enumerate((square(4, 6), square(5, 7)), 1):
        write(labels, view, mask, 1)
        remember(labels, view, 1, clicks)
    labels.undo()
    assert hand_edited(labels, view, 1, 2) is None


def test_what_was_changed_by_hand_is_noticed_and_what_was_not_is_not(stack):
    _, _image, view = stack
    labels = new_objects(view)
    write(labels, view, square(4, 6), 1)
    remember(labels, view, 1, 2)
    assert hand_edited(labels, view, 1, 2) is None
    labels.data_setitem((np.array([3]), np.array([4]), np.array([6])), 0)
    found = hand_edited(labels, view, 1, 2)
    assert found.settled == 2 and found.crop.sum() == 63
    assert hand_edited(labels, view, 1, 2).settled == 0  # once
    labels.undo()
    assert hand_edited(labels, view, 1, 0).crop.sum() == 64
    # Never clicked: painted. On another plane it is another object.
    labels.data_setitem((np.array([3]), np.array([0]), np.array([0])), 5)
    assert hand_edited(labels, view, 5, 0) is not None
    assert hand_edited(labels, view, 6, 0) is None
    assert hand_edited(labels, view.at((2, 0, 0)), 1, 0) is None
