"""The Labels layer that takes the objects: commit, edit, undo."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
from psygnal import Signal

from napari_gen2seg.common.text import count_text
from napari_gen2seg.core.learned_probe.choice import SIMILARITY
from napari_gen2seg.errors import PromptError
from napari_gen2seg.gui.annotate.commit import (
    CommitError,
    Written,
    new_objects,
    write,
)
from napari_gen2seg.gui.annotate.commit_log import CommitLog
from napari_gen2seg.gui.annotate.hand_edits import (
    HandEdited,
    hand_edited,
    remember,
)
from napari_gen2seg.gui.annotate.label_patches import (
    plane_labels,
    removed_beyond,
    writable_plane,
    write_patches,
)
from napari_gen2seg.gui.annotate.labels_target import (
    editable_copy,
    why_not,
)
from napari_gen2seg.gui.annotate.tally import Tally
from napari_gen2seg.gui.annotate.written import Commit, Edit, Writing
from napari_gen2seg.gui.layers.layer_order import insert_objects, lift_over_objects
from napari_gen2seg.gui.layers.looks import Drawings
from napari_gen2seg.gui.layers.overlays import (
    OBJECTS,
    find_layer,
    layer_name,
    mark,
    role_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from napari.components import ViewerModel
    from napari.layers import Labels

    from napari_gen2seg.common.types import LabelArray
    from napari_gen2seg.core.objects.keep import Kept
    from napari_gen2seg.core.objects.patch import LabelPatch
    from napari_gen2seg.core.probe.mask import Mask
    from napari_gen2seg.gui.annotate.redo import Rows
    from napari_gen2seg.gui.layers.view import View
    from napari_gen2seg.session import Runner


class Objects:
    """Writes objects into the layer a person chose, and hears what happens to it.

    Parameters
    ----------
    viewer
        Where the layer is.
    runner
        Counts big layers behind the window.

    Attributes
    ----------
    log
        What was written, to be taken back.
    tally
        How many objects there are, and which numbers are free.
    """

    changed = Signal()  # target, count or highest number
    edited = Signal()  # the objects may be others now, by whomever
    deleted = Signal(list)  # planes and the patches by which objects went from them
    written = Signal()  # something was written, painted, taken back or done again

    def __init__(self, viewer: ViewerModel, runner: Runner) -> None:
        self._viewer = viewer
        self._id: str | None = None
        self.log = CommitLog(viewer)
        self.tally = Tally(runner)
        self.tally.changed.connect(self.changed.emit)
        self.undone: Commit | None = None  # the commit that was taken back last
        self.undone_in: str | None = None  # layer of what was taken back last
        self.overwrite = False
        self.why_wait: Callable[[], str] = lambda: ""  # what has to be answered first
        self._drawings = Drawings(viewer)
        self.writing: Writing | None = None  # None: whatever changes is by hand

    @property
    def layer(self) -> Labels | None:
        """The chosen Labels layer; None means that the next commit makes one."""
        return find_layer(self._viewer, self._id)

    @property
    def layer_id(self) -> str | None:
        """``unique_id`` of that layer."""
        return None if self.layer is None else self._id

    @property
    def name(self) -> str:
        """Name of that layer."""
        layer = self.layer
        return "" if layer is None else str(layer.name)

    def choose(self, layer: Labels | None) -> None:
        """Write into another layer; None for a new one."""
        chosen = None if layer is None else str(layer.unique_id)
        if chosen == self._id:
            return
        self.release()
        self._id = chosen
        if layer is not None:
            lift_over_objects(self._viewer, chosen)
            self._drawings.listen(True)
            for name, call in self._heard():
                getattr(layer.events, name).connect(call)
        self.tally.begin(chosen)
        self.recount()
        self.changed.emit()

    def copy(self, view: View) -> None:
        """Go on in an editable copy of the layer."""
        layer = self.layer
        if layer is None:
            return
        copied = editable_copy(layer, mark(OBJECTS, view.layer_id))
        insert_objects(self._viewer, copied)
        layer.visible = False
        self.choose(copied)
        self.tally.highest, self.tally.known = int(copied.data.max(initial=0)), True

    def release(self) -> None:
        """Stop listening to the layer."""
        layer = self.layer
        self._drawings.listen(False)
        if layer is not None:
            for name, call in self._heard():
                getattr(layer.events, name).disconnect(call)
        self._id = None

    def suits(self, layer: Labels, view: View) -> bool:
        """Whether a layer is one of ours that can take masks of a view."""
        return role_of(layer) == OBJECTS and why_not(layer, view) is None

    def commit(self, view: View, mask: Mask, number: int, clicks: int = 0) -> Written:
        """Write an object, into a new layer if none was chosen.

        Parameters
        ----------
        view, mask, number
            Where, what, and its label.
        clicks
            How many it came from.

        Raises
        ------
        CommitError
            If the layer cannot take it; nothing was written then.
        """
        layer = self._ready(view)
        new = self.tally.settled and number > self.tally.highest
        with self._told(Writing("clicks", {number: mask.score})):
            written = write(layer, view, mask, number, self.overwrite, new=new)
        remember(layer, view, number, clicks)
        layer.selected_label = number
        if written.samples:
            self.log.note(layer, written, self.tally.highest)
        self.tally.highest = max(self.tally.highest, number)
        if new and not self.overwrite:
            self.tally.count += 1
            self.changed.emit()
            self.edited.emit()
        else:
            self.recount()
        return written

    def plane(self, view: View) -> LabelArray | None:
        """Return the objects on the plane of a view, int (H, W), as they are now.

        None where there is no layer yet, or one with other pixels than the image.
        """
        layer = self.layer
        return None if layer is None else plane_labels(layer, view)

    def at(self, view: View, place: tuple[float, float]) -> int:
        """Return the object at a (row, column) of the plane of a view; 0 for none."""
        labels = self.plane(view)
        if labels is None:
            return 0
        row, col = np.rint(place).astype(int)
        return max(int(labels[row, col]), 0)

    def check(self, view: View) -> None:
        """Refuse a layer that cannot take changes of planes.

        Raises
        ------
        CommitError
            If it cannot, if it is not known yet which numbers are free, or if something
            has to be answered first.
        """
        self._check_answered()
        if self.layer is not None:
            writable_plane(self.layer, view)
            self.tally.check_known(self.name)

    def keep(self, view: View, make: Callable[[LabelArray], Kept]) -> Kept:
        """Write several objects as one step, into a new layer if none was chosen.

        Parameters
        ----------
        view
            Where.
        make
            Called with the plane, int (H, W); returns what is to be kept of it.

        Raises
        ------
        Gen2SegError
            If the layer cannot take them; nothing was written then.
        """
        layer = self._ready(view)
        plane = writable_plane(layer, view)
        self.tally.check_known(self.name)
        kept = make(plane)
        if not kept.patch:
            raise CommitError(
                f"Nothing of that is free in {layer.name!r}; other objects hold it."
            )
        numbers = kept.numbers.tolist()
        self.tally.check_room(numbers[-1], self.name)
        scores = dict(zip(numbers, kept.scores.tolist(), strict=True))
        with self._told(Writing("proposals", scores)):
            written = write_patches(layer, [(view, kept.patch)], numbers[-1])
        layer.selected_label = numbers[-1]
        count = len(numbers)
        self.log.note(
            layer,
            written,
            self.tally.highest,
            "a proposal" if count == 1 else count_text(count, "proposal"),
        )
        self.tally.highest = max(self.tally.highest, numbers[-1])
        self.recount()
        return kept

    def write_planes(
        self,
        patches: Sequence[tuple[View, LabelPatch]],
        name: str,
        scores: Mapping[int, float] | None = None,
        views: Mapping[int, View] | None = None,
        method: str = SIMILARITY,
    ) -> None:
        """Write changes of several planes as one step, into the chosen layer.

        Parameters
        ----------
        patches
            Where, and what changes there; at least one.
        name
            What a person calls it.
        scores, views
            Of proposals that become objects: how certain each is, and the plane that
            it was found on first.
        method
            Who drew them, as of `CandidateSet`.

        Raises
        ------
        CommitError
            If the layer cannot take them; nothing was written then.
        """
        layer = self._ready(patches[0][0])
        for view, _ in patches:
            writable_plane(layer, view)
        last = max(int(patch.after.max()) for _, patch in patches)
        self.tally.check_room(last, self.name)
        with self._told(
            Writing("planes", scores or {}, views=views or {}, method=method)
        ):
            written = write_patches(layer, patches, last)
        self.log.note(layer, written, self.tally.highest, name)
        self.tally.highest = max(self.tally.highest, last)
        self.recount()

    def edit(
        self,
        view: View,
        make: Callable[[LabelArray], Edit],
        rows: Callable[[Edit], Rows | None] = lambda _: None,
    ) -> Edit:
        """Change objects that are there, as one step.

        Parameters
        ----------
        view
            Where.
        make
            Called with the plane, int (H, W); returns what is to be changed of it.
        rows
            Called when it was changed; returns clicks that went along.

        Raises
        ------
        Gen2SegError
            If the layer cannot take it, or nothing would change; nothing was written
            then.
        """
        layer = self.layer
        if layer is None:
            raise CommitError("There are no objects yet: keep one first.")
        self._check_answered()
        plane = writable_plane(layer, view)
        edit = make(plane)
        if not edit.patch:
            name = edit.name
            raise PromptError(f"{name[0].upper()}{name[1:]} changes nothing.")
        last = max(edit.parents, default=0)
        if last:
            self.tally.check_known(self.name)
            self.tally.check_room(last, self.name)
        patches = [(view, edit.patch), *removed_beyond(layer, view, edit.gone)]
        with self._told(Writing("edit", {}, edit.gone, edit.parents)):
            written = write_patches(layer, patches, last)
        self.log.note(layer, written, self.tally.highest, edit.name, rows(edit))
        self.tally.highest = max(self.tally.highest, last)
        if edit.gone and not edit.patch.after[edit.patch.changed].any():
            self.deleted.emit(patches)
        self.recount()
        return edit

    def hand_edited(self, view: View, number: int, clicks: int) -> HandEdited | None:
        """Return an object that was made or changed by hand; see `hand_edits`."""
        layer = self.layer
        return None if layer is None else hand_edited(layer, view, number, clicks)

    def redo(self, commit: Commit) -> bool:
        """Do a commit again that was taken back; say whether it could be."""
        done = self.log.redo(commit)
        self._recount_all()
        if done:
            self.written.emit()
            self.tally.highest = max(self.tally.highest, commit.written.number)
            self.log.look_at(commit)
        return done

    def redo_edit(self, layer_id: str) -> None:
        """Do an edit by hand again, by the layer's own redo."""
        if self.log.redo_edit(layer_id):
            self._recount_all()
            self.written.emit()

    def undo(self) -> tuple[str, int | None] | None:
        """Take back the newest edit of the layer, by the layer's own undo.

        The plane of a commit comes into view again.

        Returns
        -------
        tuple or None
            The layer's name, and the object if its commit was taken back (None
            for an edit by hand); None when there is nothing to take back.
        """
        undone = self.log.undo()
        if undone is None:
            return None
        layer, commit, by_hand = undone
        self.undone_in = commit.layer_id
        self._recount_all()
        self.written.emit()
        if by_hand:
            return layer.name, None
        self.undone = commit
        if commit.layer_id == self._id and self.tally.highest == commit.written.number:
            self.tally.highest = commit.highest  # or its number would be skipped
        self.log.look_at(commit)
        return layer.name, commit.written.number

    def recount(self) -> None:
        """Count again what may have changed, behind the window."""
        if self.writing:
            return  # the commit knows best
        self.edited.emit()
        self.tally.recount(self.layer)

    def _recount_all(self) -> None:
        """Count again, where nobody knows which planes changed."""
        self.tally.forget()
        self.recount()

    def _heard(self) -> tuple[tuple[str, Callable[..., None]], ...]:
        return (
            ("paint", self._painted),
            ("data", self._replaced),
            ("set_data", self._redrawn),
            ("visible", self._shown),
        )

    def _painted(self, event: Any) -> None:
        layer = self.layer
        if layer is None:
            return
        self.tally.note_paint(event.value, layer.data.shape, not self.writing)
        if not self.writing:
            self.log.end_redo(str(layer.unique_id))
            if layer.mode != "erase":
                self.tally.reach(int(layer.selected_label))  # before it is counted
        self.recount()
        if not self.writing:
            self.written.emit()

    def _redrawn(self, _event: object = None) -> None:
        if self._drawings.may_be_edited(self.layer):  # by its own undo or redo
            self.log.follow()
            self._recount_all()

    def _shown(self, _event: object = None) -> None:
        if self.layer is not None and self.layer.visible:
            self._recount_all()  # of what happened while it was hidden, nothing is told

    def _replaced(self, _event: object = None) -> None:
        self.tally.known = False
        self._recount_all()
        self.written.emit()

    def _ready(self, view: View) -> Labels:
        """Return the layer, a new one if none was chosen."""
        self._check_answered()
        layer = self.layer
        if layer is None:
            layer = new_objects(view, layer_name(self._viewer, view.layer_id, OBJECTS))
            insert_objects(self._viewer, layer)
            self.choose(layer)
            self.tally.known = True  # nothing is in it
        return layer

    @contextmanager
    def _told(self, writing: Writing) -> Iterator[None]:
        """Let listeners know what is being written."""
        self.writing = writing
        try:
            yield
        finally:
            self.writing = None
        self.written.emit()

    def _check_answered(self) -> None:
        """Refuse to write what would decide a question that waits for an answer."""
        if why := self.why_wait():
            raise CommitError(why)
