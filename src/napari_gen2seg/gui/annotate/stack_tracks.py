"""Tracks of the objects of a stack: found behind the window, shown, outdated."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QObject, Signal

from napari_gen2seg.common.text import count_text
from napari_gen2seg.core.objects.through import tracks_of
from napari_gen2seg.errors import Cancelled
from napari_gen2seg.gui.annotate.tracks_layer import (
    outdate_tracks,
    planes_along,
    show_tracks,
)
from napari_gen2seg.session.session import sentence

if TYPE_CHECKING:
    from collections.abc import Mapping

    from napari.components import ViewerModel

    from napari_gen2seg.gui.annotate.labels_layer import Objects
    from napari_gen2seg.gui.layers.view import View
    from napari_gen2seg.session import Runner, Ticket


class StackTracks(QObject):
    """Shows where objects are through planes.

    Parameters
    ----------
    viewer
        Where tracks are shown.
    objects
        The Labels layer that takes objects.
    background
        Worker thread on which tracks are found.
    parent
        Deleted with it.
    """

    status_changed = Signal(str)
    warning = Signal(str)

    def __init__(
        self,
        viewer: ViewerModel,
        objects: Objects,
        background: Runner,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._viewer, self._objects, self._background = viewer, objects, background
        self._parents: dict[str, dict[int, int]] = {}  # by layer: who divided
        objects.written.connect(self._outdate)

    def note_parents(self, parents: Mapping[int, int]) -> None:
        """Remember which objects came of which, in the layer that takes objects."""
        self._parents.setdefault(self._objects.layer_id or "", {}).update(parents)

    def show(self, view: View, axis: int) -> None:
        """Show where objects are along an axis of the image in view."""
        own, labels = axis - view.first, self._objects.layer
        if labels is None or self._objects.plane(view) is None:
            self.status_changed.emit("Nothing to track: keep objects here first.")
            return
        if own > min(view.own_axes):
            self.status_changed.emit(
                "Tracks go along an axis before rows and columns. Put the axes back "
                "into their order first."
            )
            return
        planes = planes_along(labels, view, own)
        parents = self._parents.get(str(labels.unique_id), {})

        def done(ticket: Ticket, rows: Any, error: BaseException | None) -> None:
            if ticket.cancelled or isinstance(error, Cancelled):
                return
            if error is not None:
                self.warning.emit(sentence(error))
                return
            if self._objects.layer is not labels:
                return
            if not len(rows):
                self.status_changed.emit("Nothing to track: keep objects here first.")
                return
            show_tracks(self._viewer, labels, view, own, rows, parents)
            tracks = len(np.unique(rows[:, 0]))
            places = count_text(len(rows), "object")
            self.status_changed.emit(
                f"{count_text(tracks, 'track')}, of {places} in planes."
            )

        self._background.submit(
            "tracks", lambda ticket: tracks_of(planes, ticket.check), done
        )

    def close(self) -> None:
        """Hear of nothing more."""
        self._objects.written.disconnect(self._outdate)

    def _outdate(self) -> None:
        """Show that tracks are of objects as they were."""
        outdate_tracks(self._viewer, self._objects.layer_id)
