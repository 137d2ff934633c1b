"""Proposals of all planes become objects: found, linked, numbered, written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_gen2seg.common.text import count_text
from napari_gen2seg.core.objects.keep_stack import KeptStack, StackOfCandidates
from napari_gen2seg.errors import Cancelled

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from napari_gen2seg.common.types import LabelArray
    from napari_gen2seg.core.coloring import Coloring
    from napari_gen2seg.core.linking import LinkSettings
    from napari_gen2seg.gui.annotate.labels_layer import Objects
    from napari_gen2seg.gui.annotate.object_numbers import ObjectNumbers
    from napari_gen2seg.gui.annotate.review import ProposalReview
    from napari_gen2seg.gui.layers.view import View
    from napari_gen2seg.session import Runner, Ticket

    Then = Callable[[Any, BaseException | None], None]


class StackKeeping:
    """Keeps the proposals of planes, which are looked at one after the other.

    Parameters
    ----------
    objects, numbers
        The Labels layer that takes objects, and which numbers are free.
    review
        Which proposals are good enough.
    background
        Worker thread on which they are found and linked.
    views
        The planes, in their order.
    settings, spacing
        As for `StackOfCandidates`.
    """

    def __init__(
        self,
        objects: Objects,
        numbers: ObjectNumbers,
        review: ProposalReview,
        background: Runner,
        views: Sequence[View],
        settings: LinkSettings,
        spacing: tuple[float, float] | None,
    ) -> None:
        self._objects, self._numbers, self._review = objects, numbers, review
        self._background, self._views = background, views
        self._stack = StackOfCandidates(settings, spacing)
        self.parents: dict[int, int] = {}  # of what was written: who divided

    def look(self, view: View, coloring: Coloring, then: Then) -> Ticket:
        """Find the proposals of the next plane, and link them with those before.

        Parameters
        ----------
        view, coloring
            The plane, and its map.
        then
            Told what went wrong, or None; not after the ticket was cancelled.
        """
        known = self._review.planes.review_of(view, coloring)
        labels = self._labels(view).copy()

        def work(ticket: Ticket) -> None:
            review = self._review.planes.drawn(view.layer_id, coloring, known, ticket)
            ticket.check()
            self._stack.add(review, labels)

        return self._submit(work, then)

    def number(self, then: Then) -> Ticket:
        """Give numbers to what was linked.

        Parameters
        ----------
        then
            Given a `KeptStack` that fits the labels as they are now, or an error.
        """
        layer = self._objects.layer
        labels = [self._labels(view) for view in self._views]
        first = self._numbers.free()

        def numbered(kept: Any, error: BaseException | None) -> None:
            if error is not None or (self._objects.layer is layer and self._fits(kept)):
                then(kept, error)
            else:
                self.number(then)  # somebody worked on meanwhile

        return self._submit(
            lambda ticket: self._stack.finish(first, labels.__getitem__, ticket.check),
            numbered,
        )

    def write(self, kept: KeptStack) -> str:
        """Write it as one step; say what was done.

        Raises
        ------
        Gen2SegError
            If the layer cannot take it; nothing was written then.
        """
        if not kept.patches:
            return "Nothing to keep: no proposal is shown on any plane."
        planes, new = len(kept.patches), len(kept.scores)
        what = f"{count_text(kept.pieces, 'proposal')} on {count_text(planes, 'plane')}"
        self._objects.write_planes(
            [(self._views[at], patch) for at, patch in kept.patches.items()],
            f"keeping {what}",
            kept.scores,
            {number: self._views[at] for number, at in kept.first.items()},
            self._stack.method,
        )
        self.parents = dict(kept.parents)
        divided = len(set(kept.parents.values()))
        said = f"Kept {what}: {count_text(new, 'new object')}"
        return f"{said}, {divided} divided." if divided else f"{said}."

    def _submit(self, work: Callable[[Ticket], Any], then: Then) -> Ticket:
        def done(ticket: Ticket, value: Any, error: BaseException | None) -> None:
            if not ticket.cancelled and not isinstance(error, Cancelled):
                then(value, error)

        return self._background.submit("keep planes", work, done)

    def _fits(self, kept: KeptStack) -> bool:
        """Whether planes still are what numbers were given for."""
        for place, patch in kept.patches.items():
            r0, c0, r1, c1 = patch.box
            now = self._labels(self._views[place])[r0:r1, c0:c1]
            if not np.array_equal(now, patch.before):
                return False
        return self._numbers.free() <= min(kept.scores, default=self._numbers.free())

    def _labels(self, view: View) -> LabelArray:
        """Return the objects of a plane, none where there is no layer yet."""
        plane = self._objects.plane(view)
        return np.zeros(view.shape, np.int32) if plane is None else plane
