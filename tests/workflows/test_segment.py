"""Clicks to labels, on real (tiny) models and on a colorer whose map is known."""

from __future__ import annotations

import gc
import tracemalloc
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from skimage import data
from tests.helpers.fake_colorer import FakeColorer

from napari_gen2seg import load_model
from napari_gen2seg.core.coloring import Coloring
from napari_gen2seg.core.image.axes import Axes
from napari_gen2seg.errors import Cancelled, ImageError, PromptError
from napari_gen2seg.workflows.segment import (
    Click,
    Finished,
    ModelReady,
    ObjectFound,
    PlaneColored,
    iter_segment,
    segment,
)

SQUARES = np.zeros((60, 80), np.uint8)
SQUARES[10:30, 10:30] = 90
SQUARES[10:30, 50:70] = 150
SQUARES[40:55, 20:60] = 220


def by_level(rgb: np.ndarray) -> np.ndarray:
    """Paint each brightness in a colour of its own: the map is known beforehand."""
    level = np.rint(rgb[..., 0] * 100)
    colors = np.stack([level * 37 % 256, level * 91 % 256, level * 151 % 256], -1)
    return colors.astype(np.float32)


def by_brightness() -> FakeColorer:
    return FakeColorer(by_level, "known", side=None, on_black=False)


@pytest.fixture(scope="module")
def tiny(tiny_sd: Path) -> Iterator[Any]:
    model = load_model(tiny_sd, device="cpu")
    yield model
    model.unload()


def test_each_object_gets_its_number() -> None:
    clicks = [Click(20, 20, object=1), Click(20, 60, object=2), Click(45, 30, object=7)]
    result = segment(SQUARES, by_brightness(), clicks=clicks)
    wanted = np.zeros((60, 80), np.int32)
    wanted[10:30, 10:30] = 1
    wanted[10:30, 50:70] = 2
    wanted[40:55, 20:60] = 7
    np.testing.assert_array_equal(result.labels, wanted)
    assert [found.label for found in result.objects] == [1, 2, 7]
    assert [found.pixels for found in result.objects] == [400, 400, 600]


def test_pairs_are_clicks_on_one_object() -> None:
    result = segment(SQUARES, by_brightness(), clicks=[(20, 20), (20, 60)])
    assert result.labels[20, 20] == result.labels[20, 60] == 1
    assert np.count_nonzero(result.labels) == 800


def test_an_earlier_object_is_never_overwritten() -> None:
    clicks = [Click(20, 20, object=1), Click(21, 21, object=2)]
    result = segment(SQUARES, by_brightness(), clicks=clicks)
    assert [found.pixels for found in result.objects] == [400, 0]
    assert set(np.unique(result.labels)) == {0, 1}


def test_stack_is_coloured_only_where_clicked() -> None:
    stack = np.stack([SQUARES] * 5)
    colorer = by_brightness()
    clicks = [Click(20, 20, plane=(3,)), Click(45, 30, object=2, plane=(1,))]
    events = list(iter_segment(stack, colorer, "ZYX", clicks))
    colored = [e.plane for e in events if isinstance(e, PlaneColored)]
    assert colored == [(1,), (3,)]
    assert len(colorer.seen) == 2
    labels = events[-1].labels
    assert labels.shape == stack.shape
    assert {z: set(np.unique(labels[z])) for z in range(5)} == {
        0: {0},
        1: {0, 2},
        2: {0},
        3: {0, 1},
        4: {0},
    }


def test_order_of_events() -> None:
    kinds = [
        type(event)
        for event in iter_segment(SQUARES, by_brightness(), clicks=[(20, 20)])
    ]
    assert kinds == [ModelReady, PlaneColored, ObjectFound, Finished]


def test_without_clicks_everything_is_proposed() -> None:
    stack = np.stack([SQUARES, np.zeros_like(SQUARES), SQUARES])
    labels = segment(stack, by_brightness(), "ZYX").labels
    first, last = set(np.unique(labels[0])) - {0}, set(np.unique(labels[2])) - {0}
    assert len(first) == len(last) == 3
    assert not first & last
    assert len({labels[0, 20, 20], labels[0, 20, 60], labels[0, 45, 30]}) == 3


def test_channels_anywhere_and_labels_in_the_arrays_order() -> None:
    channels = np.stack([SQUARES, SQUARES[::-1], SQUARES])
    colorer = by_brightness()
    labels = segment(channels, colorer, "CYX", [(20, 20)]).labels
    assert labels.shape == (60, 80)
    assert colorer.shapes == [(60, 80, 3)]
    sideways = np.moveaxis(np.stack([SQUARES] * 2), 0, -1)
    labels = segment(sideways, colorer, "YXZ", [Click(20, 20, plane=(1,))]).labels
    assert labels.shape == sideways.shape
    assert labels[20, 20].tolist() == [0, 1]


def test_labels_go_where_they_are_to_go() -> None:
    zarr = pytest.importorskip("zarr")
    stack = np.stack([SQUARES, np.zeros_like(SQUARES), SQUARES])
    expected = segment(stack, by_brightness(), "ZYX")
    assert len(expected.colorings) == 3
    sink = zarr.zeros(stack.shape, chunks=(1, 60, 80), dtype="uint16")
    maps: list[weakref.ref[Coloring]] = []
    for event in iter_segment(stack, by_brightness(), "ZYX", labels_out=sink):
        if isinstance(event, PlaneColored):
            maps.append(weakref.ref(event.coloring))
        if isinstance(event, Finished):
            assert event.labels is sink
    np.testing.assert_array_equal(sink[:], expected.labels)
    del event
    gc.collect()
    assert not any(ref() for ref in maps)
    # Columns before rows, planes last.
    turned = np.transpose(stack, (2, 1, 0))
    other = zarr.zeros(turned.shape, dtype="int32")
    result = segment(
        turned, by_brightness(), "XYZ", labels_out=other, keep_colorings=False
    )
    assert result.labels is other and result.colorings == ()
    np.testing.assert_array_equal(other[:].T, expected.labels)


def test_memory_does_not_grow_with_the_stack() -> None:
    zarr = pytest.importorskip("zarr")
    shape = (20_000, 60, 80)  # labels of 384 MB
    stack = zarr.zeros(shape, chunks=(1, 60, 80), dtype="uint8")
    sink = zarr.zeros(shape, chunks=(1, 60, 80), dtype="int32")
    stack[7] = stack[12_345] = SQUARES
    clicks = [Click(20, 20, plane=(7,)), Click(45, 30, plane=(12_345,))]
    tracemalloc.start()
    try:
        result = segment(
            stack,
            by_brightness(),
            "ZYX",
            clicks,
            labels_out=sink,
            keep_colorings=False,
        )
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 50e6
    assert [found.pixels for found in result.objects] == [400, 600]
    assert np.count_nonzero(sink[7]) == 400
    assert np.count_nonzero(sink[12_345]) == 600


@pytest.mark.parametrize(
    ("sink", "said"),
    [
        (np.zeros((60, 81), np.int32), "must have the shape"),
        (np.zeros((60, 80), np.float32), "whole numbers"),
        (np.zeros((60, 80), np.uint8), "Object 300 does not fit"),
    ],
)
def test_where_labels_do_not_fit_is_refused(sink: np.ndarray, said: str) -> None:
    with pytest.raises(ImageError, match=said):
        segment(
            SQUARES,
            by_brightness(),
            clicks=[Click(20, 20, object=300)],
            labels_out=sink,
        )
    assert not sink.any()


def test_lazy_arrays_are_read_one_plane_at_a_time() -> None:
    zarr = pytest.importorskip("zarr")
    array = zarr.zeros((40, 60, 80), chunks=(1, 60, 80), dtype="uint8")
    array[7] = SQUARES
    labels = segment(array, by_brightness(), "ZYX", [Click(20, 20, plane=(7,))]).labels
    assert np.count_nonzero(labels[7]) == 400


def test_a_given_model_stays_loaded() -> None:
    colorer = by_brightness()
    segment(SQUARES, colorer, clicks=[(20, 20)])
    assert not colorer.unloaded


@pytest.mark.parametrize(
    ("clicks", "axes", "message"),
    [
        ([(20, 200)], None, "outside|inside"),
        ([Click(20, 20, -1)], None, "positive"),
        ([Click(20, 20, object=0)], None, "must be a number from 1"),
        ([Click(20, 20, plane=(0,))], None, "single picture"),
    ],
)
def test_clicks_that_belong_nowhere(
    clicks: list[Any], axes: str | None, message: str
) -> None:
    with pytest.raises(PromptError, match=message):
        segment(SQUARES, by_brightness(), axes, clicks)


def test_planes_that_are_not_there() -> None:
    stack = np.stack([SQUARES] * 5)
    with pytest.raises(PromptError, match=r"must be 0 to 4"):
        segment(stack, by_brightness(), "ZYX", [Click(2, 2, plane=(5,))])
    with pytest.raises(PromptError, match="must have 1"):
        segment(stack, by_brightness(), "ZYX", [Click(2, 2)])


@pytest.mark.parametrize(
    ("shape", "axes", "message"),
    [
        ((5, 60, 80), "YX", "name 2 dimensions"),
        ((5, 60, 80), "ZZX", "must be there once"),
        ((80,), None, "rows and columns"),
        ((2, 2, 2, 60, 80), None, "say which"),
    ],
)
def test_axes_that_do_not_fit(
    shape: tuple[int, ...], axes: str | None, message: str
) -> None:
    with pytest.raises(ImageError, match=message):
        Axes.of(np.zeros(shape), axes)


def test_usual_axes() -> None:
    shapes = {
        (60, 80): "YX",
        (60, 80, 3): "YXC",
        (5, 60, 80): "ZYX",
        (5, 60, 80, 4): "ZYXC",
        (2, 5, 60, 80): "TZYX",
    }
    assert {shape: Axes.of(np.zeros(shape)).letters for shape in shapes} == shapes


def test_cancel_stops_between_planes() -> None:
    stack = np.stack([SQUARES] * 5)
    colorer = by_brightness()
    with pytest.raises(Cancelled):
        segment(stack, colorer, "ZYX", cancel=lambda: len(colorer.seen) >= 2)
    assert len(colorer.seen) == 2


def test_a_real_model_by_path_and_loaded_agree(tiny: Any, tiny_sd: Path) -> None:
    picture = data.coins()
    ours = segment(picture, tiny, clicks=[(48, 40)], resolution=96)
    again = segment(picture, tiny_sd, clicks=[(48, 40)], resolution=96, device="cpu")
    np.testing.assert_array_equal(ours.labels, again.labels)
    assert ours.colorings[0].coloring.key == again.colorings[0].coloring.key
    assert ours.labels[48, 40] == 1
