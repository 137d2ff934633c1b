"""Evaluation where something is wrong: with ids, with a picture, with a comparison."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.workflows.test_evaluate import QUICK, Painter, pairs

from napari_gen2seg import evaluate
from napari_gen2seg.core.settings import ProbeSettings
from napari_gen2seg.errors import DataError
from napari_gen2seg.workflows.evaluate import compare


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


@pytest.mark.parametrize(
    ("other", "part", "words"),
    [
        ({"edge_levels": 5}, "edges", "edge_levels 9 and 5"),
        ({"edge_sigma": 2.0}, "edges", r"edge_sigma 1\.0 and 2\.0"),
        ({"edge_distance": 0.1}, "edges", r"edge_distance 0\.0075 and 0\.1"),
        (
            {"probe": ProbeSettings(tolerance=30.0)},
            "clicks",
            r"probe tolerance None and 30\.0",
        ),
        (
            {"probe": ProbeSettings(contiguous=False)},
            "clicks",
            "probe contiguous True and False",
        ),
    ],
)
def test_other_settings_cannot_be_compared(
    other: dict[str, Any], part: Any, words: str, tmp_path: Path
) -> None:
    reports = []
    for number, settings in enumerate((QUICK, replace(QUICK, **other))):
        reports.append(tmp_path / f"{number}.json")
        evaluate(pairs(2), Painter(), part, settings).save_json(reports[-1])
    with pytest.raises(DataError, match=words):
        compare(*reports)


def test_settings_of_what_was_not_measured_do_not_matter() -> None:
    first = evaluate(pairs(2), Painter(), "clicks", QUICK)
    fewer = replace(QUICK, edge_levels=5, probe=ProbeSettings(rule="paper"))
    assert compare(first, evaluate(pairs(2), Painter(), "clicks", fewer)).pictures == 2
