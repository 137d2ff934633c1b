"""From proposal to proposal: which one comes next."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari_gen2seg.core.objects.review import Review


class ProposalRound:
    """Remembers where a person was, on the plane in view.

    Attributes
    ----------
    doubted
        The proposal that was gone to as the most doubtful; None for none.
    """

    def __init__(self) -> None:
        self.doubted: int | None = None
        self._last: int | None = None  # the next one comes after it
        self._doubts_seen: set[int] = set()

    def begin(self) -> None:
        """Begin anew, on another plane."""
        self._last = None
        self._doubts_seen.clear()

    def be_at(self, index: int) -> None:
        """Go on from a proposal."""
        self._last = index

    def next_left(self, review: Review) -> int | None:
        """Return the next proposal, in rows over the image."""
        return review.next_left(self._last)

    def next_doubtful(self, review: Review) -> int | None:
        """Return the most doubtful proposal not gone to yet; after the last, again.

        Not the one after where the pointer is: it passes over proposals on its way.
        """
        seen = self._doubts_seen
        index = review.next_doubtful(without=sorted(seen))
        if index is None and seen:
            seen.clear()
            index = review.next_doubtful()
        if index is not None:
            seen.add(index)
        self.doubted = index
        return index
