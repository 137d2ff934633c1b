"""Windows on a map: what they see, and the way back to its pixels."""

from __future__ import annotations

import numpy as np
import pytest

from napari_gen2seg.core.learned_probe.inputs import (
    CHANNELS,
    Clicks,
    View,
    clicked_values,
    input_channels,
)
from napari_gen2seg.core.learned_probe.looks import (
    FINEST,
    extent,
    outgrown,
    window_about,
)
from napari_gen2seg.core.learned_probe.window import SIDE, Window


def test_a_window_of_the_maps_own_pixels_is_a_part_of_it() -> None:
    frame = np.random.default_rng(0).random((300, 200, 3)).astype(np.float32)
    window = Window((100 + 63.5, 20 + 63.5), 1.0)
    seen = window.cut(frame)
    np.testing.assert_allclose(
        seen, frame[100 : 100 + SIDE, 20 : 20 + SIDE].transpose(2, 0, 1), atol=1e-6
    )
    assert window.covers((300, 200)).all()
    spread, box = window.spread(seen[0], (300, 200))
    assert box == (100, 20, 100 + SIDE, 20 + SIDE)
    np.testing.assert_allclose(spread, seen[0], atol=1e-6)


@pytest.mark.parametrize("step", [0.4, 1.0, 2.5, 7.3])
def test_places_in_a_window_are_those_of_the_map(step: float) -> None:
    rows, columns = np.mgrid[:400, :500].astype(np.float32)
    frame = np.stack([rows, columns], -1)
    window = Window((210.3, 190.8), step)
    seen = window.cut(frame)
    within = window.covers((400, 500))
    margin = 2 * step
    for axis in (0, 1):
        wanted = np.broadcast_to(
            window.places(axis)[:, None] if axis == 0 else window.places(axis),
            (SIDE, SIDE),
        )
        inner = within & (wanted > margin) & (wanted < frame.shape[axis] - margin)
        np.testing.assert_allclose(seen[axis][inner], wanted[inner], atol=0.3)
    points = np.array([[205.0, 180.0], [230.0, 200.0]])
    at = window.within(points)
    np.testing.assert_allclose(
        np.stack([window.places(0)[0], window.places(1)[0]]) + at * step, points
    )


def test_beyond_the_frame_nothing_is_claimed() -> None:
    frame = np.full((40, 60, 1), 7.0, np.float32)
    window = Window((0.0, 0.0), 1.0)
    assert window.covers((40, 60)).sum() == 40 * 60
    assert (window.cut(frame) == 7).all()
    _, box = window.spread(np.zeros((SIDE, SIDE), np.float32), (40, 60))
    assert box == (0, 0, 40, 60)


def test_channels_compare_with_the_clicks_and_know_no_color() -> None:
    rng = np.random.default_rng(1)
    image = rng.integers(0, 255, (90, 90, 3), dtype=np.uint8)
    values = np.zeros((90, 90, 3), np.float32)
    values[20:50, 20:50], values[20:50, 55:80] = (90, 200, 30), (200, 60, 60)
    clicks = Clicks(
        np.array([[30, 30], [30, 60], [10, 5]]), np.array([1, -1, 1], np.int8)
    )
    window = Window((40.0, 40.0), 1.0)
    view = View.of(window, image, values)
    channels = input_channels(view, clicks, image, values)
    assert channels.shape == (CHANNELS, SIDE, SIDE) and channels.dtype == np.float32
    r, c = (round(n) for n in window.within([(30, 30)])[0])
    assert abs(channels[3:6, r, c]).max() < 1e-5 and channels[6, r, c] < 1e-5
    assert channels[8, r, c] > 0.9 and channels[10, r, c] > 1
    r, c = (round(n) for n in window.within([(30, 60)])[0])
    assert channels[9, r, c] > 0.9 and channels[10, r, c] < 1e-5
    assert channels[11].min() == 0 and channels[12].max() == 0
    # The same painter with exchanged channels and another offset reads the same.
    other = View.of(window, image, values[..., ::-1] + 10)
    turned = input_channels(other, clicks, image, values[..., ::-1] + 10)
    np.testing.assert_allclose(turned[6], channels[6], atol=1e-5)
    np.testing.assert_allclose(turned[3:6], channels[5:2:-1], atol=1e-5)


def test_a_click_at_the_corner_takes_the_corners_color() -> None:
    frame = np.zeros((5, 5, 3), np.float32)
    frame[0, 0] = 9
    assert clicked_values(frame, np.array([[0, 0]])).shape == (1, 3)
    frame[:2, :2] = 9
    assert (clicked_values(frame, np.array([[0, 0]])) == 9).all()
    assert clicked_values(frame, np.zeros((0, 2), int)).shape == (0, 3)


def test_the_window_follows_the_objects_size_and_holds_its_clicks() -> None:
    rng = np.random.default_rng(2)
    for _ in range(300):
        low = rng.integers(0, 900, 2)
        size = rng.integers(1, 400, 2)
        box = (*low.tolist(), *(low + size).tolist())
        pixels = low + rng.integers(0, 400, (rng.integers(1, 6), 2))
        typical = None if rng.random() < 0.5 else float(rng.uniform(10, 80))
        window = window_about(box, pixels, typical)
        at = window.within(pixels)
        assert (at >= 0).all() and (at <= SIDE - 1).all()
        assert window.step >= FINEST
        if typical is None:
            assert window.step * SIDE >= size.max()


def test_a_thin_leak_does_not_count() -> None:
    region = np.zeros((200, 300), bool)
    region[80:120, 80:120] = region[100, 120:300] = True
    box = extent(region, (10, 20, 210, 320))
    assert box[:2] == (91, 101) and box[2] <= 130
    assert box[3] < 300
    one = np.zeros((3, 3), bool)
    one[1, 1] = True
    assert extent(one, (5, 5, 8, 8)) == (6, 6, 7, 7)


def test_only_what_runs_into_the_rim_is_looked_at_again() -> None:
    window = Window((200.0, 200.0), 1.0)
    logits = np.full((SIDE, SIDE), -5, np.float32)
    logits[30:90, 30:90] = 5
    assert outgrown(logits, window, (400, 400)) is None
    logits[:, 40:100] = 5
    larger = outgrown(logits, window, (400, 400))
    assert larger is not None and larger.step == 2
    # The whole map is in sight: nothing is left to see.
    assert outgrown(logits, Window((50.0, 50.0), 1.0), (100, 100)) is None
