"""What was written into Labels layers, in order, so that it can be taken back.

The layers' own undo takes it back: theirs is the history, here is which of its steps
are commits, and where the sliders were.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np

from napari_gen2seg.gui.annotate.written import Commit
from napari_gen2seg.gui.layers.hidden import slice_if_hidden
from napari_gen2seg.gui.layers.overlays import find_layer

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Labels

    from napari_gen2seg.gui.annotate.commit import Written
    from napari_gen2seg.gui.annotate.redo import Rows


class CommitLog:
    """The commits of all Labels layers of a viewer.

    Parameters
    ----------
    viewer
        Where the layers and sliders are.
    """

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = viewer
        self._commits: list[Commit] = []
        self._ticks = itertools.count(1)

    def tick(self) -> int:
        """Return a number above that of every act so far."""
        return next(self._ticks)

    @property
    def newest(self) -> int:
        """The number of the newest commit that was not taken back; 0 for none."""
        while self._commits and not self._stands(self._commits[-1]):
            self._commits.pop()  # taken back in the layer itself
        return self._commits[-1].tick if self._commits else 0

    def stands(self, tick: int) -> bool:
        """Whether the commit of a number was not taken back."""
        return any(one.tick == tick and self._stands(one) for one in self._commits)

    def note(
        self,
        layer: Labels,
        written: Written,
        highest: int,
        name: str = "",
        rows: Rows | None = None,
    ) -> None:
        """Remember a commit.

        Parameters
        ----------
        layer, written
            What was written where.
        highest
            Number in the layer before it.
        name
            What a person calls it, where it is more than one object's.
        rows
            Clicks that went with it.
        """
        dims = self._viewer.dims
        sliders = {axis - dims.ndim: dims.point[axis] for axis in dims.not_displayed}
        self._commits.append(
            Commit(
                str(layer.unique_id),
                written,
                sliders,
                highest,
                name,
                self.tick(),
                rows,
            )
        )

    def undo(self) -> tuple[Labels, Commit, bool] | None:
        """Take back the newest edit of the layer of the newest commit.

        Returns
        -------
        tuple or None
            The layer, the commit, and whether it was an edit by hand that went, and the
            commit still stands; None when there is nothing to take back.
        """
        if not self.newest:
            return None
        commit = self._commits[-1]
        layer = find_layer(self._viewer, commit.layer_id)
        if layer is None:
            return None
        slice_if_hidden(layer)
        layer.undo()
        by_hand = self._stands(commit)
        if not by_hand:
            self._commits.pop()
        return layer, commit, by_hand

    def redo(self, commit: Commit) -> bool:
        """Do a commit again that was taken back; say whether it could be."""
        if self._stands(commit) or not self.redo_edit(commit.layer_id):
            return False
        done = self._stands(commit)
        if done:
            self._commits.append(commit)
        return done

    def redo_edit(self, layer_id: str) -> bool:
        """Do an edit again by the layer's own redo; say if the layer is still there."""
        layer = find_layer(self._viewer, layer_id)
        if layer is not None:
            slice_if_hidden(layer)
            layer.redo()
        return layer is not None

    def look_at(self, commit: Commit) -> None:
        """Bring the plane of a commit into view."""
        dims = self._viewer.dims
        shown = {axis + dims.ndim: point for axis, point in commit.sliders.items()}
        moved = {axis: shown[axis] for axis in dims.not_displayed if axis in shown}
        if moved:
            dims.set_point(list(moved), list(moved.values()))

    def _stands(self, commit: Commit) -> bool:
        layer, written = find_layer(self._viewer, commit.layer_id), commit.written
        if layer is None or written.sample is None:
            return False
        try:
            return int(np.asarray(layer.data[written.sample])) == written.value
        except IndexError:  # the layer has other data now
            return False
