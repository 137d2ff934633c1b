"""Only proposals that look like those that were kept, if a person asks for that."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QObject, Signal

from napari_gen2seg.errors import Cancelled, Gen2SegError
from napari_gen2seg.gui.annotate.similar import Examples, Rated, rate
from napari_gen2seg.session.session import sentence

if TYPE_CHECKING:
    from collections.abc import Iterable

    from napari_gen2seg.gui.annotate.labels_layer import Objects
    from napari_gen2seg.gui.annotate.object_numbers import ObjectNumbers
    from napari_gen2seg.gui.annotate.proposed_plane import ProposedPlane
    from napari_gen2seg.gui.layers.source import Source
    from napari_gen2seg.gui.layers.view import View
    from napari_gen2seg.session import Runner, Ticket


class LikenessFilter(QObject):
    """Rates proposals by how much they are like what was kept, behind the window.

    Parameters
    ----------
    source
        Reads the image in view.
    objects, numbers
        What was kept, and which object one went back to: then that one counts.
    finder
        Worker thread that rates.
    parent
        Deleted with it.

    Attributes
    ----------
    on
        Whether only what is like those that were kept is shown.
    least
        How much it must be, 0..1.
    """

    rated = Signal()  # another likeness is known, or none could be found
    status_changed = Signal(str)
    warning = Signal(str)

    def __init__(
        self,
        source: Source,
        objects: Objects,
        numbers: ObjectNumbers,
        finder: Runner,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._source, self._objects, self._numbers = source, objects, numbers
        self._finder = finder
        self._examples: Examples | None = None  # of whatever plane, the last ones
        self.on = False
        self.least = 0.5

    def choose(self, least: float, plane: ProposedPlane | None) -> None:
        """Show what is at least so much like those that were kept."""
        self.least = least
        if plane is not None and plane.review.likeness is not None:
            plane.review = plane.review.liking(plane.review.likeness, least)

    def release(self, planes: Iterable[ProposedPlane]) -> None:
        """Show everything again, like what was kept or not."""
        for plane in planes:
            plane.review = plane.review.liking(None, self.least)

    def rate(self, plane: ProposedPlane, view: View) -> None:
        """Rate the proposals of the plane in view."""
        review, labels = plane.review, self._objects.plane(view)
        if labels is not None:
            labels = labels.copy()
        numbers = [self._numbers.current] if self._numbers.back else []
        dropped = np.flatnonzero(review.dropped).tolist()
        before, elsewhere = plane.rated, self._examples
        try:
            read = self._source.reader()
        except Gen2SegError as error:
            self.warning.emit(str(error))
            return

        def work(_ticket: Ticket) -> Rated:
            return rate(
                review.candidates, labels, numbers, dropped, read, before, elsewhere
            )

        def done(ticket: Ticket, rated: Any, error: BaseException | None) -> None:
            if ticket.cancelled or isinstance(error, Cancelled) or not self.on:
                return
            if error is not None:
                self.on = False
                self.status_changed.emit(sentence(error))
            else:
                plane.rated, self._examples = rated, rated.examples
                plane.review = plane.review.liking(rated.likeness, self.least)
            self.rated.emit()

        self._finder.submit("similar", work, done)
