"""The picture that is open: what happens to it is told as it happens."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from qtpy.QtCore import QObject, Signal

from napari_gen2seg.gui.layers.view import View
from napari_gen2seg.gui.project.ahead import only_plane
from napari_gen2seg.project.propose import doubt_of_image

if TYPE_CHECKING:
    from napari_gen2seg.gui.project.ahead import Ahead
    from napari_gen2seg.gui.project.click_dock import ClickDock
    from napari_gen2seg.gui.project.desk import Desk
    from napari_gen2seg.gui.project.known_entries import KnownEntries


class OpenPicture(QObject):
    """Notes objects, proposals and map of the picture that is open, where others look.

    Parameters
    ----------
    desk
        Which picture is open, and its state.
    click_dock
        Where it is worked on.
    known
        Takes what the list tells of it.
    ahead
        Keeps its map.
    parent
        Deleted with it.
    """

    told = Signal(str, str)  # how far it is, and where that is kept; empty for nothing

    def __init__(
        self,
        desk: Desk,
        click_dock: ClickDock,
        known: KnownEntries,
        ahead: Ahead,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._desk, self._click_dock = desk, click_dock
        self._known, self._ahead = known, ahead
        self._closed = False
        click_dock.work_changed.connect(self.look)
        click_dock.colored.connect(self._colored)
        click_dock.proposed.connect(self._proposed)

    def close(self) -> None:
        """Note nothing more."""
        self._closed = True

    def look(self) -> None:
        """See how far it is, and in which state."""
        if self._closed:
            return
        self._tell()
        item = self._desk.item
        entry = None if item is None else self._known.entries.get(item.name)
        state, dock = self._desk.state, self._click_dock.find()
        if entry is None or dock is None or not state:
            return
        now = dock.bridge.controller.objects.tally.count if dock.keeper.layer else 0
        if (state, now) != (entry.state, entry.now):
            self._known.take(replace(entry, state=state, now=now))

    def _tell(self) -> None:
        is_open = self._desk.item is not None
        self.told.emit(*(self._click_dock.work_text() if is_open else ("", "")))

    def _colored(self, view: object) -> None:
        """Keep its map, as those of pictures ahead are."""
        if self._closed:
            return
        item, layer, dock = self._desk.item, self._desk.layer, self._click_dock.heard
        known = layer is not None and dock is not None and item is not None
        if known and isinstance(view, View):
            single = only_plane(layer)
            if single is not None and single.layer_id == view.layer_id:
                self._ahead.keep_open(dock, item, view)
        self._ahead.look()

    def _proposed(self) -> None:
        """Note that it has proposals, as pictures ahead have."""
        if self._closed:
            return
        self._tell()
        desk, dock = self._desk, self._click_dock.heard
        item, layer = desk.item, desk.layer
        if item is None or layer is None or dock is None:
            return
        entry, view = self._known.entries.get(item.name), dock.bridge.source.view
        if entry is None or view is None:
            return
        if desk.state not in ("untouched", "proposed") or entry.count:
            return
        review = dock.bridge.controller.review.review
        if review is None or only_plane(layer) is None:  # of a stack, one plane only
            return
        if view.layer_id != str(layer.unique_id):
            return
        doubt = doubt_of_image(review.doubt[review.shown].tolist())
        count = int(review.shown.size)
        desk.note_proposals(count, doubt)
        # Refined outlines and other thresholds leave fewer, or more.
        now = replace(entry, state=desk.state, waiting=count, doubt=doubt)
        if now.state == "proposed" and now != entry:
            self._known.take(now)
