"""Build the untrained parts of a small ``sd``-family model."""

from __future__ import annotations

from typing import Any

import torch

from napari_gen2seg.models.networks.one_step import OneStepNet
from napari_gen2seg.models.networks.position_guides import Guides
from napari_gen2seg.train.mini.config import ArchitectureConfig

# Stable Diffusion 2's schedule (its scheduler_config.json), v-prediction.
SCHEDULE: dict[str, Any] = {
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "num_train_timesteps": 1000,
    "prediction_type": "v_prediction",
    "timestep_spacing": "trailing",
    "clip_sample": False,
    "set_alpha_to_one": False,
    "steps_offset": 1,
}


def guides_of(config: ArchitectureConfig) -> Guides | None:
    """Return the guides a model is built with, or None."""
    if not config.wavelengths:
        return None
    return Guides(tuple(config.wavelengths), config.directions)


def build_autoencoder(config: ArchitectureConfig) -> torch.nn.Module:
    """Build the ``AutoencoderKL``, untrained."""
    from diffusers import AutoencoderKL

    levels = len(config.vae_channels)
    vae: torch.nn.Module = AutoencoderKL(
        in_channels=3,
        out_channels=3,
        down_block_types=("DownEncoderBlock2D",) * levels,
        up_block_types=("UpDecoderBlock2D",) * levels,
        block_out_channels=tuple(config.vae_channels),
        layers_per_block=1,
        latent_channels=config.latent_channels,
        norm_num_groups=config.groups,
        sample_size=256,
        scaling_factor=1.0,
        mid_block_add_attention=False,
    )
    return vae


def build_unet(config: ArchitectureConfig) -> torch.nn.Module:
    """Build the ``UNet2DConditionModel``, untrained: attention at the coarsest only."""
    from diffusers import UNet2DConditionModel

    guides = guides_of(config)
    plain = len(config.unet_channels) - config.attention_levels
    unet: torch.nn.Module = UNet2DConditionModel(
        sample_size=128,
        in_channels=config.latent_channels + (guides.channels if guides else 0),
        out_channels=config.latent_channels,
        down_block_types=("DownBlock2D",) * plain
        + ("CrossAttnDownBlock2D",) * config.attention_levels,
        up_block_types=("CrossAttnUpBlock2D",) * config.attention_levels
        + ("UpBlock2D",) * plain,
        block_out_channels=tuple(config.unet_channels),
        layers_per_block=config.layers_per_block,
        cross_attention_dim=config.prompt_dim,
        attention_head_dim=8,
        norm_num_groups=config.groups,
    )
    return unet


def build_net(config: ArchitectureConfig) -> OneStepNet:
    """Build a whole untrained model, with a zero embedding for the empty prompt."""
    from diffusers import DDIMScheduler

    scheduler = DDIMScheduler(**SCHEDULE)
    net = OneStepNet(
        unet=build_unet(config),
        vae=build_autoencoder(config),
        prompt=torch.zeros(1, 2, config.prompt_dim),
        alphas_bar=scheduler.alphas_cumprod,
        guides=guides_of(config),
    )
    return net.to(memory_format=torch.channels_last)
