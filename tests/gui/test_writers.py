"""napari saves a Labels layer for others: COCO, ImageJ ROIs, YOLO."""

from __future__ import annotations

from pathlib import Path

import napari_builtins
import numpy as np
import pytest
import roifile
import tifffile
from npe2 import PluginManifest
from pycocotools.coco import COCO
from qtpy.QtWidgets import QFileDialog
from tests.gui.test_manifest import MANIFEST

from napari_gen2seg.errors import StorageError
from napari_gen2seg.gui.classes.colors import with_classes
from napari_gen2seg.gui.layers.marks import OBJECTS, mark
from napari_gen2seg.io.formats.imagej_roi import read_rois
from napari_gen2seg.io.formats.yolo import read_yolo


@pytest.fixture
def labels() -> np.ndarray:
    """Three objects, one of them with a hole."""
    made = np.zeros((50, 60), np.int32)
    made[4:20, 4:20], made[9:12, 9:12] = 3, 0
    made[30:45, 30:50] = 7
    made[30:40, 2:12] = 9
    return made


@pytest.fixture
def viewer(viewer_model, npe2pm):
    npe2pm.register(PluginManifest.from_file(MANIFEST))
    return viewer_model


@pytest.fixture
def viewer_model():
    from napari.components import ViewerModel

    return ViewerModel()


def test_coco_with_classes_is_read_by_its_own_library(viewer, labels, tmp_path):
    layer = viewer.add_labels(labels, name="mine")
    layer.features = with_classes(layer.features, {3: "nucleus", 7: "debris"})
    (written,) = layer.save(str(tmp_path / "cells.json"))
    found = COCO(written)
    names = {one["id"]: one["name"] for one in found.loadCats(found.getCatIds())}
    assert list(names.values()) == ["debris", "nucleus", "object"]
    (image,) = found.loadImgs(found.getImgIds())
    assert image["file_name"] == "cells.png"
    for number, kind in ((3, "nucleus"), (7, "debris"), (9, "object")):
        (entry,) = [
            one
            for one in found.loadAnns(found.getAnnIds())
            if names[one["category_id"]] == kind
        ]
        np.testing.assert_array_equal(found.annToMask(entry), labels == number)


def test_rois_of_a_stack(viewer, labels, tmp_path):
    stack = np.stack([labels, np.zeros_like(labels), labels[::-1]])
    layer = viewer.add_labels(stack, name="stack")
    (written,) = layer.save(str(tmp_path / "stack.zip"))
    assert len(roifile.roiread(written)) == 6
    again = read_rois(Path(written), labels.shape)
    assert sorted(again) == [0, 2]
    np.testing.assert_array_equal(again[2].labels()[0] > 0, labels[::-1] > 0)


def test_yolo_keeps_the_numbers_of_classes(viewer, labels, tmp_path):
    layer = viewer.add_labels(labels, name="mine")
    (written,) = layer.save(str(tmp_path / "plain.txt"))
    assert not (tmp_path / "classes.txt").exists()
    again = read_yolo(Path(written), labels.shape)
    np.testing.assert_array_equal(again.labels()[0] > 0, labels > 0)
    layer.features = with_classes(layer.features, {3: "nucleus", 7: "debris"})
    (tmp_path / "classes.txt").write_text("nucleus\n")
    written, book = layer.save(str(tmp_path / "mine.txt"))
    names = Path(book).read_text().splitlines()
    assert names == ["nucleus", "debris", "object"]
    again = read_yolo(Path(written), labels.shape, dict(enumerate(names)))
    painted = again.labels()[0]
    found = {one: set(labels[painted == n]) for n, one in again.classes.items()}
    assert found == {"nucleus": {3}, "debris": {7}, "object": {9}}
    stack = viewer.add_labels(np.stack([labels, labels]), name="stack")
    with pytest.raises(StorageError, match="of one image"):
        stack.save(str(tmp_path / "stack.txt"))


def test_nothing_to_save_is_told(viewer, tmp_path):
    layer = viewer.add_labels(np.zeros((20, 20), np.int32), name="empty")
    with pytest.raises(StorageError, match=r"no object to be written to x\.zip"):
        layer.save(str(tmp_path / "x.zip"))
    (written,) = layer.save(str(tmp_path / "x.json"))
    assert COCO(written).getAnnIds() == []


def test_as_a_person_saves_selected_layers(
    make_napari_viewer, npe2pm, labels, tmp_path, monkeypatch
):
    """Through napari's own dialog; the image that the objects belong to is named."""
    own = Path(napari_builtins.__file__).parent / "builtins.yaml"
    for file in (MANIFEST, own):
        npe2pm.register(PluginManifest.from_file(file))
    viewer = make_napari_viewer()
    tifffile.imwrite(tmp_path / "slide-7.tif", labels.astype(np.uint8))
    (image,) = viewer.open(str(tmp_path / "slide-7.tif"), plugin="napari")
    layer = viewer.add_labels(
        labels, name="objects", metadata=mark(OBJECTS, str(image.unique_id))
    )
    viewer.layers.selection = {layer}
    asked = []

    def answer(*_args, **options):
        asked.append(options.get("filter", ""))
        return str(tmp_path / "out.json"), "COCO instances (*.json)"

    monkeypatch.setattr(QFileDialog, "getSaveFileName", answer)
    viewer.window._qt_viewer._save_layers_dialog(selected=True)
    assert "*.json" in asked[0] and "*.zip" in asked[0] and "*.txt" in asked[0]
    (found,) = COCO(tmp_path / "out.json").loadImgs([1])
    assert found["file_name"] == "slide-7.tif"
