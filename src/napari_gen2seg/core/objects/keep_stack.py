"""Candidates of many planes become objects that bear one number through all of them.

What is kept already stays as it is and takes part: where it goes on, so does its
number. Planes come one after the other; what is remembered of each is which candidates
were chosen, not their pixels.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from napari_gen2seg.common.types import LabelArray
from napari_gen2seg.core.learned_probe.choice import LEARNED, SIMILARITY
from napari_gen2seg.core.linking import Linker, LinkSettings
from napari_gen2seg.core.objects.find import next_number
from napari_gen2seg.core.objects.keep import keep_candidates
from napari_gen2seg.core.objects.patch import LabelPatch, check_fits
from napari_gen2seg.core.objects.review import Review


@dataclass(eq=False)
class _Plane:
    """What was chosen on one plane."""

    review: Review
    links: dict[int, int]  # candidate -> the number that linking gave it
    kept: dict[int, int]  # what linking calls it -> the number of a kept object


@dataclass(frozen=True, eq=False)
class KeptStack:
    """What keeping the candidates of many planes does.

    Attributes
    ----------
    patches
        By place, counted as planes were added; none where nothing changes.
    scores
        New object -> the mean score of its candidates.
    first
        New object -> the first place at which it is.
    parents
        New object -> the one that became two.
    pieces
        How many candidates were written in all.
    """

    patches: dict[int, LabelPatch]
    scores: dict[int, float]
    first: dict[int, int]
    parents: dict[int, int] = field(default_factory=dict)
    pieces: int = 0


class StackOfCandidates:
    """Links candidates of planes as they come.

    Parameters
    ----------
    settings
        How objects are linked; see `LinkSettings`.
    spacing
        Of pixels along the two axes of a plane, where they differ.
    """

    def __init__(
        self,
        settings: LinkSettings | None = None,
        spacing: tuple[float, float] | None = None,
    ) -> None:
        self._linker = Linker(settings, spacing)
        self._planes: list[_Plane] = []

    def __len__(self) -> int:
        return len(self._planes)

    @property
    def method(self) -> str:
        """Who drew the outlines, as of `CandidateSet`."""
        drawn = {plane.review.candidates.method for plane in self._planes}
        return LEARNED if LEARNED in drawn else SIMILARITY

    def add(self, review: Review, labels: LabelArray) -> None:
        """Take the next plane.

        Parameters
        ----------
        review
            Its candidates; those that are shown, once the labels were seen, are kept.
        labels
            int (H, W), what is kept there.
        """
        review = review.seen(labels)
        whole = labels.astype(np.int64)
        start = next_number(labels)
        kept = keep_candidates(review.candidates, whole, review.shown, start)
        kept.patch.apply(whole)
        linked = self._linker.next(whole)
        pairs = _pairs(whole, linked)
        self._planes.append(
            _Plane(
                review,
                {
                    int(index): pairs[int(number)]
                    for index, number in zip(kept.indices, kept.numbers, strict=True)
                },
                {link: number for number, link in pairs.items() if number < start},
            )
        )

    def finish(
        self,
        first: int,
        labels_of: Callable[[int], LabelArray],
        check: Callable[[], None] = lambda: None,
    ) -> KeptStack:
        """Number everything, and say what changes on each plane.

        Parameters
        ----------
        first
            Number of the first new object.
        labels_of
            Returns the labels of a place as they are now; what others wrote meanwhile
            is left alone.
        check
            Called once a plane; may raise.

        Raises
        ------
        DataError
            If the labels cannot hold the numbers.
        """
        self._part()
        known = self._known()
        given: dict[int, int] = {}  # link -> new number
        patches: dict[int, LabelPatch] = {}
        scores: dict[int, list[float]] = {}
        places: dict[int, int] = {}
        pieces = 0
        for place, plane in enumerate(self._planes):
            check()
            labels = labels_of(place)
            taken = set(np.unique(labels).tolist())
            start = max(first, next_number(labels))
            whole = labels.astype(np.int64)
            done = plane.review.seen(labels).done
            left = [index for index in plane.links if not done[index]]
            kept = keep_candidates(plane.review.candidates, whole, left, start)
            if not kept.patch:
                continue
            table = np.zeros(len(kept.numbers), np.int64)
            for at, index in enumerate(kept.indices.tolist()):
                link = plane.links[index]
                number = _nearest(known.get(link, {}), place, taken)
                if number is None:
                    number = given.setdefault(link, first + len(given))
                    check_fits(number, labels.dtype)  # before it is written
                    scores.setdefault(number, []).append(float(kept.scores[at]))
                    places.setdefault(number, place)
                table[at] = number
                taken.add(number)
            pieces += len(table)
            after = kept.patch.after.copy()
            new = kept.patch.changed
            after[new] = table[after[new] - start]
            box = kept.patch.box
            patches[place] = LabelPatch.of(labels, box, after.astype(labels.dtype))
        parents = {
            given[link]: given.get(mother, _any(known.get(mother, {})))
            for link, mother in self._linker.parents.items()
            if link in given
        }
        return KeptStack(
            patches,
            {number: float(np.mean(those)) for number, those in scores.items()},
            places,
            {number: mother for number, mother in parents.items() if mother},
            pieces,
        )

    def _part(self) -> None:
        """Part objects at their necks, if they are to be convex."""
        for place, new in self._linker.part_at_necks().items():
            plane = self._planes[place]
            plane.links = {at: new.get(one, one) for at, one in plane.links.items()}
            plane.kept = {new.get(one, one): n for one, n in plane.kept.items()}

    def _known(self) -> dict[int, dict[int, int]]:
        """Return for each link where kept objects are in it: place -> number."""
        known: dict[int, dict[int, int]] = {}
        for place, plane in enumerate(self._planes):
            for link, number in plane.kept.items():
                known.setdefault(link, {})[place] = number
        return known


def _pairs(whole: npt.NDArray[np.int64], linked: LabelArray) -> dict[int, int]:
    """Return which number linking gave to each object of a plane."""
    there = np.flatnonzero(whole > 0)
    numbers, at = np.unique(whole.ravel()[there], return_index=True)
    links = linked.ravel()[there[at]]
    return dict(zip(numbers.tolist(), links.tolist(), strict=True))


def _nearest(known: dict[int, int], place: int, taken: set[int]) -> int | None:
    """Return the number of the nearest kept object that the plane does not hold."""
    for at in sorted(known, key=lambda other: (abs(other - place), other)):
        if known[at] not in taken:
            return known[at]
    return None


def _any(known: dict[int, int]) -> int:
    return next(iter(known.values()), 0)
