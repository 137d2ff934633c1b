"""An endless, seeded stream of training crops: real images and drawn scenes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from napari_gen2seg.errors import DataError
from napari_gen2seg.io.annotated import Annotated
from napari_gen2seg.train.data.augment import relight, stretch, turn
from napari_gen2seg.train.data.image_folder import (
    crop,
    is_complete,
    kind_weights,
    read_source,
)
from napari_gen2seg.train.data.window import Crop
from napari_gen2seg.train.mini.config import DataConfig

Sample = dict[str, torch.Tensor]

_AROUND = 0.8  # share of crops placed around an object
_RING = 6  # px around objects that are background where not everything is marked


@dataclass(frozen=True)
class _Light:
    """What `stretch` must know of a whole image, of which a crop is only a part.

    Attributes
    ----------
    gray
        Whether the three channels are (nearly) the same.
    limits
        The 0.1 and 99.9 percentiles, range 0..1.
    """

    gray: bool
    limits: tuple[float, float]

    @classmethod
    def of(cls, rgb: NDArray[np.uint8]) -> _Light:
        """Measure uint8 (H, W, 3)."""
        some = rgb[::2, ::2]
        low, high = np.percentile(some, (0.1, 99.9)) / 255
        gray = bool(np.ptp(some, axis=-1).max() < 6)
        return cls(gray, (float(low), float(high)))


class Crops(IterableDataset[Sample]):
    """Crops for training.

    Each item has ``pixels`` float32 (3, s, s) in -1..1, ``labels`` int64 (s, s) with 0
    background and -1 unknown, and ``origin`` float32 (2,), where on the position
    guides the crop's corner lies.

    Parameters
    ----------
    config
        Sources and sizes.
    seed
        Two streams with the same seed and number of workers are the same.
    start
        Items already seen, so that a resumed run goes on rather than repeats.

    Raises
    ------
    DataError
        If nothing to draw from is configured.
    """

    def __init__(self, config: DataConfig, seed: int = 0, start: int = 0) -> None:
        self.config = config
        self.seed = seed
        self.start = start
        self.sources: list[list[Annotated]] = []
        self.complete: list[bool] = []
        weights = []
        for name, weight in config.sources.items():
            if weight > 0:
                folder = Path(config.root).expanduser() / name
                self.sources.append(read_source(folder, left_out=config.left_out))
                self.complete.append(is_complete(folder))
                weights.append(weight)
        self.kinds = [kind_weights(pictures) for pictures in self.sources]
        weights.append(config.drawn)
        if sum(weights) <= 0:
            raise DataError(
                "There is nothing to train on: give drawn scenes a weight above 0 "
                "(data.drawn) or name a source (data.sources)."
            )
        self.weights = np.asarray(weights, float) / sum(weights)
        self._lights: dict[Annotated, _Light] = {}

    def __iter__(self) -> Iterator[Sample]:
        worker = get_worker_info()
        number = worker.id if worker else 0
        rng = np.random.default_rng([self.seed, self.start, number])
        while True:
            yield self.draw(rng)

    def draw(self, rng: np.random.Generator) -> Sample:
        """Draw one crop."""
        which = int(rng.choice(len(self.weights), p=self.weights))
        if which == len(self.sources):
            rgb, labels = self._drawn(rng)
        else:
            pictures = self.sources[which]
            picture = pictures[int(rng.choice(len(pictures), p=self.kinds[which]))]
            low, high = np.log(self.config.smallest), np.log(self.config.largest)
            diameter = float(np.exp(rng.uniform(low, high)))
            rgb8, labels = crop(picture, rng, self.config.crop, diameter, _AROUND)
            if not self.complete[which]:
                labels = _unmarked_unknown(labels)
            rgb = rgb8.astype(np.float32) / 255
            light = self._light_of(picture)
            if light.gray or rng.random() < 0.5:
                rgb = stretch(rgb, rng, light.limits)
            rgb = relight(rgb, rng)
        rgb, labels = turn(rgb, labels, rng)
        return {
            "pixels": torch.from_numpy(rgb).permute(2, 0, 1) * 2 - 1,
            "labels": torch.from_numpy(labels.astype(np.int64)),
            "origin": torch.from_numpy(rng.uniform(0, 2048, 2).astype(np.float32)),
        }

    def _light_of(self, image: Annotated) -> _Light:
        """Measure the light of an image, once."""
        if image not in self._lights:
            self._lights[image] = _Light.of(image.image)
        return self._lights[image]

    def _drawn(self, rng: np.random.Generator) -> Crop:
        from napari_gen2seg.train.data.synthetic_crops import drawn_crop

        config = self.config
        return drawn_crop(rng, config.crop, config.smallest, config.largest)


def _unmarked_unknown(labels: NDArray[np.int32]) -> NDArray[np.int32]:
    """Leave a ring of background around objects; of all other nothing is known."""
    near = ndimage.distance_transform_edt(labels <= 0) <= _RING
    known = near & (labels > 0).any()
    return np.where((labels == 0) & ~known, -1, labels).astype(np.int32)


def loader(
    crops: IterableDataset[Sample], batch: int, workers: int
) -> DataLoader[Sample]:
    """Return batches from worker processes, so that drawing never stops training."""
    return DataLoader(
        crops,
        batch_size=batch,
        num_workers=workers,
        prefetch_factor=4 if workers else None,
        persistent_workers=workers > 0,
        worker_init_fn=_leave_signals_to_the_trainer,
        pin_memory=torch.cuda.is_available(),
    )


def _leave_signals_to_the_trainer(_: int) -> None:
    """Let a worker outlive the signal that asks the trainer to save and stop."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
