"""Candidates of many planes: one number through all, and nothing kept is touched."""

from __future__ import annotations

import numpy as np
from skimage.draw import disk

from napari_gen2seg import LinkSettings
from napari_gen2seg.core.coloring import Coloring
from napari_gen2seg.core.objects.keep_stack import KeptStack, StackOfCandidates
from napari_gen2seg.core.objects.review import Review
from napari_gen2seg.core.objects.through import measure_through, tracks_of

SHAPE = (100, 140)


def review(truth: np.ndarray, seed: int) -> Review:
    """Return the candidates of a map in which each object has a color of its own."""
    rng = np.random.default_rng(seed)  # colors of a plane are its own
    hues = np.array([[255, 40, 40], [40, 255, 40], [40, 40, 255], [255, 255, 40]])
    colors = np.vstack([np.zeros(3), rng.permutation(hues)])
    coloring = Coloring.from_array(colors[truth], black_background=True)
    return Review.begin(coloring.candidates())


def drawn(places: list[list[tuple[int, int, int]]]) -> np.ndarray:
    """Draw discs (row, column, radius), plane by plane, numbered in their order."""
    planes = np.zeros((len(places), *SHAPE), np.int32)
    for plane, discs in zip(planes, places, strict=True):
        for number, (row, column, radius) in enumerate(discs, 1):
            plane[disk((row, column), radius, shape=SHAPE)] = number
    return planes


def kept(
    truth: np.ndarray, labels: np.ndarray, settings: LinkSettings | None = None
) -> KeptStack:
    stack = StackOfCandidates(settings)
    for at, plane in enumerate(truth):
        stack.add(review(plane, at), labels[at])
    found = stack.finish(int(labels.max()) + 1, labels.__getitem__)
    for place, patch in found.patches.items():
        patch.apply(labels[place])
    return found


def test_objects_get_one_number_and_what_is_kept_goes_on() -> None:
    here, gone = (30, 30, 12), (70, 100, 10)
    truth = drawn([[here, gone], [gone, here], [here], [here, (30, 110, 9)]])
    labels = np.zeros(truth.shape, np.int32)
    labels[1][disk((28, 31), 11, shape=SHAPE)] = 7  # kept, by hand
    before = labels[1] == 7
    found = kept(truth, labels)
    assert (labels[:, 30, 30] == 7).all()  # the numbers of proposals are its own
    assert (labels[1] == 7).sum() == before.sum()
    assert labels[0, 70, 100] == labels[1, 70, 100] > 7
    assert labels[3, 30, 110] not in (0, 7, labels[0, 70, 100])
    assert set(found.scores) == set(np.unique(labels)) - {0, 7}
    assert found.first == {labels[0, 70, 100]: 0, labels[3, 30, 110]: 3}
    assert found.pieces == 6 and sorted(found.patches) == [0, 1, 2, 3]


def test_what_was_kept_meanwhile_is_left_alone() -> None:
    truth = drawn([[(30, 30, 12)], [(30, 30, 12)]])
    labels = np.zeros(truth.shape, np.uint8)
    stack = StackOfCandidates()
    for at, plane in enumerate(truth):
        stack.add(review(plane, at), labels[at])
    labels[1][20:80] = 3  # somebody works on, over all of the second object
    found = stack.finish(4, labels.__getitem__)
    assert list(found.patches) == [0] and found.patches[0].after.max() == 4
    assert found.patches[0].after.dtype == np.uint8


def test_a_division_has_a_mother() -> None:
    mother = [(50, 70, 18)]
    daughters = [(50, 56, 11), (50, 84, 11)]
    truth = drawn([mother, mother, daughters, daughters])
    labels = np.zeros(truth.shape, np.int32)
    found = kept(truth, labels, LinkSettings(divisions=True))
    one, left, right = labels[0, 50, 70], labels[3, 50, 56], labels[3, 50, 84]
    assert found.parents == {left: one, right: one} and left != right
    assert (labels[2] == left).any() and not (labels[2] == one).any()


def test_facts_and_tracks_through_planes() -> None:
    planes = drawn([[(30, 30, 5)], [(31, 34, 5), (70, 70, 4)], [], [(32, 40, 5)]])
    planes[planes == 1] = 900_000_000  # numbers need not be near each other
    facts = measure_through(planes)
    columns = facts.columns(np.array([2, 5, 900_000_000]), unit=0.5)
    assert columns["planes"].tolist() == [1, 0, 3]
    assert columns["first"].tolist() == [1, 0, 0]
    assert columns["last"].tolist() == [1, 0, 3]
    assert columns["volume"].tolist() == [
        (planes == 2).sum() / 2,
        0,
        (planes == 900_000_000).sum() / 2,
    ]
    assert "volume" not in facts.columns(facts.numbers)
    tracks = tracks_of(planes)
    np.testing.assert_allclose(
        tracks,
        [
            [2, 1, 70, 70],
            [900_000_000, 0, 30, 30],
            [900_000_000, 1, 31, 34],
            [900_000_000, 3, 32, 40],
        ],
    )
    assert tracks_of(iter(())).shape == (0, 4)
    assert measure_through(iter(())).numbers.size == 0
