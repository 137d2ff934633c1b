"""What is on screen while the pointer moves, in a real viewer."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
from napari.components import ViewerModel
from qtpy.QtCore import Qt
from tests.gui.test_bridge import COIN, SECOND

from napari_gen2seg.core.coloring import Coloring
from napari_gen2seg.gui.annotate.pointer import Pointer


def on_screen(desk):
    desk.person.wait(60)
    return desk.viewer.screenshot(canvas_only=True, flash=False)


def test_sent_pixels_look_like_a_whole_refresh(desk):
    coins = desk()
    coins.bridge.color()
    coins.person.settle()
    preview = coins.person.layer("preview")
    dark = on_screen(coins)
    for place in (COIN, SECOND, COIN):
        coins.person.move(*place)
        assert coins.person.lit(place)
    lit = on_screen(coins)
    assert (lit != dark).any()
    preview.refresh()
    np.testing.assert_array_equal(on_screen(coins), lit)

    coins.bridge.controller.hover_preview.blank()
    blank = on_screen(coins)
    np.testing.assert_array_equal(blank, dark)


def test_axes_turned_round_show_the_preview_in_place(desk):
    coins = desk()
    coins.bridge.color()
    coins.person.settle()
    coins.viewer.dims.order = (1, 0)
    coins.person.wait(50)
    before = on_screen(coins)
    coins.bridge.controller.hover_preview.show((float(COIN[0]), float(COIN[1])))
    lit = on_screen(coins)
    assert (lit != before).any()
    coins.person.layer("preview").refresh()
    np.testing.assert_array_equal(on_screen(coins), lit)


def test_moves_that_pile_up_are_merged_into_the_last(qtbot):
    viewer = ViewerModel()
    handled = []
    pointer = Pointer(viewer, lambda position, held: handled.append(position))
    for column in range(6):
        event = SimpleNamespace(
            position=(0, column), modifiers=(), dims_displayed=[0, 1]
        )
        for callback in viewer.mouse_move_callbacks:
            callback(viewer, event)
    assert handled == [(0, 0)]  # at once, before the window draws
    qtbot.waitUntil(lambda: len(handled) > 1)
    assert handled == [(0, 0), (0, 5)]
    pointer.close()
    assert not viewer.mouse_move_callbacks


def test_background_is_exact_once_the_pointer_rests(desk):
    rows, cols = np.mgrid[:900, :900]
    inside = np.hypot(rows - 450, cols - 450) < 100
    work = desk(np.where(inside, 200, 20).astype(np.uint8))
    colors = np.zeros((900, 900, 3), np.float32)
    colors[...] = (20, 40, 200)
    colors[inside] = (240, 30, 30)
    bridge = work.bridge
    bridge.session.keep(bridge.source.request(), Coloring.from_array(colors))
    work.person.settle()
    seen = []
    bridge.controller.hover_preview.shown.connect(seen.append)
    work.person.move(100, 700)
    assert not seen[0].exact
    assert seen[-1].exact
    shown = work.person.layer("preview").data > 0
    assert not (shown & inside).any()
    assert shown.mean() > 0.9
    work.person.click(100, 700)
    mask = bridge.session.mask(bridge.source.view, bridge.controller.current.prompts)
    np.testing.assert_array_equal(mask.array, shown)


def test_over_a_kept_object_that_object_is_lit(coins):
    """Keys act on it; what a click would find there is not what they act on."""
    coins.person.click(*COIN)
    coins.person.press(Qt.Key.Key_Return)
    for _ in range(3):
        coins.person.press(Qt.Key.Key_G)  # the pointer is still there
    coins.person.move(*SECOND)
    coins.person.move(*COIN)
    kept = coins.labels == 1
    np.testing.assert_array_equal(coins.person.layer("preview").data > 0, kept)
    coins.person.press(Qt.Key.Key_G)
    grown = coins.labels == 1
    assert grown.sum() > kept.sum()
    np.testing.assert_array_equal(coins.person.layer("preview").data > 0, grown)
    # Where it may be drawn over, what a click would give is lit.
    coins.widget.objects.overwrite.setChecked(True)
    coins.person.move(COIN[0] + 1, COIN[1])
    assert (coins.person.layer("preview").data > 0).sum() < grown.sum()
