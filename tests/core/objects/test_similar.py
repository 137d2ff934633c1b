"""Find similar: by facts, so also in other images."""

from __future__ import annotations

import numpy as np
import pytest

from napari_gen2seg.core.objects.measure import Appearance, measure_labels
from napari_gen2seg.core.objects.similar import TRAITS, similarity, traits
from napari_gen2seg.errors import DataError


def scene(seed: int, gain: float = 1.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return traits, kinds (disc, rod, bright and rough disc) and labels of objects."""
    rng = np.random.default_rng(seed)
    labels = np.zeros((320, 320), np.int32)
    image = rng.normal(20, 1, labels.shape)
    kinds = []
    rows, cols = np.mgrid[:40, :40] - 20.0
    for number, (row, col) in enumerate(np.ndindex(8, 8), 1):
        kind = int(rng.integers(3))
        size, turn = rng.uniform(0.85, 1.15), rng.uniform(0, np.pi)
        if kind == 1:
            along = rows * np.sin(turn) + cols * np.cos(turn)
            across = rows * np.cos(turn) - cols * np.sin(turn)
            mask = (np.abs(along) < 17 * size) & (np.abs(across) < 4.5 * size)
        else:
            mask = np.hypot(rows, cols) < 10 * size
        place = np.s_[40 * row : 40 * row + 40, 40 * col : 40 * col + 40]
        labels[place][mask] = number
        level, rough = (90, 14) if kind == 2 else (60, 2)
        image[place][mask] = rng.normal(level, rough, int(mask.sum()))
        kinds.append(kind)
    seen = Appearance.of(image * gain)
    return traits(measure_labels(labels, seen)[1], seen), np.asarray(kinds), labels


def ranked_right(scores: np.ndarray, wanted: np.ndarray) -> float:
    """Return the share of pairs (wanted, other) in the right order."""
    return float((scores[wanted][:, None] > scores[~wanted]).mean())


@pytest.mark.parametrize("kind", [0, 1, 2])
@pytest.mark.parametrize("seed", range(3))
def test_two_examples_find_the_rest(kind: int, seed: int) -> None:
    values, kinds, _ = scene(seed)
    mine = np.flatnonzero(kinds == kind)
    scores = similarity(values, values[mine[:2]])
    assert ((scores >= 0) & (scores <= 1)).all()
    assert (scores[mine[:2]] == 1).all()
    assert ranked_right(scores, kinds == kind) > 0.97


@pytest.mark.parametrize("kind", [0, 1, 2])
def test_examples_of_another_image_find_them_too(kind: int) -> None:
    here, kinds_here, _ = scene(10)
    there, kinds_there, _ = scene(11, gain=257.0)  # another type, another range
    scores = similarity(there, here[kinds_here == kind][:3])
    assert ranked_right(scores, kinds_there == kind) > 0.97


def test_what_was_dropped_is_ranked_down() -> None:
    values, kinds, _ = scene(20)
    kept = values[kinds == 0][:1]
    dropped = values[kinds == 2][:2]
    alone, both = similarity(values, kept), similarity(values, kept, dropped)
    assert (both[kinds == 2] <= alone[kinds == 2] + 1e-12).all()
    assert both[kinds == 2].max() < both[kinds == 0].min()
    assert similarity(dropped, kept, dropped).tolist() == [0, 0]
    # The same object kept and dropped: nobody can tell.
    assert similarity(kept, kept, kept).tolist() == [0.5]


def test_what_agrees_in_the_examples_counts_for_more() -> None:
    rng = np.random.default_rng(0)
    # Kept objects have one size and any brightness.
    values = rng.normal(0, 1, (200, len(TRAITS)))
    kept = np.concatenate(
        [rng.normal(0, 0.05, (8, 1)), rng.normal(0, 1, (8, len(TRAITS) - 1))], axis=1
    )
    wanted = np.abs(values[:, 0]) < 0.3
    many, few = similarity(values, kept), similarity(values, kept[:3])
    assert ranked_right(many, wanted) > ranked_right(few, wanted) + 0.05


def test_without_an_image_shape_and_size_decide() -> None:
    _, kinds, labels = scene(3)
    values = traits(measure_labels(labels)[1])
    rods = np.flatnonzero(kinds == 1)
    assert ranked_right(similarity(values, values[rods[:2]]), kinds == 1) > 0.97


def test_what_cannot_be_compared_is_said() -> None:
    values, _, _ = scene(0)
    with pytest.raises(DataError, match="at least one example"):
        similarity(values, values[:0])
    with pytest.raises(DataError, match="traits"):
        similarity(values, values[:2, :3])
    assert similarity(values[:0], values[:1]).shape == (0,)
