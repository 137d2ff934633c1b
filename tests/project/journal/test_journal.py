"""Work on an image is kept, found again, undone, and never lost without being told."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import tifffile

from napari_gen2seg.errors import InUseError, StorageError
from napari_gen2seg.io.identity import ImageIdentity
from napari_gen2seg.project.journal import Act, Journal, Patch, files, find_work
from napari_gen2seg.project.journal.record import Records, encode, read_records
from napari_gen2seg.project.origin import Origin

SHAPE = (30, 40)


def image_file(folder: Path, seed: int = 0) -> ImageIdentity:
    folder.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 255, SHAPE).astype(np.uint8)
    tifffile.imwrite(folder / "cells.tif", pixels)
    return ImageIdentity.of_file(folder / "cells.tif")


def commit(number: int, row: int = 0, value: int | None = None) -> Act:
    places = np.full(5, row), np.arange(5)
    patch = Patch.from_pixels(places, 0, number if value is None else value, SHAPE)
    return Act("commit", patch, {number: Origin(points=((row, 2.0),), signs=(1,))})


def test_looking_at_an_image_leaves_no_trace(tmp_path: Path) -> None:
    image = image_file(tmp_path)
    with Journal(image, SHAPE) as journal:
        assert journal.earlier is None
        assert journal.save_state == "saved"
        assert not journal.labels().any()
        assert journal.undo() is None
    assert [path.name for path in tmp_path.iterdir()] == ["cells.tif"]
    assert find_work(image) is None


def test_work_lies_beside_the_image_and_goes_on(tmp_path: Path) -> None:
    image = image_file(tmp_path)
    told: list[str] = []
    with Journal(image, SHAPE, on_change=told.append) as journal:
        journal.record(commit(1))
        journal.record(Act("settings", values={"tolerance": 30.0}))
        journal.record(Act("classes", classes={1: "nucleus"}))
        journal.record(Act("clicks", values={"clicks": [[3, 4, 1]]}))
        journal.wait()
        assert journal.save_state == "saved"
    assert told[0] == "saving"
    assert told[-1] == "saved"
    assert journal.folder == tmp_path / "gen2seg-work" / "cells.tif"
    # What any other program reads.
    labels = tifffile.imread(journal.folder / "labels.tif")
    assert labels.dtype == np.uint16
    assert (labels[0, :5] == 1).all()
    with Journal(image, SHAPE) as journal:
        assert journal.earlier is not None
        assert journal.earlier.found.how == "here"
        assert journal.earlier.since_saved == 0
        state = journal.state
        assert state.state == "in work"
        assert state.settings == {"tolerance": 30.0}
        assert state.classes == {1: "nucleus"}
        assert state.clicks == [[3, 4, 1]]
        assert state.origins[1].points == ((0.0, 2.0),)
        assert journal.labels().dtype == np.int32


def test_work_goes_to_the_users_folder_where_the_image_is_read_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NAPARI_GEN2SEG_HOME", str(tmp_path / "home"))
    image = image_file(tmp_path / "images")
    # A file where the folder would be: for root, too, nothing can be made there.
    (tmp_path / "images" / "gen2seg-work").touch()
    with Journal(image, SHAPE) as journal:
        journal.record(commit(3))
    assert journal.folder.is_relative_to(tmp_path / "home")
    with Journal(image, SHAPE) as journal:
        assert journal.earlier is not None
        assert (journal.labels()[0, :5] == 3).all()


def test_an_image_without_a_file_is_known_by_its_pixels(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 2**16, (5, *SHAPE)).astype(np.uint16)
    image = ImageIdentity.of_array(pixels, "from a camera")
    with Journal(image, SHAPE) as journal:
        journal.record(commit(3))
    assert find_work(ImageIdentity.of_array(pixels.copy(), "another name"))
    pixels[2] += 1
    assert find_work(ImageIdentity.of_array(pixels, "from a camera")) is None
    shutil.rmtree(journal.folder)


def test_a_moved_image_is_recognised_and_its_work_moves_along(tmp_path: Path) -> None:
    image = image_file(tmp_path / "a")
    with Journal(image, SHAPE) as journal:
        journal.record(commit(3))
    copied = tmp_path / "copy" / "cells.tif"
    copied.parent.mkdir()
    shutil.copy(image.path, copied)  # type: ignore[arg-type]
    assert find_work(ImageIdentity.of_file(copied)) is None  # the other is there still
    moved = tmp_path / "b" / "other.tif"
    moved.parent.mkdir()
    shutil.move(str(image.path), moved)
    with Journal(ImageIdentity.of_file(moved), SHAPE) as journal:
        assert journal.earlier is not None
        assert journal.earlier.found.how == "moved"
        assert journal.folder == moved.parent / "gen2seg-work" / "other.tif"
        journal.record(commit(4, 1))
    found = find_work(ImageIdentity.of_file(moved))
    assert found is not None
    assert found.how == "here"
    # And a folder that moved as a whole.
    shutil.move(str(moved.parent), tmp_path / "c")
    found = find_work(ImageIdentity.of_file(tmp_path / "c" / "other.tif"))
    assert found is not None
    assert found.how == "here"


def test_an_image_that_was_written_over_is_told(tmp_path: Path) -> None:
    image = image_file(tmp_path)
    with Journal(image, SHAPE) as journal:
        journal.record(commit(3))
    with Journal(image_file(tmp_path, seed=1), SHAPE) as journal:
        assert journal.earlier is not None
        assert journal.earlier.found.how == "changed"


def test_beginning_anew_sets_earlier_work_aside(tmp_path: Path) -> None:
    image = image_file(tmp_path)
    with Journal(image, SHAPE) as journal:
        journal.record(commit(3))
    with Journal(image, SHAPE) as journal:
        aside = journal.begin_anew()
        assert aside is not None
        assert journal.state.sequence == 0
        journal.record(commit(5))
        assert (journal.labels()[0, :5] == 5).all()
    assert (tifffile.imread(aside / "labels.tif")[0, :5] == 3).all()
    with Journal(image, SHAPE) as journal:
        assert journal.state.origins.keys() == {5}


def test_undo_and_redo_survive_saving_and_closing(tmp_path: Path) -> None:
    image = image_file(tmp_path)
    shown = np.zeros(SHAPE, np.int32)

    def done(act: Act | None) -> None:
        assert act is not None
        assert act.patch is not None
        act.patch.apply(shown)

    with Journal(image, SHAPE) as journal:
        for number in range(1, 29):
            done(journal.record(commit(number, number)))
        journal.snapshot()
        journal.wait()
        for _ in range(10):
            done(journal.undo())
        for _ in range(4):
            done(journal.redo())
        np.testing.assert_array_equal(journal.labels(), shown)
    with Journal(image, SHAPE) as journal:
        assert (journal.undo_count, journal.redo_count) == (22, 6)
        np.testing.assert_array_equal(journal.labels(), shown)
        assert journal.state.origins.keys() == set(range(1, 23))
        for _ in range(6):
            done(journal.redo())
        assert journal.redo() is None
        assert journal.state.origins.keys() == set(range(1, 29))
        for _ in range(28):
            done(journal.undo())
        assert journal.undo() is None
        assert not shown.any()
        assert not journal.labels().any()
        assert not journal.state.origins
        done(journal.record(commit(9)))
        assert journal.redo_count == 0


def test_a_brush_on_a_proposal_makes_it_a_correction(tmp_path: Path) -> None:
    image = image_file(tmp_path)
    with Journal(image, SHAPE) as journal:
        proposal = Origin("proposed", model="mini", coloring="0" * 64)
        journal.record(Act("propose", commit(1).patch, {1: proposal}))
        assert journal.state.state == "proposed"
        places = np.full(5, 3), np.arange(5)
        journal.record(Act("edit", Patch.from_pixels(places, 0, 1, SHAPE)))
        assert journal.state.origins[1].who == "corrected"
        assert journal.state.origins[1].model == "mini"
        assert journal.state.state == "in work"
        journal.undo()
        assert journal.state.origins[1].who == "proposed"
    with Journal(image, SHAPE) as journal:
        assert journal.state.origins[1].who == "proposed"


def test_a_torn_end_is_left_out_and_kept_aside(tmp_path: Path) -> None:
    image = image_file(tmp_path)
    journal = Journal(image, SHAPE)
    journal.record(commit(1))
    journal.record(commit(2, 1))
    journal.wait()
    file = journal.folder / "journal.log"
    whole = file.read_bytes()
    journal.close()
    for cut in (1, 10, len(whole.splitlines()[-1]) - 1):
        work = tmp_path / f"cut-{cut}"
        shutil.copytree(journal.folder, work)
        (work / "labels.tif").unlink()  # as before it was closed
        (work / "facts.json").unlink()
        shutil.copy(journal.folder / "facts.json", work)
        (work / "journal.log").write_bytes(whole[:-cut])
        with Journal(image, SHAPE, folder=work) as torn:
            assert torn.earlier is not None
            assert torn.earlier.torn == len(whole.splitlines(True)[-1]) - cut
            labels = torn.labels()
            assert (labels[0, :5] == 1).all()
            assert not labels[1].any()
        assert [path.stat().st_size for path in work.glob("journal.torn-*")] == [
            torn.earlier.torn
        ]


def test_labels_of_another_shape_are_saved_whole(tmp_path: Path) -> None:
    image = image_file(tmp_path)
    other = np.full((3, 7, 9), 70_000, np.int64)
    with Journal(image, SHAPE) as journal:
        journal.record(commit(1))
        journal.snapshot(other)
        assert journal.undo() is None
        patch = Patch.from_pixels(([1], [2], [3]), 70_000, -1, other.shape)
        journal.record(Act("edit", patch))
        labels = journal.labels()
        assert labels.dtype == np.int64
        assert labels[1, 2, 3] == -1
    with Journal(image, SHAPE) as journal:
        assert journal.shape == other.shape
        np.testing.assert_array_equal(journal.labels(), labels)


def test_a_long_journal_is_made_short(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from napari_gen2seg.project.journal import writer as module

    monkeypatch.setattr(module, "MOST_ACTS", 150)
    image = image_file(tmp_path)
    with Journal(image, SHAPE) as journal:
        for number in range(1, 400):
            act = commit(1) if number % 2 else Act("delete", commit(1).patch.inverse())  # type: ignore[union-attr]
            journal.record(act)
        journal.wait()
        lines = (journal.folder / "journal.log").read_bytes().splitlines()
        assert len(lines) < 300
        assert journal.undo_count == 100
        assert (journal.labels()[0, :5] == 1).all()


def test_a_note_of_another_computer_is_believed_until_taken_over(
    tmp_path: Path,
) -> None:
    image = image_file(tmp_path)
    with Journal(image, SHAPE) as journal:
        journal.record(commit(1))
    owner = journal.folder / "owner.json"
    owner.write_text('{"pid": 7, "host": "elsewhere", "since": 0}')
    with pytest.raises(InUseError, match="process 7 on elsewhere"):
        Journal(image, SHAPE)
    with Journal(image, SHAPE, take_over=True) as journal:
        assert journal.earlier is not None


@pytest.mark.parametrize("name", ["facts.json", "labels.tif"])
def test_damaged_files_are_named(tmp_path: Path, name: str) -> None:
    image = image_file(tmp_path)
    with Journal(image, SHAPE) as journal:
        journal.record(commit(1))
    (journal.folder / name).write_bytes(b"nonsense")
    with pytest.raises(StorageError, match=name):
        Journal(image, SHAPE, folder=journal.folder)


def test_the_journal_is_read_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may hold thousands of acts, and be on a slow disk."""
    read: list[Path] = []

    def noted(path: Path) -> Records:
        read.append(path)
        return read_records(path)

    monkeypatch.setattr(files, "read_records", noted)
    image = image_file(tmp_path)
    with Journal(image, SHAPE) as journal:
        journal.record(commit(1))
    assert find_work(image) is not None
    assert read == []
    for folder in (None, journal.folder):
        with Journal(image, SHAPE, folder=folder) as journal:
            assert journal.labels().any()
        assert read == [journal.folder / "journal.log"]
        read.clear()


def test_a_damaged_journal_is_named_and_begun_nowhere_else(tmp_path: Path) -> None:
    image = image_file(tmp_path)
    with Journal(image, SHAPE) as journal:
        journal.record(commit(1))
    head = encode({"format": "napari-gen2seg journal", "version": 3})
    (journal.folder / "journal.log").write_bytes(head)
    with pytest.raises(StorageError, match="is damaged"):
        Journal(image, SHAPE)


def test_files_of_a_later_version_are_refused(tmp_path: Path) -> None:
    image = image_file(tmp_path)
    with Journal(image, SHAPE) as journal:
        journal.record(commit(1))
    facts = journal.folder / "facts.json"
    facts.write_text(facts.read_text().replace('"version": 1', '"version": 2'))
    with pytest.raises(StorageError, match="Update it"):
        Journal(image, SHAPE, folder=journal.folder)


def test_a_large_file_is_known_by_pieces_of_it(tmp_path: Path) -> None:
    big = tmp_path / "big.tif"
    content = np.random.default_rng(0).bytes(20 << 20)
    big.write_bytes(content)
    key = ImageIdentity.of_file(big).key
    big.write_bytes(content[:-1] + b"x")
    assert ImageIdentity.of_file(big).key != key
    with pytest.raises(StorageError, match="Check its name"):
        ImageIdentity.of_file(tmp_path / "none.tif")


def test_classes_are_taken_back_and_go_with_their_object(tmp_path: Path) -> None:
    image = image_file(tmp_path)
    with Journal(image, SHAPE) as journal:
        journal.record(commit(1))
        journal.record(commit(2, row=1))
        journal.record(Act("classes", classes={1: "nucleus", 2: "nucleus"}))
        journal.record(Act("classes", classes={2: "debris"}))
        journal.record(Act("delete", origins={2: None}))
        assert journal.state.classes == {1: "nucleus"}
    with Journal(image, SHAPE) as journal:  # closing loses no way back
        journal.undo()
        assert journal.state.classes == {1: "nucleus", 2: "debris"}
        journal.undo()
        assert journal.state.classes == {1: "nucleus", 2: "nucleus"}
        journal.undo()
        assert journal.state.classes == {}
        assert np.unique(journal.labels()).tolist() == [0, 1, 2]
        journal.redo()
        journal.redo()
        assert journal.state.classes == {1: "nucleus", 2: "debris"}


def test_classes_of_an_earlier_version_are_read(tmp_path: Path) -> None:
    image = image_file(tmp_path)
    with Journal(image, SHAPE) as journal:
        journal.record(commit(1))
        folder = journal.folder
    head = {**read_records(folder / "journal.log").values[0], "version": 1}
    acts = read_records(folder / "journal.log").values[1:]
    old = {"n": 2, "act": "classes", "at": 1.0, "values": {"1": "nucleus"}}
    lines = b"".join(encode(one) for one in (head, *acts, old))
    (folder / "journal.log").write_bytes(lines)
    with Journal(image, SHAPE) as journal:
        assert journal.state.classes == {1: "nucleus"}
        assert journal.undo_count == 1
