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
from napari_gen2seg.gui.layers.layer_history import redo_brings
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
        # By layer. What is gone was taken back, the last first; a redo brings it.
        self._done: dict[str, list[Commit]] = {}
        self._gone: dict[str, list[Commit]] = {}
        self._ticks = itertools.count(1)
        self._redoing = False
        self.waits: Callable[[str], bool] = lambda _: False

    def tick(self) -> int:
        """Return a number above that of every act so far."""
        return next(self._ticks)

    @property
    def last(self) -> Commit | None:
        """The newest commit that was not taken back; None for none."""
        self.follow()
        newest = (commits[-1] for commits in self._done.values() if commits)
        return max(newest, key=lambda one: one.tick, default=None)

    @property
    def newest(self) -> int:
        """The number of that commit; 0 for none."""
        last = self.last
        return 0 if last is None else last.tick

    def stands(self, commit: Commit) -> bool:
        """Whether a commit was not taken back, or was done again, by whomever."""
        self.follow()
        done = self._done.get(commit.layer_id, ())
        return any(one is commit for one in done) and self._read(commit)

    def follow(self) -> None:
        """See what the layers' own undo and redo did; call it after each step of them.

        Later it may be too late: an object and its deletion, both taken back, leave the
        labels as they were.
        """
        if self._redoing:
            return
        for name, done in self._done.items():
            while done and self._taken_back(done[-1]):
                self._gone.setdefault(name, []).append(done.pop())
            self._bring_back(name)

    def end_redo(self, layer_id: str) -> None:
        """Forget what was taken back in a layer: it was edited, and has no redo."""
        self._gone.pop(layer_id, None)

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
        layer_id = str(layer.unique_id)
        self.end_redo(layer_id)
        dims = self._viewer.dims
        sliders = {axis - dims.ndim: dims.point[axis] for axis in dims.not_displayed}
        self._done.setdefault(layer_id, []).append(
            Commit(layer_id, written, sliders, highest, name, self.tick(), rows)
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
        return layer, commit, self.stands(commit)

    def redo(self, commit: Commit) -> bool:
        """Do a commit again that was taken back; say whether it could be."""
        if self._read(commit) or not self._redo_in(commit.layer_id):
            return False
        self._bring_back(commit.layer_id)
        return self.stands(commit)

    def redo_edit(self, layer_id: str) -> bool:
        """Do an edit again by the layer's own redo; say if the layer is still there."""
        done = self._redo_in(layer_id)
        self.follow()
        return done

    def look_at(self, commit: Commit) -> None:
        """Bring the plane of a commit into view."""
        dims = self._viewer.dims
        shown = {axis + dims.ndim: point for axis, point in commit.sliders.items()}
        moved = {axis: shown[axis] for axis in dims.not_displayed if axis in shown}
        if moved:
            dims.set_point(list(moved), list(moved.values()))

    def _redo_in(self, layer_id: str) -> bool:
        layer = find_layer(self._viewer, layer_id)
        if layer is not None:
            slice_if_hidden(layer)
            self._redoing = True
            try:
                layer.redo()
            finally:
                self._redoing = False
        return layer is not None

    def _taken_back(self, commit: Commit) -> bool:
        """Whether the newest commit of a layer is not there any more."""
        layer = find_layer(self._viewer, commit.layer_id)
        if self._read(commit):
            return False
        gone = self._gone.get(commit.layer_id)
        if layer is None or not gone or not self._read(gone[-1]):
            return True
        # Or what deleted it was done again.
        return redo_brings(layer, lambda: self._read(commit))

    def _bring_back(self, layer_id: str) -> None:
        """See what was done again in a layer, in order."""
        gone = self._gone.get(layer_id, [])
        if self.waits(layer_id):
            return
        while gone and self._read(gone[-1]):
            self._done[layer_id].append(gone.pop())

    def _read(self, commit: Commit) -> bool:
        """Whether a layer has what a commit wrote there, or some of it."""
        layer = find_layer(self._viewer, commit.layer_id)
        if layer is None:
            return False
        try:
            return any(
                int(np.asarray(layer.data[place])) == value
                for place, value in commit.written.samples
            )
        except IndexError:  # the layer has other data now
            return False
