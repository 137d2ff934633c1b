"""What corrections promise, on many drawn maps and clicks."""

from __future__ import annotations

import numpy as np
import pytest
from benchmarks import drawn_maps
from scipy import ndimage

from napari_gen2seg.core.coloring import Coloring
from napari_gen2seg.core.probe import corrections
from napari_gen2seg.core.probe.corrections import MOST_GROWTH
from napari_gen2seg.core.probe.mask import Mask
from napari_gen2seg.core.probe.prober import ProbeSettings
from napari_gen2seg.errors import PromptError
from napari_gen2seg.metrics.click_protocol import next_correction
from napari_gen2seg.metrics.matching import iou

SIZE = 96
KINDS = ("blobs", "tissue", "filaments", "rings")
SOURCES = ((SIZE, SIZE), (150, 141))


def drawn(kind: str, seed: int, source: tuple[int, int] = SOURCES[1]) -> Coloring:
    labels = getattr(drawn_maps, kind)(SIZE, 12, seed)
    values = drawn_maps.paint(labels, seed, noise=5.0, blur=1.2)
    black = bool(seed % 2)
    return Coloring.from_array(values, source_shape=source, black_background=black)


def worked_on(seed: int) -> tuple[Coloring, list[tuple[int, int]], list[int]]:
    """Return a map, and clicks in their order, the first of which keeps."""
    rng = np.random.default_rng(seed)
    source = SOURCES[seed % 2]
    coloring = drawn(KINDS[seed // 2 % 4], seed // 8 % 4, source)
    count = int(rng.integers(2, 7))
    places = rng.choice(source[0] * source[1], count, replace=False)
    points = [divmod(int(place), source[1]) for place in places]
    if seed % 3 == 0:  # corrections are mostly near what is corrected
        spread = rng.integers(-25, 26, (count, 2)) + points[0]
        points = [
            tuple(map(int, p)) for p in np.clip(spread, 0, np.subtract(source, 1))
        ]
        points = list(dict.fromkeys(points))
    return coloring, points, [1, *rng.choice([1, -1], len(points) - 1).tolist()]


@pytest.mark.parametrize("seed", range(60))
def test_clicks_are_kept_and_left_out_and_growth_is_bounded(seed: int) -> None:
    coloring, points, signs = worked_on(seed)
    before = coloring.probe(points[:1])
    for count in range(2, len(points) + 1):
        mask = coloring.probe(points[:count], signs[:count])
        full = mask.full()
        for point, sign in zip(points[:count], signs[:count], strict=True):
            assert full[point] == (sign > 0)
        assert mask.area <= MOST_GROWTH * max(before.area, 1)
        if signs[count - 1] > 0:
            assert not (before.array & ~mask.array).any()
        else:
            assert not (mask.array & ~before.array).any()
        before = mask


@pytest.mark.parametrize("seed", range(60))
def test_nothing_changes_far_from_a_click(seed: int) -> None:
    coloring, points, signs = worked_on(seed)
    for count in range(2, len(points) + 1):
        before = coloring.probe(points[: count - 1], signs[: count - 1])
        mask = coloring.probe(points[:count], signs[:count])
        scale = np.divide(coloring.source_shape, coloring.shape).max()
        # No further than the mask is long, or than the click is off its outline.
        long = max(np.subtract(before.bbox[2:], before.bbox[:2]))
        row, col = np.rint(coloring.to_coloring(points[count - 1])).astype(int)
        inside = before.array
        off = ndimage.distance_transform_edt(inside if inside[row, col] else ~inside)
        reach = (max(long, 3 * min(off[row, col], SIZE)) + 4) * scale
        changed = np.argwhere(before.full() ^ mask.full())
        if len(changed):
            assert np.hypot(*(changed - points[count - 1]).T).max() <= reach


@pytest.mark.parametrize("seed", range(30))
def test_a_mask_is_a_function_of_the_one_before_and_the_click(seed: int) -> None:
    coloring, points, signs = worked_on(seed)
    whole = coloring.probe(points, signs)
    fresh = Coloring.from_array(
        coloring.values,
        source_shape=coloring.source_shape,
        black_background=coloring.black_background,
    )
    np.testing.assert_array_equal(fresh.probe(points, signs).full(), whole.full())
    for count in range(1, len(points) + 1):
        shown = fresh.prober.preview(points[:count], signs[:count])
        assert shown.area > 0 or signs[count - 1] < 0


@pytest.mark.parametrize("kind", KINDS)
def test_the_first_click_is_what_it_was_alone(kind: str) -> None:
    coloring = drawn(kind, 1)
    alone = coloring.probe([(70, 70)])
    corrected = coloring.probe([(70, 70), (75, 20)])
    assert (corrected.tolerance, corrected.score) == (alone.tolerance, alone.score)


def wrong_by_a_rim(labels: np.ndarray, seed: int) -> np.ndarray:
    """Return a map of objects too small in one half and too large in the other."""
    cols = np.arange(labels.shape[1]) < labels.shape[1] // 2
    grown = ndimage.grey_dilation(labels, 5)
    eroded = ndimage.grey_erosion(labels, 5)
    return drawn_maps.paint(np.where(cols, eroded, grown), seed)


def test_a_good_mask_loses_nothing_by_corrections_on_average() -> None:
    changes = []
    for seed in range(4):
        labels = drawn_maps.blobs(192, 14, seed)
        coloring = Coloring.from_array(wrong_by_a_rim(labels, seed))
        for number in np.unique(labels[labels > 0]):
            truth = labels == number
            depth = ndimage.distance_transform_edt(truth)
            points = [tuple(map(int, np.unravel_index(depth.argmax(), depth.shape)))]
            signs = [1]
            overlap = iou(coloring.probe(points, signs).full(), truth)
            for _ in range(5):
                full = coloring.probe(points, signs).full()
                step = next_correction(truth, full, seed if len(points) % 2 else None)
                if step is None:
                    break
                points.append(step[0])
                signs.append(step[1])
                after = iou(coloring.probe(points, signs).full(), truth)
                changes.append((overlap, after - overlap))
                overlap = after
    good = [change for overlap, change in changes if overlap >= 0.6]
    assert len(good) > 50
    assert np.mean(good) > 0


def test_a_click_on_a_sliver_of_background_moves_the_outline_there_alone() -> None:
    labels = np.zeros((120, 120), np.int32)
    rows, cols = np.ogrid[:120, :120]
    labels[np.hypot(rows - 60, cols - 60) < 30] = 1
    coloring = Coloring.from_array(drawn_maps.paint(labels, 2))
    before = coloring.probe([(60, 60)])
    after = coloring.probe([(60, 60), (60, 93)])
    added = np.argwhere(after.array & ~before.array)
    assert 5 < len(added) < 120
    assert np.hypot(*(added - (60, 93)).T).max() < 15


def test_a_click_that_leaves_out_takes_its_own_object_and_no_half_plane() -> None:
    # Two squares of colors so near that one click takes both.
    values = np.zeros((100, 200, 3), np.float32)
    values[20:80, 20:100] = (180, 60, 60)
    values[40:60, 100:160] = (180, 75, 60)
    coloring = Coloring.from_array(values)
    settings = ProbeSettings(tolerance=40.0)
    before = coloring.probe([(50, 60)], settings=settings)
    assert before.array[50, 130]
    after = coloring.probe([(50, 60), (50, 130)], [1, -1], settings)
    lost = before.array & ~after.array
    assert lost[42:58, 112:148].all()
    assert not lost[:, :88].any()


def test_what_is_much_larger_is_taken_only_when_insisted_on() -> None:
    values = np.zeros((100, 200, 3), np.float32)
    values[40:50, 10:20] = (200, 60, 60)
    values[5:95, 24:190] = (60, 200, 60)
    coloring = Coloring.from_array(values)
    points = [(45, 15), (50, 100)]
    once = coloring.probe(points[:1])
    held = coloring.probe(points)
    assert held.area <= MOST_GROWTH * once.area
    assert held.refused > MOST_GROWTH
    insisted = coloring.probe(points, insisted=[False, True])
    assert insisted.array[10:90, 30:180].all()
    assert np.isnan(insisted.refused)
    # A further click says nothing of the one before.
    assert np.isnan(coloring.probe([*points, (46, 16)]).refused)


@pytest.mark.parametrize("source", SOURCES)
def test_clicks_start_from_a_mask_made_by_hand(source: tuple[int, int]) -> None:
    coloring = drawn("blobs", 1, source)
    hand = np.zeros(source, bool)
    hand[30:61, 40:91] = True
    hand[45, 60] = False  # what the map is too coarse for stays, too
    base = Mask.from_source(hand, (0, 0), coloring.shape, source)
    np.testing.assert_array_equal(base.full(), hand)
    mask = coloring.probe([(45, 85)], [-1], base=base)
    full = mask.full()
    assert not full[45, 85] and not full[45, 60] and full[45, 45]
    assert not (full & ~hand).any()
    np.testing.assert_array_equal(full[:, :60], hand[:, :60])
    grown = coloring.probe([(45, 94)], base=base).full()
    assert grown[45, 94] and (grown & hand).sum() == hand.sum()


def test_clicks_that_take_each_other_back_are_refused() -> None:
    coloring = drawn("blobs", 0)
    with pytest.raises(PromptError, match="taken back"):
        coloring.probe([(70, 70), (70, 70)], [1, -1])


@pytest.mark.parametrize("insisted", [False, True])
def test_an_own_region_beside_the_click_is_no_trouble(insisted: bool) -> None:
    # As of a click beside a fiber, which is followed along its middle.
    frame = np.zeros((50, 50), bool)
    frame[20:30, 5:20] = True
    mask = Mask.from_window(frame, (0, 0), (50, 50), (50, 50))
    beside = np.zeros((50, 50), bool)
    beside[2:40, 30:33] = True
    own = Mask.from_window(beside, (0, 0), (50, 50), (50, 50))
    grown = corrections.add(mask, (25, 36), own, np.zeros((0, 2), np.intp), insisted)
    assert grown.holds((25, 36)) and not (frame & ~grown.array).any()
