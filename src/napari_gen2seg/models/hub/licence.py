"""Licences of downloadable models: shown once, the answer remembered."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from napari_gen2seg.common.atomic import replacing
from napari_gen2seg.common.user_dirs import data_dir
from napari_gen2seg.errors import LicenceError, StorageError

if TYPE_CHECKING:
    from pathlib import Path

    from napari_gen2seg.models.spec import ModelSpec


def acceptance_file() -> Path:
    """Return the file that remembers accepted licences."""
    return data_dir() / "licences.json"


def terms(spec: ModelSpec) -> str:
    """Return what a person is asked to agree to, in two sentences."""
    where = f" Read it at {spec.licence_url}." if spec.licence_url else ""
    return f"License of {spec.title}: {spec.licence}.{where}"


def is_accepted(spec: ModelSpec) -> bool:
    """Tell whether this licence of this model has been accepted on this computer."""
    entry = _read().get(spec.repo or spec.id)
    return isinstance(entry, dict) and entry.get("licence") == spec.licence


def accept(spec: ModelSpec) -> None:
    """Remember that the licence was accepted.

    Raises
    ------
    StorageError
        If the answer cannot be written.
    """
    path = acceptance_file()
    known = _read()
    known[spec.repo or spec.id] = {
        "licence": spec.licence,
        "url": spec.licence_url,
        "accepted": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
    }
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as draft:
            draft.write_text(json.dumps(known, indent=1), encoding="utf-8")
    except OSError as error:
        raise StorageError(
            f"The accepted license cannot be remembered in {path} ({error}). Make the "
            "folder writable, or set NAPARI_GEN2SEG_HOME to another one."
        ) from error


def require(spec: ModelSpec, accepted_now: bool) -> None:
    """Stop unless the licence is accepted, now or before.

    Raises
    ------
    LicenceError
        With the terms, if it is not.
    """
    if is_accepted(spec):
        return
    if not accepted_now:
        raise LicenceError(
            f"{terms(spec)} Nothing was downloaded yet. If you agree, load it with "
            "accept_licence=True (command line: --accept-license); you are asked once."
        )
    accept(spec)


def _read() -> dict[str, Any]:
    """Read the answers; none when the file is missing or damaged."""
    try:
        known = json.loads(acceptance_file().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}
