"""Which number the object being clicked has, beside those that are there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_gen2seg.gui.commit import CommitError

if TYPE_CHECKING:
    from napari_gen2seg.gui.clicks import Clicks
    from napari_gen2seg.gui.objects import Objects


class Numbers:
    """Keeps the object being clicked from taking the number of another.

    Only an object that a person went back to is replaced by the next commit.

    Parameters
    ----------
    clicks, objects
        What is being clicked, and where it goes.
    """

    def __init__(self, clicks: Clicks, objects: Objects) -> None:
        self._clicks, self._objects = clicks, objects
        self._back_in: str | None = None  # layer in which an object was gone back to

    def go_on(self) -> None:
        """Go on to a free number."""
        self._clicks.number = self._free()
        self._back_in = None

    def go_back(self, number: int, layer: str | None = None) -> None:
        """Go to a number, meaning the object that has it in a layer.

        Parameters
        ----------
        number
            The object.
        layer
            Name of the Labels layer; by default the one that takes the objects.
        """
        self._clicks.number = max(1, number)
        meant = layer in (None, self._objects.name)
        self._back_in = self._objects.layer_id if meant else None

    def take_up(self, number: int) -> None:
        """Go on with an object that was clicked but never kept: it replaces none."""
        self._clicks.number = number
        self._back_in = None

    @property
    def taken(self) -> bool:
        """Whether another object may have the number."""
        return not self._back() and self._clicks.number <= self._objects.highest

    def settle(self) -> None:
        """Take a free number, and the clicks along, if this one is taken.

        Raises
        ------
        CommitError
            If that is not known yet.
        """
        if not self._back() and not self._objects.known:
            raise CommitError(
                f"The objects of {self._objects.name!r} are still being counted, so "
                "that this one gets a free number. Commit it in a moment, or choose a "
                "number."
            )
        if self.taken:
            self._clicks.renumber(self._free())

    def _back(self) -> bool:
        return self._back_in is not None and self._back_in == self._objects.layer_id

    def _free(self) -> int:
        return max(self._objects.highest, self._clicks.highest()) + 1
