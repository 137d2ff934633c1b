"""Checked clicks in the three forms that the rules need."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from napari_gen2seg.common.types import Float64Array, Shape
from napari_gen2seg.core.image.geometry import nearest_pixel, rescale
from napari_gen2seg.errors import PromptError

Pixels = npt.NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Prompts:
    """Clicks on one map.

    Attributes
    ----------
    pixels
        (n, 2) rows and columns of map pixels.
    source_pixels
        (n, 2) rows and columns of source pixels.
    signs
        n values of +1 or -1.
    shape, source_shape
        (h, w) of the map and (H, W) of the source.
    """

    pixels: Pixels
    source_pixels: Pixels
    signs: npt.NDArray[np.int8]
    shape: Shape
    source_shape: Shape

    @classmethod
    def build(
        cls,
        points: Float64Array,
        signs: npt.NDArray[np.int8],
        shape: Shape,
        source_shape: Shape,
    ) -> Prompts:
        """Place checked clicks on the map; of two on one pixel the later counts."""
        source = nearest_pixel(points, source_shape)
        last = {tuple(pixel): index for index, pixel in enumerate(source.tolist())}
        held = sorted(last.values())
        if not (signs[held] > 0).any():
            raise PromptError(
                "Every positive click was taken back by a later negative click on the "
                "same pixel; add a positive click on the object."
            )
        # The click itself, not its rounded pixel, is carried over to the map.
        pixels = nearest_pixel(rescale(points[held], source_shape, shape), shape)
        return cls(pixels, source[held], signs[held], shape, source_shape)

    @property
    def positive(self) -> Pixels:
        """(n, 2) map pixels of the positive clicks."""
        return self.pixels[self.signs > 0]

    @property
    def negative(self) -> Pixels:
        """(n, 2) map pixels of the negative clicks, less those also positive."""
        keep = {tuple(pixel) for pixel in self.positive.tolist()}
        chosen = [
            pixel
            for pixel in self.pixels[self.signs < 0].tolist()
            if tuple(pixel) not in keep
        ]
        return np.asarray(chosen, np.intp).reshape(-1, 2)

    def forced(self, sign: int) -> tuple[tuple[int, int], ...]:
        """Source pixels of the clicks of one sign."""
        return tuple(
            (int(row), int(col)) for row, col in self.source_pixels[self.signs == sign]
        )
