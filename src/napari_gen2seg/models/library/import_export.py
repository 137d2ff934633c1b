"""Models that come in and go out: a checked folder, a zip of one, the hub (no torch).

Copying to and from the user's own models is in `user_models`; here is what is special
about files that somebody else made or will read.
"""

from __future__ import annotations

import shutil
import stat
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from napari_gen2seg.errors import (
    DownloadError,
    Gen2SegError,
    ModelNotFoundError,
    OfflineError,
    StorageError,
    WeightsError,
    WrongFamilyError,
)
from napari_gen2seg.models.families import layouts_text
from napari_gen2seg.models.hub import client
from napari_gen2seg.models.model_folder import (
    ModelFolder,
    read_family,
    read_model_folder,
)
from napari_gen2seg.models.weights import PICKLE_SUFFIXES

_SPARE = 50_000_000  # left free on the disk, in bytes


def check_model(folder: Path) -> ModelFolder:
    """Make sure that a folder is a whole model, without loading it.

    Raises
    ------
    WrongFamilyError
        If it is no model of a known family.
    WeightsError
        If something is missing, damaged, or unsafe.
    """
    found = read_model_folder(folder)
    if not found.is_complete:
        raise WeightsError(
            f"The model {folder.name!r} is not complete: weights or the scheduler are "
            "missing or damaged. Copy or export it again."
        )
    return found


@contextmanager
def unpacked(archive: Path) -> Iterator[Path]:
    """Unpack a zipped model into a folder that vanishes afterwards.

    Parameters
    ----------
    archive
        A zip with the model's files at its top or in one folder, as exported.

    Yields
    ------
    Path
        The model's folder, checked.

    Raises
    ------
    WeightsError
        If it is no zip, a file in it lies outside of it, or could run code.
    WrongFamilyError
        If it holds no model.
    StorageError
        If there is no room to unpack it.
    """
    root = Path(tempfile.mkdtemp(prefix="napari-gen2seg-"))
    try:
        _unpack(archive, root)
        yield _model_in(root, archive).path
    finally:
        shutil.rmtree(root, ignore_errors=True)


def _unpack(archive: Path, root: Path) -> None:
    try:
        with zipfile.ZipFile(archive) as content:
            members = [m for m in content.infolist() if not m.is_dir()]
            for member in members:
                _check_member(member, archive)
            size = sum(m.file_size for m in members)
            if size + _SPARE > shutil.disk_usage(root).free:
                raise StorageError(
                    f"{archive.name} takes {size / 1e6:,.0f} MB unpacked, and {root} "
                    "has less left. Free some space; nothing was changed."
                )
            for member in members:
                content.extract(member, root)
    except Gen2SegError:
        raise
    except OSError as error:
        raise StorageError(
            f"{archive} could not be unpacked ({error}). Check that the file is "
            "complete and that there is room."
        ) from error
    except Exception as error:  # of a damaged zip, anything down to zlib's own
        raise WeightsError(
            f"{archive} cannot be unpacked ({error}). Export the model again, as a zip "
            "without a password."
        ) from error


def _check_member(member: zipfile.ZipInfo, archive: Path) -> None:
    place = PurePosixPath(member.filename.replace("\\", "/"))
    outside = place.is_absolute() or ".." in place.parts or ":" in place.parts[0]
    if outside or stat.S_ISLNK(member.external_attr >> 16):
        raise WeightsError(
            f"{archive.name} holds {member.filename!r}, which points outside of the "
            "archive. A model does not need that: do not trust this file."
        )
    if place.suffix in PICKLE_SUFFIXES:
        raise WeightsError(
            f"{archive.name} holds {member.filename!r}, a format that can run code "
            "when it is read. Ask for the model as .safetensors."
        )


def _model_in(root: Path, archive: Path) -> ModelFolder:
    """Return the model of an unpacked archive, at its top or in one folder, checked."""
    for folder in (root, *sorted(p for p in root.iterdir() if p.is_dir())):
        if read_family(folder) is not None:
            return check_model(folder)
    raise WrongFamilyError(
        f"{archive.name} holds no model: no {layouts_text()}. Zip the folder that "
        "load_model reads."
    )


def push(
    folder: Path, repo: str, *, private: bool = True, message: str = "Upload model"
) -> str:
    """Upload a model folder to the Hugging Face hub, as the person logged in.

    Only what loading needs and the texts beside it go; hidden files and formats
    that can run code stay.

    Parameters
    ----------
    folder
        The model.
    repo
        ``owner/name``; made if it is not there.
    private
        Whether a repository made here is seen by its owner alone.
    message
        Of the commit.

    Returns
    -------
    str
        Address of the commit.

    Raises
    ------
    ModelNotFoundError
        If the name is none the hub takes.
    WeightsError, WrongFamilyError
        If the folder is no whole model.
    OfflineError, DownloadError
        If the hub cannot be reached, or refuses.
    """
    from huggingface_hub import HfApi, errors

    check_model(folder)
    if client.is_offline():
        raise OfflineError(
            "Offline mode is on (HF_HUB_OFFLINE), so nothing can be uploaded. Unset "
            "that variable and try again."
        )
    api = HfApi(endpoint=client.endpoint())
    unsafe = [f"*{suffix}" for suffix in PICKLE_SUFFIXES]
    try:
        api.create_repo(repo, repo_type="model", private=private, exist_ok=True)
        info = api.upload_folder(
            repo_id=repo,
            folder_path=folder,
            commit_message=message,
            ignore_patterns=[".*", "*.part", "download.json", *unsafe],
        )
    except errors.HFValidationError as error:
        raise ModelNotFoundError(
            f"The hub takes no repository {repo!r}; it must be OWNER/NAME of letters, "
            "digits, '-', '_' and '.'."
        ) from error
    except errors.HfHubHTTPError as error:
        raise DownloadError(
            f"The hub did not take {repo!r}: {error}. Log in with 'hf auth login' and "
            "a token that may write, and check the owner's name."
        ) from error
    except Exception as error:
        if not client.is_network(error):
            raise
        raise OfflineError(
            f"The hub at {client.endpoint()} cannot be reached "
            f"({type(error).__name__}); nothing was published. Check the connection "
            "and try again."
        ) from error
    return str(info.commit_url)
