"""What is in the labels of an image: counted and measured, without its pixels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from napari_gen2seg.core.image.rgb import rgb_key
from napari_gen2seg.core.image_parts import PartCounts, count_parts
from napari_gen2seg.errors import DataError

TINY = 12  # pixels of area; smaller ones are most often slips of the brush
PIECES = 3  # what hides an object may cut it in so many


@dataclass(frozen=True)
class LabelFacts:
    """What is in the labels of one image: enough to plan a training with.

    Parameters
    ----------
    objects
        How many.
    diameter
        Median diameter in pixels, of a disc of equal area; 0 without objects.
    rim
        How many touch the rim of the picture.
    tiny
        How many have less than a dozen pixels.
    torn
        How many are in more than three pieces.
    covered
        Share of the picture that is labelled, 0..1.
    key
        Names the picture by its content.
    size
        (H, W) in pixels.
    parts
        Objects on both sides of every part that could be held back; empty where the
        labels were not looked through as a whole.
    """

    objects: int
    diameter: float
    rim: int
    tiny: int
    torn: int
    covered: float
    key: str = ""
    size: tuple[int, int] = (0, 0)
    parts: PartCounts = ()

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> LabelFacts:
        """Build facts from what JSON made of ``dataclasses.asdict``."""
        parts = tuple((int(out), int(inside)) for out, inside in values["parts"])
        height, width = values["size"]
        return cls(**{**values, "size": (int(height), int(width)), "parts": parts})


def look_through(
    labels: npt.NDArray[Any], rgb: npt.NDArray[Any] | None = None
) -> LabelFacts:
    """Count and measure the objects of a label image.

    Parameters
    ----------
    labels
        (H, W) integers; 0 or less is no object.
    rgb
        The picture as the model will see it, to recognise it elsewhere.

    Raises
    ------
    DataError
        If the two differ in size, or the labels are no whole numbers.
    """
    truth = np.asarray(labels)
    if truth.ndim != 2 or truth.dtype.kind not in "bui":
        raise DataError(
            f"The labels have the shape {truth.shape} and type {truth.dtype}; they "
            "must be one plane of whole numbers. Use a Labels layer."
        )
    if rgb is not None and rgb.shape[:2] != truth.shape:
        raise DataError(different(rgb.shape[:2], truth.shape))
    numbers, inverse, areas = np.unique(truth, return_inverse=True, return_counts=True)
    mine = areas[numbers > 0]
    # From 1 without gaps, whatever the numbers are; they rise, so the others are first.
    place = np.maximum(inverse.reshape(truth.shape) - (numbers.size - mine.size) + 1, 0)
    rim = np.concatenate([place[0], place[-1], place[:, 0], place[:, -1]])
    return LabelFacts(
        objects=int(mine.size),
        diameter=float(2 * np.sqrt(np.median(mine) / np.pi)) if mine.size else 0.0,
        rim=int(np.unique(rim[rim > 0]).size),
        tiny=int(np.count_nonzero(mine < TINY)),
        torn=sum(count > PIECES for count in _pieces(place)),
        covered=float(mine.sum() / max(truth.size, 1)),
        key="" if rgb is None else rgb_key(rgb),
        size=(int(truth.shape[0]), int(truth.shape[1])),
        parts=count_parts(place),
    )


def together(sets: Sequence[LabelFacts]) -> LabelFacts:
    """Sum up the facts of several sets of labels of one image.

    An estimate: where sets overlap, objects may hide each other, so ``parts`` is empty.
    """
    objects = sum(facts.objects for facts in sets)
    wide = sum(facts.objects * facts.diameter for facts in sets)
    return LabelFacts(
        objects=objects,
        diameter=wide / max(objects, 1),
        rim=sum(facts.rim for facts in sets),
        tiny=sum(facts.tiny for facts in sets),
        torn=sum(facts.torn for facts in sets),
        covered=min(1.0, sum(facts.covered for facts in sets)),
        key=sets[0].key,
        size=sets[0].size,
    )


def parts_together(sets: Sequence[PartCounts]) -> PartCounts:
    """Sum up what several sets of labels of one image have in its parts.

    An estimate, as `together`.
    """
    return tuple(
        (sum(out for out, _ in part), sum(inside for _, inside in part))
        for part in zip(*sets, strict=True)
    )


def _pieces(labels: npt.NDArray[Any]) -> list[int]:
    """Count the 8-connected pieces of each object, numbered from 1 without gaps."""
    return [
        int(ndimage.label(labels[box] == number, np.ones((3, 3)))[1])
        for number, box in enumerate(ndimage.find_objects(labels), 1)
    ]


def different(picture: Sequence[int], labels: Sequence[int]) -> str:
    """Say that an image and its labels are not of one size."""
    sizes = " x ".join(map(str, labels)), " x ".join(map(str, picture))
    return (
        f"The labels are {sizes[0]} pixels and the picture {sizes[1]}; they must be "
        "equal. Choose labels that were drawn on this picture."
    )
