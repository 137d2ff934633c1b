"""Evaluation where something is wrong: with ids, with a picture, with a comparison."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import imageio.v3 as iio
import numpy as np
import pytest
from tests.workflows.test_evaluate import QUICK, pairs, perfect, told

from napari_gen2seg import evaluate
from napari_gen2seg.core.probe.settings import ProbeSettings
from napari_gen2seg.errors import DataError
from napari_gen2seg.io.formats.coco import coco_dataset
from napari_gen2seg.io.formats.writers import write_labels
from napari_gen2seg.workflows.evaluate import compare


def test_large_ids_give_the_numbers_of_small_ones() -> None:
    small = evaluate(pairs(2), perfect(), "clicks", QUICK)
    ids = np.array([0, *(2**33 + 5 * np.arange(1, 9))], np.int64)
    large = evaluate(
        [(picture, ids[labels]) for picture, labels in pairs(2)],
        perfect(),
        "clicks",
        QUICK,
    )
    assert large.images == small.images


@pytest.mark.parametrize(
    ("other", "part", "words"),
    [
        ({"edge_levels": 5}, "edges", "edge_levels 9 and 5"),
        ({"edge_sigma": 2.0}, "edges", r"edge_sigma 1\.0 and 2\.0"),
        ({"edge_distance": 0.1}, "edges", r"edge_distance 0\.0075 and 0\.1"),
        (
            {"probe": ProbeSettings(tolerance=30.0)},
            "clicks",
            r"probe tolerance None and 30\.0",
        ),
        (
            {"probe": ProbeSettings(contiguous=False)},
            "clicks",
            "probe contiguous True and False",
        ),
    ],
)
def test_other_settings_cannot_be_compared(
    other: dict[str, Any], part: Any, words: str, tmp_path: Path
) -> None:
    reports = []
    for number, settings in enumerate((QUICK, replace(QUICK, **other))):
        reports.append(tmp_path / f"{number}.json")
        evaluate(pairs(2), perfect(), part, settings).save_json(reports[-1])
    with pytest.raises(DataError, match=words):
        compare(*reports)


def test_settings_of_what_was_not_measured_do_not_matter() -> None:
    first = evaluate(pairs(2), perfect(), "clicks", QUICK)
    fewer = replace(QUICK, edge_levels=5, probe=ProbeSettings(rule="paper"))
    assert compare(first, evaluate(pairs(2), perfect(), "clicks", fewer)).pictures == 2


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three pictures; the file of the first is cut short, the last has other labels."""
    root = tmp_path / "cells"
    (root / "images").mkdir(parents=True)
    for name, (picture, labels) in zip("abc", pairs(3), strict=True):
        iio.imwrite(root / "images" / f"{name}.png", picture)
        write_labels(root / "labels" / f"{name}.tif", labels)
    whole = (root / "images" / "a.png").read_bytes()
    (root / "images" / "a.png").write_bytes(whole[: len(whole) // 2])
    write_labels(root / "labels" / "c.tif", np.ones((5, 5), np.uint8))
    return root


def test_a_bad_picture_loses_nothing_else(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("napari_gen2seg.cli.evaluate.load", lambda _: perfect())
    target, page = tmp_path / "r.json", tmp_path / "r.html"
    options = ("--protocol", "clicks", "--no-corrections")
    done = told(folder, *options, "--json", target, "--html", page)
    assert done.exit_code == 1
    last = done.stderr.splitlines()[-1]
    assert last.startswith("Error: 2 of the pictures could not be measured")
    assert "a: " in last and "a.png" in last
    assert "c: The picture is 96 x 112 pixels but its labels are 5 x 5;" in last
    assert "Not measured: 2 of 3 pictures: a, c." in done.stdout
    assert "Not measured: 2 of 3 pictures: a, c." in page.read_text()
    content = json.loads(target.read_text())
    assert [image["name"] for image in content["images"]] == ["b"]
    assert content["data"]["pictures"] == 1
    assert content["data"]["not_measured"] == ["a", "c"]
    assert str(tmp_path) not in target.read_text()


def test_nothing_but_bad_pictures_is_an_error_that_names_one(folder: Path) -> None:
    (folder / "images" / "b.png").unlink()
    with pytest.raises(DataError, match=r"^c: The picture is"):
        evaluate(str(folder), perfect(), "clicks", QUICK)


def test_a_box_alone_is_named(tmp_path: Path) -> None:
    iio.imwrite(tmp_path / "1.png", np.zeros((20, 30), np.uint8))
    content = {
        "images": [{"id": 1, "file_name": "1.png"}],
        "annotations": [{"id": 7, "image_id": 1, "bbox": [1, 2, 3, 4]}],
    }
    (tmp_path / "x.json").write_text(json.dumps(content))
    with pytest.raises(DataError, match=r"^1\.png: Annotation 7: It has no segmenta"):
        evaluate(coco_dataset(tmp_path / "x.json"), perfect(), "clicks", QUICK)


def test_where_nobody_can_write_is_told_before_the_work(
    folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    refused = told(folder, "--json", tmp_path / "file" / "deeper" / "r.json")
    assert refused.exit_code == 1
    assert f"{tmp_path / 'file'} is no folder" in refused.stderr
    assert "Nothing was done" in refused.stderr


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may")
def test_a_folder_of_somebody_else_is_told_before_the_work(
    folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "theirs").mkdir(mode=0o500)
    refused = told(folder, "--json", tmp_path / "theirs" / "r.json")
    assert refused.exit_code == 1
    assert "not yours to write to" in refused.stderr
