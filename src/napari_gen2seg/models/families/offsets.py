"""Family ``offsets``: a pretrained encoder that points to the centers of objects.

The folder holds ``config.json`` (shape of the network) and ``model.safetensors``.
The coloring map is painted from the pointers, see `networks.offset_painting`.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from napari_gen2seg.models.families.family import (
    CropDefaults,
    Family,
    FamilyTraining,
    OwnLoss,
    SelectedFiles,
    TrainableParts,
    select_top_files,
)
from napari_gen2seg.models.json_file import read_json

if TYPE_CHECKING:
    from torch import Tensor, nn

    from napari_gen2seg.models.base_colorer import BaseColorer
    from napari_gen2seg.models.families.family import ModelFolder
    from napari_gen2seg.models.model_config import ModelConfig
    from napari_gen2seg.models.networks.offset_net import OffsetNet


_MULTIPLE = 32  # px, of its sides
# Of what was learnt: three images make the map better for their like, and a little
# worse for what the model knew. Half of the way keeps most of the one and loses less.
_SHARE = 0.5


def load_net(
    folder: ModelFolder, dtype: str = "float32", *, folded: bool = True
) -> OffsetNet:
    """Load a folder's network on the CPU.

    Parameters
    ----------
    folder
        The model.
    dtype
        Number type of the weights in memory.
    folded
        Whether norms are folded into the convolutions, for inference: half the time.

    Raises
    ------
    WeightsError
        If weights are missing, damaged, unsafe, or not those of the configuration.
    """
    from napari_gen2seg.models.families import offsets_net

    return offsets_net.load_net(folder, dtype, folded=folded)


def _detect(folder: Path) -> bool:
    config = folder / "config.json"
    return config.is_file() and read_json(config).get("model_type") == "offset_net"


def _defaults(_folder: Path, _published: bool) -> dict[str, int | None]:
    return {
        "default_resolution": None,
        "min_resolution": 128,
        "max_resolution": 2048,
        "multiple": _MULTIPLE,
    }


def _select_files(names: Collection[str]) -> SelectedFiles | None:
    return select_top_files(names, "config.json")


def _load(folder: ModelFolder, dtype: str) -> nn.Module:
    return load_net(folder, dtype)


def _load_to_train(folder: ModelFolder, dtype: str) -> nn.Module:
    return load_net(folder, dtype, folded=False)


def _colorer_class() -> type[BaseColorer]:
    from napari_gen2seg.models.families.offsets_net import OffsetsColorer

    return OffsetsColorer


def _work_bytes(_folder: ModelFolder, resolution: int | None, size: int) -> int:
    side = resolution or 1024
    # The widest layers: 96 channels at half the size, twice, and the decoder's.
    return size * side * side * 90


def _load_map_net(folder: ModelFolder) -> nn.Module:
    from napari_gen2seg.models.families.offsets_net import MapNet

    return MapNet(load_net(folder), folder.config)


# -- training -----------------------------------------------------------------


def _parts(net: nn.Module, _config: ModelConfig) -> TrainableParts:
    own = cast("OffsetNet", net)
    frozen = {id(p) for module in own.frozen() for p in module.parameters()}
    return TrainableParts(
        main=own,
        full=tuple(p for p in own.parameters() if id(p) not in frozen),
        last=(own.up8, own.up4, own.up2, own.head),
        checkpointed=(),
        multiple=_MULTIPLE,
    )


def _predict(
    net: nn.Module,
    config: ModelConfig,
    pixels: Tensor,
    _origin: Tensor,
    _latent_term: bool,
) -> Tensor:
    from napari_gen2seg.models.families.offsets_net import paint

    return paint(net(pixels), config)


def _answer(net: nn.Module, _config: ModelConfig, pixels: Tensor) -> Tensor:
    answers: Tensor = net(pixels)
    return answers


def _loss(answers: Tensor, labels: Tensor, before: Tensor | None) -> Tensor:
    from napari_gen2seg.models.networks.offset_loss import finetuning_loss

    return finetuning_loss(answers, labels, before)


def _crops(_config: ModelConfig, _on_cpu: bool) -> CropDefaults:
    return CropDefaults(192, 6, 1)


def _save_weights(net: nn.Module, _base: Path, target: Path) -> None:
    from napari_gen2seg.models.families.offsets_net import save_net

    save_net(cast("Any", net), target)


OFFSETS = Family(
    name="offsets",
    title="center offsets on a pretrained encoder",
    layout="a config.json of model type 'offset_net'",
    detect=_detect,
    defaults=_defaults,
    select_files=_select_files,
    load_net=_load,
    colorer_class=_colorer_class,
    work_bytes=_work_bytes,
    load_map_net=_load_map_net,
    needed_files=("config.json",),
    learned_probe="mini",
    training=FamilyTraining(
        load_net=_load_to_train,
        parts=_parts,
        predict=_predict,
        crops=_crops,
        save_weights=_save_weights,
        own_loss=OwnLoss(
            _answer, _loss, {"full": 5e-4, "last_blocks": 1e-3, "sparse": 5e-4}, _SHARE
        ),
    ),
)
