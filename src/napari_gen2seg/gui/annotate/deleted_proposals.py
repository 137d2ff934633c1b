"""Proposals whose objects were deleted: dropped for as long as the deletion stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from napari_gen2seg.core.objects.overlap import window_iou
from napari_gen2seg.gui.annotate.redo import Dropped

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_gen2seg.core.objects.patch import LabelPatch
    from napari_gen2seg.core.objects.review import Review
    from napari_gen2seg.gui.annotate.commit_log import CommitLog
    from napari_gen2seg.gui.annotate.proposed_plane import ProposedPlane
    from napari_gen2seg.gui.annotate.proposed_planes import ProposedPlanes
    from napari_gen2seg.gui.layers.view import View

_SAME = 0.5  # IoU from which a proposal is the object that was deleted


@dataclass
class _Deletion:
    drop: Dropped
    stands: bool = True


class DeletedProposals:
    """Drops proposals together with their objects, and takes that back with them.

    Otherwise what was deleted would be proposed again, and kept again by *Keep all*.

    Parameters
    ----------
    planes
        Whose reviews know what is dropped.
    log
        Knows which deletion was taken back.
    """

    def __init__(self, planes: ProposedPlanes, log: CommitLog) -> None:
        self._planes, self._log = planes, log
        self._deletions: list[_Deletion] = []

    def note(self, patches: Sequence[tuple[View, LabelPatch]]) -> None:
        """Drop the proposals of objects that were just deleted."""
        tick = self._log.newest
        for view, patch in patches:
            plane = self._planes.latest(view)
            if plane is None:
                continue
            indices = proposals_of(plane.review, patch)
            if indices:
                plane.review = plane.review.dropping(indices)
                drop = Dropped(view, plane.found, indices, tick)
                self._deletions.append(_Deletion(drop))

    def follow(self, plane: ProposedPlane) -> None:
        """See which deletions were taken back, or done again, on a plane."""
        self._deletions = [
            one for one in self._deletions if self._planes.of(one.drop) is not None
        ]
        for one in self._deletions:
            if self._planes.of(one.drop) is not plane:
                continue
            stands = self._log.stands(one.drop.tick)
            if stands != one.stands:
                one.stands = stands
                plane.review = plane.review.dropping(one.drop.indices, stands)


def proposals_of(review: Review, patch: LabelPatch) -> tuple[int, ...]:
    """Return the proposal that each deleted object was, where it was one.

    Parameters
    ----------
    review
        Of the plane.
    patch
        The deletion.
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
