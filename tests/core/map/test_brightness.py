"""Brightness is heard where it agrees with the map, and only there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy import stats
from skimage import data

from napari_gen2seg import load_model
from napari_gen2seg.core.coloring import Coloring
from napari_gen2seg.core.map.brightness import (
    brightness_agreement,
    brightness_channel,
    channel_weights,
)
from napari_gen2seg.core.probe.settings import ProbeSettings
from napari_gen2seg.errors import ImageError

RNG = np.random.default_rng(5)
SHAPE = (60, 80)
INSIDE = np.zeros(SHAPE, bool)
INSIDE[10:50, 10:70] = True
BLACK = np.zeros(3, np.float32)
RED = np.asarray((200, 60, 60), np.float32)
MAP = np.where(INSIDE[..., None], RED, BLACK)


def noisy(bright: float, dark: float, scatter: float = 5.0) -> np.ndarray:
    """A picture with objects of one brightness on a background of another."""
    gray = np.where(INSIDE, bright, dark) + RNG.normal(0, scatter, SHAPE)
    return gray.astype(np.float32)


@pytest.mark.parametrize("shift", [0.0, 2.0, 10.0, -4.0])
def test_agreement_is_somers_d(shift: float) -> None:
    gray = noisy(100 + shift, 100)
    area = stats.mannwhitneyu(gray[INSIDE], gray[~INSIDE]).statistic
    area /= np.count_nonzero(INSIDE) * np.count_nonzero(~INSIDE)
    assert brightness_agreement(MAP, gray) == pytest.approx(2 * area - 1, abs=0.01)


def test_objects_may_be_darker() -> None:
    bright, dark = noisy(200, 50), noisy(50, 200)
    assert brightness_agreement(MAP, bright) > 0.99
    assert brightness_agreement(MAP, dark) < -0.99
    for gray in (bright, dark):
        heard = brightness_channel(MAP, gray)
        assert heard is not None and heard.dtype == np.float32
        assert np.median(heard[INSIDE]) > 120 and np.median(heard[~INSIDE]) < 20
        assert heard.min() >= 0 and heard.max() <= 153


@pytest.mark.parametrize(
    ("values", "gray"),
    [
        (MAP, noisy(101, 100)),
        (MAP, np.zeros(SHAPE, np.float32)),
        (np.zeros_like(MAP), noisy(200, 50)),
        (np.full_like(MAP, 200), noisy(200, 50)),
    ],
    ids=["says nothing", "flat picture", "no object", "no background"],
)
def test_where_nothing_agrees_nothing_is_heard(
    values: np.ndarray, gray: np.ndarray
) -> None:
    assert abs(brightness_agreement(values, gray)) < 0.5
    assert brightness_channel(values, gray) is None


def test_brightness_parts_what_the_map_paints_alike() -> None:
    # A bright grain inside a dim one, both of one colour in the map.
    gray = noisy(90, 20, 2)
    grain = np.zeros(SHAPE, bool)
    grain[25:35, 30:45] = True
    gray[grain] += 140
    heard = brightness_channel(MAP, gray)
    assert heard is not None
    coloring = Coloring.from_array(
        MAP, extra_maps=heard[..., None], black_background=True
    )
    assert coloring.uses_brightness
    with_it = coloring.probe([(30, 37)]).full()
    alone = coloring.probe([(30, 37)], settings=ProbeSettings(brightness=False)).full()
    np.testing.assert_array_equal(with_it, grain)
    np.testing.assert_array_equal(alone, INSIDE)
    # The map alone is what it would be had the brightness never been there.
    plain = Coloring.from_array(MAP, black_background=True)
    np.testing.assert_array_equal(alone, plain.probe([(30, 37)]).full())
    settings = ProbeSettings(brightness=False)
    assert coloring.prober.preview([(30, 37)], settings=settings).area == alone.sum()
    ours = coloring.prober.curve([(30, 37)], settings=settings).areas
    np.testing.assert_array_equal(ours, plain.prober.curve([(30, 37)]).areas)


def test_background_is_what_the_map_says() -> None:
    heard = np.full((*SHAPE, 1), 150, np.float32)
    coloring = Coloring.from_array(MAP, extra_maps=heard, black_background=True)
    assert coloring.on_background([(2, 2), (30, 30)]).tolist() == [True, False]


@pytest.mark.parametrize("channels", [1, 3, 4, 10])
def test_further_channels_are_kept_in_the_file(channels: int, tmp_path: Path) -> None:
    more = RNG.uniform(0, 255, (*SHAPE, channels)).astype(np.float32)
    coloring = Coloring.from_array(MAP, extra_maps=more)
    loaded = Coloring.load(coloring.save(tmp_path / "map.tif"))
    assert loaded.extra_maps is not None
    np.testing.assert_array_equal(loaded.extra_maps, more)
    assert loaded.key == coloring.key
    assert loaded.uses_brightness == (channels % 3 == 1)


def test_two_further_channels_are_refused() -> None:
    with pytest.raises(ImageError, match="one more channel for brightness"):
        Coloring.from_array(MAP, extra_maps=np.zeros((*SHAPE, 2), np.float32))


def test_mini_hears_it_where_the_picture_bears_it() -> None:
    mini = load_model("mini", device="cpu")
    coins = mini.color(data.coins(), 256)
    assert coins.uses_brightness
    turned = mini.color(255 - data.coins(), 256, passes=2)
    assert turned.extra_maps is not None and turned.extra_maps.shape[2] % 3 == 1
    # Objects of another hue, exactly as bright as what is behind: only hue tells.
    picture = np.zeros((128, 128, 3), np.float32)
    picture[..., 1] = 0.5
    picture[40:80, 40:80] = (0.5, 0.0, 0.0)
    assert mini.color(picture, 256).uses_brightness
    gray = np.repeat(picture.mean(axis=-1, keepdims=True), 3, axis=-1)
    assert not mini.color(gray, 256).uses_brightness


def test_of_a_stain_it_is_the_stain_however_bright() -> None:
    # Objects are redder and less blue than the rest, by less than brightness varies.
    gray = RNG.normal(120, 30, SHAPE)
    red = np.where(INSIDE, 20, -20) + RNG.normal(0, 3, SHAPE)
    rgb = np.stack([gray + red, gray, gray - red], axis=-1).astype(np.float32)
    assert abs(brightness_agreement(MAP, rgb.mean(axis=-1))) < 0.1
    weights = channel_weights(MAP, rgb)
    assert brightness_agreement(MAP, rgb @ weights) > 0.99
    assert np.abs(weights).sum() == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("values", [MAP, np.zeros_like(MAP), np.full_like(MAP, 200)])
def test_without_colour_every_channel_counts_alike(values: np.ndarray) -> None:
    gray = np.repeat(noisy(200, 50)[..., None], 3, axis=-1)
    np.testing.assert_allclose(channel_weights(values, gray), 1 / 3, rtol=1e-6)


def test_a_map_of_one_kind_tells_no_mixture() -> None:
    rgb = RNG.uniform(0, 255, (*SHAPE, 3)).astype(np.float32)
    for values in (np.zeros_like(MAP), np.full_like(MAP, 200)):
        np.testing.assert_allclose(channel_weights(values, rgb), 1 / 3, rtol=1e-6)
    # A picture without any contrast, in a colour of its own.
    flat = np.broadcast_to(np.asarray([1, 2, 3], np.float32), (*SHAPE, 3))
    assert np.isfinite(channel_weights(MAP, flat)).all()
    assert brightness_channel(MAP, flat @ channel_weights(MAP, flat)) is None
