"""Choose which files of a hub model to bring over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_gen2seg.errors import WeightsError, WrongFamilyError
from napari_gen2seg.models.prompt import PROMPT_NAME
from napari_gen2seg.models.weights import PICKLE_SUFFIXES

if TYPE_CHECKING:
    from collections.abc import Sequence

_TEXT = (".json", ".txt")
_SD_PARTS = ("unet", "vae", "scheduler", "text_encoder", "tokenizer")


def wanted_files(names: Sequence[str], repo: str) -> tuple[str, ...]:
    """Choose the files that loading needs: configurations and safetensors only.

    Raises
    ------
    WrongFamilyError
        If the files are no model of a known family.
    WeightsError
        If its weights are there only in an unsafe format.
    """
    every = set(names)
    if {"unet/config.json", "vae/config.json"} <= every:
        parts = [p for p in _SD_PARTS if any(n.startswith(f"{p}/") for n in names)]
        if PROMPT_NAME in every:
            parts = [p for p in parts if p not in ("text_encoder", "tokenizer")]
        chosen = {"model_index.json", "gen2seg.json", PROMPT_NAME} & every
        weighty = ["unet", "vae", *(p for p in ("text_encoder",) if p in parts)]
        for part in parts:
            inside = [n for n in names if n.startswith(f"{part}/")]
            chosen |= {n for n in inside if n.endswith(_TEXT)}
            chosen |= one_variant(inside)
        folders = [f"{part}/" for part in weighty]
    elif "config.json" in every:
        top = [n for n in names if "/" not in n]
        chosen = {n for n in top if n.endswith(".json")} | one_variant(top)
        folders = [""]
    else:
        raise WrongFamilyError(
            f"The hub's model {repo!r} is none this plugin can load: it has neither "
            "unet/ and vae/ folders (family 'sd') nor a config.json (family 'mae')."
        )
    for folder in folders:
        inside = [n for n in names if n.startswith(folder)]
        if not any(n in chosen and n.endswith(".safetensors") for n in inside):
            unsafe = [n for n in inside if n.endswith(PICKLE_SUFFIXES)]
            raise WeightsError(
                f"The hub's model {repo!r} has no .safetensors in "
                f"{folder or 'its main folder'}"
                + (
                    f", only {', '.join(unsafe)}, which can run code."
                    if unsafe
                    else "."
                )
                + " Only .safetensors files are loaded: ask its authors for them."
            )
    return tuple(sorted(chosen))


def one_variant(names: Sequence[str]) -> set[str]:
    """Choose the plain safetensors, or the fp16 ones where there are no others."""
    safe = [n for n in names if n.endswith(".safetensors")]
    plain = {n for n in safe if len(n.rsplit("/", 1)[-1].split(".")) == 2}
    half = {n for n in safe if n.endswith(".fp16.safetensors")}
    return plain or half
