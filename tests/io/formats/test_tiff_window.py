"""A window of a TIFF is what the whole plane has there, and only its tiles are read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from napari_gen2seg.errors import StorageError
from napari_gen2seg.io.formats.images import read_picture

RNG = np.random.default_rng(0)
GRAY = RNG.integers(0, 60000, (300, 410)).astype(np.uint16)
COLOR = RNG.integers(0, 255, (300, 410, 3)).astype(np.uint8)
STACK = RNG.integers(0, 60000, (3, 300, 410)).astype(np.uint16)
TILES: dict[str, Any] = {"tile": (64, 96), "compression": "zlib"}


@pytest.mark.parametrize(
    ("array", "options"),
    [
        (GRAY, TILES),
        (GRAY, {"rowsperstrip": 37, "compression": "lzw"}),
        (GRAY, {"rowsperstrip": 37, "compression": "zlib", "predictor": True}),
        (GRAY, {}),
        (COLOR, {**TILES, "photometric": "rgb"}),
        (COLOR, {"tile": (64, 64), "photometric": "rgb", "compression": "jpeg"}),
        (STACK, {**TILES, "photometric": "minisblack", "metadata": {"axes": "ZYX"}}),
        (COLOR[..., 0], {**TILES, "photometric": "miniswhite"}),
    ],
)
def test_windows(tmp_path: Path, array: np.ndarray, options: dict[str, Any]) -> None:
    tifffile.imwrite(tmp_path / "a.tif", array, **options)
    image = read_picture(tmp_path / "a.tif")
    plane = (1,) if image.axes == "ZYX" else ()
    whole = image.window(plane)
    for window in (np.s_[30:200, 50:333], np.s_[:, :], np.s_[296:, 409:]):
        part = image.part(plane, window)
        assert part is not None
        np.testing.assert_array_equal(part, whole[window])


def test_what_is_decoded_whole(tmp_path: Path) -> None:
    tifffile.imwrite(
        tmp_path / "a.tif", np.moveaxis(COLOR, -1, 0), planarconfig="separate",
        photometric="rgb", **TILES,
    )  # fmt: skip
    assert read_picture(tmp_path / "a.tif").part((), np.s_[:9, :9]) is None


def test_only_what_is_needed_is_read(tmp_path: Path) -> None:
    """A tile that is damaged is no trouble for a window beside it."""
    tifffile.imwrite(tmp_path / "a.tif", GRAY, **TILES)
    with tifffile.TiffFile(tmp_path / "a.tif") as file:
        page = file.pages[0]
        start, count = page.dataoffsets[0], page.databytecounts[0]
    with (tmp_path / "a.tif").open("r+b") as stream:
        stream.seek(start)
        stream.write(b"\xff" * count)
    image = read_picture(tmp_path / "a.tif")
    part = image.part((), np.s_[100:200, 100:200])
    assert part is not None
    np.testing.assert_array_equal(part, GRAY[100:200, 100:200])
    with pytest.raises(StorageError, match=r"a\.tif"):
        image.part((), np.s_[:10, :10])
