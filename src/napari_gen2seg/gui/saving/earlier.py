"""Earlier work on the image in view: offered, gone on with, or set aside."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from qtpy.QtCore import QObject, Signal

from napari_gen2seg.common.text import count_text
from napari_gen2seg.errors import Gen2SegError
from napari_gen2seg.gui.layers.overlays import OBJECTS, role_of, source_of
from napari_gen2seg.gui.saving.restored import (
    add_clicks,
    add_labels,
    set_again,
    settings_now,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from napari.layers import Labels

    from napari_gen2seg.gui.annotate.bridge import Bridge
    from napari_gen2seg.gui.saving.kept_layer import KeptLayer
    from napari_gen2seg.gui.saving.opening import Work
    from napari_gen2seg.gui.saving.works import Works


class EarlierWork(QObject):
    """Offers what was done on an image before, and does what a person answers.

    Parameters
    ----------
    bridge
        Image, Labels layer and clicks that are worked on.
    works
        Which image has which work.
    keep
        Returns what is kept of a Labels layer, from now on if nothing was.
    go_on
        Lets a layer go on in the journal of a work.
    parent
        Deleted with it.
    """

    changed = Signal()  # it was answered
    status_changed = Signal(str)
    warning = Signal(str)
    model_requested = Signal(object)  # what to choose of the model, by name

    def __init__(
        self,
        bridge: Bridge,
        works: Works,
        keep: Callable[[Labels], KeptLayer],
        go_on: Callable[[Work, KeptLayer], None],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._bridge, self._works = bridge, works
        self._controller = bridge.controller
        self._keep, self._give = keep, go_on

    @property
    def offer(self) -> Work | None:
        """The one on the image in view, while it waits for an answer."""
        work = self._works.of(self._bridge.source.layer_id)
        return work if work is not None and work.offered else None

    def why_wait(self) -> str:
        """Say what is to be answered before something is written; mostly nothing."""
        work = self.offer
        if work is None:
            return ""
        return (
            f"Earlier work on {work.identity.name} "
            f"({count_text(work.count, 'object')}) waits for an answer in "
            '"4  Keep them": Go on brings it back, Begin anew sets it aside.'
        )

    # ---- answers

    def go_on(self) -> None:
        """Go on with what is offered."""
        work, view = self.offer, self._bridge.source.view
        if work is None or work.journal is None or work.labels is None:
            return
        if view is None:
            self.warning.emit(self._bridge.source.problem)
            return
        state, labels = work.journal.state.copy(), work.labels
        work.answered, work.labels = True, None
        if len(self._controller.current.prompts):  # or they were another object's
            taken = (int(row[-1]) for row in state.clicks)
            highest = max(int(labels.max(initial=0)), *taken, *state.origins, 0)
            self._controller.clicks.renumber(highest + 1)
        layer = add_labels(self._bridge.viewer, view, labels)
        self._controller.objects.choose(layer)
        kept = self._keep(layer)
        self._give(work, kept)
        add_clicks(self._controller, view, state)
        self._controller.current.resume(view)
        kept.knows("clicks", {"clicks": list(state.clicks)})
        try:
            chosen = set_again(self._bridge.session, state.settings)
        except Gen2SegError as error:
            self.warning.emit(str(error))
        else:
            model = self._bridge.session.model.choice.model
            # In a project a model is chosen for all images: the better one, most often.
            if chosen and (work.folder is None or chosen.get("model") == model):
                self.model_requested.emit(chosen)
        kept.knows("settings", settings_now(self._bridge.session))
        self.status_changed.emit(f"Going on with the work in {work.journal.folder}.")
        self.changed.emit()

    def begin_anew(self) -> None:
        """Set what is offered aside; it stays where it is told."""
        work = self.offer
        if work is not None:
            aside = self.set_aside(work)
            if aside is not None:
                self.status_changed.emit(
                    f"The earlier work is in {aside}; Earlier work ... brings it back."
                )
            self.changed.emit()

    def set_aside(self, work: Work) -> Path | None:
        """Set work aside; return where it is, None if there is none."""
        work.answered, work.labels = True, None
        if work.journal is None:
            return None
        try:
            aside = work.journal.begin_anew()
        except Gen2SegError as error:
            work.problem = str(error)
            self.warning.emit(work.problem)
            return None
        if aside is not None:
            work.aside.insert(0, aside)
        return aside

    # ---- what needs no answer

    def meet(self, work: Work) -> None:
        """Go on where the dock was closed and opened again; else let it wait.

        Parameters
        ----------
        work
            Was just opened, and is offered.
        """
        ours = self._ours(work)
        if ours is None:
            # In a project nobody needs to be asked, unless it was taken away.
            if work.folder is not None and not work.asks and work is self.offer:
                self.go_on()
            return
        kept = self._keep(ours)
        # Acts of its own, that know nothing of this work: another window had the image,
        # and was closed since. What it did is set aside.
        if work.labels is not None and not kept.apart(work.labels):
            work.answered, work.labels = True, None
            self._give(work, kept)
            kept.save()

    def _ours(self, work: Work) -> Labels | None:
        """Return the layer in this window that is this work, from an earlier dock."""
        target = self._controller.objects.layer
        if (
            target is not None
            and not target.multiscale
            and np.array_equal(target.data, work.labels)
        ):
            return target
        for image in self._works.images_of(work):
            for layer in reversed(self._bridge.viewer.layers):
                same = role_of(layer) == OBJECTS and source_of(layer) == image
                if same and not layer.multiscale:
                    return layer
        return None
