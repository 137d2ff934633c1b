"""The coloring map of an image, kept beside its work: nobody waits for it twice.

``coloring.tif``   the map, for any program
``coloring.json``  which model made it, and how it was asked

Both can be thrown away; they are made again when they are needed.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import napari_gen2seg
from napari_gen2seg.common.atomic import not_written, writing
from napari_gen2seg.common.types import Array
from napari_gen2seg.core.coloring import Coloring
from napari_gen2seg.core.image.rgb import RgbRecipe, rgb_key
from napari_gen2seg.errors import Gen2SegError
from napari_gen2seg.models.colorer import model_input

MAP_NAME, FACTS_NAME = "coloring.tif", "coloring.json"


@dataclass(frozen=True)
class Asked:
    """What decides a map, besides the pixels.

    Attributes
    ----------
    model
        Id of the model, as it was chosen.
    resolution
        Longer side that was asked for; None leaves it to the model.
    passes
        How many of the image and its mirror images the model saw.
    """

    model: str
    resolution: int | None = None
    passes: int = 1


def keep_map(folder: Path, coloring: Coloring, asked: Asked) -> None:
    """Write a map beside the work on its image.

    Parameters
    ----------
    folder
        Of the work.
    coloring
        Of the only plane.
    asked
        How it was made.

    Raises
    ------
    StorageError
        If it cannot be written.
    """
    try:
        facts = {**_wanted(asked), "key": coloring.key}
        # What is said of the map before is no longer true.
        (folder / FACTS_NAME).unlink(missing_ok=True)
    except OSError as error:
        raise not_written(folder / FACTS_NAME, error) from error
    coloring.save(folder / MAP_NAME)
    with writing(folder / FACTS_NAME) as draft:
        draft.write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")


def kept_map(
    folder: Path, asked: Asked, plane: Array, recipe: RgbRecipe | None = None
) -> Coloring | None:
    """Read the map that is kept, if it is the one that would be made now.

    Parameters
    ----------
    folder
        Of the work.
    asked
        How it would be made.
    plane
        (H, W) or (H, W, C), the pixels.
    recipe
        How channels become RGB.

    Returns
    -------
    Coloring or None
        None where there is none, or one of other pixels, another model or version.
    """
    with suppress(OSError, ValueError, Gen2SegError):
        facts = json.loads((folder / FACTS_NAME).read_text(encoding="utf-8"))
        wanted = _wanted(asked)
        if {name: facts.get(name) for name in wanted} != wanted:
            return None
        coloring = Coloring.load(folder / MAP_NAME)
        same = coloring.source_key == rgb_key(model_input(plane, recipe or RgbRecipe()))
        return coloring if same and coloring.key == facts.get("key") else None
    return None


def _wanted(asked: Asked) -> dict[str, object]:
    """Return what must be the same for a map to be the one that would be made now."""
    # A folder may get other weights under the same name, by another fine-tuning.
    folder = Path(asked.model)
    files = sorted(folder.rglob("*.safetensors")) if folder.is_absolute() else []
    weights = [[one.name, one.stat().st_size, one.stat().st_mtime_ns] for one in files]
    return {**asdict(asked), "weights": weights, "by": napari_gen2seg.__version__}


def is_kept(folder: Path, coloring: Coloring) -> bool:
    """Tell whether a map is the one that is kept."""
    with suppress(OSError, ValueError, AttributeError):
        facts = json.loads((folder / FACTS_NAME).read_text(encoding="utf-8"))
        return bool(facts.get("key") == coloring.key) and (folder / MAP_NAME).is_file()
    return False
