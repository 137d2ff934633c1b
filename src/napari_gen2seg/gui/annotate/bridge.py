"""Between napari's layers and the session: reads the one, asks the other, draws."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject, Signal

from napari_gen2seg.errors import Gen2SegError
from napari_gen2seg.gui.annotate.controller import Clicking
from napari_gen2seg.gui.annotate.object_numbers import kept_objects, unfinished_object
from napari_gen2seg.gui.annotate.points_layer import fits
from napari_gen2seg.gui.layers.model_input import Seen
from napari_gen2seg.gui.layers.overlays import OBJECTS, role_of, source_of
from napari_gen2seg.gui.qt_threads import once

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Image

    from napari_gen2seg.gui.layers.displayed_plane import Plane
    from napari_gen2seg.session import Runner, Session


class Bridge(Clicking):
    """Knows both sides; the panels only call its verbs and show its signals.

    Parameters
    ----------
    viewer, session, background, parent
        See `Clicking`; ``background`` makes the thumbnail too.
    """

    view_changed = Signal()  # picture, plane or their problem

    def __init__(
        self,
        viewer: ViewerModel,
        session: Session,
        background: Runner,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(viewer, session, background, parent)
        self.seen = Seen(self.source, background, self)
        self._worked_on: str | None = None  # `unique_id` of the picture
        self._ready_soon = once(self, self._ready)
        self._connect()

    # ---- verbs

    def choose_source(self, layer: Image | None) -> None:
        """Work on another picture."""
        self.clicks.release()
        self.hover_preview.blank()
        self.source.choose(layer)

    def color(self) -> None:
        """Colour the plane in view."""
        try:
            self.session.color(self.source.request())
        except Gen2SegError as error:
            self.warned.emit(str(error))

    def close(self) -> None:
        """Let go of viewer and layers; everything that was made stays."""
        with suppress(RuntimeError):  # Qt deletes timers together with their window
            self._ready_soon.stop()
        self.seen.close()
        self.viewer.layers.events.removed.disconnect(self._removed)
        super().close()

    # ---- what happens

    def _connect(self) -> None:
        self.source.plane_changed.connect(self._plane_changed)
        self.source.moved.connect(self._source_moved)
        self.source.edited.connect(self._source_edited)
        self.session.coloring_changed.connect(self._colored)
        self.session.settings_changed.connect(lambda _: self.hover_preview.again())
        self.viewer.layers.events.removed.connect(self._removed)

    def _plane_changed(self) -> None:
        self.hover_preview.at = None
        source, plane = self.source.layer, self.source.plane
        self.hover_preview.blank()
        if source is not None and plane is not None:
            self._take_over(plane)
            coloring = self.session.coloring(plane)
            clicked = any(fits(one, plane) for one in self.viewer.layers)
            if clicked or coloring or self.clicks.layer is not None:
                self.clicks.ensure(source, plane)
            self._go_on(plane)
            if coloring is not None:
                self.drawn.show_coloring(source, plane, coloring, make=False)
        self._read_clicks()
        self.view_changed.emit()

    def _take_over(self, plane: Plane) -> None:
        """Go on with a coloring that is on screen from an earlier dock."""
        if self.session.coloring(plane) is None:
            found = self.drawn.found(plane)
            if found is not None:
                self.session.keep(self.source.request(), found)

    def _go_on(self, plane: Plane) -> None:
        """Go on with a picture where it was left, unless it is the one worked on."""
        if plane.layer_id == self._worked_on:
            return
        self._worked_on = plane.layer_id
        target = self.objects.layer
        if target is None or (
            role_of(target) == OBJECTS and source_of(target) != plane.layer_id
        ):
            self.objects.choose(kept_objects(self.viewer, self.objects, plane))
        number = unfinished_object(self.viewer, self.clicks.layer)
        if number is None:
            self.next_object()
        else:
            self.numbers.take_up(number)
            self._show_object()

    def _colored(self, plane: Plane) -> None:
        source = self.source.layer
        coloring = self.session.coloring(plane)
        if source is None or coloring is None or plane != self.source.plane:
            return  # kept, and shown when its plane comes into view again
        self.drawn.show_coloring(source, plane, coloring)
        self._read_clicks()
        self._ready_soon.start()

    def _ready(self) -> None:
        """Make the layers for clicks and preview, which napari takes its time for."""
        source, plane = self.source.layer, self.source.plane
        coloring = None if plane is None else self.session.coloring(plane)
        if source is None or plane is None or coloring is None:
            return
        if self.clicks.layer is None:
            self.clicks.ensure(source, plane)
            self._ready_soon.start()
            return
        self.start_clicking()
        self.drawn.prepare(source, plane, coloring.shape)

    def _removed(self, event: Any) -> None:
        layer = event.value
        self.session.forget(str(layer.unique_id))
        if self.source.is_chosen(layer):
            self.hover_preview.blank()
            self.source.choose(None)
        self._read_soon()

    def _source_moved(self) -> None:
        source, plane = self.source.layer, self.source.plane
        if source is not None and plane is not None:
            self.drawn.follow(source, plane, self.session.coloring(plane))
            self.clicks.follow(source, plane)

    def _source_edited(self, source_id: str) -> None:
        self.session.forget(source_id)
        self.drawn.outdate(source_id)
        if source_id == self.source.layer_id:
            self.hover_preview.blank()
