"""How many objects the Labels layer holds, and which numbers are free."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from psygnal import Signal

from napari_gen2seg.gui.annotate.commit import CommitError
from napari_gen2seg.gui.annotate.count import (
    Labels64,
    count_in,
    labels_of_planes,
    planes_of,
)
from napari_gen2seg.gui.annotate.labels_target import LAST_NUMBER

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari.layers import Labels

    from napari_gen2seg.session import Runner, Ticket


class Tally:
    """The count of one Labels layer, made behind the window.

    Parameters
    ----------
    runner
        Counts.

    Attributes
    ----------
    count
        How many objects there are.
    highest
        The highest of their numbers, as far as it is known.
    known
        Whether no label is above it, to our knowledge.
    settled
        Whether nothing happened since it was counted.
    """

    changed = Signal()
    highest_found = Signal()  # a number above what was known

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self.count = self.highest = 0
        self.known = True
        self.settled = False
        self._id: str | None = None  # of the layer that is counted
        self._planes: dict[int, Labels64] = {}  # labels of those that did not change
        self._painted: set[int] = set()  # planes that are about to change

    def begin(self, layer_id: str | None) -> None:
        """Count another layer from now on; nothing is known of it."""
        self._id = layer_id
        self.count = self.highest = 0
        self.known = layer_id is None
        self.forget()

    def forget(self) -> None:
        """Take any plane to have changed."""
        self._planes.clear()

    def note_paint(
        self, steps: Sequence[Any], shape: tuple[int, ...], by_hand: bool
    ) -> None:
        """Take the planes of an edit to have changed.

        Parameters
        ----------
        steps, shape
            As for `planes_of`.
        by_hand
            By others: napari may tell of it before it does it.
        """
        planes = planes_of(steps, shape)
        for plane in planes:
            self._planes.pop(plane, None)
        if by_hand:
            self._painted.update(planes)

    def reach(self, highest: int) -> None:
        """Take a number to be in the layer, and tell if it is above all others."""
        if highest > self.highest:
            self.highest = highest
            self.highest_found.emit()

    def recount(self, layer: Labels | None) -> None:
        """Count again what may have changed in the layer, if it is still there."""
        self.settled = False
        if layer is None:
            self.count = self.highest = 0
            self.changed.emit()
            return
        data, counted, known = layer.data, self._id, self._planes.copy()
        doubtful, self._painted = self._painted, set()
        if layer.multiscale or not hasattr(data, "shape"):
            self.known = True  # nothing will be written into it
            return

        def work(ticket: Ticket) -> tuple[dict[int, Labels64], tuple[int, int]]:
            planes = labels_of_planes(data, known, ticket)
            return planes, count_in(planes)

        def done(ticket: Ticket, value: Any, error: BaseException | None) -> None:
            if ticket.cancelled or counted != self._id:
                return
            self.known = True  # as well as it can be, after an error
            if error is None:
                planes, (self.count, highest) = value
                self._planes = {n: planes[n] for n in planes.keys() - doubtful}
                highest = min(highest, LAST_NUMBER)
                self.settled = True
                self.reach(highest)
                self.highest = highest  # lower after an undo
                self.changed.emit()

        self._runner.submit("count", work, done)

    def check_known(self, name: str) -> None:
        """Refuse to give numbers before it is known which are free.

        Parameters
        ----------
        name
            Of the layer, for the sentence.

        Raises
        ------
        CommitError
            If it is not known.
        """
        if not self.known:
            raise CommitError(
                f"The objects of {name!r} are still being counted, so that new ones "
                "get free numbers. Try again in a moment."
            )

    def check_room(self, last: int, name: str) -> None:
        """Refuse a number that is too high for the window.

        Parameters
        ----------
        last
            The number.
        name
            Of the layer, for the sentence.

        Raises
        ------
        CommitError
            If it is.
        """
        if last > LAST_NUMBER:
            raise CommitError.of_layer(
                f"{name!r} is full: no number is left for so many objects. Choose a "
                "new layer, or a copy numbered anew.",
                True,
            )
