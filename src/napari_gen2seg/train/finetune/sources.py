"""Training from data sets too large for memory: frames read when their turn comes.

What the paper trained on is described like this: Hypersim and Virtual KITTI 2, nine to
one, each with a size and a crop of its own, mirrored at random and changed in no other
way. A batch comes from one set, since the sizes differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
import torch

from napari_gen2seg.common.types import Int32Array
from napari_gen2seg.core.image.rgb import to_rgb
from napari_gen2seg.errors import DataError, SettingsError
from napari_gen2seg.io.annotated import Annotated, AnnotatedSource, unlabeled_is_unknown
from napari_gen2seg.io.datasets.catalog import open_dataset
from napari_gen2seg.models.model_config import ModelConfig
from napari_gen2seg.models.networks.tensors import resize, to_tensor
from napari_gen2seg.train.data.crops import Batch, nearest, renumbered
from napari_gen2seg.train.data.labeled_images import read_pairs
from napari_gen2seg.train.data.split import Split, divide
from napari_gen2seg.train.data.window import Crop, filled, window
from napari_gen2seg.train.finetune.config import DatasetSpec, FinetuneConfig
from napari_gen2seg.train.finetune.replay import earlier_images

_TRIES = 8


@dataclass(frozen=True, eq=False)
class Source:
    """A data set, divided.

    Attributes
    ----------
    spec
        As the settings describe it.
    name
        For people.
    train, validation
        Frames to learn from, and to judge by; no group is on both sides.
    """

    spec: DatasetSpec
    name: str
    train: tuple[AnnotatedSource, ...]
    validation: tuple[AnnotatedSource, ...]

    @classmethod
    def open(cls, spec: DatasetSpec, seed: int) -> Source:
        """List a data set and hold some frames of whole groups back.

        A group is what stands before the first slash of a frame's name: a scene.

        Raises
        ------
        DataError
            If it cannot be read, or too little is left to train on.
        """
        data = open_dataset(spec.root, spec.kind, spec.split)
        items = data.items
        groups = sorted({_group(item) for item in items})
        order = np.random.default_rng(seed).permutation(len(groups))
        back: set[str] = set()
        # Never more than a fifth of the groups, however small they are.
        for place in order[: max(1, len(groups) // 5)]:
            if sum(_group(item) in back for item in items) >= spec.validation:
                break
            back.add(groups[place])
        held = [item for item in items if _group(item) in back]
        train = [item for item in items if _group(item) not in back]
        if not train:
            raise DataError(
                f"{spec.root} has a single scene, from which frames are to be held "
                "back. Set validation to 0, or add scenes."
            )
        count = min(spec.validation, len(held))
        chosen = tuple(held[n * len(held) // count] for n in range(count))
        return cls(spec, data.name, tuple(train), chosen)

    def held(self) -> list[Annotated]:
        """Read the frames held back."""
        found = []
        for item in self.validation:
            rgb, labels = read(item, self.spec)
            if (labels > 0).any():
                name = item.title.replace("/", "_")
                found.append(Annotated(rgb, labels, name=name))
        return found


@dataclass(eq=False)
class Mixture:
    """An endless seeded supply of batches, as `crops.Crops` is one.

    Attributes
    ----------
    sources
        Data sets; their weights say how often each is drawn.
    model_config
        Of the model.
    size
        Side of the square that a model of a fixed input size sees.
    seed
        Of the run.
    """

    sources: Sequence[Source]
    model_config: ModelConfig
    size: int
    seed: int = 0
    _ahead: dict[tuple[int, int, int], Future[Batch]] = field(default_factory=dict)
    _reader: ThreadPoolExecutor | None = None

    def __post_init__(self) -> None:
        for source in self.sources:
            shape = source.spec.crop or source.spec.size
            if shape and any(side % self.model_config.multiple for side in shape):
                raise SettingsError(
                    f"Crops of {source.name} are {shape} pixels; for this model both "
                    f"sides must be multiples of {self.model_config.multiple}."
                )

    @property
    def names(self) -> tuple[str, ...]:
        """What is trained on, for people."""
        return tuple(f"{s.name} ({len(s.train):,} frames)" for s in self.sources)

    @property
    def sparse(self) -> bool:
        """Whether part of the frames is unknown."""
        return any(not source.spec.complete for source in self.sources)

    def batch(self, step: int, count: int, process: int = 0) -> Batch:
        """Return the crops of one step, and begin to read those of the next.

        Returns
        -------
        dict
            As `Crops.batch`, but (h, w) need not be square.
        """
        if self._reader is None:
            self._reader = ThreadPoolExecutor(1, "gen2seg-frames")
        ready = self._ahead.pop((step, count, process), None)
        # After a jump in the steps, what was read ahead is of no use.
        self._ahead.clear()
        following = (step + 1, count, process)
        batch = ready.result() if ready else self._draw(step, count, process)
        self._ahead[following] = self._reader.submit(self._draw, *following)
        return batch

    def cut(self, rng: np.random.Generator) -> Crop:
        """Draw one crop: float32 (h, w, 3) and int32 (h, w)."""
        return self._one(self._source(rng), rng)[0]

    def take(self, rng: np.random.Generator) -> tuple[Crop, str]:
        """Draw one crop, and tell the key of its frame, as `Annotated.key` would."""
        crop, item = self._one(self._source(rng), rng)
        return crop, item.read().key

    def _source(self, rng: np.random.Generator) -> Source:
        weights = np.array([source.spec.weight for source in self.sources], float)
        return self.sources[int(rng.choice(len(weights), p=weights / weights.sum()))]

    def _draw(self, step: int, count: int, process: int) -> Batch:
        source = self._source(np.random.default_rng([self.seed, step, process]))
        seeds = ([self.seed, step, process, place] for place in range(count))
        crops = [self._one(source, np.random.default_rng(seed))[0] for seed in seeds]
        pixels = np.stack([rgb for rgb, _ in crops]).transpose(0, 3, 1, 2)
        labels = np.stack([renumbered(labels) for _, labels in crops])
        return {
            "pixels": torch.from_numpy(pixels.copy()),
            "labels": torch.from_numpy(labels),
            "origin": torch.zeros(count, 2),
        }

    def _one(
        self, source: Source, rng: np.random.Generator
    ) -> tuple[Crop, AnnotatedSource]:
        for _ in range(_TRIES):
            item = source.train[int(rng.integers(len(source.train)))]
            rgb, labels = read(item, source.spec)
            rgb, labels = cut_anywhere(rgb, labels, source.spec.crop, rng)
            # Where nothing is known, nothing is learnt.
            if (labels >= 0).any():
                break
        if self.model_config.fixed_input_size is not None:
            rgb, labels = resized(rgb, labels, (self.size, self.size))
        if rng.random() < 0.5:
            rgb, labels = rgb[:, ::-1], labels[:, ::-1]
        return Crop(np.ascontiguousarray(rgb), np.ascontiguousarray(labels)), item


def training_sources(
    config: FinetuneConfig, begun: bool = False
) -> tuple[Split, list[Source], list[str]]:
    """Read what a run learns from and is judged by.

    Parameters
    ----------
    config
        The run.
    begun
        It is divided as it was when it began.

    Returns
    -------
    split, sources, warnings
        ``sources`` is empty where pairs are given; with them, ``split.train`` is.

    Raises
    ------
    DataError, SettingsError
        If there is nothing, or pairs and data sets are both to be trained on.
    """
    if not config.datasets:
        pairs, warnings = read_pairs(config.pairs)
        learnt, told = earlier_images(config, begun)
        split = divide(pairs, config.hold_back, config.seed, learnt)
        return split, [], [*warnings, *told, *split.warnings]
    if any(pair.role != "validation" for pair in config.pairs):
        raise SettingsError(
            "Pairs and data sets are given. Beside data sets, pairs can only be held "
            "back: give them the role 'validation', or leave one of the two out."
        )
    sources = [Source.open(spec, config.seed) for spec in config.datasets]
    pairs, warnings = read_pairs(config.pairs) if config.pairs else ([], [])
    held = [pair.read() for pair in pairs]
    held += [image for source in sources for image in source.held()]
    if not held:
        raise DataError(
            "Nothing with an object is held back, so nothing could be shown or scored. "
            "Raise validation of a data set, or add a pair of the role 'validation'."
        )
    return Split((), tuple(held)), sources, warnings


def read(item: AnnotatedSource, spec: DatasetSpec) -> Crop:
    """Read a frame at the size the settings ask for."""
    truth = item.read()
    rgb, labels = to_rgb(truth.image), truth.labels
    if not spec.complete:
        labels = unlabeled_is_unknown(labels)
    if spec.size is not None:
        rgb, labels = resized(rgb, labels, spec.size)
    return Crop(rgb, labels)


def resized(
    rgb: np.ndarray, labels: Int32Array, shape: tuple[int, int]
) -> tuple[np.ndarray, Int32Array]:
    """Resize: pixels smoothly, labels to the nearest one."""
    if labels.shape == tuple(shape):
        return rgb, labels
    pixels = resize(to_tensor(rgb), shape)[0].permute(1, 2, 0).numpy()
    rows = nearest(labels.shape[0], shape[0])
    cols = nearest(labels.shape[1], shape[1])
    return np.ascontiguousarray(pixels), labels[rows[:, None], cols]


def cut_anywhere(
    rgb: np.ndarray,
    labels: Int32Array,
    shape: tuple[int, int] | None,
    rng: np.random.Generator,
) -> Crop:
    """Cut a window anywhere; what lies outside of a small frame is unknown."""
    if shape is None:
        return Crop(rgb, labels)
    rgb, labels = filled(rgb, labels, shape)
    place = window(labels, shape, rng)
    return Crop(rgb[place], labels[place])


def _group(item: AnnotatedSource) -> str:
    return item.title.split("/")[0]
