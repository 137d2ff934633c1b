"""Family ``mae``: a masked autoencoder that sees the whole image.

Any ``ViTMAEForPreTraining`` shape: ViT-H with patch 14 as published, ViT-B with
patch 16. The picture is brought to the model's square, whatever its aspect ratio.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from napari_gen2seg.models.families.family import (
    CropDefaults,
    Family,
    FamilyTraining,
    SelectedFiles,
    TrainableParts,
    select_top_files,
)
from napari_gen2seg.models.json_file import read_json
from napari_gen2seg.models.weights import stored_dtype

if TYPE_CHECKING:
    from torch import Tensor, nn

    from napari_gen2seg.models.base_colorer import BaseColorer
    from napari_gen2seg.models.families.family import ModelFolder
    from napari_gen2seg.models.families.mae_net import MaeNet
    from napari_gen2seg.models.model_config import ModelConfig

_SIDE = 224  # pixels, of ViT-MAE as published
# Fixed sine and cosine tables, and what masking alone needs, are no weights to train.
_FIXED = ("position_embeddings", "decoder_pos_embed", "mask_token")


def load_net(folder: ModelFolder, dtype: str = "float32") -> MaeNet:
    """Load a ViT-MAE folder as one network on the CPU.

    Raises
    ------
    WeightsError
        If something is missing, damaged or does not fit together.
    """
    from napari_gen2seg.models.families import mae_net

    return mae_net.load_net(folder, dtype)


def _detect(folder: Path) -> bool:
    config = folder / "config.json"
    return config.is_file() and read_json(config).get("model_type") == "vit_mae"


def _defaults(folder: Path, _published: bool) -> dict[str, int | None]:
    config = read_json(folder / "config.json")
    side = int(config.get("image_size", _SIDE))
    return {
        "default_resolution": side,
        "min_resolution": side,
        "max_resolution": side,
        "multiple": int(config.get("patch_size", 16)),
    }


def _select_files(names: Collection[str]) -> SelectedFiles | None:
    return select_top_files(names, "config.json")


def _fixed_input_size(config: ModelConfig) -> int | None:
    return config.default_resolution or _SIDE


def _load(folder: ModelFolder, dtype: str) -> nn.Module:
    return load_net(folder, dtype)


def _colorer_class() -> type[BaseColorer]:
    from napari_gen2seg.models.families.mae_net import MaeColorer

    return MaeColorer


def _work_bytes(folder: ModelFolder, resolution: int | None, size: int) -> int:
    config = read_json(folder.path / "config.json")
    side = resolution or folder.config.default_resolution or _SIDE
    tokens = (side // int(config.get("patch_size", 16))) ** 2 + 1
    width = int(config.get("intermediate_size", 3072))
    heads = int(config.get("num_attention_heads", 12))
    return size * tokens * (8 * width + heads * tokens)


def _load_map_net(folder: ModelFolder) -> nn.Module:
    from napari_gen2seg.models.families.mae_net import MapNet

    return MapNet(load_net(folder))


# -- training -----------------------------------------------------------------


def _parts(net: nn.Module, _config: ModelConfig) -> TrainableParts:
    mae = cast("MaeNet", net)
    decoder = cast("Any", mae.vit).decoder
    layers = list(decoder.decoder_layers)
    return TrainableParts(
        main=mae.vit,
        full=tuple(p for n, p in mae.named_parameters() if not n.endswith(_FIXED)),
        last=(
            *layers[-max(1, len(layers) // 4) :],
            decoder.decoder_norm,
            decoder.decoder_pred,
        ),
        checkpointed=(mae.vit,),
        multiple=mae.patch_size,
        fixed_side=mae.image_size,
    )


def _predict(
    net: nn.Module,
    _config: ModelConfig,
    pixels: Tensor,
    _origin: Tensor,
    _latent_term: bool,
) -> Tensor:
    from napari_gen2seg.models.networks.tensors import stretch_in_training

    vit = cast("MaeNet", net).vit
    return stretch_in_training(net(pixels.to(next(vit.parameters()).dtype)).float())


def _crops(config: ModelConfig, _on_cpu: bool) -> CropDefaults:
    return CropDefaults(config.default_resolution or _SIDE, 8, 1)


def _save_weights(net: nn.Module, base: Path, target: Path) -> None:
    import torch

    vit = cast("Any", net).vit
    vit.to(getattr(torch, stored_dtype(base))).save_pretrained(target)


MAE = Family(
    name="mae",
    title="masked autoencoder",
    layout="a config.json of model type 'vit_mae'",
    detect=_detect,
    defaults=_defaults,
    select_files=_select_files,
    fixed_input_size=_fixed_input_size,
    load_net=_load,
    colorer_class=_colorer_class,
    work_bytes=_work_bytes,
    load_map_net=_load_map_net,
    training=FamilyTraining(
        load_net=_load,
        parts=_parts,
        predict=_predict,
        crops=_crops,
        save_weights=_save_weights,
        # Attention as transformers names it, before and since its version 5.
        lora_targets=re.compile(
            r"(^|\.)attention(\.attention)?\."
            r"(query|key|value|q_proj|k_proj|v_proj|o_proj|output\.dense)$"
        ),
    ),
)
