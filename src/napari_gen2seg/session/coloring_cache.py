"""Colorings kept in memory, the least recently used leaving first."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari_gen2seg.core.coloring import Coloring

Made = tuple[Hashable, ...]  # everything besides the plane that decides a coloring


class ColoringStore:
    """Colorings by plane and by what made them, under a limit of bytes.

    Parameters
    ----------
    limit
        Bytes of colour values kept, at least one coloring. What was prepared for
        probing comes on top and leaves with its coloring.
    """

    def __init__(self, limit: int = 1 << 30) -> None:
        self.limit = limit
        self._kept: OrderedDict[tuple[Hashable, Made], Coloring] = OrderedDict()
        self._shown: dict[Hashable, Made] = {}
        self._source: dict[Hashable, str] = {}

    def put(self, plane: Hashable, source: str, made: Made, coloring: Coloring) -> None:
        """Keep a coloring and make it the one shown for its plane."""
        self._kept[plane, made] = coloring
        self._kept.move_to_end((plane, made))
        self._shown[plane] = made
        self._source[plane] = source
        while len(self._kept) > 1 and self.size > self.limit:
            (old, made_by), _ = self._kept.popitem(last=False)
            if self._shown.get(old) == made_by:
                del self._shown[old]

    def shown(self, plane: Hashable) -> Coloring | None:
        """Return the coloring shown for a plane, or None."""
        made = self._shown.get(plane)
        if made is None:
            return None
        self._kept.move_to_end((plane, made))
        return self._kept[plane, made]

    def made(self, plane: Hashable) -> Made | None:
        """Return what made the coloring shown for a plane, or None."""
        return self._shown.get(plane)

    def show(self, plane: Hashable, made: Made) -> Coloring | None:
        """Show a kept coloring for its plane; None if it was not kept."""
        coloring = self._kept.get((plane, made))
        if coloring is not None:
            self._shown[plane] = made
            self._kept.move_to_end((plane, made))
        return coloring

    def forget(self, source: str) -> None:
        """Drop everything that belongs to a layer."""
        gone = {plane for plane, owner in self._source.items() if owner == source}
        for plane in gone:
            self._shown.pop(plane, None)
            del self._source[plane]
        for entry in [entry for entry in self._kept if entry[0] in gone]:
            del self._kept[entry]

    @property
    def size(self) -> int:
        """Bytes of colour values kept."""
        return sum(
            part.nbytes
            for coloring in self._kept.values()
            for part in (coloring.values, coloring.more, coloring.picture)
            if part is not None
        )

    def __len__(self) -> int:
        return len(self._kept)
