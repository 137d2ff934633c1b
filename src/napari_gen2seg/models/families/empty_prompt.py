"""The embedding of the empty prompt, computed once and kept.

A published Stable Diffusion folder carries a text encoder of 340 million values that
is needed for one thing only: the embedding of the empty prompt, a few kilobytes. It
is computed the first time, saved beside the model (or in the cache folder when that
is read-only), and the encoder is never loaded again.
"""

from __future__ import annotations

import gc
import hashlib
from typing import TYPE_CHECKING, Any

from napari_gen2seg.common.atomic import replacing
from napari_gen2seg.common.user_dirs import cache_dir
from napari_gen2seg.errors import WeightsError
from napari_gen2seg.models.weights import find_weights

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

PROMPT_NAME = "empty_prompt.safetensors"
PROMPT_KEY = "embedding"


def empty_prompt(folder: Path, unet_config: dict[str, Any]) -> Tensor:
    """Return the empty prompt's embedding for a model folder.

    Parameters
    ----------
    folder
        A diffusers folder.
    unet_config
        ``unet/config.json``.

    Returns
    -------
    Tensor, float32, shape (1, tokens, dim)
        From ``empty_prompt.safetensors`` beside the model, from the cache, or computed
        by the folder's text encoder; zeros for a UNet that listens to no prompt.

    Raises
    ------
    WeightsError
        If none of these is there, or the embedding does not fit the UNet.
    """
    beside = folder / PROMPT_NAME
    dim = unet_config.get("cross_attention_dim")
    for place in (beside, _cache_place(folder)):
        if place is not None and place.is_file():
            return _fitting(_read(place), dim, place)
    if (folder / "text_encoder" / "config.json").is_file():
        embedding = _fitting(_compute(folder), dim, folder / "text_encoder")
        _keep(embedding, beside, _cache_place(folder))
        return embedding
    if not listens(unet_config):
        import torch

        return torch.zeros(1, 1, int(dim) if isinstance(dim, int) else 1)
    raise WeightsError(
        f"The model {folder} has neither {PROMPT_NAME} nor a text_encoder folder, and "
        "its UNet needs the empty prompt. Copy one of the two into the folder."
    )


def listens(unet_config: dict[str, Any]) -> bool:
    """Tell whether a UNet has any cross-attention to a prompt."""
    blocks = [
        *unet_config.get("down_block_types", ()),
        *unet_config.get("up_block_types", ()),
        unet_config.get("mid_block_type", "UNetMidBlock2DCrossAttn") or "",
    ]
    return any("CrossAttn" in block for block in blocks)


def _read(path: Path) -> Tensor:
    """Read a saved embedding."""
    from safetensors.torch import load_file

    try:
        return load_file(path)[PROMPT_KEY].float()
    except Exception as error:  # a damaged file, or one of another kind
        raise WeightsError(
            f"The saved empty prompt {path} cannot be read ({error}). Delete it; it is "
            "made again from the text encoder."
        ) from error


def _fitting(embedding: Tensor, dim: object, place: Path) -> Tensor:
    """Check that an embedding fits the UNet."""
    if embedding.ndim != 3 or (isinstance(dim, int) and embedding.shape[-1] != dim):
        raise WeightsError(
            f"The empty prompt of {place} has shape {tuple(embedding.shape)}; the UNet "
            f"needs (1, tokens, {dim}). The text encoder and the UNet do not belong "
            "together: download or copy the model again."
        )
    return embedding


def _compute(folder: Path) -> Tensor:
    """Run the text encoder once on the empty prompt, without padding."""
    import torch
    from transformers import CLIPTextModel, CLIPTokenizer

    part = find_weights(folder / "text_encoder")
    try:
        tokenizer = CLIPTokenizer.from_pretrained(
            folder / "tokenizer", local_files_only=True
        )
        encoder = CLIPTextModel.from_pretrained(
            folder / "text_encoder",
            local_files_only=True,
            use_safetensors=True,
            variant=part.variant,
            dtype=torch.float32,
        )
    except Exception as error:  # damaged files make them raise anything
        raise WeightsError(
            f"The text encoder or tokenizer of {folder} cannot be loaded ({error}). "
            "Download or copy the model again."
        ) from error
    tokens = tokenizer("", padding="do_not_pad", return_tensors="pt").input_ids
    with torch.no_grad():
        embedding: Tensor = encoder.eval()(tokens)[0].clone()
    del encoder
    gc.collect()
    return embedding


def _keep(embedding: Tensor, beside: Path, cached: Path | None) -> None:
    """Save the embedding beside the model, else in the cache; neither is an error."""
    from safetensors.torch import save

    data = save({PROMPT_KEY: embedding.contiguous()})
    for place in (beside, cached):
        if place is None:
            continue
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            with replacing(place) as draft:
                draft.write_bytes(data)
        except OSError:
            continue
        return


def _cache_place(folder: Path) -> Path | None:
    """Return the embedding's place in the cache, named by what it is made from."""
    encoder = folder / "text_encoder"
    if not encoder.is_dir():
        return None
    digest = hashlib.sha256()
    for path in sorted([*encoder.iterdir(), *(folder / "tokenizer").glob("*")]):
        if path.is_file():
            digest.update(f"{path.name}:{path.stat().st_size}:".encode())
            with path.open("rb") as stream:
                # Weights: the header and the first values tell models apart.
                digest.update(stream.read(1 << 20))
    return cache_dir() / "prompts" / f"{digest.hexdigest()[:32]}.safetensors"
