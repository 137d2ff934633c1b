"""The objects of one image, each with its mask and class: what formats exchange."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from napari_gen2seg.common.types import BoolArray, Int32Array, LabelArray, Shape
from napari_gen2seg.core.outlines import Ring, one_ring, rings
from napari_gen2seg.io.annotated import PlacedMask


@dataclass(frozen=True, eq=False)
class PlacedObject:
    """One object of an image.

    Attributes
    ----------
    number
        From 1, unique in its image.
    window, corner
        bool (h, w), its bounding box, and the (row, column) of its first pixel.
    class_name
        Empty where there is none.
    """

    number: int
    window: BoolArray
    corner: tuple[int, int]
    class_name: str = ""

    @property
    def area(self) -> int:
        """Pixels."""
        return int(np.count_nonzero(self.window))

    @property
    def placed(self) -> PlacedMask:
        """As `Annotated` holds masks."""
        return self.window, self.corner

    def outlines(self) -> list[Ring]:
        """Return its outlines, (n, 2) corners (row, column) in the image."""
        return [ring + np.array(self.corner) for ring in rings(self.window)]

    def outline(self) -> Ring:
        """Return one outline that fills to the same mask, pieces and holes included."""
        return one_ring(self.outlines())


@dataclass(frozen=True, eq=False)
class ImageObjects:
    """All objects of one image.

    Attributes
    ----------
    shape
        (H, W) in pixels.
    objects
        Where two overlap, the later one is on top.
    """

    shape: Shape
    objects: tuple[PlacedObject, ...]

    @classmethod
    def of_labels(
        cls, labels: LabelArray, classes: Mapping[int, str] | None = None
    ) -> ImageObjects:
        """Take labels apart.

        Parameters
        ----------
        labels
            (H, W) whole numbers; 0 and below is no object.
        classes
            Object -> class name.
        """
        names = classes or {}
        numbers, index = np.unique(labels, return_inverse=True)
        first = int(np.searchsorted(numbers, 1))
        place = np.maximum(index.reshape(labels.shape) - first + 1, 0)
        found = []
        for place_number, box in enumerate(ndimage.find_objects(place), 1):
            number = int(numbers[first + place_number - 1])
            window = place[box] == place_number
            corner = int(box[0].start), int(box[1].start)
            found.append(PlacedObject(number, window, corner, names.get(number, "")))
        return cls((int(labels.shape[0]), int(labels.shape[1])), tuple(found))

    @classmethod
    def of_masks(
        cls,
        shape: Shape,
        masks: Sequence[tuple[BoolArray, tuple[int, int], str]],
    ) -> ImageObjects:
        """Number masks from 1; empty ones are left out.

        Parameters
        ----------
        shape
            (H, W) of the image.
        masks
            Window, corner, class name.
        """
        kept = [one for one in masks if one[0].any()]
        found = [PlacedObject(n, *one) for n, one in enumerate(kept, 1)]
        return cls(shape, tuple(found))

    def labels(self) -> tuple[Int32Array, int]:
        """Paint labels.

        Returns
        -------
        labels
            int32 (H, W).
        hidden
            Pixels of objects that lie under others, and are lost.
        """
        labels = np.zeros(self.shape, np.int32)
        hidden = 0
        for one in self.objects:
            row, col = one.corner
            height, width = one.window.shape
            box = labels[row : row + height, col : col + width]
            hidden += int(np.count_nonzero(box[one.window]))
            box[one.window] = one.number
        return labels, hidden

    @property
    def classes(self) -> dict[int, str]:
        """Object -> class name, of those that have one."""
        return {one.number: one.class_name for one in self.objects if one.class_name}
