"""Simulated clicks on annotated objects: the one protocol, stated exactly and seeded.

Evaluation, the comparison after fine-tuning, the curve while training and the
benchmarks all click by what stands here, so that "one-click IoU" of a model on the same
images and objects is one number, whoever asks. An object is clicked

1. at its `interior_point` ("centre"),
2. at an `off_center` pixel, seeded by `click_seed` from the names of image and object,
3. and, where corrections are counted, from 1 on at each `next_correction`; people do
   not aim so well, so `click_steps` can scatter these over the wrong piece, too.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from napari_gen2seg.common.types import BoolArray, Float64Array
from napari_gen2seg.errors import DataError
from napari_gen2seg.metrics.matching import iou

if TYPE_CHECKING:
    from napari_gen2seg.core.coloring import Coloring
    from napari_gen2seg.core.learned_probe.probe import Probe
    from napari_gen2seg.core.probe.settings import ProbeSettings

SMALLEST = 30
"""Objects below this many pixels are not clicked."""

WANTED: tuple[float, float] = (0.85, 0.90)
"""IoU to which corrections are counted."""

CAP = 20
"""Corrections stop at this many clicks."""

Answer = Callable[[Sequence[tuple[int, int]], Sequence[int]], BoolArray]
"""Points (row, column) and signs in, bool (H, W) mask out."""


@dataclass(frozen=True)
class ObjectClicks:
    """What the clicks on one object gave.

    Attributes
    ----------
    number, area
        Its value in the label image and its area in pixels.
    center, off_center
        IoU of one click, 0..1.
    trace
        IoU after 1, 2, ... clicks; None where nothing was corrected.
    """

    number: int
    area: int
    center: float
    off_center: float
    trace: tuple[float, ...] | None = None


def click_study(
    answer: Answer,
    name: str,
    objects: Iterable[tuple[int, BoolArray]],
    *,
    seed: int = 0,
    until: float | None = None,
    cap: int = CAP,
    corrected: int | None = None,
) -> Iterator[ObjectClicks]:
    """Click on objects of one image, yielding what each gave.

    Parameters
    ----------
    answer
        Turns clicks into a mask; of a map, `answerer`.
    name
        Of the image; with the object's number it seeds the off-centre click.
    objects
        Number and mask, bool (H, W) and not empty, of each; taken one at a time.
    seed
        Moves all off-centre clicks; 0 wherever nobody asks for another one.
    until
        Correct up to this IoU, too; no corrections if None.
    cap
        Corrections stop at this many clicks.
    corrected
        So many of the first objects are corrected; all if None.

    Raises
    ------
    DataError
        If a mask is empty.
    """
    for place, (number, ground_truth) in enumerate(objects):
        first = answer([interior_point(ground_truth)], [1])
        aside = off_center(ground_truth, click_seed(name, number, seed))
        trace = None
        if until is not None and (corrected is None or place < corrected):
            steps = click_trace(answer, ground_truth, first, until=until, cap=cap)
            trace = tuple(steps)
        yield ObjectClicks(
            number,
            int(np.count_nonzero(ground_truth)),
            iou(first, ground_truth),
            iou(answer([aside], [1]), ground_truth),
            trace,
        )


def answerer(
    coloring: Coloring,
    settings: ProbeSettings | None = None,
    probe: Probe | None = None,
) -> Answer:
    """Return what turns clicks on a map into full masks.

    Parameters
    ----------
    coloring
        The map.
    settings
        How clicks become masks.
    probe
        The learned probe, where it is to answer; else similarity does. Which of them
        by default is for `models.probes.chosen_probe` to say.
    """

    def answer(points: Sequence[tuple[int, int]], signs: Sequence[int]) -> BoolArray:
        if probe is not None:
            return probe.mask(coloring, points, signs, settings).full()
        return coloring.probe(points, signs, settings).full()

    return answer


def click_seed(name: str, number: int, seed: int = 0) -> int:
    """Return the seed of an object's off-center click: CRC-32 of "name/number" + seed.

    By names and not by order, so that a choice of images or objects moves no click.
    """
    return zlib.crc32(f"{name}/{number}".encode()) + seed


def object_labels(
    labels: npt.NDArray[np.integer], smallest: int = SMALLEST, most: int | None = None
) -> list[int]:
    """Return the objects of a label image to click on; see `choose_objects`.

    Parameters
    ----------
    labels
        (H, W); 0 background, negative unknown.
    smallest, most
        As for `choose_objects`.
    """
    numbers, areas = np.unique(labels[labels > 0], return_counts=True)
    found = dict(zip(numbers.tolist(), areas.tolist(), strict=True))
    return choose_objects(found, smallest, most)


def choose_objects(
    areas: Mapping[int, int], smallest: int = SMALLEST, most: int | None = None
) -> list[int]:
    """Return the objects to click on, of objects given by number and area.

    Parameters
    ----------
    areas
        Pixels of each; numbers below 1 are no objects.
    smallest
        Objects below this many pixels are left out.
    most
        A seeded choice of that many, so that one crowded image does not outweigh the
        rest of a study that is short of time; all if None.

    Returns
    -------
    list of int
        Numbers, rising.
    """
    found = sorted(i for i, area in areas.items() if i > 0 and area >= smallest)
    if most is not None and len(found) > most:
        chosen = np.random.default_rng(len(found)).permutation(len(found))[:most]
        found = sorted(found[i] for i in chosen)
    return found


def interior_point(mask: BoolArray) -> tuple[int, int]:
    """Return the pixel farthest from everything outside the mask.

    By the exact Euclidean distance transform, what lies beyond the frame counting
    as outside; of equals the first in reading order.

    Parameters
    ----------
    mask
        bool (H, W) with at least one true pixel.

    Raises
    ------
    DataError
        If the mask is empty.
    """
    depth, origin = _depth(mask)
    row, col = np.unravel_index(int(depth.argmax()), depth.shape)
    return int(row) + origin[0], int(col) + origin[1]


def off_center(mask: BoolArray, seed: int) -> tuple[int, int]:
    """Return a random pixel of the inner half of the mask.

    The inner half is every pixel at least half as far from the outside as the
    innermost one; each is as likely as the next.

    Parameters
    ----------
    mask
        bool (H, W) with at least one true pixel.
    seed
        The same seed gives the same pixel of the same mask.
    """
    depth, origin = _depth(mask)
    inner = np.argwhere(depth >= 0.5 * depth.max())
    row, col = inner[np.random.default_rng(seed).integers(len(inner))]
    return int(row) + origin[0], int(col) + origin[1]


def next_correction(
    ground_truth: BoolArray, found: BoolArray, seed: int | None = None
) -> tuple[tuple[int, int], int] | None:
    """Return where a person would correct a mask next.

    The innermost pixel of the largest wrong region, missing or superfluous
    (8-connected), as in the usual interactive protocol (Xu et al. 2016).

    Parameters
    ----------
    ground_truth, found
        bool (H, W).
    seed
        Click at a random pixel of that region instead, each as likely as the next.

    Returns
    -------
    tuple or None
        ((row, column), sign), +1 for what is missing; ``None`` if nothing is wrong.
    """
    best: tuple[int, BoolArray, int] | None = None
    for wrong, sign in ((ground_truth & ~found, 1), (found & ~ground_truth, -1)):
        labels, count = ndimage.label(wrong, np.ones((3, 3)))
        if not count:
            continue
        sizes = np.bincount(labels.ravel())[1:]
        largest = int(sizes.argmax())
        if best is None or int(sizes[largest]) > best[0]:
            best = int(sizes[largest]), labels == largest + 1, sign
    if best is None:
        return None
    if seed is None:
        return interior_point(best[1]), best[2]
    places = np.argwhere(best[1])
    row, col = places[np.random.default_rng(seed).integers(len(places))]
    return (int(row), int(col)), best[2]


@dataclass(frozen=True)
class ClickStep:
    """One click on an object and what the mask was after it.

    Attributes
    ----------
    point, sign
        (row, column), and +1 to keep or -1 to leave out.
    iou, area
        Of the mask with this click: 0..1, and pixels.
    """

    point: tuple[int, int]
    sign: int
    iou: float
    area: float


def click_steps(
    answer: Answer,
    ground_truth: BoolArray,
    first: BoolArray | None = None,
    *,
    until: float = 0.9,
    cap: int = 20,
    least: int = 1,
    seed: int | None = None,
) -> Iterator[ClickStep]:
    """Correct a mask click by click, yielding each click and what it gave.

    The first click is the innermost pixel; each further one the innermost pixel of the
    largest wrong region, positive where it is missing and negative where it is too
    much (`next_correction`).

    Parameters
    ----------
    answer
        Turns clicks into a mask.
    ground_truth
        bool (H, W), not empty.
    first
        The mask of the first click, if it is known already.
    until
        Stop at this IoU.
    cap
        Stop after this many clicks.
    least
        So many clicks are made however good the mask is, unless nothing is wrong.
    seed
        Scatter the clicks: the first over the inner half of the object (`off_center`),
        the others over the wrong regions.
    """
    start = interior_point(ground_truth)
    if seed is not None:
        start = off_center(ground_truth, seed)
    points, signs = [start], [1]
    mask = answer(points, signs) if first is None else first
    while True:
        overlap = iou(mask, ground_truth)
        area = int(np.count_nonzero(mask))
        yield ClickStep(points[-1], signs[-1], overlap, area)
        made = len(points)
        if made >= cap or (overlap >= until and made >= least):
            return
        # Nothing outside of both can be wrong: a window is enough, and much faster.
        rows, cols, origin = _window(ground_truth | mask)
        scatter = None if seed is None else seed + made
        step = next_correction(ground_truth[rows, cols], mask[rows, cols], scatter)
        if step is None:
            return
        points.append((step[0][0] + origin[0], step[0][1] + origin[1]))
        signs.append(step[1])
        mask = answer(points, signs)


def click_trace(
    answer: Answer,
    ground_truth: BoolArray,
    first: BoolArray | None = None,
    *,
    until: float = 0.9,
    cap: int = 20,
) -> list[float]:
    """Correct a mask click by click and note the overlap after each.

    Parameters
    ----------
    answer, ground_truth, first, until, cap
        As for `click_steps`, which makes the clicks.

    Returns
    -------
    list of float
        IoU after 1, 2, ... clicks; at least one, at most ``cap``.
    """
    steps = click_steps(answer, ground_truth, first, until=until, cap=cap)
    return [step.iou for step in steps]


def clicks_to(trace: Sequence[float], wanted: float, cap: int) -> tuple[int, bool]:
    """Return the clicks until ``wanted``, and whether it was reached; else the cap."""
    for number, overlap in enumerate(trace, 1):
        if overlap >= wanted:
            return number, True
    return cap, False


def _depth(mask: BoolArray) -> tuple[Float64Array, tuple[int, int]]:
    """Distance to the outside in the bounding box, and where that box lies."""
    rows, cols = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if rows.size == 0:
        raise DataError("The mask is empty; an object must have at least one pixel.")
    crop = mask[rows[0] : rows[-1] + 1, cols[0] : cols[-1] + 1]
    depth: Float64Array = ndimage.distance_transform_edt(np.pad(crop, 1))[1:-1, 1:-1]
    return depth, (int(rows[0]), int(cols[0]))


def _window(mask: BoolArray) -> tuple[slice, slice, tuple[int, int]]:
    rows, cols = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    r0, c0 = int(rows[0]), int(cols[0])
    return slice(r0, int(rows[-1]) + 1), slice(c0, int(cols[-1]) + 1), (r0, c0)
