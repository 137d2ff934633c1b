"""Tiles of a plane whose objects are known: whatever the grid, the same objects."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from napari_gen2seg.core.tiling.found import TileObjects
from napari_gen2seg.core.tiling.grid import TileGrid
from napari_gen2seg.core.tiling.painting import Numbering, paint_core
from napari_gen2seg.core.tiling.seams import leaf, merge
from napari_gen2seg.errors import SettingsError, StorageError

SHAPE = (300, 420)
See = Callable[[np.ndarray, TileGrid, int], np.ndarray]


def drawn() -> np.ndarray:
    """Draw discs of two sizes, and a band much longer than any overlap."""
    rng = np.random.default_rng(0)
    rows, columns = np.mgrid[: SHAPE[0], : SHAPE[1]]
    labels = np.zeros(SHAPE, np.int32)
    labels[np.abs(rows - 0.6 * columns - 20) < 3] = 1
    number = 1
    for _ in range(250):
        row, column = rng.integers(0, SHAPE[0]), rng.integers(0, SHAPE[1])
        radius = rng.integers(4, 12)
        apart = (rows - row) ** 2 + (columns - column) ** 2
        if not labels[apart <= (radius + 1) ** 2].any():
            number += 1
            labels[apart <= radius**2] = number
    return labels


TRUTH = drawn()


def as_it_is(window: np.ndarray, grid: TileGrid, number: int) -> np.ndarray:
    """Number the pieces that a window shows, as a model would find them."""
    pieces: np.ndarray = ndimage.label(window > 0)[0]
    return pieces.astype(np.int32)


def tiled(
    grid: TileGrid, see: See = as_it_is, seed: int | None = None
) -> tuple[np.ndarray, Numbering]:
    found = [
        TileObjects.of(tile, grid, see(TRUTH[tile.window_slices], grid, tile.number))
        for tile in grid.tiles
    ]
    parts = [leaf(grid, number, found.__getitem__) for number in range(len(grid))]
    if seed is not None:
        order = np.random.default_rng(seed).permutation(len(parts))
        parts = [parts[place] for place in order]
    while True:
        parts = [merge(parts[n : n + 3], grid) for n in range(0, len(parts), 3)]
        if len(parts) == 1:
            break
    numbering = Numbering.of(parts[0])
    labels = np.zeros(SHAPE, np.int32)
    for tile in grid.tiles:
        labels[tile.core_slices] = paint_core(tile, grid, numbering, found.__getitem__)
    return labels, numbering


def alike(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether two label images hold the same objects, whatever their numbers."""
    pairs = np.unique(np.stack([one.ravel(), other.ravel()]), axis=1)
    each = [np.unique(side).size for side in pairs]
    return bool(
        pairs.shape[1] == each[0] == each[1] and ((pairs == 0).sum(0) != 1).all()
    )


@pytest.mark.parametrize("origin", [(0, 0), (37, 91), (64, 5), (1, 127), (290, 3)])
def test_objects_are_the_same_wherever_the_grid_falls(origin: tuple[int, int]) -> None:
    labels, numbering = tiled(TileGrid(SHAPE, 96, 32, origin))
    assert alike(labels, TRUTH)
    assert numbering.count == np.unique(TRUTH).size - 1
    assert set(np.unique(labels)) == set(range(numbering.count + 1))


def test_the_order_of_merging_changes_nothing() -> None:
    grid = TileGrid(SHAPE, 96, 32)
    first, _ = tiled(grid)
    for seed in range(3):
        np.testing.assert_array_equal(tiled(grid, seed=seed)[0], first)


def test_an_owner_that_sees_nothing_is_stood_in_for() -> None:
    grid = TileGrid(SHAPE, 96, 32)
    blind = 4
    top, left, bottom, right = grid.tiles[blind].core

    def without(window: np.ndarray, grid: TileGrid, number: int) -> np.ndarray:
        return as_it_is(window, grid, number) * (number != blind)

    labels, _ = tiled(grid, without)
    seen = [as_it_is(TRUTH[tile.window_slices], grid, 0) for tile in grid.tiles]
    others = np.zeros(SHAPE, bool)
    for tile, found in zip(grid.tiles, seen, strict=True):
        if tile.number != blind:
            facts = TileObjects.of(tile, grid, found).facts
            others[tile.window_slices] |= np.isin(found, facts["label"][~facts["cut"]])
    core = np.s_[top:bottom, left:right]
    whole = others[core] & (TRUTH[core] > 1)
    assert whole.any() and (labels[core][whole] > 0).all()
    # Deep inside, where no neighbor sees, there is nothing.
    assert not labels[core][33:-33, 33:-33].any()


def test_disagreeing_tiles_give_each_pixel_to_one() -> None:
    """Every second tile sees everything grown by two pixels."""

    def grown(window: np.ndarray, grid: TileGrid, number: int) -> np.ndarray:
        found = as_it_is(window, grid, number)
        if number % 2:
            near = ndimage.distance_transform_edt(
                found == 0, return_distances=True, return_indices=True
            )
            distance, (rows, columns) = near
            found = np.where(distance <= 2, found[rows, columns], 0)
        return found.astype(np.int32)

    labels, numbering = tiled(TileGrid(SHAPE, 96, 32), grown)
    # Nothing is doubled or lost: as many objects as there are, each on its own truth.
    assert numbering.count == np.unique(TRUTH).size - 1
    for number in range(2, int(TRUTH.max()) + 1):
        held = np.unique(labels[number == TRUTH])
        assert held.size == 1 and held[0] > 0


def test_a_grid_covers_every_pixel_once() -> None:
    grid = TileGrid((101, 57), 20, 10, (7, 3))
    times = np.zeros((101, 57), int)
    for tile in grid.tiles:
        times[tile.core_slices] += 1
    assert (times == 1).all()
    assert len(grid) == len(grid.tiles) == grid.rows * grid.columns
    with pytest.raises(SettingsError, match="margin"):
        TileGrid((101, 57), 20, 11)


def test_what_is_found_is_a_file(tmp_path: Path) -> None:
    grid = TileGrid(SHAPE, 96, 32)
    tile = grid.tiles[5]
    labels = as_it_is(TRUTH[tile.window_slices], grid, 5)
    objects = TileObjects.of(tile, grid, labels, np.linspace(0, 1, labels.max()))
    objects.save(tmp_path / "5.npz")
    again = TileObjects.load(tmp_path / "5.npz")
    assert again.window == tile.window
    np.testing.assert_array_equal(again.labels, labels)
    np.testing.assert_array_equal(again.facts, objects.facts)
    (tmp_path / "5.npz").write_bytes((tmp_path / "5.npz").read_bytes()[:200])
    with pytest.raises(StorageError, match="damaged"):
        TileObjects.load(tmp_path / "5.npz")
