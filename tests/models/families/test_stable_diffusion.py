"""Guides, fixed stretch, padding multiples and the trainer's view of the network."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from napari_gen2seg.errors import SettingsError, WeightsError
from napari_gen2seg.models.loader import load_model
from napari_gen2seg.models.model_folder import read_model_folder
from napari_gen2seg.models.networks.position_guides import guide_channels

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

GUIDES = {"wavelengths": [32, 128], "directions": 3}


def test_guide_channels_follow_their_formula() -> None:
    got = guide_channels(GUIDES, 40, 24, 4)
    assert got.shape == (12, 10, 6)
    assert got.dtype == np.float32
    # second wavelength, third direction: sine at channel 2 * (1 * 3 + 2)
    y, x, angle = (7 + 0.5) * 4, (2 + 0.5) * 4, 2 * np.pi / 3
    phase = 2 * np.pi * (x * np.cos(angle) + y * np.sin(angle)) / 128
    assert got[10, 7, 2] == pytest.approx(np.sin(phase), abs=1e-6)
    assert got[11, 7, 2] == pytest.approx(np.cos(phase), abs=1e-6)


@pytest.mark.parametrize(
    "bad", [{}, {"wavelengths": [], "directions": 2}, {"wavelengths": [0]}]
)
def test_bad_guides_are_named(bad: dict[str, object]) -> None:
    with pytest.raises(SettingsError, match="guides"):
        guide_channels(bad, 8, 8, 8)


def test_guides_reach_the_network(make_mini: Callable[..., Path]) -> None:
    folder = make_mini(GUIDES, stretch="fixed", multiple=16, min_resolution=32)
    model = load_model(folder, device="cpu", dtype="fp32")
    flat = np.full((50, 70, 3), 0.5, np.float32)
    values = model.predict_rgb(flat, 70)
    assert values.shape == (50, 70, 3)
    # Away from the rim an even picture gives an even map, unless positions are seen.
    assert values[20:30, 20:50].std(axis=(0, 1)).max() > 0.05
    assert model.net.guides is not None


def test_fixed_stretch_keeps_absolute_colours(make_mini: Callable[..., Path]) -> None:
    import torch

    folder = make_mini(stretch="fixed")
    model = load_model(folder, device="cpu", dtype="fp32")
    rgb = np.random.default_rng(0).random((64, 64, 3), np.float32)
    with torch.inference_mode():
        pixels = torch.from_numpy(rgb).permute(2, 0, 1)[None] * 2 - 1
        raw = model.net(pixels)[0].permute(1, 2, 0).numpy()
    expected = np.clip((raw + 1) / 2, 0, 1) * 255
    assert np.abs(model.predict_rgb(rgb, 64) - expected).max() < 0.02


def test_published_stretch_reaches_both_ends(make_mini: Callable[..., Path]) -> None:
    values = load_model(make_mini(), device="cpu").predict_rgb(
        np.random.default_rng(0).random((64, 48, 3), np.float32), 64
    )
    assert values.min() == pytest.approx(0, abs=1e-3)
    assert values.max() == pytest.approx(255, abs=1e-3)


def test_guides_that_do_not_fit_the_unet(make_mini: Callable[..., Path]) -> None:
    folder = make_mini(GUIDES)
    text = (folder / "gen2seg.json").read_text()
    (folder / "gen2seg.json").write_text(text.replace("[32, 128]", "[32]"))
    with pytest.raises(WeightsError, match="channels"):
        load_model(folder, device="cpu")


def test_the_trainer_can_differentiate(make_mini: Callable[..., Path]) -> None:
    import torch

    from napari_gen2seg.models.families.stable_diffusion import load_net

    net = load_net(read_model_folder(make_mini(GUIDES)))
    net.vae.requires_grad_(False)
    pixels = torch.rand(2, 3, 32, 32) * 2 - 1
    net(pixels, latent_term=False).square().mean().backward()
    assert net.unet.conv_in.weight.grad.abs().sum() > 0
    latent = net.encode(pixels)
    abar = float(net.alphas_bar[999])
    with torch.no_grad():
        difference = net.denoise(latent) - net.denoise(latent, latent_term=False)
    assert torch.allclose(difference, abar**0.5 * latent, atol=1e-5)
    assert net.velocity(latent, torch.tensor([3, 500])).shape == latent.shape
