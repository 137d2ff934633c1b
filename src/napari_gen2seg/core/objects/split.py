"""One object made several: by a line, between seeds, at its neck.

No pixel is lost: what was the object before is one of its parts afterwards. The largest
part (or the first seed's) keeps the number. Each tool returns a `LabelPatch`.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from napari_gen2seg.common.types import Array, BoolArray, LabelArray
from napari_gen2seg.core.image.geometry import nearest_pixel
from napari_gen2seg.core.objects.find import (
    EIGHT,
    check_labels,
    next_number,
    stroke_pixels,
    window_of,
)
from napari_gen2seg.core.objects.patch import LabelPatch, check_fits
from napari_gen2seg.core.probe.mask import BBox
from napari_gen2seg.errors import PromptError

_OVERSHOOT = 3.0  # pixels by which both ends of a line are made longer
_SLIVER = 4  # pixels; a smaller piece beside a cut is no part
_BODY = 2.0  # pixels from the middle of a part to its outline, at least
_SMALL = 0.25  # of the deepest part's depth: a shallower bulge is no part
_NECK = 0.95  # width of a neck as a share of the narrower part's


def split_along(
    labels: LabelArray,
    line: npt.ArrayLike,
    number: int | None = None,
    first: int | None = None,
    within: BBox | None = None,
) -> LabelPatch:
    """Cut an object along a line that is drawn across it.

    Parameters
    ----------
    labels
        int (H, W); not changed.
    line
        (n, 2) corners (row, column). It may end a few pixels short of the outline.
    number
        The object; the one under most of the line if not given.
    first
        Number of the first new part; above all others if not given.
    within
        A box that holds the object.

    Raises
    ------
    PromptError
        If no object is under the line, or the line leaves it in one piece.
    """
    check_labels(labels)
    shape = (labels.shape[0], labels.shape[1])
    if number is None:
        under = labels[stroke_pixels(line, shape)]
        under = under[under > 0]
        if not under.size:
            raise PromptError("No object is under the line; draw it across one.")
        values, counts = np.unique(under, return_counts=True)
        number = int(values[np.argmax(counts)])
    box, here = window_of(labels, [number], within)
    mine = here == number
    origin = np.asarray(box[:2])
    rows, cols = stroke_pixels(_longer(np.asarray(line, float)) - origin, mine.shape)
    cut = np.zeros(mine.shape, bool)
    cut[rows, cols] = True
    # A staircase without diagonal steps, which no diagonal neighbours reach across.
    below = np.pad(cut[1:], ((0, 0), (1, 1)))
    cut[1:] |= cut[:-1] & (below[:, :-2] | below[:, 2:])
    pieces, count = ndimage.label(mine & ~cut, EIGHT)
    whole, _ = ndimage.label(mine, EIGHT)
    sizes = np.bincount(pieces.ravel(), minlength=count + 1)
    sizes[0] = 0
    cut_wholes = np.unique(whole[cut & mine])
    parent = np.zeros(count + 1, np.intp)
    parent[pieces.ravel()] = whole.ravel()
    parts: list[int] = []
    for each in cut_wholes:
        of_it = np.flatnonzero((parent == each) & (sizes >= _SLIVER))
        if of_it.size > 1:
            parts += of_it[np.argsort(-sizes[of_it], kind="stable")][1:].tolist()
    if not parts:
        raise PromptError(
            f"The line leaves object {number} in one piece; draw it from one side of "
            "the object to the other."
        )
    # Pixels of the cut, and slivers, go to the nearest part of their own piece.
    kept = np.isin(pieces, np.flatnonzero(sizes >= _SLIVER))
    nearest = ndimage.distance_transform_edt(
        ~kept, return_distances=False, return_indices=True
    )
    owner = pieces[tuple(nearest)]
    return _renumbered(labels, box, mine, owner, parts, number, first)


def split_between(
    labels: LabelArray,
    number: int,
    seeds: npt.ArrayLike,
    edges: Array | None = None,
    first: int | None = None,
    within: BBox | None = None,
) -> LabelPatch:
    """Divide an object between seeds, by watershed; a part for each.

    Parameters
    ----------
    labels
        int (H, W); not changed.
    number
        The object.
    seeds
        (n, 2) places (row, column) in it, two or more. The first one's part keeps the
        number.
    edges
        float (H, W), high where the map or the image has an edge; then parts meet
        there. If not given they meet where the object is narrow.
    first
        Number of the second seed's part; above all others if not given.
    within
        A box that holds the object.

    Raises
    ------
    PromptError
        If there are fewer than two seeds, two on a pixel, or one outside the object.
    """
    box, here = window_of(labels, [number], within)
    mine = here == number
    shape = (labels.shape[0], labels.shape[1])
    points = nearest_pixel(np.asarray(seeds, float).reshape(-1, 2), shape) - box[:2]
    if len(points) < 2 or len(np.unique(points, axis=0)) < len(points):
        raise PromptError(
            f"Splitting object {number} needs two places or more, each on a pixel of "
            f"its own, and got {len(points)}."
        )
    inside = ((points >= 0) & (points < mine.shape)).all(axis=1)
    if not inside.all() or not mine[points[:, 0], points[:, 1]].all():
        raise PromptError(
            f"A place to split object {number} at lies outside of it; click inside."
        )
    markers = np.zeros(mine.shape, np.int32)
    markers[points[:, 0], points[:, 1]] = np.arange(1, len(points) + 1)
    owner = _flooded(mine, markers, _crop(edges, box))
    return _renumbered(
        labels, box, mine, owner, list(range(2, len(points) + 1)), number, first
    )


def split_at_neck(
    labels: LabelArray,
    number: int,
    edges: Array | None = None,
    first: int | None = None,
    within: BBox | None = None,
) -> LabelPatch:
    """Part an object in two at the narrowest of its necks.

    Parameters
    ----------
    labels
        int (H, W); not changed.
    number
        The object.
    edges
        float (H, W), high where the map has an edge: the cut follows it.
    first
        Number of the smaller part; above all others if not given.
    within
        A box that holds the object.

    Raises
    ------
    PromptError
        If it has no neck.
    """
    box, here = window_of(labels, [number], within)
    mine = here == number
    bodies, depth = _two_bodies(mine)
    if bodies is None:
        raise PromptError(
            f"Object {number} has no neck to be parted at; draw a line across it."
        )
    owner = bodies
    if edges is not None:
        deep = ndimage.maximum(depth, bodies, np.arange(3))
        cores = np.where(depth > 0.6 * np.asarray(deep)[bodies], bodies, 0)
        owner = _flooded(mine, cores.astype(np.int32), _crop(edges, box))
    return _renumbered(labels, box, mine, owner, [2], number, first)


def _renumbered(
    labels: LabelArray,
    box: BBox,
    mine: BoolArray,
    owner: npt.NDArray[np.integer],
    parts: list[int],
    number: int,
    first: int | None,
) -> LabelPatch:
    """Give some parts of an object numbers of their own, the rest the old one."""
    start = next_number(labels) if first is None else first
    check_fits(start + len(parts) - 1, labels.dtype)
    new = np.full(int(owner.max()) + 1, number, np.int64)
    new[parts] = np.arange(start, start + len(parts))
    after = labels[box[0] : box[2], box[1] : box[3]].copy()
    after[mine] = new[owner[mine]]
    return LabelPatch.of(labels, box, after)


def _longer(line: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return a line with both ends a few pixels further out."""
    if line.ndim != 2 or len(line) < 2:
        return line
    longer = line.copy()
    for end, inner in ((0, _apart(line)), (-1, _apart(line[::-1]))):
        step = line[end] - inner
        length = float(np.linalg.norm(step))
        if length:
            longer[end] += step / length * _OVERSHOOT
    return longer


def _apart(line: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the first corner that tells the direction of a line's beginning."""
    far = np.linalg.norm(line - line[0], axis=1)
    return np.asarray(line[int(np.argmax(far >= min(4.0, far.max())))])


def _crop(edges: Array | None, box: BBox) -> Array | None:
    return None if edges is None else edges[box[0] : box[2], box[1] : box[3]]


def _depth(mine: BoolArray) -> npt.NDArray[np.float64]:
    """Return how far each pixel is from the outside; the image's rim is outside."""
    return np.asarray(ndimage.distance_transform_edt(np.pad(mine, 1))[1:-1, 1:-1])


def _flooded(
    mine: BoolArray, markers: npt.NDArray[np.int32], edges: Array | None
) -> npt.NDArray[np.int32]:
    """Flood an object from markers; pieces without one belong to the nearest part."""
    from skimage.segmentation import watershed

    depth = ndimage.gaussian_filter(_depth(mine), 0.7)
    height = -depth / max(float(depth.max()), 1e-6)
    if edges is not None:
        smooth = ndimage.gaussian_filter(np.asarray(edges, float), 0.7)
        inside = smooth[mine]
        low, high = float(inside.min()), float(inside.max())
        if high > low:
            # The edge decides; where it is silent, the narrow place does.
            height = (smooth - low) / (high - low) + 0.2 * height
    flooded = watershed(height, markers, mask=mine, connectivity=2)
    if (flooded[mine] == 0).any():
        nearest = ndimage.distance_transform_edt(
            flooded == 0, return_distances=False, return_indices=True
        )
        flooded = flooded[tuple(nearest)]
    return np.asarray(flooded, np.int32)


def _two_bodies(
    mine: BoolArray,
) -> tuple[npt.NDArray[np.int32] | None, npt.NDArray[np.float64]]:
    """Return 1 and 2 on the two sides of the narrowest neck, the larger being 1."""
    from skimage.segmentation import watershed

    depth = _depth(mine)
    smooth = ndimage.gaussian_filter(depth, 0.7)
    tops = (ndimage.maximum_filter(smooth, 3) == smooth) & mine
    markers, count = ndimage.label(tops, EIGHT)
    if count < 2:
        return None, depth
    basins = watershed(-smooth, markers, mask=mine, connectivity=2)
    peak = np.asarray(ndimage.maximum(depth, basins, np.arange(count + 1)))
    least = max(_BODY, _SMALL * float(peak[1:].max()))
    number, tops_of = np.arange(count + 1), peak.copy()
    tree: list[tuple[int, int]] = []
    neck, narrowest = -1, _NECK
    for one, two, width in _passages(basins, depth):
        a, b = number[one], number[two]
        if a == b:
            continue
        narrower = min(tops_of[a], tops_of[b])
        if narrower >= least and width / narrower < narrowest:
            neck, narrowest = len(tree), width / narrower
        tree.append((one, two))
        number[number == b] = a
        tops_of[a] = max(tops_of[a], tops_of[b])
    if neck < 0:
        return None, depth
    # The widest passages make a tree; without the neck it is two.
    side = np.zeros(count + 1, np.int32)
    side[tree[neck][1]] = 2
    for _ in tree:
        for index, (one, two) in enumerate(tree):
            if index != neck and side[one] != side[two]:
                side[one] = side[two] = 2
    side[side == 0] = 1
    side[0] = 0
    bodies = side[basins]
    if np.count_nonzero(bodies == 2) > np.count_nonzero(bodies == 1):
        bodies = np.where(bodies > 0, 3 - bodies, 0).astype(np.int32)
    return bodies, depth


def _passages(
    basins: npt.NDArray[np.int32], depth: npt.NDArray[np.floating]
) -> list[tuple[int, int, float]]:
    """Return pairs of basins that touch and the depth of the pass, deepest first."""
    passes: dict[tuple[int, int], float] = {}
    for here, there in (
        (np.s_[:, :-1], np.s_[:, 1:]),
        (np.s_[:-1], np.s_[1:]),
    ):
        one, two = basins[here], basins[there]
        border = (one != two) & (one > 0) & (two > 0)
        widths = np.minimum(depth[here], depth[there])[border]
        for a, b, width in zip(one[border], two[border], widths, strict=True):
            pair = (int(min(a, b)), int(max(a, b)))
            passes[pair] = max(passes.get(pair, 0.0), float(width))
    ordered = sorted(passes.items(), key=lambda item: -item[1])
    return [(a, b, width) for (a, b), width in ordered]
