"""Masks of clicks on colorings, with the probe settings of the moment."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from psygnal import Signal

from napari_gen2seg.core.probe.prober import Curve, ProbeSettings
from napari_gen2seg.errors import PromptError
from napari_gen2seg.session.mask_cache import Found, MaskCache, MaskQuery, Search
from napari_gen2seg.session.preview import compose
from napari_gen2seg.session.prompts import Prompts

if TYPE_CHECKING:
    from collections.abc import Hashable

    from napari_gen2seg.core.probe.mask import Mask
    from napari_gen2seg.session.coloring_cache import ColoringCache
    from napari_gen2seg.session.state import Preview


class Probing:
    """What clicks give on the colorings there are; needs no model.

    Parameters
    ----------
    colorings
        Those there are.
    """

    settings_changed = Signal(ProbeSettings)

    def __init__(self, colorings: ColoringCache) -> None:
        self._colorings = colorings
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

    def mask(self, view: Hashable, prompts: Prompts) -> Mask | None:
        """Return the mask of the clicks, or None without coloring or kept pixel.

        Raises
        ------
        PromptError
            For a click outside the picture.
        """
        coloring = self._colorings.shown(view)
        if coloring is None or not prompts.positive:
            return None
        return self._masks.full(MaskQuery(coloring, prompts, self._settings))

    def preview(
        self,
        view: Hashable,
        prompts: Prompts,
        pointer: tuple[float, float] | None = None,
        sign: int = 1,
    ) -> Preview | None:
        """Return what to show: the clicked mask, and what a click here would do.

        What is very large is shown in coarse blocks, until `search` has found it.

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
        """
        fixed, hovered = self._queries(view, prompts, pointer, sign)
        return compose(
            None if fixed is None else self._masks.coarse(fixed),
            None if hovered is None else self._masks.coarse(hovered),
        )

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
            fixed = MaskQuery(coloring, prompts, self._settings)
        if pointer is not None and (sign > 0 or fixed is not None):
            before = prompts if fixed is not None else Prompts()
            hovered = MaskQuery(coloring, before.plus(pointer, sign), self._settings)
        return fixed, hovered

    def curve(self, view: Hashable, prompts: Prompts) -> Curve | None:
        """Return how the area depends on the tolerance; None without kept pixel."""
        coloring = self._colorings.shown(view)
        if (
            coloring is None
            or not prompts.positive
            or prompts.base is not None  # no tolerance found it
            or self._settings.rule != "distance"
        ):
            return None
        try:
            return coloring.prober.curve(prompts.points, prompts.signs, self._settings)
        except PromptError:
            return None
