"""Crops to learn from, drawn so that the same step of the same run sees the same ones.

Every crop has a generator of its own, seeded by run, step and place in the batch: a
resumed run goes on with the crops it would have seen.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage

from napari_gen2seg.common.types import Int32Array
from napari_gen2seg.io.annotated import Annotated
from napari_gen2seg.models.model_config import ModelConfig
from napari_gen2seg.models.networks.tensors import resize, to_tensor
from napari_gen2seg.models.runtime.resolution import (
    choose_resolution,
    resolution_for_objects,
)
from napari_gen2seg.train.data.augment import turn
from napari_gen2seg.train.data.window import Crop, filled, window

Rgb = NDArray[np.float32]
Batch = dict[str, torch.Tensor]


# Spread of log size about the size the model likes: it tolerates 1.2 either way, and
# the size it reads off its own map is not exact.
_SIZE = 0.25
# Diameters of drawn objects, in shares of the liked one, as small models learn them.
_DRAWN = 0.42, 1.9
_LIKED = 28.0  # px, where a model does not say


def model_resolution(pair: Annotated, model_config: ModelConfig) -> int:
    """Return the longer side at which objects have the size the model likes.

    What `models.resolution` aims at, from labels in place of a first map.
    """
    if (
        model_config.default_resolution is not None
        or model_config.object_diameter is None
    ):
        return choose_resolution(pair.image, model_config)
    shape = pair.labels.shape
    return resolution_for_objects(min(pair.diameter, max(shape)), shape, model_config)


@dataclass(frozen=True, eq=False)
class Crops:
    """An endless seeded supply of batches.

    Attributes
    ----------
    pairs
        Images to learn from, in RGB as the model sees it.
    model_config
        Of the model: the size of objects it likes.
    size
        Side of a crop in pixels, as the model sees it.
    seed
        Of the run.
    replay
        Stored crops of earlier runs.
    drawn
        Whether drawn scenes are mixed in where there are no stored crops.
    share
        Share of replayed or drawn crops.
    """

    pairs: Sequence[Annotated]
    model_config: ModelConfig
    size: int
    seed: int = 0
    replay: Sequence[Crop] = ()
    drawn: bool = False
    share: float = 0.25

    @property
    def names(self) -> tuple[str, ...]:
        """What is trained on, for people."""
        return tuple(pair.name for pair in self.pairs)

    @property
    def sparse(self) -> bool:
        """Whether there are images of which part is unknown."""
        return not all(pair.complete for pair in self.pairs)

    def batch(self, step: int, count: int, process: int = 0) -> Batch:
        """Draw the crops of one step.

        Returns
        -------
        dict
            ``pixels`` float32 (B, 3, s, s) in 0..1, ``labels`` int64 (B, s, s) with 0
            background and -1 unknown, ``origin`` float32 (B, 2).
        """
        crops, origins = [], []
        for place in range(count):
            rng = np.random.default_rng([self.seed, step, process, place])
            rgb, labels = self.draw(rng)
            crops.append((rgb, renumbered(labels)))
            origins.append(rng.uniform(0, 2048, 2))
        return {
            "pixels": torch.from_numpy(
                np.stack([rgb for rgb, _ in crops]).transpose(0, 3, 1, 2).copy()
            ),
            "labels": torch.from_numpy(np.stack([labels for _, labels in crops])),
            "origin": torch.from_numpy(np.asarray(origins, np.float32)),
        }

    def draw(self, rng: np.random.Generator) -> Crop:
        """Draw one crop: float32 (s, s, 3) and int32 (s, s)."""
        if rng.random() < self.share:
            if self.replay:
                stored = self.replay[int(rng.integers(len(self.replay)))]
                return Crop(*turn(*fit(stored, self.size, rng), rng))
            if self.drawn:
                from napari_gen2seg.train.data.synthetic_crops import drawn_crop

                liked = self.model_config.object_diameter or _LIKED
                sizes = (share * liked for share in _DRAWN)
                return Crop(*turn(*drawn_crop(rng, self.size, *sizes), rng))
        return self.cut(rng)

    def cut(self, rng: np.random.Generator) -> Crop:
        """Cut one crop from a labeled image, turned and relit."""
        return self.take(rng)[0]

    def take(self, rng: np.random.Generator) -> tuple[Crop, str]:
        """Cut one crop, and tell the key of its image."""
        weights = np.sqrt([max(1, len(pair.objects)) for pair in self.pairs])
        pair = self.pairs[int(rng.choice(len(self.pairs), p=weights / weights.sum()))]
        # A crop in which nothing is known teaches nothing: try again, a few times.
        for _ in range(8):
            rgb, labels = self._window(pair, rng)
            if (labels > 0).any():
                break
        return Crop(*turn(relight_gently(rgb, rng), labels, rng)), pair.key

    def _window(self, pair: Annotated, rng: np.random.Generator) -> Crop:
        height, width = pair.labels.shape
        if self.model_config.fixed_input_size is not None:
            # The whole picture is pressed into a square, at inference as here.
            sides = [
                max(8, round(side * rng.uniform(0.6, 1))) for side in (height, width)
            ]
        else:
            scale = model_resolution(pair, self.model_config) / max(height, width)
            scale *= math.exp(float(np.clip(rng.normal(0, _SIZE), -0.7, 0.7)))
            sides = [max(8, round(self.size / scale))] * 2
        near = not (pair.labels == 0).any() or rng.random() < 0.8
        objects = pair.objects if near else ()
        place = window(pair.labels, (sides[0], sides[1]), rng, objects)
        rgb, labels = pair.image[place], pair.labels[place]
        return self._resized(*filled(rgb, labels, (sides[0], sides[1])))

    def _resized(self, rgb: Rgb, labels: Int32Array) -> Crop:
        shape = (self.size, self.size)
        pixels = resize(to_tensor(rgb), shape)[0].permute(1, 2, 0).numpy()
        rows = nearest(labels.shape[0], self.size)
        cols = nearest(labels.shape[1], self.size)
        return Crop(np.ascontiguousarray(pixels), labels[rows[:, None], cols])


def nearest(source: int, target: int) -> NDArray[np.int64]:
    """Return which of ``source`` pixels each of ``target`` pixels shows."""
    places = ((np.arange(target) + 0.5) * source / target).astype(np.int64)
    return np.minimum(places, source - 1)


def renumbered(labels: Int32Array) -> NDArray[np.int64]:
    """Number the objects of a crop from 1 without gaps."""
    names, index = np.unique(labels, return_inverse=True)
    numbers = np.where(names > 0, np.cumsum(names > 0), names)
    return numbers[index].reshape(labels.shape).astype(np.int64)


def relight_gently(rgb: Rgb, rng: np.random.Generator) -> Rgb:
    """Change light, contrast, focus and noise as they vary within one domain.

    `train.augment.relight` also inverts and recolours, which makes a model general; a
    domain keeps its polarity and its stains.
    """
    if rng.random() < 0.5:
        rgb = np.clip(rgb, 0, 1) ** np.float32(math.exp(rng.normal(0, 0.2)))
    if rng.random() < 0.5:
        rgb = rgb * rng.uniform(0.85, 1.15) + rng.normal(0, 0.03)
    if rng.random() < 0.2:
        sigma = rng.uniform(0.3, 0.8)
        rgb = ndimage.gaussian_filter(rgb, (sigma, sigma, 0))
    if rng.random() < 0.3:
        gray = bool(np.ptp(rgb, axis=-1).max() < 0.02)
        noise = rng.normal(
            0, abs(rng.normal(0, 0.02)), (*rgb.shape[:2], 1 if gray else 3)
        )
        rgb = rgb + noise
    return np.clip(rgb, 0, 1).astype(np.float32)


def fit(crop: Crop, size: int, rng: np.random.Generator) -> Crop:
    """Cut a stored crop to a size, or fill it up with unknown pixels."""
    rgb, labels = crop
    for axis in (0, 1):
        spare = labels.shape[axis] - size
        if spare > 0:
            start = int(rng.integers(spare + 1))
            place = [slice(None), slice(None)]
            place[axis] = slice(start, start + size)
            rgb, labels = rgb[tuple(place)], labels[tuple(place)]
        elif spare < 0:
            more = [(0, 0), (0, 0)]
            more[axis] = (0, -spare)
            rgb = np.pad(rgb, (*more, (0, 0)), "symmetric")
            labels = np.pad(labels, more, constant_values=-1)
    return Crop(rgb, labels)
