"""Boxes and scribbles as clicks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from benchmarks import drawn_maps

from napari_gen2seg.core.coloring import Coloring
from napari_gen2seg.core.probe.drawn_prompts import (
    bounded,
    box_prompt,
    scribble_prompt,
)
from napari_gen2seg.errors import PromptError
from napari_gen2seg.metrics.matching import iou


def test_a_scribble_is_clicks_at_even_distances() -> None:
    drawn = scribble_prompt([(10, 10), (10, 50), (40, 50)], (100, 100), spacing=10)
    assert drawn.points.tolist() == [[10, c] for c in range(10, 60, 10)] + [
        [r, 50] for r in (20, 30, 40)
    ]
    assert drawn.signs.tolist() == [1] * 8 and drawn.bounds is None
    assert len(scribble_prompt([(0, 0), (99, 99)], (100, 100), most=5).points) == 5
    assert len(scribble_prompt([(3.2, 3.4)] * 9, (9, 9), sign=-1).points) == 1
    half = scribble_prompt([(10, 10), (10, 500)], (100, 100))
    assert half.points.tolist() == [[10, 10]]
    with pytest.raises(PromptError, match="outside"):
        scribble_prompt([(-5, 3)], (100, 100))


def test_a_scribble_over_two_colors_keeps_both() -> None:
    values = np.zeros((60, 90, 3), np.float32)
    values[10:50, 10:40] = (250, 60, 60)
    values[10:50, 40:80] = (60, 60, 250)
    coloring = Coloring.from_array(values)
    drawn = scribble_prompt([(30, 20), (30, 70)], (60, 90))
    mask = coloring.probe(drawn.points, drawn.signs, insisted=True)
    assert iou(mask.full(), values.any(axis=-1)) > 0.95


@pytest.mark.parametrize("scale", [1, 3])
def test_a_box_finds_what_fills_it(scale: int) -> None:
    labels = drawn_maps.blobs(160, 20, 4)
    coloring = Coloring.from_array(
        drawn_maps.paint(labels, 4), source_shape=(160 * scale, 160 * scale)
    )
    truth = np.kron(labels, np.ones((scale, scale), int))
    good = []
    for number in np.unique(labels)[1:]:
        mask = truth == number
        if mask.sum() < 80 * scale**2:
            continue
        rows, cols = np.nonzero(mask)
        box = (rows.min(), cols.min(), rows.max() + 1, cols.max() + 1)
        calls: list[Any] = []

        def answer(points: Any, signs: Any, calls: list[Any] = calls) -> Any:
            calls.append(points)
            return coloring.probe(points, signs)

        drawn = box_prompt(answer, box, coloring.source_shape)
        assert len(calls) <= 60
        found = bounded(coloring.probe(drawn.points, drawn.signs), drawn.bounds)
        good.append(iou(found.full(), mask))
        outside = found.full()
        top, left = max(box[0] - scale, 0), max(box[1] - scale, 0)
        outside[top : box[2] + scale, left : box[3] + scale] = 0
        assert not outside.any()
    assert len(good) > 8 and np.median(good) > 0.9


def test_a_box_bounds() -> None:
    values = np.zeros((80, 80, 3), np.float32)
    values[30:50] = (250, 60, 60)
    coloring = Coloring.from_array(values)
    drawn = box_prompt(coloring.probe, (60.2, 40.4, 19.8, 20.0), (80, 80))
    assert drawn.bounds == (20, 20, 60, 40)
    found = bounded(coloring.probe(drawn.points, drawn.signs), drawn.bounds)
    expected = np.zeros((80, 80), bool)
    expected[30:50, 20:40] = True
    assert not (found.full() & ~expected).any() and iou(found.full(), expected) > 0.99
    assert bounded(found, None) is found
    with pytest.raises(PromptError, match="No object"):
        bounded(found, (0, 0, 10, 10))


@pytest.mark.parametrize("box", [(3, 3, 3, 9), (90, 90, 99, 99), (1, 2, 3)])
def test_boxes_that_hold_nothing_are_refused(box: Any) -> None:
    coloring = Coloring.from_array(np.zeros((80, 80, 3)))
    with pytest.raises(PromptError):
        box_prompt(coloring.probe, box, (80, 80))
