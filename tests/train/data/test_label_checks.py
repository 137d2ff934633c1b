"""Labels before they are learnt from: counted, measured, and remarked on."""

from __future__ import annotations

import numpy as np
import pytest

from napari_gen2seg.errors import DataError
from napari_gen2seg.io.label_facts import look_through
from napari_gen2seg.train.data.label_checks import remarks


def squares(*corners: tuple[int, int], side: int = 8) -> np.ndarray:
    labels = np.zeros((64, 80), np.int32)
    for number, (row, col) in enumerate(corners, 1):
        labels[row : row + side, col : col + side] = number
    return labels


def test_objects_are_counted_and_measured():
    labels = squares((10, 10), (0, 40), (40, 72), (50, 20))
    labels[30, 30] = 9
    labels[60, 60] = -1  # unknown is no object
    facts = look_through(labels)
    assert (facts.objects, facts.rim, facts.tiny, facts.torn) == (5, 2, 1, 0)
    assert facts.diameter == pytest.approx(2 * np.sqrt(64 / np.pi))
    assert facts.covered == pytest.approx((4 * 64 + 1) / labels.size)
    assert look_through(np.zeros((5, 5), int)).objects == 0


def test_labels_must_fit_the_picture():
    with pytest.raises(DataError, match="64 x 80 pixels and the picture 10 x 10"):
        look_through(squares(), np.zeros((10, 10, 3)))
    with pytest.raises(DataError, match="whole numbers"):
        look_through(np.zeros((5, 5)))


def test_remarks_are_about_what_is_there():
    fine = squares((10, 10), (20, 40), (40, 40), (50, 20), (30, 60))
    assert remarks(look_through(fine), complete=False) == []
    assert "no objects" in remarks(look_through(squares()), False)[0]
    rim = look_through(squares((0, 10), (0, 30), (20, 20)))
    assert "2 of 3 objects touch the rim" in remarks(rim, False)[0]
    classes = np.minimum(fine, 2) * 10**9  # numbers may be any
    assert "1 of 2 labels are in more" in remarks(look_through(classes), False)[0]
    assert remarks(look_through(squares((10, 10))), complete=False) == []
    alone = remarks(look_through(squares((10, 10))), complete=True)
    assert "taught as background" in alone[0]
    speck = squares((10, 10), (20, 30))
    speck[40, 40] = 7
    assert "1 object has fewer than" in remarks(look_through(speck), False)[0]
