"""Labels of one picture from several layers."""

from __future__ import annotations

import numpy as np

from napari_gen2seg.core.joined_labels import join_labels


def row(*numbers: int) -> np.ndarray:
    return np.array([numbers], np.int32)


def test_objects_of_all_sets_are_there():
    joined = join_labels([row(5, 5, 0, 0, 9, 9), row(0, 0, 5, 5, 0, 0)])
    assert joined.tolist() == [[1, 1, 3, 3, 2, 2]]
    assert join_labels([row(0, 7, 7)]).tolist() == [[0, 1, 1]]


def test_a_corrected_object_leaves_nothing_behind():
    smaller = join_labels([row(4, 4, 4, 4, 4, 4), row(0, 8, 8, 8, 0, 0)])
    assert smaller.tolist() == [[0, 1, 1, 1, 0, 0]]
    parted = join_labels([row(4, 4, 4, 4, 4, 4), row(1, 1, 0, 0, 2, 2)])
    assert parted.tolist() == [[1, 1, 0, 0, 2, 2]]
    merged = join_labels([row(1, 1, 0, 0, 2, 2), row(3, 3, 3, 3, 3, 3)])
    assert merged.tolist() == [[1, 1, 1, 1, 1, 1]]


def test_a_neighbour_gives_way_and_stays():
    joined = join_labels([row(4, 4, 4, 4, 0, 0), row(0, 0, 0, 6, 6, 6)])
    assert joined.tolist() == [[1, 1, 1, 2, 2, 2]]


def test_the_last_of_three_counts():
    joined = join_labels([row(1, 1, 1), row(2, 2, 2), row(0, 3, 3)])
    assert joined.tolist() == [[0, 1, 1]]


def test_unknown_stays_unknown_and_large_numbers_are_held():
    joined = join_labels([row(-1, -1, 0, 2**31 - 1), row(0, 1, -1, 0)])
    assert joined.tolist() == [[-1, 2, 0, 1]]
    huge = np.array([[2**63 + 5, 0]], np.uint64)
    assert join_labels([huge, row(0, 1)]).tolist() == [[1, 2]]
