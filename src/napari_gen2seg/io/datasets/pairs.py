"""Images and labels in two folders, put together by their names."""

from __future__ import annotations

import unicodedata
from pathlib import Path

from napari_gen2seg.errors import StorageError
from napari_gen2seg.io.formats.images import PICTURE_ENDINGS
from napari_gen2seg.io.formats.labels import LABEL_ENDINGS
from napari_gen2seg.io.formats.plugins import READERS

_IMAGES = (*PICTURE_ENDINGS, *READERS)
# Labels are never read from the last: they are found, so that it can be said why.
_LABELS = (*LABEL_ENDINGS, ".jpg", ".jpeg", ".webp")


def image_files(folder: Path) -> list[Path]:
    """List the images of a folder, in order of their names.

    What begins with a dot is hidden (macOS leaves ``._NAME`` on foreign disks), and the
    endings may be written in capitals.

    Raises
    ------
    StorageError
        If it cannot be listed.
    """
    return _files(folder, _IMAGES)


def paired_files(
    images: Path, labels: Path
) -> tuple[list[tuple[Path, Path]], list[Path]]:
    """Find the labels of every image: a file of the same name but for its ending.

    Parameters
    ----------
    images, labels
        Folders.

    Returns
    -------
    pairs, without
        Images with their labels, and images without any.

    Raises
    ------
    StorageError
        If a folder cannot be listed.
    """
    found: dict[str, Path] = {}
    for path in sorted(_files(labels, _LABELS), key=_preference):
        found.setdefault(_key(path.stem), path)
        found.setdefault(_key(path.stem).removesuffix(".ome"), path)
    pairs, without = [], []
    for image in image_files(images):
        key = _key(image.stem)
        truth = found.get(key) or found.get(key.removesuffix(".ome"))
        if truth is None:
            without.append(image)
        else:
            pairs.append((image, truth))
    return pairs, without


def _files(folder: Path, endings: tuple[str, ...]) -> list[Path]:
    try:
        return [
            path
            for path in sorted(folder.iterdir())
            if path.suffix.lower() in endings
            and not path.name.startswith(".")
            and path.is_file()
        ]
    except OSError as error:
        raise StorageError(
            f"The folder {folder} could not be listed ({error.strerror}). Check that "
            "it is there and that you may read it."
        ) from error


def _preference(path: Path) -> tuple[int, str]:
    return _LABELS.index(path.suffix.lower()), path.name


def _key(stem: str) -> str:
    """Name what macOS and others spell with different bytes alike."""
    return unicodedata.normalize("NFC", stem)
