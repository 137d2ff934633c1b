"""Candidates under review: shown, kept, dropped, undone, next."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from benchmarks import drawn_maps

from napari_gen2seg.core.candidates import (
    CandidateSet,
    paint,
    select,
)
from napari_gen2seg.core.coloring import Coloring
from napari_gen2seg.core.objects.edit import delete_objects
from napari_gen2seg.core.objects.patch import LabelPatch
from napari_gen2seg.core.objects.review import Review
from napari_gen2seg.core.proposal_settings import ProposalSettings
from napari_gen2seg.errors import DataError, SettingsError

Labels = Any


@pytest.fixture(scope="module")
def drawn() -> tuple[CandidateSet, np.ndarray]:
    """Candidates of a crowded map whose image is larger, and the map."""
    labels = drawn_maps.blobs(128, 18, 2)
    values = drawn_maps.paint(labels, 2)
    coloring = Coloring.from_array(values, source_shape=(256, 300))
    return coloring.candidates(), coloring.values


def squares(count: int = 12, scores: Any = None) -> CandidateSet:
    """Squares of 10 x 10 pixels in a row of rows; nothing overlaps."""
    labels = np.zeros((80, 100), np.int32)
    for number, (row, col) in enumerate(np.ndindex(3, 4), 1):
        if number <= count:
            at = 5 + 25 * row, 5 + 25 * col
            labels[at[0] : at[0] + 10, at[1] : at[1] + 10] = number
    rates = np.linspace(0.95, 0.6, count) if scores is None else scores
    return CandidateSet.from_labels(labels, rates)


def test_shown_are_what_select_selects(drawn: tuple[CandidateSet, np.ndarray]) -> None:
    candidates, values = drawn
    review = Review.begin(candidates, values=values)
    np.testing.assert_array_equal(review.shown, select(candidates))
    picture = review.painted()
    painted = paint(candidates, review.shown)
    np.testing.assert_array_equal(picture > 0, painted > 0)
    for certainty, sizes in (
        (0.4, None),
        (None, (20, 60)),
        (0.3, (5, 30)),
        (1.0, None),
    ):
        chosen = review.choosing(certainty, sizes)
        settings = ProposalSettings(min_score=certainty, sizes=sizes)
        np.testing.assert_array_equal(chosen.shown, select(candidates, settings))
    assert review.choosing(sizes=(0, 1)).counts.left == 0
    with pytest.raises(SettingsError, match="in this order"):
        review.choosing(sizes=(30, 5))


def test_sizes_are_diameters_in_source_pixels() -> None:
    rows, cols = np.mgrid[:60, :120]
    labels = (np.hypot(rows - 30, cols - 30) < 20) + 2 * (
        np.hypot(rows - 30, cols - 90) < 10
    )
    # The image is twice as large as the map: diameters of 80 and 40 pixels.
    review = Review.begin(CandidateSet.from_labels(labels, source_shape=(120, 240)))
    for sizes, count in (((0, 200), 2), ((50, 90), 1), ((30, 45), 1), ((41, 70), 0)):
        assert len(review.choosing(sizes=sizes).shown) == count, sizes


def test_under_the_pointer_is_what_is_painted(
    drawn: tuple[CandidateSet, np.ndarray],
) -> None:
    review = Review.begin(drawn[0])
    picture = review.painted()
    rng = np.random.default_rng(0)
    places = rng.uniform(0, picture.shape, (400, 2)) - 0.5
    same = 0
    for row, col in places:
        index = review.at((row, col))
        painted = picture[int(row + 0.5), int(col + 0.5)]
        same += (0 if index is None else index + 1) == painted
    assert same > 380  # outlines at the two sizes differ by a pixel
    assert review.at((-5, 20)) is None and review.at((1e6, 3)) is None


def test_what_is_kept_is_never_touched(drawn: tuple[CandidateSet, np.ndarray]) -> None:
    candidates, _ = drawn
    rng = np.random.default_rng(1)
    labels = np.zeros(candidates.source_shape, np.uint16)
    review = Review.begin(candidates, labels)
    for _ in range(6):
        # Somebody paints a stroke of their own, then keeps some.
        row, col = rng.integers(0, 200, 2)
        stroke = np.s_[row : row + 25, col : col + 40]
        labels[stroke][labels[stroke] == 0] = labels.max() + 1
        review = review.seen(labels, (row, col, row + 25, col + 40))
        assert not ((review.painted(labels) > 0) & (labels > 0)).any()
        chosen = rng.choice(review.shown, min(3, len(review.shown)), replace=False)
        before = labels.copy()
        kept = review.keep(labels, chosen)
        kept.patch.apply(labels)
        np.testing.assert_array_equal(labels[before > 0], before[before > 0])
        review = review.seen(labels, kept.patch.box)
        assert not np.isin(kept.indices, review.shown).any()
        assert (review.owners[kept.indices] == kept.numbers).all()
        # A change seen by its box is a change seen everywhere.
        everywhere = review.seen(labels)
        np.testing.assert_array_equal(everywhere.covered, review.covered)
        np.testing.assert_array_equal(everywhere.owners, review.owners)
    assert review.counts.kept > 5


def test_keeping_all_gives_the_proposals(
    drawn: tuple[CandidateSet, np.ndarray],
) -> None:
    candidates, _ = drawn
    labels = np.zeros(candidates.source_shape, np.int32)
    review = Review.begin(candidates)
    kept = review.keep(labels, review.shown)
    kept.patch.apply(labels)
    painted = paint(candidates, select(candidates))
    # The same but for specks that the neighbor's better score leaves.
    assert np.count_nonzero(labels != painted) < 0.01 * np.count_nonzero(painted)
    assert review.seen(labels).counts.left == 0
    assert not review.keep(labels, review.shown).patch
    assert not review.keep(labels, []).patch


def test_the_labels_are_the_truth() -> None:
    labels = np.zeros((80, 100), np.uint8)
    review = Review.begin(squares(), labels)
    assert (review.counts.kept, review.counts.left) == (0, 12)
    kept = review.keep(labels, review.shown[:5])
    kept.patch.apply(labels)
    review = review.seen(labels, kept.patch.box)
    assert (review.counts.kept, review.counts.left) == (5, 7)
    # Deleted by a tool, erased by hand, or undone by napari: all the same.
    gone = delete_objects(labels, [int(kept.numbers[0])])
    gone.apply(labels)
    review = review.seen(labels, gone.box)
    assert review.counts.left == 8 and kept.indices[0] in review.shown
    labels[labels == kept.numbers[1]] = 0
    assert review.seen(labels).counts.left == 9


def test_dropping_lets_the_next_best_of_a_place_up() -> None:
    rows, cols = np.mgrid[:60, :90]
    left = np.hypot(rows - 30, cols - 30) < 17
    right = np.hypot(rows - 30, cols - 58) < 14
    both = CandidateSet.from_masks([left | right, left, right], [0.9, 0.6, 0.5])
    review = Review.begin(both)
    assert review.shown.tolist() == [0]
    dropped = review.dropping([0])
    assert dropped.shown.tolist() == [1, 2]
    assert (dropped.counts.dropped, dropped.counts.left) == (1, 2)
    assert dropped.dropping([0], False).shown.tolist() == [0]
    # And keeping one half does, too.
    labels = np.zeros((60, 90), np.int32)
    kept = review.keep(labels, [1])
    kept.patch.apply(labels)
    assert review.seen(labels).shown.tolist() == [2]


def test_a_stroke_and_a_lasso_choose() -> None:
    review = Review.begin(squares())
    along = review.along([(10, 0), (10, 60), (35, 60)])
    assert along.tolist() == [0, 1, 2, 6]
    assert review.inside([(0, 0), (0, 45), (45, 45), (45, 0)]).tolist() == [0, 1, 4, 5]
    # Half of a square is not more than half of it.
    assert review.inside([(0, 0), (0, 9.4), (60, 9.4), (60, 0)]).tolist() == []
    assert review.dropping([1]).along([(10, 0), (10, 60)]).tolist() == [0, 2]


def test_a_stroke_that_closes_takes_what_it_surrounds() -> None:
    review = Review.begin(squares())
    loop = [(0, 0), (0, 45), (45, 45), (45, 0), (8, 0)]
    assert review.along(loop).size == 0
    assert review.caught(loop).tolist() == [0, 1, 4, 5]
    assert review.caught(loop[:4]).size == 0  # its ends are far apart
    there_and_back = [(10, 0), (10, 30), (11, 1)]
    assert review.caught(there_and_back).tolist() == [0, 1]


def test_next_left_goes_to_and_fro_and_next_doubtful_by_doubt() -> None:
    scores = np.linspace(0.2, 0.9, 12)
    review = Review.begin(squares(12, scores))
    order, at = [], None
    for _ in range(12):
        at = review.next_left(at)
        order.append(at)
    points = review.candidates.points[order]
    assert len(set(order)) == 12 and review.next_left(at) == order[0]
    steps = np.abs(np.diff(points, axis=0)).sum(axis=1)
    assert (steps == 25).all()
    doubtful, at = [], None
    for _ in range(12):
        at = review.next_doubtful(at)
        doubtful.append(at)
    assert (np.diff(review.candidates.scores[doubtful]) >= 0).all()
    # Of equally doubtful ones, all of two colors, the least certain is the first.
    tied = Review.begin(squares(12, [*scores[:6], *np.full(6, 0.95)]))
    equal = replace(tied, looks=replace(tied.looks, two_colors=np.ones(12)))
    assert np.unique(equal.doubt).tolist() == [1.0]
    first = equal.next_doubtful()
    assert equal.candidates.scores[first] == equal.candidates.scores.min()
    # What was decided on is passed over, also as the place to go on from.
    less = review.dropping(doubtful[:2])
    assert less.next_doubtful() == doubtful[2]
    assert less.next_doubtful(doubtful[0]) == doubtful[2]
    assert review.choosing(sizes=(0, 1)).next_left(3) is None


def test_doubts_are_said_in_words() -> None:
    labels = np.zeros((100, 140), np.int32)
    values = np.zeros((100, 140, 3), np.float32)
    rng = np.random.default_rng(0)
    for number, (row, col) in enumerate(np.ndindex(3, 5), 1):
        here = np.s_[30 * row + 5 : 30 * row + 17, 28 * col + 3 : 28 * col + 15]
        labels[here] = number
        values[here] = rng.uniform(80, 255, 3)
    labels[5:17, 31:53] = 2  # nearly twice as long
    values[5:17, 31:53] = (90, 200, 90)
    values[65:71, 3:15] = (250, 60, 60)  # number 11: half of it
    values[71:77, 3:15] = (60, 60, 250)
    labels[labels == 13] = 0
    labels[65:69, 59:63] = 13
    scores = np.full(15, 0.9)
    scores[4] = 0.2
    candidates = CandidateSet.from_labels(labels, scores)
    noisy = values + rng.normal(0, 4, values.shape)
    review = Review.begin(candidates, values=noisy)
    said = {}
    for index, mask in enumerate(candidates.masks):
        number = labels[tuple(np.argwhere(mask.array)[0])]
        said[int(number)] = review.reasons(index)
    assert said.pop(2) == ("twice the usual size",)
    assert said.pop(5) == ("uncertain outline",)
    assert said.pop(11) == ("two colors",)
    assert said.pop(13) == ("much smaller than usual",)
    assert not any(said.values())
    worst = [review.next_doubtful()]
    for _ in range(3):
        worst.append(review.next_doubtful(worst[-1]))
    rest = set(range(15)) - set(worst)
    assert review.doubt[worst].min() >= 0.5 > review.doubt[sorted(rest)].max()


def test_every_act_can_be_undone_and_done_again() -> None:
    rng = np.random.default_rng(3)
    labels = np.zeros((80, 100), np.uint16)
    review = Review.begin(squares(), labels)
    steps: list[LabelPatch | list[int]] = []  # what was changed, or dropped
    states = [(labels.copy(), review)]
    for number in range(8):
        left = review.shown
        step: LabelPatch | list[int]
        if number % 3 == 2:
            step = rng.choice(left, 1).tolist()
        elif number == 4:
            step = delete_objects(labels, [int(labels.max())])
        else:
            step = review.keep(labels, rng.choice(left, 2, replace=False)).patch
        review = after(review, labels, step)
        steps.append(step)
        states.append((labels.copy(), review))
        if left.size < 4:
            break

    def same(state: tuple[Labels, Review]) -> None:
        np.testing.assert_array_equal(labels, state[0])
        np.testing.assert_array_equal(review.shown, state[1].shown)
        np.testing.assert_array_equal(review.covered, state[1].covered)
        np.testing.assert_array_equal(review.dropped, state[1].dropped)

    for step, state in zip(steps[::-1], states[-2::-1], strict=True):
        review = after(review, labels, step, back=True)
        same(state)
    for step, state in zip(steps, states[1:], strict=True):
        review = after(review, labels, step)
        same(state)


def after(
    review: Review, labels: Labels, step: LabelPatch | list[int], back: bool = False
) -> Review:
    """Carry a step out, or take it back; the labels are written into."""
    if isinstance(step, list):
        return review.dropping(step, not back)
    patch = step.reversed() if back else step
    patch.apply(labels)
    return review.seen(labels, patch.box)


def test_labels_of_another_size_are_refused() -> None:
    with pytest.raises(DataError, match="must be equal"):
        Review.begin(squares(), np.zeros((80, 99), int))
    with pytest.raises(DataError, match="ends at 255"):
        Review.begin(squares()).keep(np.zeros((80, 100), np.uint8), [0, 1], first=255)


def test_a_set_without_candidates() -> None:
    none = CandidateSet.from_labels(np.zeros((20, 30), int))
    review = Review.begin(none, np.zeros((20, 30), int), values=np.zeros((20, 30, 3)))
    assert review.counts.left == 0 and not review.painted().any()
    assert review.at((3, 3)) is None and review.next_left() is None
    assert (
        review.next_doubtful() is None
        and review.inside([(0, 0), (9, 0), (9, 9)]).size == 0
    )
