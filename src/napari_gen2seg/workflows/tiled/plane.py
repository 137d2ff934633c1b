"""The objects of one plane: all tiles, their seams, and their numbers.

What is found in a tile is a file, written whole or not at all: memory holds a tile, and
whatever is interrupted goes on where it was. Every step is a function of files, so that
a process elsewhere can do it, and do it again when another died.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from napari_gen2seg.common.atomic import writing
from napari_gen2seg.common.types import Int32Array
from napari_gen2seg.core.image.axes import Index
from napari_gen2seg.core.image.rgb import RgbRecipe
from napari_gen2seg.core.tiling.found import DAMAGED, TileObjects
from napari_gen2seg.core.tiling.grid import TileGrid
from napari_gen2seg.core.tiling.painting import Numbering, paint_core
from napari_gen2seg.core.tiling.seams import Part, leaf, merge
from napari_gen2seg.errors import StorageError
from napari_gen2seg.workflows.running.model import ModelSource
from napari_gen2seg.workflows.running.runner import Runner
from napari_gen2seg.workflows.tiled.finding import find_tile
from napari_gen2seg.workflows.tiled.looking import LookSettings
from napari_gen2seg.workflows.tiled.planning import TilePlan, plane_contrast
from napari_gen2seg.workflows.tiled.source import PlaneSource

_NEAR = 12  # files of tiles held in memory: a tile and those around it


@dataclass(frozen=True)
class FoundPlane:
    """A plane whose objects are found and numbered, as files of a folder.

    Attributes
    ----------
    folder
        Holds what was found in each tile.
    grid
        The tiles.
    """

    folder: Path
    grid: TileGrid

    def core(self, number: int) -> Int32Array:
        """Return the labels of a tile's core, int32."""
        if len(self.grid) == 1:
            return _load(self.folder / "0.npz").labels
        tile = self.grid.tiles[number]
        return paint_core(tile, self.grid, _numbering(self.folder), self.load)

    def load(self, number: int) -> TileObjects:
        """Return what was found in a tile."""
        return _load(self.folder / f"{number}.npz")


def find_plane(
    source: PlaneSource,
    plane: Index,
    plan: TilePlan,
    model: ModelSource,
    settings: LookSettings,
    folder: Path,
    runner: Runner,
) -> Generator[int, None, int]:
    """Find all objects of a plane.

    Parameters
    ----------
    source, plane
        The plane.
    plan
        How it is looked at.
    model, settings
        Which model, and what a person wants.
    folder
        Where files go; what is there of an earlier try of the very same is kept.
    runner
        Who does the work.

    Yields
    ------
    int
        How many tiles are done, each time one is.

    Returns
    -------
    int
        How many objects there are.
    """
    grid = plan.grid
    wanted = [n for n in range(len(grid)) if not (folder / f"{n}.npz").is_file()]
    done = len(grid) - len(wanted)
    if done:
        yield done
    if wanted:
        recipe = source.recipe(settings.recipe)
        if plan.tiled:
            recipe = runner.call(plane_contrast, source, plane, settings.recipe)
        calls = [
            (source, plane, plan, number, recipe, model, settings, folder)
            for number in wanted
        ]
        for _ in runner.each(_find, calls):
            done += 1
            yield done
    if len(grid) == 1:
        return len(_load(folder / "0.npz").facts)
    leaves = [(grid, number, folder) for number in _near_each_other(grid)]
    return int(runner.tree(_leaf, leaves, _merge, _finish))


def find_planes(
    source: PlaneSource,
    planes: Sequence[Index],
    plan: TilePlan,
    model: ModelSource,
    settings: LookSettings,
    folders: Sequence[Path],
    runner: Runner,
) -> Generator[int, None, list[int]]:
    """Find all objects of several planes.

    Planes that are looked at as a whole are found side by side, others one after the
    other, each by all of its tiles side by side.

    Parameters
    ----------
    source, plan, model, settings, runner
        As for `find_plane`.
    planes, folders
        Which planes, and where the files of each go.

    Yields
    ------
    int
        How many tiles are done, each time one is.

    Returns
    -------
    list of int
        How many objects each plane has.
    """
    counts = [0] * len(planes)
    if len(plan.grid) > 1:
        for number, (plane, folder) in enumerate(zip(planes, folders, strict=True)):
            before = number * len(plan.grid)
            steps = find_plane(source, plane, plan, model, settings, folder, runner)
            while True:
                try:
                    yield before + next(steps)
                except StopIteration as end:
                    counts[number] = end.value
                    break
        return counts
    recipe = source.recipe(settings.recipe)
    calls = [
        (source, plane, plan, 0, recipe, model, settings, folder)
        for plane, folder in zip(planes, folders, strict=True)
    ]
    for done, (place, count) in enumerate(runner.each(_find, calls), 1):
        counts[place] = count
        yield done
    return counts


def _find(
    source: PlaneSource,
    plane: Index,
    plan: TilePlan,
    number: int,
    recipe: RgbRecipe,
    model: ModelSource,
    settings: LookSettings,
    folder: Path,
) -> int:
    """Find the objects of a tile, unless that was done; return how many there are."""
    path = folder / f"{number}.npz"
    if path.is_file():
        return len(TileObjects.load(path).facts)
    tile = plan.grid.tiles[number]
    colorer = model.colorer()
    found = find_tile(source, plane, plan, tile, recipe, colorer, settings)
    found.save(path)
    return len(found.facts)


@dataclass(frozen=True, eq=False)
class _Place:
    """A part, and where its plane lies."""

    part: Part
    grid: TileGrid
    folder: Path


def _leaf(grid: TileGrid, number: int, folder: Path) -> _Place:
    part = leaf(grid, number, FoundPlane(folder, grid).load)
    return _Place(part, grid, folder)


def _merge(places: list[_Place]) -> _Place:
    grid, folder = places[0].grid, places[0].folder
    return _Place(merge([place.part for place in places], grid), grid, folder)


def _finish(place: _Place) -> int:
    """Number what is found; write it where painters look for it."""
    numbering = Numbering.of(place.part)
    with writing(place.folder / "numbers.npz") as draft, draft.open("wb") as file:
        np.savez_compressed(
            file,
            offsets=numbering.offsets,
            verdicts=numbering.verdicts,
            numbers=numbering.numbers,
        )
    return numbering.count


def _near_each_other(grid: TileGrid) -> list[int]:
    """Order tiles so that those next to each other are near in the list."""

    def woven(number: int) -> int:
        row, column = divmod(number, grid.columns)
        return sum(
            ((row >> bit & 1) << (2 * bit + 1)) | ((column >> bit & 1) << (2 * bit))
            for bit in range(24)
        )

    return sorted(range(len(grid)), key=woven)


@lru_cache(maxsize=_NEAR)
def _load(path: Path) -> TileObjects:
    return TileObjects.load(path)


@lru_cache(maxsize=2)
def _numbering(folder: Path) -> Numbering:
    path = folder / "numbers.npz"
    try:
        with np.load(path, allow_pickle=False) as file:
            return Numbering(file["offsets"], file["verdicts"], file["numbers"])
    except DAMAGED as error:
        raise StorageError(
            f"{path} is missing or damaged ({error}); delete its folder and begin "
            "again."
        ) from error


def forget() -> None:
    """Let go of what was read: another run may write files of the same names."""
    _load.cache_clear()
    _numbering.cache_clear()
