"""Masks that are windows of one image."""

from __future__ import annotations

import numpy as np
import pytest

from napari_gen2seg.core.objects.overlap import window_iou


@pytest.mark.parametrize(
    ("corner", "expected"),
    [((3, 4), 1.0), ((3, 6), 8 / 24), ((1, 4), 8 / 24), ((3, 8), 0.0), ((40, 0), 0.0)],
)
def test_as_on_whole_images(corner: tuple[int, int], expected: float) -> None:
    square = np.ones((4, 4), bool)
    found = window_iou((square, (3, 4)), (square, corner))
    assert found == pytest.approx(expected)
    assert window_iou((square, corner), (square, (3, 4))) == found


def test_nothing_agrees_with_nothing() -> None:
    nothing = np.zeros((2, 3), bool)
    assert window_iou((nothing, (0, 0)), (nothing, (0, 0))) == 0.0
