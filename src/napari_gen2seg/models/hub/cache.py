"""Where downloaded models are kept, and how a stored one is found again.

One folder per hub model under the data folder::

    models--owner--name/
        refs/<revision>            the commit a branch or tag stood for
        snapshots/<commit>/...     the files, with download.json once complete
        parts/                     unfinished files

A model that huggingface_hub has completely in its own cache is used from there.
"""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import quote

from napari_gen2seg.common.user_dirs import downloads_dir
from napari_gen2seg.errors import WeightsError, WrongFamilyError
from napari_gen2seg.models.json_file import read_json
from napari_gen2seg.models.model_folder import ModelFolder, read_model_folder

RECORD_NAME = "download.json"
_COMMIT = re.compile(r"[0-9a-f]{40}\Z")


def repo_folder(repo: str) -> Path:
    """Return the folder of a hub model (it need not exist)."""
    return downloads_dir() / f"models--{repo.replace('/', '--')}"


def snapshot_folder(repo: str, commit: str) -> Path:
    """Return the folder of a hub model's files at a commit."""
    return repo_folder(repo) / "snapshots" / commit


def stored(
    repo: str, revision: str | None, *, also_hub_cache: bool = True
) -> ModelFolder | None:
    """Find a complete model that is on this computer already.

    Parameters
    ----------
    repo, revision
        Hub model, and a branch, tag or commit ("main" when None).
    also_hub_cache
        False looks in our own folder only, and imports nothing.

    Returns
    -------
    ModelFolder or None
        With the commit as ``revision``.
    """
    name = revision or "main"
    roots = [(repo_folder(repo), True)]
    if also_hub_cache:
        roots.append((_hub_cache(repo), False))
    for root, own in roots:
        commit = name if _COMMIT.match(name) else _read_ref(root, name)
        if commit is None:
            continue
        folder = root / "snapshots" / commit
        if own and not (folder / RECORD_NAME).is_file():
            continue
        found = _read(folder, commit)
        if found is not None and found.is_complete:
            return found
    return None


def repos() -> tuple[str, ...]:
    """Return the hub models that have been downloaded, at least in part."""
    root = downloads_dir()
    found = root.glob("models--*--*") if root.is_dir() else ()
    return tuple(
        "/".join(folder.name.removeprefix("models--").split("--", 1))
        for folder in sorted(found)
    )


def remember_ref(repo: str, revision: str, commit: str) -> None:
    """Note which commit a branch or tag stood for."""
    if _COMMIT.match(revision):
        return
    path = _ref_path(repo_folder(repo), revision)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(commit, encoding="ascii")


def link_same_content(repo: str, etag: str, target: Path) -> bool:
    """Take a file from another commit of the same model, where it is the same.

    Returns
    -------
    bool
        False when there is none, or the disk cannot link files.
    """
    for record in sorted((repo_folder(repo) / "snapshots").glob(f"*/{RECORD_NAME}")):
        try:
            files = read_json(record).get("files", {})
            for name, about in files.items():
                if about.get("etag") == etag and (record.parent / name).is_file():
                    target.parent.mkdir(parents=True, exist_ok=True)
                    target.hardlink_to(record.parent / name)
                    return True
        except (OSError, WeightsError, AttributeError):
            continue
    return False


def is_commit(revision: str | None) -> bool:
    """Tell a commit from a branch or tag."""
    return revision is not None and _COMMIT.match(revision) is not None


def _read(folder: Path, commit: str) -> ModelFolder | None:
    """Read a folder; None where it is no model that this version can load."""
    try:
        return read_model_folder(folder, commit)
    except (WeightsError, WrongFamilyError):
        return None


def _hub_cache(repo: str) -> Path:
    """Return huggingface_hub's own folder for a model."""
    from huggingface_hub import constants

    return Path(constants.HF_HUB_CACHE) / f"models--{repo.replace('/', '--')}"


def _ref_path(root: Path, revision: str) -> Path:
    return root / "refs" / quote(revision, safe="")


def _read_ref(root: Path, revision: str) -> str | None:
    for path in (_ref_path(root, revision), root / "refs" / revision):
        try:
            commit = path.read_text(encoding="ascii").strip()
        except (OSError, ValueError):
            continue
        if _COMMIT.match(commit):
            return commit
    return None
