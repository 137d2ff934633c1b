"""The color that a click means: that of the pixels around it which agree."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from napari_gen2seg.common.types import Float32Array
from napari_gen2seg.core.probe.sharpen import SharpMap

_LEAST_RADIUS = 1.5  # map pixels: at least the eight neighbours count
_MOST_RADIUS = 6.0
_LEAST_NOISE = 2.0
_BANDS = (40.0, 28.0, 20.0)  # colour distance inside which pixels agree, shrinking


def query_colors(
    map_: SharpMap, clicks: npt.NDArray[np.intp], radius: float
) -> Float32Array:
    """Return one robust color per click.

    Starts at the clicked pixel's own (sharpened) colour and moves to the mean of
    those pixels nearby that resemble it, so noise averages out while pixels of a
    neighbour or of the background do not count. A pixel that nothing around
    resembles is taken for a speck: the colour most of its neighbours share is used.

    Parameters
    ----------
    map_
        The map; its sharpened self is read.
    clicks
        (n, 2) rows and columns.
    radius
        Map pixels around a click that count; kept within 1.5 to 6.

    Returns
    -------
    numpy.ndarray
        float32 (n, 3).
    """
    reach = min(max(radius, _LEAST_RADIUS), _MOST_RADIUS)
    colors = np.empty((len(clicks), len(map_.planes)), np.float32)
    for index, (row, col) in enumerate(clicks.tolist()):
        colors[index] = _query(map_, row, col, reach)
    return colors


def _query(map_: SharpMap, row: int, col: int, reach: float) -> Float32Array:
    span = int(reach)
    r0, c0 = max(row - span, 0), max(col - span, 0)
    r1, c1 = min(row + span + 1, map_.shape[0]), min(col + span + 1, map_.shape[1])
    map_.ensure((r0, c0, r1, c1))
    patch = map_.sharp[:, r0:r1, c0:c1]
    rows = np.arange(r0, r0 + patch.shape[1]) - row
    cols = np.arange(c0, c0 + patch.shape[2]) - col
    near = np.add.outer(rows**2, cols**2) <= reach**2
    nearby = patch[:, near].T
    color: Float32Array = map_.sharp[:, row, col].copy()
    for band in _BANDS:
        agree = np.square(nearby - color).sum(axis=1) <= band * band
        if np.count_nonzero(agree) <= 1 < len(nearby):
            return _shared(nearby)
        color = nearby[agree].mean(axis=0)
    return color


def _shared(nearby: Float32Array) -> Float32Array:
    """Return the mean of the colors around the one with most company."""
    gaps = np.square(nearby[:, None] - nearby[None]).sum(axis=2)
    company = gaps <= _BANDS[0] ** 2
    best = int(company.sum(axis=1).argmax())
    mean: Float32Array = nearby[company[best]].mean(axis=0)
    return mean


def noise_around(
    map_: SharpMap, clicks: npt.NDArray[np.intp], colors: Float32Array
) -> float:
    """Return how far pixels around the clicks lie from the clicked colors.

    The median over a patch of 7 x 7 pixels of the map as it is, counting only those
    that resemble the clicked colour; the largest over the clicks; at least 2.
    """
    noise = _LEAST_NOISE
    for (row, col), color in zip(clicks.tolist(), colors, strict=True):
        r0, c0 = max(row - 3, 0), max(col - 3, 0)
        r1, c1 = min(row + 4, map_.shape[0]), min(col + 4, map_.shape[1])
        map_.ensure((r0, c0, r1, c1))
        change = map_.planes[:, r0:r1, c0:c1] - color[:, None, None]
        gaps = np.sqrt(np.square(change).sum(axis=0))
        alike = gaps[gaps <= _BANDS[0]]
        if alike.size:
            noise = max(noise, float(np.median(alike)))
    return noise
