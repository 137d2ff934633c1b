"""Family ``sd``: one-step latent diffusion, the published SD model and mini alike."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import Tensor, nn

from napari_gen2seg.errors import WeightsError
from napari_gen2seg.models.base import BaseColorer
from napari_gen2seg.models.facts import ModelFacts, read_facts, read_json
from napari_gen2seg.models.onestep import OneStepNet
from napari_gen2seg.models.parts import load_part
from napari_gen2seg.models.pixels import (
    pad,
    resize,
    resized_shape,
    stretch_fixed,
    stretch_published,
)
from napari_gen2seg.models.prompt import empty_prompt
from napari_gen2seg.models.refine import guided_filter

if TYPE_CHECKING:
    from pathlib import Path


def _tile(net: nn.Module, size: int) -> None:
    """Make the autoencoder work on tiles of ``size`` pixels of one picture at a time.

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
        pixels = pad(resized * 2 - 1, math.lcm(self.facts.multiple, net.factor))
        pixels = pixels.to(self._placed.torch_dtype)
        pixels = pixels.contiguous(memory_format=torch.channels_last)
        # 2. encode, denoise, decode; the prediction leaves in float32
        colours = net(pixels).float()
        # 3. unpad and stretch
        colours = colours[..., : shape[0], : shape[1]]
        if self.facts.stretch == "fixed":
            values = stretch_fixed(colours)
        else:
            values = stretch_published(colours)
        # 4. the picture's own edges, for models that declare it
        if self.facts.refine is not None:
            values = guided_filter(values, resized, self.facts.refine).clamp(0, 255)
        return values


def import_classes() -> tuple[Any, Any]:
    """Import diffusers' autoencoder and UNet, which takes seconds the first time."""
    from diffusers import AutoencoderKL, UNet2DConditionModel

    return AutoencoderKL, UNet2DConditionModel


def load_net(
    folder: Path, facts: ModelFacts | None = None, dtype: str = "float32"
) -> OneStepNet:
    """Load a latent diffusion folder as one network on the CPU.

    Parameters
    ----------
    folder
        Diffusers layout: ``unet/``, ``vae/``, ``scheduler/`` and either
        ``empty_prompt.safetensors`` or ``text_encoder/`` and ``tokenizer/``.
    facts
        The folder's facts; read from it when None.
    dtype
        Number type of the weights.

    Raises
    ------
    WeightsError
        If something is missing, damaged or does not fit together.
    WrongFamilyError
        If the folder holds another kind of model.
    """
    autoencoder_kl, unet_2d = import_classes()
    facts = facts or read_facts(folder)
    config = read_json(folder / "unet" / "config.json")
    # The text encoder comes and goes before the large parts are loaded.
    prompt = empty_prompt(folder, config)
    vae = load_part(autoencoder_kl, folder / "vae", dtype)
    unet = load_part(unet_2d, folder / "unet", dtype)
    guides = facts.guides
    latent = int(cast("Any", vae).config.latent_channels)
    wanted = latent + (guides.channels if guides else 0)
    if int(config.get("in_channels", 4)) != wanted:
        raise WeightsError(
            f"The UNet of {folder} takes {config.get('in_channels')} channels, but its "
            f"latent has {latent} and its guides {wanted - latent}: gen2seg.json and "
            "the weights do not belong together. Download or copy the model again."
        )
    return OneStepNet(
        unet, vae, prompt.to(getattr(torch, dtype)), alphas_bar(folder), guides
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
    scheduler = cast("Any", DDIMScheduler.from_config(config))
    products: Tensor = scheduler.alphas_cumprod
    if len(products) < 1000:
        raise WeightsError(
            f"{path} has {len(products)} timesteps; a one-step colorer uses the last "
            "of 1000."
        )
    return products.float()
