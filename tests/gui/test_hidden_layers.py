"""Layers that are hidden while what they hold changes: napari keeps a stale slice."""

from __future__ import annotations

import numpy as np
import pytest
from qtpy.QtCore import Qt
from tests.gui.person import CONTROL, SHIFT

COIN, SECOND = (51, 155), (124, 45)


@pytest.fixture
def kept(coins):
    coins.person.click(*COIN)
    coins.person.press(Qt.Key.Key_Return)
    return coins


def turned(at):
    at.viewer.dims.ndisplay = 3
    at.person.wait(50)
    at.viewer.dims.ndisplay = 2


def rolled(at):
    at.viewer.dims.order = (1, 0)


@pytest.mark.parametrize("change", [turned, rolled])
def test_objects_go_into_a_hidden_layer_and_out_of_it(kept, change):
    kept.person.layer("objects").visible = False
    change(kept)
    kept.person.settle()
    controller = kept.bridge.controller
    controller.clicks.add(kept.bridge.source.view, SECOND)
    kept.person.settle()
    controller.current.commit()
    assert kept.labels[SECOND] == 2
    journal = kept.widget.keeper.layer.journal
    kept.widget.objects.undo.click()
    assert kept.labels[SECOND] == 0
    np.testing.assert_array_equal(journal.labels(), kept.labels)
    kept.widget.objects.redo.click()
    assert kept.labels[SECOND] == 2
    np.testing.assert_array_equal(journal.labels(), kept.labels)


def test_work_from_before_a_restart_is_taken_back_in_a_hidden_layer(kept):
    kept.person.layer("objects").visible = False
    turned(kept)
    kept.person.settle()
    kept.widget.keeper.objects.undo_earlier()
    assert not kept.labels.any()
    layer_id = str(kept.person.layer("objects").unique_id)
    kept.widget.keeper.objects.redo_earlier(layer_id)
    assert kept.labels[COIN] == 1


def test_clicks_are_taken_back_while_their_layer_is_hidden(kept):
    kept.person.click(*SECOND)
    kept.person.layer("prompts").visible = False
    for _ in range(2):
        kept.widget.objects.undo.click()
    assert not kept.labels.any()
    for _ in range(2):
        kept.person.press(Qt.Key.Key_Z, CONTROL | SHIFT)
    kept.person.layer("prompts").visible = True
    kept.person.settle()
