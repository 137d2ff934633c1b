"""Virtual KITTI 2, the street scenes that the published models were trained on.

Layout, as the archives ``vkitti_2.0.3_rgb`` and ``vkitti_2.0.3_instanceSegmentation``
unpack::

    SceneXX/WEATHER/frames/rgb/Camera_N/rgb_NNNNN.jpg
    SceneXX/WEATHER/frames/instanceSegmentation/Camera_N/instancegt_NNNNN.png

The truth is an indexed PNG: the index is the vehicle's track number plus one, 0 is
everything else. Only vehicles are labelled, so that everything else is unknown.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np

from napari_gen2seg.errors import DataError
from napari_gen2seg.io.annotated import Annotated, AnnotatedSource, Dataset
from napari_gen2seg.io.formats.images import plane_of, read_picture
from napari_gen2seg.io.formats.labels import read_labels


def virtual_kitti(root: Path, split: str = "all") -> Dataset:
    """Open Virtual KITTI 2; see the module for the layout.

    Parameters
    ----------
    root
        Holds the folders ``SceneXX``.
    split
        The set has no split of its own: ``all``, or one scene such as ``Scene20``.

    Raises
    ------
    DataError
        If there are no frames.
    """
    scenes = "Scene*" if split == "all" else split
    items = []
    for truth in sorted(
        root.glob(f"{scenes}/*/frames/instanceSegmentation/Camera_*/instancegt_*.png")
    ):
        camera, frames = truth.parent.name, truth.parents[2]
        number = truth.stem.removeprefix("instancegt_")
        image = frames / "rgb" / camera / f"rgb_{number}.jpg"
        if image.is_file():
            place = "/".join([*frames.parts[-3:-1], camera, number])
            items.append(AnnotatedSource(place, partial(_read, image, truth)))
    if not items:
        raise DataError(
            f"{root} holds no frames of Virtual KITTI 2 ({split}); it must have "
            f"{scenes}/WEATHER/frames/rgb/Camera_N/rgb_NNNNN.jpg and .../"
            "instanceSegmentation/Camera_N/instancegt_NNNNN.png."
        )
    return Dataset(f"virtual-kitti-{split}", tuple(items))


def _read(image: Path, truth: Path) -> Annotated:
    index = read_labels(truth)
    return Annotated(plane_of(read_picture(image)), np.where(index == 0, -1, index))
