"""Facts of objects: what is measured, what is told, and what a change costs."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from benchmarks import drawn_maps
from skimage.measure import regionprops_table

from napari_gen2seg.core.objects import table as table_module
from napari_gen2seg.core.objects.edit import delete_objects, merge_objects
from napari_gen2seg.core.objects.find import next_number
from napari_gen2seg.core.objects.measure import MEASURES, Appearance, measure_masks
from napari_gen2seg.core.objects.reshape import grow
from napari_gen2seg.core.objects.split import split_between
from napari_gen2seg.core.objects.table import COLUMNS, ObjectTable
from napari_gen2seg.core.probe.mask import Mask
from napari_gen2seg.errors import DataError, SettingsError
from napari_gen2seg.io.object_csv import write_objects_csv


def scene(seed: int = 0) -> tuple[np.ndarray, Appearance]:
    labels = drawn_maps.blobs(140, 16, seed) * 3
    image = np.random.default_rng(seed).random(labels.shape) * 900 + labels * 20
    return labels, Appearance.of(image.astype(np.uint16))


def same(one: ObjectTable, two: ObjectTable) -> None:
    for name, values in one.columns().items():
        np.testing.assert_array_equal(values, two.column(name), name)


def test_measures_are_those_of_scikit_image() -> None:
    labels, image = scene()
    theirs = regionprops_table(
        labels,
        image.brightness,
        properties=(
            "label",
            "area",
            "bbox",
            "centroid",
            "equivalent_diameter_area",
            "eccentricity",
            "solidity",
            "intensity_mean",
        ),
    )
    ours = ObjectTable.of(labels, image).columns()
    for mine, name in (
        ("number", "label"),
        ("area", "area"),
        ("row0", "bbox-0"),
        ("column1", "bbox-3"),
        ("row", "centroid-0"),
        ("column", "centroid-1"),
        ("diameter", "equivalent_diameter_area"),
        ("eccentricity", "eccentricity"),
        ("mean", "intensity_mean"),
    ):
        np.testing.assert_allclose(ours[mine], theirs[name], rtol=1e-4)
    large = ours["area"] > 100
    difference = (ours["solidity"] - theirs["solidity"])[large]
    assert (np.abs(difference) < 0.06).all()
    spread = [image.brightness[labels == n].std() for n in ours["number"]]
    np.testing.assert_allclose(ours["std"], spread, rtol=1e-4)


def test_a_change_measures_only_what_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    labels, image = scene(1)
    table = ObjectTable.of(labels, image).marked([3, 6], origin="proposed")
    one, two = table.numbers[:2].tolist()
    measured: list[Any] = []
    measure = table_module.measure

    def counted(*args: Any) -> Any:
        measured.append(args)
        return measure(*args)

    monkeypatch.setattr(table_module, "measure", counted)
    places = np.argwhere(labels == table.numbers[-1])[[0, -1]]
    last, few = int(table.numbers[-1]), table.numbers[3:6].tolist()
    for change in (
        lambda: delete_objects(labels, [one]),
        lambda: grow(labels, [two], 2),
        lambda: split_between(labels, last, places, first=next_number(labels) + 5),
        lambda: merge_objects(labels, few),
    ):
        measured.clear()
        patch = change()
        patch.apply(labels)
        table = table.updated(labels, patch, image, origin="corrected", certainty=0.5)
        assert len(measured) <= len(patch.numbers) <= 3
        fresh = ObjectTable.of(labels, image)
        np.testing.assert_array_equal(table.numbers, fresh.numbers)
        np.testing.assert_array_equal(table.measures, fresh.measures)
        at = [table.place_of(n) for n in patch.numbers if n in table.numbers]
        assert set(table.origin[at]) <= {"corrected"}
    # What was told of the others is still known.
    assert table.place_of(one) is None
    patch = delete_objects(labels, [int(table.numbers[0])])
    kept = table.column("origin")[1:]
    patch.apply(labels)
    np.testing.assert_array_equal(table.updated(labels, patch, image).origin, kept)


def test_undone_changes_give_the_table_of_before() -> None:
    labels, image = scene(2)
    table = ObjectTable.of(labels, image)
    patch = merge_objects(labels, table.numbers[:3].tolist())
    patch.apply(labels)
    changed = table.updated(labels, patch, image)
    assert len(changed) == len(table) - 2
    back = patch.reversed()
    back.apply(labels)
    same(changed.updated(labels, back, image), table)


def test_what_is_told_of_objects() -> None:
    labels, _ = scene()
    table = ObjectTable.of(labels)
    assert set(table.origin) == {"by hand"} and np.isnan(table.certainty).all()
    numbers = table.numbers[[2, 0]]
    told = table.marked([*numbers, 10_000], origin="proposed", certainty=[0.2, 0.9, 1])
    assert told.row(int(numbers[0]))["certainty"] == 0.2
    assert told.row(int(numbers[1]))["certainty"] == 0.9
    assert told.summary()["proposed"] == 2
    assert told.summary()["by hand"] == len(table) - 2
    told = told.marked(numbers[:1], kind="mitotic nucleus")
    assert told.row(int(numbers[0]))["class"] == "mitotic nucleus"
    features = told.features()
    np.testing.assert_array_equal(features["index"], table.numbers)
    assert {len(values) for values in features.values()} == {len(table)}
    r0, c0, r1, c1 = told.box_of(int(numbers[0]))
    inside = labels[r0:r1, c0:c1] == numbers[0]
    assert inside.sum() == (labels == numbers[0]).sum() and inside[0].any()


def test_masks_are_measured_as_labels_are() -> None:
    labels, image = scene()
    table = ObjectTable.of(labels, image)
    masks = [
        Mask.from_window(labels == n, (0, 0), labels.shape, labels.shape)
        for n in table.numbers
    ]
    np.testing.assert_array_equal(measure_masks(masks, image), table.measures)


def test_odd_labels() -> None:
    labels = np.zeros((20, 30), np.int64)
    labels[3, 4] = 10**9
    labels[5:9, 6:20] = 2
    labels[0, 0] = -1
    table = ObjectTable.of(labels)
    assert table.numbers.tolist() == [2, 10**9]
    assert table.column("area").tolist() == [56, 1]
    np.testing.assert_allclose(table.column("solidity"), 1)
    assert np.isnan(table.column("mean")).all()
    assert len(ObjectTable.of(np.zeros((5, 5), np.uint8))) == 0
    rgb = np.dstack([labels % 50] * 3).astype(np.uint8)
    assert np.isfinite(ObjectTable.of(labels, Appearance.of(rgb)).measures).all()
    for dtype in (np.uint8, np.uint16, np.uint32, np.uint64, np.int8):
        assert ObjectTable.of((labels == 2).astype(dtype)).numbers.tolist() == [1]


def test_what_does_not_fit_is_said() -> None:
    labels, image = scene()
    table = ObjectTable.of(labels)
    with pytest.raises(DataError, match="one size"):
        ObjectTable.of(labels[:50], image)
    with pytest.raises(DataError, match="rows, columns"):
        Appearance.of(np.zeros(7))
    with pytest.raises(DataError, match="no object 1 "):
        table.row(1)
    with pytest.raises(SettingsError, match="no column"):
        table.column("weight")
    with pytest.raises(SettingsError, match="origin"):
        table.marked([3], origin="guessed")  # type: ignore[arg-type]


def test_a_spreadsheet_reads_it(tmp_path: Path) -> None:
    labels, image = scene()
    table = ObjectTable.of(labels, image).marked([3], certainty=0.25, kind='a, "b"')
    write_objects_csv(tmp_path / "new" / "objects.csv", table)
    with (tmp_path / "new" / "objects.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == list(COLUMNS)
    assert len(rows) == len(table)
    assert rows[0]["class"] == 'a, "b"' and rows[0]["certainty"] == "0.25"
    assert rows[1]["certainty"] == ""
    assert [int(row["area"]) for row in rows] == table.column("area").tolist()
    for name in MEASURES:
        np.testing.assert_allclose(
            [float(row[name]) for row in rows], table.column(name), rtol=1e-5
        )
