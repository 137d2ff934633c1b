"""Proposals of one plane: found in its map, then drawn anew by the learned probe.

What is found is shown at once. The better outlines come behind it, some at a time, and
take its place without anybody having to do anything; what was dropped stays dropped.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject, Signal

from napari_gen2seg.core.learned_probe.choice import SIMILARITY
from napari_gen2seg.core.objects.doubt import CandidateLooks
from napari_gen2seg.core.objects.drawn import CandidateOutlines
from napari_gen2seg.core.objects.review import Review
from napari_gen2seg.errors import Cancelled
from napari_gen2seg.gui.qt_threads import debounce
from napari_gen2seg.session.session import sentence

if TYPE_CHECKING:
    from napari_gen2seg.core.candidates import CandidateSet
    from napari_gen2seg.core.coloring import Coloring
    from napari_gen2seg.gui.annotate.similar import Rated
    from napari_gen2seg.gui.layers.view import View
    from napari_gen2seg.session import Runner, Ticket
    from napari_gen2seg.session.probing import Probing
    from napari_gen2seg.session.refining import Refinement

_AT_ONCE = 0.25  # seconds of drawing, then others of the worker have their turn
_AGAIN = 300  # milliseconds until a busy model is asked again


@dataclass(eq=False)
class ProposedPlane:
    """What is known of one plane.

    Attributes
    ----------
    coloring
        Its map.
    found
        The candidates as they were found first; `review` has them in the same order,
        with better outlines in time.
    outlines, review
        As they are shown.
    rated
        How much they are like those that were kept.
    """

    coloring: Coloring
    found: CandidateSet
    outlines: CandidateOutlines
    review: Review
    rated: Rated | None = None

    def take(self, drawn: Drawn) -> None:
        """Show other outlines of the same candidates."""
        self.outlines, self.rated = drawn.outlines, None
        self.review = self.review.redrawn(drawn.candidates, drawn.looks)


@dataclass(frozen=True, eq=False)
class Drawn:
    """Candidates, and what is drawn and said of them."""

    candidates: CandidateSet
    outlines: CandidateOutlines
    looks: CandidateLooks

    @classmethod
    def of(cls, candidates: CandidateSet, coloring: Coloring) -> Drawn:
        """Find what is drawn; on any thread."""
        outlines = CandidateOutlines(candidates)
        outlines.find()
        return cls(candidates, outlines, CandidateLooks.of(candidates, coloring.values))


def proposed_plane(
    coloring: Coloring, ticket: Ticket, probing: Probing | None = None
) -> ProposedPlane:
    """Find the proposals of a map, on any thread.

    In their final outlines where it is said who draws them: that takes seconds.
    """
    found = coloring.candidates()
    ticket.check()
    shown = found
    if probing is not None:
        shown = probing.refined(coloring, found, ticket.check)
    drawn = Drawn.of(shown, coloring)
    ticket.check()
    review = Review.begin(shown, looks=drawn.looks)
    return ProposedPlane(coloring, found, drawn.outlines, review)


class ProposalFinder(QObject):
    """Finds the proposals of the plane in view, behind the window.

    Parameters
    ----------
    runner
        Worker thread.
    parent
        Deleted with it.

    Attributes
    ----------
    finding
        Whether they are being found.
    """

    found = Signal(object, object)  # the View, and its ProposedPlane
    failed = Signal(str)  # a sentence

    def __init__(self, runner: Runner, parent: QObject) -> None:
        super().__init__(parent)
        self._runner = runner
        self.finding = False
        self._failed: Coloring | None = None

    def find(self, view: View, coloring: Coloring) -> None:
        """Find those of a plane."""
        self.finding = True

        def done(ticket: Ticket, plane: Any, error: BaseException | None) -> None:
            if ticket.cancelled or isinstance(error, Cancelled):
                return
            if error is None:
                self.found.emit(view, plane)
                return
            self.finding, self._failed = False, coloring
            self.failed.emit(sentence(error))

        self._runner.submit(
            "candidates", lambda ticket: proposed_plane(coloring, ticket), done
        )

    def failed_in(self, coloring: Coloring) -> bool:
        """Whether nothing could be found in a map."""
        return self._failed is coloring


class Refiner(QObject):
    """Draws the proposals of the plane in view anew, as long as it is in view.

    Parameters
    ----------
    probing
        Whose learned probe draws.
    finder
        Worker thread.
    parent
        Deleted with it.
    """

    drawn = Signal(object, object)  # the ProposedPlane, and what it looks like now
    told = Signal()  # how many outlines are left

    def __init__(self, probing: Probing, finder: Runner, parent: QObject) -> None:
        super().__init__(parent)
        self._probing, self._finder = probing, finder
        self._plane: ProposedPlane | None = None
        self._work: Refinement | None = None
        self._again = debounce(self, self._go_on, _AGAIN)

    @property
    def left(self) -> int:
        """How many outlines are still to be drawn."""
        return 0 if self._work is None else self._work.left

    def follow(self, plane: ProposedPlane | None) -> None:
        """Draw the proposals of a plane, and those of no other."""
        if plane is self._plane and self._work is not None:
            return
        self.stop()
        if plane is None or not len(plane.found):
            return
        work = self._probing.refinement(plane.coloring, plane.found)
        shown = plane.review.candidates
        if work is None and shown is not plane.found:
            self._go_back(plane)
        elif work is not None and shown.method == SIMILARITY:
            self._plane, self._work = plane, work
            self._go_on()

    def stop(self) -> None:
        """Draw nothing more; what was half done is done again another time."""
        self._plane = self._work = None
        self._again.stop()

    def _go_back(self, plane: ProposedPlane) -> None:
        """Draw what the map has: somebody switched to similarity."""

        def done(ticket: Ticket, drawn: Any, error: BaseException | None) -> None:
            if not ticket.cancelled and error is None:
                self.drawn.emit(plane, drawn)

        self._finder.submit(
            "outlines", lambda _: Drawn.of(plane.found, plane.coloring), done
        )

    def _go_on(self) -> None:
        plane, work = self._plane, self._work
        if plane is None or work is None:
            return

        def some(ticket: Ticket) -> Drawn | bool:
            had_time = work.go_on(_AT_ONCE, ticket.check)
            if work.left:
                return had_time
            return Drawn.of(work.refined, plane.coloring)

        def done(ticket: Ticket, value: Any, error: BaseException | None) -> None:
            if ticket.cancelled or work is not self._work:
                return
            if error is not None:
                self.stop()  # the outlines of the map are good enough
            elif isinstance(value, Drawn):
                self.stop()
                self.drawn.emit(plane, value)
            elif value:
                self._go_on()
            else:
                self._again.start()
            self.told.emit()

        self._finder.submit("outlines", some, done)
