"""What is known about a model before it is loaded (no torch here)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from pathlib import Path

    from napari_gen2seg.models.families.family import ModelFolder

Source = Literal["embedded", "hub", "folder"]


@dataclass(frozen=True)
class ModelSpec:
    """One model a person may choose.

    Parameters
    ----------
    id
        The name to give to `load_model`: ``"mini"``, ``"owner/name"`` of the Hugging
        Face hub, or a folder.
    family
        Name of its family: ``"sd"`` (one-step latent diffusion), ``"mae"`` (masked
        autoencoder), or that of another package.
    title, description
        For people.
    source
        Where the weights are: in this package, on the hub, or in a folder.
    licence, licence_url
        Licence of the weights; shown before a first download.
    size_bytes
        Bytes on disk; 0 when unknown before asking the hub.
    default_resolution
        Longer side in pixels the model likes best; None means that the resolution
        rule decides from the picture.
    path
        Folder with the weights, for embedded and folder models.
    repo, revision
        Hub repository, and the branch, tag or commit asked for. After loading, the
        commit that was really used.
    folder
        What was read of ``path`` already, for those who load or export the model.
    """

    id: str
    family: str
    title: str
    source: Source
    licence: str
    licence_url: str = ""
    size_bytes: int = 0
    default_resolution: int | None = None
    path: Path | None = None
    repo: str | None = None
    revision: str | None = None
    description: str = ""
    folder: ModelFolder | None = field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        # Late: it needs numpy, which --help does without.
        from napari_gen2seg.common.arguments import check_fields

        check_fields(self)
