"""What a fine-tuning run is made of: one JSON file (no torch here)."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

from napari_gen2seg.common.checked import checked
from napari_gen2seg.errors import SettingsError
from napari_gen2seg.train.finetune.run_folder import CONFIG_NAME

FORMAT_VERSION = 1

Role = Literal["auto", "train", "held"]
Dial = Literal["quick", "standard", "thorough"]
Trains = Literal["auto", "full", "lora", "last"]
Precision = Literal["auto", "float32", "bfloat16"]
Recipe = Literal["own", "published"]


@dataclass(frozen=True)
class Length:
    """How long a setting of the dial trains: whichever ends first."""

    steps: int
    minutes: float


DIALS: dict[str, Length] = {
    "quick": Length(400, 3.0),
    "standard": Length(2000, 15.0),
    "thorough": Length(8000, 60.0),
}


@dataclass(frozen=True)
class PairSpec:
    """One picture and its labels.

    Attributes
    ----------
    image, labels
        Files (TIFF, PNG or NPY) of one plane each: (H, W) or (H, W, 3), and whole
        numbers (H, W), 0 where nothing is labelled, -1 where nothing is known.
    name
        For people; the image's file name if empty.
    complete
        True: what is not labelled is background. False: nobody has said what it is.
    group
        Pairs of one group are held back together (the planes of one stack).
    role
        ``"train"``, ``"held"`` (held back for scores), or ``"auto"``.
    diameter
        Typical size of the objects in pixels; measured from the labels if None.
    """

    image: str
    labels: str
    name: str = ""
    complete: bool = False
    group: str | None = None
    role: Role = "auto"
    diameter: float | None = None

    def __post_init__(self) -> None:
        if self.role not in get_args(Role):
            raise SettingsError(
                f"The role of {self.title!r} is {self.role!r}; it must be 'auto', "
                "'train' or 'held'."
            )
        if self.diameter is not None and not 1 <= self.diameter <= 10_000:
            raise SettingsError(
                f"The diameter of {self.title!r} is {self.diameter}; it must be the "
                "size of a typical object in pixels, from 1 to 10000, or null."
            )

    @property
    def title(self) -> str:
        """What people see."""
        return self.name or Path(self.image).stem


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
    dial
        How long: ``"quick"``, ``"standard"`` or ``"thorough"``.
    trains
        ``"full"``, ``"lora"``, ``"last"`` (last blocks) or ``"auto"``.
    steps, minutes
        Whichever ends first; where both are None the dial decides.
    rate, batch, crop, accumulate
        Step size, pictures per step, side of a crop in pixels as the model sees it,
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
    hold_back: float = 0.2
    dial: Dial = "quick"
    trains: Trains = "auto"
    steps: int | None = None
    minutes: float | None = None
    rate: float | None = None
    batch: int | None = None
    crop: int | None = None
    accumulate: int | None = None
    precision: Precision = "auto"
    checkpointing: bool | Literal["auto"] = "auto"
    seed: int = 0
    preview_seconds: float = 10.0
    score_seconds: float = 45.0
    patience: int = 6
    replay: tuple[str, ...] = ()
    device: str = "auto"
    recipe: Recipe = "own"
    format_version: int = field(default=FORMAT_VERSION)

    def __post_init__(self) -> None:
        for name, allowed in (
            ("dial", get_args(Dial)),
            ("trains", get_args(Trains)),
            ("precision", get_args(Precision)),
            ("recipe", get_args(Recipe)),
            ("checkpointing", ("auto", True, False)),
        ):
            if getattr(self, name) not in allowed:
                raise SettingsError(
                    f"{name} is {getattr(self, name)!r}; it must be one of "
                    f"{', '.join(map(str, allowed))}."
                )
        limits = (
            ("hold_back", 0.0, 0.9),
            ("steps", 1, 10_000_000),
            ("minutes", 0.01, 100_000),
            ("rate", 1e-9, 1.0),
            ("batch", 1, 1024),
            ("crop", 16, 4096),
            ("accumulate", 1, 1024),
            ("seed", 0, 2**32 - 1),
            ("preview_seconds", 0.0, 1e6),
            ("score_seconds", 0.0, 1e6),
            ("patience", 1, 10_000),
        )
        for name, low, high in limits:
            value = getattr(self, name)
            if value is not None and not low <= value <= high:
                raise SettingsError(
                    f"{name} is {value}; it must lie between {low} and {high}."
                )
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
            chosen = DIALS[self.dial]
            return chosen.steps, chosen.minutes
        return self.steps, self.minutes

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
        dataclasses.replace(p, image=placed(p.image), labels=placed(p.labels))
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
    values = dict(checked(FinetuneConfig, raw, where))
    values["pairs"] = tuple(
        PairSpec(**checked(PairSpec, pair, f"{where}, pair {number}"))
        for number, pair in enumerate(values.get("pairs", ()), 1)
    )
    values["datasets"] = tuple(
        dataset_spec(checked(DatasetSpec, one, f"{where}, data set {number}"))
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
    held
        Frames held back for scores, of scenes that are not trained on.
    """

    root: str
    kind: str = "auto"
    split: str | None = None
    weight: float = 1.0
    size: tuple[int, int] | None = None
    crop: tuple[int, int] | None = None
    complete: bool = True
    held: int = 8

    def __post_init__(self) -> None:
        if self.weight <= 0 or self.held < 0:
            raise SettingsError(
                f"The data set {self.root} has weight {self.weight} and held "
                f"{self.held}; they must be above 0, and 0 or more."
            )
        for name in ("size", "crop"):
            shape = getattr(self, name)
            if shape is not None and (len(shape) != 2 or min(shape) < 16):
                raise SettingsError(
                    f"{name} of the data set {self.root} is {list(shape)}; it must be "
                    "[height, width] in pixels, 16 or more."
                )


def dataset_spec(values: dict[str, Any]) -> DatasetSpec:
    """Build one from plain values, lists as sizes."""
    shapes = {
        name: tuple(values[name]) for name in ("size", "crop") if values.get(name)
    }
    return DatasetSpec(**{**values, **shapes})
