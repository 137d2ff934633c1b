"""The learned probe in a real viewer: after similarity, in the model's place."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest
from qtpy.QtCore import Qt
from scipy import ndimage
from skimage import data
from tests.gui.person import CONTROL, SHIFT
from tests.gui.test_bridge import COIN
from tests.helpers.fake_colorer import FakeColorer
from tests.helpers.stepped import Stepped
from tests.helpers.tiny_probe import tiny_probe_as_mini

from napari_gen2seg import load_probe
from napari_gen2seg.core.coloring import Coloring
from napari_gen2seg.core.learned_probe.choice import LEARNED, SIMILARITY
from napari_gen2seg.core.learned_probe.threshold import MIDDLE


@pytest.fixture(autouse=True)
def tiny() -> Iterator[None]:
    with tiny_probe_as_mini():
        yield


def measured(at, learned: bool = True, image: bool = True) -> Coloring:
    """Give the desk's image a map on which the probe was measured, or not."""
    rgb = np.repeat(data.coins()[..., None], 3, -1) / 255
    painted = FakeColorer(side=None).color(rgb)
    coloring = Coloring(
        painted.values,
        painted.source_shape,
        black_background=True,
        image=(rgb * 255).astype(np.uint8) if image else None,
        learned_probe="mini" if learned else None,
    )
    at.session.keep(at.bridge.source.request(), coloring)
    at.person.settle()
    return coloring


def seen_at(at):
    """Return the list to which every preview that is drawn is added."""
    seen = []
    at.bridge.controller.hover_preview.shown.connect(seen.append)
    return seen


def test_the_pointer_gets_similarity_at_once_and_the_learned_mask_at_rest(desk):
    at = desk()
    coloring = measured(at)
    assert at.widget.probe.method.currentText() == LEARNED
    seen = seen_at(at)
    at.person.move(*COIN)
    at.person.until(lambda: seen and seen[-1].exact)
    assert seen[0].method == SIMILARITY and not seen[0].exact
    assert seen[-1].method == LEARNED
    wanted = load_probe("mini").mask(coloring, [COIN])
    shown = at.person.layer("preview").data > 0
    assert (shown & wanted.array).sum() / (shown | wanted.array).sum() > 0.95
    # The click is answered by it, and so is what is committed.
    at.person.click(*COIN)
    mask = at.session.mask(at.bridge.source.view, at.bridge.controller.current.prompts)
    assert mask.method == LEARNED
    at.bridge.controller.current.commit()
    np.testing.assert_array_equal(at.labels > 0, mask.full())


def test_a_correction_is_answered_by_the_learned_probe(desk):
    at = desk()
    coloring = measured(at)
    at.person.click(*COIN)
    at.person.settle()
    before = at.session.mask(
        at.bridge.source.view, at.bridge.controller.current.prompts
    )
    inside = np.argwhere(before.full())
    place = tuple(int(n) for n in inside[np.argmax(np.ptp(inside - COIN, axis=1))])
    at.person.click(*place, SHIFT)
    at.person.settle()
    prompts = at.bridge.controller.current.prompts
    assert prompts.signs == (1, -1)
    after = at.session.mask(at.bridge.source.view, prompts)
    assert after.method == LEARNED
    again = load_probe("mini").mask(coloring, prompts.points, prompts.signs)
    np.testing.assert_array_equal(after.array, again.array)
    assert after.full()[COIN]
    row, column = (round(n) for n in prompts.points[1])
    assert not after.full()[row, column]


def test_the_slider_moves_the_outline_live(desk):
    at = desk()
    measured(at)
    panel, view = at.widget.probe, at.bridge.source.view
    assert not panel.curve.isVisibleTo(panel)  # of areas by color: not the network's
    at.person.click(*COIN)
    at.person.settle()
    assert panel.value.text() == f"{MIDDLE:.0f}"
    areas = []
    for place in (20, 100, 180):
        panel.slider.setValue(place)
        mask = at.session.mask(view, at.bridge.controller.current.prompts)
        assert mask.method == LEARNED
        areas.append(mask.area)
    assert areas[0] < areas[1] < areas[2]


def test_the_switch_is_in_the_panel_and_says_what_was_not_measured(desk, memory):
    at = desk()
    measured(at, learned=False)
    panel = at.widget.probe
    names = [panel.method.itemText(n) for n in range(panel.method.count())]
    assert names == [SIMILARITY, LEARNED]
    assert panel.method.currentText() == SIMILARITY
    assert not panel.note.isVisibleTo(panel)
    panel.method.setCurrentText(LEARNED)
    panel.method.textActivated.emit(LEARNED)
    assert at.session.probing.method(at.bridge.source.view) == LEARNED
    assert "not measured on maps of this model" in panel.note.text()
    assert panel.note.isVisibleTo(panel)
    assert memory.get("probe") == LEARNED
    measured(at, image=False)
    assert panel.method.currentText() == SIMILARITY
    assert "without its image" in panel.note.text()
    measured(at)
    panel.method.textActivated.emit(SIMILARITY)
    assert panel.method.currentText() == SIMILARITY
    assert panel.curve.isVisibleTo(panel)


def test_a_late_answer_for_another_place_is_dropped(desk):
    at = desk()
    measured(at)
    hover = at.bridge.controller.hover_preview
    later = Stepped()
    hover._background = later
    hover.show((float(COIN[0]), float(COIN[1])), at_rest=True)
    assert len(later.jobs) == 1
    hover.blank()  # the pointer has left
    seen = seen_at(at)
    later.step()
    assert seen == [] and not (at.person.layer("preview").data > 0).any()


def test_the_map_in_the_layer_keeps_what_the_probe_needs(desk):
    at = desk()
    measured(at)
    found = at.bridge.overlays.found(at.bridge.source.view)
    assert found is not None and found.image is not None
    assert found.learned_probe == "mini"


@contextmanager
def busy(at) -> Iterator[None]:
    """Keep the model busy with something else."""
    host = at.session.probing._host
    with host._turn:
        yield


def test_what_is_shown_of_a_correction_is_what_enter_keeps(desk):
    """Also where the model has no time to say it once more."""
    at = desk()
    measured(at)
    at.person.click(*COIN)
    at.person.press(Qt.Key.Key_Return)
    for _ in range(3):
        at.person.press(Qt.Key.Key_G, SHIFT)  # by hand now: clicks start from it
    at.person.click(*COIN, CONTROL)
    small = at.labels == 1
    rim = np.argwhere(ndimage.binary_dilation(small, iterations=2) & ~small)
    at.person.click(*rim[0].tolist())
    at.person.settle()
    shown = at.person.layer("preview").data > 0
    assert shown.sum() > small.sum()
    with busy(at):
        at.person.press(Qt.Key.Key_Return)
    np.testing.assert_array_equal(at.labels == 1, shown)
    assert "busy" not in at.widget.status.text()


def test_enter_keeps_the_lit_mask_though_the_pointer_moved_inside_it(desk):
    at = desk()
    measured(at)
    at.person.move(*COIN)
    shown = at.person.layer("preview").data > 0
    at.bridge.controller.hover_preview._background = Stepped()
    at.person.move(COIN[0] + 4, COIN[1] - 4, 5)
    np.testing.assert_array_equal(at.person.layer("preview").data > 0, shown)
    with busy(at):
        at.person.press(Qt.Key.Key_Return)
    np.testing.assert_array_equal(at.labels == 1, shown)


def test_a_mask_that_the_busy_probe_did_not_find_is_said_to_be_by_similarity(desk):
    at = desk()
    measured(at)
    at.bridge.controller.hover_preview._background = Stepped()  # not asked yet
    with busy(at):
        at.person.click(*COIN)
        at.person.press(Qt.Key.Key_Return)
    assert at.labels[COIN] == 1
    assert "by similarity, since the learned probe was busy" in at.widget.status.text()
