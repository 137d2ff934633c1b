"""The ``sd`` family's network and colorer; see `stable_diffusion` for the family."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import Tensor, nn

from napari_gen2seg.errors import WeightsError
from napari_gen2seg.models.base_colorer import BaseColorer
from napari_gen2seg.models.families.empty_prompt import empty_prompt
from napari_gen2seg.models.json_file import read_json
from napari_gen2seg.models.networks.guided_upsampling import guided_filter
from napari_gen2seg.models.networks.one_step import OneStepNet
from napari_gen2seg.models.networks.pretrained import load_part
from napari_gen2seg.models.networks.tensors import (
    pad,
    resize,
    resized_shape,
    stretch_fixed,
    stretch_published,
)

if TYPE_CHECKING:
    from pathlib import Path

    from napari_gen2seg.models.families.family import ModelFolder
    from napari_gen2seg.models.model_config import ModelConfig


def _tile(net: nn.Module, size: int) -> None:
    """Make the autoencoder work on tiles of ``size`` pixels of one image at a time.

    Tiles overlap by a quarter and are blended; their colours differ a little from
    those of the whole.
    """
    vae = cast("Any", net).vae
    vae.enable_slicing()
    vae.enable_tiling()
    vae.tile_sample_min_size = size
    vae.tile_latent_min_size = size // cast("OneStepNet", net).factor


class SdColorer(BaseColorer):
    """A loaded model of the ``sd`` family."""

    tile = staticmethod(_tile)

    def _forward(self, pictures: Tensor, resolution: int) -> Tensor:
        net = cast("OneStepNet", self.net)
        # 1. preprocess: longer side to the resolution, -1..1, padded
        height, width = pictures.shape[-2:]
        shape = resized_shape((height, width), resolution)
        resized = resize(pictures, shape)
        pixels = pad(resized * 2 - 1, math.lcm(self.config.multiple, net.factor))
        pixels = pixels.to(self._placed.torch_dtype)
        pixels = pixels.contiguous(memory_format=torch.channels_last)
        # 2. encode, denoise, decode; the prediction leaves in float32
        colors = net(pixels).float()
        # 3. unpad and stretch
        colors = colors[..., : shape[0], : shape[1]]
        if self.config.stretch == "fixed":
            values = stretch_fixed(colors)
        else:
            values = stretch_published(colors)
        # 4. the picture's own edges, for models that declare it
        if self.config.refine is not None:
            values = guided_filter(values, resized, self.config.refine).clamp(0, 255)
        return values


def import_classes() -> tuple[Any, Any]:
    """Import diffusers' autoencoder and UNet, which takes seconds the first time."""
    from diffusers import AutoencoderKL, UNet2DConditionModel

    return AutoencoderKL, UNet2DConditionModel


class MapNet(nn.Module):
    """The way from pixels (1, 3, s, s) in 0..1 to a map in 0..255, to be traced.

    Parameters
    ----------
    net
        The network.
    config
        Says how its predictions are stretched and refined.
    """

    def __init__(self, net: OneStepNet, config: ModelConfig) -> None:
        super().__init__()
        self.net = net
        self.config = config
        self.requires_grad_(False)

    def forward(self, pixels: Tensor) -> Tensor:
        """Return the map of one image."""
        colors = self.net(pixels * 2 - 1)
        fixed = self.config.stretch == "fixed"
        values = stretch_fixed(colors) if fixed else stretch_published(colors)
        if self.config.refine is not None:
            values = guided_filter(values, pixels, self.config.refine).clamp(0, 255)
        return values


def load_net(folder: ModelFolder, dtype: str) -> OneStepNet:
    """Load a latent diffusion folder; see `stable_diffusion.load_net`."""
    autoencoder_kl, unet_2d = import_classes()
    path, weights = folder.path, folder.weights
    config = read_json(path / "unet" / "config.json")
    # The text encoder comes and goes before the large parts are loaded.
    prompt = empty_prompt(path, config)
    vae = load_part(autoencoder_kl, path / "vae", weights["vae"], dtype)
    unet = load_part(unet_2d, path / "unet", weights["unet"], dtype)
    guides = folder.config.guides
    latent = int(cast("Any", vae).config.latent_channels)
    wanted = latent + (guides.channels if guides else 0)
    if int(config.get("in_channels", 4)) != wanted:
        raise WeightsError(
            f"The UNet of {path} takes {config.get('in_channels')} channels, but its "
            f"latent has {latent} and its guides {wanted - latent}: gen2seg.json and "
            "the weights do not belong together. Download or copy the model again."
        )
    return OneStepNet(
        unet, vae, prompt.to(getattr(torch, dtype)), alphas_bar(path), guides
    )


def alphas_bar(folder: Path) -> Tensor:
    """Return the cumulative products of a folder's noise schedule, float32 (T,)."""
    from diffusers import DDIMScheduler

    path = folder / "scheduler" / "scheduler_config.json"
    config = read_json(path)
    kind = config.get("prediction_type", "epsilon")
    if kind != "v_prediction":
        raise WeightsError(
            f"{path} has prediction type {kind!r}; a one-step colorer needs "
            "'v_prediction'."
        )
    try:
        scheduler = cast("Any", DDIMScheduler.from_config(config))
        products: Tensor = torch.as_tensor(scheduler.alphas_cumprod)
        usable = bool(torch.isfinite(products).all()) and products.ndim == 1
    except Exception as error:  # anything, of values that are none of its own
        raise WeightsError(
            f"{path} is no noise schedule that can be used ({type(error).__name__}: "
            f"{error}). Download or copy the model again."
        ) from error
    if not usable:
        raise WeightsError(
            f"{path} makes a noise schedule that is not finite. Download or copy the "
            "model again."
        )
    if len(products) < 1000:
        raise WeightsError(
            f"{path} has {len(products)} timesteps; a one-step colorer uses the last "
            "of 1000."
        )
    return products.float()
