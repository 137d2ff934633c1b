"""Low-rank additions to a network's attention, by peft, and their way back into it."""

from __future__ import annotations

import re
from typing import Any, cast

import torch
from torch import nn

from napari_gen2seg.errors import SettingsError

RANK = 16


def attention_layers(part: nn.Module, targets: re.Pattern[str] | None) -> list[str]:
    """Return the names of the linear layers of all attention.

    Parameters
    ----------
    part
        Of a network.
    targets
        How the model's family names them; None where it has none.
    """
    if targets is None:
        return []
    return [
        name
        for name, module in part.named_modules()
        if isinstance(module, nn.Linear) and targets.search(name)
    ]


def add_lora(
    part: nn.Module, names: list[str], seed: int = 0, rank: int = RANK
) -> None:
    """Add trainable low-rank matrices, float32, that change nothing at first.

    Parameters
    ----------
    part
        Of a network.
    names
        The layers to add to; see `attention_layers`.
    seed
        Of the random ones among the matrices.
    rank
        Their inner size.

    Raises
    ------
    SettingsError
        If there is no attention, or peft is not installed.
    """
    if not names:
        raise SettingsError(
            "This model has no attention layers for LoRA to add to. Choose 'last' or "
            "'full' for what is trained."
        )
    try:
        from peft import LoraConfig, inject_adapter_in_model
    except ImportError as error:
        raise SettingsError(
            "LoRA needs the package peft: pip install 'napari-gen2seg[train]'. Or "
            "choose 'last' or 'full' for what is trained."
        ) from error
    # The first matrices are random: of the seed, whatever was drawn before.
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        inject_adapter_in_model(
            LoraConfig(r=rank, lora_alpha=rank, target_modules=names), part
        )
    for name, parameter in part.named_parameters():
        ours = "lora_" in name
        parameter.requires_grad_(ours)
        if ours:
            parameter.data = parameter.data.float()


def merge_lora(part: nn.Module) -> None:
    """Work the additions into the weights and leave the network as it was built."""
    from peft.tuners.tuners_utils import BaseTunerLayer

    for name, module in list(part.named_modules()):
        if not isinstance(module, BaseTunerLayer):
            continue
        layer = cast("Any", module)
        # In float32: a small addition to a bfloat16 weight would be rounded away.
        layer.get_base_layer().float()
        layer.merge()
        path, _, leaf = name.rpartition(".")
        parent = part.get_submodule(path)
        if isinstance(parent, nn.ModuleList | nn.Sequential):
            cast("Any", parent)[int(leaf)] = layer.get_base_layer()
        else:
            setattr(parent, leaf, layer.get_base_layer())
