"""Outlines of shown candidates, drawn into one array."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from napari_gen2seg.common.types import BoolArray, LabelArray
from napari_gen2seg.core.candidates import CandidateSet
from napari_gen2seg.core.objects.doubt import WORTH
from napari_gen2seg.core.objects.keep import whole_part

if TYPE_CHECKING:
    from napari_gen2seg.core.objects.review import Review

OUTLINE, DOUBTFUL, MARKED, KEPT = 1, 2, 3, 4
"""A candidate, one that is doubted, one that is pointed out; what is kept, filled."""

_LINE = 1024  # source pixels of the longer side, for each of which a line is 1 wide


class CandidateOutlines:
    """Outlines of the candidates of one image at source size, each found once.

    Parameters
    ----------
    candidates
        All of them.
    """

    def __init__(self, candidates: CandidateSet) -> None:
        self._candidates = candidates
        # One pixel of a large image is lost where it is seen as a whole.
        self._thickness = max(1, round(max(candidates.source_shape) / _LINE))
        self._found: dict[int, tuple[BoolArray, tuple[int, int]]] = {}

    def find(self) -> None:
        """Find all of them ahead, on any thread."""
        for index in range(len(self._candidates)):
            self.of(index)

    def of(self, index: int) -> tuple[BoolArray, tuple[int, int]]:
        """Return an outline, bool (h, w), and the (row, column) of its first pixel."""
        if index not in self._found:
            crop, corner = self._candidates.masks[index].window()
            self._found[index] = self._edge(crop), corner
        return self._found[index]

    def draw(
        self,
        canvas: npt.NDArray[np.uint8],
        review: Review,
        labels: LabelArray | None = None,
        marked: Collection[int] = (),
        fill_kept: bool = False,
    ) -> None:
        """Draw what a review shows.

        Parameters
        ----------
        canvas
            uint8 (H, W) at source size, written into.
        review
            Of these candidates.
        labels
            int (H, W), what is kept: proposals are drawn without it.
        marked
            Candidates to be pointed out.
        fill_kept
            Draw what is kept, too.
        """
        if fill_kept and labels is not None:
            np.multiply(labels != 0, np.uint8(KEPT), out=canvas)
        else:
            canvas[:] = 0
        doubtful = review.doubt >= WORTH
        for index in review.shown.tolist():
            edge, (row, col) = self._cut(index, review, labels)
            value = DOUBTFUL if doubtful[index] else OUTLINE
            here = canvas[row : row + edge.shape[0], col : col + edge.shape[1]]
            np.copyto(here, MARKED if index in marked else value, where=edge)

    def _cut(
        self, index: int, review: Review, labels: LabelArray | None
    ) -> tuple[BoolArray, tuple[int, int]]:
        if labels is None or not review.covered[index]:
            return self.of(index)
        crop, (row, col) = self._candidates.masks[index].window()
        here = labels[row : row + crop.shape[0], col : col + crop.shape[1]]
        return self._edge(whole_part(crop, here != 0)), (row, col)

    def _edge(self, crop: BoolArray) -> BoolArray:
        inside = ndimage.binary_erosion(crop, iterations=self._thickness)
        return np.asarray(crop & ~inside)
