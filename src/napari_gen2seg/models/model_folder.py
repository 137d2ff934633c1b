"""A model folder, read once, as loading, memory and export ask about it (no torch).

`registry.find` makes the value for folders of models, `as_model_folder` for any other
caller; who has one hands it on, and nobody below reads ``gen2seg.json`` or searches
the weights again.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from napari_gen2seg.errors import WeightsError
from napari_gen2seg.models.families import get_family
from napari_gen2seg.models.model_config import ModelConfig, read_model_config
from napari_gen2seg.models.weights import WeightFiles, find_weights

if TYPE_CHECKING:
    from napari_gen2seg.models.families.family import Family


@dataclass(frozen=True)
class ModelFolder:
    """What a model folder holds.

    Parameters
    ----------
    path
        The folder.
    config
        Its ``gen2seg.json``, completed by the family's defaults.
    revision
        The hub's commit, where it comes from there.
    """

    path: Path
    config: ModelConfig
    revision: str | None = None

    @property
    def family(self) -> Family:
        """The family that runs it."""
        return get_family(self.config.family)

    @cached_property
    def weights(self) -> dict[str, WeightFiles]:
        """The weight files of the parts that run, by the parts' names; searched once.

        Raises
        ------
        WeightsError
            If some are missing, damaged or unsafe.
        """
        return {part: find_weights(self.path / part) for part in self.family.parts}

    @property
    def parameters(self) -> int:
        """Number of values in the weights that run."""
        return sum(files.parameters for files in self.weights.values())

    @property
    def bytes(self) -> int:
        """Size on disk of the weights that run."""
        return sum(files.bytes for files in self.weights.values())

    @property
    def is_complete(self) -> bool:
        """Whether all that loading needs is there, as far as files tell."""
        family = self.family
        try:
            _ = self.weights
            for part in family.optional_parts:
                if (self.path / part / "config.json").is_file():
                    find_weights(self.path / part)
        except WeightsError:
            return False
        return all((self.path / name).is_file() for name in family.needed_files)


def read_model_folder(path: Path, revision: str | None = None) -> ModelFolder:
    """Read a model folder.

    Raises
    ------
    WeightsError
        If a JSON file is damaged or written by a newer version.
    WrongFamilyError
        If it holds no known family, or another one than its config says.
    """
    return ModelFolder(path, read_model_config(path), revision)


def as_model_folder(folder: ModelFolder | Path) -> ModelFolder:
    """Return what was read already as it is, and read a path; errors as above."""
    return folder if isinstance(folder, ModelFolder) else read_model_folder(folder)
