"""A change of labels as runs of pixels: small, exact, and its own way back."""

from __future__ import annotations

import base64
import binascii
import math
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_gen2seg.common.types import LabelArray
from napari_gen2seg.core.objects.patch import LabelPatch
from napari_gen2seg.errors import DataError

_DENSE = 16  # pixels a run, from which writing run by run is quicker
_LEVEL = 1  # of zlib: four times quicker than 6, and runs are small already

Int64Array = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Patch:
    """What changed in labels, and what was there before.

    The form in which a change is kept; `LabelPatch` is that in which tools return it.
    Pixels are counted in C order over the whole array. A run is a stretch of one row
    with one value before and one after.

    Attributes
    ----------
    shape
        Of the labels.
    starts, lengths
        int64 (n,), first pixel and number of pixels of each run, rising.
    before, after
        int64 (n,), the values of each run.
    """

    shape: tuple[int, ...]
    starts: Int64Array
    lengths: Int64Array
    before: Int64Array
    after: Int64Array

    @classmethod
    def from_windows(
        cls,
        before: LabelArray,
        after: LabelArray,
        corner: Sequence[int] = (),
        shape: Sequence[int] = (),
    ) -> Patch:
        """Find what differs between two states of a window.

        Parameters
        ----------
        before, after
            Whole numbers, of one shape and with as many axes as the labels.
        corner
            Index of the window's first pixel; the labels' first if not given.
        shape
            Of the labels; the window's own if not given.
        """
        window = before.shape
        if after.shape != window or len(window) < 1:
            raise DataError(
                f"The labels are {window} before and {after.shape} after; they must "
                "be of one shape."
            )
        whole = tuple(int(n) for n in shape) or window
        offset = tuple(int(n) for n in corner) or (0,) * len(window)
        _check_inside(window, offset, whole)
        old, new = np.ravel(before), np.ravel(after)
        changed = old != new
        width = max(window[-1], 1)
        begins = changed.copy()
        same = changed[1:] & changed[:-1]
        same &= (old[1:] == old[:-1]) & (new[1:] == new[:-1])
        begins[1:] &= ~same
        begins[width::width] |= changed[width::width]
        first = np.flatnonzero(begins)
        lengths = _lengths(first, changed)
        places = np.unravel_index(first, window)
        moved = tuple(p + o for p, o in zip(places, offset, strict=True))
        starts = np.ravel_multi_index(moved, whole) if first.size else first
        return cls(
            whole,
            np.asarray(starts, np.int64),
            lengths,
            old[first].astype(np.int64),
            new[first].astype(np.int64),
        )

    def same(self, other: Patch) -> bool:
        """Whether another one is the same change."""
        return self.shape == other.shape and all(
            np.array_equal(getattr(self, name), getattr(other, name))
            for name in ("starts", "lengths", "before", "after")
        )

    @classmethod
    def from_label_patch(
        cls, change: LabelPatch, shape: Sequence[int], plane: Sequence[int] = ()
    ) -> Patch:
        """Take the change of one plane, as the tools that edit labels return it.

        Parameters
        ----------
        change
            What a box of the plane held and holds.
        shape
            Of the labels; rows and columns are its last two axes.
        plane
            Place on each axis before them.
        """
        grow = (np.newaxis,) * len(plane)
        return cls.from_windows(
            change.before[grow], change.after[grow], (*plane, *change.box[:2]), shape
        )

    @classmethod
    def from_pixels(
        cls,
        indices: Sequence[npt.ArrayLike],
        before: npt.ArrayLike,
        after: npt.ArrayLike,
        shape: Sequence[int],
    ) -> Patch:
        """Take the changes of single pixels, as an undo history has them.

        Parameters
        ----------
        indices
            (m,) for each axis of the labels. A pixel may be there several times; its
            first value before and its last one after count.
        before, after
            (m,), or one value for all.
        shape
            Of the labels.
        """
        whole = tuple(int(n) for n in shape)
        places = [np.asarray(one, np.int64).ravel() for one in indices]
        try:
            flat = np.asarray(np.ravel_multi_index(places, whole), np.int64)
        except ValueError as error:
            raise DataError(
                f"Pixels are outside of labels of the shape {whole} ({error})."
            ) from error
        old = np.broadcast_to(np.asarray(before, np.int64).ravel(), flat.shape)
        new = np.broadcast_to(np.asarray(after, np.int64).ravel(), flat.shape)
        if (flat[1:] <= flat[:-1]).any():  # mostly they are in order: nothing to sort
            order = np.argsort(flat, kind="stable")
            flat, old, new = flat[order], old[order], new[order]
            differs = np.flatnonzero(np.diff(flat))
            firsts = np.concatenate([[0], differs + 1])[: flat.size]
            lasts = np.concatenate([differs, [flat.size - 1]])[: flat.size]
            flat, old, new = flat[firsts], old[firsts], new[lasts]
        kept = old != new
        flat, old, new = flat[kept], old[kept], new[kept]
        begins = np.ones(flat.size, bool)
        begins[1:] = (
            (np.diff(flat) != 1)
            | (np.diff(old) != 0)
            | (np.diff(new) != 0)
            | (flat[1:] % whole[-1] == 0)
        )
        first = np.flatnonzero(begins)
        lengths = np.diff(np.append(first, flat.size))
        return cls(whole, flat[first], lengths, old[first], new[first])

    @property
    def empty(self) -> bool:
        """Whether nothing changed."""
        return not self.starts.size

    @property
    def pixels(self) -> int:
        """How many pixels changed."""
        return int(self.lengths.sum())

    @property
    def objects(self) -> list[int]:
        """The numbers above 0 that are there before or after, rising."""
        numbers = np.unique(np.concatenate([self.before, self.after]))
        return [int(number) for number in numbers if number > 0]

    @property
    def window(self) -> tuple[slice, ...]:
        """The bounding box of what changed, to be drawn anew; empty slices if none."""
        if self.empty:
            return tuple(slice(0, 0) for _ in self.shape)
        first = np.unravel_index(self.starts, self.shape)
        last = np.unravel_index(self.starts + self.lengths - 1, self.shape)
        return tuple(
            slice(int(low.min()), int(high.max()) + 1)
            for low, high in zip(first, last, strict=True)
        )

    def inverse(self) -> Patch:
        """Return the change back."""
        return replace(self, before=self.after, after=self.before)

    def apply(self, labels: Any) -> None:
        """Write the values after the change.

        Parameters
        ----------
        labels
            An array of whole numbers of `shape`, numpy or zarr; changed in place.

        Raises
        ------
        DataError
            If it has another shape.
        """
        self._check(labels)
        contiguous = isinstance(labels, np.ndarray) and labels.flags.c_contiguous
        if contiguous and self.pixels < _DENSE * self.starts.size:
            labels.reshape(-1)[self._flat()] = np.repeat(self.after, self.lengths)
            return
        rows = np.unravel_index(self.starts, self.shape)
        for *place, column, length, value in zip(
            *(axis.tolist() for axis in rows),
            self.lengths.tolist(),
            self.after.tolist(),
            strict=True,
        ):
            labels[(*place, slice(column, column + length))] = value

    def fits(self, labels: LabelArray) -> bool:
        """Tell whether the labels hold the values before the change."""
        self._check(labels)
        rows = np.unravel_index(self._flat(), self.shape)
        held = np.asarray(labels[rows])
        return bool(np.array_equal(held, np.repeat(self.before, self.lengths)))

    def to_json(self) -> dict[str, Any]:
        """Return plain values: shape, number of runs, and the runs compressed."""
        ends = self.starts + self.lengths
        gaps = self.starts - np.concatenate([[0], ends[:-1]])[: self.starts.size]
        columns = (gaps, self.lengths, self.before, self.after)
        types = [_smallest(column) for column in columns]
        raw = b"".join(
            column.astype(kind).tobytes()
            for column, kind in zip(columns, types, strict=True)
        )
        return {
            "shape": list(self.shape),
            "runs": int(self.starts.size),
            "types": types,
            "data": base64.b64encode(zlib.compress(raw, _LEVEL)).decode("ascii"),
        }

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Patch:
        """Read what `to_json` gave.

        Raises
        ------
        DataError
            If it is damaged.
        """
        try:
            shape = tuple(int(n) for n in values["shape"])
            runs, types = int(values["runs"]), [np.dtype(t) for t in values["types"]]
            raw = zlib.decompress(base64.b64decode(values["data"], validate=True))
            columns, at = [], 0
            for kind in types:
                column = np.frombuffer(raw, kind, runs, at)
                columns.append(column.astype(np.int64))
                at += runs * kind.itemsize
            gaps, lengths, before, after = columns
        except (KeyError, TypeError, ValueError, zlib.error, binascii.Error) as error:
            raise DataError(
                f"A change of labels could not be read ({error}); it is damaged."
            ) from error
        starts = np.cumsum(gaps + lengths) - lengths
        if runs and (starts[-1] + lengths[-1] > math.prod(shape) or gaps.min() < 0):
            raise DataError(
                f"A change of labels reaches beyond their shape {shape}; it is damaged."
            )
        return cls(shape, starts, lengths, before, after)

    def _flat(self) -> Int64Array:
        within = np.cumsum(self.lengths) - self.lengths
        steps = np.arange(self.pixels, dtype=np.int64)
        return np.repeat(self.starts - within, self.lengths) + steps

    def _check(self, labels: Any) -> None:
        if tuple(labels.shape) != self.shape:
            raise DataError(
                f"The labels are {tuple(labels.shape)} but the change is for "
                f"{self.shape}; they must be equal."
            )


def _lengths(first: npt.NDArray[Any], changed: npt.NDArray[np.bool_]) -> Int64Array:
    """Return the length of each run: up to the next one, or to what is unchanged."""
    ends = np.flatnonzero(changed & ~np.append(changed[1:], False)) + 1
    stops = np.append(first[1:], changed.size)[: first.size]
    if first.size:
        stops = np.minimum(stops, ends[np.searchsorted(ends, first, side="right")])
    return np.asarray(stops - first, np.int64)


def _check_inside(
    window: tuple[int, ...], corner: tuple[int, ...], shape: tuple[int, ...]
) -> None:
    fits = len(window) == len(corner) == len(shape) and all(
        low >= 0 and low + size <= whole
        for low, size, whole in zip(corner, window, shape, strict=True)
    )
    if not fits:
        raise DataError(
            f"A window of {window} at {corner} is not inside labels of {shape}."
        )


def _smallest(values: Int64Array) -> str:
    """Return the smallest type of whole numbers that holds them, little-endian."""
    low, high = int(values.min(initial=0)), int(values.max(initial=0))
    for kind in ("|u1", "<u2", "<u4", "<i4"):
        limits = np.iinfo(np.dtype(kind))
        if limits.min <= low and high <= limits.max:
            return kind
    return "<i8"
