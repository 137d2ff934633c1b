"""Labels in and data sets out, read by the libraries of the programs they are for."""

from __future__ import annotations

import json
import os
import pickle
from pathlib import Path

import numpy as np
import pytest
import tifffile
from scipy import ndimage

from napari_gen2seg.errors import DataError, SettingsError, StorageError
from napari_gen2seg.io.datasets.catalog import open_dataset
from napari_gen2seg.io.formats.cellpose import read_seg
from napari_gen2seg.io.formats.writers import write_labels
from napari_gen2seg.project.exchange.exporting import EXPORTS, export_project
from napari_gen2seg.project.exchange.importing import import_labels
from napari_gen2seg.project.exchange.split import divide
from napari_gen2seg.project.facts import ObjectClass
from napari_gen2seg.project.journal import Act, Patch
from napari_gen2seg.project.origin import Origin
from napari_gen2seg.project.project import Project

SHAPE = (48, 64)
NAMES = ("a", "b", "c", "d")


def scene(seed: int, shape: tuple[int, ...] = SHAPE) -> np.ndarray:
    """Draw objects of odd shapes, some with holes and in pieces, numbers with gaps."""
    rng = np.random.default_rng(seed)
    smooth = ndimage.gaussian_filter(rng.random(shape), [0] * (len(shape) - 2) + [2, 2])
    labels, count = ndimage.label(smooth > np.quantile(smooth, 0.6))
    labels[labels == count] = 1  # in pieces
    labels[labels > 2] += 5
    return labels.astype(np.int32)


def image(seed: int, shape: tuple[int, ...] = SHAPE) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 60_000, shape).astype(np.uint16)


def with_labels(
    folder: Path, classes: bool = True
) -> tuple[Project, dict[str, np.ndarray]]:
    project = Project.create(folder / "project", "Cells")
    truth: dict[str, np.ndarray] = {}
    for seed, name in enumerate(NAMES):
        tifffile.imwrite(folder / f"{name}.tif", image(seed))
        item = project.add(folder / f"{name}.tif", group="slide" if seed < 2 else "")
        labels = scene(seed)
        truth[name] = labels
        numbers = np.unique(labels[labels > 0]).tolist()
        origins = {
            n: Origin("proposed" if n % 2 else "corrected", model="mini", revision="r1")
            for n in numbers
        }
        with item.journal() as journal:
            patch = Patch.from_windows(np.zeros_like(labels), labels)
            journal.record(Act("propose", patch, origins))
            if classes:
                names = {n: "big" if n % 3 else "small" for n in numbers}
                journal.record(Act("classes", classes=names))
            journal.record(Act("state", values={"state": "done"}))
    if classes:
        project = project.with_classes(
            [ObjectClass("small", key=1), ObjectClass("big", "#ff0000", 2)]
        )
    return project, truth


def empty_twin(folder: Path) -> Project:
    project = Project.create(folder / "twin")
    for name in NAMES:
        project.add(folder / f"{name}.tif")
    return project


def same_objects(one: np.ndarray, two: np.ndarray) -> None:
    """Say that two labels hold the same objects, whatever their numbers are."""
    np.testing.assert_array_equal(one > 0, two > 0)
    pairs = set(zip(one[one > 0].tolist(), two[two > 0].tolist(), strict=True))
    assert len(pairs) == len(np.unique(one[one > 0])) == len(np.unique(two[two > 0]))


def all_of(folder: Path, pattern: str) -> list[Path]:
    return sorted(folder.rglob(pattern))


@pytest.mark.parametrize("kind", EXPORTS)
def test_what_is_exported_can_be_imported(tmp_path: Path, kind: str) -> None:
    project, truth = with_labels(tmp_path)
    out = export_project(project, kind, tmp_path / "out")
    assert (out.images, out.objects) == (
        4,
        sum(len(np.unique(x)) - 1 for x in truth.values()),
    )
    text = (out.folder / "README.md").read_text()
    assert "mini (r1)" in text
    assert "slide" in text
    assert all(loss in text for loss in out.losses)
    twin = empty_twin(tmp_path)
    sources = {
        "tiff": ["labels"],
        "coco": all_of(out.folder, "instances_*.json"),
        "yolo": ["."],
        "imagej": ["."],
        "cellpose": ["train", "val", "test"],
        "stardist": [f"{p}/masks" for p in ("train", "val", "test")],
        "ome-zarr": all_of(out.folder, "*.zarr"),
    }[kind]
    done: dict[str, int] = {}
    for source in sources:
        if (out.folder / source).exists():
            found = import_labels(twin, out.folder / source)
            assert not found.notes
            done |= found.images
    assert set(done) == set(NAMES)
    for name, labels in truth.items():
        again = twin.item(name).labels()
        same_objects(again, labels)
        state = twin.item(name).work().state
        assert {o.who for o in state.origins.values()} == {"imported"}
        if kind in ("coco", "yolo", "imagej"):
            was = project.item(name).work().state.classes
            for number, kind_name in state.classes.items():
                (old,) = np.unique(labels[again == number])
                assert kind_name == was[int(old)]
            assert len(state.classes) == done[name]
            assert {one.name for one in Project.open(twin.folder).facts.classes} == {
                "big",
                "small",
            }
        if kind in ("tiff", "stardist", "ome-zarr"):
            np.testing.assert_array_equal(again, labels)


def test_groups_are_not_divided_and_parts_are_as_asked() -> None:
    groups = {f"{g}-{n}": f"g{g}" if g else "" for g in range(4) for n in range(10)}
    parts = divide(groups)
    assert parts == divide(dict(reversed(groups.items())))
    for group in ("g1", "g2", "g3"):
        assert len({parts[n] for n, g in groups.items() if g == group}) == 1
    counts = [list(parts.values()).count(p) for p in ("train", "val", "test")]
    assert counts[0] >= 26
    assert min(counts[1:]) >= 4
    assert set(divide(groups, (1, 0, 0)).values()) == {"train"}
    assert divide(groups, seed=1) != parts
    with pytest.raises(SettingsError, match="three numbers"):
        divide(groups, (0, 0, 0))


def test_coco_is_read_by_pycocotools(tmp_path: Path) -> None:
    coco_module = pytest.importorskip("pycocotools.coco")
    project, truth = with_labels(tmp_path)
    out = export_project(project, "coco", tmp_path / "out", shares=(1, 0, 0))
    coco = coco_module.COCO(str(out.folder / "annotations" / "instances_train.json"))
    assert {c["name"] for c in coco.loadCats(coco.getCatIds())} == {"small", "big"}
    for entry in coco.loadImgs(coco.getImgIds()):
        labels = truth[Path(entry["file_name"]).stem]
        painted = np.zeros(SHAPE, np.int32)
        for one in coco.loadAnns(coco.getAnnIds(entry["id"])):
            mask = coco.annToMask(one).astype(bool)
            assert one["area"] == mask.sum()
            painted[mask] = one["id"]
            col, row, width, height = one["bbox"]
            rows, cols = np.nonzero(mask)
            assert (rows.min(), cols.min()) == (row, col)
            assert (np.ptp(rows) + 1, np.ptp(cols) + 1) == (height, width)
        same_objects(painted, labels)


def test_imagej_rois_are_read_by_roifile(tmp_path: Path) -> None:
    roifile = pytest.importorskip("roifile")
    project, truth = with_labels(tmp_path)
    out = export_project(project, "imagej", tmp_path / "out")
    from skimage.draw import polygon2mask

    for name, labels in truth.items():
        rois = roifile.roiread(out.folder / f"{name}-rois.zip")
        assert len(rois) == len(np.unique(labels)) - 1
        for roi in rois:
            number = int(roi.name.split("-")[0])
            corners = roi.coordinates()[:, ::-1] - 0.5
            np.testing.assert_array_equal(
                polygon2mask(SHAPE, corners), labels == number
            )


def test_omezarr_is_read_by_ome_zarr(tmp_path: Path) -> None:
    reader = pytest.importorskip("ome_zarr.reader")
    io = pytest.importorskip("ome_zarr.io")
    project, truth = with_labels(tmp_path)
    out = export_project(project, "ome-zarr", tmp_path / "out", shares=(1, 0, 0))
    for name, labels in truth.items():
        place = out.folder / "train" / f"{name}.zarr"
        nodes = list(reader.Reader(io.parse_url(str(place)))())
        found = [np.asarray(node.data[0]) for node in nodes if node.data]
        assert any(np.array_equal(one, image(NAMES.index(name))) for one in found)
        assert any(np.array_equal(one, labels) for one in found)


def test_our_own_folders_are_read_by_evaluation(tmp_path: Path) -> None:
    project, truth = with_labels(tmp_path)
    out = export_project(project, "tiff", tmp_path / "out")
    split = json.loads((out.folder / "split.json").read_text())
    seen = 0
    for part, names in split.items():
        for source in open_dataset(out.folder, split=part).items:
            read = source.read()
            name = Path(source.title).stem
            assert name in names
            np.testing.assert_array_equal(read.labels, truth[name])
            np.testing.assert_array_equal(read.image, image(NAMES.index(name)))
            seen += 1
    assert seen == 4


def test_layouts_are_as_their_trainers_document_them(tmp_path: Path) -> None:
    project, _ = with_labels(tmp_path)
    shares = (0.5, 0.25, 0.25)
    cellpose = export_project(
        project, "cellpose", tmp_path / "cp", shares=shares
    ).folder
    for file in all_of(cellpose, "*.tif"):
        if not file.stem.endswith("_masks"):
            masks = tifffile.imread(file.with_name(f"{file.stem}_masks.tif"))
            assert masks.shape == tifffile.imread(file).shape
            assert np.unique(masks).tolist() == list(range(int(masks.max()) + 1))
    stardist = export_project(
        project, "stardist", tmp_path / "sd", shares=shares
    ).folder
    for part in ("train", "val", "test"):
        images = [p.name for p in all_of(stardist / part / "images", "*.tif")]
        masks_ = [p.name for p in all_of(stardist / part / "masks", "*.tif")]
        assert images == masks_
        assert images
    import yaml

    yolo = export_project(project, "yolo", tmp_path / "yolo", shares=shares).folder
    config = yaml.safe_load((yolo / "data.yaml").read_text())
    assert config["names"] == {0: "small", 1: "big"}
    for part in ("train", "val", "test"):
        pictures = {p.stem for p in (yolo / config[part]).iterdir()}
        texts = all_of(yolo / config[part].replace("images", "labels"), "*.txt")
        assert pictures == {p.stem for p in texts}
        for line in "".join(p.read_text() for p in texts).splitlines():
            kind, *numbers = line.split()
            assert int(kind) in (0, 1)
            assert len(numbers) % 2 == 0
            assert all(0 <= float(number) <= 1 for number in numbers)


def test_stacks_go_plane_by_plane_and_into_omezarr_whole(tmp_path: Path) -> None:
    project = Project.create(tmp_path / "project")
    shape = (3, *SHAPE)
    tifffile.imwrite(
        tmp_path / "s.tif",
        image(0, shape),
        photometric="minisblack",
        metadata={"axes": "ZYX"},
    )
    item = project.add(tmp_path / "s.tif")
    labels = scene(0, shape)
    labels[1] = 0
    with item.journal() as journal:
        patch = Patch.from_windows(np.zeros_like(labels), labels)
        journal.record(Act("commit", patch))
    states = ("in work",)
    tiff = export_project(project, "tiff", tmp_path / "tiff", states=states)
    assert [p.name for p in all_of(tiff.folder / "labels", "*")] == [
        "s-z0000.tif",
        "s-z0002.tif",
    ]
    assert any("next plane" in loss for loss in tiff.losses)
    zarr = export_project(
        project, "ome-zarr", tmp_path / "zarr", states=states, shares=(1, 0, 0)
    )
    twin = Project.create(tmp_path / "twin")
    twin.add(tmp_path / "s.tif")
    import_labels(twin, zarr.folder / "train" / "s.zarr")
    np.testing.assert_array_equal(twin.item("s").labels(), labels)
    write_labels(tmp_path / "s_masks.tif", labels)
    import_labels(twin, tmp_path / "s_masks.tif", overwrite=True)
    np.testing.assert_array_equal(twin.item("s").labels(), labels)


def test_files_as_other_programs_write_them(tmp_path: Path) -> None:
    """Coarse outlines, compressed runs, shapes of the ROI Manager, PNG of Cellpose."""
    roifile = pytest.importorskip("roifile")
    coco_mask = pytest.importorskip("pycocotools.mask")
    corners = [(10.0, 5.0), (30.0, 5.0), (30.0, 25.0), (10.0, 25.0)]  # x, y
    square = np.zeros(SHAPE, bool)
    square[5:25, 10:30] = True
    disc = np.zeros(SHAPE, bool)
    rows, cols = np.indices(SHAPE)
    disc[(rows - 40) ** 2 + (cols - 40) ** 2 < 64] = True
    runs = coco_mask.encode(np.asfortranarray(disc.astype(np.uint8)))
    flat = [value for corner in corners for value in corner]
    coco = {
        "images": [{"id": 7, "file_name": "x/a.tif"}],
        "categories": [{"id": 3, "name": "T-cell"}],
        "annotations": [
            {"id": 1, "image_id": 7, "category_id": 3, "segmentation": [flat]},
            {
                "id": 2,
                "image_id": 7,
                "category_id": 3,
                "segmentation": {**runs, "counts": runs["counts"].decode()},
            },
        ],
    }
    coco["images"][0] |= {"height": SHAPE[0], "width": SHAPE[1]}
    (tmp_path / "coco.json").write_text(json.dumps(coco))
    yolo = tmp_path / "yolo"
    (yolo / "labels" / "train").mkdir(parents=True)
    shares = [f"{x / SHAPE[1]:.6f} {y / SHAPE[0]:.6f}" for x, y in corners]
    (yolo / "labels" / "train" / "a.txt").write_text(f"1 {' '.join(shares)}\n")
    (yolo / "data.yaml").write_text("names: [thing, T-cell]\n")
    rois = []
    for kind, name in (("RECT", "my first"), ("OVAL", "0001-0040-0040")):
        roi = roifile.ImagejRoi(
            roitype=roifile.ROI_TYPE[kind], left=10, top=5, right=30, bottom=25
        )
        roi.name = name
        rois.append(roi)
    line = roifile.ImagejRoi.frompoints([[1, 1], [9, 9]])
    line.roitype = roifile.ROI_TYPE.LINE
    roifile.roiwrite(tmp_path / "a-rois.zip", [rois[0], line])
    rois[1].tofile(tmp_path / "a.roi")
    write_labels(tmp_path / "a_cp_masks.png", disc.astype(np.int32))
    tifffile.imwrite(tmp_path / "a.tif", image(0))
    project = Project.create(tmp_path / "project")
    project.add(tmp_path / "a.tif")
    wanted = {
        "coco.json": (square | disc, {"T-cell"}),
        "yolo": (square, {"T-cell"}),
        "a-rois.zip": (square, set()),
        "a_cp_masks.png": (disc, set()),
    }
    for source, (mask, classes) in wanted.items():
        import_labels(project, tmp_path / source, overwrite=True)
        found = project.item("a").work()
        different = np.count_nonzero((found.labels() > 0) != mask)
        assert different <= 40, source  # half a pixel around an outline
        assert set(found.state.classes.values()) == classes
    import_labels(project, tmp_path / "a.roi", overwrite=True)
    oval = project.item("a").labels() > 0
    assert 0.9 * np.pi * 100 < oval.sum() < 1.1 * np.pi * 100
    # A class with a hyphen comes back whole from a zip of ROIs of ours.
    with project.item("a").journal() as journal:
        journal.record(Act("classes", classes={1: "T-cell"}))
        journal.record(Act("state", values={"state": "done"}))
    out = export_project(project, "imagej", tmp_path / "out").folder
    import_labels(project, out / "a-rois.zip", overwrite=True)
    assert project.item("a").work().state.classes == {1: "T-cell"}


class Evil:
    """What a file of a stranger may hold."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, ("touch hacked",)


@pytest.mark.parametrize("protocol", [2, 4, 5])
def test_cellpose_seg_is_read_without_running_what_is_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, protocol: int
) -> None:
    monkeypatch.chdir(tmp_path)
    labels = scene(0).astype(np.uint16)
    content = {
        "masks": labels,
        "outlines": labels > 0,
        "chan_choose": [0, 0],
        "filename": Path("somewhere/a.tif"),
        "flows": [np.zeros((2, 3), np.float32), [], np.arange(4)],
        "diameter": np.float64(30.0),
        "ismanual": np.zeros(3, bool),
        "evil": Evil(),
    }
    file = tmp_path / "a_seg.npy"
    array = np.array(content, dtype=object)
    with file.open("wb") as out:
        np.lib.format.write_array_header_1_0(
            out, np.lib.format.header_data_from_array_1_0(array)
        )
        pickle.dump(array, out, protocol=protocol)
    np.testing.assert_array_equal(read_seg(file), labels)
    assert not (tmp_path / "hacked").exists()
    if protocol == 4:  # as numpy itself writes it
        file.unlink()
        np.save(file, {"masks": labels}, allow_pickle=True)
    tifffile.imwrite(tmp_path / "a.tif", image(0))
    project = Project.create(tmp_path / "project")
    project.add(tmp_path / "a.tif")
    assert import_labels(project, file).images == {"a": len(np.unique(labels)) - 1}
    for wrong in (labels, np.array({"no": 1}, dtype=object)):
        np.save(file, wrong, allow_pickle=True)
        with pytest.raises(DataError, match="a_seg"):
            read_seg(file)
    file.write_bytes(file.read_bytes()[:-20])
    with pytest.raises(DataError, match="a_seg"):
        read_seg(file)


def test_what_is_there_is_not_replaced_unasked(tmp_path: Path) -> None:
    project, truth = with_labels(tmp_path, classes=False)
    new = scene(9)
    write_labels(tmp_path / "in" / "a.png", new)
    write_labels(tmp_path / "in" / "unknown.png", new)
    done = import_labels(project, tmp_path / "in")
    assert done.images == {}
    assert "a has labels already" in done.notes[0]
    assert len(done.unmatched) == 1
    np.testing.assert_array_equal(project.item("a").labels(), truth["a"])
    import_labels(project, tmp_path / "in", overwrite=True)
    np.testing.assert_array_equal(project.item("a").labels(), new)
    with project.item("a").journal() as journal:
        journal.undo()
    np.testing.assert_array_equal(project.item("a").labels(), truth["a"])
    assert project.item("a").work().state.origins[1].who == "proposed"
    with pytest.raises(DataError, match="told by name"):
        import_labels(project, tmp_path / "in" / "unknown.png")
    export_project(project, "tiff", tmp_path / "out")
    with pytest.raises(StorageError, match="there already"):
        export_project(project, "tiff", tmp_path / "out")
    export_project(project, "tiff", tmp_path / "out", overwrite=True)
    with pytest.raises(DataError, match="Name other states"):
        export_project(project, "tiff", tmp_path / "none", states=("skipped",))
    assert not (tmp_path / "none").exists()
