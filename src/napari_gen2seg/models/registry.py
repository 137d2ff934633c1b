"""The list of models one may choose (no torch, no network)."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from napari_gen2seg.common.user_dirs import models_dir
from napari_gen2seg.errors import (
    ModelNotFoundError,
    SettingsError,
    WeightsError,
    WrongFamilyError,
)
from napari_gen2seg.models.hub import cache
from napari_gen2seg.models.model_folder import ModelFolder, read_model_folder
from napari_gen2seg.models.spec import ModelSpec

MINI_FOLDER = Path(__file__).parent / "mini"

#: ``owner/name`` as the Hugging Face hub writes it.
HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*\Z")

_PUBLISHED = (
    ModelSpec(
        id="reachomk/gen2seg-sd",
        family="sd",
        title="gen2seg SD (published)",
        source="hub",
        licence="not stated by its authors; made from Stable Diffusion 2 "
        "(CreativeML Open RAIL++-M)",
        licence_url="https://huggingface.co/reachomk/gen2seg-sd",
        default_resolution=768,
        repo="reachomk/gen2seg-sd",
        description="The paper's best model: 950 million parameters; about 2.5 to "
        "5 GB to download. A GPU with 6 GB or more is advised.",
    ),
    ModelSpec(
        id="reachomk/gen2seg-mae-h",
        family="mae",
        title="gen2seg MAE-H (published)",
        source="hub",
        licence="not stated by its authors; made from ViT-MAE huge "
        "(CC BY-NC 4.0 / Apache 2.0, see its page)",
        licence_url="https://huggingface.co/reachomk/gen2seg-mae-h",
        default_resolution=224,
        repo="reachomk/gen2seg-mae-h",
        description="The paper's masked autoencoder: 657 million parameters, always "
        "224 x 224 pixels; about 2.6 GB to download.",
    ),
)


def list_models() -> tuple[ModelSpec, ...]:
    """List the models at hand: the embedded one, the published ones, one's own.

    Returns
    -------
    tuple of ModelSpec
        ``mini`` first, then the published models of the hub, then other hub models
        that were downloaded, then the model folders under the data folder, by name.
        A hub model has a ``path`` when it is on this computer. Damaged folders are
        left out.
    """
    others = (r for r in cache.repos() if r not in {s.repo for s in _PUBLISHED})
    return (
        _mini(),
        *(_if_stored(spec) for spec in _PUBLISHED),
        *(s for s in (_if_stored(_hub_spec(repo)) for repo in others) if s.path),
        *_own(),
    )


def find(id_or_path: str | Path) -> ModelSpec:
    """Find a model by its id, its folder or its hub name.

    Parameters
    ----------
    id_or_path
        ``"mini"``, an id of `list_models`, a folder, or any ``owner/name`` of the
        hub (it is not asked for here).

    Raises
    ------
    ModelNotFoundError
        If nothing has that name.
    WrongFamilyError, WeightsError
        If it is a folder that holds no model, or a damaged one.
    """
    try:
        folder = Path(id_or_path).expanduser()
    except (TypeError, RuntimeError) as error:
        raise SettingsError(
            f"The model is {id_or_path!r}; it must be a name, or a folder."
        ) from error
    if isinstance(id_or_path, Path) and folder.is_dir():
        return folder_spec(folder)
    text, known = str(id_or_path), list_models()
    if isinstance(id_or_path, str):
        for spec in known:
            if spec.id == text:
                return spec
    if folder.is_dir():
        return folder_spec(folder)
    if isinstance(id_or_path, str) and HUB_ID.match(text):
        return _hub_spec(text)
    names = ", ".join(repr(spec.id) for spec in known)
    raise ModelNotFoundError(
        f"There is no model {text!r}. It must be one of {names}, an 'owner/name' of "
        "the Hugging Face hub, or a folder that exists."
    )


def folder_spec(folder: Path) -> ModelSpec:
    """Describe a model folder.

    Raises
    ------
    WrongFamilyError, WeightsError
        If the folder holds no model, or a damaged one.
    """
    found = read_model_folder(folder)
    config = found.config
    return ModelSpec(
        id=str(folder),
        family=config.family,
        title=config.title or folder.name,
        source="folder",
        licence=config.licence,
        licence_url=config.licence_url,
        size_bytes=folder_bytes(folder),
        default_resolution=config.default_resolution,
        path=folder,
        description=config.description,
        folder=found,
    )


def model_folder(spec: ModelSpec) -> ModelFolder:
    """Return what is known of a spec's folder, which is read where it was not yet.

    Raises
    ------
    WeightsError
        If it is not there or is damaged.
    WrongFamilyError
        If it holds no model.
    """
    if spec.folder is not None:
        return spec.folder
    if spec.path is None or not spec.path.is_dir() or not any(spec.path.iterdir()):
        raise WeightsError(
            f"The weights of {spec.id!r} are missing: {spec.path} is not there or is "
            "empty. Install the package again or choose another model."
        )
    return read_model_folder(spec.path, spec.revision)


def title_of(model: str) -> str:
    """Return what people call a model, by its id."""
    for spec in list_models():
        if spec.id == model:
            return spec.title
    return Path(model).name


def folder_bytes(folder: Path) -> int:
    """Sum the sizes in bytes of a folder's files."""
    return sum(f.stat().st_size for f in folder.rglob("*") if f.is_file())


def _hub_spec(repo: str) -> ModelSpec:
    """Describe a hub model about which nothing is known yet."""
    return ModelSpec(
        id=repo,
        family="sd",
        title=repo,
        source="hub",
        licence="see the model's page",
        licence_url=f"https://huggingface.co/{repo}",
        repo=repo,
        description="A model of the Hugging Face hub; its family is found out when it "
        "is loaded.",
    )


def _if_stored(spec: ModelSpec) -> ModelSpec:
    """Add where a hub model is, when it was downloaded."""
    here = cache.stored(spec.repo or spec.id, None, also_hub_cache=False)
    if here is None:
        return spec
    return replace(
        spec,
        path=here.path,
        revision=here.revision,
        family=here.config.family,
        size_bytes=folder_bytes(here.path),
        folder=here,
    )


def _mini() -> ModelSpec:
    """Describe the embedded model."""
    return ModelSpec(
        id="mini",
        family="offsets",
        title="mini (embedded)",
        source="embedded",
        licence="BSD-3-Clause",
        size_bytes=folder_bytes(MINI_FOLDER),
        path=MINI_FOLDER,
        description="Our own small model: nothing to download, made for laptops.",
    )


def _own() -> tuple[ModelSpec, ...]:
    """Describe the user's own model folders, leaving out what cannot be read."""
    root = models_dir()
    found: list[ModelSpec] = []
    if root.is_dir():
        for folder in sorted(p for p in root.iterdir() if p.is_dir()):
            try:
                spec = folder_spec(folder)
            except (WeightsError, WrongFamilyError):
                continue
            # Copies of a model have its title, and names of their own.
            own = any(one.title == spec.title for one in found)
            found.append(replace(spec, title=folder.name) if own else spec)
    return tuple(found)
