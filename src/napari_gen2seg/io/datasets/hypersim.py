"""Hypersim, the indoor scenes that the published models were trained on.

Layout, with instances recoloured as the paper's training expects them::

    rgb/SCENE/images/scene_CAMERA_final_preview/frame.NNNN.color.jpg
    instance-rgb/SCENE/images/scene_CAMERA_geometry_hdf5/frame.NNNN.png
    metadata_images_split_scene_v1.csv         optional, from the data set's toolkit

Every colour of a frame is an instance, black is background. Frames without instances
on disk are left out. Sources: the toolkit of github.com/apple/ml-hypersim for names
and split, the paper's data preparation for the two folders.
"""

from __future__ import annotations

import csv
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_gen2seg.errors import DataError
from napari_gen2seg.io.annotated import Annotated, AnnotatedSource, Dataset
from napari_gen2seg.io.formats.images import plane_of, read_picture

SPLIT_NAME = "metadata_images_split_scene_v1.csv"
_IMAGES, _TRUTHS = "final_preview", "geometry_hdf5"


def hypersim(root: Path, split: str | None = None) -> Dataset:
    """Open Hypersim; see the module for the layout.

    Parameters
    ----------
    root
        Holds ``rgb/`` and ``instance-rgb/``.
    split
        ``train``, ``val`` or ``test`` of the split file, which then must be in
        ``root``; ``all`` takes every frame. By default ``train`` where the file is
        there, else ``all``.

    Raises
    ------
    DataError
        If there are no frames, or no split file although one is needed.
    """
    listed = _listed(root / SPLIT_NAME, split)
    items = []
    for truth in sorted(root.glob(f"instance-rgb/*/images/scene_*_{_TRUTHS}/*.png")):
        scene, folder = truth.parts[-4], truth.parent.name
        camera = folder.removeprefix("scene_").removesuffix(f"_{_TRUTHS}")
        number = truth.name.split(".")[1] if truth.name.count(".") > 1 else ""
        image = (
            root / "rgb" / scene / "images" / f"scene_{camera}_{_IMAGES}"
            / f"frame.{number}.color.jpg"
        )  # fmt: skip
        if not number.isdigit() or not image.is_file():
            continue
        if listed is not None and (scene, camera, int(number)) not in listed:
            continue
        items.append(
            AnnotatedSource(f"{scene}/{camera}/{number}", partial(_read, image, truth))
        )
    if not items:
        raise DataError(
            f"{root} holds no frames of Hypersim{f' ({split})' if split else ''}; it "
            "must have rgb/SCENE/images/scene_CAMERA_final_preview/frame.NNNN.color.jpg"
            " and instance-rgb/SCENE/images/scene_CAMERA_geometry_hdf5/frame.NNNN.png."
        )
    return Dataset(f"hypersim-{split or ('train' if listed else 'all')}", tuple(items))


def numbered(colors: npt.NDArray[Any], source: Path) -> npt.NDArray[np.int32]:
    """Turn an image whose colors stand for instances into labels.

    Parameters
    ----------
    colors
        uint8 (H, W, 3); black is background.
    source
        For messages.

    Returns
    -------
    numpy.ndarray
        int32 (H, W), objects 1, 2, ... in rising order of their colours.

    Raises
    ------
    DataError
        If it is no 8-bit colour picture.
    """
    if colors.ndim != 3 or colors.shape[2] < 3 or colors.dtype != np.uint8:
        raise DataError(
            f"{source} has the shape {colors.shape} and type {colors.dtype}; it must "
            "be an 8-bit color picture, a color an instance."
        )
    wide = colors[..., :3].astype(np.int32)
    packed = (wide[..., 0] << 16) | (wide[..., 1] << 8) | wide[..., 2]
    names, index = np.unique(packed, return_inverse=True)
    # Without any black, the first colour is an object as well.
    first = 0 if names[0] == 0 else 1
    labels: npt.NDArray[np.int32] = (index.reshape(packed.shape) + first).astype(
        np.int32
    )
    return labels


def _read(image: Path, truth: Path) -> Annotated:
    return Annotated(
        plane_of(read_picture(image)), numbered(plane_of(read_picture(truth)), truth)
    )


def _listed(source: Path, split: str | None) -> set[tuple[str, str, int]] | None:
    """Return the (scene, camera, frame) of a split; None for every frame."""
    if split == "all" or (split is None and not source.is_file()):
        return None
    if not source.is_file():
        raise DataError(
            f"The split {split!r} was asked for, but {source} is not there. Copy it "
            "from the data set's toolkit, or ask for 'all'."
        )
    with source.open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    try:
        found = {
            (row["scene_name"], row["camera_name"], int(row["frame_id"]))
            for row in rows
            if row["included_in_public_release"] == "True"
            and row["split_partition_name"] == (split or "train")
        }
    except (KeyError, ValueError, TypeError) as error:
        raise DataError(
            f"{source} is not Hypersim's split file ({error!r}); it must have the "
            "columns scene_name, camera_name, frame_id, included_in_public_release and "
            "split_partition_name."
        ) from error
    if not found:
        raise DataError(f"{source} has no split {split!r}; it has train, val and test.")
    return found
