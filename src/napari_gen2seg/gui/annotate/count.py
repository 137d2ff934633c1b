"""How many objects labels hold, and the highest number; planes that stay are known."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from napari_gen2seg.session import Ticket

PART = 1 << 19  # pixels counted in one go

Labels64 = npt.NDArray[np.int64]


def count_objects(data: Any, ticket: Ticket | None = None) -> tuple[int, int]:
    """Count the labels of an array.

    Parameters
    ----------
    data, ticket
        As for `labels_of_planes`.

    Returns
    -------
    tuple of int
        As of `count_in`.
    """
    return count_in(labels_of_planes(data, {}, ticket))


def labels_of_planes(
    data: Any, known: Mapping[int, Labels64], ticket: Ticket | None = None
) -> dict[int, Labels64]:
    """Find the labels of each plane of an array.

    Parameters
    ----------
    data
        Integer array of any kind, of two axes or more; read plane by plane.
    known
        Those of planes that are as they were: not read again.
    ticket
        Asked between planes whether to stop.

    Returns
    -------
    dict
        Plane, numbered in C order over the axes before the last two -> its labels above
        0, int64 (n,), rising.
    """
    found = {}
    for at, index in enumerate(np.ndindex(*data.shape[:-2])):
        found[at] = known[at] if at in known else _labels_of(data[index], ticket)
    return found


def count_in(planes: Mapping[int, Labels64]) -> tuple[int, int]:
    """Return how many different labels planes hold, and the highest; 0 for none."""
    seen = np.unique(np.concatenate([np.zeros(0, np.int64), *planes.values()]))
    return int(seen.size), int(seen.max(initial=0))


def planes_of(steps: Sequence[Any], shape: tuple[int, ...]) -> list[int]:
    """Return the planes that an edit changed.

    Parameters
    ----------
    steps
        The value of a Labels layer's event ``paint``: indices or slices come first in
        each, as told in `napari_edits.patch_of`.
    shape
        Of the labels.

    Returns
    -------
    list of int
        Numbered as in `labels_of_planes`; all of them if it is told in another way.
    """
    outer = shape[:-2]
    changed = np.zeros(outer, bool)
    try:
        for where, *_ in steps:
            changed[tuple(where[: len(outer)])] = True
    except (IndexError, TypeError, ValueError):
        changed[...] = True
    return [int(at) for at in np.flatnonzero(changed)]


def _labels_of(plane: Any, ticket: Ticket | None) -> Labels64:
    seen: Labels64 = np.zeros(0, np.int64)
    for part in _parts(plane):
        if ticket is not None:
            ticket.check()
        flat = np.asarray(part).ravel()
        top = int(flat.max(initial=0))
        if top <= 0:
            continue
        if top < (1 << 24):
            found = np.flatnonzero(np.bincount(flat[flat > 0], minlength=1))
        else:
            found = np.unique(flat[flat > 0])
        seen = np.union1d(seen, found).astype(np.int64)
    return seen


def _parts(plane: Any) -> Iterator[Any]:
    """Cut a plane into parts so small that the window does not wait for one."""
    rows = max(1, PART // max(math.prod(plane.shape[1:]), 1))
    for first in range(0, plane.shape[0], rows):
        yield plane[first : first + rows]
