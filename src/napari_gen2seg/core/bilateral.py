"""The joint bilateral filter of the published rule, where it decides anything.

The filter: diameter 9, both sigmas 75, colour differences summed over channels,
weights and sums in single precision, pixels in reading order, result rounded half
to even, the frame mirrored without repeating its rim (OpenCV contrib,
``ximgproc::jointBilateralFilter``; written from its definition).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float32]
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


def smoothed_above(framed: Packed, height: int, width: int, threshold: int) -> Bools:
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
    mask: Bools = above.copy()
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


def _contour(above: Bools) -> Bools:
    """Return the pixels above that have one of four neighbours that is not."""
    contour = np.zeros_like(above)
    contour[1:] = above[1:] > above[:-1]
    contour[:-1] |= above[:-1] > above[1:]
    contour[:, 1:] |= above[:, 1:] > above[:, :-1]
    contour[:, :-1] |= above[:, :-1] > above[:, 1:]
    return contour


def _spread(mask: Bools) -> Bools:
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


def _tables() -> dict[int, Floats]:
    """Weight by colour difference, for each squared distance in the disc."""
    scale = -0.5 / (_SIGMA * _SIGMA)
    colour = np.exp(np.square(np.arange(766.0)) * scale).astype(np.float32)
    return {
        squared: colour * np.float32(np.exp(squared * scale))
        for squared in {
            down * down + right * right
            for down, reach in enumerate(_REACHES)
            for right in range(reach + 1)
        }
    }


_WEIGHTS = _tables()


def _filtered(pixels: Packed, pitch: int, places: npt.NDArray[np.intp]) -> Floats:
    """Filter single pixels of a framed map, given flat; returns rounded values."""
    centre = pixels[places].view(np.uint8)
    total = np.zeros(len(places), np.float32)
    weights = np.zeros(len(places), np.float32)
    for down in range(-RADIUS, RADIUS + 1):
        reach = _REACHES[abs(down)]
        for right in range(-reach, reach + 1):
            there = pixels.take(places + (down * pitch + right))
            bytes_ = there.view(np.uint8)
            gap = np.maximum(bytes_, centre)
            gap -= np.minimum(bytes_, centre)
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
    total /= weights
    return np.rint(total, out=total)
