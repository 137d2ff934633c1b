"""Which images a batch is of, and where the labels of each go."""

from __future__ import annotations

import glob
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from napari_gen2seg.common.arguments import told
from napari_gen2seg.errors import DataError, StorageError
from napari_gen2seg.io.formats.images import PICTURE_ENDINGS, TIFF_ENDINGS, kind_of

_PLUGINS = (".czi", ".nd2", ".lif", ".nrrd", ".dcm", ".svs", ".ndpi", ".scn", ".lsm")
_MAGIC = "*?["


@dataclass(frozen=True)
class BatchImage:
    """An image, and where its labels go.

    Attributes
    ----------
    source
        The file, or the folder that an OME-Zarr is.
    target
        The labels: TIFF, or OME-Zarr for OME-Zarr.
    name
        For people.
    """

    source: Path
    target: Path
    name: str

    @property
    def is_zarr(self) -> bool:
        """Whether labels are written as OME-Zarr."""
        return self.target.suffix == ".zarr"

    @property
    def record(self) -> Path:
        """The file that says what the labels were made of."""
        return self.target.with_name(f"{self.target.name}.json")


def images_of(
    inputs: str | Path | Iterable[str | Path], out: Path
) -> tuple[BatchImage, ...]:
    """List the images of files, folders and patterns.

    Parameters
    ----------
    inputs
        Files, OME-Zarr, folders (whose images are taken, those of folders in them too)
        and patterns such as ``plate*/*.tif``.
    out
        Where labels go. A folder keeps its inner order there.

    Raises
    ------
    StorageError
        If something is not there, or labels would be written over an image.
    DataError
        If there is no image at all.
    """
    found: dict[Path, Path] = {}  # image -> its folder below `out`
    entries = _names(inputs)
    for entry in entries:
        for source, below in _expanded(entry, out.absolute()):
            found.setdefault(source, below)
    if not found:
        raise DataError(
            f"There is no image in {', '.join(entries) or 'an empty list'}; name "
            "image files, folders that hold some, or a pattern such as 'plate/*.tif'."
        )
    named = {
        source: (below, _stem(source), ".zarr" if source.is_dir() else ".tif")
        for source, below in found.items()
    }
    same = Counter(named.values())
    images = []
    for source, place in named.items():
        below, stem, ending = place
        if same[place] > 1:  # cells.png beside cells.tif
            stem = source.name
        target = out / below / f"{stem}{ending}"
        if target.absolute() in found:
            raise StorageError(
                f"The labels of {source} would be written over {target}, which is an "
                "image here; name another folder for labels."
            )
        images.append(BatchImage(source, target, (below / source.name).as_posix()))
    twice = [n for n, c in Counter(one.target for one in images).items() if c > 1]
    if twice:
        raise StorageError(
            f"Several images would have their labels in {twice[0]}; name their folders "
            "one by one, each with an output folder of its own."
        )
    return tuple(images)


def _names(inputs: Any) -> list[str]:
    """Return what was named as a list of names."""
    given = [inputs] if isinstance(inputs, (str, Path)) else inputs
    if isinstance(given, Iterable) and not isinstance(given, (bytes, dict)):
        names = list(given)
        plain = not hasattr(given, "dtype")
        if plain and all(isinstance(name, (str, Path)) for name in names):
            return [str(name) for name in names]
    raise DataError(
        f"The inputs are {told(inputs)}; they must be the name of a file, a folder or "
        "a pattern, or a list of such names."
    )


def _expanded(entry: str, out: Path) -> list[tuple[Path, Path]]:
    path = Path(entry).expanduser().absolute()
    if not path.exists() and any(letter in entry for letter in _MAGIC):
        matches = sorted(glob.iglob(str(path), recursive=True))  # noqa: PTH207  (of any folder)
        return [(Path(one), Path()) for one in matches if _is_image(Path(one))]
    if not path.exists():
        raise StorageError(f"There is no {entry}. Check its name and folder.")
    if path.is_dir() and not kind_of(path):
        return [(one, one.parent.relative_to(path)) for one in _inside(path, out)]
    return [(path, Path())]


def _inside(folder: Path, out: Path) -> list[Path]:
    """Return all images in a folder and those below it; what is hidden is left out."""
    found: list[Path] = []
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or path == out:
            continue
        if _is_image(path):
            found.append(path)
        elif path.is_dir():
            found += _inside(path, out)
    return found


def _is_image(path: Path) -> bool:
    if path.is_dir():
        return bool(kind_of(path))
    return path.suffix.lower() in (*PICTURE_ENDINGS, *_PLUGINS)


def _stem(source: Path) -> str:
    """Return a name without its ending, also without that of ``cells.ome.tif``."""
    stem = source.stem
    known = source.is_dir() or source.suffix.lower() in TIFF_ENDINGS
    return stem.removesuffix(".ome") if known else stem
