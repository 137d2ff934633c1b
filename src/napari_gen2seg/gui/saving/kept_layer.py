"""One Labels layer and its journal: what happens to the one is in the other."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_gen2seg.common.text import count_text
from napari_gen2seg.errors import Gen2SegError
from napari_gen2seg.gui.layers.hidden import slice_if_hidden
from napari_gen2seg.gui.saving.napari_edits import patch_of
from napari_gen2seg.gui.saving.napari_history import NapariHistory
from napari_gen2seg.project.journal import Act, Journal, Patch

if TYPE_CHECKING:
    from napari.layers import Labels

    from napari_gen2seg.common.types import LabelArray

_log = logging.getLogger(__name__)


class KeptLayer:
    """Hears of every edit of a Labels layer, and records it; never raises.

    Nothing is on the screen before this has returned: Qt draws afterwards.

    Parameters
    ----------
    layer
        The layer.
    act_of
        Makes an act of a patch: who knows what is being done.
    begin
        Called before the first act, to find the journal.
    changed
        Called when `state` may be another.
    """

    def __init__(
        self,
        layer: Labels,
        act_of: Callable[[Patch], Act],
        begin: Callable[[KeptLayer], None],
        changed: Callable[[], None],
    ) -> None:
        self.layer = layer
        self.journal: Journal | None = None
        self.problem = ""
        self.begun = False
        self._act_of, self._begin, self._changed = act_of, begin, changed
        self._waiting: list[Act] = []  # for a journal that is still being opened
        self._base: LabelArray | None = None  # the labels before the first act
        self._edits = NapariHistory(layer)
        self._earlier = 0  # acts of the journal that `undo_earlier` took back
        self._told: dict[str, dict[str, Any]] = {}
        layer.events.paint.connect(self._painted)
        layer.events.set_data.connect(self.look_back)
        layer.events.data.connect(self._replaced)

    @property
    def state(self) -> str:
        """``"saved"``, ``"saving"``, ``"not saved"``; empty before the first act."""
        if not self.begun:
            return ""
        if self.problem:
            return "not saved"
        return "saving" if self.journal is None else self.journal.save_state

    @property
    def behind(self) -> bool:
        """Whether an act is taken back that is older than all that napari can redo."""
        return self._earlier > 0

    def take(self, journal: Journal) -> None:
        """Go on in a journal that is open now."""
        self.journal, self.problem = journal, ""
        self._write(lambda: self._lay_base(journal))
        waiting, self._waiting = self._waiting, []
        for act in waiting:
            self.record(act)
        self._changed()

    def apart(self, labels: LabelArray) -> bool:
        """Whether there are acts that began with other labels, and no journal yet."""
        if not self.begun or self.journal is not None or self._base is None:
            return False
        return not np.array_equal(self._base, labels)

    def go_on(self, journal: Journal) -> None:
        """Go on in a journal that holds what the layer shows."""
        self.begun, self.journal = True, journal
        self._changed()

    def record(self, act: Act) -> None:
        """Write an act, or keep it until there is where to."""
        journal = self.journal
        if journal is None:
            self._waiting.append(act)
        else:
            self._write(lambda: journal.record(act))
            if not journal.redo_count:
                self._earlier = 0
        self._changed()

    def note(self, kind: Any, values: dict[str, Any]) -> None:
        """Record clicks or settings, if the work has begun and they are others."""
        if self.begun and self._told.get(kind) != values:
            self._told[kind] = values
            self.record(Act(kind, values=values))

    def knows(self, kind: str, values: dict[str, Any]) -> None:
        """Take clicks or settings as recorded already."""
        self._told[kind] = values

    def give_classes(self, classes: Mapping[int, str | None]) -> None:
        """Record that objects have other classes; None for none."""
        if not self.begun:
            self._start(np.array(self.layer.data))
        self.record(Act("classes", classes=dict(classes)))

    def take_classes_back(
        self, given: Mapping[int, str | None], before: Mapping[int, str | None]
    ) -> None:
        """Record that objects have the classes again that they had before."""
        journal = self.journal
        last = None if journal is None else journal.last_done
        if journal is not None and _gave(last, given):
            self._write(journal.undo)
            self._changed()
        else:
            self.record(Act("classes", classes=dict(before)))

    def give_classes_again(self, given: Mapping[int, str | None]) -> None:
        """Record once more what `take_classes_back` took back."""
        journal = self.journal
        last = None if journal is None else journal.last_undone
        if journal is not None and _gave(last, given):
            self._write(journal.redo)
            self._changed()
        else:
            self.record(Act("classes", classes=dict(given)))

    def retry(self) -> None:
        """Write what could not be written before."""
        journal = self.journal
        if journal is not None:
            self._write(journal.retry)
            self._changed()

    def undo_earlier(self) -> str:
        """Take back the latest act that nobody else does; say whose, "" for none."""
        journal = self.journal
        if self._edits.done:
            slice_if_hidden(self.layer)
            self.layer.undo()
            self.look_back()
            return "the last edit"
        last = None if journal is None else journal.last_done
        if journal is None or last is None:
            return ""
        self._earlier += 1
        return _named(self._show_step(journal, journal.undo, last.reverse()))

    def redo_earlier(self) -> str:
        """Do again what `undo_earlier` took back; say whose, "" for none."""
        journal = self.journal
        if self._edits.undone and not self.behind:
            slice_if_hidden(self.layer)
            self.layer.redo()
            self.look_back()
            return "the last edit"
        last = None if journal is None else journal.last_undone
        if journal is None or last is None:
            return ""
        self._earlier = max(self._earlier - 1, 0)
        return _named(self._show_step(journal, journal.redo, last.again()))

    def save(self) -> None:
        """Save the labels whole, on the journal's own thread."""
        journal = self.journal
        if journal is not None and self.begun:
            self._write(lambda: journal.snapshot(np.array(self.layer.data)))
            self._changed()

    def release(self) -> None:
        """Stop listening."""
        for name, call in (
            ("paint", self._painted),
            ("set_data", self.look_back),
            ("data", self._replaced),
        ):
            with suppress(ValueError, TypeError):
                getattr(self.layer.events, name).disconnect(call)

    def let_go(self, present: bool = True) -> Journal | None:
        """Stop listening, and return the journal, which is to be closed.

        Parameters
        ----------
        present
            As for `close`.
        """
        self.release()
        journal, self.journal = self.journal, None
        with suppress(Gen2SegError):
            # Scripts may have changed the array without telling anybody.
            if journal is not None and present and self._edits:
                journal.snapshot(np.array(self.layer.data))
        return journal

    def close(self, present: bool = True) -> str:
        """Save whole what there is, and let go of the journal.

        Parameters
        ----------
        present
            Whether the layer is still shown; else the journal knows best.

        Returns
        -------
        str
            Why something could not be saved; empty if all was.
        """
        journal = self.let_go(present)
        if journal is None:
            return self.problem if self.begun else ""
        try:
            journal.close()
        except Gen2SegError as error:
            journal.close(force=True)
            return str(error)
        return ""

    # ---- what happens to the layer

    def _painted(self, event: Any) -> None:
        self._guarded(lambda: self._record_edit(event.value), self._save_soon)

    def _record_edit(self, steps: Any) -> None:
        if not isinstance(self.layer.data, np.ndarray):
            return  # a file of its own takes every stroke
        patch = patch_of(steps, tuple(self.layer.data.shape))
        if patch.empty:
            return
        if not self.begun:
            # The layer may hold the change already, or be about to.
            base = np.array(self.layer.data)
            patch.inverse().apply(base)
            self._start(base)
        self._edits.add(patch)
        act = self._act_of(patch)
        if act.kind == "commit":
            self._told["clicks"] = {"clicks": []}
        self.record(act)

    def _start(self, base: LabelArray) -> None:
        """Begin the work, with the labels as they were before the first act."""
        self.begun, self._base = True, base
        self._begin(self)

    def look_back(self, _event: object = None) -> None:
        """Notice what napari took back or did again."""
        if self._edits:
            self._guarded(self._follow_history)

    def _follow_history(self) -> None:
        for kind, patch in self._edits.steps():
            self._step(kind, patch)

    def _step(self, kind: str, patch: Patch) -> None:
        journal = self.journal
        if journal is None:
            self._waiting.append(Act("edit", patch))
            return
        undone = kind == "undo"
        last = journal.last_done if undone else journal.last_undone
        wanted = patch.inverse() if undone else patch
        if last is not None and last.patch is not None and last.patch.same(wanted):
            self._write(journal.undo if undone else journal.redo)
            self._changed()
            return
        # Classes were given since, of which napari knows nothing: they stay.
        known = journal.act_of(patch.inverse())
        if known is None:
            self.record(Act("edit", patch))
        else:
            origins, classes = dict(known.before), dict(known.classes_before)
            self.record(Act("edit", patch, origins, classes=classes))

    def _show_step(
        self, journal: Journal, step: Callable[[], Act | None], act: Act
    ) -> Act:
        """Record a step of the journal's own history, show it, and return it.

        What could not be written counts as done in the journal, so it is shown, too.
        """
        before = journal.redo_count

        def do() -> None:
            nonlocal act
            try:
                act = step() or act
            finally:
                if act.patch is not None and journal.redo_count != before:
                    self._show(act.patch)

        self._write(do)
        self._changed()
        return act

    def _show(self, patch: Patch) -> None:
        patch.apply(self.layer.data)
        self._edits.pass_over()
        self.layer.refresh()

    def _replaced(self, _event: object = None) -> None:
        """Save whole what replaced all labels."""
        self._edits.clear()
        if self.begun:
            self.save()

    def _save_soon(self) -> None:
        """Save whole what could not be told as a patch, once it is there."""
        from qtpy.QtCore import QTimer

        QTimer.singleShot(0, self.save)

    def _lay_base(self, journal: Journal) -> None:
        base, self._base = self._base, None
        if base is not None and (base.any() or base.shape != journal.shape):
            journal.snapshot(base)

    def _write(self, do: Callable[[], object]) -> None:
        """Write something; when it is on its way, what went wrong before is past."""

        def done() -> None:
            do()
            if self.journal is not None and self.journal.save_state != "not saved":
                self.problem = ""

        self._guarded(done)

    def _guarded(
        self, do: Callable[[], object], otherwise: Callable[[], None] | None = None
    ) -> None:
        """Do it; what goes wrong is told, and stops nobody."""
        try:
            do()
        except Gen2SegError as error:
            self.problem = str(error)
        except Exception as error:  # noqa: BLE001  (an annotation must never fail by it)
            _log.exception("the journal of %s", self.layer.name)
            self.problem = f"The journal failed ({error!r}). Use Save as."
        else:
            return
        if otherwise is not None:
            otherwise()


def _gave(act: Act | None, classes: Mapping[int, str | None]) -> bool:
    """Whether an act is that which gave classes to objects."""
    given = act is not None and act.kind == "classes"
    return given and act is not None and dict(act.classes) == dict(classes)


def _named(act: Act) -> str:
    """Say which act of before this dock was opened was taken back, or done again."""
    numbers = sorted({*act.origins, *act.classes})
    if not numbers:
        return "an earlier act"
    if len(numbers) == 1:
        return f"an earlier act on object {numbers[0]}"
    return f"an earlier act on {count_text(len(numbers), 'object')}"
