"""Size, shape, brightness and texture of objects, of labels and of masks alike.

Measures are scikit-image's, but for solidity: that of the polygon around the pixels,
quicker by far than counting pixels inside the hull, and a little smaller.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from napari_gen2seg.common.types import (
    Array,
    BoolArray,
    Float32Array,
    Float64Array,
    LabelArray,
    Shape,
)
from napari_gen2seg.core.objects.find import check_labels
from napari_gen2seg.core.probe.mask import BBox, Mask
from napari_gen2seg.errors import DataError

#: The measures, in the order of `measure`; lengths in pixels, the last three in
#: brightness of the image.
MEASURES = (
    "area",
    "row0",
    "column0",
    "row1",
    "column1",
    "row",
    "column",
    "diameter",
    "length",
    "width",
    "eccentricity",
    "solidity",
    "mean",
    "std",
    "texture",
)
WHOLE = frozenset(MEASURES[:5])
"""Measures that are whole numbers."""

_STEP = 1.0  # pixels: standard deviation of the filter that texture is read with
_MARGIN = 4  # pixels of it that matter
_SAMPLES = 1 << 18  # pixels that tell the range of an image


@dataclass(frozen=True, eq=False)
class Appearance:
    """An image as objects are measured on it.

    Attributes
    ----------
    brightness
        float (H, W), any unit.
    low, high
        Its 1st and 99th percentile, by which images are comparable.
    """

    brightness: Array
    low: float
    high: float

    @classmethod
    def of(cls, image: Array) -> Appearance:
        """Take an image, (H, W) or (H, W, channels), whose channels are averaged."""
        values = np.asarray(image)
        if values.ndim == 3:
            values = values.mean(axis=-1, dtype=np.float32)
        if values.ndim != 2 or not values.size:
            raise DataError(
                f"The image has the shape {np.shape(image)}; it must be (rows, "
                "columns) or (rows, columns, channels). Give one plane of a stack."
            )
        step = max(1, round((values.size / _SAMPLES) ** 0.5))
        low, high = np.nanpercentile(values[::step, ::step], (1, 99))
        return cls(values, float(low), float(high))

    @property
    def shape(self) -> Shape:
        """(H, W)."""
        return int(self.brightness.shape[0]), int(self.brightness.shape[1])

    def around(self, box: BBox) -> tuple[Float32Array, Float32Array]:
        """Return brightness and texture in a box, float32 (h, w) each.

        Texture is how steep the brightness is at a pixel.
        """
        r0, c0 = max(box[0] - _MARGIN, 0), max(box[1] - _MARGIN, 0)
        wide = self.brightness[r0 : box[2] + _MARGIN, c0 : box[3] + _MARGIN]
        steep = ndimage.gaussian_gradient_magnitude(
            wide.astype(np.float32), _STEP, mode="nearest"
        )
        inner = np.s_[box[0] - r0 : box[2] - r0, box[1] - c0 : box[3] - c0]
        return wide[inner].astype(np.float32), np.asarray(steep[inner], np.float32)


def measure(
    crop: BoolArray, origin: tuple[int, int], image: Appearance | None = None
) -> tuple[float, ...]:
    """Measure one object.

    Parameters
    ----------
    crop
        bool (h, w), at least one pixel.
    origin
        (row, column) of its first pixel.
    image
        What it is seen on; brightness and texture are NaN without.

    Returns
    -------
    tuple
        A number for each of `MEASURES`.
    """
    from skimage.measure import regionprops

    region = regionprops(crop.view(np.uint8))[0]
    box = tuple(int(at) for at in region.bbox)
    mine = np.asarray(region.image, bool)
    r0, c0 = box[0] + origin[0], box[1] + origin[1]
    place = (r0, c0, box[2] + origin[0], box[3] + origin[1])
    area = int(region.area)
    row, column = region.centroid
    seen = (float("nan"),) * 3
    if image is not None:
        brightness, steep = (values[mine] for values in image.around(place))
        seen = (float(brightness.mean()), float(brightness.std()), float(steep.mean()))
    return (
        area,
        *place,
        float(row) + origin[0],
        float(column) + origin[1],
        float(region.equivalent_diameter_area),
        float(region.axis_major_length),
        float(region.axis_minor_length),
        float(region.eccentricity),
        area / _hull_area(mine),
        *seen,
    )


def measure_labels(
    labels: LabelArray, image: Appearance | None = None
) -> tuple[npt.NDArray[np.int64], Float64Array]:
    """Measure all objects of a label image.

    Parameters
    ----------
    labels
        int (H, W), 0 or less where no object is.
    image
        Of the same size; None leaves brightness and texture out.

    Returns
    -------
    tuple
        int64 (n,) numbers, rising, and float64 (n, `MEASURES`).

    Raises
    ------
    DataError
        If labels and image differ in size.
    """
    check_labels(labels)
    if image is not None and image.shape != labels.shape:
        raise DataError(
            f"The labels are {labels.shape} and the image {image.shape}; they must be "
            "of one size. Measure on the image that the labels were drawn on."
        )
    numbers, crops = [], []
    for number, box in _boxes(labels):
        numbers.append(number)
        crops.append((labels[box] == number, (box[0].start, box[1].start)))
    return np.asarray(numbers, np.int64), _table(crops, image)


def measure_masks(
    masks: Iterable[Mask], image: Appearance | None = None
) -> Float64Array:
    """Measure masks, which may overlap, at the size of their source.

    Parameters
    ----------
    masks
        n masks, such as a `CandidateSet` has; none empty.
    image
        The source; None leaves brightness and texture out.

    Returns
    -------
    numpy.ndarray
        float64 (n, `MEASURES`).
    """
    return _table((mask.window() for mask in masks), image)


def _table(
    crops: Iterable[tuple[BoolArray, tuple[int, int]]], image: Appearance | None
) -> Float64Array:
    rows = [measure(crop, origin, image) for crop, origin in crops]
    return np.asarray(rows, np.float64).reshape(-1, len(MEASURES))


def _boxes(labels: LabelArray) -> Iterator[tuple[int, tuple[slice, slice]]]:
    """Yield numbers, rising, and the box of each."""
    highest = int(labels.max(initial=0))
    if highest <= max(labels.size, 1 << 16):
        # Signed, since below 0 there is no object for scipy either.
        for number, box in enumerate(ndimage.find_objects(labels, highest), 1):
            if box is not None:
                yield number, box
        return
    numbers, flat = np.unique(np.maximum(labels, 0), return_inverse=True)
    place = flat.reshape(labels.shape) + (1 if numbers[0] > 0 else 0)
    numbers = numbers[numbers > 0]
    for number, box in zip(numbers, ndimage.find_objects(place), strict=True):
        yield int(number), box


def _hull_area(mine: BoolArray) -> float:
    """Return the area of the smallest convex polygon around the pixels of a mask."""
    from scipy.spatial import ConvexHull

    rows = np.flatnonzero(mine.any(axis=1))
    held = mine[rows]
    first = held.argmax(axis=1)
    last = mine.shape[1] - held[:, ::-1].argmax(axis=1)
    corners = np.stack(
        [
            np.concatenate([rows, rows, rows + 1, rows + 1]),
            np.concatenate([first, last, first, last]),
        ],
        axis=1,
    )
    return float(ConvexHull(corners).volume)
