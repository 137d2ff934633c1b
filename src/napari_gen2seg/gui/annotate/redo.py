"""What was taken back and can be done again: clicks, commits, dropped proposals."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from napari_gen2seg.common.text import count_text
from napari_gen2seg.project.journal.act import renamed

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from napari_gen2seg.core.candidates import CandidateSet
    from napari_gen2seg.gui.annotate.written import Commit
    from napari_gen2seg.gui.layers.view import View


@dataclass(frozen=True)
class Rows:
    """Rows of the Points layer that were removed.

    Parameters
    ----------
    layer_id
        ``unique_id`` of the layer.
    data
        (n, ndim) positions.
    signs, objects
        (n,) the columns of its features table.
    """

    layer_id: str
    data: npt.NDArray[np.float64]
    signs: npt.NDArray[np.int64]
    objects: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.data)


@dataclass(frozen=True)
class Dropped:
    """Proposals that were dropped.

    Parameters
    ----------
    view, candidates
        The plane, and its candidates then.
    indices
        Which of them.
    tick
        Rises with every act, that of a commit too.
    """

    view: View
    candidates: CandidateSet
    indices: tuple[int, ...]
    tick: int

    @property
    def name(self) -> str:
        """How many, in words."""
        count = len(self.indices)
        return "a proposal" if count == 1 else count_text(count, "proposal")


@dataclass(frozen=True)
class Classed:
    """Classes that objects were given.

    Parameters
    ----------
    layer_id
        ``unique_id`` of the Labels layer.
    given, before
        Object -> name of its class, now and before; None for none.
    tick
        Rises with every act.
    """

    layer_id: str
    given: Mapping[int, str | None]
    before: Mapping[int, str | None]
    tick: int

    @property
    def name(self) -> str:
        """What it is, in words."""
        count = len(self.given)
        if count == 1:
            return f"the class of object {next(iter(self.given))}"
        return f"the class of {count_text(count, 'object')}"

    def with_renamed_class(self, old: str, new: str) -> Classed:
        """Return the same, with another name for a class."""
        return replace(
            self,
            given=renamed(self.given, old, new),
            before=renamed(self.before, old, new),
        )


@dataclass(frozen=True)
class ClassRenamed:
    """A class that was given another name.

    Parameters
    ----------
    layer_id
        ``unique_id`` of the Labels layer that was worked on.
    old, new
        Its names.
    tick
        Rises with every act.
    """

    layer_id: str
    old: str
    new: str
    tick: int

    @property
    def name(self) -> str:
        """What it is, in words."""
        return f"the name {self.new!r} of a class"


@dataclass(frozen=True)
class TakenBack:
    """One act that was taken back.

    Parameters
    ----------
    number
        Object that was being clicked before it was taken back.
    rows
        Clicks that went; None where none did.
    commit
        The commit that went; None where it was only clicks.
    edited
        ``unique_id`` of the layer in which an edit by hand was taken back.
    dropped
        Proposals that are shown again.
    classed
        Classes that objects have no longer, or a name that a class has no longer.
    earlier
        ``unique_id`` of the layer in which an act of `EarlierActs` was taken back.
    """

    number: int
    rows: Rows | None = None
    commit: Commit | None = None
    edited: str | None = None
    dropped: Dropped | None = None
    classed: Classed | ClassRenamed | None = None
    earlier: str | None = None


class RedoStack:
    """Acts that were taken back, the newest last; any new act empties it."""

    def __init__(self) -> None:
        self._acts: list[TakenBack] = []
        self.ended = False  # by a new act: what was taken back before it is past

    def __len__(self) -> int:
        return len(self._acts)

    def push(self, act: TakenBack) -> None:
        """Keep an act that was taken back."""
        self.ended = False
        self._acts.append(act)

    def pop(self) -> TakenBack | None:
        """Return the act that was taken back last, and keep it no longer."""
        return self._acts.pop() if self._acts else None

    def rename_class(self, old: str, new: str) -> None:
        """Give a class its new name in what can be done again."""
        self._acts = [
            replace(act, classed=act.classed.with_renamed_class(old, new))
            if isinstance(act.classed, Classed)
            else act
            for act in self._acts
        ]

    def clear(self) -> None:
        """Forget all: something new was done."""
        self.ended = True
        self._acts.clear()
