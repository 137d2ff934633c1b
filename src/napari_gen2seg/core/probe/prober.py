"""Clicks on a coloring map -> a mask. No network involved."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_gen2seg.common.types import Shape
from napari_gen2seg.core.image.geometry import check_prompts
from napari_gen2seg.core.probe.distance_rule import Curve, DistanceRule
from napari_gen2seg.core.probe.mask import Mask
from napari_gen2seg.core.probe.one_click import OneClick
from napari_gen2seg.core.probe.prompts import Prompts
from napari_gen2seg.core.probe.published_rule import PaperRule
from napari_gen2seg.core.probe.sequence import Clicks, ClickSequence, insisted_flags
from napari_gen2seg.core.probe.settings import MAX_TOLERANCE, ProbeSettings

__all__ = ["MAX_TOLERANCE", "Curve", "ProbeSettings", "Prober"]


class Prober:
    """Answers clicks on one map; whatever is worth preparing is prepared once.

    Parameters
    ----------
    values
        float32 (h, w, 3) in 0..255; not copied, must not change.
    source_shape
        (H, W) in pixels of the picture that the map stands for.
    extra_maps
        float32 (h, w, 3 n) or (h, w, 3 n + 1) or None: n further maps of the same
        picture, of the same size, and its brightness. Only the product's own rule reads
        them.
    brightness_image
        uint8 (H, W) or None: brightness that outlines at the picture's size follow.
    black_background
        Whether the model paints the background black.
    """

    def __init__(
        self,
        values: npt.NDArray[np.float32],
        source_shape: Shape,
        extra_maps: npt.NDArray[np.float32] | None = None,
        brightness_image: npt.NDArray[np.uint8] | None = None,
        black_background: bool = False,
    ) -> None:
        self.values = values
        self.source_shape = source_shape
        self._one = OneClick(
            values, source_shape, extra_maps, brightness_image, black_background
        )
        self._sequence = ClickSequence(self._one)

    def rule(self, brightness: bool = True) -> DistanceRule:
        """Return the product's own rule; see `OneClick.rule`."""
        return self._one.rule(brightness)

    @cached_property
    def paper(self) -> PaperRule:
        """The published rule on this map, rounded to 8 bits."""
        return PaperRule(np.asarray(np.rint(self.values), np.uint8))

    def prepare(self) -> None:
        """Do now, on any thread, what the first click would otherwise wait for."""
        self.rule().prepare()

    def probe(
        self,
        points: Any,
        signs: Any = None,
        settings: ProbeSettings | None = None,
        *,
        insisted: Any = None,
        base: Mask | None = None,
    ) -> Mask:
        """Return the object under the clicks; see :meth:`Coloring.probe`."""
        settings = settings or ProbeSettings()
        clicks = self._clicks(points, signs, insisted, base)
        if settings.rule == "paper":
            prompts = clicks.prompts.standing()
            found = self.paper.probe(
                prompts.pixels[prompts.signs > 0], settings.sigma, settings.threshold
            )
            return Mask.from_window(
                found, (0, 0), prompts.shape, self.source_shape, score=1.0
            )
        if not settings.contiguous:
            prompts = clicks.prompts.standing()
            return self._one.outlined(
                self.rule(settings.brightness).probe(prompts, settings), settings
            )
        return self._sequence.after(clicks, settings)

    def preview(
        self,
        points: Any,
        signs: Any = None,
        settings: ProbeSettings | None = None,
        *,
        insisted: Any = None,
        base: Mask | None = None,
    ) -> Mask:
        """Return what :meth:`probe` would, coarser where the object is very large.

        Meant for the moving pointer: over the background of a large map the exact
        mask takes several frames and nobody commits it.
        """
        settings = settings or ProbeSettings()
        if settings.rule == "paper":
            return self.probe(points, signs, settings)
        clicks = self._clicks(points, signs, insisted, base)
        if not settings.contiguous:
            prompts = clicks.prompts.standing()
            found = self.rule(settings.brightness).preview(prompts, settings)
            return self._one.outlined(found, settings)
        return self._sequence.after(clicks, settings, coarse=True)

    def curve(
        self,
        points: Any,
        signs: Any = None,
        settings: ProbeSettings | None = None,
    ) -> Curve:
        """Return how the area depends on the tolerance, for a small graph.

        Of what the first click that keeps finds, which later ones correct; where
        everything alike is matched, of all clicks together.

        Returns
        -------
        Curve
            ``tolerances`` (n,), ``areas`` (n,) in map pixels, ``plateau``
            (from, to) and ``best``, the tolerance that would be chosen.
        """
        settings = settings or ProbeSettings()
        clicks = self._clicks(points, signs, None, None)
        prompts = clicks.prompts.standing()
        if settings.contiguous:
            prompts = prompts.one(int(np.argmax(prompts.signs > 0)))
        return self.rule(settings.brightness).curve(prompts, settings)

    def prompts(self, points: Any, signs: Any, base: Mask | None = None) -> Prompts:
        """Return clicks at source pixels, checked, as clicks on the map."""
        placed = self._clicks(points, signs, None, base).prompts
        return placed if base is not None else placed.standing()

    def _clicks(
        self, points: Any, signs: Any, insisted: Any, base: Mask | None
    ) -> Clicks:
        shape = (int(self.values.shape[0]), int(self.values.shape[1]))
        held = base is not None
        rc, sign = check_prompts(
            points, signs, self.source_shape, needs_positive=not held
        )
        prompts = Prompts.place(rc, sign, shape, self.source_shape)
        if not held:
            prompts.standing()  # or there is nothing that is kept
        return Clicks(prompts, insisted_flags(insisted, len(rc)), base)
