"""Labels of any size as TIFF: gathered in a file on disk, then written plane by plane.

For an image whose labels do not fit into memory, or are found out of order.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from napari_gen2seg.common.atomic import not_written, writing
from napari_gen2seg.common.types import Array
from napari_gen2seg.core.image.axes import Axes, Index, Window

_TILE = 512  # pixels; larger planes are stored in tiles
_BIG = 1 << 31  # bytes beyond which offsets need more than 32 bits


@dataclass(frozen=True)
class LabelFile:
    """Labels in a scratch file, int32.

    Attributes
    ----------
    path
        The scratch file, ``.npy``.
    layout
        The axes of the labels.
    """

    path: Path
    layout: Axes

    @classmethod
    def create(cls, path: Path, layout: Axes) -> LabelFile:
        """Make an empty one of an image's axes, channels left out.

        Raises
        ------
        StorageError
            If it cannot be written.
        """
        own = Axes(layout.letters.replace("C", ""), layout.labels_shape)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            np.lib.format.open_memmap(path, "w+", np.int32, own.sizes).flush()
        except OSError as error:
            raise not_written(path, error) from error
        return cls(path, own)

    def write(self, plane: Index, labels: Array, window: Window | None = None) -> None:
        """Write a window of a plane, (H, W) of whole numbers.

        Raises
        ------
        StorageError
            If it cannot be written.
        """
        try:
            target = np.load(self.path, mmap_mode="r+")
            self.layout.write(target, plane, labels, window)
            target.flush()
        except OSError as error:
            raise not_written(self.path, error) from error

    def read(self, plane: Index) -> Array:
        """Read a plane, int32 (H, W)."""
        return self.layout.read(np.load(self.path, mmap_mode="r"), plane)

    def save(self, path: Path) -> None:
        """Write a TIFF, whole or not at all: 16 bits, or 32 beyond number 65 535.

        Raises
        ------
        StorageError
            If it cannot be written.
        """
        import tifffile

        stored = np.load(self.path, mmap_mode="r")
        letters = self.layout.letters
        ahead = letters.index("Y") < letters.index("X") == len(letters) - 1
        if not ahead or letters.index("Y") != len(letters) - 2:
            order = sorted(range(len(letters)), key=lambda at: "YX".find(letters[at]))
            stored = stored.transpose(order)
            letters = "".join(letters[at] for at in order)
        planes = stored.reshape(-1, *stored.shape[-2:])
        top = max(int(plane.max()) for plane in planes)
        dtype = np.dtype(np.uint16 if top < 2**16 else np.uint32)
        large = max(planes.shape[1:]) > 2 * _TILE
        shape = stored.shape

        def parts() -> Iterator[Array]:
            for plane in planes:
                if not large:
                    yield plane.astype(dtype)
                    continue
                for row in range(0, plane.shape[0], _TILE):
                    for column in range(0, plane.shape[1], _TILE):
                        tile = plane[row : row + _TILE, column : column + _TILE]
                        yield tile.astype(dtype)

        with writing(path) as draft:
            tifffile.imwrite(
                draft,
                parts(),
                shape=shape,
                dtype=dtype,
                tile=(_TILE, _TILE) if large else None,
                bigtiff=stored.size * dtype.itemsize > _BIG,
                photometric="minisblack",
                compression="zlib",
                metadata={"axes": letters},
            )
