"""Clicks in the prompt layer become objects in the Labels layer, and back."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from qtpy.QtCore import QObject, Signal

from napari_gen2seg.errors import Gen2SegError, PromptError
from napari_gen2seg.gui.annotate.hover import HoverPreview
from napari_gen2seg.gui.annotate.labels_layer import Objects
from napari_gen2seg.gui.annotate.object_numbers import Numbers
from napari_gen2seg.gui.annotate.pointer import Pressed
from napari_gen2seg.gui.annotate.points_layer import Clicks
from napari_gen2seg.gui.layers.displayed_plane import to_plane
from napari_gen2seg.gui.layers.overlays import COLORING, PREVIEW, Drawn, role_of
from napari_gen2seg.gui.layers.source import Source
from napari_gen2seg.gui.qt_threads import once
from napari_gen2seg.session import Prompts

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Image

    from napari_gen2seg.core.probe.mask import Mask
    from napari_gen2seg.gui.layers.displayed_plane import Plane
    from napari_gen2seg.session import Runner, Session


class Clicking(QObject):
    """What a person does on one plane: click, commit, undo, go on to the next.

    Parameters
    ----------
    viewer
        napari's.
    session
        Ours.
    background
        Runs what only looks: the count, the outline of the very large.
    parent
        Deleted with it.
    """

    said = Signal(str)  # what just happened, for the status line
    warned = Signal(str)  # a sentence that must not be missed
    object_changed = Signal(int)
    clicks_changed = Signal(object)  # Prompts of the current object

    def __init__(
        self,
        viewer: ViewerModel,
        session: Session,
        background: Runner,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.viewer = viewer
        self.session = session
        self.source = Source(viewer)
        self.drawn = Drawn(viewer)
        self.clicks = Clicks(viewer)
        self.objects = Objects(viewer, background)
        self.numbers = Numbers(self.clicks, self.objects)
        self.hover_preview = HoverPreview(
            viewer, session, self.source, self.clicks, self.drawn, background, self
        )
        self.at_once = False
        self._singles: list[tuple[Plane, int]] = []  # objects of one click each
        self._clicked = False  # since the clicks were last read
        self._soon = once(self, self._read_clicks)
        self.clicks.clicked.connect(self._was_clicked)
        self.clicks.changed.connect(self._read_soon)
        self.clicks.commit_asked.connect(self.commit)
        self.clicks.undo_asked.connect(self.undo)
        self.clicks.clear_asked.connect(self.clear)
        self.objects.highest_found.connect(self._highest_found)
        self.hover_preview.warned.connect(self.warned)
        self.pressed = Pressed(viewer, self._pressed_elsewhere)

    def close(self) -> None:
        """Let go of clicks, objects and preview; everything made stays."""
        with suppress(RuntimeError):  # Qt deletes timers together with their window
            self._soon.stop()
        self.pressed.close()
        self.hover_preview.close()
        self.source.close()
        self.objects.release()
        self.clicks.close()

    # ---- verbs

    def start_clicking(self) -> None:
        """Select the prompt layer of the picture, ready for clicks."""
        source, plane = self.source.layer, self.source.plane
        if source is None or plane is None:
            self.warned.emit(self.source.problem)
            return
        self.clicks.ensure(source, plane)
        self._highest_found()
        self._read_clicks()
        self.clicks.activate()

    @property
    def prompts(self) -> Prompts:
        """Clicks of the current object on the plane in view, as last read."""
        return self.hover_preview.prompts

    @property
    def number(self) -> int:
        """Number of the object being clicked."""
        return self.clicks.number

    def set_object(self, number: int) -> None:
        """Go to an object: a new one, or an earlier one with its clicks.

        The next commit replaces what the object was in the layer chosen now.
        """
        self.numbers.go_back(number)
        self._show_object()

    def next_object(self) -> None:
        """Go on to a new object."""
        self.numbers.go_on()
        self._show_object()

    def commit(self) -> None:
        """Write the mask into the Labels layer, and go on to a new object."""
        source, plane = self.source.layer, self.source.plane
        if source is None or plane is None:
            self.warned.emit(self.source.problem)
            return
        self._read_clicks()
        at = self.hover_preview.at
        pointed = not self.prompts.positive and at is not None
        if pointed:
            self.clicks.add(source, plane, at)  # what lies under the pointer
            self._clicked = False  # nobody clicked: nothing more is to follow
            self._read_clicks()
        mask = self._mask()
        if mask is None:
            if pointed:
                self._take_click(source, plane)
            self.said.emit("Nothing to commit: move over an object, or click it.")
            return
        prompts = self.prompts
        try:
            self.numbers.settle()
            written = self.objects.commit(source, plane, mask, self.number)
        except Gen2SegError as error:
            if pointed or self.at_once:
                self._take_click(source, plane)
            self.object_changed.emit(self.number)
            self.warned.emit(str(error))
            return
        if self.at_once:
            self._singles.append((plane, self.number))
        text = f"Object {self.number}: {written.pixels:,} pixels"
        if written.spared:
            text += f" ({written.spared:,} left to other objects)"
        if written.outside:
            text += f"; {written.outside:,} outside {self.objects.name!r} are lost"
        coloring = self.session.coloring(plane)
        kept = [
            p for p, sign in zip(prompts.points, prompts.signs, strict=True) if sign > 0
        ]
        if coloring is not None and coloring.on_background(kept).any():
            text += "; a click lies on what the model takes for background"
        self.said.emit(text)
        self.hover_preview.forget_pointer()  # or Enter again would begin another object
        self.next_object()

    def undo(self) -> None:
        """Take back the last thing: a click of this object, else the last commit."""
        source, plane = self.source.layer, self.source.plane
        if source is not None and plane is not None and len(self.prompts):
            self._take_click(source, plane)
            self.said.emit("Took back the last click.")
            return
        self.undo_commit()

    def undo_commit(self) -> None:
        """Take back the last commit through the Labels layer's own undo."""
        undone = self.objects.undo()
        if undone is None:
            self.said.emit("Nothing to take back.")
        elif undone[1] is None:
            self.said.emit(f"Took back the last edit by hand in {undone[0]!r}.")
        else:
            self.numbers.go_back(undone[1], undone[0])
            self._show_object()
            self._take_single()
            here = "; its clicks are here again" if len(self.prompts) else ""
            self.said.emit(f"Took back object {undone[1]}{here}.")

    def clear(self) -> None:
        """Remove the clicks of this object on this plane."""
        source, plane = self.source.layer, self.source.plane
        if source is not None and plane is not None:
            self.clicks.clear(source, plane)
            self.hover_preview.forget_pointer()  # or Enter would keep what lay under it
            self._read_clicks()

    # ---- the clicks

    def _take_single(self) -> None:
        """Take back the click that was a commit, or it would be part of the next."""
        source, plane = self.source.layer, self.source.plane
        if source is None or plane is None or not self.at_once:
            return
        if (plane, self.number) in self._singles:
            self._singles.remove((plane, self.number))
            self._take_click(source, plane)

    def _take_click(self, source: Image, plane: Plane) -> None:
        self.clicks.take_last(source, plane)
        self._read_clicks()

    def _pressed_elsewhere(self, position: tuple[float, ...], sign: int) -> None:
        """Take a click on what is lit while the picture's own layer is selected."""
        source, plane = self.source.layer, self.source.plane
        active = self.viewer.layers.selection.active
        lit = self.hover_preview.at is not None and self.hover_preview.on
        if source is None or plane is None or active is None or not lit:
            return
        drawn = role_of(active) in (COLORING, PREVIEW)
        if not (drawn or self.source.is_chosen(active)):
            return
        if getattr(active, "mode", "pan_zoom") != "pan_zoom":
            return
        point = to_plane(source, plane, position)
        if point is not None and self.session.coloring(plane) is not None:
            self.start_clicking()
            self.clicks.add(source, plane, point, sign * self.clicks.sign)

    def _was_clicked(self) -> None:
        self._clicked = True

    def _highest_found(self) -> None:
        """Give a new object a free number once the layer has been counted."""
        if self.numbers.taken and not len(self.prompts):
            self.next_object()

    def _show_object(self) -> None:
        self.object_changed.emit(self.number)
        self._read_clicks()

    def _read_soon(self) -> None:
        """Read the prompt layer again when everything else has happened."""
        self._soon.start()

    def _read_clicks(self) -> None:
        """Read the prompt layer again, and show what it says."""
        self._soon.stop()
        source, plane = self.source.layer, self.source.plane
        clicked, self._clicked = self._clicked, False
        if source is None or plane is None:
            self.hover_preview.prompts = Prompts()
        else:
            if clicked and self.clicks.drop_outside(source, plane):
                self.warned.emit(
                    f"That click is outside {source.name!r} and was left out. Click on "
                    "the picture."
                )
            self.hover_preview.prompts = self.clicks.read(source, plane)
        self.clicks.show_current()
        self.clicks_changed.emit(self.prompts)
        self.hover_preview.show()
        if clicked and not self.prompts.positive and len(self.prompts):
            self.said.emit(
                "Nothing to leave out of yet: click the object first, then what is "
                "too much."
            )
        if self.at_once and clicked and self.prompts.positive:
            self.commit()

    def _mask(self) -> Mask | None:
        plane = self.source.plane
        try:
            return None if plane is None else self.session.mask(plane, self.prompts)
        except PromptError as error:
            self.warned.emit(str(error))
        return None
