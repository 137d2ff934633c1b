"""Annotated images: an image with its ground truth, and where one comes from.

Every labelled image of the package is an `Annotated`, and every place that one can be
read from (a layer, two files, a frame of a data set) an `AnnotatedSource`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from napari_gen2seg.common.types import BoolArray, Int32Array, LabelArray
from napari_gen2seg.core.image.rgb import RgbRecipe, rgb_key, to_rgb
from napari_gen2seg.core.map.object_size import typical_size
from napari_gen2seg.errors import DataError
from napari_gen2seg.io.label_facts import LabelFacts, look_through

Role = Literal["auto", "train", "validation"]
"""What an image is for; ``"auto"`` leaves it to whoever divides them."""

PlacedMask = tuple[BoolArray, tuple[int, int]]
"""A mask's bounding box, and the (row, column) of its first pixel."""

LARGEST = 2**22
"""Objects with numbers above are renumbered: everybody counts up to the largest."""


@dataclass(frozen=True, eq=False)
class Annotated:
    """An image and what people say is in it.

    What is asked of it again and again (`objects`, `areas`, `diameter`, `key`,
    `facts`) is found once.

    Attributes
    ----------
    image
        (H, W) or (H, W, C), any dtype that `core.image.rgb.to_rgb` takes. In
        fine-tuning RGB as the model sees it, float32 (H, W, 3) in 0..1; in mini's
        training uint8 (H, W, 3), since thousands are kept.
    labels
        int32 (H, W): 0 background, -1 unknown, objects from 1. Where objects overlap,
        the one with the higher number is on top.
    masks
        The objects as masks of their own, where they may overlap; empty when
        ``labels`` says everything.
    boundaries
        bool (H, W), one for each person who drew edges; empty without any.
    name
        For people and file names; empty where its `AnnotatedSource` has the only one.
    kind
        What sort of image its folder's manifest says it is; empty where it says none.
    given_diameter
        Typical diameter of the objects in pixels, where it is not measured as
        `diameter` would measure it.
    notes
        What somebody should be told of its files, as sentences.
    """

    image: npt.NDArray[Any]
    labels: Int32Array
    masks: Mapping[int, PlacedMask] = field(default_factory=dict)
    boundaries: tuple[BoolArray, ...] = ()
    name: str = ""
    kind: str = ""
    given_diameter: float | None = None
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        shapes = {self.labels.shape, *(edge.shape for edge in self.boundaries)}
        if shapes != {self.image.shape[:2]}:
            raise DataError(
                f"The picture is {_size(self.image.shape)} pixels but its labels are "
                f"{' and '.join(map(_size, sorted(shapes)))}; they must be equal. "
                "Resize the labels, or check that the files belong together."
            )

    @property
    def shape(self) -> tuple[int, int]:
        """(H, W) in pixels."""
        return int(self.labels.shape[0]), int(self.labels.shape[1])

    @cached_property
    def areas(self) -> dict[int, int]:
        """Area in pixels of every object, by its number, rising."""
        if self.masks:
            return {n: int(mask.sum()) for n, (mask, _) in sorted(self.masks.items())}
        numbers, areas = np.unique(self.labels[self.labels > 0], return_counts=True)
        return dict(zip(numbers.tolist(), areas.tolist(), strict=True))

    @cached_property  # asked for every crop, and slow for a large image
    def objects(self) -> Int32Array:
        """The numbers of the objects in ``labels``, rising."""
        found = np.unique(self.labels)
        return found[found > 0]

    @cached_property
    def diameter(self) -> float:
        """Typical diameter of the objects in pixels."""
        return self.given_diameter or typical_size(self.labels)

    @cached_property
    def key(self) -> str:
        """Names the image by its content as a model sees it, in other runs too."""
        return rgb_key(to_rgb(self.image))

    @cached_property
    def facts(self) -> LabelFacts:
        """What is in its labels."""
        return replace(look_through(self.labels), key=self.key)

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
        if not self.masks:
            return np.asarray(self.labels == number)
        frame = np.zeros(self.shape, bool)
        mask, (row, col) = self.masks[number]
        frame[row : row + mask.shape[0], col : col + mask.shape[1]] = mask
        return frame

    @property
    def unknown(self) -> BoolArray:
        """Where nobody knows what is there, bool (H, W)."""
        return np.asarray(self.labels < 0)

    @property
    def complete(self) -> bool:
        """Whether it is known of every pixel what is there."""
        return not bool((self.labels < 0).any())

    def relabeled(self, labels: Int32Array) -> Annotated:
        """Return the same image with other labels; its `diameter` stays."""
        return replace(
            self, labels=labels, masks={}, boundaries=(), given_diameter=self.diameter
        )


@dataclass(frozen=True, eq=False)
class AnnotatedSource:
    """Where an annotated image comes from, and what it is for; not read yet.

    A layer with its labels, two files and a frame of a data set are three makers of
    it. It may be read on any thread, while whoever made it goes on changing.

    Attributes
    ----------
    title
        For people; unique in its data set.
    reader
        Reads it.
    role
        What it is for.
    group
        Images of one group (the planes of a stack) share content and are held back
        together; None for none.
    complete
        Whether what is not labelled is background. It is told, not applied: `read`
        returns 0 there either way, and `unlabeled_is_unknown` makes it -1.
    recipe
        How its channels become RGB.
    facts
        What is in the labels, where that is known.
    label_reader
        Reads the labels alone, as they are, where that is cheaper.
    proposed
        How many of its objects are proposals of a model that nobody changed, where
        that is known: a model scores well on what it made itself.
    proposed_inside
        How many of those lie whole inside each of `image_parts.windows`; empty where
        that is not known.
    """

    title: str
    reader: Callable[[], Annotated]
    role: Role = "auto"
    group: str | None = None
    complete: bool = True
    recipe: RgbRecipe = field(default_factory=RgbRecipe)
    facts: LabelFacts | None = None
    label_reader: Callable[[], LabelArray] | None = None
    proposed: int = 0
    proposed_inside: tuple[int, ...] = ()

    @property
    def key(self) -> str:
        """Names the image by its content; empty where that is not known."""
        return "" if self.facts is None else self.facts.key

    def read(self) -> Annotated:
        """Read image and labels.

        Raises
        ------
        DataError, StorageError, ImageError
            If a file is missing, damaged, or does not fit its image.
        """
        return self.reader()

    def labels(self) -> LabelArray:
        """Read the labels alone, (H, W), numbers as they are.

        Raises
        ------
        DataError, StorageError, ImageError
            As `read`.
        """
        if self.label_reader is not None:
            return self.label_reader()
        return self.read().labels

    def look(self) -> LabelFacts:
        """Return what is in the labels as a whole, looking through them if need be.

        Raises
        ------
        DataError
            If they are no labels.
        """
        if self.facts is not None and self.facts.parts:
            return self.facts
        return replace(look_through(self.labels()), key=self.key)


@dataclass(frozen=True, eq=False)
class Dataset:
    """Annotated images, read one at a time.

    Attributes
    ----------
    name
        For reports.
    items
        In a fixed order.
    notes
        What was left out, as sentences.
    """

    name: str
    items: tuple[AnnotatedSource, ...]
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        names = [item.title for item in self.items]
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


def _size(shape: Sequence[int]) -> str:
    """Write rows x columns."""
    return f"{shape[0]} x {shape[1]}"


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


def unlabeled_is_unknown(labels: Int32Array) -> Int32Array:
    """Return labels in which nobody has said what lies between the objects.

    Parameters
    ----------
    labels
        int32 (H, W); its 0 becomes -1.
    """
    return np.where(labels == 0, np.int32(-1), labels)


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
    placed: dict[int, PlacedMask] = {}
    for number, mask in enumerate(masks, 1):
        rows = np.flatnonzero(mask.any(axis=1))
        if rows.size == 0:
            continue
        cols = np.flatnonzero(mask.any(axis=0))
        r0, c0 = int(rows[0]), int(cols[0])
        box = mask[r0 : int(rows[-1]) + 1, c0 : int(cols[-1]) + 1].copy()
        placed[number] = (box, (r0, c0))
        labels[mask] = number
    return Annotated(image, labels, placed)
