"""Candidates beside what is kept of them: what is shown, dropped, doubtful, next.

The labels are the truth. What is kept is read off them, so whoever undoes, erases or
paints there needs to tell nobody but `seen`: what is no longer covered is shown again.
Only what was dropped is remembered here. A value: every act returns a new `Review`, or
a `LabelPatch` for the labels.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from napari_gen2seg.common.types import (
    Array,
    BoolArray,
    Float64Array,
    Int32Array,
    LabelArray,
)
from napari_gen2seg.core.candidates import (
    CandidateSet,
    select,
)
from napari_gen2seg.core.objects.doubt import WORTH, CandidateLooks, doubts, reasons
from napari_gen2seg.core.objects.keep import Kept, check_size, keep_candidates
from napari_gen2seg.core.objects.shown import Shown
from napari_gen2seg.core.probe.mask import BBox
from napari_gen2seg.core.proposal_settings import ProposalSettings, Range

Indices = npt.NDArray[np.intp]

_RIM = 1  # pixels of the map: outlines may end this short of what cuts them


@dataclass(frozen=True)
class Counts:
    """How far a review is: "12 kept, 27 left".

    Attributes
    ----------
    kept
        Objects that candidates are mostly covered by.
    dropped
        Candidates that were refused.
    left
        Candidates that are shown.
    """

    kept: int
    dropped: int
    left: int


@dataclass(frozen=True, eq=False)
class Review:
    """Candidates of one plane under review.

    Attributes
    ----------
    candidates
        All of them.
    settings
        Which are good enough to be shown.
    looks
        What makes them doubtful, whatever the settings.
    covered
        float64 (n,), share of each that kept objects hold, 0..1.
    owners
        int64 (n,), the kept object that holds most of each; 0 for none.
    dropped
        bool (n,).
    likeness
        float64 (n,), 0..1, how much each is like objects that were kept
        (`similar.similarity`); None where nobody asked.
    min_likeness
        Those that are less are not shown.
    inner_rims
        Beyond which rims the image goes on: top, left, bottom, right. What reaches one
        of them is cut there.
    """

    candidates: CandidateSet
    settings: ProposalSettings
    looks: CandidateLooks
    covered: Float64Array
    owners: npt.NDArray[np.int64]
    dropped: BoolArray
    likeness: Float64Array | None = None
    min_likeness: float = 0.5
    inner_rims: tuple[bool, bool, bool, bool] = (False, False, False, False)

    @classmethod
    def begin(
        cls,
        candidates: CandidateSet,
        labels: LabelArray | None = None,
        settings: ProposalSettings | None = None,
        values: Array | None = None,
        looks: CandidateLooks | None = None,
    ) -> Review:
        """Begin with nothing dropped.

        Parameters
        ----------
        candidates
            From `Coloring.candidates`, or of a model of another kind.
        labels
            int (H, W) at source size, what is kept already; nothing if not given.
        settings
            As for `select`.
        values
            float (h, w, 3), the map, by whose colors objects are doubted.
        looks
            What makes them doubtful, if that was found already.

        Raises
        ------
        DataError
            If the labels have another size than the image.
        """
        count = len(candidates)
        review = cls(
            candidates,
            settings or candidates.settings or ProposalSettings(),
            CandidateLooks.of(candidates, values) if looks is None else looks,
            np.zeros(count),
            np.zeros(count, np.int64),
            np.zeros(count, bool),
        )
        return review if labels is None else review.seen(labels)

    # What there is

    @property
    def shown(self) -> Indices:
        """The candidates to be decided on, intp (m,), rising.

        What is dropped or mostly covered stands in nobody's way, so that the next best
        candidate of a place shows up.
        """
        return self._shown.indices

    @cached_property
    def done(self) -> BoolArray:
        """Which are mostly covered by kept objects, bool (n,)."""
        return np.asarray(self.covered > self.settings.max_overlap)

    @cached_property
    def cut(self) -> BoolArray:
        """Which are cut by a rim beyond which the image goes on, bool (n,)."""
        boxes = np.asarray([mask.bbox for mask in self.candidates.masks], np.intp)
        top, left, bottom, right = boxes.reshape(-1, 4).T
        height, width = self.candidates.shape
        low, high = height - _RIM, width - _RIM
        reach = np.stack(
            (top <= _RIM, left <= _RIM, bottom >= low, right >= high), axis=1
        )
        return np.asarray(reach[:, list(self.inner_rims)].any(axis=1))

    @property
    def whole(self) -> Indices:
        """Those of `shown` that are not cut, intp (m,), rising."""
        return self.shown[~self.cut[self.shown]]

    @property
    def counts(self) -> Counts:
        """How far the review is."""
        return Counts(
            int(np.unique(self.owners[self.done]).size),
            int(np.count_nonzero(self.dropped & ~self.done)),
            int(self.shown.size),
        )

    @cached_property
    def doubt(self) -> Float64Array:
        """How doubtful each candidate is, 0..1, float64 (n,)."""
        doubt = doubts(self.candidates, self.looks, self.shown)
        return np.asarray(np.where(self.cut, np.maximum(doubt, WORTH), doubt))

    def reasons(self, index: int) -> tuple[str, ...]:
        """Say why a candidate is doubtful, the strongest reason first; or nothing."""
        said = reasons(self.candidates, self.looks, self.shown, index)
        if self.cut[index]:
            said = ("cut at the rim of the window", *said)
        if 0 < self.covered[index] <= self.settings.max_overlap:
            return (*said, "partly on a kept object")
        return said

    def painted(self, labels: LabelArray | None = None) -> Int32Array:
        """Return the shown candidates as labels, each with its index + 1.

        Numbers stay with their candidates, so that a picture with other thresholds
        differs only where something comes or goes.

        Parameters
        ----------
        labels
            int (H, W), what is kept: left out, so that proposals never touch it.

        Returns
        -------
        numpy.ndarray
            int32 (H, W) at source size.
        """
        return self._shown.painted(labels)

    # What a pointer means

    def at(self, point: tuple[float, float]) -> int | None:
        """Return the shown candidate under a place (row, column) of the source.

        Of several the one with the best score, which is also the one painted there.
        """
        return self._shown.at(point)

    def along(self, stroke: npt.ArrayLike) -> Indices:
        """Return the shown candidates that a stroke touches, in its order.

        Parameters
        ----------
        stroke
            (n, 2) corners (row, column) in source pixels.
        """
        return self._shown.along(stroke)

    def inside(self, polygon: npt.ArrayLike) -> Indices:
        """Return the shown candidates of which more than half lies in a polygon.

        Parameters
        ----------
        polygon
            (n, 2) corners (row, column) in source pixels.
        """
        return self._shown.inside(polygon)

    def caught(self, stroke: npt.ArrayLike) -> Indices:
        """Return the shown candidates that a stroke touches or a loop surrounds.

        A stroke that ends near its beginning is a loop: then those come, too, of which
        more than half lies inside.

        Parameters
        ----------
        stroke
            (n, 2) corners (row, column) in source pixels.
        """
        return self._shown.caught(stroke)

    # What comes next

    def next_left(self, after: int | None = None) -> int | None:
        """Return the shown candidate after one, in rows to and fro over the image.

        Parameters
        ----------
        after
            A candidate, decided on or not; the first if not given.
        """
        return self._following(self.looks.reading, after)

    def next_doubtful(
        self, after: int | None = None, without: npt.ArrayLike = ()
    ) -> int | None:
        """Return the shown candidate after one, the most doubtful being first.

        Of equally doubtful ones the least certain comes first.

        Parameters
        ----------
        after
            A candidate, decided on or not; the most doubtful one if not given.
        without
            int (m,), candidates that are passed over.
        """
        order = np.lexsort((self.candidates.scores, -self.doubt))
        passed = np.isin(order, np.asarray(without, np.intp).reshape(-1))
        order = order[~passed | (order == (-1 if after is None else after))]
        return self._following(order, after)

    # Acts

    def choosing(
        self, min_certainty: float | None = None, sizes: Range | None = None
    ) -> Review:
        """Return the review with other thresholds; nothing is probed.

        Parameters
        ----------
        min_certainty
            Smallest score, 0..1; None for the usual one.
        sizes
            Smallest and largest diameter in source pixels; None for the usual ones.

        Raises
        ------
        SettingsError
            If they make no sense.
        """
        return replace(
            self, settings=replace(self.settings, min_score=min_certainty, sizes=sizes)
        )

    def in_part(self, inner_rims: tuple[bool, bool, bool, bool]) -> Review:
        """Return the review as that of a part of an image; see ``inner_rims``."""
        return replace(self, inner_rims=inner_rims)

    def liking(self, likeness: Float64Array | None, least: float) -> Review:
        """Return the review with only those shown that are like some.

        Parameters
        ----------
        likeness
            float64 (n,), 0..1, of `similar.similarity`; None shows all again.
        least
            The smallest that is shown.
        """
        return replace(self, likeness=likeness, min_likeness=least)

    def keep(
        self, labels: LabelArray, indices: npt.ArrayLike, first: int | None = None
    ) -> Kept:
        """Make objects of candidates, of what is free of each.

        Apply the patch, and go on with what `seen` returns for its box.

        Parameters
        ----------
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
        return keep_candidates(self.candidates, labels, indices, first)

    def dropping(self, indices: npt.ArrayLike, dropped: bool = True) -> Review:
        """Return the review with candidates dropped, or taken back.

        Parameters
        ----------
        indices
            int (m,).
        dropped
            False takes them back.
        """
        now = self.dropped.copy()
        now[np.asarray(indices, np.intp).reshape(-1)] = dropped
        return replace(self, dropped=now)

    def redrawn(self, candidates: CandidateSet, looks: CandidateLooks) -> Review:
        """Return the review of the same candidates with other outlines.

        Go on with what `seen` returns: how far each is kept is not known any more.

        Parameters
        ----------
        candidates
            The same number in the same order.
        looks
            What makes them doubtful now.
        """
        nothing = np.zeros(len(candidates))
        return replace(
            self,
            candidates=candidates,
            looks=looks,
            covered=nothing,
            owners=nothing.astype(np.int64),
        )

    def seen(self, labels: LabelArray, box: BBox | None = None) -> Review:
        """Return the review after the labels changed, by whomever.

        Parameters
        ----------
        labels
            int (H, W), as they are now.
        box
            (row0, column0, row1, column1) of the change, such as a patch has; anywhere
            if not given.

        Raises
        ------
        DataError
            If they have another size than the image.
        """
        check_size(self.candidates, labels)
        covered, owners = self.covered.copy(), self.owners.copy()
        for index in self.looks.meeting(box):
            covered[index], owners[index] = 0.0, 0
            r0, c0, r1, c1 = self.looks.extents[index]
            if not (labels[r0:r1, c0:c1] > 0).any():
                continue
            crop, (row, col) = self.candidates.masks[index].window()
            under = labels[row : row + crop.shape[0], col : col + crop.shape[1]][crop]
            under = under[under > 0]
            covered[index] = under.size / max(int(np.count_nonzero(crop)), 1)
            owners[index] = _most_frequent(under)
        return replace(self, covered=covered, owners=owners)

    @cached_property
    def _shown(self) -> Shown:
        among = ~self.dropped & ~self.done
        if self.likeness is not None:
            among &= self.likeness >= self.min_likeness
        indices = select(self.candidates, self.settings, among)
        return Shown(self.candidates, indices, self.covered)

    def _following(self, order: Indices, after: int | None) -> int | None:
        """Return the next shown one in an order, beginning again at its end."""
        if after is not None:
            order = np.roll(order, -1 - int(np.flatnonzero(order == after)[0]))
        left = order[np.isin(order, self.shown)]
        return int(left[0]) if left.size else None


def _most_frequent(values: LabelArray) -> int:
    if not values.size:
        return 0
    first = int(values[0])
    if (values == first).all():
        return first
    numbers, counts = np.unique(values, return_counts=True)
    return int(numbers[np.argmax(counts)])
