"""Crops to train mini on: where they lie, and how large and how bright objects are."""

from __future__ import annotations

import numpy as np

from napari_gen2seg.core.map.object_size import median_diameter
from napari_gen2seg.io.annotated import Annotated
from napari_gen2seg.train.data.augment import relight
from napari_gen2seg.train.data.image_folder import crop
from napari_gen2seg.train.data.synthetic_crops import drawn_crop


def lonely() -> Annotated:
    """Return a large picture with one small object."""
    labels = np.zeros((400, 500), np.int32)
    labels[300:320, 60:80] = 5
    rgb = np.repeat(np.where(labels > 0, 200, 20).astype(np.uint8)[..., None], 3, -1)
    return Annotated(rgb, labels, given_diameter=median_diameter(labels))


def test_crops_are_placed_around_objects_where_asked() -> None:
    rng = np.random.default_rng(1)

    def share(around: float) -> float:
        found = [crop(lonely(), rng, 32, 20.0, around)[1].any() for _ in range(100)]
        return float(np.mean(found))

    assert share(1.0) == 1
    assert share(0.0) < 0.1
    assert 0.6 < share(0.8) < 0.95


def test_what_is_mirrored_beyond_the_rim_is_unknown() -> None:
    labels = np.zeros((20, 40), np.int32)
    labels[5:15, 5:15] = 1
    picture = Annotated(np.zeros((20, 40, 3), np.uint8), labels, given_diameter=10.0)
    _, cut = crop(picture, np.random.default_rng(0), 40, 10.0, 1.0)
    assert (cut[20:] == -1).all()
    assert set(np.unique(cut[:20])) == {0, 1}


def test_objects_of_drawn_crops_have_the_size_that_real_ones_have() -> None:
    rng = np.random.default_rng(4)
    sizes = []
    for _ in range(60):
        rgb, labels = drawn_crop(rng, 96, 14.0, 55.0)
        assert rgb.shape == (96, 96, 3) and rgb.dtype == np.float32
        assert labels.shape == (96, 96) and labels.dtype == np.int32
        assert rgb.min() >= 0 and rgb.max() <= 1
        assert labels.min() >= -1 and labels.max() >= 1
        sizes.append(median_diameter(labels))
    assert np.mean(np.array(sizes) < 14) < 0.4  # of scenes as they are drawn, 0.43
    assert 16 < np.median(sizes) < 34


def test_grey_drawn_crops_are_not_all_of_full_contrast() -> None:
    rng = np.random.default_rng(5)
    used = []
    for _ in range(60):
        rgb, _ = drawn_crop(rng, 96, 14.0, 55.0)
        if np.ptp(rgb, axis=-1).max() < 0.02:
            low, high = np.percentile(rgb, (0.3, 99.7))
            used.append(high - low)
    # Of real crops 5 % use less than 0.3 of their range, and 5 % more than 0.85.
    assert np.percentile(used, 10) < 0.5 < 0.7 < np.percentile(used, 90)


def test_noise_is_as_strong_as_the_contrast_bears() -> None:
    flat = np.full((64, 64, 3), 0.5, np.float32)
    flat[::2] += 0.01
    strong = flat + np.where(np.arange(64)[:, None, None] % 2, 0.3, 0).astype(
        np.float32
    )

    def spread(rgb: np.ndarray) -> float:
        rng = np.random.default_rng(2)
        # Columns are alike before noise: what differs within a row is noise or a slope.
        return float(
            np.mean([relight(rgb, rng)[:, :, 0].std(1).mean() for _ in range(60)])
        )

    assert spread(flat) < 0.2 * spread(strong)
