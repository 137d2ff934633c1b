"""The object being clicked: its clicks on the plane in view, its mask, its commit."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from qtpy.QtCore import QObject, Signal

from napari_gen2seg.core.learned_probe.choice import LEARNED
from napari_gen2seg.core.probe.mask import Mask
from napari_gen2seg.errors import Gen2SegError, PromptError
from napari_gen2seg.gui.annotate.commit import CommitError, KeptAlreadyError
from napari_gen2seg.gui.annotate.hover import NOT_COLORED_HERE
from napari_gen2seg.gui.annotate.labels_target import on_same_grid
from napari_gen2seg.gui.annotate.object_numbers import kept_objects, unfinished_object
from napari_gen2seg.gui.annotate.redo import Rows, TakenBack
from napari_gen2seg.gui.layers.overlays import OBJECTS, role_of, source_of
from napari_gen2seg.gui.qt_threads import debounce
from napari_gen2seg.session import Prompts

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Labels

    from napari_gen2seg.common.types import Shape
    from napari_gen2seg.gui.annotate.hand_edits import HandEdited
    from napari_gen2seg.gui.annotate.hover import HoverPreview
    from napari_gen2seg.gui.annotate.labels_layer import Objects
    from napari_gen2seg.gui.annotate.object_numbers import ObjectNumbers
    from napari_gen2seg.gui.annotate.points_layer import Clicks, Point
    from napari_gen2seg.gui.annotate.redo import RedoStack
    from napari_gen2seg.gui.annotate.review import ProposalReview
    from napari_gen2seg.gui.layers.source import Source
    from napari_gen2seg.gui.layers.view import View
    from napari_gen2seg.session import Session

_ON_BACKGROUND = (
    "That click is on what the model takes for background, and was left out."
)
_MOST = 0.5  # of an image: larger is background, unless somebody clicks it


class CurrentObject(QObject):
    """What a person does with one object: click, commit, go on to the next.

    Parameters
    ----------
    viewer
        napari's.
    session, source
        Ours, and the view that is worked on.
    clicks, objects, numbers
        The layers of clicks and of objects, and which number is whose.
    review
        Proposals, which Enter keeps where nothing was clicked.
    hover_preview
        Where the pointer is, and what is lit there.
    redo_stack
        Takes what was taken back.
    parent
        Deleted with it.

    Attributes
    ----------
    prompts
        Its clicks on the view, as last read.
    at_once
        Whether each click is kept as an object of its own.
    """

    acted = Signal()  # somebody goes on: what was said of the last act is over
    status_changed = Signal(str)
    warning = Signal(str)
    color_requested = Signal()  # Enter over a plane without a coloring
    copy_offered = Signal(str)  # why the target cannot take it, but a copy could
    changed = Signal(int)  # which object it is
    clicks_changed = Signal(object)  # Prompts of the object
    clicked_beyond = Signal(tuple, int)  # (row, column) of a large plane, and a sign

    def __init__(
        self,
        viewer: ViewerModel,
        session: Session,
        source: Source,
        clicks: Clicks,
        objects: Objects,
        numbers: ObjectNumbers,
        review: ProposalReview,
        hover_preview: HoverPreview,
        redo_stack: RedoStack,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._viewer, self._session, self._source = viewer, session, source
        self._clicks, self._objects, self._numbers = clicks, objects, numbers
        self._review, self._hover_preview = review, hover_preview
        self._redo_stack = redo_stack
        self.prompts = Prompts()
        self.at_once = False
        self._singles: list[tuple[View, int]] = []  # objects of one click each
        self._clicked = False  # since the clicks were last read
        self._soon = debounce(self, self.read_clicks)
        clicks.clicked.connect(self._was_clicked)
        clicks.changed.connect(self.read_soon)
        clicks.keys.commit_requested.connect(self.commit)
        clicks.keys.insist_requested.connect(self.insist)
        objects.tally.highest_found.connect(self._highest_found)

    def close(self) -> None:
        """Read clicks no more."""
        with suppress(RuntimeError):  # Qt deletes timers together with their window
            self._soon.stop()

    def start_clicking(self) -> None:
        """Select the prompt layer of the image, ready for clicks."""
        view = self._source.view
        if view is None:
            self.warning.emit(self._source.problem)
            return
        self._clicks.ensure(view)
        self._highest_found()
        self.read_clicks()
        self._clicks.activate()

    @property
    def number(self) -> int:
        """Number of the object being clicked."""
        return self._clicks.number

    def set_object(self, number: int) -> None:
        """Go to an object: a new one, or an earlier one with its clicks.

        The next commit replaces what the object was in the layer chosen now.
        """
        self._numbers.go_back(number)
        self._clicks.note_taken_up(self._objects.log.tick())
        self.show_object()

    def next_object(self) -> None:
        """Go on to a new object."""
        self._numbers.go_on()
        self.show_object()

    def commit(self) -> None:
        """Write the mask into the Labels layer, and go on to a new object."""
        view = self._source.view
        if view is None:
            self.warning.emit(self._source.problem)
            return
        if self._session.coloring(view) is None:
            if not self._session.job.running:
                self.color_requested.emit()
            return
        at = self._hover_preview.lit_for  # before that is drawn anew
        self.read_clicks()
        clicked = self.prompts.positive and len(self.prompts)
        pointed = at is not None and not clicked
        if pointed and self._review.keep_at(at):
            return
        if pointed and self._background_at(view, at):
            self.status_changed.emit(
                "Nothing to commit: the pointer was over background."
            )
            return
        if pointed:
            self._clicks.add(view, at)  # what lies under the pointer
            self._clicked = False  # nobody clicked: nothing more is to follow
            self.read_clicks()
        mask = self._mask()
        if mask is None:
            if pointed:
                self.take_click(view)
            self.status_changed.emit(
                NOT_COLORED_HERE
                if self._source.beyond_window()
                else "Nothing to commit: move over an object, or click it."
            )
            return
        prompts = self.prompts
        try:
            self._numbers.settle()
            written = self._objects.commit(view, mask, self.number, len(prompts))
        except Gen2SegError as error:
            kept = isinstance(error, KeptAlreadyError)
            # One click on what is kept would only wait to be in the way.
            if pointed or self.at_once or (kept and len(prompts) == 1):
                self.take_click(view)
            self.changed.emit(self.number)
            copied = isinstance(error, CommitError) and error.copy
            unwritten = self.status_changed if kept else self.warning
            (self.copy_offered if copied else unwritten).emit(str(error))
            return
        self._redo_stack.clear()
        if self.at_once:
            self._singles.append((view, self.number))
        text = f"Object {self.number}: {written.pixels:,} pixels"
        if written.spared:
            text += f" ({written.spared:,} left to other objects)"
        if written.outside:
            text += f"; {written.outside:,} outside {self._objects.name!r} are lost"
        coloring = self._session.coloring(view)
        if coloring is not None and coloring.on_background(prompts.kept).any():
            text += "; a click lies on what the model takes for background"
        method = self._session.probing.method(view)
        if len(prompts) and method == LEARNED and mask.method != LEARNED:
            text += "; by similarity, since the learned probe was busy"
        self.status_changed.emit(text)
        self._hover_preview.forget_pointer()  # or Enter would begin another object
        self.next_object()

    def insist(self) -> None:
        """Let the last click have all that it asked for, however large."""
        view = self._source.view
        if view is None or not self._clicks.insist(view):
            self.status_changed.emit("Nothing to insist on: the last click is not new.")
            return
        self.read_clicks()
        self.status_changed.emit("The last click has all it asked for.")

    def clear(self) -> None:
        """Remove its clicks on this plane."""
        view = self._source.view
        if view is not None:
            gone = self._clicks.clear(view)
            if gone is not None:
                self._redo_stack.push(TakenBack(self.number, gone))
            self._hover_preview.forget_pointer()  # or Enter would keep what lay there
            self.read_clicks()

    def take_single(self) -> Rows | None:
        """Take back the click that was a commit, or it would be part of the next."""
        view = self._source.view
        if view is None or not self.at_once:
            return None
        if (view, self.number) not in self._singles:
            return None
        self._singles.remove((view, self.number))
        return self.take_click(view)

    def take_click(self, view: View) -> Rows | None:
        """Remove the last click of this object; return what went."""
        gone = self._clicks.take_last(view)
        self.read_clicks()
        return gone

    def click(self, view: View, point: tuple[float, float], sign: int) -> None:
        """Click a place of a colored plane; -1 is the opposite of a plain click."""
        self._add(view, point, sign * self._clicks.sign)

    def click_unseen(self, view: View, point: Point, sign: int) -> None:
        """Click a place whose mask nobody saw before the click, unless on background.

        Parameters
        ----------
        view, point
            Where: (row, column) of a colored plane.
        sign
            +1 keep, -1 leave out, whatever a plain click means.
        """
        if sign > 0 and self._background_at(view, point):
            self.start_clicking()
            self.status_changed.emit(_ON_BACKGROUND)
            return
        self._add(view, point, sign)

    def _add(self, view: View, point: Point, sign: int) -> None:
        if self._session.coloring(view) is not None:
            self.start_clicking()
            self._clicks.add(view, point, sign)

    def go_on_drawn(self) -> None:
        """Go on as after a click, when a box or a scribble became clicks."""
        self._was_clicked()
        self._clicks.activate()
        self.read_clicks()

    def _was_clicked(self) -> None:
        self.acted.emit()
        self._clicked = True
        self._clicks.note(self._objects.log.tick())
        self._redo_stack.clear()

    def _highest_found(self) -> None:
        """Give a new object a free number once the layer has been counted."""
        if self._numbers.taken and not len(self.prompts):
            self.next_object()

    def resume(self, view: View) -> None:
        """Go on where an image was left: with its unfinished object, or a new one."""
        target = self._objects.layer
        if target is None or (
            role_of(target) == OBJECTS and source_of(target) != view.layer_id
        ):
            self._objects.choose(kept_objects(self._viewer, self._objects, view))
        number = unfinished_object(self._viewer, self._clicks.layer)
        if number is None:
            self.next_object()
        else:
            self._numbers.take_up(number)
            self.show_object()

    def copy_target(self) -> None:
        """Write into an editable copy of the Labels layer from now on."""
        view = self._source.view
        if view is None:
            return
        self._objects.copy(view)
        self._numbers.fit()
        self.show_object()

    def labels_opened(self, layer: Labels) -> None:
        """Take a Labels layer that was just opened on the image's own pixels."""
        view = self._source.view
        if view is None or self._objects.layer is not None or role_of(layer):
            return
        if on_same_grid(layer, view):
            self._objects.choose(layer)

    def show_object(self) -> None:
        """Show which object it is now, and its clicks."""
        self.changed.emit(self.number)
        self.read_clicks()

    def read_soon(self) -> None:
        """Read the prompt layer again when everything else has happened."""
        self._soon.start()

    def read_clicks(self) -> None:
        """Read the prompt layer again, and show what it says."""
        self._soon.stop()
        layer, view = self._source.layer, self._source.view
        clicked, self._clicked = self._clicked, False
        if layer is None or view is None:
            self.prompts = Prompts()
        else:
            beyond = self._clicks.drop_outside(view) if clicked else None
            if beyond is not None and self._beyond_window(view, *beyond):
                return
            if beyond is not None:
                self.warning.emit(
                    f"That click is outside {layer.name!r} and was left out. Click on "
                    "the picture."
                )
            self.prompts = self._started(view, self._clicks.read(view), clicked)
        self._clicks.show_current()
        self.clicks_changed.emit(self.prompts)
        self._hover_preview.show_prompts(self.prompts)
        if clicked and not self.prompts.positive and len(self.prompts):
            self.status_changed.emit(
                "Nothing to leave out of yet: click the object first, then what is "
                "too much."
            )
        if clicked and np.isfinite(refused := self._hover_preview.refused):
            self.status_changed.emit(
                f"That click would make the object {refused:.0f} times as large, so it "
                "added a small piece only. Press I to insist on all of it."
            )
        if self.at_once and clicked and self.prompts.positive:
            self._commit_single()
        elif clicked and self._session.probing.on_background(view, self.prompts):
            self.status_changed.emit(
                "That click is on what the model takes for background. Esc removes it, "
                "Enter keeps it all the same."
            )

    def _beyond_window(self, view: View, point: Point, sign: int) -> bool:
        """Have the click made in a window of its own, if it is on the plane."""
        place = point[0] + view.corner[0], point[1] + view.corner[1]
        height, width = view.plane_shape
        if view.window is None or not (
            -0.5 <= place[0] < height - 0.5 and -0.5 <= place[1] < width - 0.5
        ):
            return False
        self.clicked_beyond.emit(place, sign)
        return True

    def _started(self, view: View, prompts: Prompts, clicked: bool) -> Prompts:
        """Return clicks on an object as it is now, if it was made by hand."""
        coloring = self._session.coloring(view)
        if not self._numbers.back or coloring is None:
            return prompts
        before = len(prompts) - clicked  # the newest is no sign that it was clicked
        found = self._objects.hand_edited(view, self.number, before)
        if found is None:
            return prompts
        if found.settled:
            self._clicks.settle(view, self.number, found.settled)
            prompts = self._clicks.read(view)
        shape, source = coloring.shape, coloring.source_shape
        base = _same_base(self.prompts.base, found, shape, source)
        if base is None:
            base = Mask.from_source(found.crop, found.corner, shape, source)
        return replace(prompts, base=base)

    def _commit_single(self) -> None:
        """Commit the click just made, unless it is on background."""
        view, kept = self._source.view, self.prompts.kept
        if view is None or not kept or not self._background_at(view, kept[-1]):
            self.commit()
            return
        self.take_click(view)
        self.status_changed.emit(_ON_BACKGROUND)

    def _background_at(self, view: View, at: tuple[float, float] | None) -> bool:
        """Whether a place is background: the model says so, or half the image is."""
        coloring = self._session.coloring(view)
        if coloring is None or at is None:
            return False
        if coloring.on_background([at]).any():
            return True
        mask = self._session.mask(view, Prompts((at,), (1,)))
        cells = coloring.shape[0] * coloring.shape[1]
        return mask is not None and mask.area > _MOST * cells

    def _mask(self) -> Mask | None:
        view = self._source.view
        try:
            return None if view is None else self._session.mask(view, self.prompts)
        except PromptError as error:
            self.warning.emit(str(error))
        return None


def _same_base(
    last: Mask | None, found: HandEdited, shape: Shape, source: Shape
) -> Mask | None:
    """Return the last base if it still is what was found.

    Masks are known by the very base that they were asked with: with another the shown
    mask would have to be found once more, and Enter would store what came of that.
    """
    if last is None or last.drawn is None:
        return None
    if (last.shape, last.source_shape) != (shape, source):
        return None
    crop, corner = last.drawn
    same = corner == found.corner and np.array_equal(crop, found.crop)
    return last if same else None
