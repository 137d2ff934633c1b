"""Evaluation where something is wrong: with ids, with a picture, with a comparison."""

from __future__ import annotations

import numpy as np
from tests.workflows.test_evaluate import QUICK, Painter, pairs

from napari_gen2seg import evaluate


def test_large_ids_give_the_numbers_of_small_ones() -> None:
    small = evaluate(pairs(2), Painter(), "clicks", QUICK)
    ids = np.array([0, *(2**33 + 5 * np.arange(1, 9))], np.int64)
    large = evaluate(
        [(picture, ids[labels]) for picture, labels in pairs(2)],
        Painter(),
        "clicks",
        QUICK,
    )
    assert large.images == small.images
