"""Bodies that flowed together are parted where a neck and two colours say so."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from napari_gen2seg.core.probe.prober import Prober, ProbeSettings
from napari_gen2seg.core.probe.split_necks import part_at_necks

_Y, _X = np.mgrid[:48, :80]
LEFT, RIGHT = (24, 24), (24, 54)


def _disk(center: tuple[int, int], radius: float) -> npt.NDArray[np.bool_]:
    disk: npt.NDArray[np.bool_] = np.hypot(_Y - center[0], _X - center[1]) <= radius
    return disk


def _two(step: float, radius: float = 15.5) -> npt.NDArray[np.float32]:
    """Two disks that touch, whose colours go over into each other."""
    both = _disk(LEFT, radius) | _disk(RIGHT, radius)
    share = np.clip((_X - 19) / 40, 0, 1)
    values = np.zeros((48, 80, 3), np.float32)
    values[..., 0] = np.where(both, 180 - step * share, 0)
    values[..., 1] = np.where(both, 100 + step * share, 0)
    return values


def _probe(
    values: npt.NDArray[np.float32], points: list[tuple[int, int]], **settings: object
) -> npt.NDArray[np.bool_]:
    prober = Prober(values, (48, 80))
    return prober.probe(points, settings=ProbeSettings(**settings)).full()  # type: ignore[arg-type]


def test_neighbours_that_flowed_together_are_parted() -> None:
    mask = _probe(_two(40), [LEFT])
    assert mask[LEFT]
    assert not mask[RIGHT]
    left = _disk(LEFT, 15.5)
    assert (mask & left).sum() > 0.95 * left.sum()


def test_clicks_in_both_keep_both() -> None:
    mask = _probe(_two(40), [LEFT, RIGHT])
    assert mask[LEFT]
    assert mask[RIGHT]


def test_one_colour_is_one_object_whatever_its_shape() -> None:
    assert _probe(_two(0), [LEFT])[RIGHT]


def test_a_tolerance_that_was_asked_for_is_kept_to() -> None:
    values = _two(40)
    found = Prober(values, (48, 80)).probe([LEFT])
    assert _probe(values, [LEFT], tolerance=found.tolerance)[RIGHT]
    assert _probe(values, [LEFT], clean=False)[RIGHT]


@pytest.mark.parametrize("width", [2, 4, 5])
def test_wires_are_left_whole(width: int) -> None:
    """A wire of beads, its colour drifting along."""
    wire = np.zeros((48, 80), bool)
    for column in range(6, 76, 10):
        wire |= _disk((24, column), width / 2 + 1)
    wire[24 - width // 4 : 25 + width // 4, 4:76] = True
    block = np.zeros((3, 48, 80), np.float32)
    block[0] = wire * (100 + _X)
    mask = part_at_necks(wire, block, 40.0, np.array([[24, 10]]))
    np.testing.assert_array_equal(mask, wire)


def test_a_chain_is_parted_at_its_necks_only() -> None:
    centers = [(24, 14), (24, 38), (24, 62)]
    chain = np.logical_or.reduce([_disk(c, 12.5) for c in centers])
    block = np.zeros((3, 48, 80), np.float32)
    block[0] = chain * np.where(_X < 50, 120, 180)  # the first two are of one colour
    for clicked, expected in ((0, [True, True, False]), (2, [False, False, True])):
        mask = part_at_necks(chain, block, 60.0, np.array([centers[clicked]]))
        assert [bool(mask[c]) for c in centers] == expected
