"""Pictures as scanners, printers and labelling programs write them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from napari_gen2seg import Coloring
from napari_gen2seg.cli.outputs import write_coloring
from napari_gen2seg.errors import StorageError
from napari_gen2seg.io.datasets.catalog import open_dataset
from napari_gen2seg.io.formats.images import read_picture

SLOPE = np.linspace(0, 255, 64 * 96).reshape(64, 96)
RGB = np.stack([SLOPE, SLOPE[::-1], SLOPE[:, ::-1]], -1).astype(np.uint8)


def test_a_large_png_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Image.fromarray(RGB).save(tmp_path / "a.png")
    # Twice of Pillow's limit is refused, here as at 179 million pixels.
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    np.testing.assert_array_equal(read_picture(tmp_path / "a.png").array, RGB)
    assert Image.MAX_IMAGE_PIXELS == 100


@pytest.mark.parametrize("ending", ["jpg", "tif"])
def test_four_inks_are_not_a_negative(tmp_path: Path, ending: str) -> None:
    inks = Image.fromarray(RGB).convert("CMYK")
    inks.save(tmp_path / f"a.{ending}")
    found = read_picture(tmp_path / f"a.{ending}")
    assert found.axes == "YXC"
    assert np.abs(found.array.astype(int) - RGB).mean() < 4


def test_black_ink_and_sixteen_bits(tmp_path: Path) -> None:
    inks = np.random.default_rng(0).integers(0, 256, (64, 96, 4), np.uint8)
    wanted = np.asarray(Image.fromarray(inks, "CMYK").convert("RGB"))
    tifffile.imwrite(tmp_path / "a.tif", inks, photometric="separated")
    np.testing.assert_array_equal(read_picture(tmp_path / "a.tif").array, wanted)
    planes = np.moveaxis(inks, -1, 0).astype(np.uint16) * 257
    options = {"photometric": "separated", "planarconfig": "separate"}
    tifffile.imwrite(tmp_path / "b.tif", planes, **options)
    found = read_picture(tmp_path / "b.tif").array
    assert found.dtype == np.uint16
    assert np.abs(found / 257 - wanted).max() < 0.6


@pytest.mark.parametrize("kind", ["folder", "egohos"])
def test_labels_in_an_indexed_png_are_its_index(tmp_path: Path, kind: str) -> None:
    places = {"folder": ("images", "labels"), "egohos": ("t/image", "t/label")}[kind]
    images, labels = (tmp_path / place for place in places)
    images.mkdir(parents=True)
    labels.mkdir()
    Image.fromarray(RGB).save(images / "a.png")
    index = np.zeros((64, 96), np.uint8)
    index[4:12, 2:9] = 1
    index[10:20, 20:30] = 84
    picture = Image.fromarray(index, "P")
    # Two numbers share a colour, which must not join their objects.
    picture.putpalette(bytes(3) + bytes([77]) * 765)
    picture.save(labels / "a.png")
    split = None if kind == "folder" else "t"
    content = open_dataset(tmp_path, kind, split).items[0].read()
    assert content.areas == {1: 56, 84: 100}


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    coloring = Coloring.from_array(RGB.astype(np.float32))
    with pytest.raises(StorageError, match="could not be made"):
        write_coloring(tmp_path / "file" / "deeper" / "map.tif", coloring)
