"""Annotation controller: everything that a person does on a plane, put together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QObject, Signal

from napari_gen2seg.gui.annotate.class_giver import ClassGiver
from napari_gen2seg.gui.annotate.current_object import CurrentObject
from napari_gen2seg.gui.annotate.drawn_clicks import DrawnClicks
from napari_gen2seg.gui.annotate.history import History
from napari_gen2seg.gui.annotate.hover import HoverPreview
from napari_gen2seg.gui.annotate.labels_layer import Objects
from napari_gen2seg.gui.annotate.object_numbers import (
    ObjectNumbers,
)
from napari_gen2seg.gui.annotate.object_tools import ObjectTools
from napari_gen2seg.gui.annotate.pointer import ClickListener
from napari_gen2seg.gui.annotate.points_layer import Clicks
from napari_gen2seg.gui.annotate.redo import RedoStack
from napari_gen2seg.gui.annotate.review import ProposalReview
from napari_gen2seg.gui.annotate.stack_work import StackWork
from napari_gen2seg.gui.annotate.strokes import Strokes
from napari_gen2seg.gui.annotate.tool_keys import LabelsKeys
from napari_gen2seg.gui.layers.camera import center_on, look_of
from napari_gen2seg.gui.layers.overlays import (
    DRAWN,
    Overlays,
    role_of,
)
from napari_gen2seg.gui.layers.source import Source

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from napari_gen2seg.gui.annotate.written import Edit
    from napari_gen2seg.session import Runner, Session


class AnnotationController(QObject):
    """Puts together what a person does on one plane: click, commit, undo, go on.

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
    copy_offered = Signal(str)  # why the target cannot take it, but a copy could
    help_requested = Signal()  # all keys, please

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
            self.objects,
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
        self.current = CurrentObject(
            viewer,
            session,
            source,
            self.clicks,
            self.objects,
            self.numbers,
            self.review,
            self.hover_preview,
            self.redo_stack,
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
            self.current,
            self,
        )
        self._looked: tuple[float, ...] | None = None  # where we moved the canvas
        self.clicks.keys.undo_requested.connect(self.history.undo)
        self.clicks.keys.redo_requested.connect(self.history.redo)
        self.history.status_changed.connect(self.status_changed)
        self.clicks.keys.clear_requested.connect(self.clear)
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
            self.current.click,
        )
        self._connect_current()
        self._connect_review()
        self._connect_stack()
        self._connect_tools()

    def close(self) -> None:
        """Let go of clicks, objects and preview; everything made stays."""
        self.current.close()
        self.pressed.close()
        self.strokes.close()
        self.stack.close()
        self.labels_keys.release()
        self.review.close()
        self.hover_preview.close()
        self.objects.release()
        self.clicks.close()

    def _connect_current(self) -> None:
        current = self.current
        current.acted.connect(self.acted)
        current.status_changed.connect(self.status_changed)
        current.warning.connect(self.warning)
        current.copy_offered.connect(self.copy_offered)

    def _connect_review(self) -> None:
        review, keys = self.review, self.clicks.keys
        keys.keep_all_requested.connect(review.keep_all)
        keys.drop_requested.connect(self.drop_proposal)
        keys.next_left_requested.connect(review.next_left)
        keys.next_doubtful_requested.connect(review.next_doubtful)
        review.found.connect(self.hover_preview.again)  # Enter keeps what is lit
        review.kept.connect(self._proposals_kept)
        review.gone_to.connect(self._go_to)
        review.status_changed.connect(self.status_changed)
        review.refused.connect(self.refused)
        review.warning.connect(self.warning)
        review.copy_offered.connect(self.copy_offered)

    def _connect_stack(self) -> None:
        stack = self.stack
        self.clicks.keys.carry_requested.connect(
            lambda step: stack.carry_at(self.hover_preview.at, step)
        )
        stack.written.connect(self._planes_written)
        stack.status_changed.connect(self.status_changed)
        stack.warning.connect(self.warning)
        stack.copy_offered.connect(self.copy_offered)

    def _connect_tools(self) -> None:
        tools, keys = self.tools, self.clicks.keys
        keys.tool_requested.connect(tools.press)
        keys.class_requested.connect(self.classes.press)
        self.classes.status_changed.connect(self.status_changed)
        keys.help_requested.connect(self.help_requested.emit)
        self.objects.changed.connect(self._target_changed)
        tools.picked.connect(self.correct)
        tools.prompt_drawn.connect(self.drawn_clicks.draw)
        self.drawn_clicks.clicked.connect(self.current.go_on_drawn)
        self.drawn_clicks.status_changed.connect(self.status_changed)
        self.drawn_clicks.refused.connect(self.refused)
        tools.edited.connect(self._edited)
        tools.taken_up.connect(self._tool_taken_up)
        tools.status_changed.connect(self.status_changed)
        tools.warning.connect(self.warning)
        tools.copy_offered.connect(self.copy_offered)

    # ---- verbs

    def correct(self, number: int) -> None:
        """Go back to a kept object, ready for clicks."""
        self.tools.let_go()
        layer = self.objects.layer
        if layer is not None:
            layer.selected_label = number
        self.current.set_object(number)
        self.current.start_clicking()
        clicks = len(self.current.prompts)
        known = f" and its {clicks} clicks" if clicks > 1 else ""
        self.status_changed.emit(
            f"Object {number}{known} again: click what is missing, Shift-click what is "
            "too much, Enter keeps it."
        )

    def clear(self) -> None:
        """Remove the clicks of this object on this plane; or let go of a tool."""
        self.acted.emit()
        if self.tools.tool:
            self.tools.let_go()
        else:
            self.current.clear()

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
        if not len(self.current.prompts):
            self.current.next_object()

    def _planes_written(self) -> None:
        if not len(self.current.prompts):
            self.current.next_object()  # above the numbers that were given

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
        if self.current.number in edit.gone:
            self.current.next_object()
        self.current.read_clicks()
        self.hover_preview.again()

    def _tool_taken_up(self, name: str) -> None:
        self.labels_keys.on_escape(self.clear if name else None)
        self.hover_preview.again()

    def _target_changed(self) -> None:
        self.labels_keys.follow(self.objects.layer)
        self._overlays.objects = self.objects.layer_id

    # ---- the clicks

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
            self.current.click(view, point, sign)
