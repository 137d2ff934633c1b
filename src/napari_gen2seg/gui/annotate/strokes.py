"""Strokes and Ctrl-clicks over the canvas: a tool's, or over proposals and objects."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_gen2seg.gui.annotate.pointer import STROKE, StrokeListener

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.components import ViewerModel

    from napari_gen2seg.gui.annotate.hover import HoverPreview
    from napari_gen2seg.gui.annotate.labels_layer import Objects
    from napari_gen2seg.gui.annotate.object_tools import ObjectTools
    from napari_gen2seg.gui.annotate.review import ProposalReview
    from napari_gen2seg.gui.layers.source import Source
    from napari_gen2seg.gui.layers.view import View
    from napari_gen2seg.session import Session

_Stroke = list[tuple[float, ...]]


class Strokes:
    """Tells apart whom a stroke is for.

    Parameters
    ----------
    viewer, session, source
        Over which canvas, with which colorings, on which view.
    objects, review, tools
        What it may be for.
    hover_preview
        Where it is drawn, and who knows whether another layer is worked on.
    click
        Called with view, place and sign where it is but a click on no object.
    """

    def __init__(
        self,
        viewer: ViewerModel,
        session: Session,
        source: Source,
        objects: Objects,
        review: ProposalReview,
        tools: ObjectTools,
        hover_preview: HoverPreview,
        click: Callable[[View, tuple[float, float], int], None],
    ) -> None:
        self._viewer, self._session, self._source = viewer, session, source
        self._objects, self._review, self._tools = objects, review, tools
        self._hover_preview, self._click = hover_preview, click
        self._listener = StrokeListener(
            viewer, self._wanted, self._drawing, self._drawn
        )

    def close(self) -> None:
        """Stop listening."""
        self._listener.close()

    def _wanted(self, held: frozenset[str]) -> bool:
        """Whether a stroke is ours: a tool's, or over proposals and kept objects."""
        if self._tools.tool:
            return True
        active = self._viewer.layers.selection.active
        if STROKE not in held or self._hover_preview.busy_elsewhere:
            return False
        if getattr(active, "mode", "add") not in ("add", "pan_zoom"):
            return False  # napari's own tools have a meaning for it
        return self._review.review is not None or self._objects.layer is not None

    def _drawing(self, stroke: _Stroke) -> None:
        places, view = self._on_plane(stroke), self._source.view
        if not self._tools.tool:
            self._review.mark(places)
        elif view is not None:
            coloring = self._session.coloring(view)
            shape = view.shape if coloring is None else coloring.shape
            self._tools.show_stroke(places, shape)

    def _drawn(self, stroke: _Stroke, sign: int) -> None:
        places, view = self._on_plane(stroke), self._source.view
        if self._tools.tool:
            self._tools.drawn(places)
            self._hover_preview.again()  # the stroke is on it
        elif len(stroke) > 1 and sign > 0:
            self._review.keep_along(places)
        elif len(stroke) > 1:
            self._review.drop_along(places)
        elif places and sign > 0 and self._tools.correct(places[0]):
            pass  # what was clicked is an object that is kept
        elif places and view is not None:
            self._click(view, places[0], sign)

    def _on_plane(self, stroke: _Stroke) -> list[tuple[float, float]]:
        view = self._source.view
        places = [] if view is None else [view.to_plane(at) for at in stroke]
        return [at for at in places if at is not None]
