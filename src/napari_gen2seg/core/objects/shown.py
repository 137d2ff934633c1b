"""Shown candidates: painted, and found under a pointer, a stroke or a lasso."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from napari_gen2seg.common.types import Array, Float64Array, Int32Array, LabelArray
from napari_gen2seg.core.candidates import CandidateSet
from napari_gen2seg.core.image.geometry import rescale
from napari_gen2seg.core.objects.find import polygon_window, stroke_pixels
from napari_gen2seg.core.objects.keep import whole_part
from napari_gen2seg.core.probe.mask import BBox

Indices = npt.NDArray[np.intp]

_LASSO = 0.5  # of a candidate: more of it inside counts as inside
_GAP = 0.25  # of its width, between the ends of a stroke that is a loop
_AROUND = 0.05  # of its width squared, that a loop surrounds


@dataclass(frozen=True, eq=False)
class Shown:
    """Some candidates of a set, as one sees them.

    Attributes
    ----------
    candidates
        All of them.
    indices
        intp (m,), rising: those that are shown.
    covered
        float64 (n,), share of each that kept objects hold, 0..1.
    """

    candidates: CandidateSet
    indices: Indices
    covered: Float64Array

    @cached_property
    def best_first(self) -> Indices:
        """The indices by score: of two that overlap, the first one is seen."""
        scores = self.candidates.scores[self.indices]
        return self.indices[np.argsort(-scores, kind="stable")]

    def at(self, point: tuple[float, float]) -> int | None:
        """Return the candidate under a place; see `Review.at`."""
        source, size = self.candidates.source_shape, self.candidates.shape
        row = int((point[0] + 0.5) * size[0] // source[0])
        col = int((point[1] + 0.5) * size[1] // source[1])
        top, left, bottom, right = self._boxes
        hit = (top <= row) & (row < bottom) & (left <= col) & (col < right)
        for place in np.flatnonzero(hit):
            index = int(self.best_first[place])
            mask = self.candidates.masks[index]
            if mask.crop[row - mask.bbox[0], col - mask.bbox[1]]:
                return index
        return None

    def along(self, stroke: npt.ArrayLike) -> Indices:
        """Return the candidates that a stroke touches; see `Review.along`."""
        rows, cols = stroke_pixels(stroke, self.candidates.source_shape)
        points = zip(rows.tolist(), cols.tolist(), strict=True)
        found = dict.fromkeys(self.at(point) for point in points)
        return np.asarray([index for index in found if index is not None], np.intp)

    def inside(self, polygon: npt.ArrayLike) -> Indices:
        """Return the candidates in a polygon; see `Review.inside`."""
        size = self.candidates.shape
        corners = np.asarray(polygon, np.float64)
        moved = rescale(corners, self.candidates.source_shape, size)
        box, drawn = polygon_window(moved, size)
        found = []
        for index in self.indices.tolist():
            mask = self.candidates.masks[index]
            low = np.maximum(mask.bbox[:2], box[:2])
            high = np.minimum(mask.bbox[2:], box[2:])
            if (high <= low).any():
                continue
            here = mask.crop[_part(low, high, mask.bbox)] & drawn[_part(low, high, box)]
            if np.count_nonzero(here) > _LASSO * self.candidates.areas[index]:
                found.append(index)
        return np.asarray(found, np.intp)

    def caught(self, stroke: npt.ArrayLike) -> Indices:
        """Return the candidates on a stroke or in a loop; see `Review.caught`."""
        touched = self.along(stroke)
        if not is_loop(stroke):
            return touched
        inside = self.inside(stroke)
        return np.concatenate([touched, inside[~np.isin(inside, touched)]])

    def painted(self, labels: LabelArray | None = None) -> Int32Array:
        """Return the candidates as labels; see `Review.painted`."""
        picture = np.zeros(self.candidates.source_shape, np.int32)
        for index in self.best_first[::-1]:
            crop, (row, col) = self.candidates.masks[index].window()
            here = np.s_[row : row + crop.shape[0], col : col + crop.shape[1]]
            if labels is not None and self.covered[index] > 0:
                crop = whole_part(crop, labels[here] != 0)
            np.copyto(picture[here], index + 1, where=crop)
        return picture

    @cached_property
    def _boxes(self) -> Indices:
        """Boxes on the map, (4, m), the best score first."""
        boxes = [self.candidates.masks[index].bbox for index in self.best_first]
        return np.asarray(boxes, np.intp).reshape(-1, 4).T.copy()


def is_loop(stroke: npt.ArrayLike) -> bool:
    """Tell whether a stroke ends where it began, having gone around something.

    Parameters
    ----------
    stroke
        (n, 2) corners.
    """
    corners = np.asarray(stroke, np.float64).reshape(-1, 2)
    if len(corners) < 3:
        return False
    width = float(np.linalg.norm(np.ptp(corners, axis=0)))
    gap = float(np.linalg.norm(corners[-1] - corners[0]))
    (rows, cols), (after, right) = corners.T, np.roll(corners, -1, axis=0).T
    around = abs(float(np.sum(rows * right - after * cols))) / 2
    return gap <= _GAP * width and around >= _AROUND * width**2


def _part(low: Array, high: Array, box: BBox) -> tuple[slice, slice]:
    return (
        slice(low[0] - box[0], high[0] - box[0]),
        slice(low[1] - box[1], high[1] - box[1]),
    )
