"""The query color of the published rule, summed in single precision in its own order.

A Gaussian mean over the whole frame, of which all but a window is exactly 0. The last
bit of it decides whether a pixel whose similarity lies on the threshold belongs, so it
is not enough to know the mean well: weights are rounded where the published numbers
were, and added up in the order in which torch adds up float32 on a CPU. There, what is
summed is dealt out in turn to four lanes; each lane adds up steps of 16 or more, the
sums of which are added up in steps, and so on over four levels.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from napari_gen2seg.common.types import Float32Array

_REACH = 6.1  # sigma; from 6.003 on weights are 0, see `_rounded`
_LANES = 4
_LEVELS = 4
_VECTOR = 8  # numbers that torch adds at a time where they lie side by side


def published_query(
    values: npt.NDArray[np.uint8], pixel: npt.NDArray[np.intp], sigma: float
) -> Float32Array:
    """Return the Gaussian mean color around a click.

    Parameters
    ----------
    values
        uint8 (h, w, 3).
    pixel
        (row, column) of the click.
    sigma
        Width of the Gaussian as a fraction of the frame.

    Returns
    -------
    numpy.ndarray
        float32 (3,), 0..255.
    """
    height, width = values.shape[:2]
    down, right = (
        np.square(_unit_steps(size) - np.float32(place / max(size - 1, 1)))
        for size, place in zip((height, width), pixel, strict=True)
    )
    rows = np.flatnonzero(down <= (_REACH * sigma) ** 2)
    cols = np.flatnonzero(right <= (_REACH * sigma) ** 2)
    squared = right[cols] + down[rows, None]
    weights = _rounded(-squared / np.float32(2 * sigma * sigma)).reshape(-1)
    places = (rows[:, None] * width + cols).reshape(-1)
    patch = values[rows[0] : rows[-1] + 1, cols[0] : cols[-1] + 1].reshape(-1, 3)
    total = _sum_of_vectors(places, weights, height * width)
    colors = _sum(places, patch * weights[:, None], height * width)[0]
    query: Float32Array = colors / (total + np.float32(1e-6))
    return query


def _unit_steps(count: int) -> Float32Array:
    """Return ``count`` float32 from 0 to 1, counted from the nearer end.

    The published numbers were made with steps rounded like this; counting from 0
    alone differs in the last bit and, rarely, in a pixel of the mask.
    """
    step = np.float64(np.float32(1) / np.float32(max(count - 1, 1)))
    index = np.arange(count, dtype=np.float64)
    steps: Float32Array = np.where(
        index < count // 2, step * index, 1 - step * (count - 1 - index)
    ).astype(np.float32)
    return steps


def _rounded(exponents: Float32Array) -> Float32Array:
    """Return exp, taken to -1..1 and back to 0..1 on the way.

    Small weights are thereby rounded to multiples of 2**-25, many of them to 0.
    """
    weights = np.exp(exponents.astype(np.float64)).astype(np.float32)
    weights *= np.float32(2)
    weights -= np.float32(1)
    weights += np.float32(1)
    weights /= np.float32(2)
    return weights


def _sum_of_vectors(
    places: npt.NDArray[np.intp], values: Float32Array, count: int
) -> np.float32:
    """Add up numbers that lie side by side: eight at a time, then those that remain."""
    vectors = _sum(places, values[:, None], count, _VECTOR).reshape(-1)
    total = np.zeros(1, np.float32)
    remaining = values[places >= count // _VECTOR * _VECTOR]
    steps = np.concatenate([total, remaining, vectors])
    return np.float32(np.add.accumulate(steps)[-1])


def _sum(
    places: npt.NDArray[np.intp], values: Float32Array, count: int, unit: int = 1
) -> Float32Array:
    """Add up an array that is 0 but for a few places, in four lanes and four levels.

    Parameters
    ----------
    places
        int (m,), rising, of what is not 0.
    values
        float32 (m, k), what is there.
    count
        Length of the whole array.
    unit
        Places that make one item, the parts of which are added up apart. Those behind
        the last whole item are left out.

    Returns
    -------
    numpy.ndarray
        float32 (unit, k).
    """
    items = count // unit
    length = items // _LANES  # of a lane
    bits = max(4, max(length - 1, 1).bit_length() // _LEVELS)
    step = 1 << bits
    size = step * _LANES * unit  # places that the lanes take in one step
    dealt = places < length * _LANES * unit
    blocks = places[dealt] // size
    slots = np.cumsum(np.diff(blocks, prepend=blocks[:1]) > 0)
    ids = blocks[np.flatnonzero(np.diff(blocks, prepend=-1))]
    laid = np.zeros((len(ids) * size, values.shape[1]), np.float32)
    laid[slots * size + places[dealt] % size] = values[dealt]
    lanes = laid.reshape(len(ids), step, _LANES, unit, -1)
    sums: Float32Array = np.add.accumulate(lanes, axis=1)[:, -1]
    levels = np.zeros((_LEVELS, *sums.shape[1:]), np.float32)
    whole = length // step
    for level in range(_LEVELS - 1):
        done = ids < whole
        for unfinished in sums[~done]:  # one at most: it stays on its level
            levels[level] += unfinished
        last = level == _LEVELS - 2
        ids, inverse = np.unique(
            np.zeros_like(ids[done]) if last else ids[done] // step, return_inverse=True
        )
        grouped = np.zeros((len(ids), *sums.shape[1:]), np.float32)
        np.add.at(grouped, inverse, sums[done])  # one by one, in their order
        sums, whole = grouped, whole // step
    for highest in sums:
        levels[-1] += highest
    lane = levels[0]
    for higher in levels[1:]:
        lane += higher
    first = length * _LANES * unit
    kept = ~dealt & (places < items * unit)
    rest = np.zeros((items * unit - first, values.shape[1]), np.float32)
    rest[places[kept] - first] = values[kept]
    for item in rest.reshape(-1, unit, values.shape[1]):
        lane[0] += item
    total: Float32Array = ((lane[0] + lane[1]) + lane[2]) + lane[3]
    return total
