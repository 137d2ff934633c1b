"""Undo and redo of whatever was done: clicks, commits, tools, drops, edits by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from qtpy.QtCore import QObject, Signal

from napari_gen2seg.gui.annotate.redo import TakenBack

if TYPE_CHECKING:
    from napari_gen2seg.gui.annotate.class_giver import ClassGiver
    from napari_gen2seg.gui.annotate.current_object import CurrentObject
    from napari_gen2seg.gui.annotate.labels_layer import Objects
    from napari_gen2seg.gui.annotate.object_numbers import ObjectNumbers
    from napari_gen2seg.gui.annotate.points_layer import Clicks
    from napari_gen2seg.gui.annotate.redo import RedoStack
    from napari_gen2seg.gui.annotate.review import ProposalReview
    from napari_gen2seg.gui.layers.source import Source


class EarlierActs(Protocol):
    """What was done to labels before all that is remembered here.

    That is in the session before, or by napari's own tools.
    """

    def undo_earlier(self) -> str:
        """Take back the latest of it; say what, "" for nothing."""

    def redo_earlier(self, layer_id: str) -> str:
        """Do again in a layer what was taken back last; say what, "" for nothing."""


class History(QObject):
    """What a person takes back and does again, the newest first.

    Clicks, commits (and whatever else is written into the labels), drops and classes
    are remembered where they are done, each with the number of its act; the highest
    number is the newest.

    Parameters
    ----------
    source
        Which view is in sight.
    clicks, objects, numbers, review, classes
        Where things were done.
    stack
        What was taken back.
    current
        The object being clicked.
    parent
        Deleted with it.

    Attributes
    ----------
    earlier
        Where undo goes on when nothing is left of what is remembered here.
    """

    status_changed = Signal(str)  # what just happened, for the status line

    def __init__(
        self,
        source: Source,
        clicks: Clicks,
        objects: Objects,
        numbers: ObjectNumbers,
        review: ProposalReview,
        classes: ClassGiver,
        stack: RedoStack,
        current: CurrentObject,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._source, self._clicks, self._objects = source, clicks, objects
        self._numbers, self._review, self._classes = numbers, review, classes
        self._stack, self._current = stack, current
        self.earlier: EarlierActs | None = None

    def undo(self) -> None:
        """Take back the last act: a click of this object, or any other."""
        view = self._source.view
        pending = view is not None and len(self._current.prompts) > 0
        if view is not None and pending and self._clicks.newest(view) >= self._newest:
            gone = self._current.take_click(view)
            if gone is not None:
                self._stack.push(TakenBack(self._current.number, gone))
            self.status_changed.emit("Took back the last click.")
            return
        self.undo_commit()

    def redo(self) -> None:
        """Do again what was taken back last: a click, cleared clicks, or a commit."""
        act = self._stack.pop()
        if act is None:
            if self._stack.ended or not self._redo_earlier(self._objects.layer_id):
                self.status_changed.emit("Nothing to do again.")
            return
        if act.earlier is not None:
            if not self._redo_earlier(act.earlier):
                self._refuse_redo()
            return
        if act.dropped is not None:
            self._review.redo_drop(act.dropped)
            self.status_changed.emit(f"Dropped {act.dropped.name} again.")
            return
        if act.classed is not None:
            self._classes.redo(act.classed)
            return
        if act.edited is not None:
            self._objects.redo_edit(act.edited)
            self.status_changed.emit("The edit by hand is back.")
            return
        if act.commit is not None and not self._objects.redo(act.commit):
            self._refuse_redo()
            return
        if act.rows is not None:
            self._clicks.put_back(act.rows)
        if act.commit is None:
            self.status_changed.emit("Clicked again.")
            self._current.show_object()
            return
        if act.commit.rows is not None:
            self._clicks.take_again(act.commit.rows)
        if act.rows is not None:
            self._numbers.take_up(act.number)
        elif not (act.commit.name and len(self._current.prompts)):
            self._numbers.go_on()
        self._current.show_object()
        name = act.commit.name or f"Object {act.commit.written.number}"
        self.status_changed.emit(f"{name[0].upper()}{name[1:]}: back again.")

    @property
    def _newest(self) -> int:
        """The number of the newest act that is no click; 0 for none."""
        return max(
            self._objects.log.newest, self._review.dropped.newest, self._classes.newest
        )

    def undo_commit(self) -> None:
        """Take back the last act but clicks; labels through their layer's own undo."""
        now, newest = self._current.number, self._newest
        if newest and newest == self._classes.newest:
            self._stack.push(TakenBack(now, classed=self._classes.undo()))
            return
        if newest and newest == self._review.dropped.newest:
            dropped = self._review.undo_drop()
            if dropped is not None:
                self._stack.push(TakenBack(now, dropped=dropped))
                self.status_changed.emit(f"Took back dropping {dropped.name}.")
            return
        undone = self._objects.undo()
        if undone is None:
            self._undo_earlier()
        elif undone[1] is None:
            self._stack.push(TakenBack(now, edited=self._objects.undone_in))
            self.status_changed.emit(
                f"Took back the last edit by hand in {undone[0]!r}."
            )
        elif self._objects.undone is not None and self._objects.undone.name:
            self._stack.push(TakenBack(now, commit=self._objects.undone))
            if self._objects.undone.rows is not None:
                self._clicks.put_back(self._objects.undone.rows)
            if not len(self._current.prompts):
                self._current.next_object()
            self._current.read_clicks()
            self.status_changed.emit(f"Took back {self._objects.undone.name}.")
        else:
            gone = None
            if now != undone[1] and now > self._objects.tally.highest:
                # Nobody would see these clicks, and the next would skip a number.
                gone = self._clicks.take_object(now)
            self._numbers.go_back(undone[1], undone[0])
            self._current.show_object()
            gone = self._current.take_single() or gone
            self._stack.push(TakenBack(now, gone, self._objects.undone))
            here = "; its clicks are here again" if len(self._current.prompts) else ""
            self.status_changed.emit(f"Took back object {undone[1]}{here}.")

    # ---- what was done before

    def _undo_earlier(self) -> None:
        layer_id, said = self._objects.layer_id, ""
        if self.earlier is not None:
            said = self.earlier.undo_earlier()
        if said:
            self._stack.push(TakenBack(self._current.number, earlier=layer_id))
        self.status_changed.emit(
            f"Took back {said}." if said else "Nothing to take back."
        )

    def _redo_earlier(self, layer_id: str | None) -> bool:
        if self.earlier is None or layer_id is None:
            return False
        said = self.earlier.redo_earlier(layer_id)
        if said:
            self.status_changed.emit(f"Did {said} again.")
        return bool(said)

    def _refuse_redo(self) -> None:
        self._stack.clear()
        self.status_changed.emit("That cannot be done again: it was edited since.")
