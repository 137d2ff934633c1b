"""The drawn scenes: deterministic, in range, and labelled as promised."""

from __future__ import annotations

import time

import numpy as np
import pytest
from skimage.measure import label

from napari_gen2seg.errors import SettingsError
from napari_gen2seg.train.synthetic import KINDS, draw_scene, iter_scenes
from napari_gen2seg.train.synthetic.canvas import Canvas
from napari_gen2seg.train.synthetic.curves import tubes, wander
from napari_gen2seg.train.synthetic.degrade import blocky, lose_resolution
from napari_gen2seg.train.synthetic.layout import scatter
from napari_gen2seg.train.synthetic.shapes import (
    blobs,
    polygon_profiles,
    super_profiles,
)
from napari_gen2seg.train.synthetic.textures import (
    TEXTURES,
    sample,
    smooth_noise,
    texture,
)
from napari_gen2seg.train.synthetic.tidy import SLIVER, tidy
from napari_gen2seg.train.synthetic.tiling import tile


def check(scene, shape):
    assert scene.image.shape == (*shape, 3)
    assert scene.image.dtype == np.float32
    assert scene.image.min() >= 0
    assert scene.image.max() <= 1
    assert scene.labels.shape == shape
    assert scene.labels.dtype == np.int32
    areas = np.bincount(scene.labels.ravel())[1:]
    assert len(areas) > 0
    assert areas.min() >= SLIVER


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_keeps_its_promises(kind):
    for seed in range(4):
        scene = draw_scene(np.random.default_rng([seed, 1]), 96, kind)
        check(scene, (96, 96))
        assert scene.kind == kind
        pieces = label(scene.labels, background=0, connectivity=2)
        smallest = np.bincount(pieces.ravel())[1:].min()
        assert smallest >= SLIVER
        if not KINDS[kind].whole:
            assert pieces.max() == scene.labels.max()


@pytest.mark.parametrize("kind", KINDS)
def test_the_picture_shows_something(kind):
    spans = []
    for seed in range(4):
        image = draw_scene(np.random.default_rng([seed, 2]), 96, kind).image
        spans.append(np.ptp(np.quantile(image, [0.01, 0.99])))
    assert np.median(spans) > 0.1


@pytest.mark.parametrize("kind", KINDS)
def test_same_generator_same_scene(kind):
    first = draw_scene(np.random.default_rng(5), 64, kind)
    again = draw_scene(np.random.default_rng(5), 64, kind)
    other = draw_scene(np.random.default_rng(6), 64, kind)
    assert np.array_equal(first.image, again.image)
    assert np.array_equal(first.labels, again.labels)
    assert first.complete == again.complete
    assert not np.array_equal(first.image, other.image)


@pytest.mark.parametrize("size", [(33, 57), (121, 40), 47, (64, 300)])
def test_odd_sizes(size):
    shape = (size, size) if isinstance(size, int) else size
    for number, kind in enumerate(KINDS):
        check(draw_scene(np.random.default_rng(number), size, kind), shape)


def test_random_kinds_follow_the_weights():
    rng = np.random.default_rng(0)
    drawn = {draw_scene(rng, 48).kind for _ in range(200)}
    assert len(drawn) > 0.7 * len(KINDS)
    assert all(kind.weight > 0 and kind.description for kind in KINDS.values())


def test_stream_can_be_entered_anywhere():
    scenes = list(iter_scenes(3, 48, count=5))
    alone = draw_scene(np.random.default_rng([3, 4]), 48)
    assert np.array_equal(scenes[4].image, alone.image)
    named = list(iter_scenes(3, 48, kinds=["rods", "fibres"], count=3))
    assert [scene.kind for scene in named] == ["rods", "fibres", "rods"]


def test_wrong_requests_say_what_to_do():
    with pytest.raises(SettingsError, match=r"bananas.*rods"):
        draw_scene(np.random.default_rng(0), 64, "bananas")
    with pytest.raises(SettingsError, match="at least 32"):
        draw_scene(np.random.default_rng(0), (64, 16))


def test_tilings_leave_no_sliver_unlabelled():
    for seed in range(6):
        cells = tile(np.random.default_rng(seed), (80, 90), 14, warp=0.2, merge=0.3)
        labels = tidy(cells.owner + 1, whole=False, fill=True)
        assert labels.min() >= 1
        assert cells.count == len(np.unique(cells.owner))


@pytest.mark.parametrize("metric", ["round", "box", "diamond"])
def test_tiling_border_is_small_at_borders(metric):
    cells = tile(np.random.default_rng(1), (96, 96), 24, metric=metric)
    change = cells.owner[:, 1:] != cells.owner[:, :-1]
    beside = cells.border[:, 1:][change]
    assert np.median(beside) < 1.0 < np.median(cells.border)


def test_tidy_policy():
    labels = np.zeros((20, 30), np.int32)
    labels[2:8, 2:20] = 7
    labels[2:8, 9:12] = 4
    labels[15, 3:6] = 9
    apart = tidy(labels, whole=False, fill=False)
    whole = tidy(labels, whole=True, fill=False)
    assert apart.max() == 3
    assert whole.max() == 2
    assert apart[15, 4] == whole[15, 4] == 0
    assert whole[4, 4] == whole[4, 15] != whole[4, 10]


def test_blobs_are_where_and_as_large_as_asked():
    at = blobs(
        (100, 100),
        np.array([[50.0, 40.0], [20.0, 80.0]]),
        np.array([[20.0, 10.0], [6.0, 6.0]]),
        np.array([0.0, 0.0]),
        super_profiles(2, 2.0),
    )
    first = at.owner == 0
    assert first.sum() == pytest.approx(np.pi * 200, rel=0.05)
    assert at.row[first].mean() == pytest.approx(50, abs=0.3)
    assert np.ptp(at.col[first]) > 1.8 * np.ptp(at.row[first])
    assert at.depth.max() == pytest.approx(10, abs=1)
    assert (~first).sum() == pytest.approx(np.pi * 36, rel=0.1)


def test_polygons_have_straight_sides():
    square = polygon_profiles(np.random.default_rng(0), 1, 4, 0.0)[0]
    assert square.max() == pytest.approx(1, abs=0.01)
    assert square.min() == pytest.approx(np.sqrt(0.5), abs=0.01)


def test_tubes_hide_one_another_and_measure_along():
    across = np.array([[50.0, 0.0], [50.0, 99.0]])
    down = np.array([[0.0, 50.0], [99.0, 50.0]])
    at = tubes((100, 100), [across, down], [3.0, 3.0])
    assert len(np.unique(at.row * 100 + at.col)) == len(at.row)
    crossing = (at.row == 50) & (at.col == 50)
    assert at.owner[crossing] == 1
    middle = (at.row == 50) & (at.col == 20)
    assert at.u[middle] == pytest.approx(20, abs=0.5)
    assert at.v[middle] == pytest.approx(0, abs=0.05)
    assert (at.owner == 1).sum() == pytest.approx(100 * 5, rel=0.05)


def test_tubes_outside_the_picture_are_nothing():
    at = tubes((40, 40), [np.array([[90.0, 90.0], [95.0, 99.0]])], [2.0])
    assert at.count == 0
    assert len(at.row) == 0


def test_wander_has_the_length_asked_for():
    path = wander(
        np.random.default_rng(0), np.zeros((3, 2)), np.zeros(3), np.full(3, 50.0), 0.2
    )
    assert np.hypot(*np.diff(path[1], axis=0).T).sum() == pytest.approx(50)


def test_scatter_keeps_neighbours_apart():
    radii = np.full(40, 8.0)
    loose = scatter(np.random.default_rng(2), (200, 200), radii)
    tight = scatter(np.random.default_rng(2), (200, 200), radii, apart=1.0)

    def overlap(center):
        gap = np.linalg.norm(center[:, None] - center[None], axis=2)
        np.fill_diagonal(gap, 99)
        return np.maximum(16 - gap, 0).sum()

    assert overlap(tight) < 0.3 * overlap(loose)


def test_claim_gives_each_pixel_to_the_last():
    canvas = Canvas((30, 30))
    at = blobs(
        (30, 30),
        np.array([[15.0, 12.0], [15.0, 18.0]]),
        np.full((2, 2), 7.0),
        np.zeros(2),
        super_profiles(2, 2.0),
    )
    top = canvas.claim(at)
    assert len(np.unique(top.row * 30 + top.col)) == len(top.row)
    assert canvas.labels[15, 15] == 2
    assert canvas.labels[15, 7] == 1


def test_textures_are_periodic_standard_and_fixed():
    for index in range(TEXTURES):
        field = texture(index)
        assert abs(field.mean()) < 0.2
        assert 0.5 < field.std() < 1.5
        with pytest.raises(ValueError, match="read-only"):
            field[0, 0] = 1
    field = texture(3)
    rows, cols = np.indices((4, 4)).astype(np.float32)
    assert np.array_equal(
        sample(field, rows, cols), sample(field, rows + 256, cols - 512)
    )


def test_smooth_noise_is_smooth():
    field = smooth_noise(np.random.default_rng(0), (128, 128), 32)
    assert field.std() > 10 * np.abs(np.diff(field, axis=0)).mean()


def test_degradations_keep_the_mean():
    image = smooth_noise(np.random.default_rng(0), (61, 75), 12)[..., None] * 0.1 + 0.5
    for worn in (lose_resolution(image, 2.5), blocky(image, 0.05)):
        assert worn.shape == image.shape
        assert np.abs(worn - image).mean() < 0.05


def test_speed_is_told(capsys):
    """Print the time of a scene per kind; nothing is asserted about it."""
    told = []
    for kind in KINDS:
        start = time.thread_time()
        for seed in range(3):
            scene = draw_scene(np.random.default_rng(seed), 192, kind)
        told.append(f"{kind}: {(time.thread_time() - start) / 3 * 1e3:.0f} ms")
        assert scene.labels.any()
    with capsys.disabled():
        print("\nms per 192 x 192 scene:", ", ".join(told))  # noqa: T201
