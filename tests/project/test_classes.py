"""A class of a project gets another name: in journals, undone acts, exports."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import tifffile
import yaml

from napari_gen2seg.errors import InUseError, SettingsError
from napari_gen2seg.project.classes import rename_class
from napari_gen2seg.project.journal import Act, Patch
from napari_gen2seg.project.origin import Origin
from napari_gen2seg.project.project import Project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Three images; in the first two object 1 is an "old" one, in b that was undone."""
    for number, name in enumerate("abc"):
        pixels = np.full((40, 40), 10 * (number + 1), np.uint8)
        tifffile.imwrite(tmp_path / f"{name}.tif", pixels)
    made = Project.create(tmp_path / "project")
    made.add_images(sorted(tmp_path.glob("*.tif")))
    made = made.with_class_names(["old", "other"])
    for item in made.items:
        labels = np.zeros((40, 40), np.int32)
        labels[5:15, 5:15], labels[20:30, 20:30] = 1, 2
        with item.journal() as journal:
            patch = Patch.from_windows(np.zeros_like(labels), labels)
            journal.record(Act("commit", patch, {1: Origin(), 2: Origin()}))
            if item.name != "c":
                journal.record(Act("classes", classes={1: "old", 2: "other"}))
            if item.name == "b":
                journal.undo()
        made.set_state(item.name, "done")
    return made


def classes_of(project: Project, name: str) -> dict[int, str]:
    return project.item(name).work().state.classes


def test_it_is_another_everywhere_and_the_way_back_is_the_same(
    project: Project,
) -> None:
    sequence = project.item("c").work().state.sequence
    now = rename_class(project, "old", " new ")
    assert [one.name for one in now.facts.classes] == ["new", "other"]
    assert [one.key for one in Project.open(now.folder).facts.classes] == [1, 2]
    assert classes_of(now, "a") == {1: "new", 2: "other"}
    assert now.item("c").work().state.sequence == sequence  # it knows no such class
    assert all(item.work().state.state == "done" for item in now.items)
    with now.item("b").journal() as journal:
        journal.redo()
        assert journal.state.classes == {1: "new", 2: "other"}
        journal.undo()
        assert journal.state.classes == {}
    with now.item("a").journal() as journal:
        journal.undo()
        assert journal.state.classes == {}
        journal.redo()
        assert journal.state.classes == {1: "new", 2: "other"}
    again = rename_class(now, "new", "old")
    assert classes_of(again, "a") == {1: "old", 2: "other"}


def test_a_later_class_of_the_old_name_is_another_one(project: Project) -> None:
    now = rename_class(project, "old", "new").with_class_names(["old"])
    with now.item("a").journal() as journal:
        journal.record(Act("classes", classes={2: "old"}))
        journal.snapshot()  # the journal is written anew, with what can be undone
        journal.wait()
        journal.record(Act("settings", values={"x": 1}))
    with now.item("a").journal() as journal:
        assert journal.state.classes == {1: "new", 2: "old"}
        journal.undo()
        assert journal.state.classes == {1: "new", 2: "other"}
        journal.undo()
        assert journal.state.classes == {}
        journal.redo()
        journal.redo()
        assert journal.state.classes == {1: "new", 2: "old"}


def test_everywhere_or_nowhere(project: Project) -> None:
    with project.item("b").journal(), pytest.raises(InUseError):
        rename_class(project, "old", "new")
    assert classes_of(project, "a") == {1: "old", 2: "other"}
    assert Project.open(project.folder).facts.classes[0].name == "old"
    with project.item("b").journal() as journal:  # this window's own
        rename_class(project, "old", "new", [journal])
        journal.redo()
        assert journal.state.classes[1] == "new"
    assert classes_of(project, "a")[1] == "new"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("none", "x", "no class 'none'"),
        ("old", " ", "name"),
        ("old", "other", "already"),
    ],
)
def test_what_cannot_be(project: Project, old: str, new: str, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        rename_class(project, old, new)
    assert classes_of(project, "a") == {1: "old", 2: "other"}


def test_exports_have_the_new_name(project: Project, tmp_path: Path) -> None:
    now = rename_class(project, "old", "new")
    now.export("coco", tmp_path / "coco", shares=(1, 0, 0))
    (found,) = (tmp_path / "coco").rglob("*.json")
    names = [one["name"] for one in json.loads(found.read_text())["categories"]]
    assert "new" in names and "old" not in names
    now.export("yolo", tmp_path / "yolo", shares=(1, 0, 0))
    told = yaml.safe_load((tmp_path / "yolo" / "data.yaml").read_text())
    assert "new" in told["names"].values() and "old" not in told["names"].values()
