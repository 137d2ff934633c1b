"""Model folders of one's own, that a test may write to and damage."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def fresh_sd(tiny_sd: Path, tmp_path: Path) -> Path:
    """Return a copy of the tiny ``sd`` model without a saved empty prompt."""
    folder = tmp_path / "tiny-sd"
    shutil.copytree(tiny_sd, folder, ignore=shutil.ignore_patterns("empty_prompt*"))
    return folder


@pytest.fixture
def fresh_mae(tiny_mae: Path, tmp_path: Path) -> Path:
    """Return a copy of the tiny ``mae`` model."""
    folder = tmp_path / "tiny-mae"
    shutil.copytree(tiny_mae, folder)
    return folder


@pytest.fixture
def make_mini(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that saves a random model shaped as mini is.

    Real classes at tiny size, position guides, no cross-attention and so no prompt.
    """

    def make(guides: dict[str, object] | None = None, **facts: object) -> Path:
        import torch
        from diffusers import AutoencoderKL, DDIMScheduler, UNet2DConditionModel

        from napari_gen2seg.models.networks.position_guides import Guides

        torch.manual_seed(0)
        extra = Guides.from_dict(guides).channels if guides else 0
        unet = UNet2DConditionModel(
            in_channels=4 + extra,
            out_channels=4,
            block_out_channels=(16, 24),
            down_block_types=("DownBlock2D", "DownBlock2D"),
            mid_block_type="UNetMidBlock2D",
            up_block_types=("UpBlock2D", "UpBlock2D"),
            layers_per_block=1,
            cross_attention_dim=8,
            norm_num_groups=8,
        )
        vae = AutoencoderKL(
            block_out_channels=(8, 8, 16),
            down_block_types=("DownEncoderBlock2D",) * 3,
            up_block_types=("UpDecoderBlock2D",) * 3,
            layers_per_block=1,
            latent_channels=4,
            norm_num_groups=8,
            mid_block_add_attention=False,
        )
        folder = tmp_path / "made-mini"
        unet.save_pretrained(folder / "unet")
        vae.save_pretrained(folder / "vae")
        DDIMScheduler(
            beta_start=0.00085,
            beta_end=0.012,
            beta_schedule="scaled_linear",
            prediction_type="v_prediction",
            timestep_spacing="trailing",
        ).save_pretrained(folder / "scheduler")
        written = {"format_version": 1, "id": "made", "family": "sd", **facts}
        if guides:
            written["guides"] = guides
        (folder / "gen2seg.json").write_text(json.dumps(written))
        return folder

    return make
