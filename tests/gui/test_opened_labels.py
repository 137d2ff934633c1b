"""Labels that were opened: taken at once, or a copy offered, in a real viewer."""

from __future__ import annotations

import dask.array as da
import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QMessageBox

COIN = (51, 155)


def opened(highest: int = 2, dtype: type = np.int32) -> np.ndarray:
    labels = np.zeros((303, 384), dtype)
    labels[:6, :20], labels[10:16, :20] = 1, highest
    return labels


def keep(at) -> None:
    at.person.click(*COIN)
    at.person.press(Qt.Key.Key_Return)


def answer_yes(at) -> str:
    boxes = at.widget.findChildren(QMessageBox)
    (box,) = [one for one in boxes if one.isVisible()]
    text = box.text()
    yes = box.button(QMessageBox.StandardButton.Yes)
    QTest.mouseClick(yes, Qt.MouseButton.LeftButton)
    at.person.settle()
    return text


def test_labels_on_the_same_grid_are_taken_at_once_and_numbers_go_on(coins):
    layer = coins.viewer.add_labels(opened(), name="from a file")
    coins.person.settle()
    assert coins.widget.objects.target.layer is layer
    assert coins.bridge.controller.current.number == 3
    order = coins.viewer.layers.index
    assert order(layer) < order(coins.person.layer("prompts"))
    coins.person.move(*COIN)
    coins.bridge.controller.current.start_clicking()
    keep(coins)
    assert layer.data[COIN] == 3
    assert coins.person.roles() == ["", "coloring", "", "preview", "prompts"]
    assert coins.person.layer("objects") is None


def test_labels_that_were_there_before_the_image_are_taken_too(desk, window):
    layer = window.add_labels(opened(5), name="from a file")
    at = desk()
    assert at.widget.objects.target.layer is layer
    assert at.bridge.controller.current.number == 6


@pytest.mark.parametrize("elsewhere", [{"scale": (2, 2)}, {"translate": (5, 0)}])
def test_labels_on_another_grid_are_not(coins, elsewhere):
    coins.viewer.add_labels(opened(), name="elsewhere", **elsewhere)
    coins.person.settle()
    assert coins.widget.objects.target.layer is None


def test_a_layer_that_takes_objects_already_stays(coins):
    keep(coins)
    mine = coins.person.layer("objects")
    coins.viewer.add_labels(opened(), name="from a file")
    coins.person.settle()
    assert coins.widget.objects.target.layer is mine


def read_only() -> np.ndarray:
    labels = opened()
    labels.flags.writeable = False
    return labels


@pytest.mark.parametrize(
    ("labels", "first", "says"),
    [
        (read_only, 3, "read-only"),
        (lambda: da.from_array(opened()), 3, "lazy"),
        (lambda: opened(255, np.uint8), 256, "uint8 ends at 255"),
        (lambda: opened(2**31 - 1), 3, "is full"),
    ],
    ids=["read-only", "lazy", "beyond the type", "full"],
)
def test_what_cannot_take_it_says_so_and_a_copy_can(coins, labels, first, says):
    layer = coins.viewer.add_labels(labels(), name="theirs")
    before = np.asarray(layer.data).copy()
    coins.widget.objects.target.choose(layer)
    coins.bridge.controller.current.start_clicking()
    coins.person.settle()
    keep(coins)
    assert says in answer_yes(coins)
    copied = coins.widget.objects.target.layer
    assert copied is not layer
    assert copied.name == "theirs (copy)"
    coins.bridge.controller.current.start_clicking()
    coins.person.press(Qt.Key.Key_Return)
    assert np.asarray(copied.data)[COIN] == first
    assert np.array_equal(np.asarray(layer.data), before)
    assert np.array_equal(copied.data > 0, (before > 0) | (copied.data == first))
