"""Earlier work that was set aside: found; put back in place of what is there now."""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import suppress
from glob import escape
from pathlib import Path

from napari_gen2seg.errors import StorageError
from napari_gen2seg.project.journal.files import is_work
from napari_gen2seg.project.journal.lock import FolderLock
from napari_gen2seg.project.journal.place import set_aside

_ASIDE = re.compile(r"(?P<name>.+)\.before-\d{8}-\d{6}(-\d+)?", re.DOTALL)


def is_aside(folder: Path) -> bool:
    """Tell whether a folder holds work whose place other work has taken."""
    home = _home(folder)
    return home is not None and is_work(home)


def find_aside(homes: Iterable[Path]) -> list[Path]:
    """List the folders of work that was set aside, the latest first.

    Parameters
    ----------
    homes
        Where the work on an image lies, lay, or would lie.
    """
    found = [
        one
        for home in set(homes)
        for one in home.parent.glob(f"{escape(home.name)}.before-*")
        if _home(one) == home and one.is_dir()
    ]
    return sorted(found, key=lambda one: one.name, reverse=True)


def bring_back(folder: Path, present: Iterable[Path] = ()) -> tuple[Path, list[Path]]:
    """Put work that was set aside where it was; what is there now is set aside itself.

    Nobody may have any of it open.

    Parameters
    ----------
    folder
        Of what is brought back.
    present
        Where the work that it takes the place of lies, if elsewhere.

    Returns
    -------
    home
        Where it lies now.
    aside
        Where the work lies now whose place it took.

    Raises
    ------
    InUseError
        If another window or process has some of it open.
    StorageError
        If it cannot be renamed. Then everything is where it was.
    """
    home = _home(folder)
    if home is None or not folder.is_dir():
        raise StorageError(
            f"There is no earlier work in {folder} any more. Look for it in the folder "
            "around it: it may have been renamed."
        )
    going = [one for one in dict.fromkeys([home, *present]) if one.exists()]
    for one in (folder, *going):
        FolderLock(one).release()
    moved: list[tuple[Path, Path]] = []
    try:
        for one in going:
            if one == home or is_work(one):
                moved.append((one, set_aside(one)))
        folder.rename(home)
    except OSError as error:
        for before, aside in reversed(moved):
            with suppress(OSError):
                aside.rename(before)
        if isinstance(error, StorageError):
            raise
        raise StorageError(
            f"The earlier work in {folder} could not be brought back "
            f"({error.strerror}). Check that you may write there."
        ) from error
    return home, [aside for _, aside in moved if is_work(aside)]


def _home(folder: Path) -> Path | None:
    """Return where work lay before it was set aside."""
    match = _ASIDE.fullmatch(folder.name)
    return None if match is None else folder.with_name(match["name"])
