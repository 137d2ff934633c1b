"""The data sets of the gen2seg paper, in the layouts in which they are published.

Each loader says where its layout was read. Nothing is downloaded here: the sets have
terms of their own, and whoever has them points at them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
from skimage.measure import label as components

from napari_gen2seg.errors import DataError
from napari_gen2seg.io.annotated import Annotated, AnnotatedSource, Dataset
from napari_gen2seg.io.datasets.hypersim import hypersim
from napari_gen2seg.io.datasets.pairs import image_files
from napari_gen2seg.io.datasets.virtual_kitti import virtual_kitti
from napari_gen2seg.io.formats.coco import coco_dataset
from napari_gen2seg.io.formats.images import plane_of, read_picture
from napari_gen2seg.io.formats.labels import read_labels

VOC_UNLABELED = 255


def coco(
    root: Path,
    split: str = "val2017",
    categories: Collection[str] | None = None,
    without: Collection[str] = (),
) -> Dataset:
    """COCO: ``annotations/instances_SPLIT.json`` and ``SPLIT/``.

    Layout: cocodataset.org. ``categories`` or ``without`` choose the novel classes,
    those that a model's training data does not show.
    """
    return coco_dataset(
        root / "annotations" / f"instances_{split}.json",
        root / split,
        name=f"coco-{split}",
        categories=categories,
        without=without,
    )


def pidray(
    root: Path,
    split: str = "easy",
    categories: Collection[str] | None = None,
    without: Collection[str] = (),
) -> Dataset:
    """PIDRay: ``annotations/xray_test_SPLIT.json`` and ``SPLIT/``.

    ``split`` is ``easy``, ``hard``, ``hidden`` (the three test sets) or ``train``
    (``annotations/xray_train.json``). Layout: configurations of public detectors
    trained on it.
    """
    stem = "xray_train" if split == "train" else f"xray_test_{split}"
    return coco_dataset(
        root / "annotations" / f"{stem}.json",
        root / split,
        name=f"pidray-{split}",
        categories=categories,
        without=without,
    )


def ishape(root: Path, split: str = "val") -> Dataset:
    """iShape: ``SUBSET/SPLIT/image/`` with ``SUBSET/SPLIT/instance_map/``.

    Six subsets (antenna, branch, fence, hanger, log, wire); the maps are 16-bit PNG,
    a number an instance, 0 background. Layout: README of the data set.
    """
    items: list[AnnotatedSource] = []
    for subset in sorted(path.parent for path in root.glob(f"*/{split}")):
        folder = subset / split
        items += _pairs(
            folder / "image", folder / "instance_map", f"{subset.name}/", read_labels
        )
    return _dataset(f"ishape-{split}", items, root, f"SUBSET/{split}/image")


def egohos(root: Path, split: str = "test_indomain") -> Dataset:
    """EgoHOS: ``SPLIT/image/`` (.jpg) with ``SPLIT/label/`` (.png).

    Categories 1-2 are the hands, 3-8 what they touch; each category of a picture is one
    object. Layout: README of github.com/owenzlz/EgoHOS.
    """
    folder = root / split
    items = _pairs(folder / "image", folder / "label", "", read_labels)
    return _dataset(f"egohos-{split}", items, root, f"{split}/image")


def dram(root: Path, split: str = "test") -> Dataset:
    """DRAM: ``SPLIT/MOVEMENT/ARTIST/NAME.jpg``, ``labels/.../NAME.png``.

    The labels are classes of PASCAL VOC (255 unlabelled), not instances: each connected
    region (8-neighbours) of a class counts as one object, so two touching people are
    one. Layout: loader of github.com/Nadavc220/SemanticSegmentationInArtPaintings.
    """
    items = []
    for path in sorted((root / "labels").rglob("*.png")):
        place = path.relative_to(root / "labels").with_suffix("")
        image = root / split / place.parent / f"{place.name}.jpg"
        if image.is_file():
            items.append(
                AnnotatedSource(
                    place.as_posix(), partial(_read, image, path, _class_regions)
                )
            )
    return _dataset(f"dram-{split}", items, root, f"{split}/MOVEMENT and labels/")


def bsds500(root: Path, split: str = "test") -> Dataset:
    """BSDS500: ``images/SPLIT/NAME.jpg``, ``groundTruth/SPLIT/NAME.mat``.

    ``root`` is the folder ``BSDS500/data`` of the archive, or one above. Each person's
    ``Boundaries`` count for edges; the first one's ``Segmentation`` gives the objects.
    Layout: the archive BSR of the Berkeley benchmark.
    """
    for place in (root, root / "data", root / "BSDS500" / "data"):
        if (place / "groundTruth" / split).is_dir():
            root = place
            break
    items = []
    for path in sorted((root / "groundTruth" / split).glob("*.mat")):
        image = root / "images" / split / f"{path.stem}.jpg"
        items.append(AnnotatedSource(path.stem, partial(_read_bsds, image, path)))
    return _dataset(f"bsds500-{split}", items, root, f"groundTruth/{split}")


LOADERS: dict[str, Callable[..., Dataset]] = {
    "coco": coco,
    "pidray": pidray,
    "ishape": ishape,
    "egohos": egohos,
    "dram": dram,
    "bsds500": bsds500,
    "hypersim": hypersim,
    "virtual-kitti": virtual_kitti,
}
"""Name -> loader: root folder, and optionally a split."""


def _dataset(
    name: str, items: list[AnnotatedSource], root: Path, wanted: str
) -> Dataset:
    if not items:
        raise DataError(
            f"{root} holds no pictures of {name}; it must have {wanted}. Name the root "
            "of the unpacked data set."
        )
    return Dataset(name, tuple(items))


def _pairs(
    images: Path,
    truths: Path,
    prefix: str,
    convert: Callable[[Path], npt.NDArray[np.int32]],
) -> list[AnnotatedSource]:
    """Pair images and truths of the same stem, whatever the ending."""
    found = {path.stem: path for path in image_files(images)} if images.is_dir() else {}
    return [
        AnnotatedSource(
            f"{prefix}{path.stem}", partial(_read, found[path.stem], path, convert)
        )
        for path in sorted(truths.glob("[!.]*.png"))
        if path.stem in found
    ]


def _read(
    image: Path,
    truth: Path,
    convert: Callable[[Path], npt.NDArray[np.int32]],
) -> Annotated:
    return Annotated(plane_of(read_picture(image)), convert(truth))


def _class_regions(truth: Path) -> npt.NDArray[np.int32]:
    classes = read_labels(truth)
    labels = components(
        np.where(classes == VOC_UNLABELED, 0, classes), connectivity=2
    ).astype(np.int32)
    labels[classes == VOC_UNLABELED] = -1
    return labels


def _read_bsds(image: Path, truth: Path) -> Annotated:
    from scipy.io import loadmat

    try:
        people = loadmat(truth, squeeze_me=False)["groundTruth"].ravel()
        entries = [person[0, 0] for person in people]
        boundaries = tuple(np.asarray(e["Boundaries"], bool) for e in entries)
        first = np.asarray(entries[0]["Segmentation"], np.int32)
    except Exception as error:  # a damaged .mat raises anything
        raise DataError(
            f"{truth} could not be read as a ground truth of BSDS500 ({error}); it "
            "must be a .mat file with groundTruth of Segmentation and Boundaries."
        ) from error
    return Annotated(plane_of(read_picture(image)), first, boundaries=boundaries)
