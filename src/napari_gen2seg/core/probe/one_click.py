"""What a map says of one click: the rule on it, and the object it finds.

Apart from `Prober`, so that a sequence of clicks holds this and not who holds the
sequence: a ring of references keeps a large map in memory long after its last use.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from napari_gen2seg.common.types import Shape
from napari_gen2seg.core.map.object_size import DARK
from napari_gen2seg.core.probe.distance_rule import DistanceRule
from napari_gen2seg.core.probe.mask import Mask
from napari_gen2seg.core.probe.prompts import Prompts
from napari_gen2seg.core.probe.query_color import query_colors
from napari_gen2seg.core.probe.settings import ProbeSettings


class OneClick:
    """Answers one click on one map; parameters as of `Prober`."""

    def __init__(
        self,
        values: npt.NDArray[np.float32],
        source_shape: Shape,
        extra_maps: npt.NDArray[np.float32] | None,
        brightness_image: npt.NDArray[np.uint8] | None,
        black_background: bool,
    ) -> None:
        self.values = values
        self.source_shape = source_shape
        self.extra_maps = extra_maps
        self.brightness_image = brightness_image
        self.black_background = black_background

    def rule(self, brightness: bool = True) -> DistanceRule:
        """Return the product's own rule on the map and what stands beside it.

        Parameters
        ----------
        brightness
            Whether the picture's brightness, if it is known, has a say.
        """
        known = self.extra_maps is not None and self.extra_maps.shape[2] % 3 == 1
        return self._all if brightness or not known else self._maps_alone

    def find(self, click: Prompts, settings: ProbeSettings, coarse: bool) -> Mask:
        """Return the object under the click.

        Parameters
        ----------
        click
            One.
        settings
            Of the probe.
        coarse
            Whether blocks will do where the object is very large.
        """
        rule = self.rule(settings.brightness)
        mask = (rule.preview if coarse else rule.probe)(click, settings)
        return self.outlined(mask, settings)

    def outlined(self, mask: Mask, settings: ProbeSettings) -> Mask:
        """Let the outline at the size of the source follow the image, if it is known.

        A preview is shown at the size of the map.
        """
        if (
            settings.brightness
            and settings.clean
            and mask.exact
            and self.brightness_image is not None
        ):
            return replace(mask, brightness_image=self.brightness_image)
        return mask

    def on_background(self, pixel: tuple[int, int]) -> bool:
        """Whether the model takes a map pixel for background, as far as is known."""
        if not self.black_background:
            return False
        color = query_colors(self._maps_alone.map, np.array([pixel]), 0.0)[0]
        return bool(np.linalg.norm(color) < DARK)

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
