"""Family ``sd``: one-step latent diffusion, the published SD model and mini alike."""

from __future__ import annotations

import math
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import Tensor, nn

from napari_gen2seg.errors import WeightsError, WrongFamilyError
from napari_gen2seg.models.base_colorer import BaseColorer
from napari_gen2seg.models.families.empty_prompt import empty_prompt
from napari_gen2seg.models.model_config import ModelConfig, read_json, read_model_config
from napari_gen2seg.models.networks.guided_upsampling import guided_filter
from napari_gen2seg.models.networks.one_step import OneStepNet
from napari_gen2seg.models.networks.tensors import (
    pad,
    resize,
    resized_shape,
    stretch_fixed,
    stretch_published,
)
from napari_gen2seg.models.weights import find_weights

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
        colors = net(pixels).float()
        # 3. unpad and stretch
        colors = colors[..., : shape[0], : shape[1]]
        if self.facts.stretch == "fixed":
            values = stretch_fixed(colors)
        else:
            values = stretch_published(colors)
        # 4. the picture's own edges, for models that declare it
        if self.facts.refine is not None:
            values = guided_filter(values, resized, self.facts.refine).clamp(0, 255)
        return values


def import_classes() -> tuple[Any, Any]:
    """Import diffusers' autoencoder and UNet, which takes seconds the first time."""
    from diffusers import AutoencoderKL, UNet2DConditionModel

    return AutoencoderKL, UNet2DConditionModel


def load_net(
    folder: Path, facts: ModelConfig | None = None, dtype: str = "float32"
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
    facts = facts or read_model_config(folder)
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


# Since these versions the keyword is ``dtype``; before, ``torch_dtype``.
_RENAMED = {"diffusers": (0, 42), "transformers": (4, 56)}


def load_part(kind: Any, folder: Path, dtype: str = "float32") -> nn.Module:
    """Load one part, with every tensor accounted for.

    Parameters
    ----------
    kind
        The diffusers or transformers class.
    folder
        Its folder, with ``config.json`` and safetensors.
    dtype
        Number type of the weights.

    Raises
    ------
    WrongFamilyError
        If ``config.json`` names another diffusers class.
    WeightsError
        If weights are missing, damaged, unsafe, or not those of the configuration.
    """
    named = read_json(folder / "config.json").get("_class_name")
    if named is not None and named != kind.__name__:
        raise WrongFamilyError(
            f"{folder / 'config.json'} describes a {named}; this plugin runs "
            f"{kind.__name__} here. Use a gen2seg model."
        )
    files = find_weights(folder)
    package = kind.__module__.split(".")[0]
    keywords: dict[str, Any] = {
        dtype_keyword(package): getattr(torch, dtype),
        "use_safetensors": True,
        "local_files_only": True,
        "output_loading_info": True,
        "variant": files.variant,
    }
    if package == "diffusers":
        keywords["low_cpu_mem_usage"] = find_spec("accelerate") is not None
    try:
        model, info = kind.from_pretrained(folder, **keywords)
    except (OSError, ValueError, RuntimeError, KeyError, TypeError) as error:
        if isinstance(error, MemoryError) or "allocate" in str(error):
            raise
        raise WeightsError(
            f"The weights in {folder} cannot be loaded: {_short(error)}. "
            "Download or copy the model again."
        ) from error
    missing = sorted(info.get("missing_keys", ()))
    if missing or info.get("mismatched_keys"):
        raise WeightsError(
            f"The weights in {folder} do not fit its config.json: "
            f"{len(missing)} tensors are missing ({', '.join(missing[:3])}) and "
            f"{len(info.get('mismatched_keys', ()))} have another shape. "
            "Download or copy the model again."
        )
    loaded: nn.Module = model
    return loaded


def dtype_keyword(package: str) -> str:
    """Return how ``from_pretrained`` of a package calls the number type."""
    try:
        parts = version(package).split(".")[:2]
        found = tuple(int(part) for part in parts)
    except (PackageNotFoundError, ValueError):
        return "dtype"
    return "dtype" if found >= _RENAMED.get(package, (0, 0)) else "torch_dtype"


def _short(error: BaseException) -> str:
    """Return the first line of an error, at most 300 characters."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0][:300].rstrip(".")
