"""A colouring map is a value: where it came from, saved whole or not at all."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile

from napari_gen2seg.core.coloring import Coloring
from napari_gen2seg.core.image.geometry import rescale
from napari_gen2seg.errors import ImageError, PromptError, StorageError

RNG = np.random.default_rng(1)
VALUES = RNG.uniform(0, 255, (12, 18, 3)).astype(np.float32)


def made(**facts: object) -> Coloring:
    return Coloring.from_array(VALUES, source_shape=(120, 180), **facts)


def test_values_are_kept_and_cannot_change() -> None:
    given = VALUES.copy()
    coloring = Coloring.from_array(given)
    given[:] = 0
    np.testing.assert_array_equal(coloring.values, VALUES)
    with pytest.raises(ValueError, match="read-only"):
        coloring.values[0] = 0
    assert coloring.source_shape == coloring.shape == (12, 18)


def test_the_key_covers_pixels_and_facts() -> None:
    changed = VALUES.copy()
    changed[0, 0, 0] = 255 - changed[0, 0, 0]
    keys = {
        made().key,
        made(model_id="other").key,
        made(revision="abc").key,
        made(resolution=512).key,
        made(source_key="x").key,
        Coloring.from_array(VALUES).key,
        Coloring.from_array(changed, source_shape=(120, 180)).key,
    }
    assert len(keys) == 7
    assert made().key == made().key


def test_rounding_to_8_bits() -> None:
    coloring = Coloring.from_array(np.full((2, 2, 3), 254.6))
    assert (coloring.as_rgb8() == 255).all()


@pytest.mark.parametrize("shape", [(120, 180), (7, 5), (12, 18), (1000, 31)])
def test_points_go_there_and_back(shape: tuple[int, int]) -> None:
    coloring = Coloring.from_array(VALUES, source_shape=shape)
    points = RNG.uniform(0, 1, (20, 2)) * shape
    there = coloring.to_coloring(points)
    np.testing.assert_allclose(rescale(there, coloring.shape, shape), points, atol=1e-9)
    # The picture's corners are the map's corners: half a pixel out of centre.
    np.testing.assert_allclose(coloring.to_coloring([-0.5, -0.5]), [-0.5, -0.5])
    np.testing.assert_allclose(
        coloring.to_coloring(np.asarray(shape) - 0.5), [11.5, 17.5]
    )


def test_saved_and_loaded_is_the_same(tmp_path: Path) -> None:
    coloring = made(model_id="m", revision="r", resolution=96, source_key="s")
    path = coloring.save(tmp_path / "map.tif")
    loaded = Coloring.load(path)
    np.testing.assert_array_equal(loaded.values, coloring.values)
    assert loaded.key == coloring.key
    assert (loaded.model_id, loaded.revision) == ("m", "r")
    assert loaded.source_shape == (120, 180)
    assert [path.name for path in tmp_path.iterdir()] == ["map.tif"]
    # Any other program sees a plain RGB picture.
    np.testing.assert_array_equal(tifffile.imread(path), coloring.values)


def test_further_maps_are_kept_and_change_the_key(tmp_path: Path) -> None:
    more = np.concatenate([VALUES[::-1], VALUES[:, ::-1]], axis=-1)
    coloring = made(extra_maps=more)
    assert coloring.key != made().key
    assert coloring.extra_maps is not None and not coloring.extra_maps.flags.writeable
    loaded = Coloring.load(coloring.save(tmp_path / "map.tif"))
    np.testing.assert_array_equal(loaded.extra_maps, coloring.extra_maps)
    np.testing.assert_array_equal(loaded.values, coloring.values)
    assert loaded.key == coloring.key


@pytest.mark.parametrize("more", [VALUES[:-1], VALUES[..., :2], VALUES[0]])
def test_further_maps_must_fit_the_map(more: np.ndarray) -> None:
    with pytest.raises(ImageError, match="shape"):
        made(extra_maps=more)


def test_a_further_map_tells_apart_what_the_first_does_not() -> None:
    first = np.full((20, 40, 3), 120, np.float32)
    other = first.copy()
    other[:, 20:] = 240
    alone = Coloring.from_array(first).probe([(10, 10)]).full()
    both = Coloring.from_array(first, extra_maps=other).probe([(10, 10)]).full()
    assert alone.all()
    assert both[:, :20].all() and not both[:, 21:].any()


def test_another_program_reads_a_saved_map_without_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    coloring = made(
        image=np.zeros((12, 18, 3), np.uint8),
        brightness_image=np.zeros((120, 180), np.uint8),
    )
    path = coloring.save(tmp_path / "map.tif")
    np.testing.assert_array_equal(tifffile.imread(path), coloring.values)
    assert not caplog.records
    assert Coloring.load(path).key == coloring.key


def test_a_failed_save_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "map.tif"
    made(model_id="old").save(target)

    def full(stream: object, *args: object, **kwargs: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tifffile.TiffWriter, "write", full)
    with pytest.raises(StorageError, match="the disk is full"):
        made(model_id="new").save(target)
    monkeypatch.undo()
    assert Coloring.load(target).model_id == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["map.tif"]


def test_a_folder_that_does_not_exist_is_named() -> None:
    with pytest.raises(StorageError, match="/nowhere/at/all"):
        made().save("/nowhere/at/all/map.tif")


def test_what_is_no_map_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"missing\.tif"):
        Coloring.load(tmp_path / "missing.tif")
    (tmp_path / "text.tif").write_text("no picture")
    with pytest.raises(StorageError, match="no readable"):
        Coloring.load(tmp_path / "text.tif")
    tifffile.imwrite(tmp_path / "plain.tif", VALUES, photometric="rgb")
    with pytest.raises(StorageError, match="from_array"):
        Coloring.load(tmp_path / "plain.tif")


@pytest.mark.parametrize("keep", [0.3, 0.9])
def test_a_cut_file_is_noticed(tmp_path: Path, keep: float) -> None:
    path = made().save(tmp_path / "map.tif")
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * keep)])
    with pytest.raises(StorageError):
        Coloring.load(path)


def test_a_changed_file_is_noticed(tmp_path: Path) -> None:
    path = made().save(tmp_path / "map.tif")
    content = bytearray(path.read_bytes())
    content[-1] ^= 1  # the lowest bits of the last value
    content[-3] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(StorageError):
        Coloring.load(path)


@pytest.mark.parametrize(
    ("values", "says"),
    [
        (np.zeros((4, 4)), "rows, columns, 3"),
        (np.zeros((4, 4, 4)), "rows, columns, 3"),
        (np.zeros((0, 4, 3)), "at least one pixel"),
        (np.full((4, 4, 3), np.nan), "NaN"),
        (np.full((4, 4, 3), 300.0), "0..255"),
        (np.full((4, 4, 3), -2.0), "0..255"),
        (np.full((4, 4, 3), "a"), "type"),
    ],
)
def test_what_cannot_be_a_map_is_named(values: np.ndarray, says: str) -> None:
    with pytest.raises(ImageError, match=says):
        Coloring.from_array(values)


@pytest.mark.parametrize(
    ("points", "signs", "says"),
    [
        ([], None, "no click"),
        ([(3, 500)], None, "column 500"),
        ([(-1, 3)], None, "row -1"),
        ([(120, 3)], None, "outside"),
        ([(3, 3)], [-1], "negative"),
        ([(3, 3)], [2], "signs"),
        ([(3, 3)], [1, 1], "1 clicks and 2 signs"),
        ([(1, 3, 3)], None, "shape"),
        ("there", None, "pairs of numbers"),
        ([(3, 3), (3, 3)], [1, -1], "taken back"),
        ([(float("nan"), 3)], None, "outside"),
    ],
)
def test_clicks_that_make_no_sense_are_named(
    points: object, signs: object, says: str
) -> None:
    with pytest.raises(PromptError, match=says):
        made().probe(points, signs)


def test_former_names_are_understood(tmp_path: Path) -> None:
    path = Path(__file__).parents[1] / "data" / "coloring_saved_before_renames.tif"
    loaded = Coloring.load(path)
    assert loaded.black_background and loaded.uses_brightness
    assert loaded.extra_maps is not None and loaded.extra_maps.shape[2] == 4
    assert loaded.brightness_image is not None
    again = Coloring.from_array(
        loaded.values,
        loaded.source_shape,
        model_id=loaded.model_id,
        revision=loaded.revision,
        source_key=loaded.source_key,
        resolution=loaded.resolution,
        diameter=loaded.diameter,
        on_black=True,
        more=loaded.extra_maps,
        picture=loaded.brightness_image,
    )
    assert again.key == loaded.key
    saved = again.save(tmp_path / "again.tif")
    assert Coloring.load(saved).key == loaded.key
