"""One plane out of anything, and only that plane is loaded."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from napari_gen2seg.core.planes import (
    PlaneAxes,
    PlaneKey,
    guess_axes,
    level_for,
    levels_of,
    plane_key,
    read_plane,
)
from napari_gen2seg.errors import ImageError

STACK = np.arange(4 * 5 * 40 * 50).reshape(4, 5, 40, 50)


class Counting:
    """An array that counts the values it hands out, as a file would read them."""

    def __init__(self, array: np.ndarray) -> None:
        self._array = array
        self.shape, self.dtype, self.loaded = array.shape, array.dtype, 0

    def __getitem__(self, index: Any) -> np.ndarray:
        part = self._array[index]
        self.loaded += part.size
        return part


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((40, 50), PlaneAxes(0, 1)),
        ((40, 50, 3), PlaneAxes(0, 1, 2)),
        ((40, 50, 4), PlaneAxes(0, 1, 2)),
        ((7, 40, 50), PlaneAxes(1, 2)),
        ((3, 40, 50), PlaneAxes(1, 2, 0)),
        ((2, 500, 500), PlaneAxes(1, 2, 0)),
        ((1, 40, 50), PlaneAxes(1, 2)),
        ((7, 40, 50, 3), PlaneAxes(1, 2, 3)),
        ((2, 3, 40, 50), PlaneAxes(2, 3)),
        ((40, 3, 3), PlaneAxes(1, 2)),
    ],
)
def test_axes_are_guessed(shape: tuple[int, ...], expected: PlaneAxes) -> None:
    assert guess_axes(np.zeros(shape)) == expected


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("TCYX", PlaneAxes(2, 3, 1)),
        ("czxy", PlaneAxes(3, 2, 0)),
        ("ZTYX", PlaneAxes(2, 3)),
    ],
)
def test_named_axes_are_believed(order: str, expected: PlaneAxes) -> None:
    assert guess_axes(STACK, order) == expected


@pytest.mark.parametrize("order", ["YX", "TZCC", "CSYX", "TZYY"])
def test_names_that_do_not_fit_are_refused(order: str) -> None:
    with pytest.raises(ImageError, match="axes"):
        guess_axes(STACK, order)


def test_a_plane_of_a_stack() -> None:
    plane = read_plane(STACK, position=(2, 3))
    np.testing.assert_array_equal(plane, STACK[2, 3])
    np.testing.assert_array_equal(read_plane(STACK, position=(2, 3, 9, 9)), plane)
    np.testing.assert_array_equal(read_plane(STACK, position=(-1, -1)), STACK[3, 4])


def test_channels_come_last_whatever_their_axis() -> None:
    axes = guess_axes(STACK, "ZCYX")
    plane = read_plane(STACK, axes, position=(1,))
    np.testing.assert_array_equal(plane, np.moveaxis(STACK[1], 0, -1))
    swapped = read_plane(STACK, guess_axes(STACK, "ZCXY"), position=(1,))
    np.testing.assert_array_equal(swapped, np.moveaxis(STACK[1], (2, 1, 0), (0, 1, 2)))


def test_only_the_plane_is_loaded() -> None:
    counting = Counting(STACK)
    read_plane(counting, position=(1, 1))
    assert counting.loaded == 40 * 50


def test_a_pyramid_level_follows_the_full_size_position() -> None:
    pyramid = [STACK, STACK[::2, :, ::2, ::2], STACK[::4, :, ::4, ::4]]
    np.testing.assert_array_equal(
        read_plane(pyramid, position=(3, 2), level=1), pyramid[1][1, 2]
    )
    assert level_for(pyramid, 20) == 1
    assert level_for(pyramid, 1000) == 0
    assert len(levels_of(pyramid)) == 3 and len(levels_of(STACK)) == 1


def test_dask_and_zarr(tmp_path: Any) -> None:
    da = pytest.importorskip("dask.array")
    zarr = pytest.importorskip("zarr")
    lazy = da.from_array(STACK, chunks=(1, 1, 40, 50))
    np.testing.assert_array_equal(read_plane(lazy, position=(1, 2)), STACK[1, 2])
    stored = zarr.create_array(
        str(tmp_path / "a.zarr"), shape=STACK.shape, chunks=(1, 1, 40, 50), dtype="i8"
    )
    stored[:] = STACK
    np.testing.assert_array_equal(read_plane(stored, position=(1, 2)), STACK[1, 2])


def test_keys_name_planes() -> None:
    axes = guess_axes(STACK)
    here = plane_key("layer", STACK, axes, (1, 2, 30, 30))
    assert here == PlaneKey("layer", (1, 2, None, None), 0)
    assert here == plane_key("layer", STACK, axes, (1, 2, 0, 7))
    assert here != plane_key("layer", STACK, axes, (1, 3, 30, 30))
    assert len({here, plane_key("other", STACK, axes, (1, 2, 0, 0))}) == 2


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"position": (9, 0)}, "Position 9"),
        ({"position": (1,)}, "1 entries"),
        ({"position": (1, 2), "level": 3}, "level 3"),
        ({"position": (1, 2), "axes": PlaneAxes(7, 8)}, "axis 8"),
    ],
)
def test_what_does_not_exist_is_named(arguments: dict[str, Any], says: str) -> None:
    with pytest.raises(ImageError, match=says):
        read_plane(STACK, **arguments)


def test_too_few_axes_and_empty_pyramids_are_named() -> None:
    with pytest.raises(ImageError, match="rows and columns"):
        guess_axes(np.zeros(7))
    with pytest.raises(ImageError, match="no level"):
        levels_of([])
