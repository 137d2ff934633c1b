"""Masks of clicks on colorings, with the probe settings of the moment."""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from psygnal import Signal

from napari_gen2seg.core.learned_probe.choice import (
    LEARNED,
    METHODS,
    SIMILARITY,
    possible_method,
    reason_for_similarity,
)
from napari_gen2seg.core.learned_probe.probe import answers
from napari_gen2seg.core.probe.prober import Curve, ProbeSettings
from napari_gen2seg.errors import Cancelled, Gen2SegError, PromptError, SettingsError
from napari_gen2seg.models.probes import list_probes
from napari_gen2seg.session.mask_cache import Found, MaskCache, MaskQuery, Search
from napari_gen2seg.session.preview import compose, nothing_here
from napari_gen2seg.session.prompts import Prompts
from napari_gen2seg.session.refining import PAUSE, Refinement

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

    from napari_gen2seg.core.candidates import CandidateSet
    from napari_gen2seg.core.coloring import Coloring
    from napari_gen2seg.core.learned_probe.probe import Probe
    from napari_gen2seg.core.probe.mask import Mask
    from napari_gen2seg.session.coloring_cache import ColoringCache
    from napari_gen2seg.session.model_host import ModelHost
    from napari_gen2seg.session.state import Preview

MOMENT = 0.1  # seconds for which a commit waits for the learned probe

_log = logging.getLogger(__name__)


class Probing:
    """What clicks give on the colorings there are; needs no model.

    Parameters
    ----------
    colorings
        Those there are.
    host
        Runs the learned probe's network.
    """

    settings_changed = Signal(ProbeSettings)
    method_changed = Signal()

    def __init__(self, colorings: ColoringCache, host: ModelHost) -> None:
        self._colorings, self._host = colorings, host
        self._method: str | None = None
        self._settings = ProbeSettings()
        self._masks = MaskCache()

    @property
    def settings(self) -> ProbeSettings:
        """How clicks become masks."""
        return self._settings

    def set(self, **changes: Any) -> None:
        """Change settings of the probe; names as in `ProbeSettings`.

        Raises
        ------
        SettingsError
            For a value that cannot be.
        """
        settings = replace(self._settings, **changes)
        if settings != self._settings:
            self._settings = settings
            self.settings_changed.emit(settings)

    def choose(self, method: str | None) -> None:
        """Choose who answers clicks; None leaves it to the map, see `default_method`.

        Raises
        ------
        SettingsError
            If there is no such method.
        """
        if method not in (None, *METHODS):
            raise SettingsError(
                f'The probe is {method!r}; it must be "similarity" or "learned".'
            )
        if method != self._method:
            self._method = method
            self.method_changed.emit()

    @property
    def chosen(self) -> str | None:
        """Who is to answer clicks; None where that is left to the map."""
        return self._method

    def method(self, view: Hashable) -> str:
        """Return who answers clicks on a view."""
        return (
            SIMILARITY if self._probe(self._colorings.shown(view)) is None else LEARNED
        )

    def note(self, view: Hashable) -> str:
        """Return what is to be known of who answers on a view; mostly nothing."""
        coloring = self._colorings.shown(view)
        if coloring is None:
            return ""
        if self.method(view) == LEARNED and coloring.learned_probe is None:
            return (
                "The learned probe's weights were not measured on maps of this model: "
                "compare with similarity."
            )
        return reason_for_similarity(coloring, self._method)

    def asked(
        self, coloring: Coloring, check: Callable[[], None]
    ) -> Callable[..., Mask]:
        """Return what answers clicks on a map, however long the model is busy.

        For a worker thread; ``check`` is called while it waits, and may raise.
        """
        probe = self._probe(coloring)
        if probe is None:
            return coloring.probe

        def ask(points: Sequence[tuple[float, float]]) -> Mask:
            while True:
                try:
                    return probe.mask(coloring, points)
                except Cancelled:  # busy: that says nothing of what is there
                    check()
                    time.sleep(PAUSE)

        return ask

    def refinement(
        self, coloring: Coloring, candidates: CandidateSet
    ) -> Refinement | None:
        """Return the way to better outlines; None where similarity is to answer."""
        probe = self._probe(coloring)
        if probe is None or coloring.image is None or candidates.method == LEARNED:
            return None
        return Refinement(coloring, candidates, probe, self._host)

    def refined(
        self, coloring: Coloring, found: CandidateSet, check: Callable[[], None]
    ) -> CandidateSet:
        """Return candidates of a map in their final outlines, on any thread.

        ``check`` is called before each; it may raise.
        """
        refining = self.refinement(coloring, found)
        if refining is None:
            return found
        try:
            return refining.finish(check)
        except Cancelled:
            raise
        except Gen2SegError as error:
            _log.info("outlines stay as the map has them: %s", error)
            return found

    def _probe(self, coloring: Coloring | None) -> Probe | None:
        """Return the learned probe, if it is to answer on a map."""
        if coloring is None or not list_probes() or not answers(self._settings):
            return None
        if possible_method(coloring, self._method) == SIMILARITY:
            return None
        return self._host.probe(coloring.learned_probe or list_probes()[0])

    def _query(self, coloring: Coloring, prompts: Prompts) -> MaskQuery:
        return MaskQuery(coloring, prompts, self._settings, self._probe(coloring))

    def mask(self, view: Hashable, prompts: Prompts) -> Mask | None:
        """Return the mask of the clicks, or None without coloring or kept pixel.

        Where the learned probe cannot answer within a moment, because its process is
        busy say, it is the mask by similarity; ``Mask.method`` says so.

        Raises
        ------
        PromptError
            For a click outside the picture.
        """
        coloring = self._colorings.shown(view)
        if coloring is None or not prompts.positive:
            return None
        query = self._query(coloring, prompts)
        try:
            with self._host.hurried(MOMENT):
                return self._masks.full(query)
        except PromptError:
            raise
        except Gen2SegError as error:
            _log.info("no mask of the learned probe: %s", error)
            return query.plain()

    def preview(
        self,
        view: Hashable,
        prompts: Prompts,
        pointer: tuple[float, float] | None = None,
        sign: int = 1,
        count: bool = False,
    ) -> Preview | None:
        """Return what to show: the clicked mask, and what a click here would do.

        What is very large is shown in coarse blocks, until `search` has found it. Over
        background nothing is shown before the first click, and ``background`` says why.

        Parameters
        ----------
        view
            The view on screen.
        prompts
            Clicks of the current object there.
        pointer
            (row, column) under the pointer in source pixels, or None.
        sign
            What a click would mean.
        count
            Whether there is time to count its pixels.
        """
        fixed, hovered = self._queries(view, prompts, pointer, sign)
        first = hovered if fixed is None else None
        if first is not None and self.on_background(view, first.prompts):
            return nothing_here()
        preview = compose(
            None if fixed is None else self._masks.coarse(fixed),
            None if hovered is None else self._masks.coarse(hovered),
            count,
        )
        if preview is not None and self.on_background(view, prompts):
            return replace(preview, background=True)
        return preview

    def on_background(self, view: Hashable, prompts: Prompts) -> bool:
        """Whether all that was clicked to be kept is background, as the model has it.

        False without a click or a coloring, and for what was made by hand.
        """
        coloring, kept = self._colorings.shown(view), prompts.kept
        if coloring is None or not kept or prompts.base is not None:
            return False
        return bool(coloring.on_background(kept).all())

    def search(
        self,
        view: Hashable,
        prompts: Prompts,
        pointer: tuple[float, float] | None = None,
        sign: int = 1,
    ) -> Search:
        """Return the search for the exact masks of a `preview`, for any thread."""
        queries = self._queries(view, prompts, pointer, sign)
        return self._masks.search([one for one in queries if one is not None])

    def forget(self) -> None:
        """Let go of all masks: a coloring has changed, or is gone."""
        self._masks.forget()

    def learn(self, found: list[Found]) -> None:
        """Take in what a `search` found."""
        for query, mask in found:
            self._masks.keep(query, mask)

    def _queries(
        self,
        view: Hashable,
        prompts: Prompts,
        pointer: tuple[float, float] | None,
        sign: int,
    ) -> tuple[MaskQuery | None, MaskQuery | None]:
        coloring = self._colorings.shown(view)
        if coloring is None:
            return None, None
        fixed = hovered = None
        if prompts.positive:
            fixed = self._query(coloring, prompts)
        if pointer is not None and (sign > 0 or fixed is not None):
            before = prompts if fixed is not None else Prompts()
            hovered = self._query(coloring, before.plus(pointer, sign))
        return fixed, hovered

    def curve(self, view: Hashable, prompts: Prompts) -> Curve | None:
        """Return how the area depends on the tolerance.

        None without kept pixel, and where the learned probe answers: there it is moved
        from the network's own outline.
        """
        coloring = self._colorings.shown(view)
        if (
            coloring is None
            or not prompts.positive
            or prompts.base is not None  # no tolerance found it
            or self._settings.rule != "distance"
            or self._probe(coloring) is not None
        ):
            return None
        try:
            return coloring.prober.curve(prompts.points, prompts.signs, self._settings)
        except PromptError:
            return None
