"""The published rule, bit for bit, without computing most of it.

Similarity to the clicked colour is 1 / distance, scaled by the best and worst
pixel of the whole map, cut to 8 bits, smoothed by a joint bilateral filter and
thresholded (gen2seg, arXiv 2505.15263, and the numbers its code gives). It stays
for parity; see ``distance`` for the product's own rule.

What makes it quick and still exact:

- the query is a Gaussian of 1 % of the frame: seven sigma of it are enough;
- the best and the worst distance come from the colours that occur in the map,
  listed once;
- the filter gives a weighted mean, so where everything around a pixel is above
  the threshold it passes, and where everything is below it fails: only the band
  between is filtered, pixel by pixel.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy import ndimage

Bools = npt.NDArray[np.bool_]
Bytes = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]

_RADIUS = 4  # of the filter: diameter 9
_SIGMA = 75.0  # of the filter, in grey levels (summed over channels) and in pixels
_EPSILON = np.float32(1e-6)
_CHUNK = 1 << 15  # pixels of the band filtered at a time


class PaperRule:
    """Answers clicks on one 8-bit map by the published rule.

    Parameters
    ----------
    values
        uint8 (h, w, 3), RGB.
    """

    def __init__(self, values: Bytes) -> None:
        self._values = values

    def probe(
        self, pixels: npt.NDArray[np.intp], sigma: float, threshold: int
    ) -> Bools:
        """Return the mask of positive clicks.

        Parameters
        ----------
        pixels
            (n, 2) rows and columns.
        sigma
            Width of the click as a fraction of the frame.
        threshold
            0..254; pixels with a smoothed similarity above it belong.

        Returns
        -------
        numpy.ndarray
            bool (h, w).
        """
        similarity = self._similarity(pixels[0], sigma)
        for pixel in pixels[1:]:
            np.maximum(similarity, self._similarity(pixel, sigma), out=similarity)
        return self._smoothed_above(similarity, threshold)

    def query(self, pixel: npt.NDArray[np.intp], sigma: float) -> Floats:
        """Return the Gaussian mean colour around a click, float32 (3,)."""
        offsets, spans = [], []
        for axis in (0, 1):
            length, centre = self._values.shape[axis], int(pixel[axis])
            reach = int(np.ceil(7 * sigma * max(length - 1, 1))) + 1
            span = slice(max(centre - reach, 0), min(centre + reach + 1, length))
            place = np.float32(centre / max(length - 1, 1))
            offsets.append(np.square(_unit_steps(length)[span] - place))
            spans.append(span)
        # Single precision up to here and double after it, as the published numbers.
        squared = (offsets[0][:, None] + offsets[1][None]).astype(np.float64)
        weights = np.exp(squared / (-2 * sigma * sigma)).astype(np.float32)
        weights = weights.astype(np.float64).ravel()
        patch = self._values[spans[0], spans[1]].reshape(-1, 3).astype(np.float64)
        query: Floats = (weights @ patch / (weights.sum() + 1e-6)).astype(np.float32)
        return query

    @cached_property
    def _colours(self) -> npt.NDArray[np.uint8]:
        """(n, 3): every colour that occurs in the map."""
        seen = np.zeros(1 << 24, bool)
        flat = self._values.reshape(-1, 3).astype(np.uint32)
        seen[(flat[:, 0] << 16) | (flat[:, 1] << 8) | flat[:, 2]] = True
        code = np.flatnonzero(seen)
        return np.stack((code >> 16, (code >> 8) & 255, code & 255), 1).astype(np.uint8)

    def _similarity(self, pixel: npt.NDArray[np.intp], sigma: float) -> Bytes:
        query = self.query(pixel, sigma)
        tables = np.square(np.arange(256, dtype=np.float32)[None] - query[:, None])
        best, worst = self._range(tables)
        squared = tables[0][self._values[..., 0]]
        squared += tables[1][self._values[..., 1]]
        squared += tables[2][self._values[..., 2]]
        nearness = 1 / (np.sqrt(squared, out=squared) + _EPSILON)
        scaled = (nearness - worst) / (best - worst + _EPSILON)
        cut: Bytes = (scaled * np.float32(255)).astype(np.uint8)
        return cut

    def _range(self, tables: Floats) -> tuple[np.float32, np.float32]:
        colours = self._colours
        squared = tables[0][colours[:, 0]]
        squared += tables[1][colours[:, 1]]
        squared += tables[2][colours[:, 2]]
        near, far = np.sqrt(squared.min()), np.sqrt(squared.max())
        return np.float32(1 / (near + _EPSILON)), np.float32(1 / (far + _EPSILON))

    def _smoothed_above(self, similarity: Bytes, threshold: int) -> Bools:
        above = similarity > threshold
        disc = _disc()
        some = ndimage.maximum_filter(above, footprint=disc, mode="mirror")
        every = ndimage.minimum_filter(above, footprint=disc, mode="mirror")
        mask: Bools = every.copy()
        rows, cols = np.nonzero(some & ~every)
        padded = np.pad(similarity, _RADIUS, mode="reflect")
        guide = np.pad(
            self._values, ((_RADIUS, _RADIUS), (_RADIUS, _RADIUS), (0, 0)), "reflect"
        )
        for start in range(0, len(rows), _CHUNK):
            r, c = rows[start : start + _CHUNK], cols[start : start + _CHUNK]
            mask[r, c] = _bilateral(padded, guide, r, c) > threshold
        return mask


def _unit_steps(count: int) -> Floats:
    """Return ``count`` float32 from 0 to 1, counted from the nearer end.

    The published numbers were made with steps rounded like this; counting from 0
    alone differs in the last bit and, rarely, in a pixel of the mask.
    """
    step = np.float64(np.float32(1) / np.float32(max(count - 1, 1)))
    index = np.arange(count, dtype=np.float64)
    steps: Floats = np.where(
        index < count // 2, step * index, 1 - step * (count - 1 - index)
    ).astype(np.float32)
    return steps


def _disc() -> Bools:
    axis = np.arange(-_RADIUS, _RADIUS + 1)
    disc: Bools = np.add.outer(axis**2, axis**2) <= _RADIUS**2
    return disc


def _bilateral(
    similarity: Bytes,
    guide: Bytes,
    rows: npt.NDArray[np.intp],
    cols: npt.NDArray[np.intp],
) -> Floats:
    """Filter single pixels of arrays padded by the radius; rounded values."""
    scale = -0.5 / (_SIGMA * _SIGMA)
    colour = np.exp(np.arange(766, dtype=np.float64) ** 2 * scale).astype(np.float32)
    centre = guide[rows + _RADIUS, cols + _RADIUS].astype(np.int16)
    total = np.zeros(len(rows), np.float32)
    weights = np.zeros(len(rows), np.float32)
    for down, right in np.argwhere(_disc()):
        there = guide[rows + down, cols + right].astype(np.int16)
        gap = np.abs(there - centre).sum(axis=1)
        reach = (down - _RADIUS) ** 2 + (right - _RADIUS) ** 2
        weight = colour[gap] * np.float32(np.exp(reach * scale))
        weights += weight
        total += weight * similarity[rows + down, cols + right]
    rounded: Floats = np.rint(total / weights)
    return rounded
