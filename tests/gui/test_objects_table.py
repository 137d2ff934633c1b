"""The table of objects beside a real viewer, and its parts without one."""

from __future__ import annotations

import csv
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from benchmarks import drawn_maps
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication
from tests.gui.person import CONTROL

from napari_gen2seg.core.objects.measure import Appearance
from napari_gen2seg.core.objects.table import ObjectTable
from napari_gen2seg.gui.table.reader import measured
from napari_gen2seg.gui.table.rows import SHOWN, ObjectRows
from napari_gen2seg.gui.table.told import tell
from napari_gen2seg.gui.table.widget import ObjectsTable, shared_features
from napari_gen2seg.project.origin import Origin
from napari_gen2seg.session import Inline

COIN, SECOND, THIRD = (51, 155), (124, 45), (125, 102)
GROUND = (88, 130)


@pytest.fixture
def listed(desk, memory):
    """Coins with a proposal kept, one clicked and one corrected, and their table."""
    memory.set("proposals", True)
    at = desk()
    at.widget.model.color.click()
    at.person.until(lambda: at.bridge.controller.review.review is not None)
    at.person.settle()
    at.person.move(*GROUND)
    at.person.move(*COIN)
    at.person.press(Qt.Key.Key_Return)
    for place in (SECOND, THIRD):
        at.person.click(*place)
        at.person.press(Qt.Key.Key_Return)
    at.person.move(*THIRD)
    at.person.press(Qt.Key.Key_G)
    at.table = ObjectsTable(at.viewer, Inline())
    at.dock = at.viewer.window.add_dock_widget(at.table, name="t", area="bottom")
    at.person.until(lambda: at.table.rows.rowCount() == 3)
    yield at
    at.viewer.window.remove_dock_widget(at.dock)
    at.table.close_widget()
    at.table.deleteLater()


def cells(at, name) -> list[str]:
    column = SHOWN.index(name)
    rows = at.table.rows
    return [rows.index(row, column).data() for row in range(rows.rowCount())]


def look(at) -> None:
    at.person.wait(200)
    at.person.settle()


def test_one_row_an_object_with_where_it_comes_from(listed, tmp_path):
    look(listed)
    assert cells(listed, "number") == ["1", "2", "3"]
    area = [str(np.count_nonzero(listed.labels == n)) for n in (1, 2, 3)]
    assert cells(listed, "area") == area
    assert cells(listed, "origin") == ["proposed", "clicked", "corrected"]
    certainty = cells(listed, "certainty")
    assert 0 < float(certainty[0]) <= 1
    assert 0 < float(certainty[1]) <= 1
    assert certainty[2] == ""  # of a mask that it is no more
    features = listed.person.layer("objects").features
    assert features["index"].tolist() == [1, 2, 3]
    assert features["area"].astype(str).tolist() == area
    assert features["mean"].between(0, 255).all()

    listed.person.press(Qt.Key.Key_Z, CONTROL)
    look(listed)
    assert cells(listed, "origin") == ["proposed", "clicked", "clicked"]
    listed.person.move(*SECOND)
    listed.person.press(Qt.Key.Key_D)
    look(listed)
    assert cells(listed, "number") == ["1", "3"]

    listed.table.copy.click()
    lines = QApplication.clipboard().text().splitlines()
    assert lines[0].split("\t")[:2] == ["number", "area"]
    assert len(lines) == 3
    listed.table.save_as(str(tmp_path / "out"))
    with (tmp_path / "out.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["number"] for row in rows] == ["1", "3"]
    assert [row["origin"] for row in rows] == ["proposed", "clicked"]


def test_a_row_goes_there_and_the_viewer_marks_a_row(listed):
    table = listed.table.table
    layer = listed.person.layer("objects")
    place = table.visualRect(listed.table.rows.index(1, 1)).center()
    QTest.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=place)
    listed.person.settle()
    row, col = np.argwhere(listed.labels == 2).mean(axis=0)
    assert np.allclose(listed.viewer.scene.camera.center[1:], (row, col), atol=1)
    assert layer.selected_label == 2
    assert layer.show_selected_label, "alone for a moment, to be found among many"
    listed.person.until(lambda: not layer.show_selected_label)
    center = listed.viewer.scene.camera.center
    layer.selected_label = 3
    assert listed.table.rows.number_at(table.currentIndex().row()) == 3
    assert listed.viewer.scene.camera.center == center  # who clicks there stays there
    areas = [int(area) for area in cells(listed, "area")]
    listed.table.table.sortByColumn(SHOWN.index("area"), Qt.SortOrder.DescendingOrder)
    assert [int(area) for area in cells(listed, "area")] == sorted(areas)[::-1]
    assert listed.table.rows.number_at(table.currentIndex().row()) == 3
    listed.person.click(*COIN, modifier=CONTROL)  # corrected: it is marked as well
    assert listed.table.rows.number_at(table.currentIndex().row()) == 1
    listed.viewer.layers.remove(layer)
    look(listed)
    assert listed.table.rows.rowCount() == 0


def test_a_table_that_is_closed_leaves_no_object_alone(listed):
    layer = listed.person.layer("objects")
    listed.table.table.selectRow(1)
    assert layer.show_selected_label
    listed.table.close_widget()
    assert not layer.show_selected_label
    layer.show_selected_label = True  # by a person: it stays so
    listed.table.table.selectRow(2)
    assert layer.show_selected_label


def test_looks_alone_make_nobody_count(listed):
    objects = listed.bridge.controller.objects
    look(listed)
    counted = []
    objects.edited.connect(lambda: counted.append("edited"))
    listed.table.reader.changed.connect(lambda: counted.append("measured"))
    layer = listed.person.layer("objects")
    listed.table.table.selectRow(1)
    assert layer.show_selected_label
    listed.person.until(lambda: not layer.show_selected_label)
    look(listed)
    assert counted == []
    listed.person.move(*COIN)
    listed.person.press(Qt.Key.Key_1, CONTROL)  # a class: the object is colored
    look(listed)
    assert counted == []
    layer.undo()  # of which napari tells as little
    look(listed)
    assert counted.count("edited") == 1
    assert "measured" in counted


def test_of_a_layer_that_is_left_all_objects_are_shown(listed):
    left = listed.person.layer("objects")
    other = listed.viewer.add_labels(left.data.copy(), name="others")
    listed.table.table.selectRow(1)
    assert left.show_selected_label
    listed.table.target.choose(other)
    listed.person.until(lambda: listed.table.reader.layer is other)
    listed.person.until(lambda: listed.table.reader.table is not None)
    listed.table.table.selectRow(2)
    assert other.show_selected_label
    assert not left.show_selected_label
    listed.person.until(lambda: not other.show_selected_label)


def test_large_figures_are_written_out():
    table = many(3)
    table.measures[:] = 25760.4
    rows = ObjectRows()
    rows.show_table(table)
    shown = [rows.index(0, column).data() for column in range(rows.columnCount())]
    assert "25760" in shown and not any("e+" in one for one in shown)


def many(count: int) -> ObjectTable:
    rng = np.random.default_rng(0)
    table = ObjectTable.of(drawn_maps.blobs(140, 16, 0))
    numbers = np.arange(1, count + 1)
    measures = rng.random((count, table.measures.shape[1])) * 900
    return ObjectTable(
        numbers,
        measures,
        np.where(numbers % 3, rng.random(count), np.nan),
        np.where(numbers % 2, "proposed", "clicked"),
        np.full(count, ""),
    )


def test_thousands_of_rows_are_sorted_with_what_is_empty_last(qtmodeltester, qapp):
    rows = ObjectRows()
    rows.show_table(many(5000))
    column = SHOWN.index("certainty")
    for order in (Qt.SortOrder.AscendingOrder, Qt.SortOrder.DescendingOrder):
        rows.sort(column, order)
        texts = [rows.index(row, column).data() for row in range(5000)]
        told = [float(text) for text in texts if text]
        assert told == sorted(told, reverse=order == Qt.SortOrder.DescendingOrder)
        assert set(texts[len(told) :]) == {""}
    rows.show_table(many(40))
    qtmodeltester.check(rows)


def test_only_what_changed_is_measured_anew():
    labels = drawn_maps.blobs(140, 16, 3)
    image = Appearance.of(np.random.default_rng(0).random(labels.shape))
    table, before = ObjectTable.of(labels, image), labels.copy()
    assert measured(labels, image, before, table) is table
    labels[labels == labels.max()] = 0
    labels[2:5, 2:7] = 400
    now, fresh = measured(labels, image, before, table), ObjectTable.of(labels, image)
    np.testing.assert_array_equal(now.numbers, fresh.numbers)
    np.testing.assert_array_equal(now.measures, fresh.measures)
    np.testing.assert_array_equal(
        measured(labels * 3, image, labels, fresh).numbers, fresh.numbers * 3
    )


def test_the_journal_tells_of_objects_that_are_there():
    table = ObjectTable.of(drawn_maps.blobs(140, 16, 0))
    first, second, third, *_ = table.numbers.tolist()
    clicked = Origin("human", points=((1.0, 2.0),), signs=(1,), score=0.5)
    told = tell(
        table,
        {
            first: clicked,
            second: clicked.corrected(),
            third: replace(clicked, who="imported"),
            9999: clicked,
        },
        {second: "cell"},
    )
    assert told.origin[:4].tolist() == ["clicked", "corrected", "imported", "by hand"]
    assert told.certainty[0] == 0.5
    assert np.isnan(told.certainty[[1, 3]]).all()
    assert told.kind[:2].tolist() == ["", "cell"]


def test_columns_of_other_plugins_stay():
    table = ObjectTable.of(drawn_maps.blobs(140, 16, 0))
    first = int(table.numbers[0])
    theirs = pd.DataFrame({"label": [first, 9999], "perimeter": [12.5, 1.0], "area": 0})
    both = shared_features(table, theirs)
    assert both["index"].tolist() == table.numbers.tolist()
    assert both["area"].tolist() == table.column("area").tolist()
    assert both["perimeter"][0] == 12.5
    assert both["perimeter"][1:].isna().all()
    again = shared_features(table, both)
    pd.testing.assert_frame_equal(again, both)


def test_while_it_measures_no_number_is_said(coins, qtbot):
    class Later(Inline):
        """Does what is asked once it is told to."""

        def __init__(self):
            super().__init__()
            self.asked = []

        def submit(self, *order, **more):
            self.asked.append((order, more))

        def go_on(self):
            for order, more in self.asked:
                super().submit(*order, **more)

    coins.person.click(*COIN)
    coins.person.press(Qt.Key.Key_Return)
    later = Later()
    table = ObjectsTable(coins.viewer, later)
    qtbot.addWidget(table)
    assert table.counter.text() == "measuring…"
    later.go_on()
    assert table.counter.text() == "1 object in view"
    table.close_widget()
