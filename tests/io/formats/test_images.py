"""Real files: what goes in comes out, and what is wrong is said."""

from __future__ import annotations

import resource
from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest
import tifffile

from napari_gen2seg.common.atomic import writing
from napari_gen2seg.errors import ImageError, StorageError
from napari_gen2seg.io.formats.images import read_picture
from napari_gen2seg.io.formats.writers import write_labels, write_rgb

GRAY = np.arange(20 * 30, dtype=np.uint16).reshape(20, 30) * 100
RGB = np.random.default_rng(0).integers(0, 255, (20, 30, 3), np.uint8)


def test_grey_and_rgb_come_back_unchanged(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "g.tif", GRAY)
    iio.imwrite(tmp_path / "g.png", GRAY)
    tifffile.imwrite(tmp_path / "c.tif", RGB, photometric="rgb")
    iio.imwrite(tmp_path / "c.png", RGB)
    for name, wanted, axes in [
        ("g.tif", GRAY, "YX"),
        ("g.png", GRAY, "YX"),
        ("c.tif", RGB, "YXC"),
        ("c.png", RGB, "YXC"),
    ]:
        picture = read_picture(tmp_path / name)
        np.testing.assert_array_equal(picture.array, wanted)
        assert picture.array.dtype == wanted.dtype
        assert picture.axes == axes


def test_transparency_is_dropped(tmp_path: Path) -> None:
    alpha = np.full((20, 30, 1), 128, np.uint8)
    iio.imwrite(tmp_path / "a.png", np.concatenate([RGB, alpha], axis=2))
    picture = read_picture(tmp_path / "a.png")
    np.testing.assert_array_equal(picture.array, RGB)


@pytest.mark.parametrize(
    ("shape", "options", "axes"),
    [
        ((4, 20, 30), {}, "ZYX"),
        ((3, 2, 20, 30), {"imagej": True, "metadata": {"axes": "ZCYX"}}, "ZCYX"),
        ((5, 3, 20, 30), {"ome": True, "metadata": {"axes": "TZYX"}}, "TZYX"),
    ],
)
def test_axes_of_stacks(
    tmp_path: Path, shape: tuple[int, ...], options: dict[str, object], axes: str
) -> None:
    stack = np.random.default_rng(1).integers(0, 999, shape).astype(np.uint16)
    tifffile.imwrite(tmp_path / "s.tif", stack, photometric="minisblack", **options)
    picture = read_picture(tmp_path / "s.tif")
    assert picture.axes == axes
    np.testing.assert_array_equal(picture.array, stack)


@pytest.mark.parametrize("ending", [".tif", ".png"])
def test_labels_round_trip(tmp_path: Path, ending: str) -> None:
    labels = np.zeros((20, 30), np.int32)
    labels[2:5, 3:9] = 7
    labels[8:9, :] = 40_000
    write_labels(tmp_path / f"l{ending}", labels)
    back = read_picture(tmp_path / f"l{ending}").array
    assert back.dtype == np.uint16
    np.testing.assert_array_equal(back, labels)


def test_large_label_numbers_need_tiff(tmp_path: Path) -> None:
    labels = np.zeros((20, 30), np.int64)
    labels[0, 0] = 70_000
    write_labels(tmp_path / "l.tif", labels)
    assert read_picture(tmp_path / "l.tif").array[0, 0] == 70_000
    with pytest.raises(ImageError, match=r"Write a \.tif"):
        write_labels(tmp_path / "l.png", labels)


def test_mask_is_black_and_white(tmp_path: Path) -> None:
    write_labels(tmp_path / "m.png", np.eye(20, dtype=bool))
    assert set(np.unique(iio.imread(tmp_path / "m.png"))) == {0, 255}


def test_what_cannot_be_read_is_said(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="There is no file"):
        read_picture(tmp_path / "none.tif")
    with pytest.raises(StorageError, match="is a folder"):
        read_picture(tmp_path)
    (tmp_path / "film.avi").write_bytes(b"RIFF")
    with pytest.raises(ImageError, match="which is not read here"):
        read_picture(tmp_path / "film.avi")
    (tmp_path / "broken.tif").write_bytes(b"II*\0garbage")
    (tmp_path / "broken.png").write_bytes(b"not a picture at all")
    for name in ("broken.tif", "broken.png"):
        with pytest.raises(StorageError, match=f"{name} is not a picture") as told:
            read_picture(tmp_path / name)
        assert "backend" not in str(told.value)
    whole = tmp_path / "whole.png"
    iio.imwrite(whole, np.random.default_rng(0).integers(0, 255, (99, 99), np.uint8))
    (tmp_path / "cut.png").write_bytes(whole.read_bytes()[:3000])
    with pytest.raises(StorageError, match=r"cut\.png"):
        read_picture(tmp_path / "cut.png")


def test_wrong_ending_names_the_right_ones(tmp_path: Path) -> None:
    for write in (write_labels, write_rgb):
        with pytest.raises(ImageError, match=r"must end in \.tif or \.png"):
            write(tmp_path / "x.jpg", RGB[..., 0])


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    target = tmp_path / "keep.txt"
    target.write_text("old")
    with pytest.raises(RuntimeError), writing(target) as draft:
        draft.write_text("half")
        raise RuntimeError("power cut")
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_limit_on_file_size_reads_as_storage_error(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 2**16, (400, 400)).astype(np.uint16)
    import signal

    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        with pytest.raises(StorageError, match="Could not write"):
            write_labels(tmp_path / "big.tif", noise)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_in_the_way_is_said(tmp_path: Path) -> None:
    (tmp_path / "l.tif").mkdir()
    with pytest.raises(StorageError, match="give the name of a file"):
        write_labels(tmp_path / "l.tif", np.zeros((8, 8), np.uint8))
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match=r"is a file, not a folder|exists"):
        write_labels(tmp_path / "file" / "l.tif", np.zeros((8, 8), np.uint8))


def test_files_get_ordinary_permissions(tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.write_text("")
    write_labels(tmp_path / "deeper" / "l.tif", np.ones((8, 8), np.uint8))
    written = (tmp_path / "deeper" / "l.tif").stat()
    assert written.st_mode == plain.stat().st_mode
