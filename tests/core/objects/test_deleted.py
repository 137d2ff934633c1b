"""Which candidates the objects were that a person deleted."""

from __future__ import annotations

import numpy as np

from napari_gen2seg.core.candidates import CandidateSet
from napari_gen2seg.core.objects.deleted import proposals_of
from napari_gen2seg.core.objects.edit import delete_objects
from napari_gen2seg.core.objects.review import Review


def labels_of(*boxes: tuple[int, int, int, int]) -> np.ndarray:
    labels = np.zeros((60, 60), np.int32)
    for number, (top, left, bottom, right) in enumerate(boxes, 1):
        labels[top:bottom, left:right] = number
    return labels


def test_a_deleted_object_is_the_proposal_that_it_agrees_with_most() -> None:
    proposed = labels_of((5, 5, 15, 15), (5, 30, 15, 40), (40, 5, 50, 15))
    review = Review.begin(CandidateSet.from_labels(proposed, np.full(3, 0.9)))
    kept = labels_of(
        (40, 5, 50, 14),  # the third, a little smaller
        (5, 30, 15, 34),  # less than half of the second
        (5, 5, 15, 15),  # the first
        (30, 30, 35, 35),  # none
    )
    places = [int(proposed[41, 6]) - 1, int(proposed[6, 6]) - 1]
    assert proposals_of(review, delete_objects(kept, [1, 2, 3, 4])) == tuple(places)
    dropped = review.dropping(places[:1])
    patch = delete_objects(kept, [1, 2, 3, 4])
    assert proposals_of(dropped, patch) == tuple(places[1:])
