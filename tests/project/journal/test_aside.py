"""Work that was set aside is found, and comes back in place of the present work."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.project.journal.test_journal import SHAPE, commit, image_file

from napari_gen2seg.errors import InUseError, StorageError
from napari_gen2seg.io.identity import ImageIdentity
from napari_gen2seg.project.journal import Journal
from napari_gen2seg.project.journal.aside import bring_back, find_aside
from napari_gen2seg.project.journal.files import read_work
from napari_gen2seg.project.journal.place import places
from napari_gen2seg.project.project import Project


def set_one_aside(image: ImageIdentity, number: int) -> Path:
    """Begin anew after work with one object; return where that lies."""
    with Journal(image, SHAPE) as journal:
        journal.record(commit(number))
    with Journal(image, SHAPE) as journal:
        aside = journal.begin_anew()
    assert aside is not None
    return aside


def objects(folder: Path) -> set[int]:
    return set(read_work(folder).labels().ravel().tolist()) - {0}


def test_what_was_set_aside_is_listed_the_latest_first(tmp_path: Path) -> None:
    image = image_file(tmp_path)
    assert find_aside(places(image)) == []
    first, second = set_one_aside(image, 1), set_one_aside(image, 2)
    (first.parent / "cells.tif.before-tomorrow").mkdir()  # none of ours
    other = first.parent / "more cells.tif.before-20200101-000000"
    other.mkdir()  # another picture's
    assert find_aside(places(image)) == sorted((first, second), reverse=True)


def test_it_comes_back_and_the_present_work_is_set_aside(tmp_path: Path) -> None:
    image = image_file(tmp_path)
    first = set_one_aside(image, 1)
    with Journal(image, SHAPE) as journal:
        journal.record(commit(2))
    home, (aside,) = bring_back(first)
    assert home == places(image)[0]
    assert (objects(home), objects(aside)) == ({1}, {2})
    with Journal(image, SHAPE) as journal:
        assert journal.earlier is not None
        assert journal.undo_count == 1
    # And back again.
    home, (again,) = bring_back(aside)
    assert (objects(home), objects(again)) == ({2}, {1})
    assert find_aside(places(image)) == [again]


def test_it_comes_back_where_there_is_no_present_work(tmp_path: Path) -> None:
    image = image_file(tmp_path)
    home, aside = bring_back(set_one_aside(image, 1))
    assert aside == []
    assert objects(home) == {1}


def test_present_work_elsewhere_is_set_aside_too(tmp_path: Path) -> None:
    image = image_file(tmp_path)
    first, elsewhere = set_one_aside(image, 1), tmp_path / "elsewhere"
    with Journal(image, SHAPE, folder=elsewhere) as journal:
        journal.record(commit(2))
    home, (aside,) = bring_back(first, [elsewhere])
    assert (objects(home), objects(aside)) == ({1}, {2})
    assert aside.parent == elsewhere.parent
    assert not elsewhere.exists()


def test_nothing_moves_while_somebody_has_it_open(tmp_path: Path) -> None:
    image = image_file(tmp_path)
    first = set_one_aside(image, 1)
    with Journal(image, SHAPE) as journal:
        journal.record(commit(2))
        with pytest.raises(InUseError, match="open in another window"):
            bring_back(first)
        assert objects(journal.folder) == {2}
    assert objects(first) == {1}


def test_what_cannot_be_renamed_stays_where_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = image_file(tmp_path)
    first = set_one_aside(image, 1)
    with Journal(image, SHAPE) as journal:
        journal.record(commit(2))
    rename = Path.rename

    def refuse(self: Path, target: Path) -> Path:
        if self == first:
            raise OSError(13, "Permission denied")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(StorageError, match=r"brought back \(Permission denied\)"):
        bring_back(first)
    assert objects(first) == {1}
    assert objects(places(image)[0]) == {2}


def test_what_is_gone_is_named(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="no earlier work"):
        bring_back(tmp_path / "cells.tif.before-20200101-000000")


def test_an_image_of_a_project_stays_in_it_once(tmp_path: Path) -> None:
    image_file(tmp_path / "pictures")
    project = Project.create(tmp_path / "project")
    (item,) = project.add_images([tmp_path / "pictures" / "cells.tif"], group="slide")
    with item.journal() as journal:
        journal.record(commit(1))
    with item.journal() as journal:
        aside = journal.begin_anew()
        assert aside is not None
        assert [one.name for one in project.items] == [item.name]
        assert journal.state.group == "slide"
        journal.record(commit(2))
    assert project.items[0].work().state.group == "slide"
    home, (again,) = bring_back(aside)
    assert home == item.folder
    assert (objects(home), objects(again)) == ({1}, {2})
    assert [one.name for one in project.items] == [item.name]
