"""Edges of a map against drawn ones: parity with plain, slow computations."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

from napari_gen2seg.errors import DataError
from napari_gen2seg.metrics.boundaries import (
    average_precision,
    best_f,
    curve,
    edge_counts,
    edge_strength,
    label_boundaries,
    match_edges,
    thresholds,
)


def halves(column: int, size: int = 40) -> np.ndarray:
    values = np.zeros((size, size, 3), np.float32)
    values[:, :column] = (200, 30, 90)
    values[:, column:] = (20, 220, 90)
    return values


def test_a_step_gives_one_thin_line() -> None:
    strength = edge_strength(halves(17), (40, 40))
    assert strength.max() == 1
    cols = np.unique(np.argwhere(strength > 0.5)[:, 1])
    assert set(cols) <= {16, 17}


def test_the_line_lies_where_it_does_in_a_larger_picture() -> None:
    strength = edge_strength(halves(20), (120, 120))
    cols = np.argwhere(strength > 0.9)[:, 1]
    assert np.abs(cols - 59.5).max() <= 1.5


def test_a_flat_map_has_no_edges() -> None:
    assert not edge_strength(np.full((30, 30, 3), 127.3, np.float32), (30, 30)).any()


def test_contrast_does_not_matter() -> None:
    soft = edge_strength(halves(17) * 0.1, (40, 40))
    np.testing.assert_allclose(soft, edge_strength(halves(17), (40, 40)), atol=1e-4)


def test_outlines_of_labels() -> None:
    labels = np.zeros((20, 20), np.int32)
    labels[:, 10:] = 2
    labels[5:, :3] = -1
    edge = label_boundaries(labels)
    np.testing.assert_array_equal(np.argwhere(edge)[:, 1], np.full(20, 9))


@pytest.mark.parametrize("seed", range(8))
def test_matching_is_as_large_as_the_optimal_assignment(seed: int) -> None:
    rng = np.random.default_rng(seed)
    found, truth = rng.random((2, 24, 31)) < rng.uniform(0.03, 0.2, (2, 1, 1))
    reach = float(rng.uniform(1, 4))
    ours, theirs = match_edges(found, truth, reach)
    # The benchmark's own cost: distance within reach, a hundred reaches outside.
    cost = cdist(np.argwhere(found), np.argwhere(truth))
    allowed = cost <= reach
    rows, cols = linear_sum_assignment(np.where(allowed, cost, 100 * reach))
    assert ours.sum() == theirs.sum() == allowed[rows, cols].sum()
    assert not (ours & ~found).any()
    assert not (theirs & ~truth).any()


def test_counts_against_a_plain_loop() -> None:
    from skimage.morphology import thin

    rng = np.random.default_rng(1)
    strength = edge_strength(rng.uniform(0, 255, (8, 8, 3)), (48, 48), sigma=2.0)
    people = [label_boundaries(rng.integers(0, 3, (48, 48)) // 2) for _ in range(2)]
    levels = thresholds(9)
    counts = edge_counts(strength, people, levels, max_distance=0.02)
    reach = 0.02 * np.hypot(48, 48)
    for place, level in enumerate(levels):
        edge = thin(strength >= level)
        pairs = [match_edges(edge, truth, reach) for truth in people]
        assert counts.found[place] == edge.sum()
        assert counts.found_hits[place] == (pairs[0][0] | pairs[1][0]).sum()
        assert counts.truth_hits[place] == sum(p[1].sum() for p in pairs)
        assert counts.truth[place] == sum(t.sum() for t in people)


def test_perfect_edges_score_one() -> None:
    truth = np.zeros((40, 40), bool)
    truth[:, 17] = True
    strength = np.where(truth, np.linspace(0.02, 1, 40)[:, None], 0)
    counts = edge_counts(strength, [truth], thresholds())
    precision, recall = curve(
        counts.found, counts.found_hits, counts.truth, counts.truth_hits
    )
    assert (precision[counts.found > 0] == 1).all()
    assert best_f(precision, recall) == pytest.approx(1)
    assert average_precision(precision, recall) > 0.95


def test_area_agrees_with_the_trapezium_rule() -> None:
    recall = np.linspace(0, 1, 400)
    precision = 1 - 0.5 * recall**2
    area = np.trapezoid(precision, recall)
    # 101 sums of one hundredth: half a step too much at either end.
    assert average_precision(precision, recall) == pytest.approx(
        area + 0.0075, abs=1e-3
    )


def test_nothing_found_is_no_precision() -> None:
    truth = np.zeros((20, 20), bool)
    truth[3] = True
    counts = edge_counts(np.zeros((20, 20)), [truth], thresholds(5))
    precision, recall = curve(
        counts.found, counts.found_hits, counts.truth, counts.truth_hits
    )
    assert average_precision(precision, recall) == 0
    assert best_f(precision, recall) == 0


def test_edges_need_people_and_one_size() -> None:
    with pytest.raises(DataError, match="Nobody drew"):
        edge_counts(np.zeros((9, 9)), [], thresholds(3))
    with pytest.raises(DataError, match="must be equal"):
        edge_counts(np.zeros((9, 9)), [np.ones((8, 9), bool)], thresholds(3))
