"""Checked clicks in the three forms that the rules need."""

from __future__ import annotations

from dataclasses import dataclass, replace

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
    def place(
        cls,
        points: Float64Array,
        signs: npt.NDArray[np.int8],
        shape: Shape,
        source_shape: Shape,
    ) -> Prompts:
        """Place checked clicks on the map, all of them, in their order."""
        # The click itself, not its rounded pixel, is carried over to the map.
        pixels = nearest_pixel(rescale(points, source_shape, shape), shape)
        source = nearest_pixel(points, source_shape)
        return cls(pixels, source, signs, shape, source_shape)

    def standing(self) -> Prompts:
        """Return those that count: of two on one pixel of the source the later.

        Raises
        ------
        PromptError
            If none of them keeps.
        """
        held = self._latest()
        if not (self.signs[held] > 0).any():
            raise PromptError(
                "Every positive click was taken back by a later negative click on the "
                "same pixel; add a positive click on the object."
            )
        return replace(
            self,
            pixels=self.pixels[held],
            source_pixels=self.source_pixels[held],
            signs=self.signs[held],
        )

    def one(self, index: int) -> Prompts:
        """Return one of them alone."""
        return self.first(index + 1, index)

    def first(self, count: int, start: int = 0) -> Prompts:
        """Return the first so many."""
        chosen = slice(start, count)
        return replace(
            self,
            pixels=self.pixels[chosen],
            source_pixels=self.source_pixels[chosen],
            signs=self.signs[chosen],
        )

    def _latest(self) -> list[int]:
        last = {tuple(pixel): n for n, pixel in enumerate(self.source_pixels.tolist())}
        return sorted(last.values())

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
        """Source pixels of the clicks of one sign that count."""
        return tuple(
            (int(self.source_pixels[n, 0]), int(self.source_pixels[n, 1]))
            for n in self._latest()
            if self.signs[n] == sign
        )
