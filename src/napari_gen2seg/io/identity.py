"""Which image it is: by its path, and by what is in it when it has moved."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from napari_gen2seg.errors import StorageError

_WHOLE = 1 << 24  # bytes; larger files are sampled
_PIECES, _PIECE = 64, 1 << 16


@dataclass(frozen=True)
class ImageIdentity:
    """Names an image.

    Attributes
    ----------
    name
        For people.
    key
        32 hexadecimal digits over its content: the same wherever it lies.
    path
        Its file or folder, absolute; None where there is none.
    """

    name: str
    key: str
    path: Path | None = None

    @classmethod
    def of_file(cls, path: str | Path) -> ImageIdentity:
        """Name an image file, or a folder such as an OME-Zarr.

        Up to 16 MB are read; of larger files, 64 pieces spread over it.

        Raises
        ------
        StorageError
            If it cannot be read.
        """
        source = Path(os.path.abspath(Path(path).expanduser()))  # noqa: PTH100
        try:
            key = _key(_folder_parts(source) if source.is_dir() else _parts(source))
        except OSError as error:
            raise StorageError(
                f"{source} could not be read ({error.strerror}). Check its name, and "
                "that you may read it."
            ) from error
        return cls(source.name, key, source)

    @classmethod
    def of_array(cls, array: Any, name: str) -> ImageIdentity:
        """Name an image without a file by its pixels, of which some are read.

        Parameters
        ----------
        array
            numpy, dask or zarr.
        name
            For people, and for the name of the folder.
        """
        sizes = tuple(int(n) for n in array.shape)
        # The last two or three axes are a plane; of the others, first, middle, last.
        leading = sizes[:-3] if sizes[-1:] in ((3,), (4,)) else sizes[:-2]
        places = {
            tuple(0 for _ in leading),
            tuple(n // 2 for n in leading),
            tuple(n - 1 for n in leading),
        }

        def parts() -> Iterator[bytes]:
            yield repr((sizes, np.dtype(array.dtype).str)).encode()
            for place in sorted(places):
                plane = np.asarray(array[place])
                step = max(1, int(np.sqrt(plane.nbytes / _WHOLE)))
                yield np.ascontiguousarray(plane[::step, ::step]).tobytes()

        return cls(name, _key(parts()))


def content_key(folder: Path) -> str:
    """Name a folder, such as a model's, by what is in its files.

    Raises
    ------
    OSError
        If it cannot be read.
    """

    def parts() -> Iterator[bytes]:
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                yield file.relative_to(folder).as_posix().encode()
                yield from _parts(file)

    return _key(parts())


def _key(parts: Iterator[bytes]) -> str:
    digest = hashlib.blake2b(digest_size=16)
    for part in parts:
        digest.update(part)
    return digest.hexdigest()


def _parts(source: Path) -> Iterator[bytes]:
    with source.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        yield b"%d\n" % size
        if size <= _WHOLE:
            file.seek(0)
            yield file.read()
            return
        for number in range(_PIECES):
            file.seek(number * (size - _PIECE) // (_PIECES - 1))
            yield file.read(_PIECE)


def _folder_parts(folder: Path) -> Iterator[bytes]:
    """Metadata by content, everything else by name and size; labels left out.

    An OME-Zarr's labels lie in it, and change while they are worked on.
    """
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(one for one in folders if one != "labels")
        for name in sorted(files):
            file = Path(place) / name
            yield file.relative_to(folder).as_posix().encode()
            if name.endswith(".json") or name in (".zattrs", ".zarray", ".zgroup"):
                yield file.read_bytes()
            else:
                yield b"%d" % file.stat().st_size
