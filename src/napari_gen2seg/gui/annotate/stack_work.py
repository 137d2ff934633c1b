"""Work on many planes of a stack: colored ahead, objects carried on or kept."""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QObject, Signal

from napari_gen2seg.core.linking import LinkSettings
from napari_gen2seg.core.objects.carrying import Carrying
from napari_gen2seg.errors import Cancelled, Gen2SegError
from napari_gen2seg.gui.annotate.commit import CommitError
from napari_gen2seg.gui.annotate.stack_carry import StackCarrying
from napari_gen2seg.gui.annotate.stack_keep import StackKeeping
from napari_gen2seg.gui.annotate.stack_tracks import StackTracks
from napari_gen2seg.gui.layers.view import axis_name
from napari_gen2seg.gui.qt_threads import debounce
from napari_gen2seg.session.session import sentence

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from napari.components import ViewerModel

    from napari_gen2seg.gui.annotate.labels_layer import Objects
    from napari_gen2seg.gui.annotate.object_numbers import ObjectNumbers
    from napari_gen2seg.gui.annotate.redo import RedoStack
    from napari_gen2seg.gui.annotate.review import ProposalReview
    from napari_gen2seg.gui.layers.source import Source
    from napari_gen2seg.gui.layers.view import View
    from napari_gen2seg.session import Runner, Session, Ticket

Point = tuple[float, float]

AHEAD = 2  # planes beyond the one in view


@dataclass(frozen=True)
class StackAxis:
    """An axis along which a layer has planes.

    Attributes
    ----------
    axis
        Of the layer.
    name
        For people.
    size
        How many planes.
    """

    axis: int
    name: str
    size: int


class StackWork(QObject):
    """What a person does with all planes of a stack, one after the other.

    Nothing of it is in the way: planes are colored behind what is asked for in view,
    objects are carried, and proposals linked, by masks and places on another thread,
    and written at the end as one step.

    Parameters
    ----------
    viewer
        Where tracks are shown.
    session, source
        Whose colorings, and which view is in sight.
    objects, numbers
        The Labels layer that takes objects, and which numbers are free.
    review
        Which proposals are good enough.
    redo_stack
        Emptied by what is done here.
    background
        Worker thread on which objects are carried.
    parent
        Deleted with it.
    """

    changed = Signal()  # what there is to do, or how far it is
    written = Signal()
    status_changed = Signal(str)
    warning = Signal(str)
    copy_offered = Signal(str)

    def __init__(
        self,
        viewer: ViewerModel,
        session: Session,
        source: Source,
        objects: Objects,
        numbers: ObjectNumbers,
        review: ProposalReview,
        redo_stack: RedoStack,
        background: Runner,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._session, self._source, self._objects = session, source, objects
        self._numbers, self._review = numbers, review
        self._redo_stack, self._background = redo_stack, background
        self._todo: deque[View] = deque()
        self._ticket: Ticket | None = None
        self._turn = 0  # of the work now; late replies to an earlier one are dropped
        self._carrying: StackCarrying | None = None
        self._keeping: StackKeeping | None = None
        self.tracks = StackTracks(viewer, objects, background, self)
        self.tracks.status_changed.connect(self.status_changed)
        self.tracks.warning.connect(self.warning)
        self._axis: int | None = None
        self.linking = LinkSettings()
        self._soon = debounce(self, self._next)  # when the window has had its turn
        self.ahead = False
        self.doing = (
            ""  # "Coloring", "Carrying", "Keeping"; empty while nothing is done
        )
        self.done = self.total = 0

    # ---- what there is

    @property
    def axes(self) -> list[StackAxis]:
        """Axes of the chosen layer that have planes; the last is the usual one."""
        view, layer = self._source.view, self._source.layer
        if view is None or layer is None:
            return []
        return [
            StackAxis(axis, axis_name(layer, axis), view.sizes[axis])
            for axis in range(len(view.sizes))
            if axis not in (*view.axes, view.channel_axis) and view.sizes[axis] > 1
        ]

    @property
    def axis(self) -> StackAxis | None:
        """The axis that is worked along."""
        axes = self.axes
        chosen = [one for one in axes if one.axis == self._axis] or axes[-1:]
        return chosen[0] if chosen else None

    @property
    def left(self) -> int:
        """Planes along the axis that are not colored."""
        view, axis = self._source.view, self.axis
        if view is None or axis is None:
            return 0
        planes = self._planes(view, axis.axis, range(axis.size))
        return sum(self._session.coloring(plane) is None for plane in planes)

    # ---- verbs

    def choose_axis(self, axis: int) -> None:
        """Work along another axis."""
        self._axis = axis
        self.changed.emit()

    def color_all(self) -> None:
        """Color all planes along the axis, those after the one in view first."""
        view, axis = self._source.view, self.axis
        if view is None or axis is None:
            return
        at = view.index[axis.axis]
        order = [*range(at, axis.size), *range(at - 1, -1, -1)]
        self._color(self._planes(view, axis.axis, order))

    def follow(self) -> None:
        """Color the plane in view and the next ones, if that is wanted."""
        view, axis = self._source.view, self.axis
        if self.ahead and not self.doing and view is not None and axis is not None:
            at = view.index[axis.axis]
            order = range(at, min(at + AHEAD + 1, axis.size))
            self._color(self._planes(view, axis.axis, order))
        self.changed.emit()

    @property
    def seconds_left(self) -> float:
        """How long coloring the planes that are left takes; 0 where nobody knows."""
        view = self._source.view
        size = None if view is None else view.shape
        return self.left * (self._session.seconds_a_map(size) or 0.0)

    def carry_on(self, step: int = 1, numbers: Collection[int] | None = None) -> None:
        """Carry objects of the plane in view to the planes after, or before, it.

        Parameters
        ----------
        step
            1 for the planes after it, -1 for those before.
        numbers
            Which objects; all of the plane by default.
        """
        view, axis = self._source.view, self.axis
        plane = None if view is None else self._objects.plane(view)
        if view is None or axis is None or plane is None or not self._ready():
            self.status_changed.emit("Nothing to carry on: keep objects here first.")
            return
        live = {int(n) for n in np.unique(plane) if n > 0}
        live = live if numbers is None else live & set(numbers)
        if not live:
            self.status_changed.emit("Nothing to carry on: keep objects here first.")
            return
        at = view.index[axis.axis]
        order = range(at + step, axis.size if step > 0 else -1, step)
        self._carrying = StackCarrying(
            self._objects,
            self._session.probing,
            self._background,
            axis.axis,
            Carrying.begin(plane, live, self.linking.convex),
        )
        self._begin("Carrying", self._planes(view, axis.axis, order))

    def carry_at(self, point: Point | None, step: int = 1) -> None:
        """Carry the object under a place of the plane; all of them where none is."""
        view = self._source.view
        plane = None if view is None else self._objects.plane(view)
        number = 0
        if plane is not None and point is not None:
            row, col = (round(value) for value in point)
            number = int(plane[row, col])
        self.carry_on(step, [number] if number > 0 else None)

    def keep_all(self) -> None:
        """Keep the proposals of all planes, each object with one number in all.

        What is kept already is never touched; where it goes on, so does its number.
        """
        view, axis = self._source.view, self.axis
        if view is None or axis is None or not self._ready():
            return
        try:
            self._objects.check(view)
        except Gen2SegError as error:
            self._refused(error)
            return
        planes = self._planes(view, axis.axis, range(axis.size))
        self._keeping = StackKeeping(
            self._objects,
            self._numbers,
            self._review,
            self._background,
            planes,
            self.linking,
            self._spacing(view),
        )
        self._begin("Keeping", planes)

    def show_tracks(self) -> None:
        """Show where objects are through the planes, as a Tracks layer."""
        view, axis = self._source.view, self.axis
        if view is not None and axis is not None and self._ready():
            self.tracks.show(view, axis.axis)

    def stop(self) -> None:
        """Stop; planes that are colored stay, objects are kept as far as they got."""
        if not self.doing:
            return
        self._drop_ticket()
        keeping = self._keeping
        if keeping is not None and self.done and self._todo:
            self._todo.clear()
            self._number(keeping)
            return
        if self._carrying is not None and self._carrying.reached:
            self._finish()
            return
        self._end("Stopped.")

    def forget(self) -> None:
        """Stop in silence: the image is gone, or another."""
        self._drop_ticket()
        self._end("")

    def close(self) -> None:
        """Stop for good, and tell nobody: Qt may have deleted who listens."""
        self.tracks.close()
        self._drop_ticket()
        self._todo.clear()
        self._carrying = self._keeping = None
        self.doing = ""

    # ---- inside

    def _planes(self, view: View, axis: int, order: Iterable[int]) -> list[View]:
        index = list(view.index)
        planes = []
        for place in order:
            index[axis] = place
            planes.append(view.at(tuple(index)))
        return planes

    def _ready(self) -> bool:
        """Whether nothing is being done; else say what is."""
        if self.doing:
            self.status_changed.emit(f"{self.doing} is not done yet; stop it first.")
        return not self.doing

    def _color(self, planes: list[View]) -> None:
        planes = [one for one in planes if self._session.coloring(one) is None]
        if planes and self._ready():
            self._begin("Coloring", planes)

    def _begin(self, doing: str, planes: list[View]) -> None:
        self.doing, self.done, self.total = doing, 0, len(planes)
        self._todo = deque(planes)
        self._turn += 1
        self.changed.emit()
        self._soon.start()

    def _next(self) -> None:
        self.changed.emit()
        if not self._todo and self._keeping is not None:
            self._number(self._keeping)
            return
        if not self._todo:
            self._finish()
            return
        view, turn = self._todo[0], self._turn

        def colored(error: BaseException | None) -> None:
            if turn != self._turn:
                return
            if error is not None:
                self._fail(error)
            elif self._carrying is None and self._keeping is None:
                self._step()
            else:
                self._look(view)

        try:
            request = self._source.request(view)
        except Gen2SegError as error:
            self._fail(error)
            return
        self._ticket = self._session.color_ahead(request, colored)

    def _step(self) -> None:
        self._todo.popleft()
        self.done += 1
        self._soon.start()

    def _look(self, view: View) -> None:
        """Carry objects to a plane that is colored, or find its proposals."""
        coloring, turn = self._session.coloring(view), self._turn
        job, carrying = self._carrying or self._keeping, self._carrying
        if carrying and (coloring is None or self._objects.plane(view) is None):
            self._finish()
            return
        if job is None or coloring is None:
            self._fail(MemoryError())
            return

        def done(_value: Any, error: BaseException | None) -> None:
            if turn != self._turn:
                return
            if error is not None:
                self._fail(error)
            elif carrying is not None and not carrying.live:
                self._todo.clear()
                self._finish()
            else:
                self._step()

        self._ticket = job.look(view, coloring, done)

    def _number(self, keeping: StackKeeping) -> None:
        """Give numbers to what was linked, and write it."""
        turn = self._turn

        def done(kept: Any, error: BaseException | None) -> None:
            if turn != self._turn:
                return
            if error is not None:
                self._fail(error)
                return
            try:
                said = keeping.write(kept)
            except Gen2SegError as refused:
                self._end("")
                self._refused(refused)
                return
            self._end(said)
            if kept.patches:
                self.tracks.note_parents(keeping.parents)
                self._redo_stack.clear()
                self.written.emit()

        self._ticket = keeping.number(done)

    def _spacing(self, view: View) -> tuple[float, float] | None:
        """Return how large pixels are along rows and columns, where that differs."""
        layer = self._source.layer
        if layer is None:
            return None
        down, across = (
            float(abs(layer.scale[axis]) * view.factors[axis]) for axis in view.axes
        )
        least = min(down, across)
        return None if np.isclose(down, across) else (down / least, across / least)

    def _refused(self, error: Gen2SegError) -> None:
        copied = isinstance(error, CommitError) and error.copy
        (self.copy_offered if copied else self.warning).emit(str(error))

    def _finish(self) -> None:
        carrying, self._carrying = self._carrying, None
        if carrying is None:
            self._end(f"{self.done} planes are colored." if self.done else "")
            return
        try:
            said = carrying.write()
        except Gen2SegError as error:
            self._end("")
            self._refused(error)
            return
        if carrying.reached:
            self._redo_stack.clear()
        self._end(said)
        if carrying.reached:
            self.written.emit()

    def _fail(self, error: BaseException) -> None:
        self._drop_ticket()
        if self._carrying is not None and self._carrying.reached:
            self._finish()  # as far as it got
        else:
            self._end("")
        if not isinstance(error, Cancelled):
            self.warning.emit(sentence(error))

    def _drop_ticket(self) -> None:
        with suppress(RuntimeError):  # Qt deletes timers together with their window
            self._soon.stop()
        self._turn += 1
        if self._ticket is not None:
            self._ticket.cancel()
        self._ticket = None

    def _end(self, status: str) -> None:
        self._turn += 1
        self._todo.clear()
        self._carrying = self._keeping = self._ticket = None
        self.doing = ""
        if status:
            self.status_changed.emit(status)
        self.changed.emit()
