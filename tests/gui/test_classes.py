"""Classes of objects: given by keys, listed, colored, taken back, kept."""

from __future__ import annotations

import numpy as np
from napari.utils.shortcuts import default_shortcuts
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QLineEdit
from tests.gui.person import CONTROL, SHIFT

from napari_gen2seg.gui.annotate.tool_keys import CLASS_KEYS
from napari_gen2seg.gui.classes.book import ClassBook
from napari_gen2seg.gui.classes.colors import GREY
from napari_gen2seg.gui.table.widget import ObjectsTable

COIN, SECOND, THIRD, GROUND = (51, 155), (124, 45), (125, 102), (88, 130)
ONE, TWO, NONE = Qt.Key.Key_1, Qt.Key.Key_2, Qt.Key.Key_0


def test_the_keys_are_none_of_naparis():
    taken = {str(key) for keys in default_shortcuts.values() for key in keys}
    assert "1" in taken  # why the digits alone would not do
    assert not {key.replace("Control-", "Ctrl+") for key in CLASS_KEYS.values()} & taken


def test_classes_are_given_by_keys_taken_back_and_kept(coins, qtbot):
    person, widget = coins.person, coins.widget
    person.click(*COIN)
    person.press(ONE, CONTROL)
    assert "No object is there" in widget.status.text()
    person.press(Qt.Key.Key_Return)
    person.click(*SECOND)
    person.press(Qt.Key.Key_Return)
    person.move(*COIN)
    person.press(ONE, CONTROL)
    assert "No class has the key 1" in widget.status.text()
    for name in ("old", "new"):
        widget.classes.name.setFocus()
        widget.classes.name.setText(name)
        QTest.keyClick(widget.classes.name, Qt.Key.Key_Return)
    layer, own = person.layer("objects"), person.layer("objects").colormap

    person.press(ONE, CONTROL)
    assert widget.status.text() == "Object 1: old"
    person.move(*SECOND)
    person.press(TWO, CONTROL)
    kept = widget.keeper.layer.journal.state
    assert kept.classes == {1: "old", 2: "new"}
    rows = [widget.classes.list.item(n).text() for n in range(2)]
    assert rows == ["1  old  (1)", "2  new  (1)"]
    colors = widget.book.colors
    drawn = [np.round(255 * layer.get_color(n)[:3]).astype(int) for n in (1, 2)]
    for found, name in zip(drawn, ("old", "new"), strict=True):
        assert "#" + "".join(f"{n:02x}" for n in found) == colors[name]
    features = layer.features.set_index("index")["class"]
    assert features[1] == "old"
    assert features[2] == "new"

    # Each is a step of its own, together with what was kept before and after.
    person.click(*THIRD)
    person.press(Qt.Key.Key_Return)
    grey = "#" + "".join(f"{round(255 * n):02x}" for n in layer.get_color(3)[:3])
    assert grey == GREY
    undo, redo = widget.objects.undo, widget.objects.redo
    undo.click()
    assert coins.labels.max() == 2
    undo.click()
    assert kept.classes == {1: "old"}
    undo.click()
    assert kept.classes == {}
    assert layer.colormap is own or layer.colormap == own
    undo.click()
    assert coins.labels.max() == 1
    for _ in range(4):
        redo.click()
    assert kept.classes == {1: "old", 2: "new"}
    assert coins.labels.max() == 3
    journal = widget.keeper.layer.journal
    np.testing.assert_array_equal(journal.labels(), coins.labels)

    # On the Labels layer too, where napari's own digits stay what they are.
    coins.viewer.layers.selection.active = layer
    person.press(ONE)
    assert layer.mode == "erase"
    assert kept.classes == {1: "old", 2: "new"}
    layer.mode = "pan_zoom"
    person.move(*THIRD)
    person.press(TWO, CONTROL)
    assert kept.classes[3] == "new"
    person.press(NONE, CONTROL)
    assert 3 not in kept.classes

    # napari's own undo knows nothing of classes: labels and journal stay the same.
    layer.undo()
    person.settle()
    assert coins.labels.max() == 2
    np.testing.assert_array_equal(journal.labels(), coins.labels)
    layer.redo()
    person.settle()
    np.testing.assert_array_equal(journal.labels(), coins.labels)
    assert kept.origins[3].who == "human"

    # In the table: several at once, by the digit alone.
    widget.edit.table_requested.emit()
    (table,) = coins.viewer.window._qt_window.findChildren(ObjectsTable)
    person.until(lambda: table.rows.rowCount() == 3)
    table.table.selectAll()
    table.table.setFocus()
    QTest.keyClick(table.table, Qt.Key.Key_2)
    person.settle()
    assert kept.classes == {1: "new", 2: "new", 3: "new"}
    assert table.facts.kind.tolist() == ["new"] * 3
    undo.click()
    assert kept.classes == {1: "old", 2: "new"}
    table.table.clearSelection()

    # A deleted object takes its class along, and brings it back.
    coins.viewer.layers.selection.active = person.layer("prompts")
    person.move(*COIN)
    person.press(Qt.Key.Key_D)
    assert kept.classes == {2: "new"}
    person.press(Qt.Key.Key_Z, CONTROL)
    assert kept.classes == {1: "old", 2: "new"}
    person.press(Qt.Key.Key_Z, CONTROL | SHIFT)
    assert kept.classes == {2: "new"}
    widget.classes.paint.click()
    assert layer.colormap == own
    dock = table.parentWidget()
    coins.viewer.window.remove_dock_widget(dock)
    table.close_widget()
    table.deleteLater()


def test_a_class_gets_another_name_and_key_and_the_way_back(coins):
    person, widget = coins.person, coins.widget
    panel, status = widget.classes, widget.status
    for place in (COIN, SECOND):
        person.click(*place)
        person.press(Qt.Key.Key_Return)
    for name in ("old", "other"):
        panel.name.setText(name)
        QTest.keyClick(panel.name, Qt.Key.Key_Return)
    person.move(*COIN)
    person.press(ONE, CONTROL)
    kept = widget.keeper.layer.journal
    assert kept.state.classes == {1: "old"}

    def type_name(text):
        panel.list.setCurrentRow(0)
        panel.rename.click()
        edit = panel.list.viewport().findChild(QLineEdit)
        assert edit.text() in ("old", "new")
        edit.setText(text)
        QTest.keyClick(edit, Qt.Key.Key_Return)
        person.settle()

    type_name("other")
    assert "already" in status.text()
    type_name("new")
    assert status.text() == "The class 'old' is called 'new' now."
    assert kept.state.classes == {1: "new"}
    assert panel.list.item(0).text() == "1  new  (1)"
    assert person.layer("objects").features.set_index("index")["class"][1] == "new"

    # One step, and those before it know the name.
    undo, redo = widget.objects.undo, widget.objects.redo
    undo.click()
    assert kept.state.classes == {1: "old"}
    assert [one.name for one in widget.book.classes] == ["old", "other"]
    undo.click()
    assert kept.state.classes == {}
    redo.click()
    redo.click()
    assert kept.state.classes == {1: "new"}
    assert panel.list.item(0).text() == "1  new  (1)"
    redo.click()
    assert "Nothing to do again" in status.text()

    # Another key: who has it takes the other one.
    panel.list.setCurrentRow(0)
    assert panel.key.currentText() == "Key 1"
    panel.key.activated.emit(1)
    assert [(one.name, one.key) for one in widget.book.classes] == [
        ("new", 2),
        ("other", 1),
    ]
    person.move(*SECOND)
    person.press(TWO, CONTROL)
    assert kept.state.classes == {1: "new", 2: "new"}
    again = ClassBook(widget.memory)
    assert again.classes == widget.book.classes


def test_own_classes_that_were_kept_without_keys(memory):
    memory.set("classes", '[["old", "#112233"], ["new", ""]]')
    old, new = ClassBook(memory).classes
    assert (old.name, old.color, old.key, new.key) == ("old", "#112233", 1, 2)
