"""Annotated images from wherever people keep them."""

from __future__ import annotations

from collections.abc import Collection
from functools import partial
from pathlib import Path

from napari_gen2seg.core.image.rgb import RgbRecipe
from napari_gen2seg.errors import DataError
from napari_gen2seg.io.annotated import Annotated, AnnotatedSource, Dataset
from napari_gen2seg.io.datasets.pairs import paired_files
from napari_gen2seg.io.datasets.published import LOADERS
from napari_gen2seg.io.datasets.split_file import read_split
from napari_gen2seg.io.formats.coco import coco_dataset
from napari_gen2seg.io.formats.images import read_picture
from napari_gen2seg.io.formats.labels import read_labels

__all__ = [
    "KINDS",
    "Annotated",
    "AnnotatedSource",
    "Dataset",
    "folder_dataset",
    "open_dataset",
]

_OWN = ("folder", "coco-json", "ome-zarr")
KINDS = ("auto", *_OWN, *LOADERS)
"""What `open_dataset` can be told."""


def open_dataset(
    path: str | Path,
    kind: str = "auto",
    split: str | None = None,
    *,
    images: str | Path | None = None,
    labels: str | None = None,
    categories: Collection[str] | None = None,
    without: Collection[str] = (),
    recipe: RgbRecipe | None = None,
) -> Dataset:
    """Open annotated images; nothing is read yet but lists.

    Parameters
    ----------
    path
        A folder with ``images/`` and ``labels/``, a COCO json, an OME-Zarr image, or
        the root of a published set.
    kind
        One of `KINDS`. ``"auto"`` tells the first three from one another.
    split
        Part of the set: a name in ``split.json`` of a folder, or a published split.
    images
        COCO json: the folder of the pictures.
    labels
        OME-Zarr: which label image.
    categories, without
        COCO: only objects of these categories; none of these.
    recipe
        How channels become RGB, of anything but a published set.

    Raises
    ------
    DataError
        If it cannot be read as that kind.
    """
    source = Path(path).expanduser()
    if kind not in KINDS:
        raise DataError(f"The kind is {kind!r}; it must be one of {', '.join(KINDS)}.")
    if not source.exists():
        raise DataError(f"There is no {source}. Check the path.")
    if kind == "auto":
        kind = _guess(source)
    chosen = (
        {"categories": categories, "without": without}
        if categories is not None or without
        else {}
    )
    for what, given, takes in (
        ("Categories were given", chosen, ("coco", "coco-json", "pidray")),
        ("A split was named", split, ("folder", *LOADERS)),
        ("A folder of images was named", images, ("coco-json",)),
        ("A label image was named", labels, ("ome-zarr",)),
        ("Channels or contrast were chosen", recipe, _OWN),
    ):
        if given and kind not in takes:
            raise DataError(
                f"{what}, but data of the kind {kind} have none to choose; leave it "
                "out."
            )
    if kind == "folder":
        return folder_dataset(source, split, recipe)
    if kind == "coco-json":
        return coco_dataset(
            source, images, categories=categories, without=without, recipe=recipe
        )
    if kind == "ome-zarr":
        from napari_gen2seg.io.formats.omezarr import omezarr_dataset

        return omezarr_dataset(source, labels, recipe)
    loader = LOADERS[kind]
    return loader(source, split, **chosen) if split else loader(source, **chosen)


def folder_dataset(
    folder: str | Path, split: str | None = None, recipe: RgbRecipe | None = None
) -> Dataset:
    """Open ``folder/images`` with ``folder/labels``.

    Pictures and labels belong together when their names without endings are equal;
    pictures without labels are left out, and the data set's notes say so.

    Parameters
    ----------
    folder
        Labels are TIFF, PNG or NPY of whole numbers: 0 background, -1 unknown.
    split
        A list of names in ``split.json``, with the pictures' endings or without. By
        default ``test`` or else ``val`` where that file has them, and every picture
        where there is no such file.
    recipe
        How channels become RGB.

    Raises
    ------
    DataError
        If a folder is missing, no picture has labels, or the split is unknown or
        names a picture that is not there.
    """
    root = Path(folder)
    pictures, truths = root / "images", root / "labels"
    if not pictures.is_dir() or not truths.is_dir():
        raise DataError(
            f"{root} must have the folders images/ and labels/ with files of the same "
            "names."
        )
    wanted, part = _names_of_split(root, split)
    pairs, without = paired_files(pictures, truths)
    every = [path for path, _ in pairs] + without
    if wanted is not None:
        missing = wanted.difference(*((path.stem, path.name) for path in every))
        if missing:
            raise DataError(
                f"The split {part!r} of {root / 'split.json'} names "
                f"{', '.join(sorted(missing)[:5])}, but {pictures} holds no such "
                "picture. Correct the names, or add the pictures."
            )
        pairs = [pair for pair in pairs if wanted & {pair[0].stem, pair[0].name}]
        without = [path for path in without if wanted & {path.stem, path.name}]
    if without and not pairs:
        raise DataError(
            f"{without[0]} has no labels: {truths} must hold {without[0].stem}.tif or "
            f"{without[0].stem}.png. No other picture has any."
        )
    items = [
        AnnotatedSource(image.stem, partial(_read, image, truth, recipe))
        for image, truth in pairs
    ]
    return Dataset(
        f"{root.name}-{part}" if part else root.name,
        tuple(items),
        tuple(left_out(path.name) for path in without),
    )


def left_out(name: str) -> str:
    """Say that an image is passed over."""
    return f"{name}: it has no labels and is left out."


def _read(image: Path, truth: Path, recipe: RgbRecipe | None) -> Annotated:
    picture = read_picture(image)
    pixels = picture.plane(recipe=recipe)
    return Annotated(pixels, read_labels(truth), notes=picture.notes)


def _names_of_split(root: Path, split: str | None) -> tuple[set[str] | None, str]:
    source = root / "split.json"
    if not source.is_file():
        if split:
            raise DataError(
                f"The split {split!r} was asked for, but {source} is not there. Write "
                '{"train": [names], "val": [names]}, or leave the split out.'
            )
        return None, ""
    parts = read_split(source)
    part = split or next((p for p in ("test", "val") if p in parts), None)
    if part not in parts:
        raise DataError(
            f"{source} has no split {part!r}; it has {', '.join(parts)}. Name one."
        )
    return {Path(name).name for name in parts[part]}, part


def _guess(source: Path) -> str:
    if source.suffix.lower() == ".json":
        return "coco-json"
    if source.suffix.lower() == ".zarr" or any(
        (source / name).is_file() for name in (".zgroup", "zarr.json")
    ):
        return "ome-zarr"
    if (
        source.is_dir()
        and (source / "images").is_dir()
        and (source / "labels").is_dir()
    ):
        return "folder"
    published = f"For a published set, say which: {', '.join(LOADERS)}."
    if source.is_dir():
        missing = [
            f"{name}/" for name in ("images", "labels") if not (source / name).is_dir()
        ]
        raise DataError(
            f"The folder {source} has no {' and no '.join(missing)}; it must hold "
            f"pictures in images/ and labels of the same names in labels/. {published}"
        )
    raise DataError(
        f"{source} is a file, but neither a COCO .json nor an OME-Zarr; give a folder "
        f"with pictures in images/ and labels in labels/. {published}"
    )
