"""Classes given to kept objects: by a key where the pointer is, taken back, redone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Protocol

from qtpy.QtCore import QObject, Signal

from napari_gen2seg.gui.annotate.redo import Classed, ClassRenamed

if TYPE_CHECKING:
    from napari_gen2seg.gui.annotate.labels_layer import Objects
    from napari_gen2seg.gui.annotate.object_numbers import ObjectNumbers
    from napari_gen2seg.gui.annotate.redo import RedoStack
    from napari_gen2seg.gui.layers.source import Source
    from napari_gen2seg.project.facts import ObjectClass


class ClassStore(Protocol):
    """Where the classes of the objects are kept, object -> name; None for none."""

    @property
    def classes(self) -> Mapping[int, str]:
        """Those of the layer that takes the objects."""

    def give_classes(self, classes: Mapping[int, str | None]) -> None:
        """Keep other ones."""

    def take_classes_back(
        self, given: Mapping[int, str | None], before: Mapping[int, str | None]
    ) -> None:
        """Keep again what was before."""

    def give_classes_again(self, given: Mapping[int, str | None]) -> None:
        """Keep once more what was taken back."""


class ClassGiver(QObject):
    """Gives classes to objects, one step each.

    Parameters
    ----------
    source
        Over which view the pointer is.
    objects, numbers
        What has classes, and which object was gone back to.
    redo_stack
        Emptied by anything new.
    parent
        Deleted with it.
    """

    status_changed = Signal(str)  # what just happened
    rename_requested = Signal(str, str)  # a class, by its name, and its other name

    def __init__(
        self,
        source: Source,
        objects: Objects,
        numbers: ObjectNumbers,
        redo_stack: RedoStack,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._source = source
        self._objects, self._numbers = objects, numbers
        self._redo_stack = redo_stack
        self._acts: list[Classed | ClassRenamed] = []
        self.store: ClassStore | None = None
        self.classes: tuple[ObjectClass, ...] = ()  # there are

    # ---- verbs

    def press(self, digit: int) -> None:
        """Give a class to the object under the pointer, or to that gone back to."""
        number = self._under_pointer()
        if not number and self._numbers.back:
            number = self._numbers.current
        self.give_key([number] if number else [], digit)

    def give_key(self, numbers: Iterable[int], digit: int) -> None:
        """Give objects the class that has a digit; 0 takes it away."""
        chosen = next((one for one in self.classes if one.key == digit), None)
        numbers = list(numbers)
        if numbers and chosen is None and digit:
            self.status_changed.emit(f"No class has the key {digit}; see Classes.")
        else:
            self.give(numbers, None if chosen is None else chosen.name)

    def give(self, numbers: Iterable[int], name: str | None) -> None:
        """Give objects a class, as one step; None takes it away."""
        layer, store = self._objects.layer_id, self.store
        known = {} if store is None else dict(store.classes)
        given = {int(n): name for n in numbers if n > 0}
        if layer is None or store is None or not given:
            self.status_changed.emit("No object is there; point at one that is kept.")
            return
        before = {n: known.get(n) for n in given}
        if before != given:
            self._redo_stack.clear()
            tick = self._objects.log.tick()
            self._acts.append(Classed(layer, given, before, tick))
            store.give_classes(given)
        self.status_changed.emit(_said(given, name))

    def note_rename(self, old: str, new: str) -> None:
        """Take note that a class has another name: one step, which can be taken back.

        Nothing of what was done before is lost by it.
        """
        self._call_otherwise(old, new)
        if (layer := self._objects.layer_id) is not None:
            self._redo_stack.clear()
            self._acts.append(ClassRenamed(layer, old, new, self._objects.log.tick()))
        self.status_changed.emit(f"The class {old!r} is called {new!r} now.")

    # ---- back and forth

    @property
    def newest(self) -> int:
        """The number of the newest act that can be taken back; 0 for none."""
        layer = self._objects.layer_id
        while self._acts and self._acts[-1].layer_id != layer:
            self._acts.pop()  # another layer takes the objects now
        return self._acts[-1].tick if self._acts and self.store is not None else 0

    def undo(self) -> Classed | ClassRenamed | None:
        """Take the last act back; return it, None where there is none."""
        if not self.newest or self.store is None:
            return None
        act = self._acts.pop()
        if isinstance(act, ClassRenamed):
            self._call_otherwise(act.new, act.old)
            self.rename_requested.emit(act.new, act.old)
            return act
        self.store.take_classes_back(act.given, act.before)
        self.status_changed.emit(f"Took back {act.name}.")
        return act

    def redo(self, act: Classed | ClassRenamed) -> None:
        """Do again what was taken back."""
        if isinstance(act, ClassRenamed):
            self._call_otherwise(act.old, act.new)
            self._acts.append(act)
            self.rename_requested.emit(act.old, act.new)
        elif self.store is not None and act.layer_id == self._objects.layer_id:
            self._acts.append(act)
            self.store.give_classes_again(act.given)
            self.status_changed.emit(_said(act.given, *set(act.given.values())))

    # ---- inside

    def _call_otherwise(self, old: str, new: str) -> None:
        """Give a class its new name in what can be taken back or done again."""
        self._acts = [
            act.with_renamed_class(old, new) if isinstance(act, Classed) else act
            for act in self._acts
        ]
        self._redo_stack.rename_class(old, new)

    def _under_pointer(self) -> int:
        """Return the object under the pointer; 0 for none."""
        view, place = self._source.view, self._source.pointed
        return 0 if view is None or place is None else self._objects.at(view, place)


def _said(given: Mapping[int, str | None], name: str | None) -> str:
    if len(given) == 1:
        whose = f"Object {next(iter(given))}"
    else:
        whose = f"{len(given)} objects"
    return f"{whose}: {name or 'no class'}"
