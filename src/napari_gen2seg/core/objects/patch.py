"""One change of a label image, as small as it is.

Every tool returns a patch and changes nothing itself, so that whoever owns the labels
applies it in one step (`apply`, or `pixels` where another program does the writing),
and takes it back in one.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_gen2seg.common.types import BoolArray, LabelArray
from napari_gen2seg.core.probe.mask import BBox
from napari_gen2seg.errors import DataError

Indices = npt.NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class LabelPatch:
    """What a box of a label image held, and what it holds afterwards.

    Attributes
    ----------
    box
        (row0, column0, row1, column1), half open; (0, 0, 0, 0) where nothing changes.
    before, after
        Labels in the box, of the type of the whole; read-only.
    """

    box: BBox
    before: LabelArray
    after: LabelArray

    @classmethod
    def of(cls, labels: LabelArray, box: BBox, after: LabelArray) -> LabelPatch:
        """Compare a box of labels with what it is to hold; trimmed to what differs.

        Parameters
        ----------
        labels
            int (H, W), as it is now.
        box
            Where ``after`` lies.
        after
            int (row1 - row0, column1 - column0).

        Raises
        ------
        DataError
            If a number does not fit the type of the labels.
        """
        before = labels[box[0] : box[2], box[1] : box[3]]
        changed = before != after
        rows = np.flatnonzero(changed.any(axis=1))
        if not rows.size:
            nothing = np.zeros((0, 0), labels.dtype)
            return cls((0, 0, 0, 0), nothing, nothing)
        cols = np.flatnonzero(changed.any(axis=0))
        r0, r1, c0, c1 = (
            int(rows[0]),
            int(rows[-1]) + 1,
            int(cols[0]),
            int(cols[-1]) + 1,
        )
        new = after[r0:r1, c0:c1]
        check_fits(int(new.max()), labels.dtype)
        return cls(
            (box[0] + r0, box[1] + c0, box[0] + r1, box[1] + c1),
            _frozen(before[r0:r1, c0:c1], labels.dtype),
            _frozen(new, labels.dtype),
        )

    def __bool__(self) -> bool:
        """Tell whether anything changes."""
        return self.before.size > 0

    @property
    def changed(self) -> BoolArray:
        """Which pixels of the box differ, bool (h, w)."""
        return np.asarray(self.before != self.after)

    @property
    def numbers(self) -> npt.NDArray[np.int64]:
        """The objects that get or lose pixels, int64 (n,), rising."""
        changed = self.changed
        both = np.concatenate([self.before[changed], self.after[changed]])
        found = np.unique(both).astype(np.int64)
        return found[found > 0]

    def apply(self, labels: LabelArray) -> None:
        """Write the change into labels, int (H, W), in place."""
        r0, c0, r1, c1 = self.box
        np.copyto(labels[r0:r1, c0:c1], self.after, where=self.changed)

    def without(self, numbers: Collection[int]) -> LabelPatch:
        """Return the patch without the pixels that some objects get."""
        gone = np.isin(self.after, list(numbers))
        after = np.where(gone, self.before, self.after)
        return LabelPatch(self.box, self.before, _frozen(after, after.dtype))

    def reversed(self) -> LabelPatch:
        """Return the patch that takes this one back."""
        return LabelPatch(self.box, self.after, self.before)

    def pixels(self) -> tuple[Indices, Indices, LabelArray]:
        """Return rows, columns and new values of the pixels that change."""
        rows, cols = np.nonzero(self.changed)
        return rows + self.box[0], cols + self.box[1], self.after[rows, cols]


def check_fits(number: int, dtype: np.dtype[Any]) -> None:
    """Refuse an object's number that a type of labels cannot hold.

    Raises
    ------
    DataError
        With what to do about it.
    """
    highest = np.iinfo(dtype).max
    if number > highest:
        raise DataError(
            f"Object {number} does not fit labels of type {dtype}, which ends at "
            f"{highest}. Convert the labels to int32."
        )


def _frozen(values: LabelArray, dtype: np.dtype[Any]) -> LabelArray:
    copy = np.array(values, dtype)
    copy.flags.writeable = False
    return copy
