"""Where a simulated person clicks: protocols stated exactly, seeded."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from napari_gen2seg.common.types import BoolArray, Float64Array
from napari_gen2seg.errors import DataError
from napari_gen2seg.metrics.matching import iou


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
    truth: BoolArray, found: BoolArray
) -> tuple[tuple[int, int], int] | None:
    """Return where a person would correct a mask next.

    The innermost pixel of the largest wrong region, missing or superfluous
    (8-connected), as in the usual interactive protocol (Xu et al. 2016).

    Returns
    -------
    tuple or None
        ((row, column), sign), +1 for what is missing; ``None`` if nothing is wrong.
    """
    best: tuple[int, BoolArray, int] | None = None
    for wrong, sign in ((truth & ~found, 1), (found & ~truth, -1)):
        labels, count = ndimage.label(wrong, np.ones((3, 3)))
        if not count:
            continue
        sizes = np.bincount(labels.ravel())[1:]
        largest = int(sizes.argmax())
        if best is None or int(sizes[largest]) > best[0]:
            best = int(sizes[largest]), labels == largest + 1, sign
    return None if best is None else (interior_point(best[1]), best[2])


def _depth(mask: BoolArray) -> tuple[Float64Array, tuple[int, int]]:
    """Distance to the outside in the bounding box, and where that box lies."""
    rows, cols = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if rows.size == 0:
        raise DataError("The mask is empty; an object must have at least one pixel.")
    crop = mask[rows[0] : rows[-1] + 1, cols[0] : cols[-1] + 1]
    depth: Float64Array = ndimage.distance_transform_edt(np.pad(crop, 1))[1:-1, 1:-1]
    return depth, (int(rows[0]), int(cols[0]))


Answer = Callable[[Sequence[tuple[int, int]], Sequence[int]], BoolArray]
"""Points (row, column) and signs in, bool (H, W) mask out."""


@dataclass(frozen=True)
class ObjectResult:
    """What clicks on one object gave.

    Attributes
    ----------
    source, picture : str
        Where it comes from.
    label, area : int
        Its value in the label map and its area in pixels.
    centre, off_centre : float
        IoU of one click, 0..1.
    clicks : int or None
        Clicks needed; the cap where it was never reached; None if not asked.
    reached : bool
        Whether the wanted overlap was reached.
    """

    source: str
    picture: str
    label: int
    area: int
    center: float
    off_center: float
    clicks: int | None = None
    reached: bool = False


def object_labels(
    labels: npt.NDArray[np.integer], smallest: int = 30, most: int | None = None
) -> list[int]:
    """Return the objects to click on: at least ``smallest`` pixels.

    With ``most``, a seeded choice of that many, so that one crowded picture does not
    outweigh the rest of a study that is short of time.
    """
    numbers, areas = np.unique(labels[labels > 0], return_counts=True)
    found = dict(zip(numbers.tolist(), areas.tolist(), strict=True))
    return choose_objects(found, smallest, most)


def choose_objects(
    areas: Mapping[int, int], smallest: int = 30, most: int | None = None
) -> list[int]:
    """Return the objects to click on, of objects given by number and area."""
    found = sorted(i for i, area in areas.items() if i > 0 and area >= smallest)
    if most is not None and len(found) > most:
        chosen = np.random.default_rng(len(found)).permutation(len(found))[:most]
        found = sorted(found[i] for i in chosen)
    return found


def click_study(
    answer: Answer,
    labels: npt.NDArray[np.integer],
    source: str = "",
    picture: str = "",
    *,
    most: int | None = None,
    wanted: float | None = None,
    cap: int = 20,
) -> list[ObjectResult]:
    """Click on the objects of one picture.

    Parameters
    ----------
    answer
        Turns clicks into a mask.
    labels
        Truth, (H, W); 0 background, negative unknown.
    source, picture
        Names that go into the results and the seed.
    most
        At most this many objects.
    wanted
        Also count corrections until this IoU.
    cap
        Corrections stop at this many clicks.
    """
    results = []
    for label in object_labels(labels, most=most):
        truth = labels == label
        seed = zlib.crc32(f"{picture}/{label}".encode())
        middle = interior_point(truth)
        first = answer([middle], [1])
        aside = answer([off_center(truth, seed)], [1])
        clicks, reached = None, False
        if wanted is not None:
            trace = click_trace(answer, truth, first, until=wanted, cap=cap)
            clicks, reached = clicks_to(trace, wanted, cap)
        results.append(
            ObjectResult(
                source,
                picture,
                label,
                int(truth.sum()),
                iou(first, truth),
                iou(aside, truth),
                clicks,
                reached,
            )
        )
    return results


def click_trace(
    answer: Answer,
    truth: BoolArray,
    first: BoolArray | None = None,
    *,
    until: float = 0.9,
    cap: int = 20,
) -> list[float]:
    """Correct a mask click by click and note the overlap after each.

    The first click is the innermost pixel; each further one the innermost pixel of the
    largest wrong region, positive where it is missing and negative where it is too
    much (:func:`~napari_gen2seg.metrics.click_protocol.next_correction`).

    Parameters
    ----------
    answer
        Turns clicks into a mask.
    truth
        bool (H, W), not empty.
    first
        The mask of the first click, if it is known already.
    until
        Stop at this IoU.
    cap
        Stop after this many clicks.

    Returns
    -------
    list of float
        IoU after 1, 2, ... clicks; at least one, at most ``cap``.
    """
    points, signs = [interior_point(truth)], [1]
    mask = answer(points, signs) if first is None else first
    trace = [iou(mask, truth)]
    while trace[-1] < until and len(points) < cap:
        # Nothing outside of both can be wrong: a window is enough, and much faster.
        rows, cols, origin = _window(truth | mask)
        step = next_correction(truth[rows, cols], mask[rows, cols])
        if step is None:
            break
        points.append((step[0][0] + origin[0], step[0][1] + origin[1]))
        signs.append(step[1])
        mask = answer(points, signs)
        trace.append(iou(mask, truth))
    return trace


def clicks_to(trace: Sequence[float], wanted: float, cap: int) -> tuple[int, bool]:
    """Return the clicks until ``wanted``, and whether it was reached; else the cap."""
    for number, overlap in enumerate(trace, 1):
        if overlap >= wanted:
            return number, True
    return cap, False


def _window(mask: BoolArray) -> tuple[slice, slice, tuple[int, int]]:
    rows, cols = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    r0, c0 = int(rows[0]), int(cols[0])
    return slice(r0, int(rows[-1]) + 1), slice(c0, int(cols[-1]) + 1), (r0, c0)


def summary(results: Iterable[ObjectResult]) -> dict[str, float]:
    """Return means over objects.

    Keys: ``objects``, ``centre``, ``off_centre``, ``centre_50``, ``centre_75`` (shares
    of objects at or above these IoU) and, where counted, ``clicks`` and ``never``.
    """
    rows = list(results)
    if not rows:
        return {"objects": 0}
    center = np.asarray([r.center for r in rows])
    out = {
        "objects": float(len(rows)),
        "centre": float(center.mean()),
        "off_centre": float(np.mean([r.off_center for r in rows])),
        "centre_50": float((center >= 0.5).mean()),
        "centre_75": float((center >= 0.75).mean()),
    }
    counted = [r for r in rows if r.clicks is not None]
    if counted:
        out["clicks"] = float(np.mean([r.clicks or 0 for r in counted]))
        out["never"] = float(np.mean([not r.reached for r in counted]))
    return out


def touching_pairs(labels: npt.NDArray[np.integer]) -> list[tuple[int, int]]:
    """Return the pairs of objects with pixels side by side (4-neighbours)."""
    pairs: set[tuple[int, int]] = set()
    for a, b in ((labels[:, :-1], labels[:, 1:]), (labels[:-1], labels[1:])):
        meet = (a != b) & (a > 0) & (b > 0)
        low, high = np.minimum(a[meet], b[meet]), np.maximum(a[meet], b[meet])
        pairs.update(zip(low.tolist(), high.tolist(), strict=True))
    return sorted(pairs)


def touching_score(
    values: npt.NDArray[np.float32],
    labels: npt.NDArray[np.integer],
    tolerance: Callable[[int], float],
) -> tuple[int, int]:
    """Count the touching pairs a map tells apart.

    A pair counts when its mean colours differ by more than the larger of the
    tolerances the probe chose for its two objects.

    Parameters
    ----------
    values
        Map, (H, W, 3) in 0..255, at the size of ``labels``.
    labels
        Truth, (H, W).
    tolerance
        Colour units the probe chooses for an object of that label.

    Returns
    -------
    (told apart, pairs)
    """
    pairs = touching_pairs(labels)
    if not pairs:
        return 0, 0
    flat = np.maximum(labels, 0).ravel().astype(np.int64)
    size = np.bincount(flat)
    mean = np.stack(
        [
            np.bincount(flat, values[..., c].ravel()) / np.maximum(size, 1)
            for c in range(3)
        ],
        -1,
    )
    chosen = {i: tolerance(i) for i in {i for pair in pairs for i in pair}}
    apart = sum(
        float(np.linalg.norm(mean[i] - mean[j])) > max(chosen[i], chosen[j])
        for i, j in pairs
    )
    return apart, len(pairs)
