"""The next pictures of a project, read and colored while nobody waits for the model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QObject, Signal

from napari_gen2seg.errors import Gen2SegError
from napari_gen2seg.gui.annotate.proposed_plane import ProposedPlane, proposed_plane
from napari_gen2seg.gui.layers.source import guess_options
from napari_gen2seg.gui.layers.view import View, array_of
from napari_gen2seg.gui.project.pictures import layer_of, read_pixels
from napari_gen2seg.gui.qt_threads import debounce
from napari_gen2seg.project.kept_map import Asked, is_kept, keep_map, kept_map
from napari_gen2seg.project.propose import doubt_of_image, note_proposals
from napari_gen2seg.session import ColorRequest

if TYPE_CHECKING:
    from napari.layers import Image

    from napari_gen2seg.core.coloring import Coloring
    from napari_gen2seg.gui.widget import SegmentWidget
    from napari_gen2seg.project.item import Item
    from napari_gen2seg.session import Runner, Ticket

COUNT = 2  # pictures after the one that is open
_PAUSE = 250  # milliseconds after something was colored


class Ahead(QObject):
    """Makes the layers of the next pictures, and colors them before they are shown.

    Their proposals and how doubtful they are follow from that, and are kept in the
    project together with the map, so that they are there after a restart too. Stacks
    and large pictures are read, but colored when they are shown: nobody knows where
    one will look.

    Parameters
    ----------
    dock
        The dock for clicks, if it is open.
    runner
        Worker thread on which pictures are read.
    parent
        Deleted with it.
    """

    doubted = Signal(str, float)  # a picture, and how doubtful its proposals are
    kept = Signal(str)  # a picture whose map and proposals are in the project
    failed = Signal(str)  # a picture that could not be colored

    def __init__(
        self,
        dock: Callable[[], SegmentWidget | None],
        runner: Runner,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._dock, self._runner = dock, runner
        self._layers: dict[str, Image] = {}
        self._wanted: list[Item] = []
        self._reading = ""
        self._ticket: Ticket | None = None  # of what is being colored
        self._coloring = ""  # which picture
        self._tried: set[str] = set()
        self.on = True
        self._soon = debounce(self, self._next, _PAUSE)

    def want(self, items: Sequence[Item]) -> None:
        """Get these pictures ready, in this order, and no others."""
        self._wanted = list(items)[:COUNT] if self.on else []
        names = {one.name for one in self._wanted}
        for name in [one for one in self._layers if one not in names]:
            layer = self._layers.pop(name)
            dock = self._dock()
            if dock is not None:
                dock.session.forget(str(layer.unique_id))
        self._tried &= names
        self.look()

    def look(self) -> None:
        """Go on when the window is idle."""
        if self._wanted:
            self._soon.start()

    def take(self, item: Item) -> Image | None:
        """Return the layer of a picture if it is ready; it is no longer kept here."""
        layer = self._layers.get(item.name)
        if layer is None or not any(one.folder == item.folder for one in self._wanted):
            return None
        self._wanted = [one for one in self._wanted if one.name != item.name]
        return self._layers.pop(item.name)

    def colors(self, item: Item) -> bool:
        """Tell whether a picture is being colored just now."""
        going = self._ticket is not None and not self._ticket.cancelled
        return going and self._coloring == item.name

    def again(self) -> None:
        """Color anew what was colored with another model."""
        self._tried.clear()
        self.look()

    def close(self) -> None:
        """Stop."""
        self._wanted = []
        with suppress(RuntimeError):  # Qt deletes timers together with their window
            self._soon.stop()
        if self._ticket is not None:
            self._ticket.cancel()

    # ---- inside

    def _next(self) -> None:
        """Do the next thing, if nobody waits for anything."""
        dock = self._dock()
        coloring = self._ticket is not None and not self._ticket.cancelled
        if dock is None or self._reading or coloring:
            return
        if dock.session.job.running or dock.bridge.controller.stack.doing:
            return  # that tells when it has colored
        for item in self._wanted:
            if item.name in self._tried:
                continue
            if item.name not in self._layers:
                self._read(item)
            else:
                self._color(dock, item, self._layers[item.name])
            return

    def _read(self, item: Item) -> None:
        self._reading = item.name

        def done(_ticket: Ticket, pixels: Any, error: BaseException | None) -> None:
            self._reading = ""
            if error is not None:
                self._tried.add(item.name)  # said when it is opened
            elif item in self._wanted:
                self._layers[item.name] = layer_of(item, pixels)
            self.look()

        self._runner.submit("read ahead", lambda _: read_pixels(item), done)

    def _color(self, dock: SegmentWidget, item: Item, layer: Image) -> None:
        self._tried.add(item.name)
        view = only_plane(layer)
        if view is None:
            self.look()
            return
        pixels, rgb = array_of(layer, view.level), layer.rgb
        request = ColorRequest(
            view,
            view.layer_id,
            lambda: view.read(pixels, rgb),
            view.recipe,
            inputs=(view.partners,),
            size=view.shape,
        )

        def recalled(there: bool) -> None:
            self._reading = ""
            if there:
                self._found(dock, item, view)
                self.look()
            elif item.name in self._layers:
                self._paint(dock, item, request)
            else:  # nobody wants it any more
                self.look()

        self._reading = item.name
        self.recall(dock, item, request, self._runner.submit, recalled)

    def recall(
        self,
        dock: SegmentWidget,
        item: Item,
        request: ColorRequest,
        submit: Callable[..., Any],
        then: Callable[[bool], None],
    ) -> None:
        """Take the map and the proposals that are kept in the project.

        Parameters
        ----------
        dock
            Whose session and review get them.
        item, request
            The picture, and its only plane.
        submit
            As `Runner.submit`: where they are read.
        then
            Called with whether they are there.
        """
        asked, view = _asked(dock), request.view

        def find(ticket: Ticket) -> ProposedPlane | None:
            coloring = kept_map(
                item.folder, asked, np.asarray(request.read()), request.recipe
            )
            if coloring is None:
                return None
            coloring.prober.prepare()
            return proposed_plane(coloring, ticket)

        def done(_ticket: Ticket, plane: Any, error: BaseException | None) -> None:
            there = error is None and plane is not None and asked == _asked(dock)
            if there and isinstance(view, View):
                dock.bridge.controller.review.planes.bring(view, plane)
                dock.session.recall(request, plane.coloring)
            then(there)

        submit(f"recall {item.name}", find, done)

    def keep_open(self, dock: SegmentWidget, item: Item, view: View) -> None:
        """Keep the map of the picture that is open, for when one comes back."""
        coloring, asked = dock.session.coloring(view), _asked(dock)
        if coloring is None or any(view.partners):
            return

        def keep(_ticket: Ticket) -> None:
            with suppress(Gen2SegError):
                if not is_kept(item.folder, coloring):
                    keep_map(item.folder, coloring, asked)

        dock.keeper.works.behind(f"map of {item.name}", keep, lambda *_: None)

    def _paint(self, dock: SegmentWidget, item: Item, request: ColorRequest) -> None:
        at_once = []

        def colored(error: BaseException | None) -> None:
            at_once.append(True)
            self._ticket = None
            if error is None and isinstance(request.view, View):
                self._found(dock, item, request.view)
            else:
                self.failed.emit(item.name)
            self.look()

        self._coloring = item.name
        ticket = dock.session.color_ahead(request, colored)
        self._ticket = None if at_once else ticket

    def _found(self, dock: SegmentWidget, item: Item, view: View) -> None:
        """Find the proposals of a colored picture, and keep map and doubt."""
        coloring, review = dock.session.coloring(view), dock.bridge.controller.review
        if coloring is None:
            return
        asked = _asked(dock)

        def find(ticket: Ticket) -> tuple[ProposedPlane, int, float]:
            plane = review.planes.known(view, coloring)
            if plane is None:
                plane = proposed_plane(coloring, ticket, dock.session.probing)
            shown = plane.review.shown
            doubt = doubt_of_image(plane.review.doubt[shown].tolist())
            return plane, int(shown.size), doubt

        def done(_ticket: Ticket, found: Any, error: BaseException | None) -> None:
            if error is not None:
                return
            plane, count, doubt = found
            if dock.session.coloring(view) is coloring:
                review.planes.bring(view, plane)
            self.doubted.emit(item.name, doubt)
            # Where journals are opened, so that nobody finds this one in use.
            dock.keeper.works.behind(
                f"proposals of {item.name}",
                lambda _: _keep(item, coloring, asked, count, doubt),
                lambda *_: self.kept.emit(item.name),
            )

        self._runner.submit(f"proposals {item.name}", find, done)


def _asked(dock: SegmentWidget) -> Asked:
    choice = dock.session.model.choice
    return Asked(choice.model, choice.resolution, choice.passes)


def _keep(
    item: Item, coloring: Coloring, asked: Asked, count: int, doubt: float
) -> None:
    """Keep what was found; what cannot be kept is found again another time."""
    with suppress(Gen2SegError):
        if not is_kept(item.folder, coloring):
            keep_map(item.folder, coloring, asked)
        note_proposals(item, count, doubt)


def only_plane(layer: Image) -> View | None:
    """Return the one plane of a layer in no viewer; None of a stack or a large one."""
    options = guess_options(layer)
    rows, cols = layer.ndim - 2, layer.ndim - 1
    view = View.of(layer, (rows, cols), (0,) * layer.ndim, options)
    others = (
        size
        for axis, size in enumerate(view.sizes)
        if axis not in (rows, cols, options.channel_axis)
    )
    # Of a large one, what will be in view nobody knows.
    return view if all(size == 1 for size in others) and not view.large else None
