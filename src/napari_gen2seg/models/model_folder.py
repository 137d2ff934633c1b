"""Model folders: which family, which config, which weights; read once (no torch).

`registry.find` makes the value `ModelFolder` for folders of models, `as_model_folder`
for any other caller; who has one hands it on, and nobody below reads ``gen2seg.json``
or searches the weights again.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from napari_gen2seg.errors import Gen2SegError, WeightsError, WrongFamilyError
from napari_gen2seg.models.families import detect_family, layouts_text
from napari_gen2seg.models.families.family import Family, ModelFolder
from napari_gen2seg.models.json_file import read_json
from napari_gen2seg.models.model_config import (
    FACTS_NAME,
    FORMAT_VERSION,
    ModelConfig,
    config_from,
)

__all__ = [
    "ModelFolder",
    "as_model_folder",
    "read_family",
    "read_model_config",
    "read_model_folder",
]


def read_model_folder(path: Path, revision: str | None = None) -> ModelFolder:
    """Read a model folder.

    Raises
    ------
    WeightsError
        If a JSON file is damaged or written by a newer version.
    WrongFamilyError
        If it holds no known family, or another one than its config says.
    """
    config, family = _read(path)
    return ModelFolder(path, config, family, revision)


def as_model_folder(folder: ModelFolder | Path) -> ModelFolder:
    """Return what was read already as it is, and read a path; errors as above."""
    return folder if isinstance(folder, ModelFolder) else read_model_folder(folder)


def read_model_config(folder: Path) -> ModelConfig:
    """Read a model folder's config.

    Parameters
    ----------
    folder
        A diffusers or transformers model folder, with or without ``gen2seg.json``.

    Raises
    ------
    WeightsError
        If a JSON file is damaged or written by a newer version.
    WrongFamilyError
        If the folder holds no known family, or another one than its file says.
    """
    return _read(folder)[0]


def read_family(folder: Path) -> Family | None:
    """Tell the family of a folder; None when it holds no model.

    Raises
    ------
    WeightsError
        If a JSON file is damaged.
    """
    return detect_family(folder, _read_raw(folder))


def _read_raw(folder: Path) -> dict[str, Any]:
    """Read ``gen2seg.json``; empty where there is none."""
    path = folder / FACTS_NAME
    return read_json(path) if path.is_file() else {}


def _read(folder: Path) -> tuple[ModelConfig, Family]:
    try:
        return _read_unguarded(folder)
    except Gen2SegError:
        raise
    except Exception as error:  # values of other kinds than the families expect
        raise WeightsError(
            f"The config files of {folder} are damaged ({type(error).__name__}: "
            f"{error}). Download or copy the model again."
        ) from error


def _read_unguarded(folder: Path) -> tuple[ModelConfig, Family]:
    path = folder / FACTS_NAME
    raw = _read_raw(folder)
    found = detect_family(folder, raw)
    if found is None:
        raise WrongFamilyError(
            f"The folder {folder} holds no model this plugin can load. It must hold "
            f"{layouts_text()}."
        )
    named = raw.get("family", found.name)
    if named != found.name:
        raise WrongFamilyError(
            f"{path} says family {named!r}, but the folder holds a {found.name!r} "
            "model. Correct the file or use the folder the weights came with."
        )
    if int(raw.get("format_version", FORMAT_VERSION)) > FORMAT_VERSION:
        raise WeightsError(
            f"{path} has format version {raw['format_version']}; this version of "
            f"napari-gen2seg reads up to {FORMAT_VERSION}. Update napari-gen2seg."
        )
    config = config_from(raw, found.defaults(folder, not raw), found.name, folder)
    return replace(config, fixed_input_size=found.fixed_input_size(config)), found
