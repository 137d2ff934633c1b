"""TIFFs with named axes: seen by `evaluate` and `finetune` as by `segment`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from napari_gen2seg.cli.inputs import read_plane
from napari_gen2seg.core.image.rgb import RgbRecipe, to_rgb
from napari_gen2seg.errors import ImageError
from napari_gen2seg.io.datasets.catalog import open_dataset
from napari_gen2seg.io.formats.writers import write_labels
from napari_gen2seg.train.data.labeled_images import PairSpec, read_pairs


def folder_with(root: Path, array: np.ndarray, **options: Any) -> Path:
    """Write a picture of 64 x 96 pixels, and labels for it."""
    (root / "images").mkdir()
    image = root / "images" / "a.tif"
    tifffile.imwrite(image, array, **options)
    labels = np.zeros((64, 96), np.uint8)
    labels[10:30, 20:50] = 1
    write_labels(root / "labels" / "a.tif", labels)
    return image


def noise(*shape: int, dtype: type = np.uint16) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 255, shape).astype(dtype)


@pytest.mark.parametrize(
    ("array", "options", "wanted"),
    [
        (noise(3, 64, 96), {"imagej": True, "metadata": {"axes": "CYX"}}, (1, 2, 0)),
        (noise(2, 64, 96), {"ome": True, "metadata": {"axes": "CYX"}}, (1, 2, 0)),
        (noise(64, 96, 3, dtype=np.float32), {}, (0, 1, 2)),  # axes not named
        (noise(64, 96), {"imagej": True, "metadata": {"axes": "YX"}}, (0, 1)),
    ],
)
def test_channels_are_channels_everywhere(
    tmp_path: Path, array: np.ndarray, options: Any, wanted: tuple[int, ...]
) -> None:
    image = folder_with(tmp_path, array, photometric="minisblack", **options)
    # Three channels of a microscope would be taken for one color picture.
    seen = array.transpose(wanted)
    if array.shape[0] == 3:
        seen = to_rgb(seen, RgbRecipe(joint=False))
    np.testing.assert_array_equal(read_plane(image, None, None), seen)
    content = open_dataset(tmp_path).items[0].read()
    np.testing.assert_array_equal(content.image, seen)
    spec = PairSpec(str(image), str(tmp_path / "labels" / "a.tif"))
    (pair,), _ = read_pairs((spec,))
    np.testing.assert_array_equal(pair.read().image, to_rgb(seen))


def test_several_planes_are_named_by_their_axes(tmp_path: Path) -> None:
    options = {"imagej": True, "metadata": {"axes": "TCYX"}}
    image = folder_with(tmp_path, noise(5, 2, 64, 96), **options)
    with pytest.raises(ImageError, match="5 along T; it must hold one plane"):
        open_dataset(tmp_path).items[0].read()
    with pytest.raises(ImageError, match="5 along T; it must hold one plane"):
        read_pairs((PairSpec(str(image), str(tmp_path / "labels" / "a.tif")),))
