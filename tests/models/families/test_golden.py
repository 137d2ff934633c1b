"""Parity with the published colorers, on tiny models of the same classes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from napari_gen2seg.models.loader import load_model

if TYPE_CHECKING:
    from pathlib import Path

SD = ("sd_astronaut_192", "sd_coffee_256", "sd_coins_320")
MAE = ("mae_astronaut", "mae_coffee", "mae_coins")


@pytest.mark.parametrize("name", SD)
def test_sd_matches_golden(name: str, fresh_sd: Path, data_folder: Path) -> None:
    golden = np.load(data_folder / f"{name}.npz")
    model = load_model(fresh_sd, device="cpu", dtype="fp32")
    coloring = model.color(golden["image"], int(golden["processing_resolution"]))
    assert coloring.values.shape == golden["prediction"].shape
    assert np.abs(coloring.values - golden["prediction"]).max() <= 0.5
    assert coloring.source_shape == golden["image"].shape[:2]


@pytest.mark.parametrize("name", MAE)
def test_mae_matches_golden(name: str, tiny_mae: Path, data_folder: Path) -> None:
    golden = np.load(data_folder / f"{name}.npz")
    model = load_model(tiny_mae, device="cpu", dtype="fp32")
    coloring = model.color(golden["image"])
    assert np.abs(coloring.values - golden["prediction"]).max() <= 0.5


def test_a_batch_equals_its_singles(tiny_sd: Path, data_folder: Path) -> None:
    image = np.load(data_folder / "sd_coffee_256.npz")["image"] / np.float32(255)
    pictures = [image, image[::-1].copy() * 0.3, image[:200]]
    model = load_model(tiny_sd, device="cpu", dtype="fp32")
    together = model.predict_many(pictures, 128)
    for one, picture in zip(together, pictures, strict=True):
        assert np.abs(one - model.predict_rgb(picture, 128)).max() < 0.05


def test_mae_sees_larger_squares_and_any_aspect(
    tiny_mae: Path, data_folder: Path
) -> None:
    image = np.load(data_folder / "sd_coffee_256.npz")["image"]
    coloring = load_model(tiny_mae, device="cpu").color(image, 128)
    assert coloring.values.shape == (128, 128, 3)
    assert coloring.source_shape == image.shape[:2]


def test_the_shape_of_mae_b_is_understood() -> None:
    torch = pytest.importorskip("torch")
    from transformers import ViTMAEConfig, ViTMAEForPreTraining

    from napari_gen2seg.models.families.mae_net import MaeNet

    with torch.device("meta"):
        net = MaeNet(ViTMAEForPreTraining(ViTMAEConfig()))  # the defaults are ViT-B
        out = net(torch.empty(1, 3, 224, 224))
    assert out.shape == (1, 3, 224, 224)
    assert 111e6 < sum(p.numel() for p in net.parameters()) < 113e6
