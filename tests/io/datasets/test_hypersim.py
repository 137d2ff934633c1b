"""The sets that the published models learnt from, on small trees of their layout."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage.io import imsave

from napari_gen2seg.errors import DataError
from napari_gen2seg.io.datasets.catalog import open_dataset
from napari_gen2seg.io.datasets.hypersim import SPLIT_NAME, numbered

RGB = np.arange(24 * 32 * 3, dtype=np.uint8).reshape(24, 32, 3)
HEADER = (
    "scene_name,camera_name,frame_id,included_in_public_release,exclude_reason,"
    "split_partition_name\n"
)


def save(path: Path, array: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    imsave(path, array, check_contrast=False)


def hypersim_frame(root: Path, scene: str, camera: str, number: int) -> np.ndarray:
    """Write a frame and its recoloured instances; returns the labels."""
    name = f"scene_{camera}"
    save(
        root / "rgb" / scene / "images" / f"{name}_final_preview"
        / f"frame.{number:04d}.color.jpg",
        RGB,
    )  # fmt: skip
    labels = np.zeros((24, 32), np.int32)
    labels[2:10, 3:12] = 1
    labels[12:20, 15:30] = 2
    colors = np.array([(0, 0, 0), (7, 200, 9), (200, 3, 4)], np.uint8)
    save(
        root / "instance-rgb" / scene / "images" / f"{name}_geometry_hdf5"
        / f"frame.{number:04d}.png",
        colors[labels],
    )  # fmt: skip
    return labels


@pytest.fixture
def hypersim(tmp_path: Path) -> Path:
    root = tmp_path / "hypersim"
    hypersim_frame(root, "ai_001_001", "cam_00", 0)
    hypersim_frame(root, "ai_001_001", "cam_01", 12)
    hypersim_frame(root, "ai_002_003", "cam_00", 7)
    return root


def test_hypersim_colours_become_objects(hypersim: Path) -> None:
    data = open_dataset(hypersim, "hypersim")
    assert [item.title for item in data.items] == [
        "ai_001_001/cam_00/0000",
        "ai_001_001/cam_01/0012",
        "ai_002_003/cam_00/0007",
    ]
    truth = data.items[1].read()
    assert truth.image.shape == (24, 32, 3)
    expected = hypersim_frame(hypersim, "ai_001_001", "cam_01", 12)
    np.testing.assert_array_equal(truth.labels, expected)
    assert not truth.unknown.any()


def test_hypersim_split_file_chooses_released_frames(hypersim: Path) -> None:
    (hypersim / SPLIT_NAME).write_text(
        HEADER
        + "ai_001_001,cam_00,0,True,,train\n"
        + "ai_001_001,cam_01,12,False,blurred,train\n"
        + "ai_002_003,cam_00,7,True,,val\n"
    )
    named = {
        split: [item.title for item in open_dataset(hypersim, "hypersim", split).items]
        for split in (None, "val", "all")
    }
    assert named[None] == ["ai_001_001/cam_00/0000"]
    assert named["val"] == ["ai_002_003/cam_00/0007"]
    assert len(named["all"]) == 3
    with pytest.raises(DataError, match="no split 'dev'"):
        open_dataset(hypersim, "hypersim", "dev")
    (hypersim / SPLIT_NAME).write_text("a,b\n1,2\n")
    with pytest.raises(DataError, match="not Hypersim's split file"):
        open_dataset(hypersim, "hypersim", "val")


def test_hypersim_needs_its_split_file_only_when_asked(hypersim: Path) -> None:
    with pytest.raises(DataError, match="is not there"):
        open_dataset(hypersim, "hypersim", "val")


def test_hypersim_frame_without_picture_is_left_out(hypersim: Path) -> None:
    next(hypersim.glob("rgb/ai_002_003/**/*.jpg")).unlink()
    assert len(open_dataset(hypersim, "hypersim")) == 2
    with pytest.raises(DataError, match="no frames of Hypersim"):
        open_dataset(hypersim / "rgb", "hypersim")


def test_without_black_every_colour_is_an_object() -> None:
    colors = np.full((4, 4, 3), 9, np.uint8)
    colors[:2] = 200
    labels = numbered(colors, Path("x.png"))
    assert sorted(np.unique(labels)) == [1, 2]
    with pytest.raises(DataError, match="8-bit color"):
        numbered(colors[..., 0], Path("x.png"))


@pytest.fixture
def streets(tmp_path: Path) -> Path:
    root = tmp_path / "vkitti"
    for scene, weather in (("Scene01", "clone"), ("Scene20", "fog")):
        frames = root / scene / weather / "frames"
        save(frames / "rgb" / "Camera_0" / "rgb_00003.jpg", RGB)
        index = np.zeros((24, 32), np.uint8)
        index[4:12, 2:9] = 1
        index[10:20, 20:30] = 84
        picture = Image.fromarray(index, mode="P")
        # Two numbers share a colour, which must not join their vehicles.
        palette = np.full((256, 3), 77, np.uint8)
        palette[0] = 0
        picture.putpalette(palette.tobytes())
        path = frames / "instanceSegmentation" / "Camera_0" / "instancegt_00003.png"
        path.parent.mkdir(parents=True)
        picture.save(path)
    return root


def test_streets_are_read_by_index_and_the_rest_is_unknown(streets: Path) -> None:
    data = open_dataset(streets, "virtual-kitti")
    assert [item.title for item in data.items] == [
        "Scene01/clone/Camera_0/00003",
        "Scene20/fog/Camera_0/00003",
    ]
    truth = data.items[0].read()
    assert truth.areas == {1: 56, 84: 100}
    assert truth.unknown.sum() == 24 * 32 - 156


def test_one_scene_of_the_streets(streets: Path) -> None:
    data = open_dataset(streets, "virtual-kitti", "Scene20")
    assert [item.title for item in data.items] == ["Scene20/fog/Camera_0/00003"]
    with pytest.raises(DataError, match="no frames of Virtual KITTI 2"):
        open_dataset(streets, "virtual-kitti", "Scene02")


def test_coloured_truth_of_the_streets_is_refused(streets: Path) -> None:
    save(next(streets.glob("Scene01/**/instancegt_*.png")), RGB)
    with pytest.raises(DataError, match="look like colors"):
        open_dataset(streets, "virtual-kitti").items[0].read()
