"""Tools that change objects: local, exact, and nobody else's pixels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from benchmarks import drawn_maps
from scipy import ndimage

from napari_gen2seg.core.objects.edit import delete_objects, merge_along, merge_objects
from napari_gen2seg.core.objects.find import EIGHT
from napari_gen2seg.core.objects.patch import LabelPatch
from napari_gen2seg.core.objects.reshape import fill_holes, grow, shrink, smooth
from napari_gen2seg.core.objects.split import (
    split_along,
    split_at_neck,
    split_between,
)
from napari_gen2seg.errors import DataError, PromptError, SettingsError

Labels = npt.NDArray[Any]

TOOLS: dict[str, Callable[[Labels, Sequence[int]], LabelPatch]] = {
    "delete": delete_objects,
    "merge": merge_objects,
    "grow": lambda labels, numbers: grow(labels, numbers, 2),
    "shrink": lambda labels, numbers: shrink(labels, numbers, 2),
    "fill": fill_holes,
    "smooth": smooth,
    "split": lambda labels, numbers: split_between(
        labels, numbers[0], two_places(labels == numbers[0])
    ),
}
SCENES = (drawn_maps.blobs, drawn_maps.tissue, drawn_maps.filaments, drawn_maps.rings)


def pieces(mask: Labels) -> int:
    return int(ndimage.label(mask, EIGHT)[1])


def two_places(mask: Labels) -> Labels:
    places = np.argwhere(mask)
    return places[[0, -1]]


def scene(seed: int) -> tuple[Labels, list[int]]:
    """Return crowded labels and two objects of them."""
    rng = np.random.default_rng(seed)
    dtype = rng.choice([np.uint8, np.uint16, np.int32, np.int64])
    labels = SCENES[seed % 4](int(rng.integers(90, 130)), 14, seed).astype(dtype)
    sizes = np.bincount(labels.ravel())
    able = np.flatnonzero(sizes > 3)
    return labels, rng.choice(able[able > 0], 2, replace=False).tolist()


@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.parametrize("seed", range(12))
def test_no_other_object_changes_and_all_can_be_undone(tool: str, seed: int) -> None:
    labels, numbers = scene(seed)
    before = labels.copy()
    patch = TOOLS[tool](labels, numbers)
    np.testing.assert_array_equal(labels, before)
    assert patch.after.dtype == patch.before.dtype == labels.dtype
    others = ~np.isin(before, [0, *numbers])
    patch.apply(labels)
    np.testing.assert_array_equal(labels[others], before[others])
    assert set(np.unique(labels)) - set(np.unique(before)) <= {0, *patch.numbers}
    changed = np.argwhere(labels != before)
    if len(changed):
        r0, c0, r1, c1 = patch.box
        assert (changed.min(axis=0) == (r0, c0)).all()
        assert (changed.max(axis=0) == (r1 - 1, c1 - 1)).all()
    else:
        assert not patch
    again = before.copy()
    rows, cols, values = patch.pixels()
    again[rows, cols] = values
    np.testing.assert_array_equal(again, labels)
    patch.reversed().apply(labels)
    np.testing.assert_array_equal(labels, before)


@pytest.mark.parametrize("tool", [name for name in TOOLS if name != "merge"])
def test_a_box_that_holds_the_object_gives_the_same(tool: str) -> None:
    labels, numbers = scene(0)
    tools: dict[str, Any] = {
        "delete": delete_objects,
        "grow": grow,
        "shrink": shrink,
        "fill": fill_holes,
        "smooth": smooth,
        "split": lambda values, _, within=None: split_between(
            values, numbers[0], two_places(values == numbers[0]), within=within
        ),
    }
    rows, cols = np.nonzero(np.isin(labels, numbers))
    box = (rows.min(), cols.min(), rows.max() + 1, cols.max() + 1)
    one, two = tools[tool](labels, numbers), tools[tool](labels, numbers, within=box)
    assert one.box == two.box
    np.testing.assert_array_equal(one.after, two.after)


def gap(width: int) -> Labels:
    labels = np.zeros((40, 60), np.uint8)
    labels[5:35, 5:25] = 3
    labels[8:30, 25 + width : 50] = 7
    return labels


@pytest.mark.parametrize("width", range(8))
def test_merging_bridges_a_narrow_gap_only(width: int) -> None:
    labels = gap(width)
    patch = merge_objects(labels, [7, 3], reach=4)
    patch.apply(labels)
    assert set(np.unique(labels)) == {0, 7}
    assert pieces(labels == 7) == (1 if width <= 4 else 2)
    if 0 < width <= 4:
        assert (labels[8:30, 25 : 25 + width] == 7).all()


def test_what_lies_in_the_gap_stays_and_a_stroke_names_the_objects() -> None:
    labels = gap(4)
    labels[10:13, 26:28] = 9
    patch = merge_along(labels, [(20, 10), (20, 45)])
    patch.apply(labels)
    assert np.count_nonzero(labels == 9) == 6
    assert pieces(labels == 3) == 1 and not (labels == 7).any()
    with pytest.raises(PromptError, match="two objects"):
        merge_along(labels, [(20, 10), (20, 12)])


@pytest.mark.parametrize("seed", range(20))
def test_a_line_cuts_one_object_in_two(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows, cols = np.mgrid[:80, :90]
    labels = np.zeros((80, 90), np.uint16)
    labels[np.hypot(rows - 40, (cols - 45) / 1.3) < 25] = 5
    labels[:, 85:] = 8
    turn = rng.uniform(0, np.pi)
    way = np.array([np.sin(turn), np.cos(turn)])
    middle = np.array([40, 45]) + rng.uniform(-6, 6, 2)
    # From outside to outside, with a kink in the middle.
    line = [middle - 40 * way, middle + rng.uniform(-2, 2, 2), middle + 40 * way]
    before = labels.copy()
    patch = split_along(labels, line)
    patch.apply(labels)
    assert set(np.unique(labels)) == {0, 5, 8, 9}
    assert ((labels == 5) | (labels == 9) == (before == 5)).all()
    assert pieces(labels == 5) == pieces(labels == 9) == 1
    assert np.count_nonzero(labels == 5) >= np.count_nonzero(labels == 9) > 100


def test_a_line_may_end_short_of_the_outline_but_not_in_the_middle() -> None:
    labels = gap(5)
    patch = split_along(labels, [(6, 15), (33, 15)], first=40)
    assert patch.numbers.tolist() == [3, 40]
    with pytest.raises(PromptError, match="one piece"):
        split_along(labels, [(0, 15), (20, 15)])
    with pytest.raises(PromptError, match="No object"):
        split_along(labels, [(0, 1), (39, 1)])


def test_a_line_over_two_fingers_leaves_other_pieces_alone() -> None:
    labels = np.zeros((50, 50), np.int32)
    labels[5:15, 5:45] = 2
    for left in (5, 20, 35):
        labels[15:45, left : left + 8] = 2
    labels[46:49, 5:9] = 2  # a piece of its own
    patch = split_along(labels, [(30, 0), (30, 30)])
    patch.apply(labels)
    assert len(np.unique(labels)) == 4
    assert (labels[46:49, 5:9] == 2).all() and (labels[15:45, 36:40] == 2).all()


@pytest.mark.parametrize("seed", range(8))
def test_every_seed_has_one_part(seed: int) -> None:
    rng = np.random.default_rng(seed)
    labels = (drawn_maps.blobs(90, 8, seed) > 0).astype(np.int32) * 4
    whole, _ = ndimage.label(labels, EIGHT)
    largest = 1 + int(np.argmax(np.bincount(whole.ravel())[1:]))
    labels = (whole == largest) * 4
    places = np.argwhere(labels)
    seeds = rng.choice(places, int(rng.integers(2, 6)), replace=False)
    edges = rng.random(labels.shape) if seed % 2 else None
    patch = split_between(labels, 4, seeds, edges, first=11)
    after = labels.copy()
    patch.apply(after)
    assert ((after > 0) == (labels > 0)).all()
    numbers = [4, *range(11, 10 + len(seeds))]
    assert after[seeds[:, 0], seeds[:, 1]].tolist() == numbers
    assert [pieces(after == number) for number in numbers] == [1] * len(seeds)


def test_seeds_part_at_the_edge_that_the_map_shows() -> None:
    labels = np.zeros((30, 60), np.int32)
    labels[5:25, 5:55] = 1
    edges = np.zeros(labels.shape)
    edges[:, 40] = 1.0
    patch = split_between(labels, 1, [(15, 10), (15, 50)], edges)
    patch.apply(labels)
    assert (labels[5:25, 5:39] == 1).all() and (labels[5:25, 42:55] == 2).all()


def dumbbell(neck: int, turn: float = 0.0) -> Labels:
    rows, cols = np.mgrid[:90, :90] - 45.0
    along = cols * np.cos(turn) + rows * np.sin(turn)
    across = rows * np.cos(turn) - cols * np.sin(turn)
    mask = np.hypot(across, along + 20) < 16
    mask |= np.hypot(across, along - 18) < 13
    mask |= (np.abs(across) < neck) & (np.abs(along) < 20)
    return mask.astype(np.int32) * 6


@pytest.mark.parametrize("turn", [0.0, 0.4, 1.1, 2.0])
@pytest.mark.parametrize("mapped", [False, True])
def test_an_object_is_parted_at_its_neck(turn: float, mapped: bool) -> None:
    labels = dumbbell(4, turn)
    edges = None
    if mapped:
        rows, cols = np.mgrid[:90, :90] - 45.0
        along = cols * np.cos(turn) + rows * np.sin(turn)
        edges = np.exp(-((along - 1.5) ** 2))
    patch = split_at_neck(labels, 6, edges)
    after = labels.copy()
    patch.apply(after)
    assert pieces(after == 6) == pieces(after == 7) == 1
    large, small = np.count_nonzero(after == 6), np.count_nonzero(after == 7)
    assert abs(large - np.pi * 16**2) < 150 and abs(small - np.pi * 13**2) < 150


def test_a_disc_has_no_neck() -> None:
    rows, cols = np.mgrid[:60, :60]
    disc = (np.hypot(rows - 30, cols - 30) < 20).astype(np.uint8)
    with pytest.raises(PromptError, match="no neck"):
        split_at_neck(disc, 1)


def cell_with_processes() -> Labels:
    """A round body with three processes of 1, 2 and 3 pixels and a rough rim."""
    rows, cols = np.mgrid[:120, :120]
    mask = np.hypot(rows - 60, cols - 60) < 22
    rng = np.random.default_rng(0)
    rim = mask & ~ndimage.binary_erosion(mask, iterations=2)
    mask &= ~(rim & (rng.random(mask.shape) < 0.3))
    mask[60, 60:115] = True
    mask[10:60, 60:62] = True
    mask[60:112, 58:61] = True
    return mask.astype(np.uint16) * 2


@pytest.mark.parametrize("radius", [1, 2, 3, 5])
def test_smoothing_keeps_processes_and_evens_the_rim(radius: int) -> None:
    labels = cell_with_processes()
    before = labels == 2
    patch = smooth(labels, [2], radius)
    patch.apply(labels)
    after = labels == 2
    rows, cols = np.mgrid[:120, :120]
    far = np.hypot(rows - 60, cols - 60) > 26
    # At radius 1 the tip of the widest, which is no longer thin, is rounded.
    assert np.count_nonzero((after != before) & far) <= (2 if radius == 1 else 0)
    assert pieces(after) == 1
    body = np.hypot(rows - 60, cols - 60) < 21
    assert np.count_nonzero(body & ~after) < np.count_nonzero(body & ~before) / 3


@pytest.mark.parametrize("seed", range(8))
def test_smoothing_and_shrinking_keep_every_piece(seed: int) -> None:
    labels, _ = scene(seed)
    for number in np.unique(labels)[1:].tolist():
        count = pieces(labels == number)
        for patch in (smooth(labels, [number], 2), shrink(labels, [number], 3)):
            after = labels.copy()
            patch.apply(after)
            assert pieces(after == number) == count


def test_a_bridge_between_two_bodies_stays() -> None:
    labels = dumbbell(2)
    patch = smooth(labels, [6], 4)
    patch.apply(labels)
    assert pieces(labels == 6) == 1
    assert (labels[44:47, 43:49] == 6).all()


def test_growing_and_shrinking_by_a_pixel() -> None:
    labels = np.zeros((40, 50), np.int32)
    labels[10:20, 10:20] = 1
    labels[10:20, 21:30] = 2
    labels[30:40, :12] = 3  # in a corner
    patch = grow(labels, [1])
    grown = labels.copy()
    patch.apply(grown)
    assert np.count_nonzero(grown == 1) == 100 + 4 * 10
    assert (grown[10:20, 20] == 1).all()
    # No object is jumped over.
    grown = labels.copy()
    grow(labels, [1], 4).apply(grown)
    assert (grown[10:20, 21:30] == 2).all()
    shrunk = labels.copy()
    shrink(labels, [1, 3]).apply(shrunk)
    assert np.count_nonzero(shrunk == 1) == 64
    assert np.count_nonzero(shrunk == 3) == 9 * 11
    assert (shrunk[39, :11] == 3).all()
    shrink(labels, [2], 30).apply(shrunk)
    assert np.count_nonzero(shrunk == 2) > 0


def test_holes_are_filled_but_not_what_is_in_them() -> None:
    labels = np.zeros((40, 40), np.int16)
    labels[5:35, 5:35] = 1
    labels[10:20, 10:20] = 0
    labels[13:15, 13:15] = 4
    labels[25:27, 25:27] = 0
    labels[30:40, 30] = 0  # open to the outside
    after = labels.copy()
    fill_holes(labels, [1]).apply(after)
    assert (after == 4).sum() == 4 and (after[10:20, 10:20] > 0).all()
    assert (after[25:27, 25:27] == 1).all() and (after[30:35, 30] == 0).all()
    after = labels.copy()
    fill_holes(labels, [1], largest=10).apply(after)
    assert after[11, 11] == 0 and after[25, 25] == 1


def test_what_cannot_be_done_is_said() -> None:
    labels = gap(5)
    with pytest.raises(PromptError, match="no object 4"):
        delete_objects(labels, [4])
    with pytest.raises(PromptError, match="No object"):
        grow(labels, [])
    with pytest.raises(SettingsError, match="at least 1"):
        shrink(labels, [3], 0)
    with pytest.raises(PromptError, match="outside"):
        split_between(labels, 3, [(20, 10), (20, 45)])
    with pytest.raises(PromptError, match="two places"):
        split_between(labels, 3, [(20, 10), (20, 10)])
    with pytest.raises(DataError, match="ends at 255"):
        split_between(labels, 3, [(20, 10), (20, 15)], first=256)
    with pytest.raises(DataError, match="one plane"):
        delete_objects(np.zeros((2, 3, 4), int), [1])
    with pytest.raises(PromptError, match="corners"):
        merge_along(labels, [])
