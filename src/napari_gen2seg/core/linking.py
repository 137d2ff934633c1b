"""Labels that hold through z or time: the same object bears one number in all planes.

Objects of the next plane are assigned to those before by overlap, and where they moved
away, by how far; all at once, so that what is left over goes to what is left over
(scipy's sparse assignment, exact). Only masks and positions count: each plane has
colors of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import min_weight_full_bipartite_matching
from scipy.spatial import cKDTree

from napari_gen2seg.common.arguments import check_fields, checked_arguments
from napari_gen2seg.common.types import Float64Array, Int32Array, LabelArray
from napari_gen2seg.core.convex_runs import convex_runs
from napari_gen2seg.core.map.object_size import typical_of
from napari_gen2seg.errors import ImageError, SettingsError

_ALONE = 1.0  # price of leaving an object without a partner; two of them cost a link
_INSIDE = 0.25  # share of a daughter that lies where her mother was, at least
_SMALLER = 0.75  # of the mother's size, each daughter at most
_ALIKE = 2.5  # times as large as her sister, at most


@dataclass(frozen=True)
class LinkSettings:
    """How objects are linked from plane to plane.

    Attributes
    ----------
    radius
        How far an object may move without overlapping itself, in pixels of a plane;
        None takes half the diameter of a typical object.
    min_overlap
        Intersection over union from which objects may be linked however far their
        middles are apart, 0..1.
    gaps
        In how many planes in a row an object may be missing.
    divisions
        Whether an object may become two; both get numbers of their own.
    convex
        Whether objects are convex along the axis, as nuclei are in depth: one that
        shrinks to less than half and grows again is two, one right behind the other.
    """

    radius: float | None = None
    min_overlap: float = 0.1
    gaps: int = 0
    divisions: bool = False
    convex: bool = False

    def __post_init__(self) -> None:
        check_fields(self)
        if self.radius is not None and not self.radius >= 0:
            raise SettingsError(
                f"The radius is {self.radius}; it must be a number of pixels from 0, "
                "or None for half the diameter of a typical object."
            )
        if not 0 <= self.min_overlap <= 1 or self.gaps < 0:
            raise SettingsError(
                f"min_overlap is {self.min_overlap} and gaps {self.gaps}; the one must "
                "lie in 0..1, the other be a whole number from 0."
            )


@dataclass(frozen=True, eq=False)
class Linked:
    """Labels that hold through an axis.

    Attributes
    ----------
    labels
        As given, numbered anew: int32, or what was given as ``labels_out``.
    tracks
        float64 (n, 1 + number of axes): for each object and plane its number, the place
        along the axis that was linked, and its middle along the others, as a Tracks
        layer of napari wants it.
    parents
        For each number that came of a division, that of the mother.
    """

    labels: Any
    tracks: Float64Array
    parents: Mapping[int, int] = field(default_factory=dict)


@checked_arguments(left=("labels",))
def link(
    labels: Any,
    axis: int = 0,
    settings: LinkSettings | None = None,
    *,
    spacing: tuple[float, ...] | None = None,
    labels_out: Any = None,
) -> Linked:
    """Give an object one number in all planes of a stack or movie.

    Parameters
    ----------
    labels
        Whole numbers with two axes or more beside `axis`, 0 for background; numpy,
        dask or zarr, read one plane at a time.
    axis
        Along which planes follow each other: z, or time. What is beside it is a plane,
        or a volume.
    settings
        How far objects move, and the like.
    spacing
        Of pixels along the other axes, where they differ; the radius is in its units.
    labels_out
        Where linked labels go; may be `labels` itself. By default a new int32 array.

    Returns
    -------
    Linked
        Labels, tracks and parents.

    Raises
    ------
    ImageError
        If the labels, or ``labels_out``, cannot be used.
    SettingsError
        If the spacing does not fit.
    """
    shape = tuple(getattr(labels, "shape", ()))
    kind = np.dtype(getattr(labels, "dtype", float)).kind
    if len(shape) < 3 or kind not in "ui" or not -len(shape) <= axis < len(shape):
        raise ImageError(
            f"The labels have the shape {shape} and axis is {axis}; labels must be "
            "whole numbers with at least three axes, and axis one of them."
        )
    axis %= len(shape)
    if spacing is not None and (
        len(spacing) != len(shape) - 1 or not all(step > 0 for step in spacing)
    ):
        raise SettingsError(
            f"The spacing is {spacing}; it must be {len(shape) - 1} numbers above 0, "
            "one for each axis but the one that is linked."
        )
    target = np.zeros(shape, np.int32) if labels_out is None else labels_out
    sink = tuple(getattr(target, "shape", ()))
    if sink != shape or np.dtype(getattr(target, "dtype", float)).kind not in "ui":
        raise ImageError(
            f"labels_out has the shape {sink}; it must have that of the labels, "
            f"{shape}, and a type of whole numbers."
        )
    linker = Linker(settings, spacing)
    for place in range(shape[axis]):
        index = (slice(None),) * axis + (place,)
        target[index] = linker.next(np.asarray(labels[index]))
    for place, new in linker.part_at_necks().items():
        index = (slice(None),) * axis + (place,)
        target[index] = renumbered(np.asarray(target[index]), new)
    return Linked(target, linker.tracks(axis), dict(linker.parents))


class Linker:
    """Links planes as they come: memory holds the one before.

    Parameters
    ----------
    settings
        See `LinkSettings`.
    spacing
        Of pixels along the axes of a plane.
    """

    def __init__(
        self,
        settings: LinkSettings | None = None,
        spacing: tuple[float, ...] | None = None,
    ) -> None:
        self.settings = settings or LinkSettings()
        self.parents: dict[int, int] = {}
        self._spacing = spacing
        self._place = 0
        self._highest = 0
        # Where each object was last seen, by its number; and when.
        self._seen: Int32Array | None = None
        self._last: dict[int, int] = {}
        self._rows: list[Float64Array] = []
        # Of each object its planes, its pixels there, and the price of the link to it.
        self._course: dict[int, list[tuple[int, int, float]]] = {}

    def next(self, labels: LabelArray) -> Int32Array:
        """Return the labels of the next plane, numbered as before.

        Parameters
        ----------
        labels
            Whole numbers, of the shape of the planes before.
        """
        own = _numbered(labels)
        count = int(own.max(initial=0))
        if self._seen is None:
            self._seen = np.zeros(labels.shape, np.int32)
        numbers = np.zeros(count + 1, np.int32)
        areas = np.bincount(own.ravel(), minlength=count + 1)
        middles = _middles(own, count)
        held = np.bincount(self._seen.ravel(), minlength=1)
        held[0] = 0
        old = np.flatnonzero(held)
        old_areas = held[old]
        prices: dict[int, float] = {}
        if count and old.size:
            pairs = self._pairs(own, areas, middles, old, old_areas)
            prices = self._assign(numbers, old, pairs)
            if self.settings.divisions:
                self._divide(numbers, old, pairs, areas, old_areas)
        for label in range(1, count + 1):
            if not numbers[label]:
                self._highest += 1
                numbers[label] = self._highest
        linked = numbers[own]
        self._remember(linked, numbers[1:])
        if self.settings.convex:
            for label, number in enumerate(numbers[1:].tolist(), 1):
                course = self._course.setdefault(number, [])
                price = prices.get(label, 0.0)
                course.append((self._place, int(areas[label]), price))
        if count:
            here = np.full((count, 1), float(self._place))
            rows = np.hstack([numbers[1:, None].astype(float), here, middles])
            self._rows.append(rows)
        self._place += 1
        return linked

    def tracks(self, axis: int = 0) -> Float64Array:
        """Return (n, 1 + axes): number and position of every object in every plane.

        Parameters
        ----------
        axis
            Where the axis that was linked stands among all.
        """
        if not self._rows:
            return np.zeros((0, 4))
        rows = np.concatenate(self._rows)
        place = rows[:, 1:2]
        rest = np.insert(rows[:, 2:], [axis], place, axis=1)
        found = np.hstack([rows[:, :1], rest])
        return found[np.lexsort((rows[:, 1], rows[:, 0]))]

    def part_at_necks(self) -> dict[int, dict[int, int]]:
        """Give what lies behind a neck a number of its own, when all planes are linked.

        Returns
        -------
        dict
            For planes in which something changes, the new number of each old one; see
            `renumbered`. Empty unless objects are to be convex.
        """
        new: dict[int, dict[int, int]] = {}
        for number, course in list(self._course.items()):
            for first, last in convex_runs(course)[1:]:
                self._highest += 1
                for place, _, _ in course[first:last]:
                    new.setdefault(place, {})[number] = self._highest
        for rows in self._rows:
            changed = new.get(int(rows[0, 1]), {})
            for row in rows:
                row[0] = changed.get(int(row[0]), row[0])
        self._course.clear()
        return new

    def _pairs(
        self,
        own: npt.NDArray[np.int64],
        areas: npt.NDArray[np.int64],
        middles: Float64Array,
        old: npt.NDArray[np.int64],
        old_areas: npt.NDArray[np.int64],
    ) -> npt.NDArray[Any]:
        """List which objects may be which: (new, place of old, price, shared)."""
        seen = np.zeros(own.shape, np.int32) if self._seen is None else self._seen
        both = (own > 0) & (seen > 0)
        place_of = np.zeros(int(old.max()) + 1, np.int64)
        place_of[old] = np.arange(old.size)
        codes, shared = np.unique(
            own[both] * old.size + place_of[seen[both]], return_counts=True
        )
        new, before = np.divmod(codes, old.size)
        union = areas[new] + old_areas[before] - shared
        iou = shared / union
        scale = np.ones(middles.shape[1]) if self._spacing is None else self._spacing
        old_middles = _middles(seen, int(old.max()))[old - 1]
        radius = self.settings.radius
        if radius is None:
            radius = _radius(old_areas, seen.ndim)
        far = np.linalg.norm((middles[new - 1] - old_middles[before]) * scale, axis=1)
        fit = (iou >= self.settings.min_overlap) | (far <= radius)
        rows = [np.stack([new[fit], before[fit], 1 - iou[fit], shared[fit]], axis=1)]
        if radius > 0:
            near = cKDTree(middles * scale).query_ball_tree(
                cKDTree(old_middles * scale), radius
            )
            known = set(zip(new.tolist(), before.tolist(), strict=True))
            moved = [
                (at + 1, other, 1.0, 0.0)
                for at, others in enumerate(near)
                for other in others
                if (at + 1, other) not in known
            ]
            if moved:
                more = np.array(moved)
                apart = middles[more[:, 0].astype(int) - 1]
                apart = apart - old_middles[more[:, 1].astype(int)]
                gone = np.linalg.norm(apart * scale, axis=1)
                # Farther than any overlap, and below the price of no link at all.
                more[:, 2] += 0.999 * gone / radius
                rows.append(more)
        return np.concatenate(rows)

    def _assign(
        self, numbers: Int32Array, old: npt.NDArray[np.int64], pairs: npt.NDArray[Any]
    ) -> dict[int, float]:
        """Give new objects the numbers of old ones, at the least price in all.

        Returns
        -------
        dict
            For each new object that was linked the price.
        """
        if not len(pairs):
            return {}
        new = pairs[:, 0].astype(int) - 1
        before = pairs[:, 1].astype(int)
        n, m = len(numbers) - 1, old.size
        # The usual square: links, nothing for a new one, nothing for an old one, and
        # a way for both of those to be whatever is left. One more on each: no zeros.
        prices = np.concatenate(
            [pairs[:, 2], np.full(n + m, _ALONE), np.zeros(len(pairs))]
        )
        rows = np.concatenate([new, np.arange(n), n + np.arange(m), n + before])
        columns = np.concatenate([before, m + np.arange(n), np.arange(m), m + new])
        graph = csr_array(coo_array((prices + 1, (rows, columns)), (n + m, m + n)))
        row, column = min_weight_full_bipartite_matching(graph)
        linked = (row < n) & (column < m)
        numbers[row[linked] + 1] = old[column[linked]]
        paid = np.asarray(graph[row[linked], column[linked]]) - 1
        return dict(zip((row[linked] + 1).tolist(), paid.tolist(), strict=True))

    def _divide(
        self,
        numbers: Int32Array,
        old: npt.NDArray[np.int64],
        pairs: npt.NDArray[Any],
        areas: npt.NDArray[np.int64],
        old_areas: npt.NDArray[np.int64],
    ) -> None:
        """Find objects left over that lie in a mother that another one continues."""
        heir = {int(number): label for label, number in enumerate(numbers) if number}
        for new, before, _, shared in pairs:
            label, place = int(new), int(before)
            mother, size = int(old[place]), old_areas[place]
            sister = heir.get(mother)
            if numbers[label] or sister is None or shared < _INSIDE * areas[label]:
                continue
            sizes = areas[label], areas[sister]
            if max(sizes) > _SMALLER * size or max(sizes) > _ALIKE * min(sizes):
                continue
            for daughter in (sister, label):
                self._highest += 1
                numbers[daughter] = self._highest
                self.parents[self._highest] = mother
            del heir[mother]
            self._last.pop(mother, None)

    def _remember(self, linked: Int32Array, numbers: Int32Array) -> None:
        """Keep where objects are, and where those that are missing were."""
        for number in numbers.tolist():
            self._last[number] = self._place
        self._last = {
            number: last
            for number, last in self._last.items()
            if self._place - last <= self.settings.gaps
        }
        if self.settings.gaps and self._seen is not None:
            missing = [n for n, last in self._last.items() if last < self._place]
            still = np.isin(self._seen, np.array(missing, np.int32))
            self._seen = np.where(still & (linked == 0), self._seen, linked)
        else:
            self._seen = linked


def renumbered(labels: LabelArray, new: Mapping[int, int]) -> LabelArray:
    """Return labels of which some numbers are replaced."""
    found = labels.copy()
    for old, number in new.items():
        found[labels == old] = number
    return found


def _numbered(labels: LabelArray) -> npt.NDArray[np.int64]:
    """Return labels numbered from 1 without gaps; what is below 0 is background."""
    array = np.maximum(labels, 0)
    top = int(array.max(initial=0))
    if top > array.size:  # numbers of their own kind: no table of them all
        ids, flat = np.unique(array, return_inverse=True)
        numbers = np.cumsum(ids > 0, dtype=np.int64) * (ids > 0)
        found: npt.NDArray[np.int64] = numbers[flat].reshape(array.shape)
        return found
    there = np.bincount(array.ravel().astype(np.int64), minlength=1) > 0
    there[0] = False
    table: npt.NDArray[np.int64] = np.cumsum(there, dtype=np.int64) * there
    return np.asarray(table[array])


def _radius(areas: npt.NDArray[np.int64], axes: int) -> float:
    """Return half the diameter of a typical object: of discs, or balls."""
    if axes == 2:
        return typical_of(2 * np.sqrt(areas / np.pi)) / 2
    return typical_of(np.cbrt(areas * 6 / np.pi)) / 2


def _middles(labels: npt.NDArray[Any], count: int) -> Float64Array:
    """Return the middle of each label, (count, axes); 0 for what is not there."""
    where = np.nonzero(labels)
    values = labels[where]
    sizes = np.maximum(np.bincount(values, minlength=count + 1), 1)
    sums = [np.bincount(values, at, minlength=count + 1) / sizes for at in where]
    return np.stack(sums, axis=1)[1:]
