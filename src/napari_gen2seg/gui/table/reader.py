"""Measures the objects of the plane in view, behind the window.

What changed is found by comparing the plane with what it was, so that it does not
matter who changed it: a tool, the brush, undo, or another program.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from qtpy.QtCore import QObject, Signal

from napari_gen2seg.core.objects.measure import Appearance
from napari_gen2seg.core.objects.table import ObjectTable
from napari_gen2seg.core.objects.through import Through, measure_through
from napari_gen2seg.errors import ImageError
from napari_gen2seg.gui.annotate.labels_target import on_same_grid
from napari_gen2seg.gui.annotate.tracks_layer import planes_along
from napari_gen2seg.gui.layers.looks import Drawings
from napari_gen2seg.gui.layers.overlays import DRAWN, find_layer, role_of, source_of
from napari_gen2seg.gui.layers.source import guess_options
from napari_gen2seg.gui.layers.view import View, array_of, axis_name, view_on_screen
from napari_gen2seg.gui.qt_threads import debounce
from napari_gen2seg.session.session import sentence

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.components import ViewerModel
    from napari.layers import Image, Labels

    from napari_gen2seg.common.types import LabelArray
    from napari_gen2seg.session import Runner, Ticket

_PAUSE = 120  # milliseconds after the last change
_TIMES = ("t", "time", "frame", "frames")


class _Stack(NamedTuple):
    """The planes in which objects of a layer are followed.

    Parameters
    ----------
    axis
        Along which; the last one that has planes, as in the dock.
    unit
        Volume of a pixel in units of the scale; None where the planes are moments.
    place
        What tells one from another.
    """

    axis: int
    unit: float | None
    place: tuple[int, ...]

    @classmethod
    def of(cls, layer: Labels, view: View) -> _Stack | None:
        """Return those of a layer; None where it is a single plane."""
        axes = [at for at in range(min(view.axes)) if view.sizes[at] > 1]
        if not axes:
            return None
        axis = axes[-1]
        unit = float(np.prod(np.abs(layer.scale[axis:])))
        moments = axis_name(layer, axis).lower() in _TIMES
        return cls(axis, None if moments else unit, (axis, *view.index[:axis]))


class FactsReader(QObject):
    """Keeps a table of the objects of a Labels layer, as far as they are in view.

    Parameters
    ----------
    viewer
        Which plane is in view.
    runner
        Measures.
    parent
        Deleted with it.
    """

    changed = Signal()

    def __init__(
        self, viewer: ViewerModel, runner: Runner, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._viewer, self._runner = viewer, runner
        self._id: str | None = None
        self._of: tuple[View, str | None] | None = None  # plane and image of the table
        self._plane: LabelArray | None = None  # as it was measured
        self._seen: Appearance | None = None
        # Of which planes, by whose size; forgotten when somebody edits.
        self._through: tuple[Any, Through] | None = None
        self._drawings = Drawings(viewer)
        self.table: ObjectTable | None = None
        self.problem = ""
        self.measuring = False  # what is in view, while no table is there
        self.view: View | None = None
        self._soon = debounce(self, self.look, _PAUSE)
        viewer.dims.events.point.connect(self._look_soon)
        viewer.dims.events.ndisplay.connect(self._look_soon)
        viewer.dims.events.order.connect(self._look_soon)

    @property
    def layer(self) -> Labels | None:
        """The Labels layer, if it is still there."""
        return find_layer(self._viewer, self._id)

    def follow(self, layer: Labels | None) -> None:
        """Read another layer."""
        chosen = None if layer is None else str(layer.unique_id)
        if chosen == self._id:
            return
        self._listen(False)
        self._id = chosen
        self._listen(True)
        self.table = self._plane = self._of = self._through = None
        self.look()

    def close(self) -> None:
        """Stop listening."""
        with suppress(RuntimeError):  # Qt deletes timers together with their window
            self._soon.stop()
        for name in ("point", "ndisplay", "order"):
            getattr(self._viewer.dims.events, name).disconnect(self._look_soon)
        self._listen(False)
        self._id = None

    def look(self) -> None:
        """Measure what changed since the last look."""
        layer = self.layer
        self.view = None
        if layer is None:
            self._show(None, "")
            return
        if layer.multiscale or not isinstance(layer.data, np.ndarray):
            self._show(None, f"{layer.name!r} is no plain array, and is not measured.")
            return
        try:
            view = view_on_screen(self._viewer, layer)
        except ImageError as error:
            self._show(None, str(error))
            return
        self.view = view
        image = self._image(layer, view)
        plane = np.array(view.read(layer.data))
        key = view, None if image is None else str(image.unique_id)
        read = None if image is None else self._reading(image)
        before = (self._plane, self.table) if key == self._of else (None, None)
        seen = self._seen if key == self._of else None
        stack = _Stack.of(layer, view)
        known = self._through
        through = None
        if stack is not None and known is not None and known[0] == stack.place:
            through = known[1]

        def work(
            ticket: Ticket,
        ) -> tuple[ObjectTable, Appearance | None, Through | None]:
            looks = seen
            if looks is None and read is not None:
                looks = Appearance.of(read())
                if looks.shape != plane.shape:
                    looks = None
            ticket.check()
            table = measured(plane, looks, *before)
            if stack is None:
                return table, looks, None
            found = through
            if found is None:
                planes = planes_along(layer, view, stack.axis)
                found = measure_through(planes, ticket.check)
            more = found.columns(table.numbers, stack.unit)
            return table.with_more(more | {"track": table.numbers}), looks, found

        def done(ticket: Ticket, value: Any, error: BaseException | None) -> None:
            if ticket.cancelled or self.layer is not layer:
                return
            if error is not None:
                self._show(None, sentence(error))
                return
            self._of, self._plane = key, plane
            table, self._seen, found = value
            if stack is not None:
                self._through = stack.place, found
            self._show(table, "")

        if self.table is None:
            self.problem, self.measuring = "", True
            self.changed.emit()
        self._runner.submit("facts", work, done)

    # ---- inside

    def _show(self, table: ObjectTable | None, problem: str) -> None:
        self.table, self.problem, self.measuring = table, problem, False
        if table is None:
            self._plane = self._of = None
        self.changed.emit()

    def _look_soon(self, _event: object = None) -> None:
        self._soon.start()

    def _edited(self, _event: object = None) -> None:
        self._through = None
        self._soon.start()

    def _drawn(self, _event: object = None) -> None:
        if self._drawings.may_be_edited(self.layer):
            self._edited()

    def _listen(self, on: bool) -> None:
        layer = self.layer
        if layer is None:
            return
        self._drawings.listen(on)
        for name, call in (
            ("paint", self._edited),
            ("data", self._edited),
            ("visible", self._edited),
            ("set_data", self._drawn),
        ):
            event = getattr(layer.events, name)
            with suppress(ValueError, TypeError):
                (event.connect if on else event.disconnect)(call)

    def _image(self, layer: Labels, view: View) -> Image | None:
        """Return the image that objects are measured on, if there is one."""
        from napari.layers import Image

        chosen = find_layer(self._viewer, source_of(layer))
        if isinstance(chosen, Image):
            return chosen
        for other in reversed(self._viewer.layers):
            if not isinstance(other, Image) or role_of(other) in DRAWN:
                continue
            with suppress(ImageError):
                seen = view_on_screen(self._viewer, other, guess_options(other))
                if seen.shape == view.shape and on_same_grid(layer, seen):
                    return other
        return None

    def _reading(self, image: Image) -> Callable[[], Any] | None:
        """Return a function that reads the image's plane in view, on any thread."""
        try:
            seen = view_on_screen(self._viewer, image, guess_options(image))
        except ImageError:
            return None
        data, rgb = array_of(image, seen.level), image.rgb
        return lambda: np.asarray(seen.read(data, rgb))


def measured(
    plane: LabelArray,
    image: Appearance | None = None,
    before: LabelArray | None = None,
    table: ObjectTable | None = None,
) -> ObjectTable:
    """Measure a plane, of an earlier table only what is another object now.

    Parameters
    ----------
    plane
        int (H, W).
    image
        What it is seen on.
    before, table
        The plane as it was, and its table.
    """
    if before is None or table is None or before.shape != plane.shape:
        return ObjectTable.of(plane, image)
    changed = plane != before
    rows = np.flatnonzero(changed.any(axis=1))
    if not rows.size:
        return table
    top, bottom = int(rows[0]), int(rows[-1]) + 1
    cols = np.flatnonzero(changed[top:bottom].any(axis=0))
    box = top, int(cols[0]), bottom, int(cols[-1]) + 1
    here = np.s_[box[0] : box[2], box[1] : box[3]]
    differ = changed[here]
    numbers = np.unique(np.concatenate([plane[here][differ], before[here][differ]]))
    numbers = numbers[numbers > 0]
    if numbers.size > len(table) // 2 + 8:
        return ObjectTable.of(plane, image)
    return table.remeasured(plane, numbers.tolist(), box, image)
