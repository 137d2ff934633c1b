"""Where derived layers lie: no window needed."""

from __future__ import annotations

import dask.array as da
import numpy as np
import pytest
import zarr
from napari.components import ViewerModel
from napari.layers import Image, Labels

from napari_gen2seg.core.image.geometry import rescale
from napari_gen2seg.core.image.rgb import RgbRecipe
from napari_gen2seg.errors import ImageError
from napari_gen2seg.gui.layers.view import (
    ReadOptions,
    View,
    array_of,
    default_level,
    level_factors,
    view_on_screen,
)

TURN = np.deg2rad(20)
MOVES = {
    "plain": {},
    "scaled": {"scale": (2.0, 0.5, 0.25), "translate": (3, -20, 7.5)},
    "turned": {"scale": (1, 0.5, 0.5), "rotate": 25, "translate": (0, 4, 9)},
    "sheared": {"scale": (2, 1.5, 0.5), "shear": [0.1, 0.2, -0.3]},
    "affine": {
        "scale": (2, 0.5, 0.25),
        "affine": np.array(
            [
                [1, 0, 0, 5],
                [0, np.cos(TURN), -np.sin(TURN), 2],
                [0, np.sin(TURN), np.cos(TURN), -3],
                [0, 0, 0, 1.0],
            ]
        ),
    },
}


def stack_in_view(step: int = 3, **layer) -> tuple[ViewerModel, Image]:
    viewer = ViewerModel()
    pixels = np.arange(5 * 40 * 60, dtype=np.uint16).reshape(5, 40, 60)
    image = viewer.add_image(pixels, **layer)
    viewer.dims.set_point(0, image.data_to_world((step, 0, 0))[0])
    return viewer, image


@pytest.mark.parametrize("moved", MOVES)
def test_derived_layer_lies_exactly_over_its_plane(moved):
    _, image = stack_in_view(**MOVES[moved])
    view = view_of(image, 3)
    shape = (20, 15)
    derived = Labels(view.spread(np.zeros(shape, np.uint8)), **view.placement(shape))
    for at in [(0, 0), (19, 14), (7.25, 3)]:
        source = rescale(at, shape, view.shape)
        there = derived.data_to_world((0, *at))
        assert there == pytest.approx(image.data_to_world((3, *source)))


def view_of(image, step):
    return View.of(image, (1, 2), (step, 0, 0))


@pytest.mark.parametrize("moved", MOVES)
def test_units_and_labels_are_copied(moved):
    _, image = stack_in_view(
        units=("um", "nm", "nm"), axis_labels=("z", "y", "x"), **MOVES[moved]
    )
    view = view_of(image, 1)
    derived = Labels(np.zeros((5, 40, 60), np.uint8), **view.placement())
    assert derived.units == image.units
    assert derived.axis_labels == image.axis_labels
    assert derived.extent.world == pytest.approx(image.extent.world)


@pytest.mark.parametrize("moved", ["plain", "scaled", "turned"])
def test_plane_in_view_is_the_one_the_sliders_show(moved):
    viewer, image = stack_in_view(step=2, **MOVES[moved])
    view = view_on_screen(viewer, image)
    assert view.index == (2, 0, 0)
    assert view.shape == (40, 60)
    assert np.array_equal(view.read(image.data), image.data[2])
    at = view.to_plane(image.data_to_world((2, 11, 50)))
    assert at == pytest.approx((11, 50))
    assert view.to_plane(image.data_to_world((2, 11, 60.1))) is None


def test_rolled_axes_give_the_plane_on_screen():
    viewer, image = stack_in_view()
    viewer.dims.order = (1, 0, 2)
    viewer.dims.set_current_step(1, 7)
    view = view_on_screen(viewer, image)
    assert view.axes == (0, 2)
    assert np.array_equal(view.read(image.data), image.data[:, 7])
    where = view.placement((5, 30))
    derived = Image(view.spread(np.zeros((5, 30, 3), np.uint8)), rgb=True, **where)
    assert derived.data.shape == (5, 1, 30, 3)
    assert derived.data_to_world((4, 0, 0)) == pytest.approx((4, 7, 0.5))


def test_three_dimensions_and_foreign_axes_are_refused_with_what_to_do():
    viewer, image = stack_in_view()
    viewer.dims.ndisplay = 3
    with pytest.raises(ImageError, match="2D/3D"):
        view_on_screen(viewer, image)
    viewer.dims.ndisplay = 2
    flat = viewer.add_image(np.zeros((40, 60)))
    viewer.dims.order = (1, 0, 2)
    with pytest.raises(ImageError, match="roll"):
        view_on_screen(viewer, flat)


def test_slider_beyond_the_layer_is_said():
    viewer, _ = stack_in_view()
    short = viewer.add_image(np.zeros((2, 40, 60)), name="short")
    viewer.dims.set_current_step(0, 4)
    with pytest.raises(ImageError, match="outside 'short'"):
        view_on_screen(viewer, short)


@pytest.mark.parametrize("lazy", [np.asarray, da.from_array, zarr.array])
def test_any_array_is_read_plane_by_plane(lazy):
    viewer = ViewerModel()
    pixels = np.random.default_rng(0).integers(0, 99, (4, 3, 20, 30), np.uint8)
    image = viewer.add_image(lazy(pixels))
    viewer.dims.set_current_step(0, 2)
    viewer.dims.set_current_step(1, 1)
    view = view_on_screen(viewer, image)
    assert np.array_equal(view.read(image.data), pixels[2, 1])


def test_pyramid_level_stands_for_the_same_world():
    viewer = ViewerModel()
    full = np.random.default_rng(0).integers(0, 255, (3, 64, 96), np.uint8)
    levels = [full, full[:, ::2, ::2], full[:, ::4, ::4]]
    image = viewer.add_image(levels, multiscale=True, scale=(1, 0.5, 0.5))
    viewer.dims.set_current_step(0, 1)
    view = view_on_screen(viewer, image, ReadOptions(level=2))
    assert view.shape == (16, 24)
    assert level_factors(image, 2) == pytest.approx((1, 4, 4))
    assert np.array_equal(view.read(array_of(image, 2)), levels[2][1])
    derived = Labels(np.zeros((3, 16, 24), np.uint8), **view.placement())
    # The middle of a level's pixel is the middle of the sixteen it stands for.
    assert derived.data_to_world((1, 0, 0)) == pytest.approx((1, 0.75, 0.75))
    at = view.to_plane(derived.data_to_world((1, 5, 7)))
    assert at == pytest.approx((5, 7))


def test_default_level_is_the_finest_that_fits():
    levels = [np.zeros((n, n), np.uint8) for n in (9000, 4500, 2250)]
    image = Image(levels, multiscale=True)
    assert default_level(image) == 2
    assert default_level(image, longest=5000) == 1
    assert default_level(image, longest=100) == 2


def test_channel_axis_is_read_whole_and_left_out_of_derived_layers():
    viewer = ViewerModel()
    pixels = np.random.default_rng(0).integers(0, 255, (2, 40, 60), np.uint8)
    image = viewer.add_image(pixels, scale=(1, 0.5, 0.5), translate=(0, 3, 4))
    view = view_on_screen(viewer, image, ReadOptions(channel_axis=0))
    assert view.read(image.data).shape == (40, 60, 2)
    assert view.ndim == 2
    derived = Labels(np.zeros((40, 60), np.uint8), **view.placement())
    assert derived.data_to_world((0, 0)) == pytest.approx((3, 4))


def test_views_are_equal_where_they_show_the_same_plane():
    viewer, image = stack_in_view(step=2)
    view = view_on_screen(viewer, image)
    kept = {view: "coloring"}
    assert kept[View.of(image, (1, 2), (2, 0, 0))] == "coloring"
    image.scale = (3, 2, 2)
    inverted = ReadOptions(recipe=RgbRecipe(invert=True))
    again = view_on_screen(viewer, image, inverted)
    assert kept[again.at((2, 0, 0))] == "coloring"  # moved, and read in another way
    assert view.at((3, 0, 0)) not in kept
    assert view_on_screen(viewer, image, ReadOptions(channel_axis=0)) not in kept
    assert view.key == (str(image.unique_id), (1, 2), (2, 0, 0), (5, 40, 60), 0, None)


@pytest.mark.parametrize("moved", MOVES)
def test_a_view_keeps_where_its_layer_was(moved):
    _, image = stack_in_view(**MOVES[moved])
    view = view_of(image, 3)
    there = image.data_to_world((3, 11, 50))
    assert view.to_plane(there) == pytest.approx((11, 50))
    assert view.to_plane((99, *there)) == pytest.approx((11, 50))  # of a larger world
    image.translate = np.asarray(image.translate) + 5
    assert view.to_plane(there) == pytest.approx((11, 50))
    moved_there = image.data_to_world((3, 11, 50))
    assert view.moved_as(image).to_plane(moved_there) == pytest.approx((11, 50))
