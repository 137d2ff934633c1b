"""Candidates and their selection: expensive once, cheap many.

A `CandidateSet` holds all instances that may be objects, found by probing a map
(`propose`) or by a model of another kind. `select` keeps those that look like one whole
object, have the size of one and are not mostly taken already; `paint` makes labels of
them. Neither needs a map or a model: a slider may move them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import pi

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from napari_gen2seg.common.arguments import check_fields, checked_arguments, told
from napari_gen2seg.common.types import (
    BoolArray,
    Float64Array,
    Int32Array,
    LabelArray,
    Shape,
)
from napari_gen2seg.core.learned_probe.choice import SIMILARITY
from napari_gen2seg.core.probe.mask import Mask
from napari_gen2seg.core.proposal_settings import ProposalSettings, Range
from napari_gen2seg.errors import SettingsError

_SCORE = 0.15
# Where the diameter is told. On smears (cells where nuclei are meant) 0.35 leaves out 6
# of 10 proposals and 1 of 7 right ones; on nuclei alone, as good as none.
_SCORE_TOLD = 0.35
_SIZES = 0.35, 2.0  # diameters of objects, as shares of the one told


@dataclass(frozen=True, eq=False)
class CandidateSet:
    """All instances found on one image, before any is selected.

    In the order in which they are considered: where two overlap the earlier one is
    kept. Arrays are read-only; a mask holds its bounding box only.

    Attributes
    ----------
    masks
        n masks; see :class:`~napari_gen2seg.core.probe.mask.Mask`.
    points
        float64 (n, 2), (row, column) inside each, in source pixels.
    scores
        float64 (n,), 0..1, how much each looks like one whole object.
    brightness
        float64 (n,), median distance of its colours from black, 0..441; NaN where no
        map was asked.
    shape, source_shape
        (h, w) of the masks, (H, W) of the image.
    background
        Instances at most this bright are background.
    diameter
        Of a typical object in source pixels, where it is known; else None.
    smallest
        Diameter in pixels of the map of which ``min_diameter`` is a share; 0 where
        specks are not told from objects.
    settings
        What decided which candidates there are; None for instances found elsewhere.
    least_score
        Smallest score of an object where settings have none; None takes the probe's.
    method
        Who drew the outlines: ``"similarity"``, the map or the family's own, or
        ``"learned"``, see `Probe.refine`.
    areas
        int64 (n,), pixels of the map; from ``masks``.
    """

    masks: tuple[Mask, ...]
    points: Float64Array
    scores: Float64Array
    brightness: Float64Array
    shape: Shape
    source_shape: Shape
    background: float = 0.0
    diameter: float | None = None
    smallest: float = 0.0
    settings: ProposalSettings | None = None
    least_score: float | None = None
    method: str = SIMILARITY
    areas: npt.NDArray[np.int64] = field(init=False)

    def __post_init__(self) -> None:
        check_fields(self)
        count = len(self.masks)
        arrays = {
            "points": np.array(self.points, float).reshape(-1, 2),
            "scores": np.array(self.scores, float),
            "brightness": np.array(self.brightness, float),
            "areas": np.array([mask.area for mask in self.masks], np.int64),
        }
        for name, array in arrays.items():
            if len(array) != count:
                raise SettingsError(
                    f"There are {count} masks and {len(array)} {name}; there must be "
                    "one for each."
                )
            array.flags.writeable = False
            object.__setattr__(self, name, array)

    def __len__(self) -> int:
        return len(self.masks)

    @classmethod
    @checked_arguments()
    def from_masks(
        cls,
        masks: Iterable[BoolArray],
        scores: npt.ArrayLike | None = None,
        source_shape: Shape | None = None,
    ) -> CandidateSet:
        """Take instances found elsewhere, the best score first; they may overlap.

        Parameters
        ----------
        masks
            n of bool (h, w), none of them empty.
        scores
            n values in 0..1; all 1 if not given.
        source_shape
            (H, W) of the image; (h, w) if not given.

        Raises
        ------
        SettingsError
            If there is none, sizes or numbers differ, or one is empty.
        """
        arrays = [np.asarray(mask, bool) for mask in masks]
        shapes = {array.shape for array in arrays}
        if len(shapes) != 1 or len(arrays[0].shape) != 2:
            raise SettingsError(
                f"The masks have the shapes {sorted(shapes)}; there must be at least "
                "one, and all must have the same number of rows and columns."
            )
        crops = [(array, (0, 0)) for array in arrays]
        return cls._given(crops, scores, arrays[0].shape, source_shape)

    @classmethod
    @checked_arguments()
    def from_labels(
        cls,
        labels: LabelArray,
        scores: npt.ArrayLike | None = None,
        source_shape: Shape | None = None,
    ) -> CandidateSet:
        """Take instances found elsewhere, the best score first.

        Parameters
        ----------
        labels
            int (h, w), 0 = background.
        scores
            A value in 0..1 for each label that occurs, in their order; all 1 if not
            given.
        source_shape
            (H, W) of the image; (h, w) if not given.

        Raises
        ------
        SettingsError
            If the labels have another shape, or there is not one score for each.
        """
        labels = np.asarray(labels)
        if labels.ndim != 2 or labels.dtype.kind not in "ui":
            raise SettingsError(
                f"The labels have the shape {labels.shape} and the type "
                f"{labels.dtype}; they must be whole numbers (rows, columns)."
            )
        present, flat = np.unique(labels, return_inverse=True)
        number = (np.cumsum(present > 0) * (present > 0))[flat].reshape(labels.shape)
        crops = [
            (number[box] == label, (box[0].start, box[1].start))
            for label, box in enumerate(ndimage.find_objects(number), 1)
        ]
        return cls._given(crops, scores, labels.shape, source_shape)

    @classmethod
    def _given(
        cls,
        crops: Sequence[tuple[BoolArray, tuple[int, int]]],
        scores: npt.ArrayLike | None,
        shape: tuple[int, ...],
        source_shape: Shape | None,
    ) -> CandidateSet:
        size = (shape[0], shape[1])
        source = source_shape or size
        rates = np.ones(len(crops)) if scores is None else np.asarray(scores, float)
        if rates.shape != (len(crops),) or not ((rates >= 0) & (rates <= 1)).all():
            raise SettingsError(
                f"The scores have the shape {rates.shape} and must be {len(crops)} "
                "values in 0..1, one for each instance."
            )
        masks, points = [], []
        for place in np.argsort(-rates, kind="stable"):
            crop, origin = crops[place]
            mask = Mask.from_window(
                crop, origin, size, source, score=float(rates[place])
            )
            if not mask.area:
                raise SettingsError(
                    f"Mask {place} is empty; leave out instances without a pixel."
                )
            depth = ndimage.distance_transform_edt(np.pad(mask.crop, 1))[1:-1, 1:-1]
            deepest = np.unravel_index(np.argmax(depth), depth.shape)
            points.append(np.asarray(deepest) + mask.bbox[:2])
            masks.append(mask)
        places = np.asarray(points, float).reshape(-1, 2)
        return cls(
            tuple(masks),
            (places + 0.5) * np.divide(source, size) - 0.5,
            np.asarray([mask.score for mask in masks]),
            np.full(len(masks), np.nan),
            size,
            source,
        )

    def answers(self, settings: ProposalSettings) -> bool:
        """Tell whether these are the candidates that settings ask for.

        False where ``tolerance``, ``background`` or ``diameter`` differ: then the map
        is to be probed anew. Instances found elsewhere answer all settings.
        """
        return self.settings is None or _asks(settings) == _asks(self.settings)


def _asks(settings: ProposalSettings) -> tuple[float | None, ...]:
    return settings.tolerance, settings.background, settings.diameter


@checked_arguments()
def select(
    candidates: CandidateSet,
    settings: ProposalSettings | None = None,
    among: BoolArray | None = None,
) -> npt.NDArray[np.intp]:
    """Return which candidates are objects, in their order; nothing is probed.

    Parameters
    ----------
    candidates
        From :meth:`.Coloring.candidates`, or instances found elsewhere.
    settings
        All but ``tolerance``, ``background`` and ``diameter`` may differ from those
        that the candidates were made with. None takes the very same.
    among
        bool (n,), which may be selected; the others do not stand in anybody's way. All
        if not given.

    Returns
    -------
    numpy.ndarray
        intp (m,), rising; for :func:`paint`, or to look up masks and scores.

    Raises
    ------
    SettingsError
        If the settings ask for other candidates.
    """
    settings = settings or candidates.settings or ProposalSettings()
    if not candidates.answers(settings):
        raise SettingsError(
            "These candidates were made with another tolerance, background or diameter "
            f"(now {_asks(settings)}); ask the coloring for candidates again."
        )
    diameter = candidates.diameter or settings.diameter
    least, most = _areas(candidates, settings, diameter)
    fit = (candidates.areas >= least) & (candidates.areas <= most)
    fit &= candidates.scores >= least_score(candidates, settings)
    fit &= ~(candidates.brightness <= candidates.background)  # NaN: not known
    if among is not None:
        chosen = np.asarray(among)
        if chosen.shape != fit.shape or chosen.dtype != np.bool_:
            raise SettingsError(
                f"among has the shape {chosen.shape} and the type {chosen.dtype}; it "
                f"must be bool ({len(fit)},), a value for each candidate."
            )
        fit &= chosen
    taken = np.zeros(candidates.shape, bool)
    selected: list[int] = []
    for index in np.flatnonzero(fit):
        mask = candidates.masks[index]
        r0, c0, r1, c1 = mask.bbox
        window = taken[r0:r1, c0:c1]
        free = np.count_nonzero(mask.crop & ~window)
        if free < (1 - settings.max_overlap) * candidates.areas[index]:
            continue
        window |= mask.crop
        selected.append(int(index))
        if len(selected) == settings.most:
            break
    return np.asarray(selected, np.intp)


def least_score(candidates: CandidateSet, settings: ProposalSettings) -> float:
    """Return the smallest score of an object, 0..1, said or usual."""
    if settings.min_score is not None:
        return settings.min_score
    if candidates.least_score is not None:
        return candidates.least_score
    return _SCORE_TOLD if candidates.diameter or settings.diameter else _SCORE


@checked_arguments()
def paint(candidates: CandidateSet, indices: npt.ArrayLike) -> Int32Array:
    """Return labels of some candidates, 1 to their number, in the order given.

    Where objects overlap the one with the better score wins; one that is covered whole
    has no label.

    Parameters
    ----------
    candidates
        The candidates.
    indices
        int (m,), from :func:`select`.

    Returns
    -------
    numpy.ndarray
        int32 (H, W) at source size, 0 where nothing is; no number is left out.
    """
    chosen = np.asarray(indices).reshape(-1)
    count = len(candidates)
    if chosen.size and (
        chosen.dtype.kind not in "ui" or chosen.min() < 0 or chosen.max() >= count
    ):
        raise SettingsError(
            f"The indices are {told(indices)}; they must be whole numbers from 0 to "
            f"{count - 1}, as select returns them."
        )
    return _painted(candidates, chosen.astype(np.intp))[0]


@checked_arguments()
def paint_scored(
    candidates: CandidateSet, settings: ProposalSettings | None = None
) -> tuple[Int32Array, Float64Array]:
    """Return labels of what `select` keeps, and the score of each.

    Returns
    -------
    labels, scores
        int32 (H, W) as `paint` returns it; float64 (n,), of labels 1 to n.
    """
    chosen = select(candidates, settings)
    labels, present = _painted(candidates, chosen)
    return labels, candidates.scores[chosen[present]]


def _painted(
    candidates: CandidateSet, chosen: npt.NDArray[np.intp]
) -> tuple[Int32Array, BoolArray]:
    """Return labels, and which of the chosen have a pixel."""
    labels = np.zeros(candidates.source_shape, np.int32)
    present = np.zeros(len(chosen) + 1, bool)
    for place in np.argsort(-candidates.scores[chosen], kind="stable"):
        crop, (row, col) = candidates.masks[chosen[place]].window()
        window = labels[row : row + crop.shape[0], col : col + crop.shape[1]]
        free = crop & (window == 0)
        present[place + 1] = free.any()
        np.copyto(window, place + 1, where=free)
    if present[1:].all():
        return labels, present[1:]
    number = np.cumsum(present, dtype=np.int32)
    return number[labels], present[1:]


def told_areas(diameter: float, shape: Shape, source_shape: Shape) -> Range:
    """Return the least and the largest area of objects of a typical diameter.

    Parameters
    ----------
    diameter
        In source pixels.
    shape, source_shape
        (h, w) of the map, (H, W) of the image.

    Returns
    -------
    tuple
        In pixels of the map.
    """
    told = diameter_on_map(diameter, shape, source_shape)
    least, most = (_disc(share * told) for share in _SIZES)
    return least, most


def diameter_on_map(diameter: float, shape: Shape, source_shape: Shape) -> float:
    """Return a diameter in source pixels in pixels of the map."""
    scale = np.asarray(source_shape) / shape
    return diameter / float(np.sqrt(scale.prod()))


def _disc(diameter: float) -> float:
    """Return the area of a disc."""
    return pi / 4 * diameter**2


def _areas(
    candidates: CandidateSet, settings: ProposalSettings, diameter: float | None
) -> Range:
    """Return the least and the largest area of an object, in pixels of the map."""
    height, width = candidates.shape
    least, most = float(settings.min_area), settings.max_share * (height * width)
    if settings.sizes is not None:
        low, high = (
            _disc(diameter_on_map(size, candidates.shape, candidates.source_shape))
            for size in settings.sizes
        )
        return max(least, low), min(most, high)
    if not diameter:
        return max(least, _disc(settings.min_diameter * candidates.smallest)), most
    low, high = told_areas(diameter, candidates.shape, candidates.source_shape)
    return max(least, low), min(most, high)
