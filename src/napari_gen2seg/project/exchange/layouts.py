"""Layouts of data sets: one image at a time, then what ties them together."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_gen2seg.common.atomic import writing
from napari_gen2seg.core.image.rgb import to_rgb
from napari_gen2seg.io.formats import imagej_roi, yolo
from napari_gen2seg.io.formats.coco_write import coco_annotations, write_coco
from napari_gen2seg.io.formats.writers import write_labels, write_rgb
from napari_gen2seg.io.objects import ImageObjects


@dataclass(frozen=True, eq=False)
class ExportedPlane:
    """One plane of an image, on its way out.

    Attributes
    ----------
    name
        Unique in the data set, and a name for files.
    part
        ``train``, ``val`` or ``test``.
    pixels
        (H, W) or (H, W, C).
    objects
        With their classes.
    """

    name: str
    part: str
    pixels: NDArray[Any]
    objects: ImageObjects


@dataclass(frozen=True, eq=False)
class Layout:
    """How one program wants its data.

    Attributes
    ----------
    title
        For people.
    write_plane
        Writes one plane: root folder, plane, names of the classes.
    finish
        Writes what ties them together: root folder, all planes without pixels and
        masks, names of the classes.
    losses
        What is not kept, as sentences; empty where all is.
    """

    title: str
    write_plane: Callable[[Path, ExportedPlane, Sequence[str]], dict[str, Any]]
    finish: Callable[[Path, list[dict[str, Any]], Sequence[str]], None]
    losses: tuple[str, ...] = ()


_NO_CLASSES = "Classes of objects are not kept: the format has none."
_EIGHT_BITS = (
    "Images are written as 8-bit RGB PNG, stretched as the model sees them; measure "
    "brightness on the originals."
)


def _facts(plane: ExportedPlane, file: str) -> dict[str, Any]:
    height, width = plane.objects.shape
    return {
        "name": plane.name,
        "part": plane.part,
        "file": file,
        "height": height,
        "width": width,
    }


def _write_pixels(target: Path, pixels: NDArray[Any]) -> None:
    """Write a plane as TIFF with its own values."""
    import tifffile

    rgb = pixels.ndim == 3 and pixels.shape[-1] in (3, 4)
    array = pixels if pixels.ndim == 2 or rgb else np.moveaxis(pixels, -1, 0)
    if array.dtype == np.bool_:
        array = array.astype(np.uint8) * np.uint8(255)
    with writing(target) as draft:
        tifffile.imwrite(
            draft,
            array,
            photometric="rgb" if rgb else "minisblack",
            compression="zlib",
            planarconfig=None if array.ndim == 2 or rgb else "separate",
        )


def _write_rgb8(target: Path, pixels: NDArray[Any]) -> None:
    """Write a plane as an 8-bit PNG, as it is where it has 8 bits."""
    if pixels.dtype == np.uint8 and (pixels.ndim == 2 or pixels.shape[-1] == 3):
        write_rgb(target, pixels)
    else:
        write_rgb(target, np.rint(to_rgb(pixels) * 255).astype(np.uint8))


def _two_folders(
    root: Path, plane: ExportedPlane, images: str, masks: str
) -> dict[str, Any]:
    file = f"{images}/{plane.name}.tif"
    _write_pixels(root / file, plane.pixels)
    write_labels(root / masks / f"{plane.name}.tif", plane.objects.labels()[0])
    return _facts(plane, file)


def _tiff_plane(
    root: Path, plane: ExportedPlane, _classes: Sequence[str]
) -> dict[str, Any]:
    return _two_folders(root, plane, "images", "labels")


def _tiff_finish(
    root: Path, planes: list[dict[str, Any]], _classes: Sequence[str]
) -> None:
    parts: dict[str, list[str]] = {}
    for one in planes:
        parts.setdefault(one["part"], []).append(one["name"])
    _write_json(root / "split.json", parts)


def _stardist_plane(
    root: Path, plane: ExportedPlane, _classes: Sequence[str]
) -> dict[str, Any]:
    return _two_folders(root, plane, f"{plane.part}/images", f"{plane.part}/masks")


def _cellpose_plane(
    root: Path, plane: ExportedPlane, _classes: Sequence[str]
) -> dict[str, Any]:
    file = f"{plane.part}/{plane.name}.tif"
    _write_pixels(root / file, plane.pixels)
    # The trainer wants numbers without gaps.
    labels = np.zeros(plane.objects.shape, np.int32)
    for number, one in enumerate(plane.objects.objects, 1):
        (row, col), (height, width) = one.corner, one.window.shape
        labels[row : row + height, col : col + width][one.window] = number
    write_labels(root / plane.part / f"{plane.name}_masks.tif", labels)
    return _facts(plane, file)


def _nothing(_root: Path, _planes: list[dict[str, Any]], _names: Sequence[str]) -> None:
    """Each image stands for itself."""


def _coco_plane(
    root: Path, plane: ExportedPlane, classes: Sequence[str]
) -> dict[str, Any]:
    file = f"{plane.name}.png"
    _write_rgb8(root / "images" / file, plane.pixels)
    annotations = coco_annotations(plane.objects, classes)
    return {**_facts(plane, file), "annotations": annotations}


def _coco_finish(
    root: Path, planes: list[dict[str, Any]], classes: Sequence[str]
) -> None:
    for part in {one["part"] for one in planes}:
        pictures = [
            (one["file"], (one["height"], one["width"]), one["annotations"])
            for one in planes
            if one["part"] == part
        ]
        target = root / "annotations" / f"instances_{part}.json"
        write_coco(target, pictures, classes)


def _yolo_plane(
    root: Path, plane: ExportedPlane, classes: Sequence[str]
) -> dict[str, Any]:
    file = f"images/{plane.part}/{plane.name}.png"
    _write_rgb8(root / file, plane.pixels)
    target = root / "labels" / plane.part / f"{plane.name}.txt"
    yolo.write_yolo(target, plane.objects, classes)
    return _facts(plane, file)


def _yolo_finish(
    root: Path, planes: list[dict[str, Any]], classes: Sequence[str]
) -> None:
    there = {one["part"] for one in planes}
    parts = [part for part in ("train", "val", "test") if part in there]
    yolo.write_yolo_config(root, classes, parts)


def _imagej_plane(
    root: Path, plane: ExportedPlane, _classes: Sequence[str]
) -> dict[str, Any]:
    file = f"{plane.name}.tif"
    _write_pixels(root / file, plane.pixels)
    if plane.objects.objects:
        target = root / f"{plane.name}-rois.zip"
        imagej_roi.write_rois(target, [(None, plane.objects)])
    return _facts(plane, file)


def _write_json(target: Path, content: Any) -> None:
    with writing(target) as draft:
        text = json.dumps(content, ensure_ascii=False)
        draft.write_text(text + "\n", encoding="utf-8")


LAYOUTS: dict[str, Layout] = {
    "tiff": Layout(
        "images and labels as TIFF", _tiff_plane, _tiff_finish, (_NO_CLASSES,)
    ),
    "coco": Layout(
        "COCO instances with run lengths", _coco_plane, _coco_finish, (_EIGHT_BITS,)
    ),
    "yolo": Layout(
        "YOLO-seg",
        _yolo_plane,
        _yolo_finish,
        (
            _EIGHT_BITS,
            "Numbers of objects are not kept; they count from 1 when read again.",
            "Pieces and holes of an object are joined by lines without width.",
        ),
    ),
    "imagej": Layout(
        "ImageJ ROIs beside TIFF images",
        _imagej_plane,
        _nothing,
        (
            "Numbers of objects stand in the names of the ROIs only.",
            "Parts (train, val, test) are in this file only.",
        ),
    ),
    "cellpose": Layout(
        "Cellpose training folders",
        _cellpose_plane,
        _nothing,
        (
            _NO_CLASSES,
            "Objects are numbered anew, without gaps.",
            "Cellpose knows train and test; val is for whoever wants it.",
        ),
    ),
    "stardist": Layout(
        "StarDist training folders",
        _stardist_plane,
        _nothing,
        (_NO_CLASSES, "StarDist knows train and test; val is for its validation."),
    ),
}
"""Layouts of planes, by name; OME-Zarr, which keeps stacks whole, is `exporting`'s."""
