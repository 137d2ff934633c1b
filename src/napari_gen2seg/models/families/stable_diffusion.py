"""Family ``sd``: one-step latent diffusion, the published SD model and mini alike.

A folder in diffusers layout: ``unet/``, ``vae/``, ``scheduler/`` and either
``empty_prompt.safetensors`` or ``text_encoder/`` and ``tokenizer/``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from napari_gen2seg.errors import WeightsError
from napari_gen2seg.models.families.empty_prompt import PROMPT_KEY, PROMPT_NAME
from napari_gen2seg.models.families.family import (
    CropDefaults,
    Family,
    FamilyTraining,
    SelectedFiles,
    TrainableParts,
)
from napari_gen2seg.models.json_file import read_json
from napari_gen2seg.models.weights import one_variant, stored_dtype

if TYPE_CHECKING:
    from torch import Tensor, nn

    from napari_gen2seg.models.base_colorer import BaseColorer
    from napari_gen2seg.models.families.family import ModelFolder
    from napari_gen2seg.models.model_config import ModelConfig
    from napari_gen2seg.models.networks.one_step import OneStepNet

# Buffers alive at once, measured; see `models.runtime.memory`.
_DECODER_BUFFERS = 10
_UNET_BUFFERS = 20

# Needed for the empty prompt alone, which is saved once and for all.
_PROMPT_PARTS = ("text_encoder", "tokenizer")
_CONFIG_SUFFIXES = (".json", ".txt")


def load_net(folder: ModelFolder, dtype: str = "float32") -> OneStepNet:
    """Load a latent diffusion folder as one network on the CPU.

    Parameters
    ----------
    folder
        In diffusers layout, see above.
    dtype
        Number type of the weights.

    Raises
    ------
    WeightsError
        If something is missing, damaged or does not fit together.
    WrongFamilyError
        If the folder holds another kind of model.
    """
    from napari_gen2seg.models.families import stable_diffusion_net

    return stable_diffusion_net.load_net(folder, dtype)


def _detect(folder: Path) -> bool:
    return all((folder / part / "config.json").is_file() for part in ("unet", "vae"))


def _defaults(_folder: Path, published: bool) -> dict[str, int | None]:
    return {
        "default_resolution": 768 if published else None,
        "min_resolution": 256,
        "max_resolution": 1024,
        "multiple": 8,
    }


def _select_files(names: Collection[str]) -> SelectedFiles | None:
    every = set(names)
    if not {"unet/config.json", "vae/config.json"} <= every:
        return None
    chosen = {"model_index.json", "gen2seg.json", PROMPT_NAME} & every
    parts = ["unet", "vae", "scheduler"]
    weighty = ["unet/", "vae/"]
    if PROMPT_NAME not in every:
        parts += _PROMPT_PARTS
        if any(name.startswith("text_encoder/") for name in names):
            weighty.append("text_encoder/")
    for part in parts:
        inside = [name for name in names if name.startswith(f"{part}/")]
        chosen |= {name for name in inside if name.endswith(_CONFIG_SUFFIXES)}
        chosen |= one_variant(inside)
    return SelectedFiles(frozenset(chosen), tuple(weighty))


def _load(folder: ModelFolder, dtype: str) -> nn.Module:
    return load_net(folder, dtype)


def _colorer_class() -> type[BaseColorer]:
    from napari_gen2seg.models.families.stable_diffusion_net import SdColorer

    return SdColorer


def _work_bytes(folder: ModelFolder, resolution: int | None, size: int) -> int:
    """Take the larger of the decoder's end and the UNet, as measured."""
    side = resolution or folder.config.default_resolution or 512
    widths = _widths(folder.path / "vae" / "config.json")
    factor = 2 ** (len(widths) - 1)
    unet = _widths(folder.path / "unet" / "config.json")[0]
    per_pixel = max(widths[0] * _DECODER_BUFFERS, unet * _UNET_BUFFERS // factor**2)
    return side * side * per_pixel * size


def _widths(path: Path) -> list[int]:
    """Return the channels of a part's blocks."""
    widths = read_json(path).get("block_out_channels")
    good = isinstance(widths, list) and 0 < len(widths) < 20
    if not good or not all(type(n) is int and n > 0 for n in cast("list[Any]", widths)):
        raise WeightsError(
            f"{path} has block_out_channels {widths!r}; it must be a list of whole "
            "numbers. Download or copy the model again."
        )
    return cast("list[int]", widths)


def _load_map_net(folder: ModelFolder) -> nn.Module:
    from napari_gen2seg.models.families.stable_diffusion_net import MapNet

    return MapNet(load_net(folder), folder.config)


def _compiled_parts(net: nn.Module) -> tuple[nn.Module, ...]:
    one_step = cast("Any", net)
    return one_step.unet, one_step.vae.encoder, one_step.vae.decoder


# -- training -----------------------------------------------------------------


def _load_for_training(folder: ModelFolder, dtype: str) -> nn.Module:
    from napari_gen2seg.models.networks.shifted_guides import ShiftedGuidesNet

    plain = load_net(folder, dtype)
    return ShiftedGuidesNet(
        plain.unet, plain.vae, plain.prompt, plain.alphas_bar, plain.guides
    )


def _parts(net: nn.Module, config: ModelConfig) -> TrainableParts:
    one_step = cast("OneStepNet", net)
    unet = cast("Any", one_step.unet)
    blocks = list(unet.up_blocks)
    # A model with position guides is of our own small kind: all of it is trained. Of
    # Stable Diffusion the UNet is, as published.
    guided = config.guides is not None
    return TrainableParts(
        main=unet,
        full=tuple(one_step.color_parameters() if guided else unet.parameters()),
        last=(
            *blocks[-min(2, max(1, len(blocks) // 2)) :],
            unet.conv_norm_out,
            unet.conv_out,
        ),
        checkpointed=(unet, one_step.vae),
        multiple=max(config.multiple, one_step.factor),
    )


def _predict(
    net: nn.Module,
    config: ModelConfig,
    pixels: Tensor,
    origin: Tensor,
    latent_term: bool,
) -> Tensor:
    import torch

    from napari_gen2seg.models.networks.shifted_guides import ShiftedGuidesNet
    from napari_gen2seg.models.networks.tensors import stretch_in_training

    shifted = cast("ShiftedGuidesNet", net)
    shifted.origin = origin if config.guides is not None else None
    pixels = (pixels * 2 - 1).contiguous(memory_format=torch.channels_last)
    try:
        seen = pixels.to(next(shifted.vae.parameters()).dtype)
        colors: Tensor = shifted(seen, latent_term=latent_term).float()
    finally:
        shifted.origin = None
    if config.stretch == "fixed":
        return (colors + 1) * 127.5
    return stretch_in_training(colors)


def _crops(config: ModelConfig, on_cpu: bool) -> CropDefaults:
    if config.guides is not None:
        return CropDefaults(96, 6, 1) if on_cpu else CropDefaults(192, 16, 1)
    return CropDefaults(384, 2, 1) if on_cpu else CropDefaults(512, 2, 4)


def _save_weights(net: nn.Module, base: Path, target: Path) -> None:
    import torch
    from safetensors.torch import save_file

    one_step = cast("OneStepNet", net)
    for name, part in (("unet", one_step.unet), ("vae", one_step.vae)):
        dtype: torch.dtype = getattr(torch, stored_dtype(base / name))
        tensors = {
            key: (value.to(dtype) if value.is_floating_point() else value).contiguous()
            for key, value in part.state_dict().items()
        }
        save_file(
            tensors,
            target / name / "diffusion_pytorch_model.safetensors",
            {"format": "pt"},
        )
    prompt = {PROMPT_KEY: one_step.prompt.detach().float().cpu().contiguous()}
    save_file(prompt, target / PROMPT_NAME)
    index = target / "model_index.json"
    if index.is_file():
        listed = json.loads(index.read_text(encoding="utf-8"))
        for name in _PROMPT_PARTS:
            if name in listed:
                listed[name] = [None, None]
        index.write_text(json.dumps(listed, indent=2) + "\n", encoding="utf-8")


SD = Family(
    name="sd",
    title="one-step latent diffusion",
    layout="unet/config.json and vae/config.json",
    detect=_detect,
    defaults=_defaults,
    select_files=_select_files,
    parts=("unet", "vae"),
    optional_parts=("text_encoder",),
    needed_files=("scheduler/scheduler_config.json",),
    load_net=_load,
    colorer_class=_colorer_class,
    work_bytes=_work_bytes,
    load_map_net=_load_map_net,
    compiled_parts=_compiled_parts,
    training=FamilyTraining(
        load_net=_load_for_training,
        parts=_parts,
        predict=_predict,
        crops=_crops,
        save_weights=_save_weights,
        # Attention as diffusers names it.
        lora_targets=re.compile(r"(^|\.)(to_q|to_k|to_v|to_out\.0)$"),
        not_copied=_PROMPT_PARTS,
    ),
)
