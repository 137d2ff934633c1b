"""Outlines along pixel edges fill to the very mask they were taken from."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from napari_gen2seg.core.outlines import fill, one_ring, rings


def filled(polygons: list[np.ndarray], shape: tuple[int, int]) -> np.ndarray:
    frame = np.zeros(shape, bool)
    window, (row, col) = fill(polygons, shape)
    frame[row : row + window.shape[0], col : col + window.shape[1]] = window
    return frame


def masks() -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    noise = [rng.random((17, 23)) < share for share in (0.02, 0.3, 0.5, 0.7, 0.98)]
    smooth = [ndimage.gaussian_filter(rng.random((60, 50)), 3) > 0.5 for _ in range(4)]
    return [*noise, *smooth, np.ones((3, 4), bool), np.eye(5, dtype=bool)]


@pytest.mark.parametrize("mask", masks())
def test_there_and_back_again(mask: np.ndarray) -> None:
    found = rings(mask)
    np.testing.assert_array_equal(filled(found, mask.shape), mask)
    joined = one_ring(found)
    np.testing.assert_array_equal(filled([joined], mask.shape), mask)
    # As files with few digits have it.
    rounded = np.round(joined / mask.shape, 5) * mask.shape
    np.testing.assert_array_equal(filled([rounded], mask.shape), mask)


@pytest.mark.parametrize("mask", masks())
def test_a_ring_for_each_piece_and_each_hole(mask: np.ndarray) -> None:
    pieces = ndimage.label(mask)[1]
    outside = ndimage.label(~np.pad(mask, 1), np.ones((3, 3)))[1]
    assert len(rings(mask)) == pieces + outside - 1


def test_corners_of_a_rectangle() -> None:
    mask = np.zeros((5, 6), bool)
    mask[1:4, 2:5] = True
    (ring,) = rings(mask)
    assert {tuple(corner) for corner in ring.tolist()} == {
        (1, 2),
        (1, 5),
        (4, 5),
        (4, 2),
    }
    assert len(ring) == 4


def test_what_lies_outside_is_cut_off() -> None:
    window, corner = fill([[(-3, -2), (-3, 2.6), (2, 2.6), (2, -2)]], (10, 10))
    assert corner == (0, 0)
    np.testing.assert_array_equal(window, np.ones((2, 3), bool))
    assert not fill([[(20, 20), (20, 30), (30, 30)]], (10, 10))[0].any()
    assert not fill([], (10, 10))[0].any()
    assert rings(np.zeros((4, 4), bool)) == []
