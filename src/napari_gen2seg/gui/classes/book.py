"""Which classes there are: those of the project, or the person's own."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import QObject, Signal

from napari_gen2seg.errors import Gen2SegError
from napari_gen2seg.project.facts import ObjectClass
from napari_gen2seg.project.project import Project

if TYPE_CHECKING:
    from napari_gen2seg.gui.settings import Memory

PALETTE = (
    "#e69f00",
    "#56b4e9",
    "#009e73",
    "#f0e442",
    "#0072b2",
    "#d55e00",
    "#cc79a7",
    "#b15dff",
    "#8dd35f",
)
"""Told apart by nearly everybody, on dark and on light images."""


class ClassBook(QObject):
    """The list of classes; each has a color, and the first nine have a key.

    Parameters
    ----------
    memory
        Keeps those that belong to no project.
    parent
        Deleted with it.
    """

    changed = Signal()
    warning = Signal(str)

    def __init__(self, memory: Memory, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._memory = memory
        self.project: Path | None = None  # whose classes they are
        self.classes = dressed(_remembered(memory))

    @property
    def colors(self) -> dict[str, str]:
        """Name of a class -> its color, ``#rrggbb``."""
        return {one.name: one.color for one in self.classes}

    def follow(self, project: Path | None) -> None:
        """Take the classes of a project, or the person's own where there is none."""
        self.project = project
        found = self.classes
        try:
            if project is None:
                found = dressed(_remembered(self._memory))
            else:
                found = dressed(Project.open(project).facts.classes)
        except Gen2SegError as error:
            self.warning.emit(str(error))
        if found != self.classes:
            self.classes = found
            self.changed.emit()

    def add(self, name: str) -> None:
        """Add a class at the end."""
        name = name.strip()
        if name and all(one.name != name for one in self.classes):
            self._set([*self.classes, ObjectClass(name)])

    def remove(self, name: str) -> None:
        """Take a class off the list; objects that have it keep it."""
        self._set([one for one in self.classes if one.name != name])

    def recolor(self, name: str, color: str) -> None:
        """Give a class another color, ``#rrggbb``."""
        self._set(
            [
                replace(one, color=color) if one.name == name else one
                for one in self.classes
            ]
        )

    def give_key(self, name: str, key: int) -> None:
        """Give a class another key, 1 to 9; the class that has it takes its own."""
        mine = next((one.key for one in self.classes if one.name == name), None)
        self._set(
            [
                replace(one, key=key)
                if one.name == name
                else replace(one, key=mine)
                if one.key == key
                else one
                for one in self.classes
            ]
        )

    def rename(self, old: str, new: str) -> None:
        """Give one of the person's own classes another name; see `ClassRenamer`."""
        self._set(
            [replace(one, name=new) if one.name == old else one for one in self.classes]
        )

    def _set(self, classes: Sequence[ObjectClass]) -> None:
        found = dressed(classes)
        try:
            if self.project is not None:
                Project.open(self.project).with_classes(found)
            else:
                rows = [[one.name, one.color, one.key] for one in found]
                self._memory.set("classes", json.dumps(rows, ensure_ascii=False))
        except Gen2SegError as error:
            self.warning.emit(str(error))
            return
        self.classes = found
        self.changed.emit()


def dressed(classes: Sequence[ObjectClass]) -> tuple[ObjectClass, ...]:
    """Return classes with a color each, and with keys as long as there are any."""
    taken = {one.color for one in classes}
    free = [color for color in PALETTE if color not in taken]
    keys = {one.key for one in classes}
    left = [digit for digit in range(1, 10) if digit not in keys]
    found = []
    for place, one in enumerate(classes):
        color = one.color or (free.pop(0) if free else PALETTE[place % len(PALETTE)])
        key = one.key or (left.pop(0) if left else None)
        found.append(replace(one, color=color, key=key))
    return tuple(found)


def _remembered(memory: Memory) -> list[ObjectClass]:
    """Read the person's own classes; what is damaged counts as none."""
    try:
        rows = json.loads(memory.get("classes") or "[]")
        # Once they were kept without keys.
        return [
            ObjectClass(str(name), str(color), *(int(key) for key in keys if key))
            for name, color, *keys in rows
        ]
    except (ValueError, TypeError):
        return []
