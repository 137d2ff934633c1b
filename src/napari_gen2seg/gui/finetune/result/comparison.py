"""What a run wrote about its held-back images: before, after, and the truth."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_gen2seg.core.coloring import Coloring
from napari_gen2seg.core.image.rgb import thumbnail
from napari_gen2seg.errors import Gen2SegError, StorageError
from napari_gen2seg.gui.finetune.data.image_view import SIZE, colored, outlined, shrunk
from napari_gen2seg.io.formats.images import read_picture
from napari_gen2seg.io.formats.labels import read_labels
from napari_gen2seg.jobs.training.past_runs import read_config
from napari_gen2seg.train.finetune.run_folder import COMPARE

Rgb8 = npt.NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Shown:
    """Images of one held-back image, each uint8 (h, w, 3) or None.

    Parameters
    ----------
    truth
        The picture with the outlines of its labels.
    maps, masks
        Before and after: colouring map, and objects that were found.
    """

    truth: Rgb8 | None
    maps: tuple[Rgb8 | None, Rgb8 | None]
    masks: tuple[Rgb8 | None, Rgb8 | None]


@dataclass(frozen=True, eq=False)
class Whole:
    """The same in full size, for layers.

    Parameters
    ----------
    image
        The picture as the model saw it.
    labels
        What was drawn.
    maps, masks
        Before and after.
    """

    image: npt.NDArray[Any]
    labels: npt.NDArray[Any]
    maps: tuple[Rgb8 | None, Rgb8 | None]
    masks: tuple[npt.NDArray[Any] | None, npt.NDArray[Any] | None]


def read_whole(folder: Path, name: str) -> Whole:
    """Read all about one held-back image, on any thread.

    Raises
    ------
    StorageError
        If the run folder does not hold it.
    """
    for pair in read_config(folder).get("pairs", ()):
        if pair.get("name") == name:
            break
    else:
        raise StorageError(f"The run {folder.name!r} has no picture {name!r}.")
    maps = [_map(folder / COMPARE / f"{name}-{when}.tif") for when in WHEN]
    masks = [_labels(folder / COMPARE / f"{name}-{when}-labels.tif") for when in WHEN]
    return Whole(
        read_picture(pair["image"]).plane(),
        read_labels(pair["labels"]),
        (maps[0], maps[1]),
        (masks[0], masks[1]),
    )


WHEN = ("before", "after")


def read_shown(folder: Path, name: str) -> Shown:
    """Read small images of one held-back image, on any thread."""
    whole = read_whole(folder, name)
    picture = thumbnail(whole.image, None, SIZE)
    shape = picture.shape[:2]
    maps = [None if one is None else _small(one) for one in whole.maps]
    masks = [
        None if one is None else colored(shrunk(one, shape)) for one in whole.masks
    ]
    truth = outlined(picture, whole.labels)
    return Shown(truth, (maps[0], maps[1]), (masks[0], masks[1]))


def _small(rgb: Rgb8) -> Rgb8:
    step = max(1, -(-max(rgb.shape[:2]) // SIZE))
    return rgb[::step, ::step]


def _map(path: Path) -> Rgb8 | None:
    try:
        return Coloring.load(path).as_rgb8()
    except Gen2SegError:
        return None


def _labels(path: Path) -> npt.NDArray[Any] | None:
    try:
        return read_labels(path)
    except Gen2SegError:
        return None
