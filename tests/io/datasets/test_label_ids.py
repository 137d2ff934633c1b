"""Labels with the large ids that other programs give: no object lost, none merged."""

from __future__ import annotations

from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest
import tifffile

from napari_gen2seg.io.annotated import LARGEST, as_labels
from napari_gen2seg.io.datasets.catalog import open_dataset
from napari_gen2seg.metrics.click_protocol import object_labels


def with_ids(first: int, second: int, dtype: type) -> np.ndarray:
    labels = np.zeros((20, 30), dtype)
    labels[2:8, 3:12] = first
    labels[10:18, 15:28] = second
    return labels


@pytest.mark.parametrize(
    ("first", "second", "dtype"),
    [
        (7, 2**32 + 7, np.uint64),  # one and the same in 32 bits
        (5, 2**32 - 1, np.uint32),  # -1, unknown, in 32 signed bits
        (2**40, 2**41, np.int64),  # 0, background, in 32 bits
        (1, 2_000_000_000, np.int32),  # fits, but nobody can count up to it
    ],
)
def test_large_ids_of_a_folder(
    tmp_path: Path, first: int, second: int, dtype: type
) -> None:
    for name in ("images", "labels"):
        (tmp_path / name).mkdir()
    iio.imwrite(tmp_path / "images" / "a.png", np.zeros((20, 30), np.uint8))
    tifffile.imwrite(tmp_path / "labels" / "a.tif", with_ids(first, second, dtype))
    content = open_dataset(tmp_path).items[0].read()
    np.testing.assert_array_equal(content.labels, with_ids(1, 2, np.int32))
    assert content.areas == {1: 54, 2: 104}


def test_large_ids_of_an_ome_zarr(tmp_path: Path) -> None:
    zarr = pytest.importorskip("zarr")
    root = zarr.open_group(tmp_path / "x.zarr", mode="w", zarr_format=2)
    labels = root.create_group("labels")
    labels.attrs["labels"] = ["cells"]
    image = np.zeros((20, 30), np.uint8)
    truth = with_ids(3, 2**32 + 3, np.uint64)
    for group, array in ((root, image), (labels.create_group("cells"), truth)):
        group.create_array("0", data=array)
        scales = {"axes": [{"name": n} for n in "yx"], "datasets": [{"path": "0"}]}
        group.attrs["multiscales"] = [scales]
    content = open_dataset(tmp_path / "x.zarr").items[0].read()
    assert content.areas == {1: 54, 2: 104}


def test_ordinary_ids_stay_as_they_are() -> None:
    labels = with_ids(4, LARGEST, np.int64)
    labels[0] = -1
    labels[1] = -(2**40)
    wanted = labels.clip(-1)
    np.testing.assert_array_equal(as_labels(labels), wanted)
    labels[19, 29] = LARGEST + 1
    assert np.unique(as_labels(labels)).tolist() == [-1, 0, 1, 2, 3]
    assert as_labels(np.array([[True, False]])).tolist() == [[1, 0]]


def test_objects_to_click_with_large_ids() -> None:
    assert object_labels(with_ids(1, 2_000_000_000, np.int32)) == [1, 2_000_000_000]
