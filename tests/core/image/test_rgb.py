"""What the model sees, for every kind of picture a layer can hold."""

from __future__ import annotations

import numpy as np
import pytest

from napari_gen2seg.core.image.checks import check_image, is_constant
from napari_gen2seg.core.image.rgb import (
    RgbRecipe,
    rgb_key,
    thumbnail,
    to_rgb,
    to_uint8,
)
from napari_gen2seg.errors import ImageError, SettingsError

RNG = np.random.default_rng(0)
COLOR = RNG.integers(0, 256, (20, 30, 3), np.uint8)


def test_8_bit_rgb_stays_as_it_is() -> None:
    rgb = to_rgb(COLOR)
    assert rgb.dtype == np.float32 and rgb.flags.c_contiguous
    np.testing.assert_array_equal(to_uint8(rgb), COLOR)


def test_float_rgb_in_0_1_stays_as_it_is() -> None:
    np.testing.assert_allclose(to_rgb(COLOR / 255), COLOR / 255, atol=1e-7)


def test_alpha_of_8_bit_rgba_is_dropped() -> None:
    rgba = np.dstack([COLOR, np.full(COLOR.shape[:2], 7, np.uint8)])
    np.testing.assert_array_equal(to_rgb(rgba), to_rgb(COLOR))


@pytest.mark.parametrize(
    "dtype", ["uint8", "uint16", "int16", "int32", "int64", "float32", "float64"]
)
def test_grey_is_stretched_and_repeated(dtype: str) -> None:
    gray = (np.arange(40 * 50).reshape(40, 50) % 101 + 10).astype(dtype)
    rgb = to_rgb(gray)
    assert rgb.shape == (40, 50, 3)
    assert rgb.min() == 0 and rgb.max() == 1
    np.testing.assert_array_equal(rgb[..., 0], rgb[..., 2])
    np.testing.assert_array_equal(np.argsort(gray[0]), np.argsort(rgb[0, :, 0]))


def test_the_stretch_leaves_out_the_extremes() -> None:
    gray = RNG.normal(1000, 10, (200, 200))
    gray[3, 3] = 60000
    rgb = to_rgb(gray)
    assert rgb.mean() > 0.3
    assert rgb[3, 3, 0] == 1


def test_a_few_bright_pixels_do_not_vanish() -> None:
    # Both percentiles are 0: the whole range is used instead.
    gray = np.zeros((100, 100), np.uint16)
    gray[5, 5] = 4000
    assert to_rgb(gray)[5, 5, 0] == 1


def test_16_bit_rgb_keeps_its_hues() -> None:
    rgb = to_rgb(COLOR.astype(np.uint16) * 100, RgbRecipe(low=0, high=100))
    np.testing.assert_allclose(rgb, COLOR / 255, atol=0.01)


def test_three_channels_of_a_microscope_are_stretched_each() -> None:
    rng = np.random.default_rng(3)
    channels = rng.uniform(0, 1, (32, 32, 3)) * (20000, 15000, 400)
    for dtype, most in ((np.uint16, 1), (np.uint8, 0.012)):
        planes = (channels * most).astype(dtype)
        each = to_rgb(planes, RgbRecipe(joint=False))
        assert np.percentile(each, 99, axis=(0, 1)).min() > 0.95
    alike = to_rgb(channels.astype(np.uint16))
    assert np.percentile(alike[..., 2], 99) < 0.05


def test_bool_is_black_and_white() -> None:
    rgb = to_rgb(np.eye(12, dtype=bool))
    assert set(np.unique(rgb)) == {0, 1}


def test_channels_go_where_the_recipe_says() -> None:
    stack = np.stack([np.arange(100).reshape(10, 10) * k for k in (1, 2, 5)], -1)
    rgb = to_rgb(stack, RgbRecipe(channels=(2, None, 0), low=0, high=100))
    assert (rgb[..., 1] == 0).all()
    # Every channel has its own contrast.
    np.testing.assert_allclose(rgb[..., 0], rgb[..., 2], atol=1e-6)
    assert rgb[..., 0].max() == 1


def test_two_channels_are_red_and_green() -> None:
    pair = RNG.integers(0, 4000, (16, 16, 2), np.uint16)
    rgb = to_rgb(pair)
    assert (rgb[..., 2] == 0).all() and rgb[..., :2].max(axis=(0, 1)).tolist() == [1, 1]


def test_limits_give_every_plane_the_same_contrast() -> None:
    recipe = RgbRecipe(limits=((0, 1000),))
    dim, bright = np.full((9, 9), 250), np.full((9, 9), 500)
    dim[0, 0] = bright[0, 0] = 0
    assert to_rgb(dim, recipe)[5, 5, 0] == pytest.approx(0.25)
    assert to_rgb(bright, recipe)[5, 5, 0] == pytest.approx(0.5)


def test_invert_swaps_bright_and_dark() -> None:
    gray = np.arange(100, dtype=np.uint8).reshape(10, 10)
    np.testing.assert_allclose(
        to_rgb(gray, RgbRecipe(invert=True)), 1 - to_rgb(gray), atol=1e-7
    )


def test_never_stretch_scales_by_the_type() -> None:
    gray = np.full((9, 9), 6553, np.uint16)
    gray[0, 0] = 0
    rgb = to_rgb(gray, RgbRecipe(stretch="never"))
    assert rgb[4, 4, 0] == pytest.approx(6553 / 65535)


@pytest.mark.parametrize("value", [0, 7, 1e-30])
def test_a_constant_picture_is_mid_grey(value: float) -> None:
    flat = np.full((10, 11), value)
    assert is_constant(flat)
    assert (to_rgb(flat) == 0.5).all()


def test_one_flat_channel_among_others_does_no_harm() -> None:
    mixed = COLOR.astype(np.uint16)
    mixed[..., 1] = 500
    assert np.isfinite(to_rgb(mixed, RgbRecipe(channels=(0, 1, 2)))).all()


@pytest.mark.parametrize(
    ("picture", "names"),
    [
        (np.zeros((9, 9), complex), "complex128"),
        (np.full((9, 9), "a"), "<U1"),
        (np.zeros((9, 9), object), "object"),
        (np.zeros((9, 9), "datetime64[s]"), "datetime64"),
        (np.zeros(9), "1 dimensions"),
        (np.zeros((3, 4, 9, 9)), "4 dimensions"),
        (np.zeros((0, 9)), "empty"),
        (np.zeros((1, 1)), "1 x 1"),
        (np.zeros((3, 500, 500)), "3 x 500"),
        (np.full((9, 9), np.nan), "no finite value"),
        (np.full((9, 9), -np.inf), "no finite value"),
    ],
)
def test_what_cannot_be_coloured_is_named(picture: np.ndarray, names: str) -> None:
    with pytest.raises(ImageError, match=names):
        check_image(picture)
    with pytest.raises(ValueError, match=names):
        to_rgb(picture)


def test_what_was_not_measured_is_as_dark_as_the_darkest() -> None:
    plane = np.linspace(3, 7, 10_000, dtype=np.float32).reshape(100, 100)
    whole = np.stack([plane, 1000 + plane], axis=-1)
    holed = whole.copy()
    holed[50:55], holed[60, 0], holed[60, 1] = np.nan, -np.inf, np.inf
    holed[0, 0] = -5000  # one dead pixel
    rgb = to_rgb(holed)
    assert np.isnan(holed[50, 0]).all()  # the picture itself is left as it is
    assert (rgb[50:55, :, :2] < 0.01).all()
    assert (rgb[60, 0, :2] < 0.01).all() and (rgb[60, 1, :2] > 0.99).all()
    seen = np.ones((100, 100), bool)
    seen[50:55], seen[60, :2], seen[0, 0] = False, False, False
    assert np.abs(rgb - to_rgb(whole))[seen].max() < 0.01


def test_a_channel_without_any_number_is_even() -> None:
    holed = np.stack([np.full((9, 9), np.nan), np.arange(81.0).reshape(9, 9)], axis=-1)
    rgb = to_rgb(holed)
    assert np.ptp(rgb[..., 0]) == 0 and np.ptp(rgb[..., 1]) == 1


def test_a_grey_picture_with_holes_is_taken() -> None:
    holed = np.arange(81.0).reshape(9, 9)
    holed[4, 4] = np.nan
    rgb = to_rgb(holed)
    assert rgb[4, 4].max() < 0.01 and rgb[8, 8].min() == 1


def test_a_channel_that_does_not_exist_is_named() -> None:
    with pytest.raises(ImageError, match="channel 5"):
        to_rgb(COLOR, RgbRecipe(channels=(0, 5, None)))


@pytest.mark.parametrize(
    "wrong",
    [
        {"low": 50, "high": 50},
        {"low": -1},
        {"high": 101},
        {"stretch": "some"},
        {"channels": (None, None, None)},
        {"channels": (0, 1)},
    ],
)
def test_a_recipe_that_makes_no_sense_is_refused(wrong: dict) -> None:
    with pytest.raises(SettingsError):
        RgbRecipe(**wrong)


def test_the_thumbnail_shows_what_the_model_sees() -> None:
    picture = np.zeros((400, 300), np.uint16)
    picture[:200] = 1000
    small = thumbnail(picture, size=50)
    assert small.dtype == np.uint8 and max(small.shape[:2]) <= 50
    assert small[5, 5].tolist() == [255] * 3 and small[-5, -5].tolist() == [0] * 3


def test_the_key_names_the_content() -> None:
    rgb = to_rgb(COLOR)
    other = rgb.copy()
    other[0, 0, 0] += 0.25
    assert rgb_key(rgb) == rgb_key(rgb.copy())
    assert len({rgb_key(rgb), rgb_key(other), rgb_key(rgb[:10])}) == 3
