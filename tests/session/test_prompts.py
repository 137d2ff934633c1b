"""Clicks read from a table, and colorings kept under a limit."""

from __future__ import annotations

import numpy as np
import pytest

from napari_gen2seg.core.coloring import Coloring
from napari_gen2seg.session.coloring_cache import ColoringCache
from napari_gen2seg.session.prompts import Prompts, column, read_prompts


def test_prompts_are_those_of_one_object_on_one_plane():
    points = np.array(
        [[2, 10, 11], [2, 20, 21], [3, 30, 31], [2, 40, 41], [2.4, 50, 51.5]]
    )
    signs = np.array([1, -1, 1, 1, 1])
    objects = np.array([7, 7, 7, 8, 7])
    found = read_prompts(points, signs, objects, (1, 2), (2, 0, 0), 7)
    assert found == Prompts(((10, 11), (20, 21), (50, 51.5)), (1, -1, 1))


def test_prompts_on_other_axes():
    points = np.array([[1, 5, 2], [3, 6, 4]])
    ones = np.ones(2, int)
    assert read_prompts(points, ones, ones, (0, 2), (0, 5, 0), 1).points == ((1, 2),)


def test_no_points_no_prompts():
    none = np.zeros(0, int)
    assert len(read_prompts(np.empty((0, 2)), none, none, (0, 1), (0, 0), 1)) == 0


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (None, [1, 1, 1]),
        ([2, np.nan, None], [2, 1, 1]),
        (["-1", "no", 3.0], [-1, 1, 3]),
        ([5], [5, 1, 1]),
    ],
)
def test_columns_that_people_edited(values, expected):
    assert column(values, 3, 1).tolist() == expected


def coloring(side=64) -> Coloring:
    return Coloring.from_array(np.zeros((side, side, 3), np.uint8))


def test_least_recently_used_leaves_first():
    size = coloring().values.nbytes
    store = ColoringCache(limit=2 * size)
    for plane in "abc":
        store.put(plane, "layer", ("mini",), coloring())
        store.shown("a")
    assert store.shown("a") is not None
    assert store.shown("b") is None
    assert store.shown("c") is not None
    assert store.size == 2 * size


def test_one_coloring_is_kept_whatever_the_limit():
    store = ColoringCache(limit=1)
    store.put("a", "layer", ("mini",), coloring())
    assert store.shown("a") is not None


def test_forgetting_a_layer_leaves_the_others():
    store = ColoringCache()
    store.put("a", "one", ("mini",), coloring())
    store.put("a", "one", ("big",), coloring())
    store.put("b", "two", ("mini",), coloring())
    store.forget("one")
    assert store.shown("a") is None
    assert store.show("a", ("mini",)) is None
    assert store.shown("b") is not None
    assert len(store) == 1
