"""Objects through the planes of a stack: where they begin and end, and how large."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from napari_gen2seg.common.types import Array, Float64Array, LabelArray


@dataclass(frozen=True, eq=False)
class Through:
    """Facts of the objects of a stack.

    Attributes
    ----------
    numbers
        int64 (n,), rising.
    pixels
        int64 (n,), in all planes.
    first, last, planes
        int64 (n,): the first and the last place, and in how many planes it is.
    """

    numbers: npt.NDArray[np.int64]
    pixels: npt.NDArray[np.int64]
    first: npt.NDArray[np.int64]
    last: npt.NDArray[np.int64]
    planes: npt.NDArray[np.int64]

    def columns(self, numbers: Array, unit: float | None = None) -> dict[str, Array]:
        """Return the facts of some objects as columns of a table.

        Parameters
        ----------
        numbers
            int (m,), which; 0 stands where one is not known.
        unit
            Volume of a pixel; None where the planes are moments and there is none.
        """
        places = np.searchsorted(self.numbers, numbers)
        known = places < len(self.numbers)
        known[known] = self.numbers[places[known]] == np.asarray(numbers)[known]
        found: dict[str, Array] = {}
        for name in ("planes", "first", "last", "pixels"):
            values = np.zeros(len(known), np.int64)
            values[known] = getattr(self, name)[places[known]]
            found[name] = values
        pixels = found.pop("pixels")
        if unit is None:
            return found
        return {"volume": pixels * unit, **found}


def measure_through(
    planes: Iterable[LabelArray], check: Callable[[], None] = lambda: None
) -> Through:
    """Measure the objects of a stack.

    Parameters
    ----------
    planes
        int (H, W), or volumes, one after the other; what is below 1 is background.
    check
        Called once a plane; may raise.
    """
    seen: list[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]] = []
    for plane in planes:
        check()
        seen.append(_counted(np.asarray(plane)))
    if not seen:
        seen = [(np.zeros(0, np.int64), np.zeros(0, np.int64))]
    places = np.repeat(np.arange(len(seen)), [len(ids) for ids, _ in seen])
    ids = np.concatenate([one for one, _ in seen])
    counts = np.concatenate([many for _, many in seen])
    numbers, at = np.unique(ids, return_inverse=True)
    last = np.zeros(len(numbers), np.int64)
    first = np.full(len(numbers), len(seen), np.int64)
    np.maximum.at(last, at, places)
    np.minimum.at(first, at, places)
    pixels = np.bincount(at, counts, len(numbers)).astype(np.int64)
    return Through(
        numbers, pixels, first, last, np.bincount(at, minlength=len(numbers))
    )


def tracks_of(
    planes: Iterable[LabelArray], check: Callable[[], None] = lambda: None
) -> Float64Array:
    """Return where each object is in each plane, as a Tracks layer of napari wants it.

    Parameters
    ----------
    planes, check
        As for `measure_through`.

    Returns
    -------
    numpy.ndarray
        float64 (n, 2 + axes of a plane): number, place, and the middle of its pixels;
        by number, then by place.
    """
    rows: list[Float64Array] = []
    width = 4
    for place, one in enumerate(planes):
        check()
        plane = np.asarray(one)
        width = 2 + plane.ndim
        where = np.nonzero(plane > 0)
        ids, at = np.unique(plane[where], return_inverse=True)
        if not ids.size:
            continue
        sizes = np.bincount(at)
        middles = [np.bincount(at, axis) / sizes for axis in where]
        rows.append(np.stack([ids, np.full(ids.size, place), *middles], axis=1))
    found = np.concatenate(rows) if rows else np.zeros((0, width))
    return np.asarray(found[np.lexsort((found[:, 1], found[:, 0]))], np.float64)


def _counted(
    plane: LabelArray,
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return the numbers of a plane and how many pixels each has."""
    flat = plane.ravel()
    if flat.size and int(flat.max()) <= 4 * flat.size and int(flat.min()) >= 0:
        counts = np.bincount(flat)
        counts[0] = 0
        numbers = np.flatnonzero(counts)
        return numbers, counts[numbers]
    numbers, counts = np.unique(flat[flat > 0], return_counts=True)
    return numbers.astype(np.int64), counts.astype(np.int64)
