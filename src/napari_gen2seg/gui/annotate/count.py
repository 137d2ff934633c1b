"""How many objects labels hold, and the highest number."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from napari_gen2seg.session import Ticket

PART = 1 << 19  # pixels counted in one go


def count_objects(data: Any, ticket: Ticket | None = None) -> tuple[int, int]:
    """Count the labels of an array.

    Parameters
    ----------
    data
        Integer array of any kind and number of axes; read plane by plane.
    ticket
        Asked between planes whether to stop.

    Returns
    -------
    tuple of int
        Number of different labels above 0, and the highest.
    """
    seen: np.ndarray[Any, Any] = np.zeros(0, np.int64)
    for part in _parts(data):
        if ticket is not None:
            ticket.check()
        flat = np.asarray(part).ravel()
        if not flat.size:
            continue
        top = int(flat.max())
        if top <= 0:
            continue
        if top < (1 << 24):
            found = np.flatnonzero(np.bincount(flat[flat > 0], minlength=1))
        else:
            found = np.unique(flat[flat > 0])
        seen = np.union1d(seen, found)
    return int(seen.size), int(seen.max()) if seen.size else 0


def _parts(data: Any) -> Iterator[Any]:
    """Cut an array into parts so small that the window does not wait for one."""
    if data.ndim > 2:
        for plane in data:
            yield from _parts(plane)
        return
    rows = max(1, PART // max(math.prod(data.shape[1:]), 1))
    for first in range(0, data.shape[0], rows):
        yield data[first : first + rows]
