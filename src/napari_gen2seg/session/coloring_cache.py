"""Cache of colorings in memory: the least recently used leave first."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari_gen2seg.core.coloring import Coloring

Made = tuple[Hashable, ...]  # everything besides the view that decides a coloring


class ColoringCache:
    """Colorings by view and by what made them, under a limit of bytes.

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

    def put(self, view: Hashable, source: str, made: Made, coloring: Coloring) -> None:
        """Keep a coloring and make it the one shown for its view."""
        self._kept[view, made] = coloring
        self._kept.move_to_end((view, made))
        self._shown[view] = made
        self._source[view] = source
        while len(self._kept) > 1 and self.size > self.limit:
            (old, made_by), _ = self._kept.popitem(last=False)
            if self._shown.get(old) == made_by:
                del self._shown[old]

    def shown(self, view: Hashable) -> Coloring | None:
        """Return the coloring shown for a view, or None."""
        made = self._shown.get(view)
        if made is None:
            return None
        self._kept.move_to_end((view, made))
        return self._kept[view, made]

    def made(self, view: Hashable) -> Made | None:
        """Return what made the coloring shown for a view, or None."""
        return self._shown.get(view)

    def show(self, view: Hashable, made: Made) -> Coloring | None:
        """Show a kept coloring for its view; None if it was not kept."""
        coloring = self._kept.get((view, made))
        if coloring is not None:
            self._shown[view] = made
            self._kept.move_to_end((view, made))
        return coloring

    def forget(self, source: str) -> None:
        """Drop everything that belongs to a layer."""
        gone = {view for view, owner in self._source.items() if owner == source}
        for view in gone:
            self._shown.pop(view, None)
            del self._source[view]
        for entry in [entry for entry in self._kept if entry[0] in gone]:
            del self._kept[entry]

    @property
    def size(self) -> int:
        """Bytes of color values kept."""
        return sum(
            part.nbytes
            for coloring in self._kept.values()
            for part in (
                coloring.values,
                coloring.extra_maps,
                coloring.brightness_image,
                coloring.instances,
                coloring.image,
            )
            if part is not None
        )

    def __len__(self) -> int:
        return len(self._kept)
