"""COCO annotation files, as data sets and as objects of images.

Source: the format as described at cocodataset.org ("Data format").
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from napari_gen2seg.common.types import Shape
from napari_gen2seg.core.image.rgb import RgbRecipe
from napari_gen2seg.errors import DataError
from napari_gen2seg.io.annotated import Annotated, AnnotatedSource, Dataset, from_masks
from napari_gen2seg.io.formats.coco_masks import decode
from napari_gen2seg.io.formats.images import read_picture
from napari_gen2seg.io.objects import ImageObjects


def coco_dataset(
    annotations: str | Path,
    images: str | Path | None = None,
    *,
    name: str | None = None,
    categories: Collection[str] | None = None,
    without: Collection[str] = (),
    recipe: RgbRecipe | None = None,
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
    recipe
        How channels become RGB.

    Raises
    ------
    DataError
        If the file is no COCO annotation, a category is unknown, or the pictures
        cannot be found.
    """
    source = Path(annotations)
    content = _read_json(source)
    names = {
        category["id"]: str(category.get("name") or category["id"])
        for category in content["categories"]
    }
    chosen = _chosen(names, categories, without, source)
    objects: dict[str, list[dict[str, Any]]] = {}
    for entry in content["annotations"]:
        if not names or entry["category_id"] in chosen:
            objects.setdefault(entry["image_id"], []).append(entry)
    pictures = [p for p in content["images"] if p["id"] in objects]
    if not pictures:
        raise DataError(
            f"{source} has no picture with an object of the chosen categories."
        )
    folder = Path(images) if images else _image_folder(source, pictures[0])
    items = [
        AnnotatedSource(
            p["file_name"], partial(_read, folder, p, objects[p["id"]], recipe)
        )
        for p in sorted(pictures, key=lambda p: str(p["file_name"]))
    ]
    return Dataset(name or source.stem, tuple(items))


def _read(
    folder: Path,
    picture: dict[str, Any],
    entries: list[dict[str, Any]],
    recipe: RgbRecipe | None,
) -> Annotated:
    file = read_picture(folder / picture["file_name"])
    image = file.plane(recipe=recipe)
    height, width = image.shape[:2]
    _check_size(picture, height, width)
    masks, unknown = [], np.zeros((height, width), bool)
    for entry in sorted(entries, key=_order):
        try:
            mask = decode(entry.get("segmentation"), height, width)
        except DataError as error:
            raise DataError(f"Annotation {entry.get('id')}: {error}") from error
        if entry.get("iscrowd"):
            unknown |= mask
        else:
            masks.append(mask)
    return replace(from_masks(image, masks, unknown), notes=file.notes)


def _check_size(picture: dict[str, Any], height: int, width: int) -> None:
    """Refuse outlines that were drawn on an image of another size."""
    told = picture.get("height"), picture.get("width")
    if None in told or told == (height, width):
        return
    turned = told == (width, height)
    why = (
        "its outlines were drawn on the picture before a tag in it (EXIF) turned it. "
        "Save the picture without the tag, or draw them anew"
        if turned
        else "its outlines belong to another size. Use the pictures that they were "
        "drawn on"
    )
    raise DataError(
        f"The annotations say that {picture['file_name']} is {told[1]} x {told[0]} "
        f"pixels, but it is {width} x {height}: {why}."
    )


def _order(entry: dict[str, Any]) -> tuple[int, float, str]:
    """Sort ids of any kind, numbers first."""
    name = entry.get("id", 0)
    if isinstance(name, (int, float)) and abs(name) < 2**53:
        return 0, float(name), ""
    return 1, 0.0, str(name)


def _read_json(source: Path) -> dict[str, list[dict[str, Any]]]:
    """Read the file, and check all of it that is used; ids become strings."""
    try:
        content = json.loads(source.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(
            f"{source} could not be read as json ({error}). Check that it is there and "
            "complete."
        ) from error
    if not isinstance(content, dict) or not {"images", "annotations"} <= set(content):
        raise DataError(
            f"{source} is no COCO annotation file; it must hold images and annotations."
        )
    images = [
        {**entry, "id": _id(entry, "id", what), "file_name": _file_name(entry, what)}
        for entry, what in _entries(content, "images", source)
    ]
    for entry in images:
        for side in ("height", "width"):
            if entry.get(side) is not None and type(entry[side]) is not int:
                raise DataError(
                    f"{source}: {side} of {entry['file_name']} is {entry[side]!r}; it "
                    "must be a whole number of pixels."
                )
    names = [entry["id"] for entry in images]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise DataError(
            f"{source} has two pictures with the id {twice}; make them two."
        )
    return {
        "images": images,
        "annotations": [
            {
                **entry,
                "image_id": _id(entry, "image_id", what),
                "category_id": _id(entry, "category_id", what, needed=False),
            }
            for entry, what in _entries(content, "annotations", source)
        ],
        "categories": [
            {**entry, "id": _id(entry, "id", what)}
            for entry, what in _entries(
                {"categories": [], **content}, "categories", source
            )
        ],
    }


def _entries(
    content: dict[str, Any], part: str, source: Path
) -> Iterator[tuple[dict[str, Any], str]]:
    """Yield the objects of a list, and what to call each in messages."""
    found = content[part]
    if not isinstance(found, list):
        raise DataError(
            f"The part {part!r} of {source} holds {_said(found)}; it must be a list."
        )
    for place, entry in enumerate(found):
        if not isinstance(entry, dict):
            raise DataError(
                f"Entry {place} of {part!r} in {source} is {_said(entry)}; it must be "
                "an object with ids."
            )
        yield entry, f"entry {place} of {part!r} in {source}"


def _id(entry: dict[str, Any], key: str, what: str, *, needed: bool = True) -> str:
    """Return an id as text: programs write 1, 1.0 and "1" for one thing."""
    value = entry.get(key)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if value is None and not needed:
        return ""
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        raise DataError(
            f"{key} of {what} is {_said(value)}; it must be a number or a name."
        )
    return str(value)


def _file_name(entry: dict[str, Any], what: str) -> str:
    name = entry.get("file_name")
    if not isinstance(name, str) or not name or "\0" in name:
        raise DataError(
            f"file_name of {what} is {_said(name)}; it must be the name of a file."
        )
    return name


def _said(value: Any) -> str:
    return "null" if value is None else repr(value)[:60]


def _chosen(
    names: dict[str, str],
    categories: Collection[str] | None,
    without: Collection[str],
    source: Path,
) -> set[str]:
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
        if _is_file(place / first["file_name"]):
            return place
    raise DataError(
        f"The picture {first['file_name']} of {source} is in none of "
        f"{', '.join(str(place) for place in places)}. Name the folder of the pictures."
    )


def _is_file(path: Path) -> bool:
    """Whether there is such a file; False for names that no file can have."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def coco_objects(
    annotations: str | Path,
) -> Iterator[tuple[str, Callable[[Shape], ImageObjects]]]:
    """Read a COCO annotation file image by image, without the images.

    Yields
    ------
    name
        The image's ``file_name``.
    read
        Given its (H, W), returns its objects with their categories; crowds are left
        out.

    Raises
    ------
    DataError
        If the file is no COCO annotation, or an annotation does not fit its image.
    """
    content = _read_json(Path(annotations))
    names = {str(c["id"]): str(c["name"]) for c in content.get("categories", [])}
    entries: dict[Any, list[dict[str, Any]]] = {}
    for entry in content["annotations"]:
        if not entry.get("iscrowd"):
            entries.setdefault(entry["image_id"], []).append(entry)
    for picture in content["images"]:
        mine = sorted(entries.get(picture["id"], []), key=_order)
        yield str(picture["file_name"]), partial(_objects, mine, names)


def _objects(
    entries: list[dict[str, Any]], names: dict[str, str], shape: Shape
) -> ImageObjects:
    masks = []
    for entry in entries:
        try:
            mask = decode(entry.get("segmentation"), *shape)
        except DataError as error:
            raise DataError(f"Annotation {entry.get('id')}: {error}") from error
        rows, cols = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
        if rows.size:
            corner = int(rows[0]), int(cols[0])
            window = mask[corner[0] : rows[-1] + 1, corner[1] : cols[-1] + 1]
            name = names.get(str(entry.get("category_id")), "")
            masks.append((window, corner, name))
    return ImageObjects.of_masks(shape, masks)
