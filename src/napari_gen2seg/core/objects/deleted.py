"""Which candidates the objects were that a person deleted."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from napari_gen2seg.core.objects.overlap import window_iou
from napari_gen2seg.core.objects.patch import LabelPatch
from napari_gen2seg.core.objects.review import Review

_SAME = 0.5  # IoU from which a candidate is the object that was deleted


def proposals_of(review: Review, patch: LabelPatch) -> tuple[int, ...]:
    """Return the proposal that each deleted object was, where it was one.

    Parameters
    ----------
    review
        Of the plane. What is dropped already is no longer looked at.
    patch
        The deletion.

    Returns
    -------
    tuple of int
        Their indices, in the order of the objects' numbers.
    """
    gone = np.where(patch.changed, patch.before, 0)
    numbers = np.unique(gone[gone > 0])
    places = np.where(gone > 0, np.searchsorted(numbers, gone) + 1, 0)
    found = []
    for place, box in enumerate(ndimage.find_objects(places), 1):
        mine = places[box] == place
        row, col = patch.box[0] + box[0].start, patch.box[1] + box[1].start
        best, most = -1, _SAME
        around = row, col, row + mine.shape[0], col + mine.shape[1]
        for index in review.looks.meeting(around):
            if review.dropped[index]:
                continue
            proposal = review.candidates.masks[index].window()
            overlap = window_iou(proposal, (mine, (row, col)))
            if overlap > most:
                best, most = index, overlap
        if best >= 0:
            found.append(best)
    return tuple(found)
