"""Folders of annotated images, cut into crops whose objects have a wanted size."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from napari_gen2seg.core.map.object_size import median_diameter
from napari_gen2seg.errors import DataError
from napari_gen2seg.io.annotated import Annotated
from napari_gen2seg.io.datasets.pairs import paired_files
from napari_gen2seg.io.datasets.split_file import read_split
from napari_gen2seg.io.formats.images import read_picture
from napari_gen2seg.io.formats.labels import read_labels
from napari_gen2seg.train.data.window import Crop, filled, window


def read_source(
    folder: Path, split: str = "train", left_out: Collection[str] = ()
) -> list[Annotated]:
    """Read the images of ``folder/images`` with ``folder/labels``.

    They are kept in 8 bits, since there are thousands; their diameter is the plain
    median, as mini was trained with.

    Parameters
    ----------
    folder
        Has ``images/NAME.png|tif``, ``labels/NAME.tif`` and, for a split,
        ``split.json`` (``{"train": [names], "val": [names]}``).
    split
        Which part to read; every picture where there is no ``split.json``.
    left_out
        Kinds of pictures, as ``manifest.json`` calls them, to pass over.

    Raises
    ------
    DataError
        If there are no pictures, or a picture and its labels differ in size.
    """
    wanted: set[str] | None = None
    if (folder / "split.json").is_file():
        parts = read_split(folder / "split.json")
        if split not in parts:
            raise DataError(
                f"{folder / 'split.json'} has no split {split!r}; it has "
                f"{', '.join(parts)}. Name one."
            )
        wanted = set(parts[split])
    kinds = manifest_kinds(folder)
    found = []
    for path, truth in paired_files(folder / "images", folder / "labels")[0]:
        if wanted is not None and path.stem not in wanted:
            continue
        kind = kinds.get(path.stem, "")
        if kind in left_out:
            continue
        labels = read_labels(truth)
        rgb = as_rgb8(read_picture(path).plane())
        if rgb.shape[:2] != labels.shape:
            raise DataError(
                f"{path.name} is {rgb.shape[:2]} but its labels are {labels.shape}; "
                "they must have the same height and width."
            )
        found.append(
            Annotated(
                rgb,
                labels,
                name=path.stem,
                kind=kind,
                given_diameter=median_diameter(labels),
            )
        )
    if not found:
        raise DataError(
            f"{folder} holds no annotated pictures; it must have images/ and labels/ "
            "with files of the same names."
        )
    return found


def is_complete(folder: Path) -> bool:
    """Whether all objects of a source are marked; ``manifest.json`` says where not.

    Where they are not, what is unmarked is unknown and not background.
    """
    try:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return True
    return bool(manifest.get("complete", True)) if isinstance(manifest, dict) else True


def manifest_kinds(folder: Path) -> dict[str, str]:
    """Return the ``kind`` of each image that ``manifest.json`` gives one, by stem."""
    try:
        rows = json.loads((folder / "manifest.json").read_text())["images"]
        return {Path(r["image"]).stem: str(r["kind"]) for r in rows if "kind" in r}
    except (OSError, ValueError, KeyError, TypeError):
        return {}  # a manifest is welcome, not needed


def kind_weights(pictures: list[Annotated]) -> NDArray[np.float64]:
    """Return how often to draw each image, (N,), sum 1.

    Kinds count by the square root of their number: with all pictures alike, a source
    that is mostly one kind would teach only that one, and with all kinds alike, a
    handful of pictures would be learnt by heart.
    """
    _, which, counts = np.unique(
        [p.kind for p in pictures], return_inverse=True, return_counts=True
    )
    weights: NDArray[np.float64] = counts[which] ** -0.5
    return weights / weights.sum()


def as_rgb8(image: NDArray[np.generic]) -> NDArray[np.uint8]:
    """Return uint8 (H, W, 3); other types are stretched over their 0.1..99.9 %."""
    array = np.asarray(image)
    if array.ndim == 3:
        array = array[..., :3]
    if array.dtype != np.uint8:
        low, high = np.percentile(array, (0.1, 99.9))
        scaled = (array.astype(np.float32) - low) / max(float(high - low), 1e-9)
        array = (np.clip(scaled, 0, 1) * 255).astype(np.uint8)
    if array.ndim == 2:
        array = np.repeat(array[..., None], 3, -1)
    return np.ascontiguousarray(array)


def crop(
    picture: Annotated,
    rng: np.random.Generator,
    size: int,
    diameter: float,
    around: float = 0.0,
) -> Crop:
    """Cut a random square of ``size`` pixels in which objects have ``diameter``.

    Beyond the picture's rim it is mirrored, and its labels are unknown there: an object
    and its mirror image are no one object. ``around`` is the share of crops placed
    around an object; anywhere, many are empty where objects are few.
    """
    scale = float(np.clip(diameter / picture.diameter, 0.1, 6.0))
    side = max(8, round(size / scale))
    near = around > 0 and rng.random() < around
    place = window(picture.labels, (side, side), rng, picture.objects if near else ())
    rgb, labels = picture.image[place], picture.labels[place]
    rgb, labels = filled(rgb, labels, (side, side))
    shape = (size, size)
    resized = Image.fromarray(rgb).resize(shape, Image.Resampling.BILINEAR)
    names = Image.fromarray(labels).resize(shape, Image.Resampling.NEAREST)
    return Crop(np.asarray(resized), np.asarray(names, np.int32))
