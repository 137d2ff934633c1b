"""Large planes in tiles: the same objects wherever tiles fall, and flat memory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from tests.helpers.command_line import run_here
from tests.helpers.drawn_sheet import SheetColorer, same_objects, sheet

from napari_gen2seg.core.image.axes import Axes
from napari_gen2seg.core.tiling.grid import TileGrid
from napari_gen2seg.workflows.running.model import LoadedModel
from napari_gen2seg.workflows.running.runner import InProcess
from napari_gen2seg.workflows.segment import Finished, PlaneTiled, iter_segment, segment
from napari_gen2seg.workflows.tiled import (
    ArraySource,
    FoundPlane,
    LookSettings,
    TilePlan,
    find_plane,
    plan_tiles,
    plane,
)

SHEET = sheet(230, 20)
LOOK = LookSettings(tile=128)


def labels_of(image: Any, plan: TilePlan, folder: Path) -> np.ndarray:
    source = ArraySource(image, Axes.of(image))
    model = LoadedModel(SheetColorer())
    for _ in find_plane(source, (), plan, model, LOOK, folder, InProcess()):
        pass
    found = FoundPlane(folder, plan.grid)
    labels = np.zeros(plan.grid.shape, np.int32)
    for tile in plan.grid.tiles:
        labels[tile.core_slices] = found.core(tile.number)
    return labels


def test_objects_do_not_depend_on_where_tiles_fall(tmp_path: Path) -> None:
    whole = segment(SHEET, SheetColorer(), tile=0).labels
    plan = plan_tiles(ArraySource(SHEET, Axes.of(SHEET)), SheetColorer(), LOOK)
    assert plan.tiled and len(plan.grid) > 4
    for number, origin in enumerate([(0, 0), (13, 50)]):
        grid = TileGrid(SHEET.shape, plan.grid.side, plan.grid.margin, origin)
        moved = TilePlan(grid, plan.scale, plan.diameter, plan.proposals)
        labels = labels_of(SHEET, moved, tmp_path / str(number))
        assert same_objects(labels, whole)
    assert whole.max() > 50


def test_tiles_fit_the_objects_and_say_so() -> None:
    plans = []
    for diameter in (10, 30):
        image = np.zeros((420, 420), np.uint8)
        image[100:240, 100:240] = sheet(140, diameter)
        source = ArraySource(image, Axes.of(image))
        plans.append(plan_tiles(source, SheetColorer(), LookSettings(tile=400)))
    assert plans[0].diameter == pytest.approx(9, abs=2)
    assert plans[1].diameter == pytest.approx(27, abs=5)
    assert plans[0].grid.margin < plans[1].grid.margin
    for plan in plans:
        assert "tiles of 400 pixels" in plan.text and "at its own size" in plan.text
        assert str(round(plan.diameter or 0)) in plan.text


def test_small_planes_are_looked_at_as_they_were() -> None:
    image = sheet(120)
    colorer = SheetColorer()
    result = segment(image, colorer)
    assert colorer.seen == [(120, 120, 3)]
    assert len(result.colorings) == 1


@pytest.mark.parametrize("kind", ["numpy", "dask", "zarr"])
def test_segment_takes_tiles_of_lazy_arrays(kind: str) -> None:
    lazy: Any = SHEET
    if kind == "dask":
        lazy = pytest.importorskip("dask.array").from_array(SHEET, chunks=100)
    if kind == "zarr":
        zarr = pytest.importorskip("zarr")
        lazy = zarr.array(SHEET, chunks=(100, 100))
    out = np.zeros(SHEET.shape, np.int32)
    events = list(
        iter_segment(lazy, SheetColorer(), tile=128, overlap=64, labels_out=out)
    )
    told = [event for event in events if isinstance(event, PlaneTiled)]
    assert "tiles of 128" in told[0].text and told[-1].done == told[-1].tiles > 4
    assert isinstance(events[-1], Finished) and events[-1].labels is out
    assert same_objects(out, segment(SHEET, SheetColorer(), tile=0).labels)


def test_only_windows_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the size of a plane, nothing larger than a tile is read or written."""
    monkeypatch.setattr("napari_gen2seg.workflows.tiled.planning._SAMPLE", 128)
    monkeypatch.setattr("napari_gen2seg.workflows.tiled.planning._PATCHES", 4)
    monkeypatch.setattr("napari_gen2seg.workflows.tiled.planning._PATCH", 16)
    read: list[int] = []
    written: list[int] = []
    objects: set[int] = set()

    class Endless:
        """A plane that is made when it is read."""

        dtype = np.dtype(np.uint8)
        shape = (312, 312)

        def __getitem__(self, index: Any) -> np.ndarray:
            rows, columns = (np.arange(312)[one] % 208 for one in index)
            read.append(rows.size * columns.size)
            return SHEET[np.ix_(rows, columns)]

    class Nowhere:
        """Takes labels, and keeps none."""

        dtype = np.dtype(np.int32)
        shape = (312, 312)

        def __setitem__(self, index: Any, value: np.ndarray) -> None:
            written.append(value.size)
            objects.update(np.unique(value).tolist())

    for _ in iter_segment(Endless(), SheetColorer(), tile=128, labels_out=Nowhere()):
        pass
    assert len(objects) > 140
    assert max(read) <= 128**2 and max(written) < 128**2
    # Nor are many tiles kept at a time.
    assert plane._load.cache_info().currsize == 0


def test_a_map_of_tiles_cannot_be_kept(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", SHEET)
    words = ("segment", tmp_path / "a.tif", "--all", "--tile", 128)
    ended = run_here(*words, "--coloring", tmp_path / "map.tif")
    assert ended.returncode == 2 and "looked at in tiles" in ended.stderr
    ended = run_here("segment", tmp_path / "a.tif", "--point", "20,20", "--tile", 128)
    assert ended.returncode == 2 and "makes no use of --tile" in ended.stderr
