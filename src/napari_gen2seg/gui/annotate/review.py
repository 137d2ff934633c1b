"""Proposals over the plane in view: found behind the window, kept, dropped, gone to.

What is kept is read off the Labels layer (`core.objects.review`), so undo, eraser and
other programs need to tell nobody. Here is who looks, and when.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import numpy as np
from qtpy.QtCore import QObject, Signal

from napari_gen2seg.core.objects.review import Review
from napari_gen2seg.core.proposal_settings import ProposalSettings, Range
from napari_gen2seg.errors import Gen2SegError
from napari_gen2seg.gui.annotate.commit import CommitError
from napari_gen2seg.gui.annotate.deleted_proposals import DeletedProposals
from napari_gen2seg.gui.annotate.dropped_proposals import DroppedProposals
from napari_gen2seg.gui.annotate.likeness import LikenessFilter
from napari_gen2seg.gui.annotate.proposal_preview import preview_of, words_of
from napari_gen2seg.gui.annotate.proposal_round import ProposalRound
from napari_gen2seg.gui.annotate.proposed_plane import (
    Drawn,
    ProposalFinder,
    ProposedPlane,
    Refiner,
)
from napari_gen2seg.gui.annotate.proposed_planes import ProposedPlanes
from napari_gen2seg.gui.annotate.redo import Dropped, RedoStack
from napari_gen2seg.gui.qt_threads import debounce
from napari_gen2seg.session.state import Preview

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    import numpy.typing as npt

    from napari_gen2seg.gui.annotate.labels_layer import Objects
    from napari_gen2seg.gui.annotate.object_numbers import ObjectNumbers
    from napari_gen2seg.gui.layers.overlays import Overlays
    from napari_gen2seg.gui.layers.source import Source
    from napari_gen2seg.gui.layers.view import View
    from napari_gen2seg.session import Runner, Session

Point = tuple[float, float]

_LOOK = 30  # milliseconds after the last change of the labels


class ProposalReview(QObject):
    """What a person does with the proposals of the plane in view.

    Parameters
    ----------
    session, source
        Whose colorings, and which view is in sight.
    objects, numbers
        Where proposals are kept, and under which numbers.
    overlays
        Where their outlines are drawn.
    redo_stack
        Takes what was taken back.
    finder
        Worker thread that finds candidates.
    parent
        Deleted with it.
    """

    changed = Signal()  # counts, thresholds, or whether there are any
    kept = Signal()
    gone_to = Signal(tuple, float)  # (row, column) of the plane, and a diameter
    pointed = Signal(str)  # what is under the pointer; empty for nothing
    found = Signal()  # the proposals of the view in sight, or better outlines of them
    status_changed = Signal(str)  # what just happened
    refused = Signal(str)  # why nothing happened: something has to come first
    warning = Signal(str)
    copy_offered = Signal(str)

    def __init__(
        self,
        session: Session,
        source: Source,
        objects: Objects,
        numbers: ObjectNumbers,
        overlays: Overlays,
        redo_stack: RedoStack,
        finder: Runner,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._session, self._source = session, source
        self._objects, self._numbers = objects, numbers
        self._overlays, self._redo_stack = overlays, redo_stack
        self.planes = ProposedPlanes(session.probing)
        self.dropped = DroppedProposals(self.planes, objects.log.tick)
        self._deleted = DeletedProposals(self.planes, objects.log)
        self._current: int | None = None  # under the pointer
        self._round = ProposalRound()
        self._offered: tuple[Review, int, Preview] | None = None
        self.on = True
        self.likeness = LikenessFilter(source, objects, numbers, finder, self)
        self.likeness.rated.connect(self._rated)
        self.likeness.status_changed.connect(self.status_changed)
        self.likeness.warning.connect(self.warning)
        self.finder = ProposalFinder(finder, self)
        self.finder.found.connect(self._found)
        self.finder.failed.connect(self.warning)
        self.finder.failed.connect(self.changed)
        self.suits = True  # the layer that takes objects has the image's own pixels
        self._soon = debounce(self, self.look, _LOOK)
        self.refiner = Refiner(session.probing, finder, self)
        self.refiner.drawn.connect(self._redrawn)
        self.refiner.told.connect(self.changed)
        session.probing.method_changed.connect(self._method_changed)
        objects.edited.connect(self.look_soon)
        objects.deleted.connect(self._deleted.note)

    def close(self) -> None:
        """Stop looking; the outlines go, everything kept stays."""
        with suppress(RuntimeError):  # Qt deletes timers together with their window
            self._soon.stop()
            self.refiner.stop()
        self._session.probing.method_changed.disconnect(self._method_changed)
        self._objects.edited.disconnect(self.look_soon)
        self._objects.deleted.disconnect(self._deleted.note)
        self._overlays.clear_proposals()

    # ---- what there is

    @property
    def review(self) -> Review | None:
        """The review of the plane in view; None where there is none."""
        plane = self._plane()
        return None if plane is None else plane.review

    @property
    def settings(self) -> ProposalSettings:
        """Which candidates are shown, of the image in view."""
        view = self._source.view
        return self.planes.settings("" if view is None else view.layer_id)

    @property
    def in_window(self) -> bool:
        """Whether that is a part of a large plane only."""
        view = self._source.view
        return view is not None and view.window is not None

    def at(self, point: Point | None) -> int | None:
        """Return the proposal under a place of the plane, if Enter would keep it."""
        review = self.review
        if review is None or point is None or self._numbers.back or not self.suits:
            return None
        return review.at(point)

    def offer(self, point: Point) -> Preview | None:
        """Return the proposal under a place as a preview, and say what it is.

        The very same preview as long as it is the same proposal.
        """
        review, index = self.review, self.at(point)
        if review is None or index is None:
            self.leave()
            return None
        if index != self._current:
            self._current = index
            self._round.be_at(index)
            doubted = index == self._round.doubted
            self.pointed.emit(words_of(review, index, doubted))
        if self._offered is None or self._offered[:2] != (review, index):
            view = self._source.view
            labels = None if view is None else self._objects.plane(view)
            preview = preview_of(review.candidates.masks[index], labels)
            self._offered = review, index, preview
        return self._offered[2]

    def leave(self) -> None:
        """Take no proposal to be under the pointer."""
        if self._current is not None:
            self._current = None
            self.pointed.emit("")

    def mark(self, stroke: Sequence[Point]) -> None:
        """Point out what a stroke touches while it is drawn."""
        review = self.review
        if review is not None and len(stroke):
            self._draw(review.caught(stroke).tolist())

    # ---- finding and showing

    def follow(self) -> None:
        """Show the proposals of the plane in view; find them first if need be."""
        view = self._source.view
        coloring = None if view is None else self._session.coloring(view)
        self.leave()
        self._round.begin()
        self.finder.finding = False
        plane = self._plane()
        self.refiner.follow(plane)
        if not self.on or view is None or coloring is None:
            self._overlays.clear_proposals()
        elif plane is None:
            self._overlays.clear_proposals()
            self.finder.find(view, coloring)
        else:
            self.planes.touch(view)
            self.look()
            return
        self.changed.emit()

    def turn(self, on: bool) -> None:
        """Show proposals from now on, or none."""
        self.on = on
        self.follow()

    def look(self) -> None:
        """See what is kept now, after the labels changed by whomever."""
        plane, view = self._plane(), self._source.view
        if plane is None or view is None:
            return
        labels = self._objects.plane(view)
        self.suits = labels is not None or self._objects.layer is None
        if labels is None:
            labels = np.zeros(view.shape, np.int32)
        kept = plane.review.owners
        plane.review = plane.review.seen(labels)
        self._deleted.follow(plane)
        another = plane.review.likeness is None
        if another or (kept != plane.review.owners).any():
            self._rate()
        self._draw()
        self.changed.emit()

    def look_soon(self) -> None:
        """Look when everything else has happened."""
        if self._plane() is not None:
            self._soon.start()

    def again(self) -> None:
        """Draw anew where somebody deleted the layer of the outlines."""
        if self._overlays.proposals is None and self.review is not None:
            self._draw()

    def choose(self, certainty: float | None, sizes: Range | None) -> None:
        """Show what passes other thresholds, here and on this image's other planes."""
        view, plane = self._source.view, self._plane()
        if view is not None:
            self.planes.choose(view.layer_id, certainty, sizes)
        if plane is not None:
            plane.review = plane.review.choosing(certainty, sizes)
            self._draw()
        self.changed.emit()

    def like(self, on: bool) -> None:
        """Show only what looks like those that were kept, or everything again."""
        self.likeness.on = on
        if on:
            self._rate()
            return
        self.likeness.release(self.planes)
        self._rated()

    def choose_likeness(self, least: float) -> None:
        """Show what is at least so much like those that were kept."""
        self.likeness.choose(least, self._plane())
        self._rated()

    # ---- acts

    def keep(
        self, indices: Sequence[int] | npt.NDArray[np.intp], more: str = ""
    ) -> None:
        """Keep some candidates, as one step; say more of it, too."""
        plane, view = self._plane(), self._source.view
        if plane is None or view is None or not len(indices):
            self._draw()
            self.refused.emit(f"Nothing to keep: {self._why_none()}.")
            return
        review = plane.review
        try:
            kept = self._objects.keep(
                view,
                lambda labels: review.keep(labels, indices, self._numbers.free()),
            )
        except Gen2SegError as error:
            copied = isinstance(error, CommitError) and error.copy
            (self.copy_offered if copied else self.warning).emit(str(error))
            return
        self._redo_stack.clear()
        self.leave()
        self._soon.stop()
        self.look()
        numbers = kept.numbers
        if numbers.size == 1:
            pixels = int(np.count_nonzero(kept.patch.changed))
            text = f"Object {numbers[0]}: a proposal of {pixels:,} pixels"
        else:
            text = f"Objects {numbers[0]} to {numbers[-1]}: {numbers.size} proposals"
        if self.refiner.left:
            more = f", in the map's outlines: better ones are not drawn yet{more}"
        self.status_changed.emit(text + more)
        self.kept.emit()

    def keep_at(self, point: Point | None) -> bool:
        """Keep the proposal under a place; say if there is one."""
        index = self.at(point)
        if index is None:
            return False
        self.keep([index])
        return True

    def keep_all(self) -> None:
        """Keep everything that is shown, but for what the rim of a window cuts."""
        review = self.review
        if review is None:
            self.keep([])  # says why there is nothing
            return
        whole = review.whole
        cut = review.shown.size - len(whole)
        if cut and not len(whole):
            self.refused.emit(
                "Nothing to keep: what is left is cut at the rim of the window. Color "
                "a window around it; Enter over one keeps it as it is."
            )
            return
        left = f"; {cut} at the rim of the window left for the next one" if cut else ""
        self.keep(whole, left)

    def keep_along(self, stroke: Sequence[Point]) -> None:
        """Keep everything that a stroke touches, or a loop surrounds."""
        self.keep([] if self.review is None else self.review.caught(stroke))

    def drop_at(self, point: Point | None) -> None:
        """Drop the proposal under a place, or the one gone to."""
        index = self.at(point)
        self._drop([] if index is None else [index])

    def drop_along(self, stroke: Sequence[Point]) -> None:
        """Drop everything that a stroke touches, or a loop surrounds."""
        self._drop([] if self.review is None else self.review.caught(stroke))

    def next_left(self) -> None:
        """Go to the next proposal, in rows over the image."""
        review = self.review
        self._go_to(None if review is None else self._round.next_left(review))

    def next_doubtful(self) -> None:
        """Go to the most doubtful proposal not gone to yet; after the last, again."""
        review = self.review
        self._go_to(None if review is None else self._round.next_doubtful(review))

    def undo_drop(self) -> Dropped | None:
        """Take the last drop back; return it, None where there is none."""
        gone = self.dropped.undo()
        self._see_dropped()
        return gone

    def redo_drop(self, drop: Dropped) -> None:
        """Drop again what was taken back."""
        self.dropped.redo(drop)
        self._see_dropped()

    # ---- inside

    def _plane(self) -> ProposedPlane | None:
        """Return what is known of the plane in view, by the coloring it has now."""
        view = self._source.view
        coloring = None if view is None else self._session.coloring(view)
        if view is None or coloring is None or not self.on:
            return None
        return self.planes.known(view, coloring)

    def _found(self, view: View, plane: ProposedPlane) -> None:
        self.planes.bring(view, plane)
        if view == self._source.view:
            self.follow()
            self.found.emit()

    def _method_changed(self) -> None:
        """Let another draw the outlines: the learned probe, or the map alone."""
        self.refiner.stop()
        self.refiner.follow(self._plane())
        self.changed.emit()

    def _redrawn(self, plane: ProposedPlane, drawn: Drawn) -> None:
        """Show better outlines of what is in view."""
        plane.take(drawn)
        self._offered = None
        if plane is self._plane():
            self.look()
            self._rate()
            self.found.emit()

    def _why_none(self) -> str:
        """Say why there is no proposal to act on."""
        view = self._source.view
        if view is None:
            return "no picture is in view"
        if not self.on:
            return "proposals are switched off; tick Proposals to see them"
        coloring = self._session.coloring(view)
        if coloring is None:
            if self._session.job.running:
                return "the picture is still being colored"
            return "this plane is not colored yet; press Color"
        if self.finder.failed_in(coloring):
            return "no proposals could be found"
        if self._plane() is None:
            return "proposals are still being looked for; try again in a moment"
        if not self.suits:
            return "the Labels layer has other pixels than the picture"
        return "no proposal is shown there"

    def _rate(self) -> None:
        plane, view = self._plane(), self._source.view
        if plane is not None and view is not None and self.likeness.on:
            self.likeness.rate(plane, view)

    def _rated(self) -> None:
        self._draw()
        self.changed.emit()

    def _draw(self, marked: Collection[int] = ()) -> None:
        plane, view = self._plane(), self._source.view
        if plane is None or view is None:
            return
        if not self.suits:
            self._overlays.clear_proposals()
            return
        labels, review = self._objects.plane(view), plane.review
        self._overlays.draw_proposals(
            view,
            lambda canvas, colored: plane.outlines.draw(
                canvas, review, labels, marked, fill_kept=colored
            ),
        )

    def _drop(self, indices: Sequence[int] | npt.NDArray[np.intp]) -> None:
        plane, view = self._plane(), self._source.view
        if plane is None or view is None or not len(indices):
            self._draw()
            self.refused.emit(f"Nothing to drop: {self._why_none()}.")
            return
        self._redo_stack.clear()
        drop = self.dropped.drop(view, plane, tuple(int(one) for one in indices))
        self._see_dropped()
        self.leave()
        self.status_changed.emit(f"Dropped {drop.name}; Ctrl+Z takes that back.")

    def _see_dropped(self) -> None:
        self._rate()
        self._rated()

    def _go_to(self, index: int | None) -> None:
        review = self.review
        if review is None or index is None:
            why = "no proposal is left here" if self._plane() else self._why_none()
            self.refused.emit(f"Nothing to go to: {why}.")
            return
        row, col = review.candidates.points[index]
        self._round.be_at(index)
        diameter = float(review.looks.diameters[index])
        self.gone_to.emit((float(row), float(col)), diameter)
