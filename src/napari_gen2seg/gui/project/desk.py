"""The desk: one picture of a project lies in the viewer, the next takes its place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject, Signal

from napari_gen2seg.errors import Gen2SegError
from napari_gen2seg.gui.layers.marks import find_layer, source_of, work_of
from napari_gen2seg.gui.layers.overlays import role_of
from napari_gen2seg.gui.layers.removal import remove_layers
from napari_gen2seg.gui.project.ahead import only_plane
from napari_gen2seg.gui.project.pictures import (
    Pixels,
    layer_of,
    look_again,
    look_now,
    read_pixels,
)
from napari_gen2seg.project.journal import Act
from napari_gen2seg.project.propose import note_in
from napari_gen2seg.session.session import sentence

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Image

    from napari_gen2seg.gui.project.ahead import Ahead
    from napari_gen2seg.gui.saving.opening import Work
    from napari_gen2seg.gui.widget import SegmentWidget
    from napari_gen2seg.project.item import Item

LOOK = "view"
"""Name of the setting that says where one looked at a picture."""


@dataclass(frozen=True, eq=False)
class _Opened:
    """A picture on its way into the viewer."""

    work: Work
    pixels: Pixels | None  # None where its layer was made ahead


class Desk(QObject):
    """Brings pictures into the viewer, with the work on them, and takes them away.

    Parameters
    ----------
    viewer
        Where they are shown.
    dock
        Returns the dock for clicks, opened if need be where it is given True.
    ahead
        Has the next pictures ready.
    parent
        Deleted with it.
    """

    changed = Signal()  # which picture is open, or how far it is
    left = Signal(str)  # name of a picture that was saved and closed
    in_use = Signal(str, str)  # a picture that could not be opened, and why
    status_changed = Signal(str)
    warning = Signal(str)

    def __init__(
        self,
        viewer: ViewerModel,
        dock: Callable[[bool], SegmentWidget | None],
        ahead: Ahead,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._viewer, self._dock = viewer, dock
        self._loading: SegmentWidget | None = None  # whose keeper is opening something
        self._item: Item | None = None
        self._layer_id = ""
        self._asked: Item | None = None  # on its way
        self._ahead = ahead
        self.color = True  # a picture that is opened

    # ---- what there is

    @property
    def dock(self) -> SegmentWidget | None:
        """The dock for clicks, if it is open."""
        return self._dock(False)

    @property
    def layer(self) -> Image | None:
        """The layer of the picture that is open, if it is still there."""
        return find_layer(self._viewer, self._layer_id)

    @property
    def item(self) -> Item | None:
        """The picture that is open."""
        return self._item if self.layer is not None else None

    @property
    def asked(self) -> Item | None:
        """The picture that was asked for last: on its way, or open."""
        return self._asked or self.item

    @property
    def state(self) -> str:
        """How far the picture is that is open; empty where none is."""
        dock = self.dock if self.item is not None else None
        journal = None if dock is None else dock.keeper.works.journal_of(self._layer_id)
        return "" if journal is None else journal.state.state

    # ---- verbs

    def find(self, items: dict[str, Item]) -> None:
        """Take a picture of the project as open that is in the viewer already.

        Parameters
        ----------
        items
            Folder of the work -> the picture.
        """
        for layer in reversed(self._viewer.layers):
            item = items.get(str(work_of(layer)))
            if item is not None:
                self._item, self._layer_id = item, str(layer.unique_id)
                self.changed.emit()
                return

    def open(self, item: Item) -> None:
        """Open a picture in place of the one that is open, which is saved.

        One at a time is on its way; whoever asks for another meanwhile gets the last.
        """
        if self.asked is not None and self.asked.folder == item.folder:
            return
        if self.item is not None and self.item.folder == item.folder:
            self._asked = None  # what is on its way is not wanted any more
            return
        dock = self._dock(True)
        if dock is None or (self._layer_id and self.layer is None and not self.leave()):
            return
        self._asked = item
        if self._loading is not dock:
            self._load(dock, item)

    def _load(self, dock: SegmentWidget, item: Item) -> None:
        """Open work and picture on the thread on which earlier work is closed."""
        self._loading = dock
        layer = self._ahead.take(item)
        self.status_changed.emit(f"Opening {item.name} ...")

        def load(_ticket: Any) -> _Opened:
            work = dock.keeper.works.open_in(item.folder)
            try:
                ready = work.problem or layer is not None
                return _Opened(work, None if ready else read_pixels(item))
            except BaseException:
                if work.journal is not None:
                    work.journal.close(force=True)
                raise

        def done(opened: Any, error: BaseException | None) -> None:
            self._loading = None
            wanted, self._asked = self._asked, None
            stale = wanted is None or wanted.folder != item.folder
            problem = sentence(error) if opened is None else opened.work.problem
            if problem:
                if not stale:
                    self.in_use.emit(item.name, problem)
                    self.warning.emit(problem)
            elif stale or not self.leave():
                dock.keeper.works.drop(opened.work)
                if layer is not None:
                    dock.session.forget(str(layer.unique_id))
            else:
                self._show(item, layer or layer_of(item, opened.pixels), opened.work)
            if stale and wanted is not None:
                self.open(wanted)

        dock.keeper.works.behind(f"open {item.folder}", load, done)

    def leave(self) -> bool:
        """Save and close the picture that is open; say whether that could be done."""
        dock, item = self.dock, self._item
        self._asked = None  # what is on its way is not wanted any more
        if dock is None or item is None:
            self._item, self._layer_id = None, ""
            return True
        self._note_look()
        try:
            kept = dock.keeper.leave(self._layer_id)
        except Gen2SegError as error:
            self.warning.emit(str(error))
            return False
        ours = {str(one.unique_id) for one in kept} | {self._layer_id}
        remove_layers(
            self._viewer,
            [
                other
                for other in self._viewer.layers
                if str(other.unique_id) in ours
                or (role_of(other) is not None and source_of(other) == self._layer_id)
            ],
        )
        self._item, self._layer_id = None, ""
        # Behind the saving of it, so that the list is told what was saved.
        dock.keeper.works.behind(
            f"left {item.folder}", lambda _: None, lambda *_: self.left.emit(item.name)
        )
        self.changed.emit()
        return True

    def mark(self, state: str) -> bool:
        """Say how far the picture is that is open; return whether it is written."""
        dock = self.dock if self.item is not None else None
        journal = None if dock is None else dock.keeper.works.journal_of(self._layer_id)
        if journal is None:
            self.status_changed.emit("Open a picture first.")
            return False
        try:
            if journal.state.state != state:
                journal.record(Act("state", values={"state": state}))
        except Gen2SegError as error:
            self.warning.emit(str(error))
            return False
        self.changed.emit()
        return True

    def note_proposals(self, count: int, doubt: float) -> bool:
        """Write that proposals wait in the picture that is open, if nobody has begun.

        Returns
        -------
        bool
            Whether that was news.
        """
        dock = self.dock if self.item is not None else None
        journal = None if dock is None else dock.keeper.works.journal_of(self._layer_id)
        if journal is None or journal.state.state != "untouched":
            return False
        try:
            return note_in(journal, count, doubt)
        except Gen2SegError as error:
            self.warning.emit(str(error))
            return False

    # ---- inside

    def _show(self, item: Item, layer: Image, work: Work) -> None:
        dock = self.dock
        if dock is None:
            return
        self._item, self._layer_id = item, str(layer.unique_id)
        dock.keeper.works.bring(layer, work)
        alone = not len(self._viewer.layers)
        self._viewer.add_layer(layer)
        if not alone:
            self._viewer.reset_view()
        dock.image.layer.refresh()
        dock.image.layer.choose(layer)
        settings = {} if work.journal is None else work.journal.state.settings
        look_again(self._viewer, layer, settings.get(LOOK))
        dock.keeper.earlier.go_on()
        self.status_changed.emit("")
        self.changed.emit()
        if self.color and not self._ahead.colors(item):
            self._color(dock)

    def color_open(self, name: str) -> None:
        """Color the picture that is open, if it is this one: ahead it failed."""
        dock = self.dock
        if dock is not None and self.item is not None and self.item.name == name:
            self._color(dock)

    def _color(self, dock: SegmentWidget) -> None:
        bridge = dock.bridge
        try:
            kept = dock.session.show(bridge.source.request())
        except Gen2SegError as error:  # not to be colored as it lies
            self.status_changed.emit(str(error))
            return
        if kept:
            return
        item, request = self.item, bridge.source.request()
        alone = self.layer is not None and only_plane(self.layer) is not None
        if item is None or not alone:
            bridge.color()
            return

        def submit(
            kind: str, find: Callable[..., Any], done: Callable[..., Any]
        ) -> None:
            dock.keeper.works.behind(kind, find, lambda *found: done(None, *found))

        def recalled(there: bool) -> None:
            here = self.item is not None and self.item.folder == item.folder
            if not there and here and not self._ahead.colors(item):
                bridge.color()

        self._ahead.recall(dock, item, request, submit, recalled)

    def _note_look(self) -> None:
        """Keep where one looks, of a picture on which work has begun."""
        dock, layer = self.dock, self.layer
        journal = None if dock is None else dock.keeper.works.journal_of(self._layer_id)
        if journal is None or layer is None or journal.state.state == "untouched":
            return
        look = look_now(self._viewer, layer)
        if journal.state.settings.get(LOOK) == look:
            return
        try:
            journal.record(Act("settings", values={LOOK: look}))
        except Gen2SegError as error:
            self.warning.emit(str(error))
