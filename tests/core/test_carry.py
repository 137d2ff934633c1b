"""Objects go on from plane to plane by masks and places; they stop where unsure."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pytest
from skimage.draw import disk

from napari_gen2seg.core.candidates import CandidateSet
from napari_gen2seg.core.coloring import Coloring
from napari_gen2seg.core.objects.carry import CarrySettings, carry
from napari_gen2seg.core.probe.mask import Mask

SHAPE = (120, 160)
COLORS = ((255, 40, 40), (40, 255, 40), (40, 40, 255), (255, 255, 40))


def plane(*disks: tuple[int, int, int, int]) -> np.ndarray:
    """Return labels with disks (number, row, column, radius)."""
    labels = np.zeros(SHAPE, np.int32)
    for number, row, col, radius in disks:
        labels[disk((row, col), radius, shape=SHAPE)] = number
    return labels


def painted(labels: np.ndarray, shift: int = 0) -> Coloring:
    """Return a map of labels, in colors that are those of no other plane."""
    table = np.zeros((labels.max() + 1, 3), np.uint8)
    for number in range(1, len(table)):
        table[number] = COLORS[(number + shift) % len(COLORS)]
    return Coloring.from_array(table[labels])


def carried(before, after, taken=None, shift=1, **settings):
    taken = np.zeros(SHAPE, np.int32) if taken is None else taken
    done = carry(
        before,
        np.unique(before[before > 0]),
        painted(after, shift),
        taken,
        CarrySettings(**settings),
    )
    labels = taken.copy()
    done.patch.apply(labels)
    return done, labels


def test_objects_keep_their_numbers_whatever_the_colors():
    before = plane((3, 30, 30, 14), (7, 30, 90, 12), (9, 85, 60, 18))
    after = plane((1, 86, 62, 17), (2, 31, 33, 13), (3, 28, 91, 11))
    for shift in range(3):
        done, labels = carried(before, after, shift=shift)
        assert set(done.overlaps) == {3, 7, 9}
        assert not done.stopped
        assert min(done.overlaps.values()) > 0.6
        for number, row, col in ((3, 31, 33), (7, 28, 91), (9, 86, 62)):
            assert labels[row, col] == number


def test_a_candidate_without_a_pixel_takes_no_part():
    # Nothing overlaps, so that all candidates are compared by their outlines.
    before, after = plane((3, 40, 40, 12)), plane((1, 40, 70, 12))
    found = CandidateSet.from_labels(after, source_shape=SHAPE)
    nothing = Mask.from_source(np.zeros((2, 2), bool), (40, 44), SHAPE, SHAPE)
    found = replace(
        found,
        masks=(nothing, *found.masks),
        points=np.concatenate([[[40, 44]], found.points]),
        scores=np.ones(2),
        brightness=np.full(2, np.nan),
    )
    taken = np.zeros(SHAPE, np.int32)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        far = CarrySettings(reach=1.5)
        done = carry(before, [3], painted(after), taken, far, found)
    assert set(done.overlaps) == {3}


def test_what_is_gone_or_another_stops_and_says_why():
    before = plane((1, 30, 30, 14), (2, 30, 100, 6), (3, 90, 40, 14))
    after = plane((1, 30, 100, 24), (2, 90, 56, 14))
    done, labels = carried(before, after, reach=0)
    assert done.stopped.keys() == {1, 2, 3}
    assert not labels.any()
    assert done.stopped[1] == "nothing is there"
    assert "overlaps it by" in done.stopped[3]


def test_one_that_outgrows_itself_stops():
    before, after = plane((1, 60, 60, 12)), plane((1, 60, 60, 17))
    done, _ = carried(before, after, most_change=1.5)
    assert "2.0 times its size" in done.stopped[1]
    done, _ = carried(before, after)
    assert 1 in done.overlaps


def test_one_that_moved_is_found_nearby():
    before, after = plane((5, 60, 40, 10)), plane((1, 60, 54, 10))
    assert 5 in carried(before, after, reach=0)[0].stopped
    done, labels = carried(before, after, reach=1.0)
    assert done.overlaps[5] > 0.6
    assert labels[60, 54] == 5


def test_what_is_there_stays():
    before = plane((1, 30, 30, 14), (2, 30, 100, 12))
    taken = plane((8, 30, 31, 14), (2, 100, 100, 5))
    done, labels = carried(before, before, taken)
    assert done.stopped == {1: "another object is there"}
    assert not done.overlaps  # 2 is there already
    np.testing.assert_array_equal(labels, taken)


def test_of_two_that_became_one_at_most_one_goes_on():
    before = plane((1, 60, 50, 12), (2, 60, 74, 12))
    done, labels = carried(before, plane((1, 60, 62, 20)))
    assert len(done.overlaps) <= 1
    assert set(done.overlaps) | set(done.stopped) == {1, 2}
    assert set(np.unique(labels)) == {0, *done.overlaps}


def test_a_chain_of_planes_holds_the_identity():
    places = [(1, 30 + 2 * z, 30 + 3 * z, 14) for z in range(12)]
    others = [(2, 90 - z, 120 - 4 * z, 12) for z in range(12)]
    before = plane(places[0], others[0])
    for z in range(1, 12):
        done, before = carried(before, plane(places[z], others[z]), shift=z)
        assert set(done.overlaps) == {1, 2}
        assert before[places[z][1:3]] == 1
        assert before[others[z][1:3]] == 2


@pytest.mark.parametrize("bad", [np.zeros((2, 3, 4), int), np.zeros(SHAPE)])
def test_labels_of_another_kind_are_refused(bad):
    from napari_gen2seg.errors import DataError

    with pytest.raises(DataError):
        carry(bad, [1], painted(plane((1, 60, 60, 9))), np.zeros(SHAPE, int))
