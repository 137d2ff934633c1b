"""Clicks on a coloring map -> a mask. No network involved."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_gen2seg.common.types import Shape
from napari_gen2seg.core.image.geometry import check_prompts
from napari_gen2seg.core.probe.distance_rule import Curve, DistanceRule
from napari_gen2seg.core.probe.follow_strands import Strands
from napari_gen2seg.core.probe.mask import Mask
from napari_gen2seg.core.probe.prompts import Prompts
from napari_gen2seg.core.probe.published_rule import PaperRule
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
        Whether the model paints the background black; only there strands are followed.
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
        self.extra_maps = extra_maps
        self.brightness_image = brightness_image
        self.strands = Strands(values) if black_background else None

    def rule(self, brightness: bool = True) -> DistanceRule:
        """The product's own rule on this map and what stands beside it.

        Parameters
        ----------
        brightness
            Whether the picture's brightness, if it is known, has a say.
        """
        known = self.extra_maps is not None and self.extra_maps.shape[2] % 3 == 1
        return self._all if brightness or not known else self._maps_alone

    @cached_property
    def _all(self) -> DistanceRule:
        return self._stacked(self.extra_maps)

    @cached_property
    def _maps_alone(self) -> DistanceRule:
        return self._stacked(
            self.extra_maps[..., :-1] if self.extra_maps is not None else None
        )

    def _stacked(self, extra_maps: npt.NDArray[np.float32] | None) -> DistanceRule:
        """Return the rule on all channels.

        Two pixels are as far apart as the root mean square over the maps says, so that
        tolerances mean what they mean on one map.
        """
        if extra_maps is None or extra_maps.shape[2] == 0:
            return DistanceRule(self.values, self.source_shape)
        stacked = np.concatenate([self.values, extra_maps], axis=-1)
        stacked *= np.float32((stacked.shape[-1] / 3) ** -0.5)
        return DistanceRule(stacked, self.source_shape)

    @cached_property
    def paper(self) -> PaperRule:
        """The published rule on this map, rounded to 8 bits."""
        return PaperRule(np.asarray(np.rint(self.values), np.uint8))

    def prepare(self) -> None:
        """Do now, on any thread, what the first click would otherwise wait for."""
        self.rule().prepare()
        if self.strands is not None:
            self.strands.prepare()

    def probe(
        self,
        points: Any,
        signs: Any = None,
        settings: ProbeSettings | None = None,
    ) -> Mask:
        """Return the object under the clicks; see :meth:`Coloring.probe`."""
        settings = settings or ProbeSettings()
        prompts = self.prompts(points, signs)
        if settings.rule == "paper":
            found = self.paper.probe(
                prompts.pixels[prompts.signs > 0], settings.sigma, settings.threshold
            )
            return Mask.from_window(
                found, (0, 0), prompts.shape, self.source_shape, score=1.0
            )
        mask = self.rule(settings.brightness).probe(prompts, settings)
        mask = self._whole(mask, prompts, settings)
        if settings.brightness and settings.clean and self.brightness_image is not None:
            return replace(mask, brightness_image=self.brightness_image)
        return mask

    def preview(
        self,
        points: Any,
        signs: Any = None,
        settings: ProbeSettings | None = None,
    ) -> Mask:
        """Return what :meth:`probe` would, coarser where the object is very large.

        Meant for the moving pointer: over the background of a large map the exact
        mask takes several frames and nobody commits it.
        """
        settings = settings or ProbeSettings()
        if settings.rule == "paper":
            return self.probe(points, signs, settings)
        prompts = self.prompts(points, signs)
        mask = self.rule(settings.brightness).preview(prompts, settings)
        return self._whole(mask, prompts, settings)

    def curve(
        self,
        points: Any,
        signs: Any = None,
        settings: ProbeSettings | None = None,
    ) -> Curve:
        """Return how the area depends on the tolerance, for a small graph.

        Returns
        -------
        Curve
            ``tolerances`` (n,), ``areas`` (n,) in map pixels, ``plateau``
            (from, to) and ``best``, the tolerance that would be chosen.
        """
        settings = settings or ProbeSettings()
        rule = self.rule(settings.brightness)
        return rule.curve(self.prompts(points, signs), settings)

    def _whole(self, mask: Mask, prompts: Prompts, settings: ProbeSettings) -> Mask:
        """Return the whole strand, where a mask is a part of one.

        Not where somebody asked for a tolerance: what they see is to follow it.
        """
        asked = settings.tolerance is not None or not settings.clean
        if self.strands is None or asked or not settings.contiguous:
            return mask
        return self.strands.follow(mask, prompts)

    def prompts(self, points: Any, signs: Any) -> Prompts:
        """Return clicks at source pixels, checked, as clicks on the map."""
        shape = (int(self.values.shape[0]), int(self.values.shape[1]))
        rc, sign = check_prompts(points, signs, self.source_shape)
        return Prompts.build(rc, sign, shape, self.source_shape)
