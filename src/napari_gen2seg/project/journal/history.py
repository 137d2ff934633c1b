"""Undo and redo: which acts can be taken back, and which done again."""

from __future__ import annotations

from collections import deque

from napari_gen2seg.project.journal.act import Act

DEPTH = 100
"""Acts that can be taken back."""


class History:
    """Two stacks of acts."""

    def __init__(self, depth: int = DEPTH) -> None:
        self.done: deque[Act] = deque(maxlen=depth)
        self.undone: list[Act] = []

    def add(self, act: Act) -> None:
        """Take note of an act that was recorded."""
        if act.kind == "undo":
            if self.done:
                self.undone.append(self.done.pop())
        elif act.kind == "redo":
            if self.undone:
                self.done.append(self.undone.pop())
        elif act.kind == "rename":
            self._rename(str(act.values["class"]), str(act.values["name"]))
        elif act.undoable:
            self.done.append(act)
            self.undone.clear()

    def _rename(self, old: str, new: str) -> None:
        """Give a class its new name in what can be taken back or done again, too."""
        done = [act.with_renamed_class(old, new) for act in self.done]
        self.done = deque(done, self.done.maxlen)
        self.undone = [act.with_renamed_class(old, new) for act in self.undone]

    def undo(self) -> Act | None:
        """Return the act that takes the latest one back; `add` it when recorded."""
        return self.done[-1].reverse() if self.done else None

    def redo(self) -> Act | None:
        """Return the act that does again what was undone last."""
        return self.undone[-1].again() if self.undone else None
