"""Objects on their way through a stack: how far they got, and where some stopped."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import numpy as np

from napari_gen2seg.common.text import count_text, names_text
from napari_gen2seg.common.types import LabelArray
from napari_gen2seg.core.convex_runs import convex_runs
from napari_gen2seg.core.objects.carry import Carried
from napari_gen2seg.core.objects.patch import LabelPatch

Place = TypeVar("Place")  # what names a plane: its number, or a view of it

_SAID = 1  # objects of which it is said where they stopped


@dataclass(eq=False)
class Carrying(Generic[Place]):
    """Objects that are carried from plane to plane, and written at the end.

    Attributes
    ----------
    before
        int (H, W), the plane that they reached last.
    live
        Those that go on.
    begun
        How many set out.
    courses
        Where what narrows and widens again is another object; else None.
    patches
        What is to be written, plane by plane.
    stopped
        Object, number of the plane and reason.
    """

    before: LabelArray
    live: set[int]
    begun: int
    courses: Courses | None = None
    patches: list[tuple[Place, LabelPatch]] = field(default_factory=list)
    stopped: list[tuple[int, int, str]] = field(default_factory=list)

    @classmethod
    def begin(
        cls, plane: LabelArray, numbers: Collection[int], part: bool
    ) -> Carrying[Place]:
        """Set out from a plane.

        Parameters
        ----------
        plane
            int (H, W); not changed.
        numbers
            The objects, all of which are on it.
        part
            Whether an object ends at a neck, and another begins behind it.
        """
        courses = Courses(plane, numbers) if part else None
        return cls(plane.copy(), set(numbers), len(numbers), courses)

    def arrived(
        self, place: Place, at: int, taken: LabelArray, carried: Carried
    ) -> None:
        """Take what was found on the next plane.

        Parameters
        ----------
        place, at
            The plane, and its number for people.
        taken
            int (H, W), its labels; what was carried is written into them.
        carried
            What was found.
        """
        self.stopped += [(n, at, why) for n, why in carried.stopped.items()]
        self.live = set(carried.overlaps)
        if carried.patch:
            carried.patch.apply(taken)
            self.before = taken
            self.patches.append((place, carried.patch))
            self._part(carried, at)

    def _part(self, carried: Carried, at: int) -> None:
        """Let go of what has passed a neck, back to where it did."""
        if self.courses is None:
            return
        for number, begin in self.courses.beyond_neck(carried).items():
            self.live.discard(number)
            self.stopped.append((number, at, "it narrows before, and widens again"))
            for index in range(begin - 1, len(self.patches)):
                place, patch = self.patches[index]
                self.patches[index] = place, patch.without([number])

    def finish(self) -> None:
        """Leave out the planes on which nothing is left to be written."""
        self.patches = [one for one in self.patches if one[1].numbers.size]

    @property
    def name(self) -> str:
        """What can be taken back, in words: "carrying an object over 3 planes"."""
        return f"carrying {self._objects} over {self._planes}"

    @property
    def told(self) -> str:
        """How far they got, and where some stopped, in words."""
        text = "nothing was carried"
        if self.patches:
            text = f"carried {self._objects} to {self._planes}"
        if self.stopped:
            where = [
                f"object {number} at plane {at} ({why})"
                for number, at, why in reversed(self.stopped)
            ]
            text += f"; stopped: {names_text(where, _SAID)}"
        return f"{text[0].upper()}{text[1:]}."

    @property
    def _objects(self) -> str:
        return "an object" if self.begun == 1 else count_text(self.begun, "object")

    @property
    def _planes(self) -> str:
        count = len(self.patches)
        return "a plane" if count == 1 else count_text(count, "plane")


class Courses:
    """How large carried objects were plane by plane, to see where each one ends.

    In depth an object often lies right behind another. Carried on, it narrows to a neck
    and widens again: from there on it is the other one.

    Parameters
    ----------
    before
        int (H, W), the plane from which they set out.
    numbers
        The objects.
    """

    def __init__(self, before: LabelArray, numbers: Iterable[int]) -> None:
        areas = np.bincount(np.maximum(before, 0).ravel())
        self._courses = {n: [(0, int(areas[n]), 0.0)] for n in numbers}
        self._planes = 0

    def beyond_neck(self, carried: Carried) -> dict[int, int]:
        """Take the next plane; tell which objects have passed a neck by now.

        Returns
        -------
        dict
            Object -> the plane, counted from 1, from which on it is another one.
        """
        self._planes += 1
        found = {}
        patch = carried.patch
        areas = np.bincount(patch.after[patch.changed].astype(np.intp), minlength=1)
        for number, overlap in carried.overlaps.items():
            course = self._courses[number]
            area = int(areas[number]) if number < areas.size else 0
            course.append((self._planes, area, 1 - overlap))
            runs = convex_runs(course)
            if len(runs) > 1:
                found[number] = course[runs[0][1]][0]
        return found
