"""The published rule, bit for bit, without computing most of it.

Similarity to the clicked colour is 1 / distance, scaled by the best and worst
pixel of the whole map, cut to 8 bits, smoothed by a joint bilateral filter and
thresholded (gen2seg, arXiv 2505.15263, and the numbers its code gives). It stays
for parity; see ``distance`` for the product's own rule.

What makes it quick and still exact:

- the query is a Gaussian of 1 % of the frame: beyond six sigma its weights are 0
  (``published_query``);
- the best and the worst distance come from the colours that occur in the map,
  listed once;
- tiles of 32 x 32 pixels know the range of their colours; those that cannot reach
  the threshold, and have no neighbour that can, are never looked at;
- the filter gives a weighted mean, so where everything around a pixel is above
  the threshold it passes, and where everything is below it fails: only the band
  between is filtered, pixel by pixel.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
import numpy.typing as npt

from napari_gen2seg.common.types import BoolArray, Float32Array
from napari_gen2seg.core.probe.published_query import published_query

Bytes = npt.NDArray[np.uint8]

_EPSILON = np.float32(1e-6)
_TILE = 32
_SLACK = 1.001  # rounding must not make a tile look out of reach


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
    ) -> BoolArray:
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
        queries = [published_query(self._values, pixel, sigma) for pixel in pixels]
        scales = [self._scale(query) for query in queries]
        within = np.zeros(len(self._low), bool)
        for query, (best, worst) in zip(queries, scales, strict=True):
            least = worst + (threshold + 1) / 255 * (best - worst + _EPSILON)
            within |= self._gaps(query) <= (_SLACK / max(float(least), 1e-9)) ** 2
        rows, cols = self._grid
        chosen = np.flatnonzero(_dilated(within.reshape(rows, cols)))
        height, width = self._values.shape[:2]
        mask = np.zeros((height, width), bool)
        if not len(chosen):
            return mask
        planes = self._tiles[:, chosen]
        similarity = self._similarity(planes, queries[0], scales[0])
        for query, scale in zip(queries[1:], scales[1:], strict=True):
            found = self._similarity(planes, query, scale)
            np.maximum(similarity, found, out=similarity)
        tile_rows, tile_cols = np.divmod(chosen, cols)
        r0, r1 = int(tile_rows.min()), int(tile_rows.max()) + 1
        c0, c1 = int(tile_cols.min()), int(tile_cols.max()) + 1
        # Tiles outside the chosen ones stay 0: they lie farther than the filter
        # reaches from anything above the threshold.
        framed = np.zeros(
            ((r1 - r0) * _TILE + 2 * RADIUS, (c1 - c0) * _TILE + 2 * RADIUS), np.uint32
        )
        blocks = np.lib.stride_tricks.as_strided(
            framed[RADIUS:, RADIUS:],
            (r1 - r0, c1 - c0, _TILE, _TILE),
            (framed.strides[0] * _TILE, framed.strides[1] * _TILE, *framed.strides),
        )
        packed = similarity.astype(np.uint32) << np.uint32(24)
        packed |= self._packed[chosen]
        blocks[tile_rows - r0, tile_cols - c0] = packed
        high = min(r1 * _TILE, height) - r0 * _TILE
        wide = min(c1 * _TILE, width) - c0 * _TILE
        mirror_rim(framed, high, wide)
        found_mask = smoothed_above(framed, high, wide, threshold)
        mask[r0 * _TILE :, c0 * _TILE :][:high, :wide] = found_mask
        return mask

    @cached_property
    def _colors(self) -> npt.NDArray[np.uint8]:
        """(n, 3): every color that occurs in the map."""
        seen = np.zeros(1 << 24, bool)
        flat = self._values.reshape(-1, 3).astype(np.uint32)
        seen[(flat[:, 0] << 16) | (flat[:, 1] << 8) | flat[:, 2]] = True
        code = np.flatnonzero(seen)
        return np.stack((code >> 16, (code >> 8) & 255, code & 255), 1).astype(np.uint8)

    @cached_property
    def _grid(self) -> tuple[int, int]:
        """Tiles along rows and columns."""
        height, width = self._values.shape[:2]
        return -(-height // _TILE), -(-width // _TILE)

    @cached_property
    def _tiles(self) -> Bytes:
        """(3, tiles, 32, 32): the map cut up; the rim repeats into the last ones."""
        rows, cols = self._grid
        height, width = self._values.shape[:2]
        spare = ((0, rows * _TILE - height), (0, cols * _TILE - width), (0, 0))
        full = np.pad(self._values, spare, mode="edge")
        cut = full.reshape(rows, _TILE, cols, _TILE, 3).transpose(4, 0, 2, 1, 3)
        tiles: Bytes = np.ascontiguousarray(cut).reshape(3, -1, _TILE, _TILE)
        return tiles

    @cached_property
    def _packed(self) -> npt.NDArray[np.uint32]:
        """(tiles, 32, 32): red, green and blue in one number."""
        red, green, blue = self._tiles.astype(np.uint32)
        packed: npt.NDArray[np.uint32] = (
            red | green << np.uint32(8) | blue << np.uint32(16)
        )
        return packed

    @cached_property
    def _low(self) -> Float32Array:
        """(tiles, 3): smallest value of each channel."""
        low: Float32Array = self._tiles.min(axis=(2, 3)).T.astype(np.float32)
        return low

    @cached_property
    def _high(self) -> Float32Array:
        """(tiles, 3): largest value of each channel."""
        high: Float32Array = self._tiles.max(axis=(2, 3)).T.astype(np.float32)
        return high

    def prepare(self) -> None:
        """Do now what the first click would otherwise wait for."""
        _ = self._colors, self._low, self._high, self._packed

    def _gaps(self, query: Float32Array) -> Float32Array:
        """Return the least squared distance that each tile can have to a color."""
        outside = np.maximum(np.maximum(self._low - query, query - self._high), 0)
        gaps: Float32Array = np.square(outside).sum(axis=1)
        return gaps

    def _scale(self, query: Float32Array) -> tuple[np.float32, np.float32]:
        """Return the largest and the smallest nearness in the map."""
        colors = self._colors
        squared = _squared_distances(colors.T, query)
        near, far = np.sqrt(squared.min()), np.sqrt(squared.max())
        return np.float32(1 / (near + _EPSILON)), np.float32(1 / (far + _EPSILON))

    @staticmethod
    def _similarity(
        planes: Bytes, query: Float32Array, scale: tuple[np.float32, np.float32]
    ) -> Bytes:
        """Return the similarity, cut to 8 bits, of planes (3, ...) to a color."""
        squared = _squared_distances(planes, query)
        best, worst = scale
        nearness = np.sqrt(squared, out=squared)
        nearness += _EPSILON
        np.divide(np.float32(1), nearness, out=nearness)
        nearness -= worst
        nearness /= best - worst + _EPSILON
        nearness *= np.float32(255)
        cut: Bytes = nearness.astype(np.uint8)
        return cut


def _squared_distances(planes: Bytes, query: Float32Array) -> Float32Array:
    """Return the squared distance of planes (3, ...) to a color.

    The published numbers were rounded once for each channel, after multiplying and
    adding (a fused multiply-add): the squares that are added are exact.
    """
    apart = np.arange(256, dtype=np.float32)[None] - query[:, None]
    exact = np.square(apart.astype(np.float64))
    squared: Float32Array = np.take(exact[0].astype(np.float32), planes[0])
    for channel in (1, 2):
        there = np.take(exact[channel], planes[channel])
        np.add(squared, there, out=squared, casting="same_kind")
    return squared


def _dilated(tiles: BoolArray) -> BoolArray:
    """Add the eight neighbors of every tile."""
    framed = np.pad(tiles, 1)
    rows, cols = tiles.shape
    grown = np.zeros_like(tiles)
    for down in range(3):
        for right in range(3):
            grown |= framed[down : down + rows, right : right + cols]
    return grown


Packed = npt.NDArray[np.uint32]
"""Per pixel red, green, blue and, in the highest byte, the similarity."""

RADIUS = 4
_SIGMA = 75.0  # grey levels summed over channels, and pixels
_CHUNK = 1 << 13  # pixels filtered at a time: what fits into a core's cache
_REACHES = (4, 3, 3, 2, 0)  # half width of the disc, 0 to 4 rows from its centre


def mirror_rim(framed: Packed, height: int, width: int) -> None:
    """Mirror a map into the frame around it, in place.

    Parameters
    ----------
    framed
        The map of ``height`` x ``width`` begins ``RADIUS`` pixels inside, and at
        least as many follow it.
    """
    for axis, length in ((0, height), (1, width)):
        order = np.pad(np.arange(length), RADIUS, mode="reflect") + RADIUS
        lines = framed if axis == 0 else framed.T
        for place in (*range(RADIUS), *range(RADIUS + length, 2 * RADIUS + length)):
            lines[place] = lines[order[place]]


def smoothed_above(
    framed: Packed, height: int, width: int, threshold: int
) -> BoolArray:
    """Return where the filtered similarity exceeds a threshold.

    Parameters
    ----------
    framed
        As for :func:`mirror_rim`, already mirrored.
    height, width
        Of the map inside the frame.
    threshold
        0..254.

    Returns
    -------
    numpy.ndarray
        bool (height, width).
    """
    inner = (slice(RADIUS, RADIUS + height), slice(RADIUS, RADIUS + width))
    # The highest byte decides, whatever the colour below it.
    above = framed[inner] >= np.uint32((threshold + 1) << 24)
    mask: BoolArray = above.copy()
    # A weighted mean is above where all around is, and not where nothing is. Where
    # both occur, a pixel above with a neighbour that is not lies within the disc.
    band = np.flatnonzero(_spread(_contour(above)))
    rows, cols = np.divmod(band, width)
    pitch = framed.shape[1]
    places = (rows + RADIUS) * pitch + cols + RADIUS
    flat, pixels = mask.reshape(-1), framed.reshape(-1)
    for start in range(0, len(band), _CHUNK):
        part = slice(start, start + _CHUNK)
        flat[band[part]] = _filtered(pixels, pitch, places[part]) > threshold
    return mask


def _contour(above: BoolArray) -> BoolArray:
    """Return the pixels above that have one of four neighbors that is not."""
    contour = np.zeros_like(above)
    contour[1:] = above[1:] > above[:-1]
    contour[:-1] |= above[:-1] > above[1:]
    contour[:, 1:] |= above[:, 1:] > above[:, :-1]
    contour[:, :-1] |= above[:, :-1] > above[:, 1:]
    return contour


def _spread(mask: BoolArray) -> BoolArray:
    """Dilate by the disc of the filter, shift by shift."""
    out = np.zeros_like(mask)
    wide = mask.copy()
    done = 0
    for reach in sorted(set(_REACHES)):
        for shift in range(done + 1, reach + 1):
            wide[:, shift:] |= mask[:, :-shift]
            wide[:, :-shift] |= mask[:, shift:]
        done = reach
        for down, width in enumerate(_REACHES):
            if width != reach:
                continue
            if down == 0:
                out |= wide
            else:
                out[down:] |= wide[:-down]
                out[:-down] |= wide[down:]
    return out


def _tables() -> dict[int, Float32Array]:
    """Weight by color difference, for each squared distance in the disc."""
    scale = -0.5 / (_SIGMA * _SIGMA)
    color = np.exp(np.square(np.arange(766.0)) * scale).astype(np.float32)
    return {
        squared: color * np.float32(np.exp(squared * scale))
        for squared in {
            down * down + right * right
            for down, reach in enumerate(_REACHES)
            for right in range(reach + 1)
        }
    }


_WEIGHTS = _tables()


def _filtered(pixels: Packed, pitch: int, places: npt.NDArray[np.intp]) -> Float32Array:
    """Filter single pixels of a framed map, given flat; returns rounded values."""
    center = pixels[places].view(np.uint8)
    total = np.zeros(len(places), np.float32)
    weights = np.zeros(len(places), np.float32)
    for down in range(-RADIUS, RADIUS + 1):
        reach = _REACHES[abs(down)]
        for right in range(-reach, reach + 1):
            there = pixels.take(places + (down * pitch + right))
            bytes_ = there.view(np.uint8)
            gap = np.maximum(bytes_, center)
            gap -= np.minimum(bytes_, center)
            # Three of four bytes added inside each number.
            packed = gap.view(np.uint32)
            index = packed & np.uint32(0xFF)
            packed >>= np.uint32(8)
            index += packed & np.uint32(0xFF)
            packed >>= np.uint32(8)
            index += packed & np.uint32(0xFF)
            weight = _WEIGHTS[down * down + right * right].take(index)
            weights += weight
            there >>= np.uint32(24)
            weight *= there.astype(np.float32)
            total += weight
    # Not a division: a value that falls on half a step depends on the last bit.
    total *= np.divide(np.float32(1), weights, out=weights)
    return np.rint(total, out=total)
