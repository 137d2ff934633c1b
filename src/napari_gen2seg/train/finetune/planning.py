"""From settings to a model that is ready for its first step."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch

from napari_gen2seg.common.progress import Cancel
from napari_gen2seg.errors import SettingsError
from napari_gen2seg.io.label_facts import LabelFacts
from napari_gen2seg.models.loader import SMALL_MODEL
from napari_gen2seg.models.runtime.device import DeviceChoice, choose
from napari_gen2seg.models.runtime.memory import free_memory
from napari_gen2seg.train.data.labeled_images import (
    known_pairs,
    read_pairs,
)
from napari_gen2seg.train.data.split import choose_validation
from napari_gen2seg.train.engine.distributed import Distributed
from napari_gen2seg.train.finetune.config import FinetuneConfig
from napari_gen2seg.train.finetune.events import Plan
from napari_gen2seg.train.finetune.memory_estimate import (
    Amount,
    MemoryNeed,
    fit,
    measure,
    refuse,
)
from napari_gen2seg.train.finetune.replay import earlier_images, read_stored
from napari_gen2seg.train.finetune.sources import Mixture, training_sources
from napari_gen2seg.train.finetune.trainable import (
    TrainableModel,
    load_trainee,
    set_trained,
)

# Step sizes by what is trained: published 6e-5 for the whole UNet at eight crops a
# step, half of it here, where steps are few; for "guided" and "sparse" (a guided model
# and labels that are not complete) docs/finetuning.md compares some; the others are
# chosen, not yet compared.
_RATES = {
    "guided": 1e-3,
    "sparse": 4e-4,
    "full": 3e-5,
    "last_blocks": 1e-4,
    "lora": 2e-4,
}


@dataclass(eq=False)
class TrainingSetup:
    """A model and everything that was chosen for it.

    Attributes
    ----------
    trainee
        With its trained parameters chosen.
    trainable
        ``"full"``, ``"lora"`` or ``"last_blocks"``.
    amount
        Batch, crop, accumulation, checkpointing.
    rate
        Largest step size.
    autocast
        Number type of the forward pass, None for that of the weights.
    memory, free
        Estimated need, and what was free, in bytes.
    warnings
        Sentences for people.
    where
        Sentence on the device.
    """

    trainee: TrainableModel
    trainable: str
    amount: Amount
    rate: float
    autocast: torch.dtype | None
    memory: int
    free: int
    warnings: list[str]
    where: str

    @property
    def precision(self) -> str:
        """Number type of the forward pass, for people."""
        return "bfloat16" if self.autocast is torch.bfloat16 else "float32"

    def mixed(self) -> contextlib.AbstractContextManager[object]:
        """Return the context in which forward passes run."""
        if self.autocast is None:
            return contextlib.nullcontext()
        return torch.autocast(self.trainee.device.type, self.autocast)

    def plan(
        self,
        config: FinetuneConfig,
        train: tuple[str, ...],
        validation: tuple[str, ...],
        objects: int,
        warnings: Sequence[str],
        resumed: int = 0,
    ) -> Plan:
        """Say what a run will do.

        Parameters
        ----------
        config
            The run.
        train, validation
            Names of what is learnt from, and of what is held back.
        objects
            How many objects there are to learn from.
        warnings
            Of the pictures.
        resumed
            Steps that were done before.
        """
        trainee, amount = self.trainee, self.amount
        steps, minutes = config.length
        return Plan(
            steps=steps,
            seconds_estimate=60 * minutes if minutes else None,
            trains=self.trainable,
            parameters=trainee.parameters,
            trainable=trainee.trainable,
            memory_bytes=self.memory,
            memory_free=self.free,
            batch=amount.batch,
            crop=amount.crop,
            precision=self.precision,
            device=trainee.colorer.device,
            reason=f"{self.where} Number type {self.precision}.",
            train=train,
            validation=validation,
            objects=objects,
            warnings=(*warnings, *self.warnings),
            accumulate=amount.accumulate,
            checkpointing=amount.checkpointing,
            resumed=resumed,
        )


def plan(config: FinetuneConfig, facts: Sequence[LabelFacts] | None = None) -> Plan:
    """Say what a run would do and need; nothing is written.

    Parameters
    ----------
    config
        The run.
    facts
        Of its pairs, where they were looked through before: their files, which need
        not be there yet, are not read.

    Raises
    ------
    DataError, SettingsError, ModelError, MemoryShortError
        If the run could not begin.
    """
    device = Distributed().device(config.device)
    if config.datasets:
        split, sources, warnings = training_sources(config)
        ready = prepare(config, device)
        mixture = Mixture(
            sources, ready.trainee.model_config, ready.amount.crop, config.seed
        )
        back = tuple(pair.name for pair in split.validation)
        return ready.plan(config, mixture.names, back, split.objects, warnings)
    if facts is None:
        images, warnings = read_pairs(config.pairs)
    else:
        images, warnings = known_pairs(config.pairs, facts)
    learnt, told = earlier_images(config, False)
    chosen = choose_validation(images, config.hold_back, config.seed, learnt)
    read_stored(config.replay)  # a damaged crop is told of now
    return prepare(config, device).plan(
        config,
        tuple(images[place].title for place in chosen.train),
        tuple(images[place].title for place in chosen.validation),
        chosen.objects,
        [*warnings, *told, *chosen.warnings],
    )


def prepare(
    config: FinetuneConfig,
    device: str,
    cancel: Cancel | None = None,
    begun: tuple[str, Amount] | None = None,
) -> TrainingSetup:
    """Load the base and choose what fits.

    Parameters
    ----------
    config
        The run.
    device
        Of this process, as for `load_model`.
    cancel
        Asked while a model is downloaded.
    begun
        What a resumed run trains, and how much at once; else both are chosen.

    Raises
    ------
    ModelError
        If the base cannot be loaded.
    SettingsError
        If a setting does not suit it.
    MemoryShortError
        If nothing that was left open makes it fit; names what would.
    """
    place = choose(device, "float32")

    def load(dtype: str) -> TrainableModel:
        return load_trainee(
            config.model, place.device, config.revision, dtype, cancel=cancel
        )

    trainee = load("float32")
    small = trainee.parameters < SMALL_MODEL
    precision = _precision(config, device, place, small)
    free = free_memory(place) + _held(trainee)
    wanted = _wanted(config, trainee, place)
    options = _options(begun[0] if begun else config.trainable, trainee, place, small)
    refusals: list[tuple[MemoryNeed, Amount]] = []
    for number, option in enumerate(options):
        narrow = option == "lora" and precision == "bfloat16"
        if number or narrow:
            # What an earlier try added must not stay; and beside LoRA the weights
            # themselves do not change and may be narrow.
            del trainee
            trainee = load("bfloat16" if narrow else "float32")
        set_trained(trainee, option, config.seed)
        need = measure(trainee)
        # Another amount would not be the same run.
        amount = begun[1] if begun else _fit(need, wanted, free, config, trainee)
        if amount is not None:
            break
        refusals.append((need, wanted))
    else:
        need, amount = refusals[0]
        nearest = _nearest(config, load("float32"), free)
        raise refuse(need, amount, free, place.device, nearest)
    if amount.checkpointing:
        trainee.checkpoint()
    return TrainingSetup(
        trainee,
        option,
        amount,
        config.rate or _rate(config, trainee, option),
        torch.bfloat16 if precision == "bfloat16" else None,
        need.total(amount),
        free,
        [] if begun else _shrunk(amount, wanted),
        place.where,
    )


def _precision(
    config: FinetuneConfig, device: str, place: DeviceChoice, small: bool
) -> str:
    """Return the number type of the forward pass."""
    if config.precision != "auto":
        return config.precision
    return choose(device).dtype if place.kind == "cuda" and not small else "float32"


def _shrunk(amount: Amount, wanted: Amount) -> list[str]:
    """Warn where memory allows less than was wanted."""
    if (amount.batch, amount.crop) == (wanted.batch, wanted.crop):
        return []
    told = (
        f"Memory is short: crops of {amount.crop} pixels, {amount.batch} at once, "
        f"in place of {wanted.crop} pixels and {wanted.batch}."
    )
    return [told]


def _rate(config: FinetuneConfig, trainee: TrainableModel, option: str) -> float:
    """Return the largest step size, by what is trained and by its labels."""
    own = trainee.family.own_loss
    learnt = [p for p in config.pairs if p.labels and p.role != "validation"]
    if option == "full" and (trainee.guided or own is not None):
        complete = all(pair.complete for pair in learnt)
        whole = "full" if own is not None else "guided"
        option = whole if complete else "sparse"
    return _RATES[option] if own is None else own.rates[option]


def _options(
    trainable: str, trainee: TrainableModel, place: DeviceChoice, small: bool
) -> list[str]:
    """List what may be trained, best first."""
    if trainable != "auto":
        return [trainable]
    options = ["full", "lora", "last_blocks"]
    if place.kind == "cpu" and not small:
        options.remove("full")
    if not trainee.lora_layers:
        options.remove("lora")
    return options


def _held(trainee: TrainableModel) -> int:
    """Bytes that the loaded model takes already: the estimate counts them too."""
    return sum(p.numel() * p.element_size() for p in trainee.net.parameters())


def _wanted(
    config: FinetuneConfig, trainee: TrainableModel, place: DeviceChoice
) -> Amount:
    """Return batch, crop and accumulation as asked, else by the kind of model."""
    multiple = trainee.multiple
    fixed = trainee.parts.fixed_side
    if fixed is not None and config.crop not in (None, fixed):
        raise SettingsError(
            f"crop is {config.crop}, but {trainee.spec.id!r} always sees "
            f"{fixed} x {fixed} pixels. Leave the setting out."
        )
    crop, batch, times = trainee.family.crops(trainee.model_config, place.kind == "cpu")
    crop = fixed or config.crop or crop
    if crop % multiple:
        raise SettingsError(
            f"crop is {crop}; for this model it must be a multiple of {multiple}, "
            f"such as {max(multiple, crop // multiple * multiple)}."
        )
    checkpoint = config.checkpointing is True
    return Amount(config.batch or batch, config.accumulate or times, crop, checkpoint)


def _fit(
    need: MemoryNeed,
    wanted: Amount,
    free: int,
    config: FinetuneConfig,
    trainee: TrainableModel,
) -> Amount | None:
    """Shrink what the settings leave open until it fits."""
    amount = fit(
        need,
        wanted,
        free,
        smallest=max(64, 2 * trainee.multiple),
        multiple=trainee.multiple,
        may_checkpoint=config.checkpointing == "auto",
        may_shrink=config.crop is None and trainee.parts.fixed_side is None,
    )
    if amount is not None and config.batch is not None and amount.batch < config.batch:
        return None
    return amount


def _nearest(
    config: FinetuneConfig, trainee: TrainableModel, free: int
) -> tuple[str, Amount, int] | None:
    """Find settings near the refused ones that would fit."""
    open_ = replace(config, batch=None, crop=None, checkpointing="auto")
    asked = config.trainable
    order = [asked] if asked != "auto" else []
    for option in dict.fromkeys([*order, "lora", "last_blocks"]):
        if option == "lora" and not trainee.lora_layers:
            continue
        try:
            set_trained(trainee, option, config.seed)
        except SettingsError:
            continue
        need = measure(trainee)
        wanted = _wanted(open_, trainee, choose(str(trainee.device), "float32"))
        amount = _fit(need, wanted, free, open_, trainee)
        if amount is not None:
            return option, amount, need.total(amount)
    return None
