"""What a training run of mini is made of: one TOML file, one section a stage."""

from __future__ import annotations

import dataclasses
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from napari_gen2seg.errors import SettingsError

STAGES = ("autoencoder", "pretrain", "colour")
T = TypeVar("T")


@dataclass(frozen=True)
class ArchitectureConfig:
    """Shape of the network.

    ``vae_channels`` has one entry per level, so the latent factor is
    ``2 ** (len(vae_channels) - 1)``. ``wavelengths`` empty means no guides.
    """

    vae_channels: tuple[int, ...] = (8, 16)
    latent_channels: int = 8
    unet_channels: tuple[int, ...] = (32, 48, 80, 128, 160)
    attention_levels: int = 1
    layers_per_block: int = 1
    groups: int = 4
    prompt_dim: int = 16
    wavelengths: tuple[float, ...] = (96.0,)
    directions: int = 3
    multiple: int = 32
    object_diameter: float = 30.0


@dataclass(frozen=True)
class DataConfig:
    """Where images come from and how they are cut.

    ``sources`` maps a folder (with ``images/``, ``labels/`` and ``split.json``) to
    its weight; ``drawn`` is the weight of drawn scenes. ``left_out`` names kinds of
    pictures, as the sources' manifests call them, that are not trained on. Diameters
    are pixels at model scale.
    """

    root: str = ""
    sources: dict[str, float] = field(default_factory=dict)
    drawn: float = 1.0
    crop: int = 128
    smallest: float = 12.0
    largest: float = 80.0
    workers: int = 1
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True)
class StageConfig:
    """One stage: how long, how fast, which loss.

    ``loss`` (colour stage): ``neighbour``, ``harmonic`` or ``paper``; ``warmup`` is the
    share of steps over which ``harmonic`` fades into it, ``reveal`` the share over
    which the background of the harmonic target gains its weight. ``compile`` runs the
    network through ``torch.compile``, which needs a C++ compiler on the machine: a
    fifth less time a step on a CPU, after half a minute of compiling.
    """

    steps: int = 1000
    minutes: float = 0.0
    batch: int = 8
    rate: float = 1e-3
    weight_decay: float = 1e-2
    clip: float = 1.0
    ramp: int = 100
    average: float = 0.998
    loss: str = "neighbour"
    warmup: float = 0.25
    harmonic_floor: float = 0.0
    reveal: float = 0.05
    rim: float = 0.7
    outline: float = 0.0
    flat: float = 0.0
    compile: bool = False
    save_every: int = 250
    seed: int = 0

    def over(self, step: int, seconds: float) -> bool:
        """Tell whether the stage is over: by its steps, or by its time."""
        late = self.minutes > 0 and seconds > 60 * self.minutes
        return step >= self.steps or late


@dataclass(frozen=True)
class RunConfig:
    """A whole run. ``id`` names the model it makes.

    ``start`` is a model folder of the same shape whose weights the first stage that is
    run starts from; empty starts from nothing.
    """

    id: str = "mini"
    start: str = ""
    model: ArchitectureConfig = field(default_factory=ArchitectureConfig)
    data: DataConfig = field(default_factory=DataConfig)
    autoencoder: StageConfig = field(default_factory=StageConfig)
    pretrain: StageConfig = field(default_factory=StageConfig)
    colour: StageConfig = field(default_factory=StageConfig)

    def stage(self, name: str) -> StageConfig:
        """Return one stage's settings.

        Raises
        ------
        SettingsError
            If there is no such stage.
        """
        if name not in STAGES:
            raise SettingsError(
                f"There is no training stage {name!r}; the stages are "
                f"{', '.join(STAGES)}."
            )
        stage: StageConfig = getattr(self, name)
        return stage


def read_config(path: str | Path, overrides: list[str] | None = None) -> RunConfig:
    """Read a TOML file; see `read_settings`."""
    return read_settings(RunConfig, path, overrides)


def read_settings(
    kind: type[T], path: str | Path, overrides: list[str] | None = None
) -> T:
    """Read a TOML file into a dataclass of settings.

    Parameters
    ----------
    kind
        The dataclass.
    path
        The file.
    overrides
        ``section.key=value`` settings (TOML values) laid over the file.

    Raises
    ------
    SettingsError
        If the file cannot be read or a key or value is wrong.
    """
    try:
        raw = tomllib.loads(Path(path).read_text(encoding="utf-8"))
        for item in overrides or []:
            key, _, value = item.partition("=")
            _lay_over(raw, key.strip().split("."), tomllib.loads(f"v = {value}")["v"])
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(
            f"The training settings {path} cannot be read: {error}. Give a TOML file "
            "like configs/mini.toml."
        ) from error
    return _build(kind, raw, str(path))


def _lay_over(raw: dict[str, Any], keys: list[str], value: Any) -> None:
    for key in keys[:-1]:
        raw = raw.setdefault(key, {})
    raw[keys[-1]] = value


def _build(kind: type[T], raw: dict[str, Any], where: str) -> T:
    known = {f.name: f for f in dataclasses.fields(kind)}  # type: ignore[arg-type]
    values: dict[str, Any] = {}
    for key, value in raw.items():
        if key not in known:
            raise SettingsError(
                f"{where} has an unknown setting {key!r}; known are {', '.join(known)}."
            )
        default = known[key].default_factory
        if dataclasses.is_dataclass(default) and isinstance(value, dict):
            value = _build(default, value, f"{where} [{key}]")  # type: ignore[arg-type]
        values[key] = tuple(value) if isinstance(value, list) else value
    return kind(**values)


def as_dict(config: RunConfig) -> dict[str, Any]:
    """Return plain values, for the model card."""
    return dataclasses.asdict(config)
