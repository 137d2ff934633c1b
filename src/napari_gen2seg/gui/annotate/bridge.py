"""Bridge between napari's layers and the session: reads the one, asks the other."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject, Signal

from napari_gen2seg.errors import Gen2SegError
from napari_gen2seg.gui.annotate.controller import AnnotationController
from napari_gen2seg.gui.annotate.image_keys import ImageKeys
from napari_gen2seg.gui.annotate.points_layer import fits
from napari_gen2seg.gui.layers.camera import camera_of
from napari_gen2seg.gui.layers.model_input import ModelInput
from napari_gen2seg.gui.layers.overlays import Overlays
from napari_gen2seg.gui.layers.source import Source
from napari_gen2seg.gui.qt_threads import debounce

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.components import ViewerModel
    from napari.layers import Image

    from napari_gen2seg.gui.annotate.points_layer import Point
    from napari_gen2seg.gui.layers.view import View
    from napari_gen2seg.session import JobState, Runner, Session

_REST = 60  # milliseconds without another step of the zoom


class Bridge(QObject):
    """Knows both sides; the panels only call its verbs and show its signals.

    It owns the view that is worked on (`source`), what is drawn over it (`overlays`),
    the thumbnail (`model_input`), and who turns clicks into objects (`controller`).

    Parameters
    ----------
    viewer
        napari's.
    session
        Ours.
    background
        Worker thread for read-only jobs: counts, the thumbnail, large outlines.
    parent
        Deleted with it.
    finder
        Worker thread that finds proposals; by default ``background``.
    """

    view_changed = Signal()  # picture, plane or their problem
    warning = Signal(str)  # a sentence that must not be missed

    def __init__(
        self,
        viewer: ViewerModel,
        session: Session,
        background: Runner,
        parent: QObject | None = None,
        finder: Runner | None = None,
    ) -> None:
        super().__init__(parent)
        self.viewer = viewer
        self.session = session
        self.source = Source(viewer)
        self.overlays = Overlays(viewer)
        self.controller = AnnotationController(
            viewer,
            session,
            self.source,
            self.overlays,
            background,
            finder or background,
            self,
        )
        self.model_input = ModelInput(self.source, background, self)
        self._worked_on: str | None = None  # `unique_id` of the picture
        self._told_of: View | None = None  # that it is being colored
        self._told_waiting = False  # that a click keeps its window in use
        self._click_later: tuple[View, Point, int] | None = None  # once it is colored
        self._ready_soon = debounce(self, self._ready)
        self._frames_soon = debounce(self, self._show_frames)
        self._zoom_rests = debounce(self, self._zoomed, _REST)
        self._keys = ImageKeys(viewer, self.source, self._keys_of_image())
        self._connect()

    # ---- verbs

    def choose_source(self, layer: Image | None) -> None:
        """Work on another image."""
        self.controller.clicks.release()
        self.controller.hover_preview.blank()
        self.controller.stack.forget()
        self.source.choose(layer)

    def color(self) -> None:
        """Color the plane in view; of a large one the window that is in view."""
        self.source.look_here()
        self._color()

    def _color(self) -> None:
        view = self.source.view
        if view is not None and view.window is not None:
            self._told_of = view
            self.controller.status_changed.emit(_said_of(view, "Coloring"))
        try:
            self.session.color(self.source.request())
        except Gen2SegError as error:
            self.warning.emit(str(error))

    def _color_by_key(self) -> None:
        """Color the plane in view if it is not colored, nor about to be."""
        view = self.source.view
        if view is None or self.session.job.running:
            return
        if self.session.coloring(view) is None:
            self.color()

    def _keys_of_image(self) -> dict[str, Callable[[], None]]:
        """Return what keys do while the image's own layer is selected.

        What is kept needs no map: it is taken back and done again at once.
        """
        controller, keys = self.controller, self.controller.clicks.keys
        on_the_map = {
            "Shift-Enter": keys.keep_all_requested,
            "D": keys.drop_requested,
            "N": keys.next_left_requested,
            "Shift-N": keys.next_doubtful_requested,
        }
        return {
            "Enter": self._color_by_key,
            "Control-Z": controller.history.undo,
            "Control-Shift-Z": controller.history.redo,
            **{key: partial(self._on_the_map, act) for key, act in on_the_map.items()},
        }

    def _on_the_map(self, act: Any) -> None:
        """Ask for what needs a map; without one say what is waited for."""
        view = self.source.view
        if view is not None and self.session.coloring(view) is not None:
            act.emit()
            return
        coming = self.session.job.running
        self.controller.refused.emit(
            "This needs the map of the picture, which "
            + ("is being made." if coming else "is not there yet: Enter makes it.")
        )

    def close(self) -> None:
        """Let go of viewer and layers; everything that was made stays."""
        with suppress(RuntimeError):  # Qt deletes timers together with their window
            for timer in (self._ready_soon, self._frames_soon, self._zoom_rests):
                timer.stop()
        camera_of(self.viewer).events.zoom.disconnect(self._zooming)
        self.model_input.close()
        self._keys.release()
        if self._moved in self.viewer.mouse_move_callbacks:
            self.viewer.mouse_move_callbacks.remove(self._moved)
        self.viewer.layers.events.removed.disconnect(self._removed)
        self.controller.close()
        self.source.close()

    # ---- what happens

    def _connect(self) -> None:
        self.source.plane_changed.connect(self._plane_changed)
        self.source.moved.connect(self._source_moved)
        self.source.edited.connect(self._source_edited)
        self.session.coloring_changed.connect(self._colored)
        self.session.job_changed.connect(self._job_changed)
        self.session.probing.settings_changed.connect(
            lambda _: self.controller.hover_preview.again()
        )
        self.session.probing.method_changed.connect(self.controller.hover_preview.again)
        self.controller.warning.connect(self.warning)
        self.controller.current.clicked_beyond.connect(self._click_beyond)
        self.controller.current.color_requested.connect(self.color)
        self.viewer.mouse_move_callbacks.append(self._moved)
        camera_of(self.viewer).events.zoom.connect(self._zooming)
        self.viewer.layers.events.removed.connect(self._removed)

    def _click_beyond(self, place: Point, sign: int) -> None:
        """Click a place of a large plane that lies outside of the window in use."""
        if len(self.controller.current.prompts):
            self.controller.current.next_object()  # clicks of this one stay there
        self.source.look_around(place)
        view = self.source.view
        if view is None:
            return
        point = place[0] - view.corner[0], place[1] - view.corner[1]
        if self.session.coloring(view) is not None:
            self.controller.current.click_unseen(view, point, sign)
            return
        self._click_later = view, point, sign
        self._color()

    def _window_under(self, event: Any) -> None:
        """Use the window under the pointer, if it is colored."""
        view = self.source.view
        if view is None or view.window is None:
            return
        if view.to_plane(event.position) is not None:
            self._told_waiting = False
            return
        for window in self.source.windows[::-1]:
            there = view.through(window)
            inside = there.to_plane(event.position) is not None
            if not inside or self.session.coloring(there) is None:
                continue
            if not len(self.controller.current.prompts):
                self.source.use_window(window)
            elif not self._told_waiting:
                # Clicks of one object are clicks on one map.
                self._told_waiting = True
                self.controller.status_changed.emit(
                    "An object is being clicked in another part of the picture: Enter "
                    "keeps it, Esc removes its clicks; then this part can be used."
                )
            return

    def _moved(self, _viewer: object, event: Any) -> None:
        """Make layers again that somebody deleted: for clicks, and of the proposals."""
        self._window_under(event)
        view, active = self.source.view, self.viewer.layers.selection.active
        self.controller.review.again()
        if view is None or self.controller.clicks.layer is not None:
            return
        if getattr(active, "mode", "pan_zoom") in ("pan_zoom", "transform") and (
            self.session.coloring(view) is not None
        ):
            self.controller.current.start_clicking()

    def _plane_changed(self) -> None:
        controller, view = self.controller, self.source.view
        controller.hover_preview.at = None
        controller.hover_preview.blank()
        self._keys.follow()
        if view is not None:
            self.overlays.put_others_aside(view)
            self._take_over(view)
            coloring = self.session.coloring(view)
            clicked = any(fits(one, view) for one in self.viewer.layers)
            if clicked or coloring or controller.clicks.layer is not None:
                controller.clicks.ensure(view)
            if view.layer_id != self._worked_on:
                self._worked_on = view.layer_id
                controller.current.resume(view)
            if coloring is not None:
                self.overlays.show_coloring(view, coloring, make=False)
        controller.review.follow()
        controller.current.read_clicks()
        controller.stack.follow()
        self._frames_soon.start()
        self.view_changed.emit()

    def _take_over(self, view: View) -> None:
        """Go on with a coloring that is on screen from an earlier dock."""
        if self.session.coloring(view) is None:
            found = self.overlays.found(view)
            if found is not None:
                self.session.keep(self.source.request(), found)

    def _job_changed(self, job: JobState) -> None:
        """Say no longer that a window is being colored that is not."""
        if not job.running and job.text == "Cancelled" and self._told_of is not None:
            self._told_of = None
            self.controller.status_changed.emit("")

    def _colored(self, view: View) -> None:
        coloring = self.session.coloring(view)
        told, self._told_of = self._told_of, None
        now = self.source.view
        if coloring is not None:
            self.overlays.frames.note(view)
            self._frames_soon.start()
        if now is None or coloring is None or view != now:
            return  # kept, and shown when its plane comes into view again
        self.overlays.show_coloring(now, coloring)
        if told == now:
            self.controller.status_changed.emit(_said_of(now, "Colored"))
        self.controller.current.read_clicks()
        self._ready_soon.start()

    def _ready(self) -> None:
        """Make the layers for clicks and preview, which napari takes its time for."""
        view = self.source.view
        coloring = None if view is None else self.session.coloring(view)
        if view is None or coloring is None:
            return
        if self.controller.clicks.layer is None:
            self.controller.clicks.ensure(view)
            self._ready_soon.start()
            return
        self.controller.current.start_clicking()
        self.overlays.prepare(view, coloring.shape)
        self.controller.review.follow()
        self.controller.hover_preview.again()  # the pointer may have come meanwhile
        later, self._click_later = self._click_later, None
        if later is not None and later[0] == view:
            self.controller.current.click_unseen(view, later[1], later[2])

    def _removed(self, event: Any) -> None:
        layer = event.value
        self.session.forget(str(layer.unique_id))
        self.overlays.frames.forget(str(layer.unique_id))
        self._frames_soon.start()
        self.controller.review.planes.forget(str(layer.unique_id))
        if self.source.is_chosen(layer):
            self.controller.hover_preview.blank()
            self.controller.stack.forget()
            self.source.choose(None)
        self.controller.review.look_soon()
        self.controller.current.read_soon()

    def _source_moved(self) -> None:
        view = self.source.view
        if view is not None:
            self.overlays.follow(view, self.session.coloring(view))
            self.controller.clicks.follow(view)
            self._frames_soon.start()

    def _source_edited(self, source_id: str) -> None:
        self.session.forget(source_id)
        self.overlays.frames.forget(source_id)
        self._frames_soon.start()
        self.controller.review.planes.forget(source_id)
        self.overlays.outdate(source_id)
        if source_id == self.source.layer_id:
            self.controller.stack.forget()
            self.controller.hover_preview.blank()
            self.controller.review.follow()

    # ---- the frames around windows

    def _show_frames(self) -> None:
        """Frame the windows of the plane in view that were colored."""
        view = self.source.view
        in_use = view is not None and self.session.coloring(view) is not None
        self.overlays.frames.show(view, in_use)

    def _zooming(self, _event: object = None) -> None:
        if self.overlays.frames.layer is not None:
            self._zoom_rests.start()

    def _zoomed(self) -> None:
        view = self.source.view
        if view is not None:
            self.overlays.frames.fit(view)


def _said_of(view: View, done: str) -> str:
    """Say what of a large plane is colored, and how to color the rest."""
    (height, width), (rows, cols) = view.shape, view.plane_shape
    return (
        f"{done} what is in view: {width:,} x {height:,} of {cols:,} x {rows:,} "
        "pixels. Click or press Color elsewhere for more; Plugins > gen2seg > Batch "
        "does all."
    )
