"""What was done to labels and proposals, to be undone and done again.

An act is one step for a person, however much it changed. Where another program keeps
the history of the labels (napari does), it alone is enough: the review follows them.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from napari_gen2seg.common.types import LabelArray
from napari_gen2seg.core.objects.patch import LabelPatch
from napari_gen2seg.core.objects.review import Review


@dataclass(frozen=True, eq=False)
class Act:
    """One step.

    Attributes
    ----------
    name
        In words, as a menu shows it after Undo: "keep 12 objects".
    patch
        The change of the labels; None if there is none.
    dropped, restored
        Candidates that it dropped, and that it took back.
    """

    name: str
    patch: LabelPatch | None = None
    dropped: tuple[int, ...] = ()
    restored: tuple[int, ...] = ()

    def reversed(self) -> Act:
        """Return the act that takes this one back."""
        patch = None if self.patch is None else self.patch.reversed()
        return Act(self.name, patch, self.restored, self.dropped)

    def on(self, review: Review, labels: LabelArray) -> Review:
        """Carry it out: write into labels, int (H, W), and return the review after."""
        if self.dropped:
            review = review.dropping(self.dropped)
        if self.restored:
            review = review.dropping(self.restored, False)
        if self.patch:
            self.patch.apply(labels)
            review = review.seen(labels, self.patch.box)
        return review


@dataclass
class Acts:
    """The acts of one plane: what can be undone, and done again.

    Parameters
    ----------
    most
        How many are remembered.
    """

    most: int = 200
    _done: list[Act] = field(default_factory=list)
    _undone: list[Act] = field(default_factory=list)

    def add(self, act: Act) -> None:
        """Remember an act that was carried out; what was undone cannot be redone."""
        self._undone.clear()
        self._done.append(act)
        del self._done[: -self.most]

    def undo(self) -> Act | None:
        """Return the act that takes the last one back; None if there is none."""
        if not self._done:
            return None
        self._undone.append(self._done.pop())
        return self._undone[-1].reversed()

    def redo(self) -> Act | None:
        """Return the act that was undone last; None if there is none."""
        if not self._undone:
            return None
        self._done.append(self._undone.pop())
        return self._done[-1]

    @property
    def undoable(self) -> str | None:
        """Name of what `undo` takes back."""
        return self._done[-1].name if self._done else None

    @property
    def redoable(self) -> str | None:
        """Name of what `redo` does again."""
        return self._undone[-1].name if self._undone else None
