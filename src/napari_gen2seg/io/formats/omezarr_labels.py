"""Labels of an OME-Zarr image: written by region, by several processes at once.

With the axes, the scale and the pyramid of the image, channels left out. Metadata are
written by `ome-zarr`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from napari_gen2seg.common.atomic import not_written
from napari_gen2seg.common.types import Array
from napari_gen2seg.core.image.axes import Axes, Index, Window
from napari_gen2seg.errors import ImageError
from napari_gen2seg.io.formats.guard import decoding

_LEVELS = 8  # of a pyramid, the most
_BLOCK = 4096  # pixels along each axis that are in memory while levels are made


@dataclass(frozen=True)
class LabelStore:
    """Labels at full resolution, for any process to write windows of.

    Attributes
    ----------
    folder
        Of the store: a group with ``labels/NAME``.
    layout
        The axes of the labels.
    name
        Under ``labels/``.
    """

    folder: Path
    layout: Axes
    name: str = "objects"

    @classmethod
    def create(
        cls,
        folder: Path,
        layout: Axes,
        chunk: int,
        version: str = "0.5",
        name: str = "objects",
    ) -> LabelStore:
        """Make an empty one.

        Parameters
        ----------
        folder
            Where; must not be there yet.
        layout
            The axes of the image; channels are left out.
        chunk
            Longest side of a chunk in pixels.
        version
            Of OME-Zarr, ``"0.4"`` or ``"0.5"``.
        name
            Under ``labels/``.

        Raises
        ------
        ImageError
            If zarr is not installed.
        StorageError
            If it cannot be written.
        """
        zarr = _zarr(folder, writing=True)
        letters = layout.letters.replace("C", "")
        own = Axes(letters, layout.labels_shape)
        chunks = tuple(
            min(n, chunk) if letter in "YX" else 1
            for letter, n in zip(letters, own.sizes, strict=True)
        )
        three = version != "0.4"
        try:
            root = zarr.open_group(folder, mode="w", zarr_format=3 if three else 2)
            group = root.create_group("labels").create_group(name)
            more = {"dimension_names": list(letters.lower())} if three else {}
            group.create_array(
                "0",
                shape=own.sizes,
                dtype="uint32",
                chunks=chunks,
                chunk_key_encoding={
                    "name": "default" if three else "v2",
                    "separator": "/",
                },
                **more,
            )
        except OSError as error:
            raise not_written(folder, error) from error
        return cls(folder, own, name)

    @property
    def _array(self) -> Any:
        return _opened(self.folder / "labels" / self.name / "0")

    def write(self, plane: Index, labels: Array, window: Window | None = None) -> None:
        """Write a window of a plane, (H, W) of whole numbers.

        Raises
        ------
        StorageError
            If it cannot be written.
        """
        try:
            self.layout.write(self._array, plane, labels.astype(np.uint32), window)
        except OSError as error:
            raise not_written(self.folder, error) from error

    def read(self, plane: Index) -> Array:
        """Read a plane, uint32 (H, W)."""
        with decoding(self.folder):
            return self.layout.read(self._array, plane)

    def finish(self, image: Path | None = None) -> None:
        """Add the pyramid and the metadata.

        Parameters
        ----------
        image
            The OME-Zarr image whose axes, scale and number of levels they get.

        Raises
        ------
        StorageError
            If it cannot be written.
        """
        from ome_zarr.format import FormatV04, FormatV05
        from ome_zarr.writer import write_label_metadata, write_multiscales_metadata

        zarr = _zarr(self.folder)
        facts = scale_of(image, self.layout.letters) if image else None
        if facts is None:
            facts = ImageScale.unknown(self.layout.letters)
        try:
            root = zarr.open_group(self.folder, mode="r+")
            group = root[f"labels/{self.name}"]
            levels = self._levels(group, facts.levels)
            rows, columns = (self.layout.letters.index(one) for one in "YX")
            datasets = []
            for level in range(levels):
                step = np.ones(len(facts.scale))
                step[[rows, columns]] = 2**level
                # A level takes every second pixel: the first of each stays in place.
                moves: list[dict[str, Any]] = [
                    {"type": "scale", "scale": list(np.multiply(facts.scale, step))}
                ]
                if any(facts.translation):
                    shift = list(facts.translation)
                    moves.append({"type": "translation", "translation": shift})
                datasets.append(
                    {"path": str(level), "coordinateTransformations": moves}
                )
            fmt = FormatV04() if group.metadata.zarr_format == 2 else FormatV05()
            write_multiscales_metadata(
                group, datasets, fmt, list(facts.axes), name=self.name
            )
            write_label_metadata(
                root["labels"], self.name, fmt=fmt, source={"image": "../../"}
            )
        except OSError as error:
            raise not_written(self.folder, error) from error
        _opened.cache_clear()

    def _levels(self, group: Any, wanted: int) -> int:
        """Write the further levels, each half as wide; return how many there are."""
        rows, columns = (self.layout.letters.index(one) for one in "YX")
        for level in range(1, min(wanted, _LEVELS)):
            finer = group[str(level - 1)]
            shape = list(finer.shape)
            if max(shape[rows], shape[columns]) < 2:
                return level
            for axis in (rows, columns):
                shape[axis] = -(-shape[axis] // 2)
            more = {}
            if group.metadata.zarr_format == 3:
                more["dimension_names"] = finer.metadata.dimension_names
            coarser = group.create_array(
                str(level),
                shape=tuple(shape),
                dtype=finer.dtype,
                chunks=finer.chunks,
                chunk_key_encoding={
                    "name": "default" if more else "v2",
                    "separator": "/",
                },
                overwrite=True,
                **more,
            )
            layout = Axes(self.layout.letters, tuple(finer.shape))
            below = Axes(self.layout.letters, tuple(shape))
            for plane in np.ndindex(*layout.planes):
                for top in range(0, layout.shape[0], _BLOCK):
                    for left in range(0, layout.shape[1], _BLOCK):
                        window = (slice(top, top + _BLOCK), slice(left, left + _BLOCK))
                        block = layout.read(finer, plane, window)[::2, ::2]
                        half = (
                            slice(top // 2, top // 2 + block.shape[0]),
                            slice(left // 2, left // 2 + block.shape[1]),
                        )
                        below.write(coarser, plane, block, half)
        return max(1, min(wanted, _LEVELS))


@dataclass(frozen=True)
class ImageScale:
    """What an OME-Zarr image says of its axes, channels left out.

    Attributes
    ----------
    axes
        As in its metadata.
    scale, translation
        Of the full resolution, a value for each.
    levels
        How many resolutions there are.
    version
        Of OME-Zarr.
    """

    axes: tuple[dict[str, Any], ...]
    scale: tuple[float, ...]
    translation: tuple[float, ...]
    levels: int = 1
    version: str = "0.5"

    @classmethod
    def unknown(cls, letters: str) -> ImageScale:
        """Return that of labels of which nothing is said."""
        kinds = {"T": "time"}
        axes = tuple(
            {"name": one.lower(), "type": kinds.get(one, "space")} for one in letters
        )
        return cls(axes, (1.0,) * len(letters), (0.0,) * len(letters))


def scale_of(image: Path, letters: str) -> ImageScale:
    """Read the axes and the scale of an OME-Zarr image.

    Parameters
    ----------
    image
        The image group.
    letters
        The axes that are wanted, in their order.

    Raises
    ------
    StorageError
        If it cannot be read.
    """
    zarr = _zarr(image)
    with decoding(image):
        group = zarr.open_group(image, mode="r")
        attributes = dict(group.attrs)
        ome = attributes.get("ome", attributes)
        scales = ome["multiscales"][0]
        named = [
            dict(one) if isinstance(one, dict) else {"name": str(one)}
            for one in scales["axes"]
        ]
        at = [
            [one["name"] for one in named].index(letter.lower()) for letter in letters
        ]
        moves = {
            one["type"]: one
            for one in scales["datasets"][0].get("coordinateTransformations", ())
        }
        scale = moves.get("scale", {}).get("scale", [1.0] * len(named))
        shift = moves.get("translation", {}).get("translation", [0.0] * len(named))
        version = "0.5" if "ome" in attributes else "0.4"
        return ImageScale(
            tuple(named[place] for place in at),
            tuple(float(scale[place]) for place in at),
            tuple(float(shift[place]) for place in at),
            len(scales["datasets"]),
            version,
        )


def missing_chunks(array: Any) -> str:
    """Say how many chunks of a zarr array are not stored; nothing where all are.

    zarr reads them as the fill value, and says nothing.
    """
    try:
        stored, count = int(array.nchunks_initialized), int(array.nchunks)
    except (AttributeError, OSError, NotImplementedError):
        return ""
    if stored >= count:
        return ""
    return (
        f"{count - stored} of its {count} chunks are not there, and read as "
        f"{array.fill_value}: no object is found in them. If the image is not dark "
        "there, copy it again."
    )


@lru_cache(maxsize=4)
def _opened(path: Path) -> Any:
    import zarr

    return zarr.open_array(path, mode="r+")


def _zarr(path: Path, writing: bool = False) -> Any:
    try:
        import zarr

        if writing:
            import ome_zarr.writer  # noqa: F401
    except ImportError as error:
        raise ImageError(
            f"{path} is an OME-Zarr, for which zarr and ome-zarr must be installed: "
            'pip install "napari-gen2seg[zarr]".'
        ) from error
    return zarr
