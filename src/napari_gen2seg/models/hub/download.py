"""Fetch a hub model: licence, choice of files, disk space, resumable transfer."""

from __future__ import annotations

import json
import shutil
import time
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from napari_gen2seg.common.progress import Cancel, Progress, check_cancel, report
from napari_gen2seg.common.text import bytes_text
from napari_gen2seg.errors import (
    OfflineError,
    StorageError,
    WeightsError,
    WrongFamilyError,
)
from napari_gen2seg.models.families import known_families, layouts_text
from napari_gen2seg.models.hub import cache, client, licence, resumable
from napari_gen2seg.models.model_folder import ModelFolder, read_model_folder
from napari_gen2seg.models.weights import PICKLE_SUFFIXES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from napari_gen2seg.models.spec import ModelSpec

#: Left free on the disk, in bytes.
MARGIN = 200_000_000


def fetch(
    spec: ModelSpec,
    revision: str | None = None,
    *,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
    accept: bool = False,
) -> ModelSpec:
    """Bring a hub model onto this computer, or find it there.

    Parameters
    ----------
    spec
        A spec with ``repo``.
    revision
        Branch, tag or commit. None takes the copy that is here, whatever the hub
        has meanwhile, and the main branch when there is none; a branch or tag asks
        the hub what it stands for now, and takes the copy when there is no network.
    progress
        Called with the fraction of bytes that are here, and a sentence.
    cancel
        Asked after every megabyte.
    accept
        True accepts the licence, once and for all.

    Returns
    -------
    ModelSpec
        With ``path`` and, as ``revision``, the commit.

    Raises
    ------
    LicenceError, ModelNotFoundError, DownloadError, OfflineError, StorageError
        As their names say.
    WeightsError, WrongFamilyError
        If the model is not one to load.
    Cancelled
        If ``cancel`` said so; what came over is kept.
    """
    repo = spec.repo or spec.id
    revision = revision or spec.revision
    here = spec.folder
    if here is None or here.revision != revision:
        here = cache.stored(repo, revision)
    if here and (revision is None or cache.is_commit(revision)):
        return _found(spec, here)
    report(progress, None, f"Asking the hub about {spec.title}")
    try:
        listing = client.list_repo(repo, revision)
    except OfflineError:
        if here is None:
            raise
        report(progress, None, f"No network: using the stored copy of {spec.title}")
        return _found(spec, here)
    if (here := cache.stored(repo, listing.commit)) is not None:
        cache.remember_ref(repo, revision or "main", listing.commit)
        return _found(spec, here)
    names = select_files(listing.names, repo)
    if spec.licence.startswith("see ") and listing.licence:
        spec = replace(spec, licence=listing.licence)
    licence.require(spec, accept)
    with _one_at_a_time(cache.repo_folder(repo), cancel, progress):
        _transfer_all(spec, repo, listing.commit, names, progress, cancel)
        cache.remember_ref(repo, revision or "main", listing.commit)
    folder = cache.snapshot_folder(repo, listing.commit)
    return _found(spec, read_model_folder(folder, listing.commit))


def _transfer_all(
    spec: ModelSpec,
    repo: str,
    commit: str,
    names: Sequence[str],
    progress: Progress | None,
    cancel: Cancel | None,
) -> None:
    """Bring all files of one commit and record them."""
    folder = cache.snapshot_folder(repo, commit)
    parts = cache.repo_folder(repo) / "parts"
    remotes = []
    for name in names:
        check_cancel(cancel, "The download")
        remotes.append(client.locate(repo, name, commit))
    missing = [r for r in remotes if _size(folder / r.name) != r.size]
    total = sum(r.size for r in remotes)
    done = total - sum(r.size for r in missing)
    resumed = sum(resumable.resumable_bytes(parts, r) for r in missing)
    _check_space(spec, folder, sum(r.size for r in missing) - resumed)
    meter = _Meter(spec.title, total, done + resumed, progress)
    for remote in missing:
        before = done

        def advance(here: int, before: int = before) -> None:
            meter.show(before + here)

        if cache.link_same_content(repo, remote.etag, folder / remote.name):
            advance(remote.size)
            done += remote.size
            continue
        resumable.download_file(
            partial(client.locate, repo, remote.name, commit),
            folder / remote.name,
            parts,
            advance=advance,
            cancel=cancel,
        )
        done += remote.size
    record = {
        "repo": repo,
        "commit": commit,
        "licence": spec.licence,
        "files": {r.name: {"size": r.size, "etag": r.etag} for r in remotes},
        "downloaded": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
    }
    text = json.dumps(record, indent=1)
    (folder / cache.RECORD_NAME).write_text(text, encoding="utf-8")
    shutil.rmtree(parts, ignore_errors=True)


class _Meter:
    """Turns bytes into a fraction and a sentence, a few times a second."""

    def __init__(
        self, title: str, total: int, begin: int, progress: Progress | None
    ) -> None:
        self._title, self._total, self._begin = title, max(total, 1), begin
        self._progress = progress
        self._start = self._last = time.monotonic()

    def show(self, here: int) -> None:
        now = time.monotonic()
        if now - self._last < 0.2 and here < self._total:
            return
        self._last = now
        speed = (here - self._begin) / max(now - self._start, 1e-3)
        left = (self._total - here) / speed if speed > 0 else 0
        amount = f"{bytes_text(here)} of {bytes_text(self._total)}"
        text = f"Downloading {self._title}: {amount}"
        if left > 5:
            text += f", about {left / 60:.0f} min left" if left > 90 else ""
        report(self._progress, min(here / self._total, 1.0), text)


def _check_space(spec: ModelSpec, folder: Path, needed: int) -> None:
    """Make sure that the files will fit.

    Raises
    ------
    StorageError
        If the folder cannot be made, or its disk is too full.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(folder).free
    except OSError as error:
        raise StorageError(
            f"The folder {folder} cannot be made ({error}). Make room or make it "
            "writable, or set NAPARI_GEN2SEG_HOME to another one."
        ) from error
    if needed + MARGIN > free:
        raise StorageError(
            f"{spec.title} needs {bytes_text(needed + MARGIN)} on the disk of "
            f"{folder}; "
            f"{bytes_text(free)} is free. Make room, or set NAPARI_GEN2SEG_HOME to a "
            "folder on a larger disk."
        )


def _found(spec: ModelSpec, folder: ModelFolder) -> ModelSpec:
    """Complete the spec with where the model is."""
    return replace(
        spec,
        path=folder.path,
        revision=folder.revision,
        family=folder.config.family,
        folder=folder,
    )


@contextmanager
def _one_at_a_time(
    folder: Path, cancel: Cancel | None, progress: Progress | None
) -> Iterator[None]:
    """Hold a lock that vanishes with its process."""
    from filelock import FileLock, Timeout

    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / "download.lock")
        while True:
            check_cancel(cancel, "The download")
            try:
                lock.acquire(timeout=1)
                break
            except Timeout:
                report(progress, None, "Another process is downloading this model")
    except OSError as error:
        raise StorageError(
            f"The folder {folder} cannot be written to ({error}). Make it writable, or "
            "set NAPARI_GEN2SEG_HOME to another one."
        ) from error
    try:
        yield
    finally:
        lock.release()


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return -1


def select_files(names: Sequence[str], repo: str) -> tuple[str, ...]:
    """Choose the files that loading needs: configurations and safetensors only.

    Raises
    ------
    WrongFamilyError
        If the files are no model of a known family.
    WeightsError
        If its weights are there only in an unsafe format.
    """
    selections = (family.select_files(names) for family in known_families())
    selected = next((one for one in selections if one is not None), None)
    if selected is None:
        raise WrongFamilyError(
            f"The hub's model {repo!r} is none this plugin can load: it has no "
            f"{layouts_text()}."
        )
    for folder in selected.weight_folders:
        inside = [name for name in names if name.startswith(folder)]
        if not any(n in selected.names and n.endswith(".safetensors") for n in inside):
            raise _no_safe_weights(repo, folder, inside)
    return tuple(sorted(selected.names))


def _no_safe_weights(repo: str, folder: str, inside: Sequence[str]) -> WeightsError:
    """Word the error for a hub folder without safetensors."""
    unsafe = ", ".join(name for name in inside if name.endswith(PICKLE_SUFFIXES))
    return WeightsError(
        f"The hub's model {repo!r} has no .safetensors in "
        f"{folder or 'its main folder'}"
        f"{f', only {unsafe}, which can run code' if unsafe else ''}. "
        "Only .safetensors files are loaded: ask its authors for them."
    )
