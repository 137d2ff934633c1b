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
    from collections.abc import Callable

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

    Attributes
    ----------
    waits
        Whether something older than the commits of a layer (its ``unique_id``) is taken
        back: then none of them is done again before that is.
    """

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = viewer
        self._commits: list[Commit] = []
        self._gone: list[Commit] = []  # taken back; a redo of the layer brings them
        self._ticks = itertools.count(1)
        self.waits: Callable[[str], bool] = lambda _: False

    def tick(self) -> int:
        """Return a number above that of every act so far."""
        return next(self._ticks)

    @property
    def last(self) -> Commit | None:
        """The newest commit that was not taken back; None for none."""
        self._bring_back()
        while self._commits and not self._read(self._commits[-1]):
            self._gone.append(self._commits.pop())  # taken back in the layer itself
        return self._commits[-1] if self._commits else None

    @property
    def newest(self) -> int:
        """The number of that commit; 0 for none."""
        last = self.last
        return 0 if last is None else last.tick

    def stands(self, commit: Commit) -> bool:
        """Whether a commit was not taken back, or was done again, by whomever."""
        self._bring_back()
        return any(one is commit for one in self._commits) and self._read(commit)

    def end_redo(self, layer_id: str) -> None:
        """Forget what was taken back in a layer: it was edited, and has no redo."""
        self._gone = [one for one in self._gone if one.layer_id != layer_id]

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
        self.end_redo(str(layer.unique_id))
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
        commit = self.last
        layer = None if commit is None else find_layer(self._viewer, commit.layer_id)
        if commit is None or layer is None:
            return None
        slice_if_hidden(layer)
        layer.undo()
        by_hand = self._read(commit)
        if not by_hand:
            self._gone.append(self._commits.pop())
        return layer, commit, by_hand

    def redo(self, commit: Commit) -> bool:
        """Do a commit again that was taken back; say whether it could be."""
        if self._read(commit) or not self.redo_edit(commit.layer_id):
            return False
        return self.stands(commit)

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

    def _bring_back(self) -> None:
        """See what was done again in the layers themselves."""
        gone: list[Commit] = []
        waiting = {name for one in self._gone if self.waits(name := one.layer_id)}
        for commit in sorted(self._gone, key=lambda one: one.tick):
            # In order: where an object is not yet back, it looks like deleted again.
            if commit.layer_id in waiting or not self._read(commit):
                waiting.add(commit.layer_id)
                gone.append(commit)
            else:
                self._commits.append(commit)
        if len(gone) < len(self._gone):
            self._gone = gone
            self._commits.sort(key=lambda one: one.tick)

    def _read(self, commit: Commit) -> bool:
        """Whether a layer has what a commit wrote there."""
        layer, written = find_layer(self._viewer, commit.layer_id), commit.written
        if layer is None or written.sample is None:
            return False
        try:
            return int(np.asarray(layer.data[written.sample])) == written.value
        except IndexError:  # the layer has other data now
            return False
