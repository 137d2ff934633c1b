"""Annotation controller: clicks become objects in the Labels layer, and back."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from qtpy.QtCore import QObject, Signal

from napari_gen2seg.core.probe.mask import Mask
from napari_gen2seg.errors import Gen2SegError, PromptError
from napari_gen2seg.gui.annotate.class_giver import ClassGiver
from napari_gen2seg.gui.annotate.commit import CommitError
from napari_gen2seg.gui.annotate.drawn_clicks import DrawnClicks
from napari_gen2seg.gui.annotate.history import History
from napari_gen2seg.gui.annotate.hover import HoverPreview
from napari_gen2seg.gui.annotate.labels_layer import Objects
from napari_gen2seg.gui.annotate.labels_target import on_same_grid
from napari_gen2seg.gui.annotate.object_numbers import (
    ObjectNumbers,
    kept_objects,
    unfinished_object,
)
from napari_gen2seg.gui.annotate.object_tools import ObjectTools
from napari_gen2seg.gui.annotate.pointer import ClickListener
from napari_gen2seg.gui.annotate.points_layer import Clicks
from napari_gen2seg.gui.annotate.redo import RedoStack, Rows, TakenBack
from napari_gen2seg.gui.annotate.review import ProposalReview
from napari_gen2seg.gui.annotate.stack_work import StackWork
from napari_gen2seg.gui.annotate.strokes import Strokes
from napari_gen2seg.gui.annotate.tool_keys import LabelsKeys
from napari_gen2seg.gui.layers.camera import center_on, look_of
from napari_gen2seg.gui.layers.overlays import (
    DRAWN,
    OBJECTS,
    Overlays,
    role_of,
    source_of,
)
from napari_gen2seg.gui.layers.source import Source
from napari_gen2seg.gui.qt_threads import debounce
from napari_gen2seg.session import Prompts

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Labels

    from napari_gen2seg.gui.annotate.points_layer import Point
    from napari_gen2seg.gui.annotate.written import Edit
    from napari_gen2seg.gui.layers.view import View
    from napari_gen2seg.session import Runner, Session


_ON_BACKGROUND = (
    "That click is on what the model takes for background, and was left out."
)
_MOST = 0.5  # of an image: larger is background, unless somebody clicks it


class AnnotationController(QObject):
    """What a person does on one plane: click, commit, undo, go on to the next.

    Parameters
    ----------
    viewer
        napari's.
    session
        Ours.
    source, overlays
        The view that is worked on, and the layers drawn over it.
    background
        Worker thread for read-only jobs: the count, the outline of the very large.
    finder
        Worker thread that finds proposals.
    parent
        Deleted with it.
    """

    acted = Signal()  # somebody goes on: what was said of the last act is over
    status_changed = Signal(str)  # what just happened, for the status line
    refused = Signal(str)  # why nothing happened: something has to come first
    warning = Signal(str)  # a sentence that must not be missed
    color_requested = Signal()  # Enter over a plane without a coloring
    copy_offered = Signal(str)  # why the target cannot take it, but a copy could
    object_changed = Signal(int)
    clicks_changed = Signal(object)  # Prompts of the current object
    help_requested = Signal()  # all keys, please
    clicked_beyond = Signal(tuple, int)  # (row, column) of a large plane, and a sign

    def __init__(
        self,
        viewer: ViewerModel,
        session: Session,
        source: Source,
        overlays: Overlays,
        background: Runner,
        finder: Runner,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._viewer, self._session, self._source = viewer, session, source
        self._overlays = overlays
        self.clicks = Clicks(viewer)
        self.objects = Objects(viewer, background)
        self.numbers = ObjectNumbers(self.clicks, self.objects)
        self.redo_stack = RedoStack()
        self.review = ProposalReview(
            session,
            source,
            self.objects,
            self.numbers,
            overlays,
            self.redo_stack,
            finder,
            self,
        )
        self.tools = ObjectTools(
            source,
            self.objects,
            self.numbers,
            self.clicks,
            self.redo_stack,
            overlays,
            self,
        )
        self.drawn_clicks = DrawnClicks(session, source, self.clicks, background, self)
        self.classes = ClassGiver(
            source, self.objects, self.numbers, self.redo_stack, self
        )
        self.labels_keys = LabelsKeys(
            viewer, self.tools.press, self.help_requested.emit, self.classes.press
        )
        self.hover_preview = HoverPreview(
            viewer,
            session,
            source,
            self.clicks,
            overlays,
            background,
            self.review,
            self,
        )
        self.stack = StackWork(
            viewer,
            session,
            source,
            self.objects,
            self.numbers,
            self.review,
            self.redo_stack,
            background,
            self,
        )
        self.history = History(
            source,
            self.clicks,
            self.objects,
            self.numbers,
            self.review,
            self.classes,
            self.redo_stack,
            self,
            self,
        )
        self.prompts = Prompts()  # of the current object on the view, as last read
        self.at_once = False
        self._singles: list[tuple[View, int]] = []  # objects of one click each
        self._clicked = False  # since the clicks were last read
        self._looked: tuple[float, ...] | None = None  # where we moved the canvas
        self._soon = debounce(self, self.read_clicks)
        self.clicks.clicked.connect(self._was_clicked)
        self.clicks.changed.connect(self.read_soon)
        self.clicks.commit_requested.connect(self.commit)
        self.clicks.undo_requested.connect(self.history.undo)
        self.clicks.redo_requested.connect(self.history.redo)
        self.history.status_changed.connect(self.status_changed)
        self.clicks.clear_requested.connect(self.clear)
        self.clicks.insist_requested.connect(self.insist)
        self.objects.highest_found.connect(self._highest_found)
        self.hover_preview.warning.connect(self.warning)
        self.pressed = ClickListener(viewer, self._pressed_elsewhere)
        self.strokes = Strokes(
            viewer,
            session,
            source,
            self.objects,
            self.review,
            self.tools,
            self.hover_preview,
            self.click,
        )
        self._connect_review()
        self._connect_stack()
        self._connect_tools()

    def close(self) -> None:
        """Let go of clicks, objects and preview; everything made stays."""
        with suppress(RuntimeError):  # Qt deletes timers together with their window
            self._soon.stop()
        self.pressed.close()
        self.strokes.close()
        self.stack.close()
        self.labels_keys.release()
        self.review.close()
        self.hover_preview.close()
        self.objects.release()
        self.clicks.close()

    def _connect_review(self) -> None:
        review, clicks = self.review, self.clicks
        clicks.keep_all_requested.connect(review.keep_all)
        clicks.drop_requested.connect(self.drop_proposal)
        clicks.next_left_requested.connect(review.next_left)
        clicks.next_doubtful_requested.connect(review.next_doubtful)
        review.found.connect(self.hover_preview.again)  # Enter keeps what is lit
        review.kept.connect(self._proposals_kept)
        review.gone_to.connect(self._go_to)
        review.status_changed.connect(self.status_changed)
        review.refused.connect(self.refused)
        review.warning.connect(self.warning)
        review.copy_offered.connect(self.copy_offered)

    def _connect_stack(self) -> None:
        stack = self.stack
        self.clicks.carry_requested.connect(
            lambda step: stack.carry_at(self.hover_preview.at, step)
        )
        stack.written.connect(self._planes_written)
        stack.status_changed.connect(self.status_changed)
        stack.warning.connect(self.warning)
        stack.copy_offered.connect(self.copy_offered)

    def _connect_tools(self) -> None:
        tools, clicks = self.tools, self.clicks
        clicks.tool_requested.connect(tools.press)
        clicks.class_requested.connect(self.classes.press)
        self.classes.status_changed.connect(self.status_changed)
        clicks.help_requested.connect(self.help_requested.emit)
        self.objects.changed.connect(self._target_changed)
        tools.picked.connect(self.correct)
        tools.prompt_drawn.connect(self.drawn_clicks.draw)
        self.drawn_clicks.clicked.connect(self._drawn)
        self.drawn_clicks.status_changed.connect(self.status_changed)
        self.drawn_clicks.refused.connect(self.refused)
        tools.edited.connect(self._edited)
        tools.taken_up.connect(self._tool_taken_up)
        tools.status_changed.connect(self.status_changed)
        tools.warning.connect(self.warning)
        tools.copy_offered.connect(self.copy_offered)

    # ---- verbs

    def start_clicking(self) -> None:
        """Select the prompt layer of the image, ready for clicks."""
        view = self._source.view
        if view is None:
            self.warning.emit(self._source.problem)
            return
        self.clicks.ensure(view)
        self._highest_found()
        self.read_clicks()
        self.clicks.activate()

    @property
    def number(self) -> int:
        """Number of the object being clicked."""
        return self.clicks.number

    def set_object(self, number: int) -> None:
        """Go to an object: a new one, or an earlier one with its clicks.

        The next commit replaces what the object was in the layer chosen now.
        """
        self.numbers.go_back(number)
        self.clicks.note_taken_up(self.objects.log.tick())
        self.show_object()

    def correct(self, number: int) -> None:
        """Go back to a kept object, ready for clicks."""
        self.tools.let_go()
        layer = self.objects.layer
        if layer is not None:
            layer.selected_label = number
        self.set_object(number)
        self.start_clicking()
        clicks = len(self.prompts)
        known = f" and its {clicks} clicks" if clicks > 1 else ""
        self.status_changed.emit(
            f"Object {number}{known} again: click what is missing, Shift-click what is "
            "too much, Enter keeps it."
        )

    def next_object(self) -> None:
        """Go on to a new object."""
        self.numbers.go_on()
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
        self.read_clicks()
        at = self.hover_preview.at
        clicked = self.prompts.positive and len(self.prompts)
        pointed = at is not None and not clicked
        if pointed and self.review.keep_at(at):
            return
        if pointed and self._background_at(view, at):
            self.status_changed.emit(
                "Nothing to commit: the pointer was over background."
            )
            return
        if pointed:
            self.clicks.add(view, at)  # what lies under the pointer
            self._clicked = False  # nobody clicked: nothing more is to follow
            self.read_clicks()
        mask = self._mask()
        if mask is None:
            if pointed:
                self.take_click(view)
            self.status_changed.emit(
                "Nothing to commit: move over an object, or click it."
            )
            return
        prompts = self.prompts
        try:
            self.numbers.settle()
            written = self.objects.commit(view, mask, self.number, len(prompts))
        except Gen2SegError as error:
            if pointed or self.at_once:
                self.take_click(view)
            self.object_changed.emit(self.number)
            copied = isinstance(error, CommitError) and error.copy
            (self.copy_offered if copied else self.warning).emit(str(error))
            return
        self.redo_stack.clear()
        if self.at_once:
            self._singles.append((view, self.number))
        text = f"Object {self.number}: {written.pixels:,} pixels"
        if written.spared:
            text += f" ({written.spared:,} left to other objects)"
        if written.outside:
            text += f"; {written.outside:,} outside {self.objects.name!r} are lost"
        coloring = self._session.coloring(view)
        if coloring is not None and coloring.on_background(prompts.kept).any():
            text += "; a click lies on what the model takes for background"
        self.status_changed.emit(text)
        self.hover_preview.forget_pointer()  # or Enter again would begin another object
        self.next_object()

    def insist(self) -> None:
        """Let the last click have all that it asked for, however large."""
        view = self._source.view
        if view is None or not self.clicks.insist(view):
            self.status_changed.emit("Nothing to insist on: the last click is not new.")
            return
        self.read_clicks()
        self.status_changed.emit("The last click has all it asked for.")

    def clear(self) -> None:
        """Remove the clicks of this object on this plane; or let go of a tool."""
        self.acted.emit()
        if self.tools.tool:
            self.tools.let_go()
            return
        view = self._source.view
        if view is not None:
            gone = self.clicks.clear(view)
            if gone is not None:
                self.redo_stack.push(TakenBack(self.number, gone))
            self.hover_preview.forget_pointer()  # or Enter would keep what lay under it
            self.read_clicks()

    # ---- the proposals

    def drop_proposal(self) -> None:
        """Drop the proposal under the pointer, or delete the kept object there."""
        if self.review.at(self.hover_preview.at) is None:
            self.tools.press("delete")
            return
        self.review.drop_at(self.hover_preview.at)
        self.hover_preview.again()  # the next best one of the place, if there is one

    def _proposals_kept(self) -> None:
        self.hover_preview.forget_pointer()  # or Enter again would begin another object
        if not len(self.prompts):
            self.next_object()

    def _planes_written(self) -> None:
        if not len(self.prompts):
            self.next_object()  # above the numbers that were given

    def _go_to(self, point: tuple[float, float], diameter: float) -> None:
        view = self._source.view
        if view is not None:
            center_on(self._viewer, view, point, diameter)
            self._looked = look_of(self._viewer)
            self.hover_preview.point_at(point)

    def look_away(self) -> None:
        """Show all of a picture again, if the canvas still is where we moved it."""
        moved, self._looked = self._looked, None
        if moved is not None and moved == look_of(self._viewer):
            self._viewer.reset_view()

    # ---- the tools for kept objects

    def _edited(self, edit: Edit) -> None:
        """Show what is left after a tool changed kept objects."""
        if self.number in edit.gone:
            self.next_object()
        self.read_clicks()
        self.hover_preview.again()

    def _tool_taken_up(self, name: str) -> None:
        self.labels_keys.on_escape(self.clear if name else None)
        self.hover_preview.again()

    def _target_changed(self) -> None:
        self.labels_keys.follow(self.objects.layer)
        self._overlays.objects = self.objects.layer_id

    # ---- the clicks

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
        gone = self.clicks.take_last(view)
        self.read_clicks()
        return gone

    def _pressed_elsewhere(self, position: tuple[float, ...], sign: int) -> None:
        """Take a click on what is lit while the image's own layer is selected."""
        view = self._source.view
        active = self._viewer.layers.selection.active
        lit = self.hover_preview.at is not None and self.hover_preview.on
        if view is None or active is None or not lit:
            return
        if self.tools.tool:
            return
        drawn = role_of(active) in DRAWN
        if not (drawn or self._source.is_chosen(active)):
            return
        if getattr(active, "mode", "pan_zoom") != "pan_zoom":
            return
        point = view.to_plane(position)
        if point is not None:
            self.click(view, point, sign)

    def click(self, view: View, point: tuple[float, float], sign: int) -> None:
        """Click a place of a colored plane."""
        if self._session.coloring(view) is not None:
            self.start_clicking()
            self.clicks.add(view, point, sign * self.clicks.sign)

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
        self.click(view, point, sign * self.clicks.sign)

    def _drawn(self) -> None:
        """Go on as after a click."""
        self._was_clicked()
        self.clicks.activate()
        self.read_clicks()

    def _was_clicked(self) -> None:
        self.acted.emit()
        self._clicked = True
        self.clicks.note(self.objects.log.tick())
        self.redo_stack.clear()

    def _highest_found(self) -> None:
        """Give a new object a free number once the layer has been counted."""
        if self.numbers.taken and not len(self.prompts):
            self.next_object()

    def resume(self, view: View) -> None:
        """Go on where an image was left: with its unfinished object, or a new one."""
        target = self.objects.layer
        if target is None or (
            role_of(target) == OBJECTS and source_of(target) != view.layer_id
        ):
            self.objects.choose(kept_objects(self._viewer, self.objects, view))
        number = unfinished_object(self._viewer, self.clicks.layer)
        if number is None:
            self.next_object()
        else:
            self.numbers.take_up(number)
            self.show_object()

    def copy_target(self) -> None:
        """Write into an editable copy of the Labels layer from now on."""
        view = self._source.view
        if view is None:
            return
        self.objects.copy(view)
        self.numbers.fit()
        self.show_object()

    def labels_opened(self, layer: Labels) -> None:
        """Take a Labels layer that was just opened on the image's own pixels."""
        view = self._source.view
        if view is None or self.objects.layer is not None or role_of(layer):
            return
        if on_same_grid(layer, view):
            self.objects.choose(layer)

    def show_object(self) -> None:
        """Show which object it is now, and its clicks."""
        self.object_changed.emit(self.number)
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
            beyond = self.clicks.drop_outside(view) if clicked else None
            if beyond is not None and self._beyond_window(view, *beyond):
                return
            if beyond is not None:
                self.warning.emit(
                    f"That click is outside {layer.name!r} and was left out. Click on "
                    "the picture."
                )
            self.prompts = self._started(view, self.clicks.read(view), clicked)
        self.clicks.show_current()
        self.clicks_changed.emit(self.prompts)
        self.hover_preview.show_prompts(self.prompts)
        if clicked and not self.prompts.positive and len(self.prompts):
            self.status_changed.emit(
                "Nothing to leave out of yet: click the object first, then what is "
                "too much."
            )
        if clicked and np.isfinite(refused := self.hover_preview.refused):
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
        if not self.numbers.back or coloring is None:
            return prompts
        before = len(prompts) - clicked  # the newest is no sign that it was clicked
        found = self.objects.hand_edited(view, self.number, before)
        if found is None:
            return prompts
        if found.settled:
            self.clicks.settle(view, self.number, found.settled)
            prompts = self.clicks.read(view)
        shape, source = coloring.shape, coloring.source_shape
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
