"""COCO JSON out: objects as run lengths, which lose nothing."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from napari_gen2seg.common.atomic import writing
from napari_gen2seg.common.types import Shape
from napari_gen2seg.io.formats import coco_masks
from napari_gen2seg.io.objects import ImageObjects

CocoImage = tuple[str, Shape, Sequence[dict[str, Any]]]
"""File name, (H, W), and what `coco_annotations` gave."""


def coco_annotations(
    objects: ImageObjects, classes: Sequence[str]
) -> list[dict[str, Any]]:
    """Return the annotations of one image, without ids.

    Parameters
    ----------
    objects
        Each of a class in `classes`, or of none, which is the first.
    classes
        Names in the order of their numbers, which begin with 1.
    """
    found = []
    for one in objects.objects:
        (row, col), (height, width) = one.corner, one.window.shape
        kind = classes.index(one.class_name) if one.class_name else 0
        found.append(
            {
                "category_id": kind + 1,
                "segmentation": coco_masks.encode(
                    one.window, one.corner, objects.shape
                ),
                "area": one.area,
                "bbox": [col, row, width, height],
                "iscrowd": 0,
            }
        )
    return found


def write_coco(
    path: Path, pictures: Iterable[CocoImage], classes: Sequence[str]
) -> None:
    """Write a file of COCO instances.

    Parameters
    ----------
    path
        Of the JSON file.
    pictures
        The images with their annotations; ids count from 1.
    classes
        Names of the categories.

    Raises
    ------
    StorageError
        If it cannot be written.
    """
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for file, (height, width), entries in pictures:
        image_id = len(images) + 1
        images.append(
            {"id": image_id, "file_name": file, "height": height, "width": width}
        )
        for entry in entries:
            number = len(annotations) + 1
            annotations.append({"id": number, "image_id": image_id, **entry})
    content = {
        "info": {"description": "Made with napari-gen2seg", "version": "1"},
        "images": images,
        "annotations": annotations,
        "categories": [
            {"id": number, "name": name} for number, name in enumerate(classes, 1)
        ],
    }
    with writing(path) as draft:
        text = json.dumps(content, ensure_ascii=False)
        draft.write_text(text + "\n", encoding="utf-8")
