"""Files of every depth, layout and interpretation: right pixels, or a named error."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image

from napari_gen2seg.core.image.rgb import RgbRecipe, to_rgb
from napari_gen2seg.errors import (
    DataError,
    Gen2SegError,
    ImageError,
    MemoryShortError,
    StorageError,
)
from napari_gen2seg.io.formats.images import plane_of, read_picture, usual_axes
from napari_gen2seg.io.formats.labels import read_labels

RNG = np.random.default_rng(0)
GRAY8 = RNG.integers(0, 256, (48, 64), np.uint8)
RGB8 = RNG.integers(0, 256, (48, 64, 3), np.uint8)
RGB16 = RNG.integers(0, 4096, (48, 64, 3), np.uint16)


def read(path: Path, **options: Any) -> np.ndarray:
    return plane_of(read_picture(path, **options))


# ---------------------------------------------------------------- what numbers mean


@pytest.mark.parametrize(
    ("array", "white"),
    [
        (GRAY8, 255),
        (RGB16[..., 0], 65535),
        (RGB16[..., 0].astype(np.int16), -1),
        ((GRAY8 / 255).astype(np.float32), 1),
    ],
)
def test_white_is_zero(tmp_path: Path, array: np.ndarray, white: int) -> None:
    tifffile.imwrite(tmp_path / "a.tif", array, photometric="miniswhite")
    found = read(tmp_path / "a.tif")
    assert found.dtype == array.dtype
    np.testing.assert_allclose(found, array.dtype.type(white) - array, atol=1e-6)
    if array.dtype.kind != "f":  # labels are what they are
        assert read_labels(tmp_path / "a.tif").max() == array.max()


def test_white_is_zero_of_one_bit(tmp_path: Path) -> None:
    black = np.zeros((16, 24), bool)
    black[4:9, 5:12] = True
    tifffile.imwrite(tmp_path / "a.tif", black, photometric="miniswhite")
    np.testing.assert_array_equal(read(tmp_path / "a.tif"), ~black)


@pytest.mark.parametrize(("stored", "bits"), [(np.uint8, 8), (np.uint16, 16)])
def test_palettes(tmp_path: Path, stored: type, bits: int) -> None:
    table = RNG.integers(0, 256, (3, 2**bits)).astype(np.uint16) * 257
    options = {"photometric": "palette", "colormap": table}
    tifffile.imwrite(tmp_path / "a.tif", GRAY8.astype(stored), **options)
    picture = read_picture(tmp_path / "a.tif")
    assert (picture.axes, picture.color) == ("YXC", True)
    wanted = (table >> 8).T[GRAY8]
    np.testing.assert_array_equal(plane_of(picture), wanted)
    np.testing.assert_array_equal(read_labels(tmp_path / "a.tif"), GRAY8)


def test_the_color_that_fiji_shows_a_channel_in_is_no_color(tmp_path: Path) -> None:
    green = np.zeros((3, 256), np.uint8)
    green[1] = np.arange(256)
    path = tmp_path / "a.tif"
    metadata = {"axes": "YX", "LUTs": [green]}
    tifffile.imwrite(path, GRAY8, imagej=True, metadata=metadata)
    np.testing.assert_array_equal(read(path), GRAY8)


def test_ycbcr_and_lab(tmp_path: Path) -> None:
    smooth = np.asarray(Image.fromarray(RGB8).resize((64, 48), box=(0, 0, 6, 6)))
    ycbcr = np.asarray(Image.fromarray(smooth).convert("YCbCr"))
    options = {"photometric": "ycbcr", "extratags": [(530, 3, 2, (1, 1), True)]}
    tifffile.imwrite(tmp_path / "y.tif", ycbcr, **options)
    assert np.abs(read(tmp_path / "y.tif").astype(int) - smooth).max() <= 3
    stored = Image.fromarray(smooth).convert("YCbCr")
    stored.save(tmp_path / "j.tif", compression="jpeg", quality=95)
    with tifffile.TiffFile(tmp_path / "j.tif") as file:
        assert file.pages[0].photometric == tifffile.PHOTOMETRIC.YCBCR
    assert np.abs(read(tmp_path / "j.tif").astype(int) - smooth).mean() < 4
    from skimage.color import rgb2lab

    lab = rgb2lab(smooth)
    stored = np.empty(smooth.shape, np.uint8)
    stored[..., 0] = np.rint(lab[..., 0] * 2.55)
    stored[..., 1:] = np.rint(lab[..., 1:]).astype(np.int8).view(np.uint8)
    tifffile.imwrite(tmp_path / "l.tif", stored, photometric="cielab")
    assert np.abs(read(tmp_path / "l.tif").astype(int) - smooth).mean() < 2
    stored[..., 1:] += 128
    tifffile.imwrite(tmp_path / "i.tif", stored, photometric="icclab")
    assert np.abs(read(tmp_path / "i.tif").astype(int) - smooth).mean() < 2


@pytest.mark.parametrize("orientation", [1, 2, 3, 4, 5, 6, 7, 8])
@pytest.mark.parametrize("kind", ["tif", "png", "jpg"])
def test_orientation(tmp_path: Path, orientation: int, kind: str) -> None:
    from PIL import ImageOps

    smooth = np.asarray(Image.fromarray(RGB8).resize((64, 48), box=(0, 0, 5, 5)))
    path = tmp_path / f"a.{kind}"
    exif = Image.Exif()
    exif[274] = orientation
    if kind == "tif":
        tifffile.imwrite(path, smooth, extratags=[(274, 3, 1, orientation, True)])
    else:
        Image.fromarray(smooth).save(path, exif=exif, quality=95)
    turned = Image.fromarray(smooth)
    turned.getexif()[274] = orientation
    wanted = np.asarray(ImageOps.exif_transpose(turned))
    picture = read_picture(path)
    assert picture.pixels.shape == wanted.shape
    assert np.abs(plane_of(picture).astype(int) - wanted).mean() < 3


# ------------------------------------------------------------ depth, alpha, layout


def test_png_of_16_bits_keeps_them(tmp_path: Path) -> None:
    import imagecodecs

    alpha = np.full((48, 64, 1), 65535, np.uint16)
    for name, stored, wanted in [
        ("rgb", RGB16, RGB16),
        ("rgba", np.concatenate([RGB16, alpha], 2), RGB16),
        ("la", np.concatenate([RGB16[..., :1], alpha], 2), RGB16[..., 0]),
        ("l", RGB16[..., 0], RGB16[..., 0]),
    ]:
        path = tmp_path / f"{name}.png"
        path.write_bytes(imagecodecs.png_encode(np.ascontiguousarray(stored)))
        found = read(path)
        assert found.dtype == np.uint16
        np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_png_of_every_mode(tmp_path: Path, mode: str) -> None:
    image = Image.fromarray(GRAY8).convert(mode) if mode != "I;16" else None
    image = image or Image.fromarray(RGB16[..., 0])
    image.save(tmp_path / "a.png")
    found = to_rgb(read(tmp_path / "a.png"))
    assert found.shape == (48, 64, 3) and found.std() > 0.1


@pytest.mark.parametrize("compression", [None, "zlib", "lzw", "zstd", "packbits"])
@pytest.mark.parametrize("tile", [None, (16, 16)])
@pytest.mark.parametrize("planar", ["contig", "separate"])
@pytest.mark.parametrize("big", [False, True])
def test_tiff_layouts(
    tmp_path: Path, compression: Any, tile: Any, planar: str, big: bool
) -> None:
    stored = RGB16 if planar == "contig" else np.moveaxis(RGB16, -1, 0)
    tifffile.imwrite(
        tmp_path / "a.tif", stored, photometric="rgb", planarconfig=planar,
        compression=compression, tile=tile, bigtiff=big,
        byteorder=">" if big else "<",
    )  # fmt: skip
    found = read(tmp_path / "a.tif")
    assert found.dtype == np.uint16
    np.testing.assert_array_equal(found, RGB16)


def test_alpha_of_tiffs_is_dropped(tmp_path: Path) -> None:
    alpha = np.full((48, 64, 1), 9, np.uint16)
    rgba = np.concatenate([RGB16, alpha], 2)
    options = {"photometric": "rgb", "extrasamples": ["unassalpha"]}
    tifffile.imwrite(tmp_path / "a.tif", rgba, **options)
    np.testing.assert_array_equal(read(tmp_path / "a.tif"), RGB16)
    tifffile.imwrite(
        tmp_path / "b.tif", rgba[..., 2:], photometric="minisblack",
        planarconfig="contig", extrasamples=["unassalpha"],
    )  # fmt: skip
    np.testing.assert_array_equal(read(tmp_path / "b.tif"), RGB16[..., 2])


@pytest.mark.parametrize("dtype", ["int8", "int16", "int32", "float16", "float64"])
def test_signed_and_float(tmp_path: Path, dtype: str) -> None:
    array = (GRAY8.astype(np.int32) - 100).clip(-128, 127).astype(dtype)
    tifffile.imwrite(tmp_path / "a.tif", array)
    found = to_rgb(read(tmp_path / "a.tif"))
    assert found.min() == 0 and found.max() == 1
    assert np.corrcoef(found[..., 0].ravel(), array.ravel())[0, 1] > 0.99


def test_no_data(tmp_path: Path) -> None:
    array = RNG.integers(1000, 2000, (48, 64)).astype(np.float32)
    array[:10] = -9999
    tifffile.imwrite(tmp_path / "a.tif", array, extratags=[(42113, 2, 6, "-9999", 1)])
    assert read(tmp_path / "a.tif").min() >= 1000
    array[:10] = np.nan
    tifffile.imwrite(tmp_path / "n.tif", array)
    np.testing.assert_array_equal(
        to_rgb(read(tmp_path / "n.tif")) > 0.5, to_rgb(read(tmp_path / "a.tif")) > 0.5
    )
    color = RGB8.clip(50, 200)
    color[:20] = 255
    tifffile.imwrite(tmp_path / "c.tif", color, extratags=[(42113, 2, 4, "255", 1)])
    np.testing.assert_allclose(to_rgb(read(tmp_path / "c.tif"))[20:], color[20:] / 255)
    labels = np.full((48, 64), 255, np.uint8)
    labels[5:30] = 3
    tifffile.imwrite(tmp_path / "l.tif", labels, extratags=[(42113, 2, 4, "255", 1)])
    assert set(np.unique(read_labels(tmp_path / "l.tif"))) == {-1, 3}


# ------------------------------------------------------ series, frames and channels


def test_frames_of_a_gif_are_planes(tmp_path: Path) -> None:
    frames = [Image.fromarray(np.roll(GRAY8, 9 * n, 0)) for n in range(3)]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    picture = read_picture(tmp_path / "a.gif")
    with pytest.raises(ImageError, match="3 along T"):
        plane_of(picture)
    np.testing.assert_array_equal(picture.plane((2,)), np.roll(GRAY8, 18, 0))


def test_images_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    with tifffile.TiffWriter(path) as file:
        file.write(GRAY8[::4, ::4])
        file.write(GRAY8)
        file.write(GRAY8[::2, ::2], subfiletype=1)
    picture = read_picture(path)
    np.testing.assert_array_equal(plane_of(picture), GRAY8)
    assert len(picture.notes) == 1 and "largest is read, 1: 48 x 64" in picture.notes[0]
    np.testing.assert_array_equal(read(path, series=0), GRAY8[::4, ::4])
    with pytest.raises(ImageError, match="has no image 7"):
        read_picture(path, 7)
    with tifffile.TiffWriter(tmp_path / "b.tif") as file:
        file.write(GRAY8)
        file.write(GRAY8[:40, :60])
    with pytest.raises(ImageError, match="say which one is meant: --series 1"):
        read_picture(tmp_path / "b.tif")


def test_a_plane_is_read_without_the_others(tmp_path: Path) -> None:
    stack = RNG.integers(0, 999, (7, 2, 48, 64)).astype(np.uint16)
    for name, options in [
        ("a", {"imagej": True, "metadata": {"axes": "ZCYX"}}),
        ("b", {"ome": True, "metadata": {"axes": "ZCYX"}, "compression": "zlib"}),
    ]:
        tifffile.imwrite(tmp_path / f"{name}.tif", stack, **options)
        picture = read_picture(tmp_path / f"{name}.tif")
        assert picture.axes == "ZCYX" and picture.color is False
        found = picture.plane((4,))
        np.testing.assert_array_equal(found, np.moveaxis(stack[4], 0, -1))
        np.testing.assert_array_equal(picture.array, stack)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("count", [3, 4, 5])
def test_channels_have_contrasts_of_their_own(
    tmp_path: Path, dtype: type, count: int
) -> None:
    bright = RNG.uniform(0, 200, (count, 48, 64))
    bright[2] /= 40  # a dim channel
    tifffile.imwrite(
        tmp_path / "a.tif", bright.astype(dtype), imagej=dtype != np.float32,
        metadata={"axes": "CYX"}, photometric="minisblack",
    )  # fmt: skip
    picture = read_picture(tmp_path / "a.tif")
    if dtype == np.float32:
        found = to_rgb(picture.plane(axes="CYX"))
    else:
        found = to_rgb(plane_of(picture))
    assert found[..., 2].max() == 1
    last = picture.plane(axes="CYX", recipe=RgbRecipe(channels=(count - 1, None, 0)))
    assert last[..., 0].max() == 1 and (last[..., 1] == 0).all()


def test_numpy_files(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", GRAY8[None])
    np.testing.assert_array_equal(read(tmp_path / "a.npy"), GRAY8)
    np.save(tmp_path / "l.npy", (GRAY8 > 99).astype(np.int64)[..., None])
    assert read_labels(tmp_path / "l.npy").max() == 1
    assert usual_axes((2, 5, 48, 64)) == "TZYX"
    pickled = np.empty((9, 9), object)
    pickled[:] = pickled
    np.save(tmp_path / "o.npy", np.array([[{}]], object), allow_pickle=True)
    with pytest.raises(StorageError):
        read_picture(tmp_path / "o.npy")
    for odd in (GRAY8.astype(complex), GRAY8.astype(str)):
        np.save(tmp_path / "c.npy", odd)
        with pytest.raises(ImageError, match="has the type"):
            to_rgb(read(tmp_path / "c.npy"))
        with pytest.raises(DataError, match="whole numbers"):
            read_labels(tmp_path / "c.npy")


# ------------------------------------------------------------------------- labels


def test_label_files(tmp_path: Path) -> None:
    labels = np.zeros((48, 64), np.int32)
    labels[4:20, 5:30] = 70_000
    labels[30:40, 5:30] = -1
    for name, stored in [
        ("a", labels),
        ("b", labels.astype(np.float64)),
        ("c", np.where(labels < 0, np.nan, labels).astype(np.float32)),
        ("d", labels[None, None]),
    ]:
        tifffile.imwrite(tmp_path / f"{name}.tif", stored, photometric="minisblack")
        np.testing.assert_array_equal(read_labels(tmp_path / f"{name}.tif"), labels)
    tifffile.imwrite(tmp_path / "f.tif", labels + 0.5)
    with pytest.raises(DataError, match=r"holds 0\.5; labels must be whole"):
        read_labels(tmp_path / "f.tif")
    tifffile.imwrite(tmp_path / "i.tif", np.where(labels > 0, np.inf, 0))
    with pytest.raises(DataError, match="holds inf"):
        read_labels(tmp_path / "i.tif")
    thrice = np.repeat((labels > 0).astype(np.uint8)[..., None], 3, -1)
    Image.fromarray(thrice).save(tmp_path / "t.png")
    assert read_labels(tmp_path / "t.png").max() == 1
    Image.fromarray(RGB8).save(tmp_path / "r.png")
    with pytest.raises(DataError, match="look like colors"):
        read_labels(tmp_path / "r.png")


def test_labels_that_a_compression_changed_are_refused(tmp_path: Path) -> None:
    labels = (GRAY8 > 99).astype(np.uint8)
    Image.fromarray(labels).save(tmp_path / "a.jpg")
    (tmp_path / "b.png").write_bytes((tmp_path / "a.jpg").read_bytes())
    tifffile.imwrite(tmp_path / "c.tif", labels, compression="jpeg")
    for name in ("a.jpg", "b.png", "c.tif"):
        with pytest.raises(DataError, match="stored as JPEG"):
            read_labels(tmp_path / name)


# ---------------------------------------------------------------- damaged and alien


def test_a_cut_off_file_is_never_half_read(tmp_path: Path) -> None:
    stack = RNG.integers(0, 255, (5, 48, 64), np.uint8)
    for name, options in [
        ("fiji", {"imagej": True}),
        ("ome", {"ome": True}),
        ("tiled", {"tile": (16, 16), "compression": "zlib"}),
        ("plain", {"metadata": None}),
    ]:
        path = tmp_path / f"{name}.tif"
        tifffile.imwrite(path, stack, photometric="minisblack", **options)
        whole = path.read_bytes()
        for share in (0.1, 0.4, 0.7, 0.95):
            path.write_bytes(whole[: int(len(whole) * share)])
            try:
                picture = read_picture(path)
                found = [picture.plane((n,)) for n in range(5)]
            except Gen2SegError:
                continue
            np.testing.assert_array_equal(found, stack)  # the end was not needed


def test_a_set_with_a_missing_file_gives_what_is_there(tmp_path: Path) -> None:
    source = Path(__file__).parents[2] / "data" / "cases" / "sibling-missing_z0.ome.tif"
    picture = read_picture(source)
    assert picture.plane((0,)).max() > 0
    with pytest.raises(StorageError, match=r"missing_z1\.ome\.tif is not there"):
        picture.plane((1,))
    with pytest.raises(StorageError, match="Plane 2 of 2"):
        _ = picture.array


def test_what_is_too_large_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, GRAY8, compression="zlib")
    with tifffile.TiffFile(path, mode="r+") as file:
        file.pages[0].tags["ImageWidth"].overwrite(2**31 - 1)
    with pytest.raises((MemoryShortError, StorageError)):
        plane_of(read_picture(path))


def test_what_no_reader_knows_names_a_package(tmp_path: Path) -> None:
    (tmp_path / "a.czi").write_bytes(b"ZISRAWFILE")
    with pytest.raises(ImageError, match="pip install bioio bioio-czi"):
        read_picture(tmp_path / "a.czi")


def test_a_reader_plugin_is_asked(tmp_path: Path) -> None:
    from npe2 import DynamicPlugin, PluginManager

    (tmp_path / "a.xyz1").write_bytes(bytes(9))
    stack = RNG.integers(0, 999, (2, 5, 48, 64)).astype(np.uint16)
    with DynamicPlugin("xyz-reader", plugin_manager=PluginManager.instance()) as plugin:

        @plugin.contribute.reader(filename_patterns=["*.xyz1"])
        def get_reader(path: str) -> Any:
            def function(path: str) -> Any:
                return [(stack, {"channel_axis": 0, "name": "cells"}, "image")]

            return function

        picture = read_picture(tmp_path / "a.xyz1")
        assert (picture.axes, picture.color) == ("CZYX", False)
        np.testing.assert_array_equal(
            picture.plane((3,)), np.moveaxis(stack[:, 3], 0, -1)
        )

    with DynamicPlugin("xyz-fails", plugin_manager=PluginManager.instance()) as plugin:

        @plugin.contribute.reader(filename_patterns=["*.xyz1"])
        def get_failing(path: str) -> Any:
            def function(path: str) -> Any:
                raise AssertionError("header")

            return function

        with pytest.raises(StorageError, match="header"):
            read_picture(tmp_path / "a.xyz1")


def test_ome_zarr_is_an_image(tmp_path: Path) -> None:
    zarr = pytest.importorskip("zarr")
    stack = RNG.integers(0, 999, (3, 4, 48, 64)).astype(np.uint16)
    group = zarr.open_group(tmp_path / "a.zarr", mode="w", zarr_format=2)
    group.create_array("0", data=stack)
    group.attrs["multiscales"] = [
        {
            "axes": [{"name": n} for n in "czyx"],
            "datasets": [{"path": "0"}],
            "version": "0.4",
        }
    ]
    picture = read_picture(tmp_path / "a.zarr")
    assert picture.axes == "CZYX"
    assert to_rgb(picture.plane((2,)))[..., 2].max() == 1
    group.attrs["multiscales"] = 3
    with pytest.raises(ImageError, match="multiscales"):
        read_picture(tmp_path / "a.zarr")


def test_nothing_is_printed(capfd: pytest.CaptureFixture[str]) -> None:
    refused = 0
    for path in (Path(__file__).parents[2] / "data" / "cases").glob("*.tif"):
        try:
            _ = read_picture(path).array
        except Gen2SegError:
            refused += 1
    assert refused
    assert capfd.readouterr().err == ""
