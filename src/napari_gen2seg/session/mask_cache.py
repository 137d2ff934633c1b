"""Cache of masks: found once, coarse while the pointer moves, in full at rest."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from napari_gen2seg.errors import Gen2SegError, PromptError

if TYPE_CHECKING:
    from napari_gen2seg.core.coloring import Coloring
    from napari_gen2seg.core.learned_probe.probe import Probe
    from napari_gen2seg.core.probe.mask import Mask
    from napari_gen2seg.core.probe.prober import ProbeSettings
    from napari_gen2seg.session.prompts import Prompts

_log = logging.getLogger(__name__)
_MOST = 4
_NEAR = 1e-3  # source pixels: a click read back from its layer is a little off

Found = tuple["MaskQuery", "Mask"]
Search = Callable[[], list[Found]]


@dataclass(frozen=True, eq=False)
class MaskQuery:
    """A question that a mask answers: these clicks on this map.

    Attributes
    ----------
    coloring, prompts, settings
        What is asked.
    probe
        The learned probe that answers; similarity where there is none.
    """

    coloring: Coloring
    prompts: Prompts
    settings: ProbeSettings
    probe: Probe | None = None

    def same(self, other: MaskQuery) -> bool:
        """Whether the answer is the same."""
        return (
            self.coloring is other.coloring
            and self.probe is other.probe
            and self.settings == other.settings
            and self.prompts.same(other.prompts, _NEAR)
        )

    def full(self) -> Mask:
        """Find the mask."""
        if self.probe is None:
            return self._ask(self.coloring.prober.probe)
        return self._ask(partial(self.probe.mask, self.coloring))

    def plain(self) -> Mask:
        """Find the mask without asking the network, whoever is to answer.

        By similarity; where the learned probe has answered all clicks but the newest,
        what similarity makes of that one, near itself.
        """
        return self._similar(self.coloring.prober.probe)

    def coarse(self) -> Mask:
        """Find at once what there is to show: coarse blocks where it is very large.

        Where the learned probe is to answer and was not asked yet, it is as `plain`,
        and not exact.
        """
        prompts = self.prompts
        if prompts.base is not None and not len(prompts):
            return prompts.base
        if self.probe is not None and self.probe.known(
            self.coloring, prompts.points, prompts.signs, prompts.base
        ):
            return self.full()
        mask = self._similar(self.coloring.prober.preview)
        return mask if self.probe is None else replace(mask, exact=False)

    def _similar(self, find: Callable[..., Mask]) -> Mask:
        """Ask for what similarity makes of the newest click, else of all."""
        earlier = self._answered()
        if earlier is None:
            return self._ask(find)
        last = len(self.prompts) - 1
        return find(
            self.prompts.points[last:],
            self.prompts.signs[last:],
            self.settings,
            insisted=last in self.prompts.insisted,
            base=earlier.full(),
        )

    def _answered(self) -> MaskQuery | None:
        """Return the question before the newest click, if the network answered it."""
        before = self.prompts.first(len(self.prompts) - 1)
        if self.probe is None or not len(before) or not before.positive:
            return None
        known = self.probe.known(
            self.coloring, before.points, before.signs, before.base
        )
        return replace(self, prompts=before) if known else None

    def _ask(self, find: Callable[..., Mask]) -> Mask:
        prompts = self.prompts
        if prompts.base is not None and not len(prompts):
            return prompts.base
        return find(
            prompts.points,
            prompts.signs,
            self.settings,
            insisted=[n in prompts.insisted for n in range(len(prompts))],
            base=prompts.base,
        )


class MaskCache:
    """The newest masks: a click gets the very mask that the pointer showed."""

    def __init__(self) -> None:
        self._found: list[Found] = []

    def forget(self) -> None:
        """Let go of all masks, and of the colorings they were found on."""
        self._found = []

    def keep(self, query: MaskQuery, mask: Mask) -> None:
        """Remember an exact mask."""
        if mask.exact:
            self._found = [(query, mask), *self._found[: _MOST - 1]]

    def known(self, query: MaskQuery) -> Mask | None:
        """Return a mask that was found before, and hold it longer than others."""
        for place, (one, mask) in enumerate(self._found):
            if one.same(query):
                # To the front: the clicked mask is asked for at every move.
                self._found.insert(0, self._found.pop(place))
                return mask
        return None

    def full(self, query: MaskQuery) -> Mask:
        """Return a mask, found now if need be.

        Raises
        ------
        PromptError
            For a click outside the picture.
        """
        mask = self.known(query)
        if mask is None:
            mask = query.full()
            self.keep(query, mask)
        return mask

    def coarse(self, query: MaskQuery) -> Mask | None:
        """Return a mask, coarse where it is very large; None for clicks outside."""
        mask = self.known(query)
        if mask is None:
            try:
                mask = query.coarse()
            except PromptError:
                return None
            self.keep(query, mask)
        return mask

    def search(self, queries: list[MaskQuery]) -> Search:
        """Return the search for exact masks not yet known, to be run on any thread."""
        wanted = [one for one in queries if self.known(one) is None]

        def find() -> list[Found]:
            found = []
            for one in wanted:
                try:
                    found.append((one, one.full()))
                except PromptError:
                    continue  # outside the picture: there is nothing to find
                except Gen2SegError as error:
                    # The model is busy, gone or broken; what is shown has to do.
                    _log.info("no mask of the learned probe: %s", error)
            return found

        return find
