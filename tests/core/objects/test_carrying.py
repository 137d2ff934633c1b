"""Where an object that is carried on ends, and the next one behind it begins."""

from __future__ import annotations

import numpy as np
import pytest

from napari_gen2seg.core.objects.carry import Carried
from napari_gen2seg.core.objects.carrying import Carrying, Courses
from napari_gen2seg.core.objects.patch import LabelPatch


def carried(side: int, number: int = 1, overlap: float = 0.8) -> Carried:
    """A plane that has a square of an object."""
    nothing = np.zeros((40, 40), np.int32)
    after = nothing.copy()
    after[5 : 5 + side, 5 : 5 + side] = number
    return Carried(LabelPatch.of(nothing, (0, 0, 40, 40), after), {number: overlap})


def start(side: int) -> np.ndarray:
    plane = np.zeros((40, 40), np.int32)
    plane[5 : 5 + side, 5 : 5 + side] = 1
    return plane


def test_what_narrows_and_widens_again_is_another_one() -> None:
    courses = Courses(start(20), [1])
    for side in (18, 10):
        assert courses.beyond_neck(carried(side)) == {}
    # From the neck on, where it is linked worse to the plane behind it than before it.
    assert courses.beyond_neck(carried(19, overlap=0.4)) == {1: 3}


@pytest.mark.parametrize("sides", [(18, 12, 6, 2), (22, 30, 20, 10), (16, 18, 16, 18)])
def test_what_only_grows_and_shrinks_goes_on(sides: tuple[int, ...]) -> None:
    courses = Courses(start(20), [1])
    assert all(courses.beyond_neck(carried(side)) == {} for side in sides)


def test_a_patch_without_an_object_leaves_the_others() -> None:
    before = np.zeros((40, 40), np.int32)
    before[:3, :3] = 7
    after = before.copy()
    after[10:12, 10:12], after[20:25, 20:25] = 1, 2
    patch = LabelPatch.of(before, (0, 0, 40, 40), after).without([1])
    patch.apply(before)
    assert np.unique(before).tolist() == [0, 2, 7]


def test_an_object_that_passed_a_neck_is_left_out_of_the_planes_behind_it() -> None:
    way: Carrying[str] = Carrying.begin(start(20), {1}, part=True)
    for at, (side, overlap) in enumerate(((18, 0.8), (10, 0.8), (19, 0.4)), 1):
        taken = np.zeros((40, 40), np.int32)
        way.arrived(f"plane {at}", at, taken, carried(side, overlap=overlap))
        assert np.count_nonzero(taken) == side * side
    assert not way.live and way.stopped[0][:2] == (1, 3)
    way.finish()
    assert [place for place, _ in way.patches] == ["plane 1", "plane 2"]
    assert way.name == "carrying an object over 2 planes"
