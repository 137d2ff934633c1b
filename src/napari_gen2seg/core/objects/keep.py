"""Candidates become objects: what is free of each is written, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from napari_gen2seg.common.types import BoolArray, Float64Array, LabelArray
from napari_gen2seg.core.candidates import CandidateSet
from napari_gen2seg.core.objects.find import EIGHT, next_number
from napari_gen2seg.core.objects.patch import LabelPatch, check_fits
from napari_gen2seg.core.probe.mask import BBox
from napari_gen2seg.errors import DataError

_SPECK = 0.1  # of the largest piece: smaller ones beside a kept object are no object


@dataclass(frozen=True, eq=False)
class Kept:
    """What keeping some candidates does.

    Attributes
    ----------
    patch
        The change of the labels.
    indices
        intp (m,), the candidates of which something was free.
    numbers
        int64 (m,), the objects that they become.
    scores
        float64 (m,), those of the candidates.
    """

    patch: LabelPatch
    indices: npt.NDArray[np.intp]
    numbers: npt.NDArray[np.int64]
    scores: Float64Array


def keep_candidates(
    candidates: CandidateSet,
    labels: LabelArray,
    indices: npt.ArrayLike,
    first: int | None = None,
) -> Kept:
    """Make objects of candidates, of what is free of each.

    Parameters
    ----------
    candidates
        All of them.
    labels
        int (H, W), what is kept so far; not changed. Pixels that are not 0 stay.
    indices
        int (m,). Where two of them overlap the better score wins.
    first
        Number of the first; above all others if not given.

    Raises
    ------
    DataError
        If the labels have another size, or cannot hold the numbers.
    """
    check_size(candidates, labels)
    chosen = np.asarray(indices, np.intp).reshape(-1)
    windows = {int(index): candidates.masks[index].window() for index in chosen}
    box = _around(windows.values())
    after = labels[box[0] : box[2], box[1] : box[3]].copy()
    taken = after != 0
    free_of: dict[int, tuple[BoolArray, LabelArray]] = {}
    for index in chosen[np.argsort(-candidates.scores[chosen], kind="stable")]:
        crop, (row, col) = windows[int(index)]
        top, left = row - box[0], col - box[1]
        here = np.s_[top : top + crop.shape[0], left : left + crop.shape[1]]
        free = whole_part(crop, taken[here])
        if free.any():
            taken[here] |= free
            free_of[int(index)] = free, after[here]
    kept = [int(index) for index in chosen if int(index) in free_of]
    start = next_number(labels) if first is None else first
    check_fits(start + len(kept) - 1, labels.dtype)
    for number, index in enumerate(kept, start):
        free, window = free_of[index]
        window[free] = number
    return Kept(
        LabelPatch.of(labels, box, after),
        np.asarray(kept, np.intp),
        np.arange(start, start + len(kept), dtype=np.int64),
        candidates.scores[kept].astype(np.float64),
    )


def whole_part(crop: BoolArray, taken: BoolArray) -> BoolArray:
    """Return what is free of a mask, without the specks that a cut leaves.

    Parameters
    ----------
    crop
        bool (h, w), the mask.
    taken
        bool (h, w), what others hold.
    """
    if not (crop & taken).any():
        return crop
    free = crop & ~taken
    pieces, count = ndimage.label(free, EIGHT)
    if count < 2:
        return free
    sizes = np.bincount(pieces.ravel())
    sizes[0] = 0
    return np.asarray((sizes >= _SPECK * sizes.max())[pieces] & free)


def check_size(candidates: CandidateSet, labels: LabelArray) -> None:
    """Refuse labels of another image than that of the candidates.

    Raises
    ------
    DataError
        If the sizes differ.
    """
    if labels.shape != candidates.source_shape:
        raise DataError(
            f"The labels have the shape {labels.shape} and the image "
            f"{candidates.source_shape}; they must be equal. Give the plane that was "
            "proposed on."
        )


def _around(windows: Iterable[tuple[BoolArray, tuple[int, int]]]) -> BBox:
    """Return the box around some windows; an empty one around none."""
    corners = [(r, c, r + w.shape[0], c + w.shape[1]) for w, (r, c) in windows]
    if not corners:
        return 0, 0, 0, 0
    low, high = np.min(corners, axis=0), np.max(corners, axis=0)
    return int(low[0]), int(low[1]), int(high[2]), int(high[3])
