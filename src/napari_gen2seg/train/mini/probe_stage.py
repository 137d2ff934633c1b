"""Training of the learned probe, on frozen maps of one or several models.

It goes on until it is stopped, see `open_ended`; its files are called ``probe``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from napari_gen2seg.common.atomic import replacing_folder
from napari_gen2seg.common.types import Float32Array, Int32Array
from napari_gen2seg.errors import SettingsError, StorageError
from napari_gen2seg.models.base_colorer import BaseColorer
from napari_gen2seg.models.loader import load_model
from napari_gen2seg.models.networks.probe_net import (
    ProbeNet,
    ProbeNetConfig,
    ShownProbe,
)
from napari_gen2seg.models.networks.tensors import resize
from napari_gen2seg.models.probes import load_eyes, load_probe_net, save_probe
from napari_gen2seg.train.data.crops import nearest
from napari_gen2seg.train.data.window import Crop
from napari_gen2seg.train.engine.ema import WeightAverage
from napari_gen2seg.train.mini.config import DataConfig
from napari_gen2seg.train.mini.dataset import Crops, loader
from napari_gen2seg.train.mini.disturbed_maps import disturb, repaint
from napari_gen2seg.train.mini.open_ended import (
    Pace,
    Run,
    read_trained,
    recipe_of,
    state_path,
    train,
)
from napari_gen2seg.train.mini.simulated_clicks import ClickedObject, click_object

_NAME = "probe"
_MULTIPLE = 32  # px, of the maps' sides
_SMALLEST = 60  # px, of objects that are clicked on


@dataclass(frozen=True)
class ProbeConfig(Pace):
    """Settings of a run; see `Pace` for those of the loop.

    Attributes
    ----------
    id
        Name of the probe it makes.
    data
        Where images come from and how they are cut.
    net
        Size of the network.
    map_shares
        How often the map of each given model is learned from, in their order; the
        last share counts for all further ones.
    objects
        At most so many of a crop are clicked on, all on one map.
    corrected
        Share of the objects that are clicked again where the network was wrong.
    start
        Folder of a probe whose weights a new run begins with; "" for none.
    batch
        Objects a step.
    weight_decay, average
        Of the optimizer; ``average`` the decay of the running mean of the weights.
    """

    id: str = "mini"
    data: DataConfig = field(default_factory=DataConfig)
    net: ProbeNetConfig = field(default_factory=ProbeNetConfig)
    map_shares: tuple[float, ...] = (0.8, 0.2)
    objects: int = 8
    corrected: float = 0.45
    start: str = ""
    batch: int = 24
    weight_decay: float = 0.01
    average: float = 0.998
    rate: float = 1.5e-3
    seed: int = 0


class ClickedObjects:
    """An endless, seeded stream of objects with a first click each.

    Parameters
    ----------
    config
        The settings.
    colorers
        The models whose maps are learned from; as they are.
    seed
        Of the stream.
    """

    def __init__(
        self, config: ProbeConfig, colorers: Sequence[BaseColorer], seed: int
    ) -> None:
        self.config = config
        self.colorers = colorers
        self.rng = np.random.default_rng([seed, 1])
        crops = Crops(config.data, seed)
        self._crops = iter(
            loader(crops, max(1, config.batch // config.objects), config.data.workers)
        )
        shares = [
            config.map_shares[min(place, len(config.map_shares) - 1)]
            for place in range(len(colorers))
        ]
        self._shares = np.asarray(shares, float) / sum(shares)
        self._ready: list[ClickedObject] = []

    def take(self, count: int) -> list[ClickedObject]:
        """Return so many objects."""
        while len(self._ready) < count:
            self._more()
        taken, self._ready = self._ready[:count], self._ready[count:]
        return taken

    def _more(self) -> None:
        """Color a few crops with one of the models, and click on objects of each."""
        config, rng = self.config, self.rng
        batch = next(self._crops)
        colorer = self.colorers[int(rng.choice(len(self.colorers), p=self._shares))]
        side = map_side(config.data, colorer.config.object_diameter)
        seen = [
            _as_seen(pixels, labels, side)
            for pixels, labels in zip(batch["pixels"], batch["labels"], strict=True)
        ]
        seen = [one for one in seen if (one.labels > 0).any()]
        if not seen:
            return
        maps = colorer.predict_many([one.rgb for one in seen], side)
        for (rgb, labels), values in zip(seen, maps, strict=True):
            image = np.rint(rgb * 255).astype(np.uint8)
            values = disturb(repaint(values, rng), labels, rng)
            for number in _worth_a_click(labels, config.objects, rng):
                self._ready.append(click_object(image, values, labels, number, rng))
        # Objects of one crop resemble each other: they are spread over batches.
        order = rng.permutation(len(self._ready))
        self._ready = [self._ready[n] for n in order]


def _worth_a_click(
    labels: Int32Array, most: int, rng: np.random.Generator
) -> list[int]:
    """Choose objects of a crop; those that its rim cuts off less often than others."""
    numbers, areas = np.unique(labels[labels > 0], return_counts=True)
    rim = np.unique(np.r_[labels[0], labels[-1], labels[:, 0], labels[:, -1]])
    kept = (areas >= _SMALLEST) & (
        ~np.isin(numbers, rim) | (rng.random(len(areas)) < 0.5)
    )
    return [int(number) for number in rng.permutation(numbers[kept])[:most]]


def map_side(data: DataConfig, liked: float | None) -> int:
    """Return the side of a crop at which a model likes its typical objects best."""
    typical = (data.smallest * data.largest) ** 0.5
    side = data.crop * (liked or typical) / typical
    return max(_MULTIPLE, _MULTIPLE * round(side / _MULTIPLE))


def probe_loss(
    logits: Tensor, quality: Tensor, wanted: Tensor, known: Tensor, areas: Tensor
) -> tuple[Tensor, dict[str, float]]:
    """Return twice the cross entropy + soft IoU + the squared error of the own IoU.

    The mask is asked for in the window alone. How good it is, is judged by the whole
    object: of several windows the one that shows too little of it must not win.

    Parameters
    ----------
    logits, quality
        (B, s, s) and (B,), as of `ProbeNet`.
    wanted
        (B, s, s), 1 in the object and 0 outside.
    known
        (B, s, s), 1 where something is asked; unknown pixels ask nothing.
    areas
        (B,), of the whole objects, in samples of their windows.

    Returns
    -------
    tuple
        Scalar, and its parts with the mean IoU of the masks.
    """
    count = known.sum((1, 2)).clamp(min=1)
    entropy = F.binary_cross_entropy_with_logits(logits, wanted, reduction="none")
    entropy = ((entropy * known).sum((1, 2)) / count).mean()
    likely = torch.sigmoid(logits) * known
    wanted = wanted * known
    shared = (likely * wanted).sum((1, 2))
    soft = 1 - (shared + 1) / ((likely + wanted).sum((1, 2)) - shared + 1)
    with torch.no_grad():
        found = (logits > 0) * known
        both = (found * wanted).sum((1, 2))
        here = (found + wanted - found * wanted).sum((1, 2))
        beyond = (areas - wanted.sum((1, 2))).clamp(min=0)
        real = both / (here + beyond).clamp(min=1)
    judged = F.mse_loss(quality, real)
    total = 2 * entropy + soft.mean() + judged
    parts = {
        "entropy": entropy.item(),
        "soft": soft.mean().item(),
        "judged": judged.item(),
        "iou": real.mean().item(),
    }
    return total, parts


def train_probe(
    config: ProbeConfig,
    folder: Path,
    maps: Sequence[Path],
    cancel: Callable[[], bool] = lambda: False,
    *,
    finish: bool = False,
    minutes: float = 0.0,
) -> Iterator[dict[str, Any]]:
    """Train the probe in a run folder, made if missing; see `open_ended.train`.

    Parameters
    ----------
    config, folder
        The settings, and the run folder.
    maps
        Model folders whose maps it is to read; the first one, of the family
        ``offsets``, shows it features.
    cancel, finish, minutes
        As for `open_ended.train`.

    Raises
    ------
    SettingsError
        If there is no model.
    WeightsError
        If the first one is of another family.
    """
    _check_maps(maps)
    folder.mkdir(parents=True, exist_ok=True)
    run = start_probe(config, folder)
    colorers: list[Any] = [load_model(path, device="cpu") for path in maps]
    # Going on draws other crops than before.
    seed = config.seed * 1_000_003 + run.step
    objects = ClickedObjects(config, colorers, seed)
    shown = ShownProbe(cast("ProbeNet", run.net), load_eyes(maps[0]))

    def step() -> tuple[Tensor, Mapping[str, float]]:
        return next_loss(shown, objects)

    yield from train(run, step, config, folder, cancel, finish=finish, minutes=minutes)


def next_loss(
    net: torch.nn.Module, objects: ClickedObjects
) -> tuple[Tensor, dict[str, float]]:
    """Return the loss of the next batch, some objects of which are corrected.

    Parameters
    ----------
    net
        A `ShownProbe`.
    objects
        Where the batch comes from, with the settings.

    Returns
    -------
    tuple
        Scalar, and its parts as of `probe_loss`, with the mean number of clicks.
    """
    config = objects.config
    chosen = objects.take(config.batch)
    _correct_some(net, chosen, config.corrected, objects.rng)
    logits, quality = net(_stacked(chosen))
    wanted = torch.from_numpy(np.stack([one.object_there for one in chosen]))
    known = torch.from_numpy(np.stack([one.known for one in chosen]))
    areas = torch.tensor([one.area for one in chosen])
    loss, parts = probe_loss(logits, quality, wanted.float(), known.float(), areas)
    clicks = sum(len(one.clicks.signs) for one in chosen) / len(chosen)
    return loss, {**parts, "clicks": clicks}


def start_probe(config: ProbeConfig, folder: Path) -> Run:
    """Build network and optimizer, as they were left if they were."""
    torch.manual_seed(config.seed)
    net = ProbeNet(config.net)
    if config.start and not state_path(folder, _NAME).is_file():
        net.load_state_dict(
            load_probe_net(Path(config.start).expanduser()).state_dict()
        )
    net = net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimizer = torch.optim.AdamW(
        net.parameters(), lr=config.rate, weight_decay=config.weight_decay, fused=True
    )
    run = Run(_NAME, net, optimizer, WeightAverage(net.state_dict(), config.average))
    run.resume(folder)
    return run


def export_probe(
    config: ProbeConfig, run: Path, folder: Path, maps: Sequence[Path]
) -> Path:
    """Write the finished weights of a run, else its averaged ones, as a probe folder.

    Parameters
    ----------
    config, run
        The run.
    folder
        Where to.
    maps
        The models whose maps it learned on, as for `train_probe`.

    Raises
    ------
    SettingsError
        If there is no model.
    WeightsError
        If the run has no weights yet.
    StorageError
        If the folder cannot be written.
    """
    _check_maps(maps)
    trained = read_trained(run, _NAME)
    net = ProbeNet(config.net)
    net.load_state_dict(trained.weights)
    facts = {
        "id": config.id,
        "created": datetime.now(UTC).date().isoformat(),
        "recipe": recipe_of(config, trained) | {"maps": [path.name for path in maps]},
    }
    try:
        with replacing_folder(folder) as draft:
            draft.mkdir()
            save_probe(net, draft, maps[0], facts)
    except OSError as error:
        raise StorageError(
            f"The probe could not be written to {folder}: {error}. Free some space or "
            "choose another folder; the probe there before is kept."
        ) from error
    return folder


def _check_maps(maps: Sequence[Path]) -> None:
    if not maps:
        raise SettingsError(
            "The probe learns on maps: name one model folder or more (--maps)."
        )


def _stacked(chosen: Sequence[ClickedObject]) -> Tensor:
    channels = torch.from_numpy(np.stack([one.channels() for one in chosen]))
    return channels.contiguous(memory_format=torch.channels_last)


def _correct_some(
    net: torch.nn.Module,
    chosen: Sequence[ClickedObject],
    share: float,
    rng: np.random.Generator,
) -> None:
    """Click some objects again where the network is wrong, up to three times."""
    again = [one for one in chosen if rng.random() < share]
    for _ in range(3):
        if not again:
            return
        with torch.no_grad():
            answers = torch.sigmoid(net(_stacked(again))[0]).numpy()
        clicked = [
            one
            for one, answer in zip(again, answers, strict=True)
            if one.correct(answer, rng)
        ]
        again = [one for one in clicked if rng.random() < 0.5]


def _as_seen(pixels: Tensor, labels: Tensor, side: int) -> Crop:
    """Bring a crop, pixels (3, s, s) in -1..1, to the size at which it is colored."""
    shown = resize((pixels[None] + 1) / 2, (side, side))[0].permute(1, 2, 0)
    rgb: Float32Array = shown.contiguous().numpy().clip(0, 1)
    at = nearest(labels.shape[0], side)
    seen: Int32Array = labels.numpy()[at[:, None], at].astype(np.int32)
    return Crop(rgb, seen)
