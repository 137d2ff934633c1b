"""A file or folder is the old one or the new one, whatever happens in between."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

import pytest

from napari_gen2seg.common.atomic import replacing, replacing_folder


def filled(folder: Path, text: str) -> Path:
    folder.mkdir()
    (folder / "weights").write_text(text)
    return folder


def test_a_failed_block_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "map.tif"
    target.write_text("old")
    with pytest.raises(ZeroDivisionError), replacing(target, sync=True) as draft:
        draft.write_text("half")
        raise ZeroDivisionError
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]
    with replacing(target, sync=True) as draft:
        draft.write_text("new")
    assert target.read_text() == "new"
    assert list(tmp_path.iterdir()) == [target]


def test_what_a_killed_process_left_is_written_over(tmp_path: Path) -> None:
    target, part = tmp_path / "state.pt", tmp_path / "state.pt.part"
    part.write_text("half of a killed process")
    with replacing(target, part) as draft:
        draft.write_text("new")
    assert target.read_text() == "new"
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.skipif(sys.platform == "win32", reason="modes of POSIX")
def test_a_result_is_as_readable_as_any_other_file(tmp_path: Path) -> None:
    usual = tmp_path / "usual"
    usual.touch()
    with replacing(tmp_path / "new") as draft:
        draft.touch()
    modes = {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert len(modes) == 1


def test_a_folder_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    target = filled(tmp_path / "model", "old")
    filled(tmp_path / "model.part", "half of a killed process")
    with pytest.raises(ZeroDivisionError), replacing_folder(target) as draft:
        assert not draft.exists()
        filled(draft, "half")
        raise ZeroDivisionError
    assert (target / "weights").read_text() == "old"
    with replacing_folder(target) as draft:
        filled(draft, "new")
    assert (target / "weights").read_text() == "new"
    assert list(tmp_path.iterdir()) == [target]


def test_the_old_folder_comes_back_where_the_new_one_cannot_be_put(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = filled(tmp_path / "model", "old")
    replace = os.replace

    def refused(source: Path, place: Path) -> None:
        if Path(source).name == "model.part":
            raise PermissionError("somebody else looks at it")
        replace(source, place)

    monkeypatch.setattr(os, "replace", refused)
    with pytest.raises(PermissionError), replacing_folder(target) as draft:
        filled(draft, "new")
    assert (target / "weights").read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_folder_that_must_be_new_replaces_none(tmp_path: Path) -> None:
    target = filled(tmp_path / "model", "somebody's")
    with pytest.raises(OSError), replacing_folder(target, overwrite=False) as draft:
        filled(draft, "new")
    assert (target / "weights").read_text() == "somebody's"
    assert list(tmp_path.iterdir()) == [target]
