"""What the product's own rule promises, on many drawn maps and clicks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from benchmarks import drawn_maps

from napari_gen2seg.core.coloring import Coloring
from napari_gen2seg.core.probe.prober import Prober, ProbeSettings
from napari_gen2seg.metrics.matching import iou

SIZE = 96
KINDS = ("blobs", "tissue", "filaments", "rings")


def drawn(kind: str, seed: int, **spoil: float) -> tuple[Coloring, np.ndarray]:
    """Return a small map whose source is larger, and its labels."""
    labels = getattr(drawn_maps, kind)(SIZE, 12, seed)
    values = drawn_maps.paint(labels, seed, **spoil)
    return Coloring.from_array(values, source_shape=(150, 141)), labels


def clicks(seed: int, count: int) -> list[tuple[int, int]]:
    rng = np.random.default_rng(seed)
    return [(int(rng.integers(150)), int(rng.integers(141))) for _ in range(count)]


CASES = [(kind, seed) for kind in KINDS for seed in range(3)]


@pytest.mark.parametrize(("kind", "seed"), CASES)
def test_the_clicked_pixel_is_always_in(kind: str, seed: int) -> None:
    coloring, _ = drawn(kind, seed, noise=9.0)
    for tolerance in (None, 0.0, 3.0, 40.0):
        settings = ProbeSettings(tolerance=tolerance)
        for point in clicks(seed, 6):
            mask = coloring.probe([point], settings=settings)
            assert mask.full()[point]
            row, col = np.rint(coloring.to_coloring(point)).astype(int)
            assert mask.array[row, col]


@pytest.mark.parametrize("variant", [{}, {"clean": False}, {"contiguous": False}])
@pytest.mark.parametrize(("kind", "seed"), CASES)
def test_a_larger_tolerance_never_loses_pixels(
    kind: str, seed: int, variant: dict[str, Any]
) -> None:
    coloring, _ = drawn(kind, seed, noise=6.0, blur=1.5)
    points, signs = clicks(seed + 10, 3), [1, 1, -1]
    together = not variant.get("contiguous", True)  # else further ones are corrections
    for chosen in (points[:1], points) if together else (points[:1],):
        before = None
        for tolerance in (0.0, 5.0, 9.0, 10.0, 21.0, 40.0, 77.0, 160.0, 441.0):
            settings = ProbeSettings(tolerance=tolerance, **variant)
            mask = coloring.probe(chosen, signs[: len(chosen)], settings)
            if before is not None:
                assert not (before.array & ~mask.array).any()
                assert not (before.full() & ~mask.full()).any()
            before = mask


@pytest.mark.parametrize(("kind", "seed"), CASES)
def test_negative_clicks_are_never_in(kind: str, seed: int) -> None:
    coloring, _ = drawn(kind, seed)
    for number in range(4):
        points = clicks(100 * seed + number, 4)
        signs = [1, -1, 1, -1]
        for tolerance in (None, 441.0):
            settings = ProbeSettings(tolerance=tolerance)
            full = coloring.probe(points, signs, settings).full()
            for point, sign in zip(points, signs, strict=True):
                assert full[point] == (sign > 0)


@pytest.mark.parametrize(("kind", "seed"), CASES)
def test_more_positive_clicks_everywhere_hold_at_least_what_each_holds(
    kind: str, seed: int
) -> None:
    coloring, _ = drawn(kind, seed)
    points = clicks(seed + 50, 3)
    for tolerance in (8.0, 30.0, 90.0):
        settings = ProbeSettings(tolerance=tolerance, contiguous=False)
        together = coloring.probe(points, settings=settings).array
        for point in points:
            alone = coloring.probe([point], settings=settings).array
            assert not (alone & ~together).any()


@pytest.mark.parametrize("seed", range(3))
def test_the_same_clicks_give_the_same_mask(seed: int) -> None:
    coloring, _ = drawn("blobs", seed)
    again = Coloring.from_array(coloring.values, source_shape=coloring.source_shape)
    again.prober.prepare()
    assert again.key == coloring.key
    for point in clicks(seed, 5):
        first, second = coloring.probe([point]), again.probe([point])
        np.testing.assert_array_equal(first.array, second.array)
        assert (first.tolerance, first.score) == (second.tolerance, second.score)


def test_where_the_window_starts_makes_no_difference() -> None:
    # One object as large as the map is found through growing windows; the mask at
    # its own tolerance must be the same as in one go over the whole frame.
    labels = np.ones((400, 420), np.int32)
    labels[:30] = labels[:, -25:] = 0
    coloring = Coloring.from_array(drawn_maps.paint(labels, 3))
    automatic = coloring.probe([(200, 200)])
    fixed = coloring.probe(
        [(200, 200)], settings=ProbeSettings(tolerance=automatic.tolerance)
    )
    np.testing.assert_array_equal(automatic.array, fixed.array)
    assert iou(automatic.array, labels == 1) > 0.99


@pytest.mark.parametrize(
    ("kind", "spoil", "least"),
    [
        ("blobs", {}, 0.9),
        ("blobs", {"noise": 8.0, "coarse": 6.0}, 0.85),
        ("blobs", {"blur": 1.8}, 0.8),
        ("tissue", {}, 0.95),
        ("tissue", {"drift": 10.0}, 0.9),
    ],
)
def test_one_click_finds_the_object(
    kind: str, spoil: dict[str, float], least: float
) -> None:
    found = []
    for seed in range(3):
        labels = getattr(drawn_maps, kind)(192, 25, seed)
        coloring = Coloring.from_array(drawn_maps.paint(labels, seed, **spoil))
        for label in np.unique(labels[labels > 0]):
            pixels = np.argwhere(labels == label)
            if len(pixels) < 60:
                continue
            point = pixels[np.random.default_rng(label).integers(len(pixels))]
            mask = coloring.probe([point])
            found.append(iou(mask.array, labels == label))
    assert np.median(found) > least


def test_a_thin_wire_stays_whole() -> None:
    labels = np.zeros((128, 128), np.int32)
    steps = np.arange(10, 118)
    labels[steps, steps] = labels[steps, steps + 1] = 1
    coloring = Coloring.from_array(drawn_maps.paint(labels, 1, blur=0.6))
    mask = coloring.probe([(60, 60)])
    assert mask.array[steps, steps].mean() > 0.95
    assert mask.area < 4 * len(steps)


def test_a_ring_keeps_its_hole() -> None:
    rows, cols = np.ogrid[:100, :100]
    distance = np.hypot(rows - 50, cols - 50)
    labels = ((distance > 20) & (distance < 26)).astype(np.int32)
    coloring = Coloring.from_array(drawn_maps.paint(labels, 2))
    mask = coloring.probe([(50, 27)])
    assert not mask.array[50, 50]
    assert iou(mask.array, labels == 1) > 0.85


def test_pin_holes_are_filled_unless_a_negative_click_is_in_one() -> None:
    values = np.zeros((60, 60, 3), np.float32)
    values[10:50, 10:50] = (200, 60, 30)
    values[29:32, 20:23] = 0
    coloring = Coloring.from_array(values)
    settings = ProbeSettings(tolerance=20.0)
    assert coloring.probe([(15, 15)], settings=settings).array[30, 20]
    kept = coloring.probe([(15, 15), (30, 21)], [1, -1], settings)
    assert not kept.array[30, 21]
    plain = ProbeSettings(tolerance=20.0, clean=False)
    assert not coloring.probe([(15, 15)], settings=plain).array[30, 20]


def test_a_negative_click_takes_what_is_near_it_of_one_colour() -> None:
    values = np.zeros((80, 120, 3), np.float32)
    values[20:60, 10:110] = (40, 180, 220)
    coloring = Coloring.from_array(values)
    both = coloring.probe([(40, 30)])
    assert both.array[40, 30] and both.array[40, 90]
    left = coloring.probe([(40, 30), (40, 90)], [1, -1])
    assert left.array[20:60, 10:60].all()
    assert not left.array[30:51, 80:101].any()


def test_global_matching_finds_the_same_colour_elsewhere() -> None:
    values = np.zeros((60, 100, 3), np.float32)
    values[10:30, 10:30] = values[30:50, 70:90] = (30, 220, 90)
    coloring = Coloring.from_array(values)
    settings = ProbeSettings(contiguous=False)
    everywhere = coloring.probe([(20, 20)], settings=settings)
    assert everywhere.array[40, 80] and everywhere.array[20, 20]
    assert not coloring.probe([(20, 20)]).array[40, 80]


def test_the_curve_rises_and_holds_the_choice() -> None:
    coloring, _ = drawn("blobs", 4)
    curve = coloring.prober.curve([(75, 70)])
    assert len(curve.tolerances) == len(curve.areas)
    assert (np.diff(curve.tolerances) > 0).all()
    assert (np.diff(curve.areas) >= 0).all()
    low, high = curve.plateau
    assert low <= curve.best <= high
    assert coloring.probe([(75, 70)]).tolerance == curve.best


def test_a_map_of_one_pixel_answers() -> None:
    coloring = Coloring.from_array(np.full((1, 1, 3), 9.0), source_shape=(5, 4))
    assert coloring.probe([(2, 2)]).full().all()


@pytest.mark.parametrize("kind", KINDS)
def test_stacked_copies_of_a_map_say_what_the_map_says(kind: str) -> None:
    coloring, _ = drawn(kind, 3, noise=6.0, blur=1.0)
    values = np.concatenate([coloring.values] * 4, axis=-1) / np.float32(2)
    stacked = Prober(values, coloring.source_shape)
    settings = ProbeSettings(tolerance=40.0)
    # Sums in another order round otherwise, and ties on a rim fall otherwise.
    for point in clicks(3, 6):
        one = coloring.probe([point], settings=settings)
        four = stacked.probe([point], settings=settings)
        assert iou(one.full(), four.full()) > 0.95
