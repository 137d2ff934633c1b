"""A project from the command line, with the embedded model."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import tifffile
from skimage import data
from tests.helpers.command_line import run_here

from napari_gen2seg.cli import project as commands
from napari_gen2seg.project.exchange.exporting import EXPORTS
from napari_gen2seg.project.journal import STATES
from napari_gen2seg.project.project import Project


def said(*arguments: object, rc: int = 0) -> str:
    ended = run_here("project", *arguments)
    assert ended.returncode == rc, ended
    return ended.stdout + ended.stderr


def test_what_is_offered_is_what_there_is() -> None:
    assert commands.STATES == STATES
    assert commands.EXPORTS == EXPORTS


@pytest.mark.slow
def test_from_images_to_a_data_set(tmp_path: Path) -> None:
    images, folder = tmp_path / "images", tmp_path / "p"
    images.mkdir()
    for name, at in (("a", 0), ("b", 150), ("c", 60)):
        tifffile.imwrite(images / f"{name}.tif", data.coins()[at : at + 150, :200])
    shown = said("init", folder, images, "--class", "coin")
    assert "3 images added, 3 in all" in shown
    assert said("propose", folder).count("objects") == 3
    status = json.loads(said("status", folder, "--json"))
    assert [row["state"] for row in status] == ["proposed"] * 3
    assert all(row["who"] == {"proposed": row["objects"]} for row in status)
    shown = said("replay", folder)
    assert shown.count(" 0 different") == 3
    assert "other states" in said("export", folder, "coco", tmp_path / "x", rc=1)
    said("mark", folder, "done", "a", "b", "c")
    shown = said("status", folder)
    assert "3 images: 3 done" in shown
    count = sum(row["objects"] for row in status)
    assert f"with mini: {count} objects looked at ({count} as proposed)" in shown
    (made,) = json.loads(said("status", folder, "--progress", "--json"))
    assert (made["unchanged"], made["clicked"], made["rate"]) == (count, 0, None)
    shown = said("export", folder, "coco", tmp_path / "x")
    assert "3 images" in shown
    twin = tmp_path / "twin"
    said("init", twin, images)
    for part in (tmp_path / "x" / "annotations").iterdir():
        said("import", twin, part)
    for item in Project.open(twin).items:
        was = Project.open(folder).item(item.name).labels()
        np.testing.assert_array_equal(item.labels() > 0, was > 0)
    assert "replace them" in said("import", twin, part)
    assert "already" in said("init", twin, rc=1)


def test_what_cannot_be_read_stops_nothing(tmp_path: Path) -> None:
    images, folder = tmp_path / "images", tmp_path / "p"
    images.mkdir()
    for name in ("a", "c", "d"):
        image = data.coins()[:60, :40] + ord(name) % 7
        tifffile.imwrite(images / f"{name}.tif", image)
    for name in ("0", "b"):
        (images / f"{name}.tif").write_bytes(b"no picture")
    shown = said("init", folder, images, rc=1)
    assert "3 images added, 3 in all" in shown
    assert "b.tif" in shown and "0.tif" in shown
    assert "2 images could not be added" in shown
    assert [one.name for one in Project.open(folder).items] == ["a", "c", "d"]
    (images / "b.tif").unlink()
    shown = said("init", folder, images, rc=1)
    assert "0 images added, 3 in all" in shown and "1 image could not" in shown


def test_of_nothing_that_can_be_read_no_project_is_made(tmp_path: Path) -> None:
    images, folder = tmp_path / "images", tmp_path / "p"
    images.mkdir()
    assert "There are no pictures in" in said("init", folder, images, rc=1)
    (images / "a.tif").write_bytes(b"no picture")
    assert "No project was made" in said("init", folder, images, rc=1)
    assert not folder.exists()
    said("init", folder)
    assert "There are no pictures in" in said("init", folder, images / "..", rc=1)


def test_a_class_is_renamed(tmp_path: Path) -> None:
    folder = tmp_path / "p"
    said("init", folder, "--class", "old", "--class", "other")
    assert "old is called new now" in said("rename-class", folder, "old", "new")
    assert [one.name for one in Project.open(folder).facts.classes] == ["new", "other"]
    assert "already" in said("rename-class", folder, "new", "other", rc=1)
