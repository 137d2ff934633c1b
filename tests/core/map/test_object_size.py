"""The size of objects, read off a map."""

from __future__ import annotations

import numpy as np
import pytest

from napari_gen2seg.core.map.object_size import typical_diameter


def discs(diameter: int, count: int = 4) -> np.ndarray:
    """Touching discs of alternating colours on black."""
    side = diameter * count
    values = np.zeros((side, side, 3), np.float32)
    rows, cols = np.mgrid[:side, :side]
    for i in range(count):
        for j in range(count):
            center = (i + 0.5) * diameter, (j + 0.5) * diameter
            inside = np.hypot(rows + 0.5 - center[0], cols + 0.5 - center[1])
            color = (230, 80, 60) if (i + j) % 2 else (60, 200, 90)
            values[inside <= diameter / 2] = color
    return values


@pytest.mark.parametrize("diameter", [10, 24, 60])
def test_discs_are_measured_to_a_fifth(diameter: int) -> None:
    found = typical_diameter(discs(diameter))
    assert found == pytest.approx(diameter, rel=0.2)


def test_specks_do_not_outvote_objects() -> None:
    values = discs(40)
    values = np.pad(values, ((0, 60), (0, 0), (0, 0)))
    values[170::8, ::8] = 255  # single pixels
    values[170:173, 5:8] = 255
    assert typical_diameter(values) == pytest.approx(40, rel=0.2)


def test_an_empty_map_has_no_objects() -> None:
    assert typical_diameter(np.zeros((30, 30, 3), np.float32)) is None
