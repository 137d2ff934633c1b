"""Objects on their way through a stack: how far they got, and where some stopped."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari_gen2seg.common.types import LabelArray
    from napari_gen2seg.core.objects.carry import Carried, Courses
    from napari_gen2seg.core.objects.patch import LabelPatch
    from napari_gen2seg.gui.layers.view import View

_SAID = 1  # objects of which it is said where they stopped


@dataclass(eq=False)
class Carrying:
    """Objects that are carried from plane to plane, and written at the end.

    Attributes
    ----------
    before
        int (H, W), the plane that they reached last.
    live
        Those that go on.
    begun
        How many set out.
    axis
        Of the layer, along which.
    courses
        Where what narrows and widens again is another object; else None.
    patches
        What is to be written, plane by plane.
    stopped
        Object, plane and reason.
    """

    before: LabelArray
    live: set[int]
    begun: int
    axis: int
    courses: Courses | None = None
    patches: list[tuple[View, LabelPatch]] = field(default_factory=list)
    stopped: list[tuple[int, int, str]] = field(default_factory=list)

    def arrived(self, view: View, taken: LabelArray, carried: Carried) -> None:
        """Take what was found on the next plane, into its labels ``taken`` as well."""
        at = view.index[self.axis]
        self.stopped += [(n, at, why) for n, why in carried.stopped.items()]
        self.live = set(carried.overlaps)
        if carried.patch:
            carried.patch.apply(taken)
            self.before = taken
            self.patches.append((view, carried.patch))
            self._part(carried, at)

    def _part(self, carried: Carried, at: int) -> None:
        """Let go of what has passed a neck, back to where it did."""
        if self.courses is None:
            return
        for number, begin in self.courses.beyond_neck(carried).items():
            self.live.discard(number)
            self.stopped.append((number, at, "it narrows before, and widens again"))
            for place in range(begin - 1, len(self.patches)):
                view, patch = self.patches[place]
                self.patches[place] = view, patch.without([number])

    def finish(self) -> None:
        """Leave out the planes on which nothing is left to be written."""
        self.patches = [one for one in self.patches if one[1].numbers.size]

    @property
    def name(self) -> str:
        """What can be taken back, in words: "carrying an object over 3 planes"."""
        objects = "an object" if self.begun == 1 else f"{self.begun} objects"
        planes = "a plane" if len(self.patches) == 1 else f"{len(self.patches)} planes"
        return f"carrying {objects} over {planes}"

    @property
    def told(self) -> str:
        """How far they got, and where some stopped, in words."""
        text = self.name if self.patches else "nothing was carried"
        if self.stopped:
            where = [
                f"object {number} at plane {at} ({why})"
                for number, at, why in self.stopped[-_SAID:]
            ]
            more = len(self.stopped) - len(where)
            rest = f" and {more} more" if more else ""
            text += f"; stopped: {', '.join(where)}{rest}"
        return f"{text[0].upper()}{text[1:]}."
