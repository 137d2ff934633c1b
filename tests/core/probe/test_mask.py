"""Masks at the size of the source: edges where they belong, windows that fit."""

from __future__ import annotations

import numpy as np
import pytest

from napari_gen2seg.core.image.resample import resize
from napari_gen2seg.core.probe.mask import Mask


def disc(shape: tuple[int, int], row: float, col: float, radius: float) -> np.ndarray:
    rows, cols = np.ogrid[: shape[0], : shape[1]]
    return np.hypot(rows - row, cols - col) <= radius


@pytest.mark.parametrize("source", [(64, 80), (200, 190), (31, 47), (640, 800)])
def test_window_and_full_agree(source: tuple[int, int]) -> None:
    mask = Mask.from_window(disc((64, 80), 20, 30, 12), (0, 0), (64, 80), source)
    crop, (row, col) = mask.window()
    placed = np.zeros(source, bool)
    placed[row : row + crop.shape[0], col : col + crop.shape[1]] = crop
    np.testing.assert_array_equal(placed, mask.full())
    assert crop[0].any() and crop[-1].any() and crop[:, 0].any() and crop[:, -1].any()
    assert mask.full().mean() == pytest.approx(mask.array.mean(), rel=0.06)


def test_a_window_of_the_map_lands_where_it_was() -> None:
    frame = disc((64, 80), 40, 60, 9)
    whole = Mask.from_window(frame, (0, 0), (64, 80), (64, 80))
    part = Mask.from_window(frame[25:60, 45:75], (25, 45), (64, 80), (64, 80))
    assert part.bbox == whole.bbox
    np.testing.assert_array_equal(part.array, frame)


def test_enlarging_is_smooth_and_in_place() -> None:
    mask = Mask.from_window(
        disc((50, 50), 24.5, 24.5, 15), (0, 0), (50, 50), (500, 500)
    )
    expected = disc((500, 500), 249.5, 249.5, 152)
    union = np.count_nonzero(mask.full() | expected)
    assert np.count_nonzero(mask.full() & expected) / union > 0.97


def test_an_object_at_the_rim_reaches_the_rim() -> None:
    frame = np.zeros((20, 20), bool)
    frame[:, :5] = True
    full = Mask.from_window(frame, (0, 0), (20, 20), (70, 60)).full()
    assert full[:, 0].all() and full[0, :10].all() and full[-1, :10].all()
    assert not full[:, 20:].any()


def test_a_diagonal_wire_holds_together_when_enlarged() -> None:
    from scipy import ndimage

    full = Mask.from_window(np.eye(30, dtype=bool), (0, 0), (30, 30), (170, 170)).full()
    assert ndimage.label(full, np.ones((3, 3)))[1] == 1


def test_forced_pixels_are_forced() -> None:
    frame = disc((20, 20), 10, 10, 3)
    mask = Mask.from_window(
        frame, (0, 0), (20, 20), (200, 200), keep=((5, 190),), drop=((105, 105),)
    )
    full = mask.full()
    assert full[5, 190] and not full[105, 105] and full[105, 107]


def test_an_empty_mask_is_empty_everywhere() -> None:
    mask = Mask.from_window(np.zeros((9, 9), bool), (0, 0), (9, 9), (40, 40))
    assert mask.area == 0 and not mask.full().any() and not mask.array.any()


def test_arrays_cannot_be_changed_by_mistake() -> None:
    mask = Mask.from_window(disc((9, 9), 4, 4, 2), (0, 0), (9, 9), (9, 9))
    with pytest.raises(ValueError, match="read-only"):
        mask.array[0, 0] = True
    crop, _ = mask.window()
    crop[:] = False
    assert mask.window()[0].any()


@pytest.mark.parametrize("target", [(10, 10), (7, 33), (100, 91)])
def test_resizing_keeps_a_ramp_a_ramp(target: tuple[int, int]) -> None:
    rows, cols = np.mgrid[:40, :50].astype(np.float32)
    picture = np.stack([rows / 40, cols / 50, np.ones_like(rows)], -1)
    small = resize(picture, target)
    assert small.shape == (*target, 3)
    np.testing.assert_allclose(small[..., 2], 1, atol=1e-6)
    expected = ((np.arange(target[0]) + 0.5) / target[0] * 40 - 0.5) / 40
    inner = slice(2, -2)
    np.testing.assert_allclose(small[inner, 3, 0], expected[inner], atol=0.02)
