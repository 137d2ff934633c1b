"""Label files of any known format -> a project's labels."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from napari_gen2seg.common.progress import Cancel, Progress, check_cancel, report
from napari_gen2seg.common.text import names_text
from napari_gen2seg.common.types import LabelArray
from napari_gen2seg.errors import DataError
from napari_gen2seg.io.formats.cellpose import SEG_ENDING, read_seg
from napari_gen2seg.io.formats.imagej_roi import ROI_ENDINGS, read_rois
from napari_gen2seg.io.formats.labels import LABEL_ENDINGS, read_labels
from napari_gen2seg.io.formats.yolo import read_yolo, yolo_classes
from napari_gen2seg.io.objects import ImageObjects
from napari_gen2seg.project.item import Item
from napari_gen2seg.project.journal import Act, Patch
from napari_gen2seg.project.origin import Origin
from napari_gen2seg.project.project import Project

Read = tuple[LabelArray, dict[int, str], int]
"""Labels, object -> class name, pixels of objects that lie under others."""
Reader = Callable[[tuple[int, ...]], Read]
"""Given the shape that labels must have."""

_MARKS = (
    "_seg",
    "_cp_masks",
    "_masks",
    "_mask",
    "-labels",
    "_labels",
    "_label",
    "-rois",
    "_rois",
    "_RoiSet",
    "-masks",
)
"""What programs put behind an image's name."""


@dataclass(frozen=True, eq=False)
class ImportedLabels:
    """Labels for one image, on their way in.

    Attributes
    ----------
    stem
        Name of the image they are for, without its ending.
    read
        Reads them: given the shape of the labels, returns the labels, object -> class
        name, and pixels hidden under other objects, which are lost.
    source
        Where they come from, for messages.
    """

    stem: str
    read: Reader
    source: str


@dataclass(frozen=True)
class Imported:
    """What an import did.

    Attributes
    ----------
    images
        Image -> how many objects it got.
    unmatched
        Label files for which the project has no image.
    notes
        What somebody should be told, as sentences.
    """

    images: dict[str, int]
    unmatched: tuple[str, ...]
    notes: tuple[str, ...]


def import_labels(
    project: Project,
    source: str | Path,
    *,
    overwrite: bool = False,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
) -> Imported:
    """Take labels that were made elsewhere into a project.

    Images are told by name: ``cells.tif`` takes ``cells.png``, ``cells_masks.tif``,
    ``cells_seg.npy``, ``cells-rois.zip`` and the like.

    Parameters
    ----------
    project
        Has the images already; see `Project.add`.
    source
        A label image (TIFF, PNG, NPY), a ``_seg.npy`` of Cellpose, ImageJ ROIs (zip), a
        COCO json, a folder of a YOLO-seg data set, an OME-Zarr with labels, or a
        folder of such files.
    overwrite
        Replace labels that are there; else images that have some are left out.
    progress, cancel
        Told of, and asked before, each file; what was taken in stays.

    Returns
    -------
    Imported
        What was done.

    Raises
    ------
    DataError, StorageError
        If something cannot be read, or fits no image at all.
    Cancelled
        If `cancel` said so.
    """
    place = Path(source).expanduser()
    if not place.exists():
        raise DataError(f"There is no {place}. Check its name and folder.")
    items = {item.name: item for item in project.items}
    stems = {_stem(item): item for item in items.values()}
    done: dict[str, int] = {}
    unmatched, notes = [], []
    names: set[str] = set()
    for found in _found(place):
        check_cancel(cancel, "Importing")
        report(progress, None, found.source)
        item = stems.get(found.stem)
        if item is None:
            unmatched.append(found.source)
            continue
        work = item.work()
        if work.image.path == Path(found.source).absolute():
            continue  # the image itself, beside its labels
        if work.labels().any() and not overwrite:
            notes.append(
                f"{item.name} has labels already and was left as it is; replace them "
                "with --overwrite, or overwrite=True."
            )
            continue
        count, classes, hidden = _take(item, found)
        done[item.name] = count
        names |= set(classes.values()) | set(work.state.classes.values())
        if hidden:
            notes.append(
                f"{item.name}: {hidden} pixels of objects lie under others; labels "
                "hold one object a pixel, so these were lost."
            )
    if not done and not notes:
        images = names_text(sorted(stems), 5)
        raise DataError(
            f"{place} has no labels for an image of the project. They are told by "
            f"name: the project has {images or 'none yet'}, the labels are "
            f"{names_text(unmatched, 5) or 'of no format that is read here'}."
        )
    project.with_class_names(sorted(names))
    return Imported(done, tuple(unmatched), tuple(notes))


def _take(item: Item, found: ImportedLabels) -> tuple[int, dict[int, str], int]:
    """Record the labels of one image."""
    with item.journal() as journal:
        before = journal.labels()
        after, classes, hidden = found.read(before.shape)
        if after.shape != before.shape:
            raise DataError(
                f"The labels in {found.source} are {after.shape} but {item.name} is "
                f"{before.shape}; they must be equal."
            )
        after = after.astype(before.dtype)
        numbers = [int(n) for n in np.unique(after) if n > 0]
        gone = set(journal.state.origins) - set(numbers)
        origin = Origin("imported", settings={"from": Path(found.source).name})
        origins: dict[int, Origin | None] = dict.fromkeys(numbers, origin)
        origins |= dict.fromkeys(gone)
        known = {n: classes.get(n) for n in {*classes, *journal.state.classes}}
        patch = Patch.from_windows(before, after)
        journal.record(Act("import", patch, origins, classes=known))
    return len(numbers), classes, hidden


def _found(place: Path) -> Iterator[ImportedLabels]:
    """Look through a file or folder."""
    name = place.name.lower()
    if place.is_dir():
        if place.suffix.lower() == ".zarr" or (place / "zarr.json").is_file():
            yield _of_zarr(place)
        elif any(place.rglob("labels/**/*.txt")):
            yield from _of_yolo(place)
        else:
            for one in _label_files(place):
                yield from _found(one)
    elif name.endswith(".json"):
        yield from _of_coco(place)
    else:
        read = _reader(place)
        if read is not None:
            yield ImportedLabels(_plain(place), read, str(place))


def _reader(path: Path) -> Reader | None:
    """Return what reads a file with the labels of one image; None of another kind."""
    if path.name.lower().endswith(SEG_ENDING):
        return lambda _shape: _numbers(read_seg(path))
    if path.suffix.lower() in ROI_ENDINGS:
        return lambda shape: _rois(path, shape)
    if path.suffix.lower() in LABEL_ENDINGS:
        return lambda shape: _numbers(_label_image(path, shape))
    return None


def _label_files(folder: Path) -> list[Path]:
    """List what may be labels; of ``a.tif`` and ``a_masks.tif`` only the latter."""
    files = [one for one in sorted(folder.iterdir()) if _may_be_labels(one)]
    marked = {
        _plain(one)
        for one in files
        if _plain(one) != one.stem or one.suffix.lower() in ROI_ENDINGS
    }
    return [
        one
        for one in files
        if one.stem not in marked or one.suffix.lower() in ROI_ENDINGS
    ]


def _may_be_labels(path: Path) -> bool:
    if path.name.startswith(".") or path.is_dir():
        return path.suffix.lower() == ".zarr"
    return path.suffix.lower() in (*LABEL_ENDINGS, *ROI_ENDINGS)


def _numbers(labels: LabelArray) -> Read:
    return np.maximum(labels, 0), {}, 0


def _label_image(path: Path, shape: tuple[int, ...]) -> LabelArray:
    """Read labels of a plane by the one reader of labels, of a stack as they are."""
    if len(shape) == 2:
        return read_labels(path)
    from napari_gen2seg.io.annotated import as_labels
    from napari_gen2seg.io.formats.images import open_numbers

    picture = open_numbers(path)
    array, axes = picture.array, picture.axes
    if axes.endswith("C"):  # planes that were taken for colors
        array = np.moveaxis(array, -1, 0)
    wanted = tuple(n for n in shape if n != 1)
    if array.dtype.kind not in "bui" or np.squeeze(array).shape != wanted:
        raise DataError(
            f"{path} has the shape {array.shape} and type {array.dtype}; it must hold "
            f"whole numbers of the shape {shape}."
        )
    return as_labels(array.reshape(shape))


def _rois(path: Path, shape: tuple[int, ...]) -> Read:
    """Paint the ROIs of an image or, plane by plane, of a stack."""
    height, width = shape[-2:]
    planes = read_rois(path, (height, width))
    labels = np.zeros((int(np.prod(shape[:-2])), height, width), np.int32)
    classes: dict[int, str] = {}
    hidden = highest = 0
    for place, objects in sorted(planes.items()):
        if place >= len(labels):
            raise DataError(
                f"{path} has an outline on plane {place + 1}; the image has "
                f"{len(labels)}."
            )
        painted, under = objects.labels()
        labels[place] = np.where(painted > 0, painted + highest, 0)
        classes |= {number + highest: name for number, name in objects.classes.items()}
        highest += len(objects.objects)
        hidden += under
    return labels.reshape(shape), classes, hidden


def _of_objects(
    stem: str, source: str, read: Callable[[tuple[int, int]], ImageObjects]
) -> ImportedLabels:
    """Labels of formats that have one plane only."""

    def paint(shape: tuple[int, ...]) -> Read:
        if int(np.prod(shape[:-2])) != 1:
            raise DataError(
                f"{source} has objects of one plane, but {stem} is a stack of the "
                f"shape {shape}. Import labels as TIFF, OME-Zarr or ImageJ ROIs."
            )
        objects = read((shape[-2], shape[-1]))
        labels, hidden = objects.labels()
        return labels.reshape(shape), objects.classes, hidden

    return ImportedLabels(stem, paint, source)


def _of_yolo(folder: Path) -> Iterator[ImportedLabels]:
    classes = yolo_classes(folder)
    for path in sorted(folder.rglob("labels/**/*.txt")):
        yield _of_objects(
            path.stem,
            str(path),
            lambda shape, path=path: read_yolo(path, shape, classes),  # type: ignore[misc]
        )


def _of_coco(path: Path) -> Iterator[ImportedLabels]:
    from napari_gen2seg.io.formats.coco import coco_objects

    for name, read in coco_objects(path):
        yield _of_objects(Path(name).stem, f"{path}: {name}", read)


def _of_zarr(path: Path) -> ImportedLabels:
    from napari_gen2seg.io.formats.omezarr import read_omezarr_labels

    return ImportedLabels(
        path.stem, lambda shape: _numbers(read_omezarr_labels(path, shape)), str(path)
    )


def _plain(path: Path) -> str:
    """Return the name of the image that a label file is for."""
    stem = path.stem
    for mark in _MARKS:
        if stem.endswith(mark) and stem != mark:
            return stem.removesuffix(mark)
    return stem


def _stem(item: Item) -> str:
    """Return the name that label files of an image begin with."""
    image = item.work().image
    return item.name if image.path is None else image.path.stem
