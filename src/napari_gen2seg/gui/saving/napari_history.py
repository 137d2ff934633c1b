"""What napari took back of the edits of a layer, or did again: read off the labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from napari_gen2seg.gui.layers.layer_history import redo_brings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from napari.layers import Labels

    from napari_gen2seg.project.journal import Patch

DEPTH = 100  # edits that napari itself can take back


class NapariHistory:
    """The edits of a Labels layer that its own undo and redo go through.

    Of a step napari tells nothing but that the layer was drawn, and nothing at all
    where it is hidden.

    Parameters
    ----------
    layer
        The layer.

    Attributes
    ----------
    done, undone
        What can be taken back, and done again, the next one last.
    """

    def __init__(self, layer: Labels) -> None:
        self._layer = layer
        self.done: list[Patch] = []
        self.undone: list[Patch] = []
        self._looks_done = False  # the last one undone, only by what is older

    def __bool__(self) -> bool:
        """Tell whether there is any."""
        return bool(self.done or self.undone)

    def add(self, patch: Patch) -> None:
        """Take note of a new edit."""
        self.done.append(patch)
        del self.done[:-DEPTH]
        self.undone.clear()
        self._looks_done = False

    def clear(self) -> None:
        """Forget all: the labels were replaced."""
        self.done.clear()
        self.undone.clear()

    def pass_over(self) -> None:
        """Take the labels as they are for none of these steps: they are of an older."""
        labels, undone = self._layer.data, self.undone
        self._looks_done = bool(undone) and _holds(labels, undone[-1])

    def steps(self) -> Iterator[tuple[Literal["undo", "redo"], Patch]]:
        """Return what was done since the last call: each step, and what it changed."""
        labels = self._layer.data
        while self.done and self._taken_back(labels):
            patch = self.done.pop()
            self.undone.append(patch)
            yield "undo", patch.inverse()
        while self.undone and not self._looks_done and _holds(labels, self.undone[-1]):
            patch = self.undone.pop()
            self.done.append(patch)
            yield "redo", patch

    def _taken_back(self, labels: Any) -> bool:
        """Whether napari took back the last edit; it may have deleted it again."""
        last = self.done[-1]
        if not _holds(labels, last.inverse()):
            return False
        if not self.undone or not _holds(labels, self.undone[-1]):
            return True
        return redo_brings(self._layer, lambda: _holds(labels, last))


def _holds(labels: Any, patch: Patch) -> bool:
    """Whether labels are as they are after a change; most often one pixel tells."""
    first = np.unravel_index(int(patch.starts[0]), patch.shape)
    if tuple(labels.shape) != patch.shape or int(labels[first]) != patch.after[0]:
        return False
    return patch.inverse().fits(labels)
