"""Objects deleted and merged. Each tool returns a `LabelPatch`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from napari_gen2seg.common.types import BoolArray, LabelArray
from napari_gen2seg.core.objects.find import touched_by, window_of
from napari_gen2seg.core.objects.patch import LabelPatch
from napari_gen2seg.core.probe.mask import BBox
from napari_gen2seg.errors import PromptError

REACH = 4  # pixels of background that merging bridges


def delete_objects(
    labels: LabelArray, numbers: Sequence[int], within: BBox | None = None
) -> LabelPatch:
    """Make objects background.

    Parameters
    ----------
    labels
        int (H, W); not changed.
    numbers
        The objects.
    within
        A box that holds them.

    Raises
    ------
    PromptError
        If one is not there.
    """
    box, here = window_of(labels, numbers, within)
    return LabelPatch.of(labels, box, np.where(np.isin(here, numbers), 0, here))


def merge_objects(
    labels: LabelArray,
    numbers: Sequence[int],
    reach: int = REACH,
    within: BBox | None = None,
) -> LabelPatch:
    """Make several objects one, which has the number of the first.

    A gap of background between two of them is filled where it is narrow; other objects
    in it stay.

    Parameters
    ----------
    labels
        int (H, W); not changed.
    numbers
        Two or more objects.
    reach
        Widest gap in pixels that is filled; 0 fills none.
    within
        A box that holds them.

    Raises
    ------
    PromptError
        If one is not there, or there are fewer than two.
    """
    different = list(dict.fromkeys(int(number) for number in numbers))
    if len(different) < 2:
        raise PromptError(
            f"Merging needs two objects or more, and got {len(different)}; draw from "
            "one object into the other."
        )
    box, here = window_of(labels, different, within, margin=reach + 1)
    after = np.where(np.isin(here, different), here.dtype.type(different[0]), here)
    if reach:
        after[_bridges(here, different, reach)] = different[0]
    return LabelPatch.of(labels, box, after)


def merge_along(
    labels: LabelArray, stroke: npt.ArrayLike, reach: int = REACH
) -> LabelPatch:
    """Merge what a stroke touches into the object that it begins in.

    Parameters
    ----------
    labels
        int (H, W); not changed.
    stroke
        (n, 2) corners (row, column).
    reach
        Widest gap in pixels that is filled.

    Raises
    ------
    PromptError
        If it touches fewer than two objects.
    """
    return merge_objects(labels, touched_by(labels, stroke), reach)


def _bridges(here: LabelArray, numbers: Sequence[int], reach: int) -> BoolArray:
    """Return the background between any two objects, where that is narrow."""
    # Distances to the nearest of them and to the second nearest: across a gap of g
    # pixels they add up to g + 1.
    nearest = np.full(here.shape, np.inf)
    second = nearest
    for number in numbers:
        far = ndimage.distance_transform_edt(here != number)
        second = np.minimum(second, np.maximum(nearest, far))
        nearest = np.minimum(nearest, far)
    return np.asarray((here == 0) & (nearest + second <= reach + 1))
