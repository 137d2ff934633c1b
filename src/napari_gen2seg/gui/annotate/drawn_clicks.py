"""Boxes and scribbles become clicks of the object being clicked, as one step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QObject, Signal

from napari_gen2seg.core.probe.drawn_prompts import box_prompt, scribble_prompt
from napari_gen2seg.errors import Cancelled, Gen2SegError
from napari_gen2seg.session.prompts import INSIST
from napari_gen2seg.session.session import sentence

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_gen2seg.core.probe.drawn_prompts import DrawnPrompt
    from napari_gen2seg.gui.annotate.points_layer import Clicks
    from napari_gen2seg.gui.layers.source import Source
    from napari_gen2seg.session import Runner, Session, Ticket


class DrawnClicks(QObject):
    """Turns what was drawn into clicks.

    Parameters
    ----------
    session, source
        Whose maps, and which view is in sight.
    clicks
        Where they go.
    runner
        Tries places in a box behind the window: some ten probes.
    parent
        Deleted with it.
    """

    clicked = Signal()
    status_changed = Signal(str)
    refused = Signal(str)  # why nothing happened: something has to come first

    def __init__(
        self,
        session: Session,
        source: Source,
        clicks: Clicks,
        runner: Runner,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._session, self._source = session, source
        self._clicks, self._runner = clicks, runner

    def draw(self, kind: str, places: Sequence[tuple[float, float]]) -> None:
        """Take a ``"box"`` (its first and last place) or a ``"scribble"``."""
        view = self._source.view
        coloring = None if view is None else self._session.coloring(view)
        if view is None or coloring is None:
            self.refused.emit("Color the picture first.")
            return
        if kind == "scribble":
            try:
                drawn = scribble_prompt(places, view.shape, self._clicks.sign)
            except Gen2SegError as error:
                self.status_changed.emit(str(error))
                return
            self._add(drawn, insisted=True)
            return
        box = np.concatenate([places[0], places[-1]])
        settings = self._session.probing.settings
        number = self._clicks.number

        def done(ticket: Ticket, drawn: Any, error: BaseException | None) -> None:
            if ticket.cancelled or isinstance(error, Cancelled):
                return
            if error is not None:
                self.status_changed.emit(sentence(error))
            elif view == self._source.view and number == self._clicks.number:
                self._add(drawn, insisted=False)

        self._runner.submit(
            "box",
            lambda _: box_prompt(
                lambda points, signs: coloring.probe(points, signs, settings),
                box,
                view.shape,
            ),
            done,
        )

    def _add(self, drawn: DrawnPrompt, insisted: bool) -> None:
        view = self._source.view
        if view is None:
            return
        signs = drawn.signs.astype(np.int64)
        if insisted:
            signs[signs > 0] = INSIST
        self._clicks.add_many(view, drawn.points, signs)
        self.clicked.emit()
