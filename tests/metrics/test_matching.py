"""Metrics beside plain, independent computations of the same definition."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from benchmarks import drawn_maps

from napari_gen2seg.errors import DataError
from napari_gen2seg.metrics import click_protocol, matching


def pair(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return true labels and labels shifted, merged and cut, with gaps in values."""
    truth = drawn_maps.blobs(96, 20, seed).astype(np.int64) * 3
    found = np.roll(truth, (1, 2), (0, 1))
    found[found == 9] = 12
    found[:, 50][found[:, 50] == 30] = 0
    return truth, found + (found > 0)


@pytest.mark.parametrize("seed", range(3))
def test_overlaps_are_plain_ious(seed: int) -> None:
    truth, found = pair(seed)
    result = matching.overlaps(truth, found)
    for row, one in enumerate(result.ground_truth):
        for col, two in enumerate(result.found):
            a, b = truth == one, found == two
            plain = np.count_nonzero(a & b) / np.count_nonzero(a | b)
            assert result.table[row, col] == pytest.approx(plain)
            assert matching.iou(a, b) == pytest.approx(plain)


@pytest.mark.parametrize("threshold", [0.1, 0.3, 0.5, 0.75])
@pytest.mark.parametrize("seed", range(4))
def test_matching_is_the_best_there_is(seed: int, threshold: float) -> None:
    table = np.random.default_rng(seed).random((4, 5)) ** 2
    pairs = matching.match(table, threshold)
    best = (0, 0.0)
    for order in itertools.permutations(range(5), 4):
        values = [table[row, col] for row, col in enumerate(order)]
        kept = [value for value in values if value >= threshold]
        best = max(best, (len(kept), sum(kept)))
    assert len(pairs) == best[0]
    assert sum(table[pair] for pair in pairs) == pytest.approx(best[1])
    assert (
        len({row for row, _ in pairs}) == len({col for _, col in pairs}) == len(pairs)
    )


def test_hits_fall_with_the_threshold() -> None:
    truth = np.zeros((10, 40), int)
    truth[2:6, 2:6], truth[2:6, 12:16], truth[2:6, 22:26] = 1, 2, 3
    found = np.zeros_like(truth)
    found[2:6, 2:6], found[2:6, 12:15], found[8:9, 30:39] = 5, 6, 7
    thresholds = [0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95]
    assert list(matching.AP_THRESHOLDS) == pytest.approx(thresholds)
    table = matching.overlaps(truth, found).table
    assert [len(matching.match(table, one)) for one in thresholds] == [2] * 6 + [1] * 4


def test_nothing_to_find_or_nothing_found_gives_no_pair() -> None:
    empty = np.zeros((5, 5), int)
    one = empty.copy()
    one[2, 2] = 1
    for truth, found, shape in (
        (empty, empty, (0, 0)),
        (one, empty, (1, 0)),
        (empty, one, (0, 1)),
    ):
        table = matching.overlaps(truth, found).table
        assert table.shape == shape and matching.match(table) == []


def test_average_precision_of_a_known_ranking() -> None:
    # Two true objects; hit, miss, hit in falling score: precision 1, 1/2, 2/3.
    table = np.array([[0.9, 0.0, 0.0], [0.0, 0.0, 0.8]])
    scores = np.array([0.9, 0.8, 0.7])
    # 51 recall levels (0 to 0.5) at 1, 50 levels at 2/3.
    expected = (51 * 1 + 50 * 2 / 3) / 101
    assert matching.pooled_average_precision([table], [scores]) == pytest.approx(
        expected
    )
    # A second detection of one object is a false positive.
    twice = np.array([[0.9, 0.85]])
    assert matching.pooled_average_precision([twice], [np.array([1.0, 0.5])]) == 1
    assert matching.pooled_average_precision([twice], [np.array([1.0, 0.5])], 0.88) == 1
    assert (
        matching.pooled_average_precision([twice], [np.array([0.5, 1.0])], 0.88) == 0.5
    )
    assert np.isnan(matching.pooled_average_precision([np.zeros((0, 2))], [np.ones(2)]))
    assert matching.pooled_average_precision([np.zeros((2, 0))], [np.ones(0)]) == 0


@pytest.mark.parametrize(
    ("area", "name"),
    [
        (1, "small"),
        (1023, "small"),
        (1024, "medium"),
        (9215, "medium"),
        (9216, "large"),
    ],
)
def test_size_classes_are_those_of_coco(area: int, name: str) -> None:
    assert matching.size_class(area) == name


def test_shapes_and_types_must_fit() -> None:
    with pytest.raises(DataError, match="shapes"):
        matching.overlaps(np.zeros((4, 4), int), np.zeros((4, 5), int))
    with pytest.raises(DataError, match="whole numbers"):
        matching.overlaps(np.zeros((4, 4)), np.zeros((4, 4), int))
    with pytest.raises(DataError, match="shapes"):
        matching.iou(np.zeros((4, 4)), np.zeros((4, 5)))


@pytest.mark.parametrize("seed", range(3))
def test_the_innermost_pixel_has_the_widest_disc(seed: int) -> None:
    labels = drawn_maps.blobs(80, 15, seed)
    for label in np.unique(labels[labels > 0]):
        mask = labels == label
        row, col = click_protocol.interior_point(mask)
        assert mask[row, col]
        outside = np.argwhere(~np.pad(mask, 1)) - 1
        inside = np.argwhere(mask)
        gaps = np.hypot(
            inside[:, None, 0] - outside[None, :, 0],
            inside[:, None, 1] - outside[None, :, 1],
        ).min(axis=1)
        chosen = gaps[(inside == (row, col)).all(axis=1)][0]
        assert chosen == pytest.approx(gaps.max())
        other = click_protocol.off_center(mask, seed)
        assert gaps[(inside == other).all(axis=1)][0] >= gaps.max() / 2 - 1e-9
        assert other == click_protocol.off_center(mask, seed)


def test_off_centre_clicks_vary_with_the_seed() -> None:
    mask = np.ones((30, 30), bool)
    assert len({click_protocol.off_center(mask, seed) for seed in range(20)}) > 10


def test_the_next_correction_is_in_the_largest_wrong_region() -> None:
    truth = np.zeros((40, 40), bool)
    truth[5:25, 5:25] = True
    found = truth.copy()
    found[5:25, 18:25] = False
    found[30:33, 30:33] = True
    point, sign = click_protocol.next_correction(truth, found)
    assert sign == 1 and truth[point] and not found[point]
    found[5:25, 18:25] = True
    point, sign = click_protocol.next_correction(truth, found)
    assert sign == -1 and found[point] and not truth[point]
    assert click_protocol.next_correction(truth, truth) is None


def test_an_empty_object_cannot_be_clicked() -> None:
    with pytest.raises(DataError, match="empty"):
        click_protocol.interior_point(np.zeros((4, 4), bool))


def test_scattered_corrections_are_anywhere_in_the_largest_wrong_piece() -> None:
    truth, found = np.zeros((30, 40), bool), np.zeros((30, 40), bool)
    truth[5:25, 5:20] = found[5:25, 5:12] = True
    found[0:2, 30:34] = True
    places = set()
    for seed in range(40):
        point, sign = click_protocol.next_correction(truth, found, seed)
        assert sign == 1 and truth[point] and not found[point]
        places.add(point)
    assert len(places) > 25
    again = click_protocol.next_correction(truth, found, 3)
    assert again == click_protocol.next_correction(truth, found, 3)


def test_steps_say_what_each_click_was_and_gave() -> None:
    truth = np.zeros((30, 40), bool)
    truth[5:25, 5:35] = True

    def columns(points: Sequence[Any], signs: Sequence[int]) -> np.ndarray:
        """Answer with ten columns a click."""
        mask = np.zeros(truth.shape, bool)
        mask[5:25, 5 : 5 + 10 * len(points)] = True
        return mask

    steps = list(click_protocol.click_steps(columns, truth, until=0.5, least=3))
    assert [round(step.iou, 2) for step in steps] == [0.33, 0.67, 1.0]
    assert [step.area for step in steps] == [200, 400, 600]
    assert [step.sign for step in steps] == [1, 1, 1]
    # Good enough at once, but two clicks were asked for.
    assert (
        len(list(click_protocol.click_steps(columns, truth, until=0.3, least=2))) == 2
    )
    assert len(list(click_protocol.click_steps(columns, truth, until=0.3))) == 1
    # Nothing is wrong any more.
    assert len(list(click_protocol.click_steps(columns, truth, until=2, least=9))) == 3
    assert click_protocol.click_trace(columns, truth, until=0.5) == [
        step.iou for step in steps[:2]
    ]
    scattered = click_protocol.click_steps(columns, truth, until=2, seed=5)
    assert all(truth[step.point] for step in scattered)
