"""What a fine-tuning run is made of: one JSON file (no torch here)."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from napari_gen2seg.common.checked import checked
from napari_gen2seg.errors import SettingsError
from napari_gen2seg.train.data.labeled_images import PairSpec
from napari_gen2seg.train.finetune.old_words import in_new_words
from napari_gen2seg.train.finetune.run_folder import CONFIG_NAME
from napari_gen2seg.train.finetune.setting import check_settings, setting

FORMAT_VERSION = 1

Preset = Literal["quick", "standard", "thorough"]
Trainable = Literal["auto", "full", "lora", "last_blocks"]
Precision = Literal["auto", "float32", "bfloat16"]
Recipe = Literal["own", "published"]


@dataclass(frozen=True)
class Length:
    """How long a preset trains: whichever ends first.

    Time does not end it before it has made ``least`` steps, with which one can tell
    whether it learns, unless the computer is so slow that these take `LONGEST` times
    as long.
    """

    steps: int
    minutes: float
    least: int


LONGEST = 3
"""Times the minutes of a preset, after which it ends in any case."""


PRESETS: dict[str, Length] = {
    "quick": Length(400, 3.0, 40),
    "standard": Length(2000, 15.0, 200),
    "thorough": Length(8000, 60.0, 800),
}


@dataclass(frozen=True)
class FinetuneConfig:
    """A whole run.

    Attributes
    ----------
    model, revision
        The base: what `load_model` takes.
    name
        Of the new model.
    run
        Folder that everything is written to.
    pairs
        The labelled pictures.
    datasets
        Data sets to learn from, in the place of pairs.
    hold_back
        Share of the groups kept for scores, 0..0.9.
    preset
        How long: ``"quick"``, ``"standard"`` or ``"thorough"``.
    minutes, steps
        Whichever ends first; where both are None the preset decides.
    trainable
        ``"full"``, ``"lora"``, ``"last_blocks"`` or ``"auto"``.
    crop, batch, rate, accumulate
        Side of a crop in pixels as the model sees it, pictures per step, step size,
        and batches per step; chosen if None.
    precision
        ``"auto"``, ``"float32"`` or ``"bfloat16"``.
    checkpointing
        Compute activations twice to save memory: ``"auto"``, True or False.
    seed
        Of crops, splits and scores.
    preview_seconds, score_seconds
        How often the held-back map is rewritten, and the score taken, while training.
    patience
        Scores without a gain after which training ends.
    replay
        Folders of crops of earlier runs, mixed in against forgetting.
    device
        As for `load_model`.
    recipe
        ``"own"``, or ``"published"`` for the paper's loss and schedule.
    """

    model: str = "mini"
    revision: str | None = None
    name: str = "my-model"
    run: str = "finetune-run"
    pairs: tuple[PairSpec, ...] = ()
    datasets: tuple[DatasetSpec, ...] = ()
    hold_back: float = field(default=0.2, metadata=setting(limits=(0.0, 0.9)))
    preset: Preset = field(
        default="quick",
        metadata=setting(
            choices=(
                ("quick", "a first look"),
                ("standard", "for most pictures"),
                ("thorough", "for many labels, or when it must be as good as it gets"),
            ),
            label="How long",
            about="For how long a model is trained unless you say otherwise.",
        ),
    )
    minutes: float | None = field(
        default=None,
        metadata=setting(
            limits=(0.01, 100_000),
            decimals=1,
            suffix=" min",
            label="At most (minutes)",
            tip="Minutes of training, in place of those above; 0 leaves it to them.",
            title="Minutes",
            about="At most so many minutes; 0 leaves it to how long.",
        ),
    )
    steps: int | None = field(
        default=None,
        metadata=setting(
            limits=(1, 10_000_000),
            step=100,
            label="At most (steps)",
            tip="Steps of training; 0 leaves it to the time above.",
            title="Steps",
            about="At most so many steps; 0 leaves it to how long.",
        ),
    )
    trainable: Trainable = field(
        default="auto",
        metadata=setting(
            choices=(
                ("auto", "automatic"),
                ("full", "the whole network"),
                ("lora", "small additions (LoRA)"),
                ("last_blocks", "the last blocks"),
            ),
            label="What is trained",
            tip="The whole network learns most. Small additions, or the last blocks, "
            "need a fraction of the memory.",
            about="The whole network, small additions, or its last blocks.",
        ),
    )
    crop: int | None = field(
        default=None,
        metadata=setting(
            limits=(16, 4096),
            offered=tuple(
                (side, f"{side} pixels")
                for side in (128, 192, 256, 320, 384, 448, 512, 640, 768)
            ),
            label="Crop",
            tip="Side of the pieces that the model trains on. Smaller needs less "
            "memory; several objects must fit.",
            about="Side in pixels of the pieces trained on; 0 chooses what fits.",
        ),
    )
    batch: int | None = field(
        default=None,
        metadata=setting(
            limits=(1, 1024),
            most=256,
            label="Crops per step",
            tip="Fewer need less memory.",
            about="0 chooses what fits.",
        ),
    )
    rate: float | None = field(
        default=None,
        metadata=setting(
            limits=(1e-9, 1.0),
            offered=tuple(
                (rate, f"{rate:g}")
                for rate in (1e-3, 3e-4, 1e-4, 3e-5, 1e-5, 3e-6, 1e-6)
            ),
            label="Learning rate",
            tip="Smaller if the loss jumps or becomes no number; larger if nothing "
            "changes.",
            about="0 chooses it from the model.",
        ),
    )
    precision: Precision = field(
        default="auto",
        metadata=setting(
            choices=(
                ("auto", "automatic"),
                ("float32", "32 bits"),
                ("bfloat16", "16 bits (bfloat16)"),
            ),
            label="Precision",
            tip="16 bits halve the memory where they work.",
            about="Number type for training.",
        ),
    )
    seed: int = field(
        default=0,
        metadata=setting(
            limits=(0, 2**32 - 1),
            most=2**31 - 1,
            label="Seed",
            tip="The same number makes the same random choices.",
        ),
    )
    accumulate: int | None = field(default=None, metadata=setting(limits=(1, 1024)))
    checkpointing: bool | Literal["auto"] = field(
        default="auto",
        metadata=setting(
            choices=(("auto", "automatic"), (True, "always"), (False, "never"))
        ),
    )
    preview_seconds: float = field(default=10.0, metadata=setting(limits=(0.0, 1e6)))
    score_seconds: float = field(default=45.0, metadata=setting(limits=(0.0, 1e6)))
    patience: int = field(default=6, metadata=setting(limits=(1, 10_000)))
    replay: tuple[str, ...] = ()
    device: str = "auto"
    recipe: Recipe = field(
        default="own",
        metadata=setting(choices=(("own", "ours"), ("published", "the paper's"))),
    )
    format_version: int = field(default=FORMAT_VERSION)

    def __post_init__(self) -> None:
        check_settings(self)
        if not self.name.strip() or any(c in self.name for c in '/\\:*?"<>|\0'):
            raise SettingsError(
                f"The new model's name is {self.name!r}; it must be usable as the name "
                "of a folder: no slashes, colons, quotes or wildcards."
            )
        if self.format_version > FORMAT_VERSION:
            raise SettingsError(
                f"The settings have format version {self.format_version}; this version "
                f"of napari-gen2seg reads up to {FORMAT_VERSION}. Update it."
            )

    @property
    def folder(self) -> Path:
        """The run folder."""
        return Path(self.run).expanduser()

    @property
    def length(self) -> tuple[int | None, float | None]:
        """Steps and minutes of the run, None where not limited; one at least is."""
        if self.steps is None and self.minutes is None:
            chosen = PRESETS[self.preset]
            return chosen.steps, chosen.minutes
        return self.steps, self.minutes

    @property
    def least_steps(self) -> int:
        """Steps that are made even if the time of a preset is over; 0: none."""
        by_hand = self.steps is not None or self.minutes is not None
        return 0 if by_hand else PRESETS[self.preset].least

    def to_json(self) -> str:
        """Return the text of the settings file."""
        return json.dumps(dataclasses.asdict(self), indent=2) + "\n"

    def save(self, path: str | Path | None = None) -> Path:
        """Write the settings, by default to ``config.json`` of the run folder.

        Raises
        ------
        StorageError
            If the file cannot be written.
        """
        from napari_gen2seg.common.atomic import writing

        target = self.folder / CONFIG_NAME if path is None else Path(path)
        with writing(target) as draft:
            draft.write_text(self.to_json(), encoding="utf-8")
        return target


def read_finetune_config(path: str | Path) -> FinetuneConfig:
    """Read a settings file; paths in it are relative to its folder.

    Raises
    ------
    SettingsError
        If it cannot be read, or a key or a value is wrong.
    """
    file = Path(path).expanduser()
    try:
        raw = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SettingsError(
            f"The fine-tuning settings {file} cannot be read: {error}. Give the JSON "
            "file that the dialog, or `napari-gen2seg finetune --images ...`, writes."
        ) from error
    config = finetune_config(raw, str(file))
    root = file.parent

    def placed(name: str) -> str:
        place = Path(name).expanduser()
        return str(place if place.is_absolute() else root / place)

    pairs = tuple(
        dataclasses.replace(
            p, image=placed(p.image), labels=placed(p.labels) if p.labels else ""
        )
        for p in config.pairs
    )
    datasets = tuple(
        dataclasses.replace(d, root=placed(d.root)) for d in config.datasets
    )
    return dataclasses.replace(
        config,
        run=placed(config.run),
        pairs=pairs,
        datasets=datasets,
        replay=tuple(placed(r) for r in config.replay),
    )


def finetune_config(raw: Any, where: str = "The settings") -> FinetuneConfig:
    """Build settings from plain values.

    Raises
    ------
    SettingsError
        If a key or a value is wrong; the message names it.
    """
    values = dict(checked(FinetuneConfig, in_new_words(raw), where))
    values["pairs"] = tuple(
        _pair(checked(PairSpec, in_new_words(pair), f"{where}, pair {number}"))
        for number, pair in enumerate(values.get("pairs", ()), 1)
    )
    values["datasets"] = tuple(
        dataset_spec(
            checked(DatasetSpec, in_new_words(one), f"{where}, data set {number}")
        )
        for number, one in enumerate(values.get("datasets", ()), 1)
    )
    values["replay"] = tuple(values.get("replay", ()))
    return FinetuneConfig(**values)


@dataclass(frozen=True)
class DatasetSpec:
    """A data set to learn from, whose frames are read when their turn comes.

    Attributes
    ----------
    root, kind, split
        As for `io.datasets.open_dataset`: a folder, what it is, and which part.
    weight
        How often a batch comes from it, relative to the others.
    size, crop
        (height, width) in pixels that frames are resized to, and windows cut from
        them; None leaves it out.
    complete
        True: what is not labelled is background.
    validation
        Frames held back for scores, of scenes that are not trained on.
    """

    root: str
    kind: str = "auto"
    split: str | None = None
    weight: float = 1.0
    size: tuple[int, int] | None = None
    crop: tuple[int, int] | None = None
    complete: bool = True
    validation: int = 8

    def __post_init__(self) -> None:
        if self.weight <= 0 or self.validation < 0:
            raise SettingsError(
                f"The data set {self.root} has weight {self.weight} and "
                f"validation {self.validation}; they must be above 0, and 0 or more."
            )
        for name in ("size", "crop"):
            shape = getattr(self, name)
            if shape is not None and (len(shape) != 2 or min(shape) < 16):
                raise SettingsError(
                    f"{name} of the data set {self.root} is {list(shape)}; it must be "
                    "[height, width] in pixels, 16 or more."
                )


def _pair(values: dict[str, Any]) -> PairSpec:
    """Build one from plain values, lists of JSON as tuples."""
    return PairSpec(
        **{
            name: tuple(value) if isinstance(value, list) else value
            for name, value in values.items()
        }
    )


def dataset_spec(values: dict[str, Any]) -> DatasetSpec:
    """Build one from plain values, lists as sizes."""
    shapes = {
        name: tuple(values[name]) for name in ("size", "crop") if values.get(name)
    }
    return DatasetSpec(**{**values, **shapes})
