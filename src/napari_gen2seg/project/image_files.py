"""Files of images that a person names for a project: found in folders, copied."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from napari_gen2seg.common.atomic import not_written, replacing_folder, writing
from napari_gen2seg.errors import StorageError
from napari_gen2seg.io.formats.images import PICTURE_ENDINGS


def images_in(paths: Iterable[str | Path]) -> list[Path]:
    """Return image files: those named, and those that lie in named folders.

    Raises
    ------
    StorageError
        If a path is not there.
    """
    found: list[Path] = []
    for path in paths:
        source = absolute(path)
        if source.is_file() or source.suffix.lower() == ".zarr":
            found.append(source)
        elif source.is_dir():
            inside = sorted(source.iterdir())
            endings = (*PICTURE_ENDINGS, ".zarr")
            found += [
                one
                for one in inside
                if one.suffix.lower() in endings and not one.name.startswith(".")
            ]
        else:
            raise StorageError(f"There is no file or folder {source}. Check its name.")
    return found


def copy_image(source: Path, target: Path) -> None:
    """Copy a file, or a folder such as an OME-Zarr.

    Raises
    ------
    StorageError
        If it cannot be written.
    """
    try:
        if source.is_dir():
            with replacing_folder(target, overwrite=False) as draft:
                shutil.copytree(source, draft)
        else:
            with writing(target) as draft:
                shutil.copyfile(source, draft)
    except StorageError:
        raise
    except OSError as error:
        raise not_written(target, error) from error


def absolute(path: str | Path) -> Path:
    """Return a path from the root on; links stay, and ``~`` is the home folder."""
    return Path(os.path.abspath(Path(path).expanduser()))  # noqa: PTH100
