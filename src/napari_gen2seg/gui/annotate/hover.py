"""Hover preview: the clicked mask, and what a click under the pointer would give."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QObject, Signal

from napari_gen2seg.core.learned_probe.choice import LEARNED
from napari_gen2seg.errors import Gen2SegError
from napari_gen2seg.gui.annotate.kept_preview import kept_preview
from napari_gen2seg.gui.annotate.pointer import NEGATIVE, Pointer
from napari_gen2seg.gui.layers.overlays import DRAWN, role_of
from napari_gen2seg.gui.qt_threads import debounce
from napari_gen2seg.session import Prompts
from napari_gen2seg.session.preview import ADDED, INSIDE
from napari_gen2seg.session.session import sentence

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from napari_gen2seg.core.coloring import Coloring
    from napari_gen2seg.gui.annotate.labels_layer import Objects
    from napari_gen2seg.gui.annotate.points_layer import Clicks
    from napari_gen2seg.gui.annotate.review import ProposalReview
    from napari_gen2seg.gui.layers.overlays import Overlays
    from napari_gen2seg.gui.layers.source import Source
    from napari_gen2seg.gui.layers.view import View
    from napari_gen2seg.session import Preview, Runner, Session, Ticket

REST = 90  # milliseconds without a move
NOT_COLORED_HERE = (
    "This part of the picture is not colored: click an object here, or press Color "
    "with it in view."
)
MAP_GONE_HERE = (
    "This part of the picture was colored, but its map had to make room for later "
    "ones: click an object here, or press Color with it in view."
)


class HoverPreview(QObject):
    """Preview under the pointer: follows it and draws the mask.

    Parameters
    ----------
    viewer, session, source, clicks, overlays
        Whose pointer, who answers, on which picture, which clicks, into which layer.
    background
        Finds exactly, behind the window, what is too large for a glance.
    proposals
        Whose proposal is shown where one is under the pointer, since Enter keeps it.
    objects
        Whose object is shown where one is under the pointer, since keys act on it.
    parent
        Deleted with it.
    """

    shown = Signal(object)  # Preview or None
    pointed = Signal(str)  # what is to be known of the place; empty for nothing
    warning = Signal(str)

    def __init__(
        self,
        viewer: ViewerModel,
        session: Session,
        source: Source,
        clicks: Clicks,
        overlays: Overlays,
        background: Runner,
        proposals: ProposalReview,
        objects: Objects,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._viewer, self._session = viewer, session
        self._source, self._clicks, self._overlays = source, clicks, overlays
        self._background, self._proposals = background, proposals
        self._objects = objects
        self._prompts = Prompts()  # as the controller handed them
        self.on = True  # whether to light up what was not clicked
        self.at: tuple[float, float] | None = None  # pointer, in the plane
        self._preview: Preview | None = None  # what is on screen
        self._proposal: Preview | None = None  # if that is one
        self._kept: tuple[View, int, Preview] | None = None  # the object lit last
        self._asked: tuple[tuple[float, float] | None, int] = (None, 1)  # for it
        self._drawn_for: tuple[float, float] | None = None  # pointer of the preview
        self._beyond = ""  # what is said of a pointer beyond the window in use
        self._rest = debounce(self, self._rested, REST)
        self.pointer = Pointer(viewer, self.point, self)
        objects.edited.connect(self._forget_kept)

    def point(self, position: tuple[float, ...], held: frozenset[str]) -> None:
        """Show what a click at a world position would give.

        Parameters
        ----------
        position
            Of the pointer, in the world.
        held
            Names of the modifier keys held down.
        """
        view = self._source.view
        self.at = None
        if view is None:
            return
        if not self.on or self.busy_elsewhere:
            if self._preview is not None and not self._prompts.positive:
                self.blank()
            return
        self.at = pointer = view.to_plane(position)
        self._tell_beyond(view, position)
        sign = -1 if self._clicks.sign < 0 or held & set(NEGATIVE) else 1
        if pointer is not None and sign > 0 and self._prompts.positive:
            if self._lit(pointer, INSIDE):
                pointer = None  # a click here would change next to nothing
        elif (
            pointer is not None
            and sign > 0
            and self._lit(pointer, ADDED)
            and self._offer(pointer, sign) is self._proposal
        ):
            # Still over the object that is lit: no flicker, and exact at rest.
            self._asked = pointer, sign
            self._rest.start()
            return
        self._rest.stop()
        self.show(pointer, sign)

    def show(
        self,
        pointer: tuple[float, float] | None = None,
        sign: int = 1,
        at_rest: bool = False,
    ) -> None:
        """Draw the clicked mask, and what a click at ``pointer`` would change."""
        view = self._source.view
        coloring = None if view is None else self._session.coloring(view)
        if view is None or coloring is None:
            self.blank()
            return
        proposal = self._offer(pointer, sign)
        kept = None if proposal else self._kept_at(view, coloring, pointer, sign)
        preview = proposal or kept
        try:
            if preview is None:
                count = pointer is None or at_rest
                preview = self._session.preview(
                    view, self._prompts, pointer, sign, count
                )
        except Gen2SegError as error:
            self.warning.emit(sentence(error))
            return
        self._preview, self._asked = preview, (pointer, sign)
        self._proposal, self._drawn_for = proposal, pointer
        self._overlays.draw(view, coloring.shape, preview)
        self.shown.emit(preview)
        if preview is None or preview in (proposal, kept):
            return
        if pointer is not None and not at_rest:
            if preview.pixels is None:
                self._rest.start()  # then there is time to find it exactly, and count
        elif not preview.exact:
            self._look_closer(view, pointer, sign)

    @property
    def lit_for(self) -> tuple[float, float] | None:
        """The place whose mask is on screen; the pointer's own where none is.

        Inside of what is lit the pointer moves without another mask, and what is shown
        is what Enter is to keep.
        """
        drawn = self._drawn_for
        if self.at is None or drawn is None or self._asked[1] < 0:
            return self.at
        return drawn if self._lit(self.at, ADDED) else self.at

    def show_prompts(self, prompts: Prompts) -> None:
        """Draw the mask of these clicks, those of the current object from now on."""
        self._prompts = prompts
        self.show()

    @property
    def refused(self) -> float:
        """How many times as large the mask would be, had the last click its will."""
        return float("nan") if self._preview is None else self._preview.refused

    def again(self) -> None:
        """Draw once more, after a setting changed."""
        self.show(self.at if self.on and not self._prompts.positive else None)

    def point_at(self, at: tuple[float, float]) -> None:
        """Take a place of the plane to be under the pointer until it moves."""
        self.at = at
        self.show(at if self.on else None)

    def forget_pointer(self) -> None:
        """Take nothing to be under the pointer until it moves again."""
        self.at = None
        self._proposals.leave()
        self._rest.stop()

    def blank(self) -> None:
        """Show nothing."""
        self._preview = self._proposal = None
        self._rest.stop()
        self._overlays.clear()
        self.shown.emit(None)

    def close(self) -> None:
        """Stop following; leave no preview behind."""
        with suppress(RuntimeError):  # Qt deletes timers together with their window
            self._rest.stop()
        self._objects.edited.disconnect(self._forget_kept)
        self.pointer.close()
        self._overlays.clear()

    def _offer(self, pointer: tuple[float, float] | None, sign: int) -> Preview | None:
        """Return the proposal that Enter would keep here."""
        if pointer is None or sign < 0 or self._prompts.positive:
            self._proposals.leave()
            return None
        return self._proposals.offer(pointer)

    def _tell_beyond(self, view: View, position: tuple[float, ...]) -> None:
        """Say that nothing is lit here because nothing is colored here."""
        beyond = ""
        if (
            self.at is None
            and not self._prompts.positive
            and self._session.coloring(view) is not None
            and self._source.beyond_window(position)
        ):
            framed = self._overlays.frames.at(view, position)
            beyond = MAP_GONE_HERE if framed else NOT_COLORED_HERE
            if any(self._session.coloring(view.through(box)) for box in framed):
                beyond = ""  # pointing here brings it back
        if beyond != self._beyond:
            self._beyond = beyond
            self.pointed.emit(beyond)

    def _kept_at(
        self,
        view: View,
        coloring: Coloring,
        pointer: tuple[float, float] | None,
        sign: int,
    ) -> Preview | None:
        """Return the kept object here, which keys act on; the very same while it is."""
        objects = self._objects
        if pointer is None or sign < 0 or self._prompts.positive or objects.overwrite:
            return None
        layer = objects.layer
        if layer is None or not isinstance(layer.data, np.ndarray):
            return None  # to read a file at every move would be late
        labels = objects.plane(view)
        if labels is None:
            return None
        row, col = np.rint(pointer).astype(int)
        number = int(labels[row, col])
        if number <= 0:
            return None
        kept = self._kept
        if (
            kept is not None
            and kept[:2] == (view, number)
            and self._preview is kept[2]
            and self._lit(pointer, INSIDE)  # and not another part of it
        ):
            return kept[2]
        preview = kept_preview(labels, pointer, coloring)
        self._kept = view, number, preview
        return preview

    def _forget_kept(self) -> None:
        """Take no kept object to be what it was."""
        self._kept = None

    def _rested(self) -> None:
        """Show exactly what a click here would give, once the pointer rests."""
        view, preview, (pointer, sign) = self._source.view, self._preview, self._asked
        if self.at is None or not self.on or view is None:
            return
        if self._proposal is not None:
            return  # it is what it is
        learned = preview is not None and preview.exact and preview.method == LEARNED
        if learned and pointer != self._drawn_for:
            # The learned probe's mask stays until it has answered: no flicker.
            self._look_closer(view, pointer, sign)
        else:
            self.show(pointer, sign, at_rest=True)

    def _look_closer(
        self, view: View, pointer: tuple[float, float] | None, sign: int
    ) -> None:
        """Find exactly, behind the window, what is on screen in coarse blocks."""
        coarse = self._preview
        find = self._session.probing.search(view, self._prompts, pointer, sign)

        def done(_: Ticket, found: Any, error: BaseException | None) -> None:
            if error is None:
                self._session.probing.learn(found)
                if found and self._preview is coarse:
                    self.show(pointer, sign, at_rest=True)

        self._background.submit("exact", lambda _: find(), done)

    def _lit(self, pointer: tuple[float, float], value: int) -> bool:
        """Whether the preview on screen has a value under the pointer."""
        view, preview = self._source.view, self._preview
        coloring = None if view is None else self._session.coloring(view)
        if preview is None or coloring is None:
            return False
        row, col = np.rint(coloring.to_coloring(pointer)).astype(int) - preview.offset
        height, width = preview.array.shape
        inside = 0 <= row < height and 0 <= col < width
        return bool(inside and preview.array[row, col] == value)

    @property
    def busy_elsewhere(self) -> bool:
        """Whether another layer is being worked on, with the brush say."""
        active = self._viewer.layers.selection.active
        if active is None or role_of(active) in DRAWN:
            return False
        ours = {self._clicks.layer_id, self._source.layer_id}
        return str(active.unique_id) not in ours
