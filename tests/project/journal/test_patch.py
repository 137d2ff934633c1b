"""A change of labels as runs is exact, its own way back, and small."""

from __future__ import annotations

import json

import numpy as np
import pytest

from napari_gen2seg.core.objects.patch import LabelPatch
from napari_gen2seg.errors import DataError
from napari_gen2seg.project.journal.patch import Patch

SHAPES = [(9, 13), (3, 9, 13), (2, 3, 9, 13)]


def states(shape: tuple[int, ...], seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    before = rng.integers(-1, 4, shape).astype(np.int32)
    after = np.where(rng.random(shape) < 0.4, rng.integers(0, 70_000, shape), before)
    after[..., 2:5, 1:9] = 7
    return before, after.astype(np.int32)


def stored(patch: Patch) -> Patch:
    return Patch.from_json(json.loads(json.dumps(patch.to_json())))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("seed", range(5))
def test_there_and_back_again(shape: tuple[int, ...], seed: int) -> None:
    before, after = states(shape, seed)
    patch = stored(Patch.from_windows(before, after))
    assert patch.fits(before)
    assert patch.pixels == np.count_nonzero(before != after)
    labels = before.copy()
    patch.apply(labels)
    np.testing.assert_array_equal(labels, after)
    assert not patch.fits(labels)
    patch.inverse().apply(labels)
    np.testing.assert_array_equal(labels, before)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_window_says_the_same_as_the_whole(shape: tuple[int, ...]) -> None:
    before, after = states(shape, 1)
    inside = (*(slice(0, n) for n in shape[:-2]), slice(2, 8), slice(3, 11))
    only = before.copy()
    only[inside] = after[inside]
    corner = [one.start for one in inside]
    patch = Patch.from_windows(before[inside], after[inside], corner, shape)
    whole = Patch.from_windows(before, only)
    for name in ("starts", "lengths", "before", "after"):
        np.testing.assert_array_equal(getattr(patch, name), getattr(whole, name))
    labels = np.asfortranarray(before)  # not one block of memory
    patch.apply(labels)
    np.testing.assert_array_equal(labels, only)
    drawn = np.zeros(shape, bool)
    drawn[patch.window] = True
    assert drawn[before != only].all()


def test_pixels_of_an_undo_history_first_value_before_last_after() -> None:
    before, after = states((9, 13), 3)
    places = np.nonzero(before != after)
    twice = tuple(np.concatenate([axis, axis]) for axis in places)
    first, last = before[places], after[places]
    patch = Patch.from_pixels(
        twice,
        np.concatenate([first, np.full_like(first, 99)]),
        np.concatenate([np.full_like(first, 99), last]),
        before.shape,
    )
    whole = Patch.from_windows(before, after)
    for name in ("starts", "lengths", "before", "after"):
        np.testing.assert_array_equal(getattr(patch, name), getattr(whole, name))


@pytest.mark.parametrize("plane", [(), (2,), (1, 2)])
def test_what_tools_return_is_kept(plane: tuple[int, ...]) -> None:
    before, after = states((9, 13), 4)
    stack = np.zeros((*(3,) * len(plane), 9, 13), np.int32)
    stack[plane] = before
    change = LabelPatch.of(before, (2, 3, 8, 11), after[2:8, 3:11])
    stored(Patch.from_label_patch(change, stack.shape, plane)).apply(stack)
    change.apply(before)
    np.testing.assert_array_equal(stack[plane], before)
    nothing = LabelPatch.of(before, (2, 3, 8, 11), before[2:8, 3:11])
    assert Patch.from_label_patch(nothing, stack.shape, plane).empty


def test_nothing_changed() -> None:
    labels = np.ones((4, 4), np.int32)
    for patch in (
        Patch.from_windows(labels, labels.copy()),
        Patch.from_pixels(([], []), [], [], (4, 4)),
    ):
        assert stored(patch).empty
        patch.apply(labels)
        assert patch.objects == []
        assert patch.window == (slice(0, 0), slice(0, 0))


def test_an_object_is_small_on_disk() -> None:
    before = np.zeros((4096, 4096), np.int32)
    rows, cols = np.ogrid[:400, :400]
    disc = (rows - 200) ** 2 + (cols - 200) ** 2 < 180**2
    after = np.where(disc, 5, 0).astype(np.int32)
    patch = Patch.from_windows(before[:400, :400], after, (90, 80), before.shape)
    assert patch.objects == [5]
    assert len(json.dumps(patch.to_json())) < 3000


@pytest.mark.parametrize(
    "damage",
    [
        {"data": "no base64!"},
        {"data": "AAAA"},
        {"runs": 10**6},
        {"types": ["|u1"]},
        {"shape": [2, 2]},
    ],
)
def test_damage_is_told(damage: dict[str, object]) -> None:
    before, after = states((9, 13), 1)
    values = {**Patch.from_windows(before, after).to_json(), **damage}
    with pytest.raises(DataError, match="damaged"):
        Patch.from_json(values)


def test_what_does_not_fit_is_refused() -> None:
    before, after = states((9, 13), 1)
    patch = Patch.from_windows(before, after)
    with pytest.raises(DataError, match="must be equal"):
        patch.apply(np.zeros((9, 12), np.int32))
    with pytest.raises(DataError, match="not inside"):
        Patch.from_windows(before, after, (1, 0), (9, 13))
    with pytest.raises(DataError, match="outside"):
        Patch.from_pixels(([9], [0]), [0], [1], (9, 13))
