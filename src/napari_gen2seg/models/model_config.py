"""The config of a model: ``gen2seg.json``, and what the folder itself tells.

A published diffusers or transformers folder carries no ``gen2seg.json``; its
config is then the published defaults of its family.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, cast

from napari_gen2seg.errors import SettingsError, WeightsError
from napari_gen2seg.models.networks.position_guides import Guides

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from napari_gen2seg.models.networks.guided_upsampling import Refine

FACTS_NAME = "gen2seg.json"
FORMAT_VERSION = 1
# Keys of saved models and runs that are spelled otherwise here.
_FIELDS = {"hears_brightness": "uses_brightness"}

Stretch = Literal["published", "fixed"]


@dataclass(frozen=True)
class ModelConfig:
    """What ``gen2seg.json`` says about a model.

    Parameters
    ----------
    family
        Name of a `models.families.family.Family`, such as ``"sd"`` or ``"mae"``.
    default_resolution
        Longer side in pixels; None leaves it to the resolution rule.
    min_resolution, max_resolution
        Limits of the resolution rule, in pixels.
    multiple
        Sides are padded to a multiple of this many pixels.
    guides
        Position guides of the UNet, or None.
    refine
        Guided filter laid over the map, or None.
    stretch
        ``"published"``: each prediction is stretched to 0..255 by its own extremes.
        ``"fixed"``: the prediction's -1..1 is 0..255, clipped, for models trained to
        absolute colours.
    object_diameter
        Size in pixels, at model scale, of the objects the model likes best.
    source_diameter
        Size of objects in pixels of the pictures that the model was fitted to, where
        the model would read the size of something else off its map; None lets it read.
    uses_brightness
        Whether clicks use a picture's brightness beside the map, where the two agree;
        ``hears_brightness`` in ``gen2seg.json``.
    fixed_input_size
        Side in pixels of the square into which the family presses every image, if any.
    """

    family: str
    id: str = ""
    title: str = ""
    licence: str = "unknown"
    licence_url: str = ""
    description: str = ""
    default_resolution: int | None = None
    min_resolution: int = 64
    max_resolution: int = 1024
    multiple: int = 8
    guides: Guides | None = None
    refine: Refine | None = None
    stretch: Stretch = "published"
    object_diameter: float | None = None
    source_diameter: float | None = None
    uses_brightness: bool = True
    fixed_input_size: int | None = None
    base_model: str = ""
    created: str = ""
    recipe: dict[str, Any] = field(default_factory=dict)

    @property
    def on_black(self) -> bool:
        """Whether the model paints the background black.

        Models trained here do, and only they know a size of objects.
        """
        return self.object_diameter is not None


def with_settings(config: ModelConfig, settings: Mapping[str, Any]) -> ModelConfig:
    """Return a config with other values, by the keys of ``gen2seg.json``."""
    fields = {_FIELDS.get(key, key): value for key, value in settings.items()}
    return replace(config, **fields)


def config_from(
    raw: Mapping[str, Any], defaults: Mapping[str, Any], family: str, folder: Path
) -> ModelConfig:
    """Fill in the family's defaults and check the values.

    Parameters
    ----------
    raw
        Content of ``gen2seg.json``; empty where there is none.
    defaults
        What the family says where ``raw`` does not.
    family
        Its name.
    folder
        The model, for what is said about it.

    Raises
    ------
    WeightsError
        If a value is of the wrong kind.
    """
    value = {**defaults, **{k: v for k, v in raw.items() if v is not None}}
    stretch = value.get("stretch", "published")
    if stretch not in ("published", "fixed"):
        raise WeightsError(
            f"{folder / FACTS_NAME} has stretch {stretch!r}; it must be 'published' "
            "or 'fixed'."
        )
    try:
        guides = value.get("guides")
        return ModelConfig(
            family=family,
            id=str(value.get("id", "")),
            title=str(value.get("title", "")),
            licence=str(value.get("licence", "unknown")),
            licence_url=str(value.get("licence_url", "")),
            description=str(value.get("description", "")),
            default_resolution=_whole(value["default_resolution"]),
            min_resolution=int(value["min_resolution"]),
            max_resolution=int(value["max_resolution"]),
            multiple=int(value["multiple"]),
            guides=None if guides is None else Guides.from_dict(guides),
            refine=_refine(value.get("refine")),
            stretch=cast("Stretch", stretch),
            object_diameter=_number(value.get("object_diameter")),
            source_diameter=_number(value.get("source_diameter")),
            uses_brightness=bool(value.get("hears_brightness", True)),
            base_model=str(value.get("base_model", "")),
            created=str(value.get("created", "")),
            recipe=dict(value.get("recipe", {})),
        )
    except (TypeError, ValueError, SettingsError) as error:
        raise WeightsError(
            f"{folder / FACTS_NAME} has a value of the wrong kind: {error}"
        ) from error


def _whole(value: object) -> int | None:
    """Return an int, or None for None."""
    return None if value is None else int(cast("int", value))


def _number(value: object) -> float | None:
    """Return a float, or None for None."""
    return None if value is None else float(cast("float", value))


def _refine(value: object) -> Refine | None:
    """Return the guided filter's settings, or None for None."""
    if value is None:
        return None
    # Late: the filter needs torch, the config of a model does not.
    from napari_gen2seg.models.networks.guided_upsampling import Refine

    return Refine.from_dict(cast("dict[str, Any]", value))
