"""A picture with its truth: what every data set comes down to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_gen2seg.common.types import BoolArray, Int32Array
from napari_gen2seg.errors import DataError

Crop = tuple[BoolArray, tuple[int, int]]
"""A mask's bounding box, and the (row, column) of its first pixel."""

LARGEST = 2**22
"""Objects with numbers above are renumbered: everybody counts up to the largest."""


@dataclass(frozen=True, eq=False)
class Annotated:
    """A picture and what people say is in it.

    Attributes
    ----------
    image
        (H, W) or (H, W, C), any dtype that `core.rgb.to_rgb` takes.
    labels
        int32 (H, W): 0 background, -1 unknown, objects from 1. Where objects overlap,
        the one with the higher number is on top.
    crops
        The objects as masks of their own, where they may overlap; empty when
        ``labels`` says everything.
    boundaries
        bool (H, W), one for each person who drew edges; empty without any.
    """

    image: npt.NDArray[Any]
    labels: Int32Array
    crops: Mapping[int, Crop] = field(default_factory=dict)
    boundaries: tuple[BoolArray, ...] = ()

    def __post_init__(self) -> None:
        shapes = {self.labels.shape, *(edge.shape for edge in self.boundaries)}
        if shapes != {self.image.shape[:2]}:
            raise DataError(
                f"The picture is {self.image.shape[:2]} pixels but its truth is "
                f"{sorted(shapes)}; they must be equal. Resize the truth, or check "
                "that the files belong together."
            )

    @property
    def shape(self) -> tuple[int, int]:
        """(H, W) in pixels."""
        return int(self.labels.shape[0]), int(self.labels.shape[1])

    @cached_property
    def areas(self) -> dict[int, int]:
        """Area in pixels of every object, by its number, rising."""
        if self.crops:
            return {n: int(crop.sum()) for n, (crop, _) in sorted(self.crops.items())}
        numbers, areas = np.unique(self.labels[self.labels > 0], return_counts=True)
        return dict(zip(numbers.tolist(), areas.tolist(), strict=True))

    def mask(self, number: int) -> BoolArray:
        """Return one object, bool (H, W).

        Raises
        ------
        DataError
            If there is no such object.
        """
        if number not in self.areas:
            raise DataError(
                f"There is no object {number}; the objects are {list(self.areas)[:20]}."
            )
        if not self.crops:
            return np.asarray(self.labels == number)
        frame = np.zeros(self.shape, bool)
        crop, (row, col) = self.crops[number]
        frame[row : row + crop.shape[0], col : col + crop.shape[1]] = crop
        return frame

    @property
    def unknown(self) -> BoolArray:
        """Where nobody knows what is there, bool (H, W)."""
        return np.asarray(self.labels < 0)


@dataclass(frozen=True, eq=False)
class Item:
    """A picture of a data set, not read yet.

    Attributes
    ----------
    name
        Unique in its data set.
    reader
        Reads it.
    """

    name: str
    reader: Callable[[], Annotated]

    def read(self) -> Annotated:
        """Read picture and truth.

        Raises
        ------
        DataError, StorageError, ImageError
            If a file is missing, damaged, or does not fit its picture.
        """
        return self.reader()


@dataclass(frozen=True, eq=False)
class Dataset:
    """Pictures with truth, read one at a time.

    Attributes
    ----------
    name
        For reports.
    items
        In a fixed order.
    """

    name: str
    items: tuple[Item, ...]

    def __post_init__(self) -> None:
        names = [item.name for item in self.items]
        if not names:
            raise DataError(
                f"{self.name} holds no annotated pictures; see docs/evaluation.md for "
                "the layouts that are read."
            )
        if len(set(names)) != len(names):
            twice = sorted({name for name in names if names.count(name) > 1})
            raise DataError(
                f"{self.name} holds {twice[0]!r} more than once; every picture must "
                "have a name of its own. Rename one."
            )

    def __len__(self) -> int:
        return len(self.items)


def as_labels(numbers: npt.NDArray[Any]) -> Int32Array:
    """Turn whole numbers of any type into labels, with no two objects made one.

    Numbers stay as they are, unless one is larger than `LARGEST`: ids of other programs
    go up to 2**64. Then the objects are numbered anew in the order of their ids.

    Parameters
    ----------
    numbers
        Integers or booleans of any shape; below 0 is unknown.

    Returns
    -------
    numpy.ndarray
        int32 of the same shape; 0 background, -1 unknown, objects from 1.
    """
    if int(numbers.max(initial=0)) > LARGEST:
        ids, index = np.unique(numbers, return_inverse=True)
        numbers = np.where(ids > 0, np.cumsum(ids > 0), -(ids < 0).astype(np.int32))[
            index
        ].reshape(numbers.shape)
    elif numbers.dtype.kind == "i":
        numbers = np.maximum(numbers, -1)
    return numbers.astype(np.int32)


def from_masks(
    image: npt.NDArray[Any], masks: list[BoolArray], unknown: BoolArray | None = None
) -> Annotated:
    """Build the truth of masks that may overlap.

    Parameters
    ----------
    image
        (H, W) or (H, W, C).
    masks
        bool (H, W), one an object; empty ones are left out, numbers count on.
    unknown
        bool (H, W), areas such as crowds that count neither way.
    """
    labels = np.zeros(image.shape[:2], np.int32)
    if unknown is not None:
        labels[unknown] = -1
    crops: dict[int, Crop] = {}
    for number, mask in enumerate(masks, 1):
        rows = np.flatnonzero(mask.any(axis=1))
        if rows.size == 0:
            continue
        cols = np.flatnonzero(mask.any(axis=0))
        r0, c0 = int(rows[0]), int(cols[0])
        crop = mask[r0 : int(rows[-1]) + 1, c0 : int(cols[-1]) + 1].copy()
        crops[number] = (crop, (r0, c0))
        labels[mask] = number
    return Annotated(image, labels, crops)
