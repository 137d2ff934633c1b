"""The guided filter brings a blurred map's edges onto the picture's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional

from napari_gen2seg import load_model
from napari_gen2seg.errors import SettingsError
from napari_gen2seg.models.networks.guided_upsampling import Refine, guided_filter


def test_a_blurred_edge_becomes_the_pictures_edge() -> None:
    picture = torch.zeros(1, 3, 40, 40)
    picture[..., 20:] = 1
    sharp = picture * 200
    blurred = functional.avg_pool2d(sharp, 9, 1, 4, count_include_pad=False)
    found = guided_filter(blurred, picture, Refine(6, 1e-3))
    jump, before = (x[0, 0, 20, 20] - x[0, 0, 20, 19] for x in (found, blurred))
    assert jump > 3 * before


def test_a_flat_map_stays_as_it_is() -> None:
    values = torch.full((1, 3, 20, 24), 120.0)
    picture = torch.rand(1, 3, 20, 24, generator=torch.manual_seed(0))
    found = guided_filter(values, picture, Refine(3, 1e-3))
    torch.testing.assert_close(found, values, atol=0.05, rtol=0)


def test_a_flat_picture_only_smooths() -> None:
    values = torch.rand(1, 3, 20, 24, generator=torch.manual_seed(0)) * 255
    found = guided_filter(values, torch.full((1, 3, 20, 24), 0.5), Refine(2, 1e-3))
    assert float(found.std()) < float(values.std())
    assert float(found.mean()) == pytest.approx(float(values.mean()), rel=0.05)


def test_a_model_that_declares_the_filter_uses_it(
    make_mini: Callable[..., Path],
) -> None:
    image = np.zeros((48, 48), np.uint8)
    image[12:30, 12:30] = 200
    plain = load_model(make_mini()).color(image, 48)
    settings = {"radius": 4, "eps": 1e-3}
    filtered = load_model(make_mini(refine=settings)).color(image, 48)
    assert not np.array_equal(plain.values, filtered.values)
    assert filtered.values.min() >= 0 and filtered.values.max() <= 255


@pytest.mark.parametrize(
    "raw",
    [
        {},
        {"radius": 0, "eps": 1},
        {"radius": 2, "eps": 0},
        {"radius": 2, "eps": 1, "chroma": 2},
    ],
)
def test_settings_are_checked(raw: dict[str, float]) -> None:
    with pytest.raises(SettingsError, match="refine"):
        Refine.from_dict(raw)
