"""One plane out of anything, and only that plane is loaded."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from napari_gen2seg.core.image.axes import PlaneAxes, read_plane
from napari_gen2seg.errors import ImageError

STACK = np.arange(4 * 5 * 40 * 50).reshape(4, 5, 40, 50)
LAST = PlaneAxes(2, 3)


class Counting:
    """An array that counts the values it hands out, as a file would read them."""

    def __init__(self, array: np.ndarray) -> None:
        self._array = array
        self.shape, self.dtype, self.loaded = array.shape, array.dtype, 0

    def __getitem__(self, index: Any) -> np.ndarray:
        part = self._array[index]
        self.loaded += part.size
        return part


def test_a_plane_of_a_stack() -> None:
    plane = read_plane(STACK, LAST, (2, 3, 9, 9))
    np.testing.assert_array_equal(plane, STACK[2, 3])
    np.testing.assert_array_equal(read_plane(STACK, LAST, (-1, -1, 0, 0)), STACK[3, 4])


def test_channels_come_last_whatever_their_axis() -> None:
    plane = read_plane(STACK, PlaneAxes(2, 3, 1), (1, 0, 0, 0))
    np.testing.assert_array_equal(plane, np.moveaxis(STACK[1], 0, -1))
    swapped = read_plane(STACK, PlaneAxes(3, 2, 1), (1, 0, 0, 0))
    np.testing.assert_array_equal(swapped, np.moveaxis(STACK[1], (2, 1, 0), (0, 1, 2)))


def test_only_the_plane_is_loaded() -> None:
    counting = Counting(STACK)
    read_plane(counting, LAST, (1, 1, 0, 0))
    assert counting.loaded == 40 * 50


def test_dask_and_zarr(tmp_path: Any) -> None:
    da = pytest.importorskip("dask.array")
    zarr = pytest.importorskip("zarr")
    place = (1, 2, 0, 0)
    lazy = da.from_array(STACK, chunks=(1, 1, 40, 50))
    np.testing.assert_array_equal(read_plane(lazy, LAST, place), STACK[1, 2])
    stored = zarr.create_array(
        str(tmp_path / "a.zarr"), shape=STACK.shape, chunks=(1, 1, 40, 50), dtype="i8"
    )
    stored[:] = STACK
    np.testing.assert_array_equal(read_plane(stored, LAST, place), STACK[1, 2])


@pytest.mark.parametrize(
    ("axes", "position", "says"),
    [
        (LAST, (9, 0, 0, 0), "Position 9"),
        (LAST, (1,), "1 entries"),
        (PlaneAxes(7, 8), (1, 2, 0, 0), "axis 8"),
    ],
)
def test_what_does_not_exist_is_named(
    axes: PlaneAxes, position: tuple[int, ...], says: str
) -> None:
    with pytest.raises(ImageError, match=says):
        read_plane(STACK, axes, position)
