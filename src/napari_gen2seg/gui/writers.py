"""File > Save Selected Layers: labels as COCO JSON, ImageJ ROIs, YOLO-seg polygons.

All that goes wrong is told as `StorageError`: napari takes any ``ValueError`` of a
writer for a sign that there is none, and says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from napari_gen2seg.common.atomic import writing
from napari_gen2seg.common.types import LabelArray
from napari_gen2seg.errors import DataError, StorageError
from napari_gen2seg.gui.classes.colors import CLASS
from napari_gen2seg.gui.layers.marks import MARK, find_layer
from napari_gen2seg.io.formats.coco_write import coco_annotations, write_coco
from napari_gen2seg.io.formats.imagej_roi import write_rois
from napari_gen2seg.io.formats.yolo import write_yolo
from napari_gen2seg.io.objects import ImageObjects
from napari_gen2seg.project.exchange.exporting import DEFAULT_CLASS

YOLO_CLASSES = "classes.txt"
"""Beside the labels, as drawing programs keep it: a name a line."""


def save_coco(path: str, data: Any, facts: Mapping[str, Any]) -> list[str]:
    """Write a Labels layer as COCO instances; each plane of a stack is an image.

    Parameters
    ----------
    path
        Ends in ``.json``.
    data
        Of the layer, (..., H, W).
    facts
        Of the layer: name, features, metadata.

    Returns
    -------
    list of str
        The files that were written.

    Raises
    ------
    StorageError
        If it cannot be written.
    """
    planes = _planes(data, facts)
    classes = _names(planes)
    file = Path(_picture_of(facts) or f"{Path(path).stem}.png")
    pictures = []
    for place, objects in planes:
        at = "".join(f"-{n:04d}" for n in place)
        entries = coco_annotations(objects, classes)
        pictures.append((f"{file.stem}{at}{file.suffix}", objects.shape, entries))
    write_coco(Path(path), pictures, classes)
    return [path]


def save_rois(path: str, data: Any, facts: Mapping[str, Any]) -> list[str]:
    """Write a Labels layer as a zip of ImageJ's ROI Manager; see `save_coco`.

    Raises
    ------
    StorageError
        If there are more than three dimensions, or no object; or if it cannot be
        written.
    """
    planes = _planes(data, facts)
    if len(planes[0][0]) > 1:
        raise StorageError(
            f"ImageJ counts the planes of one stack; these labels have {data.ndim} "
            "dimensions. Save one time point, or one stack, at a time."
        )
    places = [(place[0] if place else None, objects) for place, objects in planes]
    try:
        write_rois(Path(path), places)
    except DataError as error:
        raise StorageError(str(error)) from error
    return [path]


def save_yolo(path: str, data: Any, facts: Mapping[str, Any]) -> list[str]:
    """Write a Labels layer as YOLO-seg polygons; see `save_coco`.

    Names of classes go into ``classes.txt`` beside it; those that are there keep their
    numbers.

    Raises
    ------
    StorageError
        If it is a stack, or cannot be written.
    """
    planes = _planes(data, facts)
    if planes[0][0]:
        raise StorageError(
            f"A YOLO file is of one image; these labels have {np.ndim(data)} "
            "dimensions. Save a plane, or export the stack from a project."
        )
    target, names = Path(path), _names(planes)
    book = target.with_name(YOLO_CLASSES)
    there, written = _lines(book), [path]
    classes = [*there, *(name for name in names if name not in there)]
    if classes != there and (there or names != [DEFAULT_CLASS]):
        with writing(book) as draft:
            text = "".join(f"{name}\n" for name in classes)
            draft.write_text(text, encoding="utf-8")
        written.append(str(book))
    write_yolo(target, planes[0][1], classes)
    return written


def _planes(
    data: Any, facts: Mapping[str, Any]
) -> list[tuple[tuple[int, ...], ImageObjects]]:
    """Take labels apart: place of each plane in the stack, and its objects."""
    # Of a pyramid the finest level; a list of levels is what napari hands over.
    labels: LabelArray = np.asarray(data[0] if facts.get("multiscale") else data)
    classes, found = _classes(facts), []
    if classes:  # then those of none have one of their own
        numbers = (int(n) for n in np.unique(labels) if n > 0)
        classes = {n: classes.get(n, DEFAULT_CLASS) for n in numbers}
    for index in np.ndindex(*labels.shape[:-2]):
        place = tuple(int(n) for n in index)
        found.append((place, ImageObjects.of_labels(labels[place], classes)))
    return found


def _classes(facts: Mapping[str, Any]) -> dict[int, str]:
    """Read the classes of objects off the features of the layer."""
    table = facts.get("features")
    if table is None or not {"index", CLASS} <= set(table.columns):
        return {}
    pairs = zip(table["index"], table[CLASS], strict=True)
    return {int(n): str(name) for n, name in pairs if isinstance(name, str) and name}


def _names(planes: Sequence[tuple[Any, ImageObjects]]) -> list[str]:
    """Return the classes that objects have; one where none has any."""
    names = {one.class_name for _, objects in planes for one in objects.objects}
    return sorted(names - {""}) or [DEFAULT_CLASS]


def _picture_of(facts: Mapping[str, Any]) -> str:
    """Return the file name of the image that a layer of ours belongs to, or ""."""
    from napari import current_viewer

    viewer = current_viewer()
    source = ((facts.get("metadata") or {}).get(MARK) or {}).get("source")
    image = None if viewer is None else find_layer(viewer, source)
    path = None if image is None else image.source.path
    return "" if path is None else Path(path).name


def _lines(path: Path) -> list[str]:
    if not path.is_file():
        return []
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError) as error:
        raise StorageError(
            f"{path} could not be read ({error}), so the numbers of the classes are "
            "not known. Move it elsewhere, or save into another folder."
        ) from error
