"""One contrast for all windows of a plane: each is a window of the plane's RGB."""

from __future__ import annotations

import numpy as np
import pytest

from napari_gen2seg.core.image.axes import Axes
from napari_gen2seg.core.image.rgb import RgbRecipe, fixed_contrast, to_rgb

RNG = np.random.default_rng(0)
GRAY = (RNG.gamma(2, 900, (60, 80))).astype(np.uint16)
GRAY[:30, :40] //= 8  # a dark corner, which its own contrast would make bright
COLOR = RNG.integers(20, 180, (60, 80, 3)).astype(np.uint8)
TWO = np.stack([GRAY, GRAY[::-1] // 3], axis=-1)


@pytest.mark.parametrize(
    ("plane", "recipe"),
    [
        (GRAY, None),
        (COLOR, None),
        (COLOR[..., 0], None),
        (COLOR, RgbRecipe(joint=False)),
        (COLOR.astype(np.uint16) * 90, None),
        (COLOR / 255.0, None),
        (COLOR / 7.0, None),
        (TWO, None),
        (TWO, RgbRecipe((1, None, 0), invert=True)),
        (GRAY, RgbRecipe(low=5, high=95, stretch="always")),
        (GRAY, RgbRecipe(stretch="never")),
        (np.dstack([COLOR, COLOR[..., 0]]), None),
    ],
)
def test_a_window_is_that_of_the_plane(
    plane: np.ndarray, recipe: RgbRecipe | None
) -> None:
    fixed = fixed_contrast(plane, recipe)
    whole = to_rgb(plane, recipe)
    for window in (np.s_[:30, :40], np.s_[20:50, 30:75]):
        np.testing.assert_allclose(to_rgb(plane[window], fixed), whole[window])
    assert fixed_contrast(plane[:9, :9], fixed) == fixed


def test_windows_are_read_and_written_alone() -> None:
    stack = np.arange(2 * 3 * 8 * 9).reshape(2, 3, 8, 9)
    layout = Axes.of(stack, "ZCYX")
    window = (slice(2, 5), slice(1, 7))
    part = layout.read(stack, (1,), window)
    np.testing.assert_array_equal(part, np.moveaxis(stack[1, :, 2:5, 1:7], 0, -1))
    sideways = Axes.of(stack, "XCYZ")
    part = sideways.read(stack, (4,), (slice(1, 6), slice(0, 1)))
    np.testing.assert_array_equal(part, stack[0:1, :, 1:6, 4].transpose(2, 0, 1))
    labels = np.zeros(sideways.labels_shape, int)
    sideways.write(labels, (4,), np.full((5, 1), 7), (slice(1, 6), slice(0, 1)))
    assert labels.sum() == 35 and (labels[0, 1:6, 4] == 7).all()
