"""Weights, folders and memory: is everything there, and is there room?"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from napari_gen2seg.doctor.finding import Finding, note, ok, problem
from napari_gen2seg.doctor.software import PIP
from napari_gen2seg.errors import Gen2SegError

_REINSTALL = f"{PIP} --force-reinstall --no-deps napari-gen2seg"
#: What the published models take on disk, and what mini needs in memory.
HUB_BYTES = 6e9
MINI_MEMORY = 2e9


def weights() -> Iterator[Finding]:
    """Check the embedded model: a model, with every file that was shipped, unchanged.

    Which files those are is the list's to say, whatever family the model is of.
    """
    from napari_gen2seg.models.registry import MINI_FOLDER, find

    try:
        spec = find("mini")
        changed = changed_files(MINI_FOLDER)
    except (Gen2SegError, OSError) as error:
        yield problem("weights", f"The embedded model is damaged: {error}", _REINSTALL)
        return
    if changed:
        yield problem(
            "weights",
            f"Files of the embedded model differ from what was shipped: "
            f"{', '.join(changed)}.",
            _REINSTALL,
        )
    else:
        yield ok(
            "weights",
            f"mini is whole ({spec.size_bytes / 1e6:.0f} MB, checksums agree)",
        )


def changed_files(folder: Path) -> list[str]:
    """Compare a folder's files with its list of checksums.

    Parameters
    ----------
    folder
        Holds ``SHA256SUMS``: lines of a hexadecimal digest, two spaces, a path.

    Returns
    -------
    list of str
        Paths whose content is missing or another.
    """
    changed = []
    listed = (folder / "SHA256SUMS").read_text(encoding="utf-8")
    for line in listed.splitlines():
        digest, _, name = line.partition("  ")
        path = folder / name
        if not path.is_file() or _sha256(path) != digest:
            changed.append(name)
    return changed


def folders() -> Iterator[Finding]:
    """Check that our own folders can be written and have room."""
    from napari_gen2seg.common.user_dirs import HOME_VARIABLE, cache_dir, data_dir

    for name, folder in (("models", data_dir()), ("cache", cache_dir())):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            tempfile.TemporaryFile(dir=folder).close()
        except OSError as error:
            yield problem(
                name,
                f"The folder {folder} cannot be written: {error.strerror or error}.",
                f"Make it writable, or set {HOME_VARIABLE} to a folder that is.",
            )
            continue
        free = shutil.disk_usage(folder).free
        text = f"{folder}, {free / 1e9:.1f} GB free"
        if free < 2e8:
            yield problem(
                name,
                f"{text}: too little to work.",
                f"Free some space, or set {HOME_VARIABLE} to a folder elsewhere.",
            )
        elif name == "models" and free < HUB_BYTES:
            yield note(
                name,
                f"{text}: too little for the largest published model "
                f"({HUB_BYTES / 1e9:.0f} GB).",
                f"Free some space, or set {HOME_VARIABLE} to a folder elsewhere.",
            )
        else:
            yield ok(name, text)


def memory() -> Iterator[Finding]:
    """Check that there is memory for the embedded model."""
    import psutil

    state = psutil.virtual_memory()
    text = f"{state.available / 1e9:.1f} of {state.total / 1e9:.1f} GB free"
    if state.available < MINI_MEMORY:
        yield note(
            "memory",
            f"{text}: little for coloring ({MINI_MEMORY / 1e9:.0f} GB are advised).",
            "Close other programs, or color at a lower resolution.",
        )
    else:
        yield ok("memory", text)


def hub() -> Iterator[Finding]:
    """Tell which settings of the hub are in force (nothing is contacted)."""
    offline = os.environ.get("HF_HUB_OFFLINE", "").upper() in {"1", "ON", "YES", "TRUE"}
    if offline:
        yield note(
            "hub",
            "HF_HUB_OFFLINE is set: only models that are here already can be used.",
            "Unset it before choosing a published model for the first time.",
        )
    else:
        yield ok("hub", os.environ.get("HF_ENDPOINT", "huggingface.co, when asked to"))


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
