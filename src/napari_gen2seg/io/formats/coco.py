"""COCO annotation files: polygons and run lengths -> masks.

Sources: the format as described at cocodataset.org ("Data format") and, for the
compressed run lengths, the behaviour of pycocotools, which the tests compare with.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from skimage.draw import polygon2mask

from napari_gen2seg.common.types import BoolArray
from napari_gen2seg.errors import DataError
from napari_gen2seg.io.annotated import Annotated, AnnotatedSource, Dataset, from_masks
from napari_gen2seg.io.formats.images import plane_of, read_picture


def decode(segmentation: Any, height: int, width: int) -> BoolArray:
    """Turn one annotation's ``segmentation`` into a mask.

    Parameters
    ----------
    segmentation
        A list of polygons ``[x, y, x, y, ...]``, or run lengths as ``{"size": [h, w],
        "counts": [...]}``, counts plain or compressed to a string.
    height, width
        Of the picture, in pixels.

    Returns
    -------
    numpy.ndarray
        bool (height, width).

    Raises
    ------
    DataError
        If it is neither, or does not fit the picture.
    """
    if isinstance(segmentation, dict):
        return _decode_runs(segmentation, height, width)
    if segmentation is None:
        raise DataError(
            "It has no segmentation (perhaps only a box); it must have polygons or run "
            "lengths. Add them, or remove the annotation."
        )
    if not isinstance(segmentation, list):
        raise DataError(
            f"A COCO segmentation is {type(segmentation).__name__}; it must be a list "
            "of polygons or a dictionary with size and counts."
        )
    mask = np.zeros((height, width), bool)
    for polygon in segmentation:
        points = np.asarray(polygon, np.float64)
        if points.ndim != 1 or len(points) < 6 or len(points) % 2:
            raise DataError(
                f"A COCO polygon has {points.size} numbers; it must have x and y of at "
                "least three corners."
            )
        # COCO's corners lie on pixel edges, scikit-image's on pixel centres.
        corners = points.reshape(-1, 2)[:, ::-1] - 0.5
        mask |= polygon2mask((height, width), corners)
    return mask


def runs_of(counts: str | bytes) -> list[int]:
    """Unpack COCO's compressed run lengths.

    Five bits a character, lowest first, a sixth bit for "more follows"; from the
    fourth number on, each is the difference to the one before the last.
    """
    text = counts.encode("ascii") if isinstance(counts, str) else counts
    numbers: list[int] = []
    place = 0
    while place < len(text):
        value, shift, more = 0, 0, True
        while more:
            if place >= len(text):
                raise DataError("COCO run lengths end in the middle of a number.")
            bits = text[place] - 48
            value |= (bits & 31) << shift
            shift += 5
            more = bool(bits & 32)
            place += 1
            if not more and bits & 16:
                value -= 1 << shift
        if len(numbers) > 2:
            value += numbers[-2]
        numbers.append(value)
    return numbers


def _decode_runs(segmentation: dict[str, Any], height: int, width: int) -> BoolArray:
    counts, size = segmentation.get("counts"), segmentation.get("size")
    if size is None or [int(n) for n in size] != [height, width]:
        raise DataError(
            f"COCO run lengths are for {size}, but the picture is {height} x {width}."
        )
    runs = runs_of(counts) if isinstance(counts, (str, bytes)) else list(counts or [])
    if sum(runs) != height * width or min(runs, default=0) < 0:
        raise DataError(
            f"COCO run lengths cover {sum(runs)} pixels, but the picture has "
            f"{height * width}; the annotation is damaged."
        )
    values = np.arange(len(runs)) % 2 == 1
    return np.repeat(values, runs).reshape(width, height).T


def coco_dataset(
    annotations: str | Path,
    images: str | Path | None = None,
    *,
    name: str | None = None,
    categories: Collection[str] | None = None,
    without: Collection[str] = (),
) -> Dataset:
    """Open a COCO annotation file.

    Parameters
    ----------
    annotations
        The json file.
    images
        Folder of its ``file_name`` entries. By default the file's own folder, an
        ``images`` folder there or beside it, or the folder named as the file says
        (``instances_val2017.json`` -> ``../val2017``), whichever holds the first one.
    name
        For reports; the file's name by default.
    categories, without
        Only objects of these categories; none of these. Pictures left without any
        object are left out.

    Raises
    ------
    DataError
        If the file is no COCO annotation, a category is unknown, or the pictures
        cannot be found.
    """
    source = Path(annotations)
    content = _read_json(source)
    names = {int(c["id"]): str(c["name"]) for c in content.get("categories", [])}
    chosen = _chosen(names, categories, without, source)
    objects: dict[Any, list[dict[str, Any]]] = {}
    for entry in content["annotations"]:
        if not names or entry.get("category_id") in chosen:
            objects.setdefault(entry["image_id"], []).append(entry)
    pictures = [p for p in content["images"] if p["id"] in objects]
    if not pictures:
        raise DataError(
            f"{source} has no picture with an object of the chosen categories."
        )
    folder = Path(images) if images else _image_folder(source, pictures[0])
    items = [
        AnnotatedSource(
            str(p["file_name"]), partial(_read, folder, p, objects[p["id"]])
        )
        for p in sorted(pictures, key=lambda p: str(p["file_name"]))
    ]
    return Dataset(name or source.stem, tuple(items))


def _read(
    folder: Path, picture: dict[str, Any], entries: list[dict[str, Any]]
) -> Annotated:
    image = plane_of(read_picture(folder / str(picture["file_name"])))
    height, width = image.shape[:2]
    masks, unknown = [], np.zeros((height, width), bool)
    for entry in sorted(entries, key=lambda e: e.get("id", 0)):
        try:
            mask = decode(entry.get("segmentation"), height, width)
        except DataError as error:
            raise DataError(f"Annotation {entry.get('id')}: {error}") from error
        if entry.get("iscrowd"):
            unknown |= mask
        else:
            masks.append(mask)
    return from_masks(image, masks, unknown)


def _read_json(source: Path) -> dict[str, Any]:
    try:
        content = json.loads(source.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(
            f"{source} could not be read as json ({error}). Check that it is there and "
            "complete."
        ) from error
    if not isinstance(content, dict) or not {"images", "annotations"} <= set(content):
        raise DataError(
            f"{source} is no COCO annotation file; it must hold images and annotations."
        )
    return content


def _chosen(
    names: dict[int, str],
    categories: Collection[str] | None,
    without: Collection[str],
    source: Path,
) -> set[int]:
    wrong = (set(categories or ()) | set(without)) - set(names.values())
    if wrong:
        raise DataError(
            f"{source.name} has no category {min(wrong)!r}; it has "
            f"{', '.join(sorted(names.values()))}."
        )
    return {
        number
        for number, name in names.items()
        if (categories is None or name in categories) and name not in without
    }


def _image_folder(source: Path, first: dict[str, Any]) -> Path:
    part = source.stem.rpartition("_")[2]
    parent = source.parent
    places = [
        parent,
        parent / "images",
        parent.parent / "images",
        parent / part,
        parent.parent / part,
        parent.parent / "images" / part,
    ]
    for place in places:
        if (place / str(first["file_name"])).is_file():
            return place
    raise DataError(
        f"The picture {first['file_name']} of {source} is in none of "
        f"{', '.join(str(place) for place in places)}. Name the folder of the pictures."
    )
