"""Objects go on into the next plane of a stack or movie, by masks and places alone.

Every plane is a color space of its own, so no color says which object is which. What
the next map takes for objects is paired with those of the plane before by overlap, one
to one; an object that moved is looked for nearby, by its outline. Where no candidate
will do, the map is clicked where the object was deepest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from scipy.optimize import linear_sum_assignment

from napari_gen2seg.common.types import BoolArray, Float64Array, LabelArray
from napari_gen2seg.core.objects.find import check_labels
from napari_gen2seg.core.objects.keep import whole_part
from napari_gen2seg.core.objects.overlap import Window, window_iou
from napari_gen2seg.core.objects.patch import LabelPatch
from napari_gen2seg.errors import PromptError

if TYPE_CHECKING:
    from napari_gen2seg.core.candidates import CandidateSet
    from napari_gen2seg.core.coloring import Coloring
    from napari_gen2seg.core.probe.mask import Mask

Ask = Callable[[list[tuple[float, float]]], "Mask"]

_NOTHING = 0.05  # IoU below which nothing is there
_MOVED = 0.8  # what the IoU of outlines laid over each other counts
_FREE = 0.5  # share of a mask that no other object may hold


@dataclass(frozen=True)
class CarrySettings:
    """When an object goes on by itself.

    Attributes
    ----------
    min_overlap
        Least IoU of its masks on both planes, 0..1.
    most_change
        Largest factor between their areas.
    reach
        How far it may move, in diameters of the object; 0 for a stack in depth.
    """

    min_overlap: float = 0.4
    most_change: float = 2.5
    reach: float = 0.75


@dataclass(frozen=True, eq=False)
class Carried:
    """What became of the objects of one plane on the next.

    Attributes
    ----------
    patch
        The change of the next plane's labels.
    overlaps
        Object -> IoU of its masks on both planes, 0..1, of those that go on.
    stopped
        Object -> why it does not go on, in a few words.
    """

    patch: LabelPatch
    overlaps: Mapping[int, float] = field(default_factory=dict)
    stopped: Mapping[int, str] = field(default_factory=dict)


def carry(
    before: LabelArray,
    numbers: Iterable[int],
    coloring: Coloring,
    taken: LabelArray,
    settings: CarrySettings | None = None,
    candidates: CandidateSet | None = None,
    ask: Ask | None = None,
) -> Carried:
    """Carry objects from one plane to the next.

    Parameters
    ----------
    before
        int (H, W), the plane where they are.
    numbers
        Which of its objects; those that the next plane has already are left out.
    coloring
        The map of the next plane.
    taken
        int (H, W), what the next plane holds; not changed. Pixels that are not 0 stay.
    settings
        When an object goes on.
    candidates
        Of the map, if they were found before.
    ask
        What answers a click on the map where no candidate fits: `Probe.mask` of a
        learned probe, say; similarity by default.

    Raises
    ------
    DataError
        If the labels are no plane of whole numbers.
    """
    check_labels(before)
    check_labels(taken)
    chosen = settings or CarrySettings()
    there = {int(n) for n in np.unique(taken)}
    ours = [
        _Object.of(before, n, box)
        for n, box in enumerate(ndimage.find_objects(np.maximum(before, 0)), 1)
        if box is not None and n in set(numbers) and n not in there
    ]
    found = coloring.candidates() if candidates is None else candidates
    # A mask of a few pixels of the map may have none at the size of the labels.
    windows = [mask.window() for mask in found.masks]
    windows = [(crop, corner) for crop, corner in windows if crop.any()]
    rates = _rates(before, ours, windows, chosen)
    new: dict[int, tuple[Window, float]] = {}
    stopped: dict[int, str] = {}
    pairs = dict(zip(*linear_sum_assignment(rates, maximize=True), strict=True))
    for place, one in enumerate(ours):
        at = pairs.get(place)
        rate = 0.0 if at is None else float(rates[place, at])
        window = None if at is None else windows[at]
        if rate < chosen.min_overlap:
            clicked = _clicked(one, ask or coloring.probe)
            again = 0.0 if clicked is None else window_iou(one.window, clicked)
            if again > rate:
                rate, window = again, clicked
        if window is None or rate < _NOTHING:
            stopped[one.number] = "nothing is there"
        elif rate < chosen.min_overlap:
            stopped[one.number] = f"what is there overlaps it by {rate:.2f} only"
        elif _change(one, window) > chosen.most_change:
            change = np.count_nonzero(window[0]) / one.area
            stopped[one.number] = f"what is there has {change:.1f} times its size"
        else:
            new[one.number] = window, rate
    return _written(taken, new, stopped)


@dataclass(frozen=True, eq=False)
class _Object:
    """One object of the plane before."""

    number: int
    crop: BoolArray
    corner: tuple[int, int]
    area: int
    center: tuple[float, float]

    @classmethod
    def of(cls, labels: LabelArray, number: int, box: tuple[slice, ...]) -> _Object:
        crop = np.asarray(labels[box] == number)
        corner = box[0].start, box[1].start
        row, col = np.nonzero(crop)
        center = corner[0] + float(row.mean()), corner[1] + float(col.mean())
        return cls(number, crop, corner, row.size, center)

    @property
    def window(self) -> Window:
        """Its pixels, and where they begin."""
        return self.crop, self.corner

    @property
    def diameter(self) -> float:
        """Diameter of a disk of its area, in pixels."""
        return float(2 * np.sqrt(self.area / np.pi))


def _rates(
    before: LabelArray,
    ours: list[_Object],
    windows: list[Window],
    settings: CarrySettings,
) -> Float64Array:
    """Return float64 (objects, candidates): how well each pair fits, 0..1."""
    rates = np.zeros((len(ours), len(windows)))
    if not rates.size:
        return rates
    place_of = np.full(max(int(before.max()), 0) + 1, -1)
    for place, one in enumerate(ours):
        place_of[one.number] = place
    areas = np.array([one.area for one in ours])
    sizes = np.array([np.count_nonzero(crop) for crop, _ in windows])
    for at, (crop, (row, col)) in enumerate(windows):
        under = before[row : row + crop.shape[0], col : col + crop.shape[1]][crop]
        counts = np.bincount(np.maximum(under, 0), minlength=place_of.size)
        for number in np.flatnonzero(counts):
            place = place_of[number]
            if place >= 0 and number > 0:
                both = counts[number]
                rates[place, at] = both / (areas[place] + sizes[at] - both)
    if settings.reach:
        _add_moved(rates, ours, windows, sizes, settings)
    return rates


def _add_moved(
    rates: Float64Array,
    ours: list[_Object],
    windows: list[Window],
    sizes: npt.NDArray[np.intp],
    settings: CarrySettings,
) -> None:
    """Rate candidates beside an object that overlaps none, by their outlines."""
    centers = np.array(
        [np.argwhere(crop).mean(axis=0) + corner for crop, corner in windows]
    )
    for place, one in enumerate(ours):
        if rates[place].max() >= settings.min_overlap:
            continue
        away = np.hypot(*(centers - one.center).T)
        ratio = sizes / one.area
        near = away <= settings.reach * one.diameter
        near &= (ratio <= settings.most_change) & (ratio >= 1 / settings.most_change)
        for at in np.flatnonzero(near):
            crop, corner = windows[at]
            shift = np.rint(np.asarray(one.center) - centers[at]).astype(int)
            moved = crop, (corner[0] + int(shift[0]), corner[1] + int(shift[1]))
            rate = _MOVED * window_iou(one.window, moved)
            rates[place, at] = max(rates[place, at], rate)


def _change(one: _Object, window: Window) -> float:
    ratio = np.count_nonzero(window[0]) / one.area
    return max(ratio, 1 / ratio) if ratio else float("inf")


def _clicked(one: _Object, ask: Ask) -> Window | None:
    """Return what a click gives where the object was deepest."""
    depth = ndimage.distance_transform_edt(np.pad(one.crop, 1))[1:-1, 1:-1]
    row, col = np.unravel_index(int(depth.argmax()), depth.shape)
    point = float(row + one.corner[0]), float(col + one.corner[1])
    try:
        return ask([point]).window()
    except PromptError:
        return None


def _written(
    taken: LabelArray,
    new: dict[int, tuple[Window, float]],
    stopped: dict[int, str],
) -> Carried:
    """Paint the objects that go on, the surest first, where nothing is yet."""
    after, overlaps = taken.copy(), {}
    for number, ((crop, (row, col)), rate) in sorted(
        new.items(), key=lambda item: -item[1][1]
    ):
        here = after[row : row + crop.shape[0], col : col + crop.shape[1]]
        free = whole_part(crop, here != 0)
        if np.count_nonzero(free) < _FREE * np.count_nonzero(crop):
            stopped[number] = "another object is there"
            continue
        here[free] = number
        overlaps[number] = rate
    whole = 0, 0, taken.shape[0], taken.shape[1]
    return Carried(LabelPatch.of(taken, whole, after), overlaps, stopped)
