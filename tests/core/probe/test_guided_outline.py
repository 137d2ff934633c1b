"""Outlines follow a picture that is larger than its map."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from skimage import data, transform

from napari_gen2seg import load_model
from napari_gen2seg.core.coloring import Coloring
from napari_gen2seg.core.probe.guided_outline import follow_image
from napari_gen2seg.core.probe.settings import ProbeSettings
from napari_gen2seg.errors import ImageError
from napari_gen2seg.metrics.matching import iou

SHAPE = (240, 320)
ROWS, COLS = np.mgrid[: SHAPE[0], : SHAPE[1]]
# A star, finer than a map of a fifth of its size can say.
ANGLE = np.arctan2(ROWS - 120, COLS - 160)
STAR = np.hypot(ROWS - 120, COLS - 160) < 60 + 14 * np.cos(9 * ANGLE)


def small_map(inside: np.ndarray) -> np.ndarray:
    """A map of a fifth of the size."""
    soft = transform.resize(inside.astype(float), (48, 64), anti_aliasing=True)
    return (soft[..., None] * (220, 90, 60)).astype(np.float32)


def shown(inside: np.ndarray) -> np.ndarray:
    """The picture: bright, with noise."""
    noise = np.random.default_rng(2).normal(0, 8, SHAPE)
    return np.clip(np.where(inside, 180, 60) + noise, 0, 255).astype(np.uint8)


def coloring_of(inside: np.ndarray, picture: np.ndarray | None) -> Coloring:
    return Coloring.from_array(
        small_map(inside), SHAPE, brightness_image=picture, black_background=True
    )


def test_the_outline_is_the_pictures() -> None:
    before = coloring_of(STAR, None).probe([(120, 160)]).full()
    after = coloring_of(STAR, shown(STAR)).probe([(120, 160)]).full()
    assert iou(after, STAR) > 0.97
    assert 1 - iou(after, STAR) < 0.5 * (1 - iou(before, STAR))


@pytest.mark.parametrize("bright", [True, False])
def test_it_matters_only_that_the_picture_changes(bright: bool) -> None:
    picture = shown(STAR)
    coloring = coloring_of(STAR, picture if bright else 255 - picture)
    assert iou(coloring.probe([(120, 160)]).full(), STAR) > 0.97


@pytest.mark.parametrize("setting", ["brightness", "clean"])
def test_it_can_be_switched_off(setting: str) -> None:
    settings = ProbeSettings(**{setting: False})
    plain = coloring_of(STAR, None).probe([(120, 160)], settings=settings).full()
    ours = coloring_of(STAR, shown(STAR)).probe([(120, 160)], settings=settings).full()
    np.testing.assert_array_equal(ours, plain)


def test_a_flat_picture_moves_nothing() -> None:
    plain = coloring_of(STAR, None).probe([(120, 160)]).full()
    flat = coloring_of(STAR, np.full(SHAPE, 90, np.uint8)).probe([(120, 160)]).full()
    np.testing.assert_array_equal(flat, plain)


def test_bright_things_nearby_stay_out() -> None:
    # A bright spot three pixels beside the star, which the map does not know.
    inside = STAR | (np.hypot(ROWS - 120, COLS - 238) < 3)
    mask = coloring_of(STAR, shown(inside)).probe([(120, 160)]).full()
    assert not mask[120, 238]
    assert iou(mask, STAR) > 0.97


def test_clicks_stay_in_and_out() -> None:
    coloring = coloring_of(STAR, shown(STAR))
    mask = coloring.probe([(120, 160), (120, 236), (100, 160)], [1, 1, -1])
    full = mask.full()
    assert full[120, 236] and not full[100, 160]
    crop, (row, col) = mask.window()
    again = np.zeros(SHAPE, bool)
    again[row : row + crop.shape[0], col : col + crop.shape[1]] = crop
    np.testing.assert_array_equal(again, full)


def test_what_would_vanish_is_kept() -> None:
    soft = np.zeros((30, 30), np.float32)
    soft[14:16, 14:16] = 0.6
    picture = np.random.default_rng(0).integers(0, 255, (30, 30)).astype(np.uint8)
    assert follow_image(soft, picture, 6).any()


def test_it_is_kept_in_the_file_and_in_the_key(tmp_path: Path) -> None:
    coloring = coloring_of(STAR, shown(STAR))
    assert coloring.key != coloring_of(STAR, None).key
    loaded = Coloring.load(coloring.save(tmp_path / "map.tif"))
    np.testing.assert_array_equal(loaded.brightness_image, coloring.brightness_image)
    assert loaded.key == coloring.key
    with pytest.raises(ImageError, match="the source's"):
        coloring_of(STAR, shown(STAR)[1:])


def test_mini_keeps_the_picture_where_its_map_is_coarse() -> None:
    mini = load_model("mini", device="cpu")
    coarse = mini.color(data.coins(), 192)
    assert (
        coarse.brightness_image is not None
        and coarse.brightness_image.shape == data.coins().shape
    )
    assert mini.color(data.coins(), 384).brightness_image is None
