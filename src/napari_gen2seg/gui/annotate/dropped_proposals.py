"""Proposals that a person dropped, act by act: taken back, and dropped again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_gen2seg.gui.annotate.redo import Dropped

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_gen2seg.gui.annotate.proposed_plane import ProposedPlane
    from napari_gen2seg.gui.annotate.proposed_planes import ProposedPlanes
    from napari_gen2seg.gui.layers.view import View


class DroppedProposals:
    """Remembers drops as long as their planes have the same candidates.

    Parameters
    ----------
    planes
        Whose reviews know what is dropped.
    tick
        Returns a number above that of every act so far.
    """

    def __init__(self, planes: ProposedPlanes, tick: Callable[[], int]) -> None:
        self._planes, self._tick = planes, tick
        self._drops: list[Dropped] = []

    @property
    def newest(self) -> int:
        """The number of the newest drop that can be taken back; 0 for none."""
        self._drops = [one for one in self._drops if self._planes.of(one)]
        return self._drops[-1].tick if self._drops else 0

    def drop(
        self, view: View, plane: ProposedPlane, indices: tuple[int, ...]
    ) -> Dropped:
        """Drop candidates of a plane, as one act."""
        made = Dropped(view, plane.found, indices, self._tick())
        self.redo(made)
        return made

    def undo(self) -> Dropped | None:
        """Take the last drop back; return it, None where there is none."""
        if not self.newest:
            return None
        gone = self._drops.pop()
        self._set(gone, False)
        return gone

    def redo(self, drop: Dropped) -> None:
        """Drop again what was taken back."""
        self._drops.append(drop)
        self._set(drop, True)

    def _set(self, drop: Dropped, dropped: bool) -> None:
        plane = self._planes.of(drop)
        if plane is not None:
            plane.review = plane.review.dropping(drop.indices, dropped)
