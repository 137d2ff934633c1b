"""Outlines of proposals drawn by the learned probe, a few at a time.

The network runs where the model does, and the model may be busy, or a pointer may be
waiting: so whoever refines asks for a little, and goes on later.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from napari_gen2seg.core.learned_probe.choice import LEARNED
from napari_gen2seg.errors import Cancelled

if TYPE_CHECKING:
    from napari_gen2seg.core.candidates import CandidateSet
    from napari_gen2seg.core.coloring import Coloring
    from napari_gen2seg.core.learned_probe.probe import Probe
    from napari_gen2seg.core.probe.mask import Mask
    from napari_gen2seg.session.model_host import ModelHost

_MOMENT = 0.5  # seconds for which a busy model is waited
_AT_ONCE = 4  # outlines, at most
_LONG = 0.25  # seconds for which a pointer that comes meanwhile should wait at most
PAUSE = 0.2  # seconds until a busy model is asked again


class Refinement:
    """Candidates of a map on their way to better outlines; see `Probe.refine`.

    Parameters
    ----------
    coloring, candidates
        The map, with its image, and what was found in it.
    probe
        Draws the outlines.
    host
        Runs its network.
    """

    def __init__(
        self,
        coloring: Coloring,
        candidates: CandidateSet,
        probe: Probe,
        host: ModelHost,
    ) -> None:
        self._coloring, self._candidates = coloring, candidates
        self._probe, self._host = probe, host
        self._masks: list[Mask] = []
        self._at_once = _AT_ONCE

    @property
    def left(self) -> int:
        """How many outlines are still to be drawn."""
        return len(self._candidates) - len(self._masks)

    @property
    def refined(self) -> CandidateSet:
        """The candidates, once nothing is left; the same number in the same order."""
        return replace(self._candidates, masks=tuple(self._masks), method=LEARNED)

    def go_on(self, seconds: float, check: Callable[[], None]) -> bool:
        """Draw for some seconds; tell whether the model had time for it.

        Parameters
        ----------
        seconds
            At most, and some outlines at least.
        check
            Called before each; may raise.

        Raises
        ------
        Gen2SegError
            If the network cannot be loaded, or its process is gone.
        """
        until = time.monotonic() + seconds
        while self.left:
            check()
            begun = time.monotonic()
            try:
                with self._host.in_turn(_MOMENT):
                    self._masks += self._probe.refined(
                        self._coloring,
                        self._candidates,
                        len(self._masks),
                        self._at_once,
                    )
            except Cancelled:  # busy with something else
                return False
            now = time.monotonic()
            self._suit(now - begun)
            if now > until:
                break
        return True

    def _suit(self, seconds: float) -> None:
        """Take fewer or more at once, by the time that the last took."""
        if seconds > _LONG:
            self._at_once = max(1, self._at_once // 2)
        elif seconds < _LONG / 4:
            self._at_once = min(_AT_ONCE, 2 * self._at_once)

    def finish(self, check: Callable[[], None]) -> CandidateSet:
        """Draw all that are left, however long the model is busy.

        Raises
        ------
        Gen2SegError
            As `go_on`.
        """
        while self.left:
            if not self.go_on(PAUSE, check):
                time.sleep(PAUSE)
        return self.refined
