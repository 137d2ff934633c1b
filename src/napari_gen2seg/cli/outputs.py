"""The files a command writes: none is lost without being told."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from napari_gen2seg.errors import StorageError

if TYPE_CHECKING:
    from napari_gen2seg.core.coloring import Coloring

overwrite_option = click.option(
    "--overwrite",
    is_flag=True,
    help="Replace files that are there already; else nothing is done.",
)


def check_free(
    targets: Iterable[Path | None], overwrite: bool, *sources: Path | None
) -> None:
    """Refuse to write over files, or where nobody can, before long work.

    Parameters
    ----------
    targets
        Files to be written; None is passed over.
    overwrite
        Whether what is there may be replaced.
    sources
        Files that are read, which are never replaced.

    Raises
    ------
    StorageError
        If a file is there, is a source, is to be written twice, or cannot be written.
    """
    read = {path.resolve() for path in sources if path is not None}
    written: set[Path] = set()
    for target in targets:
        if target is None:
            continue
        check_name(target)
        place = target.resolve()
        if place in read:
            raise StorageError(
                f"{target} is what is read here, so it is not written over; choose "
                "another name."
            )
        if place in written:
            raise StorageError(
                f"{target} was named for two files; choose another name for one."
            )
        if place.exists() and not overwrite:
            raise StorageError(
                f"{target} is there already; add --overwrite to replace it, or choose "
                "another name. Nothing was done."
            )
        folder = next(parent for parent in place.parents if parent.exists())
        if not (folder.is_dir() and os.access(folder, os.W_OK)):
            raise StorageError(
                f"{target} cannot be written: {folder} is "
                f"{'not yours to write to' if folder.is_dir() else 'no folder'}; "
                "choose another place. Nothing was done."
            )
        written.add(place)


def check_name(target: Path) -> None:
    """Refuse a name that no file can have.

    Raises
    ------
    StorageError
        With how many letters there are too many.
    """
    try:
        target.exists()
    except OSError as error:
        if error.errno != errno.ENAMETOOLONG:
            raise StorageError(f"{target} cannot be written: {error}.") from error
        raise StorageError(
            f"The name {target.name[:40]}... has {len(target.name)} letters, too many "
            "for a file here; give a shorter one with -o. Nothing was done."
        ) from error


def write_coloring(target: Path, coloring: Coloring) -> None:
    """Write a map: exact as TIFF, rounded to 8 bits as PNG; missing folders are made.

    Raises
    ------
    StorageError
        If it cannot be written.
    """
    from napari_gen2seg.io.formats.images import TIFF_ENDINGS
    from napari_gen2seg.io.formats.writers import write_rgb

    if target.suffix.lower() in TIFF_ENDINGS:
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError(
                f"The folder of {target} could not be made ({error.strerror}); choose "
                "another."
            ) from error
        coloring.save(target)
    else:
        write_rgb(target, coloring.as_rgb8())


def rows_by_columns(shape: tuple[int, ...]) -> str:
    """Say a size in the order in which points are given."""
    return f"{shape[0]} rows x {shape[1]} columns"
