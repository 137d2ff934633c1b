"""Annotated pictures in every layout that is read, on small trees of that layout."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.io import savemat
from skimage.io import imsave

from napari_gen2seg.errors import DataError
from napari_gen2seg.io.annotated import Annotated, Dataset, from_masks
from napari_gen2seg.io.datasets.catalog import open_dataset
from napari_gen2seg.io.formats.coco import coco_dataset
from napari_gen2seg.io.formats.coco_masks import decode, runs_of
from napari_gen2seg.io.formats.writers import write_labels

RGB = np.arange(20 * 30 * 3, dtype=np.uint8).reshape(20, 30, 3)


def two_objects() -> np.ndarray:
    labels = np.zeros((20, 30), np.uint16)
    labels[2:8, 3:12] = 1
    labels[10:18, 15:28] = 300
    return labels


def picture(path: Path, array: np.ndarray = RGB) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    imsave(path, array, check_contrast=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "cells"
    for name, ending in (("b", "png"), ("a", "tif")):
        picture(root / "images" / f"{name}.png")
        write_labels(root / "labels" / f"{name}.{ending}", two_objects())
    return root


def test_folder_pairs_by_name_in_order(folder: Path) -> None:
    data = open_dataset(folder)
    assert data.name == "cells"
    assert [item.title for item in data.items] == ["a", "b"]
    for item in data.items:
        content = item.read()
        np.testing.assert_array_equal(content.labels, two_objects())
        assert content.areas == {1: 54, 300: 104}
        np.testing.assert_array_equal(content.mask(300), two_objects() == 300)


def test_folder_split_is_val_unless_named(folder: Path) -> None:
    (folder / "split.json").write_text(json.dumps({"train": ["a"], "val": ["b.png"]}))
    assert [item.title for item in open_dataset(folder).items] == ["b"]
    assert [i.title for i in open_dataset(folder, split="train").items] == ["a"]
    with pytest.raises(DataError, match="has no split 'test'"):
        open_dataset(folder, split="test")


def test_split_names_with_points_are_whole(tmp_path: Path) -> None:
    for name in ("exp.001", "exp.002", "exp.003"):
        picture(tmp_path / "images" / f"{name}.png")
        write_labels(tmp_path / "labels" / f"{name}.tif", two_objects())
    parts = {"val": ["exp.001", "exp.003.png"], "test": ["exp.002", "exp.4", "exp"]}
    (tmp_path / "split.json").write_text(json.dumps(parts))
    data = open_dataset(tmp_path, split="val")
    assert [item.title for item in data.items] == ["exp.001", "exp.003"]
    with pytest.raises(DataError, match=r"'test' of .* names exp, exp\.4, but"):
        open_dataset(tmp_path)


def test_endings_in_capitals(folder: Path) -> None:
    for path in (*folder.glob("images/*"), *folder.glob("labels/*")):
        path.rename(path.with_suffix(path.suffix.upper()))
    assert [item.read().areas for item in open_dataset(folder).items] == [
        {1: 54, 300: 104}
    ] * 2


def test_pictures_without_labels_are_left_out_with_a_word(folder: Path) -> None:
    (folder / "labels" / "a.tif").unlink()
    data = open_dataset(folder)
    assert "a" not in [item.title for item in data.items]
    assert data.notes == ("a.png: it has no labels and is left out.",)
    for path in (folder / "labels").iterdir():
        path.unlink()
    with pytest.raises(DataError, match=r"a\.png has no labels: .* No other"):
        open_dataset(folder)


def test_labels_of_another_size_are_refused(folder: Path) -> None:
    write_labels(folder / "labels" / "a.tif", np.ones((5, 5), np.uint8))
    with pytest.raises(DataError, match="must be equal"):
        open_dataset(folder).items[0].read()


def test_colour_labels_are_refused(folder: Path) -> None:
    (folder / "labels" / "a.tif").unlink()
    picture(folder / "labels" / "a.png")
    with pytest.raises(DataError, match="one plane of whole numbers"):
        open_dataset(folder).items[0].read()


def test_what_it_is_must_be_clear(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="has no images/ and no labels/;"):
        open_dataset(tmp_path)
    (tmp_path / "images").mkdir()
    with pytest.raises(DataError, match="has no labels/;"):
        open_dataset(tmp_path)
    (tmp_path / "a.txt").write_text("")
    with pytest.raises(DataError, match="is a file, but neither"):
        open_dataset(tmp_path / "a.txt")
    with pytest.raises(DataError, match="There is no"):
        open_dataset(tmp_path / "nowhere")
    with pytest.raises(DataError, match="must be one of"):
        open_dataset(tmp_path, kind="lvis")


def test_categories_need_data_that_have_them(folder: Path) -> None:
    with pytest.raises(DataError, match="have none"):
        open_dataset(folder, without=["car"])


@pytest.mark.parametrize(
    ("kind", "option", "words"),
    [
        ("coco-json", {"split": "val"}, "A split was named, but data of the kind coco"),
        ("ome-zarr", {"split": "val"}, "A split was named"),
        ("folder", {"images": "elsewhere"}, "A folder of images was named"),
        ("coco", {"images": "elsewhere"}, "A folder of images was named"),
        ("coco-json", {"labels": "cells"}, "A label image was named"),
    ],
)
def test_what_a_kind_does_not_know_is_refused(
    folder: Path, kind: str, option: dict[str, str], words: str
) -> None:
    with pytest.raises(DataError, match=words):
        open_dataset(folder, kind, **option)  # type: ignore[arg-type]


# COCO


def runs(mask: np.ndarray) -> list[int]:
    """Run lengths down the columns, starting with background."""
    flat = mask.T.ravel().astype(int)
    changes = np.flatnonzero(np.diff(flat)) + 1
    counts = np.diff([0, *changes, flat.size]).tolist()
    return [0, *counts] if flat[0] else counts


def coco_file(root: Path, masks: list[np.ndarray], where: str = "val2017") -> Path:
    picture(root / where / "000001.jpg")
    picture(root / where / "000002.jpg")
    height, width = RGB.shape[:2]
    entries: list[dict[str, Any]] = [
        {
            "id": n,
            "image_id": 1,
            "category_id": 1 + n % 2,
            "iscrowd": 0,
            "segmentation": {"size": [height, width], "counts": runs(mask)},
        }
        for n, mask in enumerate(masks, 1)
    ]
    entries.append(
        {
            "id": 99,
            "image_id": 2,
            "category_id": 1,
            "iscrowd": 0,
            "segmentation": [[2, 3, 10, 3, 10, 9, 2, 9]],
        }
    )
    content = {
        "images": [
            {"id": 1, "file_name": "000001.jpg", "height": height, "width": width},
            {"id": 2, "file_name": "000002.jpg", "height": height, "width": width},
        ],
        "annotations": entries,
        "categories": [{"id": 1, "name": "zebra"}, {"id": 2, "name": "car"}],
    }
    path = root / "annotations" / f"instances_{where}.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(content))
    return path


def overlapping() -> list[np.ndarray]:
    masks = [np.zeros(RGB.shape[:2], bool) for _ in range(3)]
    masks[0][0:9, 0:12] = True
    masks[1][5:14, 6:20] = True
    masks[2][16:, 25:] = True
    return masks


def test_coco_keeps_overlapping_objects_whole(tmp_path: Path) -> None:
    data = coco_dataset(coco_file(tmp_path, overlapping()))
    content = data.items[0].read()
    for number, mask in enumerate(overlapping(), 1):
        np.testing.assert_array_equal(content.mask(number), mask)
    assert content.labels[7, 8] == 2
    assert data.items[1].read().areas == {1: 48}  # 8 x 6 pixels of a polygon


def test_coco_published_layout_and_categories(tmp_path: Path) -> None:
    coco_file(tmp_path, overlapping())
    assert len(open_dataset(tmp_path, "coco")) == 2
    novel = open_dataset(tmp_path, "coco", without=["zebra"])
    assert [item.title for item in novel.items] == ["000001.jpg"]
    assert list(novel.items[0].read().areas.values()) == [108, 20]
    with pytest.raises(DataError, match="no category 'horse'"):
        open_dataset(tmp_path, "coco", categories=["horse"])


def test_coco_crowds_are_unknown(tmp_path: Path) -> None:
    path = coco_file(tmp_path, overlapping())
    content = json.loads(path.read_text())
    content["annotations"][2]["iscrowd"] = 1
    path.write_text(json.dumps(content))
    found = coco_dataset(path).items[0].read()
    assert list(found.areas) == [1, 2]
    np.testing.assert_array_equal(found.unknown, overlapping()[2])


def test_coco_pictures_must_be_somewhere(tmp_path: Path) -> None:
    path = coco_file(tmp_path, overlapping())
    (tmp_path / "val2017" / "000001.jpg").unlink()
    with pytest.raises(DataError, match="Name the folder"):
        coco_dataset(path)


@pytest.mark.parametrize(
    ("segmentation", "words"),
    [
        ({"size": [20, 30], "counts": [5]}, "cover 5 pixels"),
        ({"size": [30, 20], "counts": [600]}, "run lengths are for"),
        ([[1, 2, 3]], "at least"),
        ("mask.png", "must be a list"),
    ],
)
def test_damaged_segmentations_are_refused(segmentation: Any, words: str) -> None:
    with pytest.raises(DataError, match=words):
        decode(segmentation, 20, 30)


def test_run_lengths_cut_short_are_refused() -> None:
    with pytest.raises(DataError, match="in the middle"):
        runs_of(chr(48 + 32))


def test_decoding_agrees_with_pycocotools() -> None:
    coco_mask = pytest.importorskip("pycocotools.mask")
    rng = np.random.default_rng(0)
    for _ in range(20):
        height, width = (int(n) for n in rng.integers(5, 90, 2))
        mask = rng.random((height, width)) < rng.random()
        packed = coco_mask.encode(np.asfortranarray(mask.astype(np.uint8)))
        text = {"size": packed["size"], "counts": packed["counts"].decode()}
        np.testing.assert_array_equal(decode(text, height, width), mask)
        # Outlines: pycocotools traces them on a grid five times as fine, so that
        # single pixels of the rim differ.
        corners = rng.uniform(0, (width, height), (3, 2))
        polygon = [float(n) for n in corners.ravel()]
        theirs = coco_mask.decode(coco_mask.frPyObjects([polygon], height, width))
        ours = decode([polygon], height, width)
        apart = np.count_nonzero(ours != theirs[..., 0].astype(bool))
        assert apart <= 0.6 * np.abs(np.diff(corners, axis=0, append=corners[:1])).sum()


# The published sets


def test_pidray(tmp_path: Path) -> None:
    path = coco_file(tmp_path, overlapping(), "easy")
    path.rename(path.with_name("xray_test_easy.json"))
    data = open_dataset(tmp_path, "pidray")
    assert data.name == "pidray-easy"
    assert data.items[0].read().areas == {1: 108, 2: 126, 3: 20}


def test_ishape(tmp_path: Path) -> None:
    for subset in ("wire", "log"):
        picture(tmp_path / subset / "val" / "image" / "0.jpg")
        picture(tmp_path / subset / "val" / "instance_map" / "0.png", two_objects())
    data = open_dataset(tmp_path, "ishape")
    assert [item.title for item in data.items] == ["log/0", "wire/0"]
    assert list(data.items[0].read().areas) == [1, 300]


def test_egohos(tmp_path: Path) -> None:
    picture(tmp_path / "test_indomain" / "image" / "x_1.jpg")
    classes = (two_objects() > 0).astype(np.uint8) * 4
    picture(tmp_path / "test_indomain" / "label" / "x_1.png", classes)
    content = open_dataset(tmp_path, "egohos").items[0].read()
    assert content.areas == {4: 158}
    with pytest.raises(DataError, match="test_outdomain"):
        open_dataset(tmp_path, "egohos", split="test_outdomain")


def test_dram_regions_of_a_class_are_objects(tmp_path: Path) -> None:
    place = Path("realism") / "some-artist"
    picture(tmp_path / "test" / place / "boat.jpg")
    classes = (two_objects() > 0).astype(np.uint8) * 15
    classes[0] = 255
    picture(tmp_path / "labels" / place / "boat.png", classes)
    (item,) = open_dataset(tmp_path, "dram").items
    assert item.title == "realism/some-artist/boat"
    content = item.read()
    assert content.areas == {1: 54, 2: 104}
    assert content.unknown.sum() == 30


def test_bsds500(tmp_path: Path) -> None:
    root = tmp_path / "BSDS500" / "data"
    picture(root / "images" / "test" / "2018.jpg")
    people = np.empty((1, 2), object)
    edges = []
    for person in range(2):
        edge = np.zeros((20, 30), np.uint8)
        edge[:, 10 + person] = 1
        edges.append(edge)
        halves = np.ones((20, 30), np.uint16)
        halves[:, 10 + person :] = 2
        people[0, person] = {"Segmentation": halves, "Boundaries": edge}
    (root / "groundTruth" / "test").mkdir(parents=True)
    savemat(root / "groundTruth" / "test" / "2018.mat", {"groundTruth": people})
    content = open_dataset(tmp_path, "bsds500").items[0].read()
    assert len(content.boundaries) == 2
    for found, edge in zip(content.boundaries, edges, strict=True):
        np.testing.assert_array_equal(found, edge.astype(bool))
    assert content.areas == {1: 200, 2: 400}


def test_bsds500_damaged(tmp_path: Path) -> None:
    picture(tmp_path / "images" / "test" / "1.jpg")
    (tmp_path / "groundTruth" / "test").mkdir(parents=True)
    savemat(tmp_path / "groundTruth" / "test" / "1.mat", {"other": np.zeros(3)})
    with pytest.raises(DataError, match="ground truth of BSDS500"):
        open_dataset(tmp_path, "bsds500").items[0].read()


# OME-Zarr


@pytest.mark.parametrize("version", [2, 3])
def test_ome_zarr_planes_with_objects(tmp_path: Path, version: Any) -> None:
    zarr = pytest.importorskip("zarr")
    root = zarr.open_group(tmp_path / "stack.zarr", mode="w", zarr_format=version)
    image = np.random.default_rng(0).integers(0, 900, (2, 3, 20, 30), np.uint16)
    truth = np.zeros((3, 20, 30), np.uint16)
    truth[2] = two_objects()

    def write(group: Any, array: np.ndarray, axes: str) -> None:
        group.create_array("0", data=array)
        scales = [
            {"axes": [{"name": name} for name in axes], "datasets": [{"path": "0"}]}
        ]
        facts = {"multiscales": scales}
        group.attrs.update({"ome": facts} if version == 3 else facts)

    write(root, image, "czyx")
    labels = root.create_group("labels")
    listed = {"labels": ["cells"]}
    labels.attrs.update({"ome": listed} if version == 3 else listed)
    write(labels.create_group("cells"), truth, "zyx")

    data = open_dataset(tmp_path / "stack.zarr")
    assert data.name == "stack.zarr:cells"
    (item,) = data.items  # planes without objects are left out
    assert item.title == "z=2"
    content = item.read()
    np.testing.assert_array_equal(content.image, np.moveaxis(image[:, 2], 0, -1))
    np.testing.assert_array_equal(content.labels, truth[2])
    with pytest.raises(DataError, match="with labels"):
        open_dataset(tmp_path / "stack.zarr", labels="nuclei")


def test_ome_zarr_without_labels(tmp_path: Path) -> None:
    zarr = pytest.importorskip("zarr")
    zarr.open_group(tmp_path / "plain.zarr", mode="w")
    with pytest.raises(DataError, match="could not be read as an OME-Zarr"):
        open_dataset(tmp_path / "plain.zarr")


def test_ome_zarr_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "x.zarr").mkdir()
    monkeypatch.setitem(__import__("sys").modules, "zarr", None)
    with pytest.raises(DataError, match=r"napari-gen2seg\[zarr\]"):
        open_dataset(tmp_path / "x.zarr")


# Values


def test_names_are_unique() -> None:
    item = from_masks(RGB, [])
    reader = lambda: item  # noqa: E731
    from napari_gen2seg.io.annotated import AnnotatedSource

    with pytest.raises(DataError, match="more than once"):
        Dataset("twice", (AnnotatedSource("a", reader), AnnotatedSource("a", reader)))
    with pytest.raises(DataError, match="no annotated pictures"):
        Dataset("none", ())


def test_unknown_object() -> None:
    with pytest.raises(DataError, match="no object 7"):
        Annotated(RGB, two_objects().astype(np.int32)).mask(7)
