"""Where the work on an image lies, and where earlier work is found."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from napari_gen2seg.common.atomic import replacing
from napari_gen2seg.common.text import slug
from napari_gen2seg.common.user_dirs import work_dir
from napari_gen2seg.errors import StorageError
from napari_gen2seg.io.identity import ImageIdentity
from napari_gen2seg.project.journal.files import is_work, read_facts

BESIDE = "gen2seg-work"
"""Folder beside the images of a folder, with a folder for each that was worked on."""
_KNOWN = "known"

How = Literal["here", "changed", "moved"]
"""The image is as it was; its content has changed since; it lay elsewhere."""


@dataclass(frozen=True)
class Found:
    """Earlier work on an image.

    Attributes
    ----------
    folder
        Where it lies.
    how
        How it was recognised.
    image
        The image as it was then.
    """

    folder: Path
    how: How
    image: ImageIdentity


def places(image: ImageIdentity) -> list[Path]:
    """Return the folders for the work on an image, the better one first."""
    own = work_dir() / f"{slug(image.name)}-{image.key[:12]}"
    if image.path is None:  # names of layers come and go, the content stays
        named = sorted(work_dir().glob(f"*-{image.key[:12]}"))
        return [named[0] if named else own]
    return [image.path.parent / BESIDE / image.path.name, own]


def find_work(image: ImageIdentity) -> Found | None:
    """Look for earlier work on an image.

    Beside it, in the user's folder, and where an image of the same content lay before
    it was moved. A copy of an image that is still there has no part in its work.
    """
    for folder in places(image):
        if is_work(folder):
            with suppress(StorageError):
                then = read_facts(folder).image
                how: How = "here" if then.key == image.key else "changed"
                return Found(folder, how, then)
    known = _known(image.key)
    if known is not None and is_work(known):
        with suppress(StorageError):
            then = read_facts(known).image
            gone = then.path is None or not then.path.exists()
            if then.key == image.key and gone and image.path is not None:
                return Found(known, "moved", then)
    return None


def bring(found: Found, image: ImageIdentity) -> Path:
    """Move work after its image, where that is one step; else it stays where it is."""
    target = places(image)[0]
    if found.how == "moved" and not target.exists():
        with suppress(OSError):
            target.parent.mkdir(parents=True, exist_ok=True)
            return found.folder.rename(target)
    return found.folder


def remember(image: ImageIdentity, folder: Path) -> None:
    """Note where the work on an image lies, to find it when the image has moved."""
    note = _note(image.key)
    content = {"folder": str(folder), "image": str(image.path), "at": time.time()}
    # Without it nothing is lost; only a moved image is not recognised.
    with suppress(OSError):
        note.parent.mkdir(parents=True, exist_ok=True)
        with replacing(note) as draft:
            draft.write_text(json.dumps(content), encoding="utf-8")


def set_aside(folder: Path) -> Path:
    """Give earlier work another name, so that new work can begin.

    Returns
    -------
    Path
        Where it lies now.

    Raises
    ------
    StorageError
        If it cannot be renamed.
    """
    when = time.strftime("%Y%m%d-%H%M%S")
    target = folder.with_name(f"{folder.name}.before-{when}")
    number = 1
    while target.exists():
        number += 1
        target = folder.with_name(f"{folder.name}.before-{when}-{number}")
    try:
        return folder.rename(target)
    except OSError as error:
        raise StorageError(
            f"The earlier work in {folder} could not be set aside "
            f"({error.strerror}). Check that you may write there."
        ) from error


def _note(key: str) -> Path:
    return work_dir() / _KNOWN / f"{key}.json"


def _known(key: str) -> Path | None:
    try:
        raw: Any = json.loads(_note(key).read_text(encoding="utf-8"))
        return Path(raw["folder"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
