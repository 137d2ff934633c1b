"""A trained model becomes one of the user's models, leaves as a file, or goes."""

from __future__ import annotations

import re
import shutil
import uuid
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from napari_gen2seg.common.atomic import put, replacing, replacing_folder
from napari_gen2seg.common.text import slug
from napari_gen2seg.common.user_dirs import data_dir, models_dir
from napari_gen2seg.errors import ModelNotFoundError, SettingsError, StorageError
from napari_gen2seg.models.model_folder import read_family
from napari_gen2seg.models.registry import folder_bytes

Check = Callable[[], None]
"""Raises when the copying is to stop."""


def adopt(model: Path, name: str, check: Check | None = None) -> Path:
    """Copy a trained model to the user's models, whole or not at all.

    Parameters
    ----------
    model
        Folder of the trained model.
    name
        Its name there; a number is added if it is taken.
    check
        Called between files; raises to stop.

    Returns
    -------
    Path
        The new folder, which is the model's id.

    Raises
    ------
    ModelNotFoundError
        If there is no model.
    StorageError
        If there is no room, or the folder cannot be written.
    """
    _there(model)
    target, count = models_dir() / slug(name), 1
    while target.exists():
        count += 1
        target = models_dir() / f"{slug(name)}-{count}"
    # Beside the models, not among them: a half model must never be listed.
    draft = data_dir() / f".adopting-{uuid.uuid4().hex[:12]}"
    with (
        _told(target, folder_bytes(model)),
        replacing_folder(target, draft, overwrite=False),
    ):
        _copy(model, draft, check)
    return target


def export(model: Path, target: Path, check: Check | None = None) -> Path:
    """Copy a model elsewhere: to a ``.zip`` file, or to a new folder.

    Raises
    ------
    ModelNotFoundError, SettingsError, StorageError
        If there is no model, the folder exists, or it cannot be written.
    """
    _there(model)
    if target.suffix.lower() != ".zip" and target.exists():
        raise SettingsError(
            f"{target} exists already. Choose another name; nothing was overwritten."
        )
    with _told(target, folder_bytes(model)):
        if target.suffix.lower() == ".zip":
            target.parent.mkdir(parents=True, exist_ok=True)
            with replacing(target) as draft:
                _pack(model, draft, target.stem, check)
        else:
            draft = target.parent / f".{target.name}-{uuid.uuid4().hex[:12]}"
            with replacing_folder(target, draft, overwrite=False):
                _copy(model, draft, check)
    return target


def remove(model: str | Path, in_use: Callable[[Path], str | None]) -> None:
    """Delete one of the user's models.

    Parameters
    ----------
    model
        Its folder.
    in_use
        Called with the folder; returns the name of an unfinished training that starts
        from it, or None.

    Raises
    ------
    SettingsError
        If it is no folder among the user's models: nothing else is ever deleted; or if
        an unfinished training starts from it.
    StorageError
        If it cannot be removed.
    """
    folder = Path(model)
    if folder.parent != models_dir() or not folder.is_dir():
        raise SettingsError(
            f"{folder.name!r} is none of your own models in {models_dir()}, so it is "
            "not removed here."
        )
    run = in_use(folder)
    if run is not None:
        raise SettingsError(
            f"The training of {run!r} starts from {folder.name!r} and is not "
            "finished. Let it end, or throw it away, first."
        )
    grave = data_dir() / f".removing-{uuid.uuid4().hex[:12]}"
    try:
        put(folder, grave)
    except OSError as error:
        raise StorageError(
            f"{folder} could not be removed: {error.strerror or error}. Close programs "
            "that use it, and try again."
        ) from error
    shutil.rmtree(grave, ignore_errors=True)


def is_own(model: str) -> bool:
    """Whether a model id is a folder among the user's models."""
    return Path(model).parent == models_dir() and Path(model).is_dir()


def free_name(base: str) -> str:
    """Propose a name for a model fine-tuned from another, perhaps a proposed one."""
    stem = re.sub(r"-tuned(-\d+)?$", "", Path(base).name) or "model"
    name, count = f"{stem}-tuned", 1
    while (models_dir() / slug(name)).exists():
        count += 1
        name = f"{stem}-tuned-{count}"
    return name


def _there(model: Path) -> None:
    if read_family(model) is None:
        raise ModelNotFoundError(
            f"There is no trained model in {model}. Let the training end first, with "
            "'Stop and keep best' if you are in a hurry."
        )


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _copy(source: Path, target: Path, check: Check | None) -> None:
    for path in _files(source):
        if check is not None:
            check()
        place = target / path.relative_to(source)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, place)


def _pack(source: Path, archive: Path, name: str, check: Check | None) -> None:
    # Weights do not compress; storing them is many times faster.
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as file:
        for path in _files(source):
            if check is not None:
                check()
            file.write(path, (Path(name) / path.relative_to(source)).as_posix())


@contextmanager
def _told(target: Path, size: int) -> Iterator[None]:
    """Refuse where there is no room; say what went wrong."""
    here = target.parent
    while not here.exists() and here != here.parent:
        here = here.parent
    try:
        free = shutil.disk_usage(here).free
        if free < size:
            raise StorageError(
                f"The model takes {size / 1e6:,.0f} MB, and the disk of {here} has "
                f"{free / 1e6:,.0f} MB left. Free some space, or choose another place; "
                "nothing was changed."
            )
        yield
    except StorageError:
        raise
    except OSError as error:
        raise StorageError(
            f"The model could not be written to {target}: {error.strerror or error}. "
            "Free some space, or choose another place; nothing was changed."
        ) from error
