"""Proposals whose objects were deleted: dropped for as long as the deletion stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_gen2seg.core.objects.deleted import proposals_of
from napari_gen2seg.gui.annotate.redo import Dropped

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_gen2seg.core.objects.patch import LabelPatch
    from napari_gen2seg.gui.annotate.commit_log import CommitLog
    from napari_gen2seg.gui.annotate.proposed_plane import ProposedPlane
    from napari_gen2seg.gui.annotate.proposed_planes import ProposedPlanes
    from napari_gen2seg.gui.annotate.written import Commit
    from napari_gen2seg.gui.layers.view import View


@dataclass
class _Deletion:
    drop: Dropped
    commit: Commit
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
        commit = self._log.last
        if commit is None:  # its layer is gone again
            return
        for view, patch in patches:
            plane = self._planes.latest(view)
            if plane is None:
                continue
            indices = proposals_of(plane.review, patch)
            if indices:
                plane.review = plane.review.dropping(indices)
                drop = Dropped(view, plane.found, indices, commit.tick)
                self._deletions.append(_Deletion(drop, commit))

    def follow(self, plane: ProposedPlane) -> None:
        """See which deletions were taken back, or done again, on a plane."""
        self._deletions = [
            one for one in self._deletions if self._planes.of(one.drop) is not None
        ]
        for one in self._deletions:
            if self._planes.of(one.drop) is not plane:
                continue
            stands = self._log.stands(one.commit)
            if stands != one.stands:
                one.stands = stands
                plane.review = plane.review.dropping(one.drop.indices, stands)
