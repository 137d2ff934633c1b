"""Many images in, labels out: what is done stays done, whatever happens."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from tests.helpers.command_line import run_here
from tests.helpers.drawn_sheet import SheetColorer, same_objects, sheet
from tests.helpers.waiting import BACKSTOP

from napari_gen2seg import segment
from napari_gen2seg.core.image.axes import Axes
from napari_gen2seg.core.linking import LinkSettings
from napari_gen2seg.core.proposal_settings import ProposalSettings
from napari_gen2seg.errors import Cancelled, DataError, InUseError, StorageError
from napari_gen2seg.io.formats.label_file import LabelFile
from napari_gen2seg.workflows.batch import (
    BatchDone,
    ImageDone,
    ImageFailed,
    ImageSkipped,
    batch,
)
from napari_gen2seg.workflows.batch.inputs import images_of
from napari_gen2seg.workflows.batch.linking import link_planes

SMALL = sheet(100)
LARGE = sheet(230, 20)
ROOT = Path(__file__).parents[2]


def images(folder: Path) -> Path:
    """Write a small image, a stack and a large image."""
    (folder / "plate").mkdir(parents=True)
    tifffile.imwrite(folder / "a.tif", SMALL)
    stack = np.stack([SMALL, SMALL.T])
    tifffile.imwrite(folder / "plate" / "b.tif", stack, metadata={"axes": "ZYX"})
    tifffile.imwrite(folder / "c.tif", LARGE)
    return folder


def done(events: Sequence[Any]) -> list[str]:
    return [one.name for one in events if isinstance(one, ImageDone)]


def files(folder: Path) -> dict[str, bytes]:
    """Return all labels below a folder."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*.tif"))
    }


def test_labels_of_files_in_folders(tmp_path: Path) -> None:
    folder, out = images(tmp_path / "in"), tmp_path / "out"
    events = list(batch(folder, out, SheetColorer(), tile=128))
    assert done(events) == ["a.tif", "c.tif", "plate/b.tif"]
    assert isinstance(events[-1], BatchDone) and events[-1].failed == 0
    expected = segment(SMALL, SheetColorer()).labels
    np.testing.assert_array_equal(tifffile.imread(out / "a.tif"), expected)
    with tifffile.TiffFile(out / "plate" / "b.tif") as file:
        assert file.series[0].axes == "ZYX"
        stack = file.asarray()
    assert same_objects(stack[0], expected)
    assert not set(np.unique(stack[0])) & set(np.unique(stack[1])) - {0}
    large = tifffile.imread(out / "c.tif")
    assert same_objects(large, segment(LARGE, SheetColorer(), tile=0).labels)
    record = json.loads((out / "c.tif.json").read_text())
    assert record["objects"] == large.max() and "tiles of 128" in record["looked_at"]
    assert record["made_of"]["settings"] == {"look": {"tile": 128}}
    assert {path.name for path in out.iterdir()} == {
        "a.tif", "a.tif.json", "c.tif", "c.tif.json", "plate",
    }  # fmt: skip


def test_what_is_done_is_not_done_again(tmp_path: Path) -> None:
    folder, out = images(tmp_path / "in"), tmp_path / "out"
    list(batch(folder, out, SheetColorer()))
    before = files(out)
    colorer = SheetColorer()
    events = list(batch(folder, out, colorer))
    assert len([one for one in events if isinstance(one, ImageSkipped)]) == 3
    assert not colorer.seen
    # Another image, or other settings: made anew; else not.
    tifffile.imwrite(folder / "a.tif", SMALL[::-1])
    assert done(list(batch(folder, out, colorer))) == ["a.tif"]
    few = ProposalSettings(sizes=(10, 100))
    assert len(done(list(batch(folder, out, colorer, proposals=few)))) == 3
    assert files(out).keys() == before.keys()


def test_labels_of_other_hands_are_left_alone(tmp_path: Path) -> None:
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    out.mkdir()
    tifffile.imwrite(folder / "a.tif", SMALL)
    tifffile.imwrite(out / "a.tif", np.ones((3, 3), np.uint8))
    mine = files(out)
    event = list(batch(folder, out, SheetColorer()))[1]
    assert isinstance(event, ImageFailed) and "not of a batch" in str(event.error)
    assert files(out) == mine
    assert done(list(batch(folder, out, SheetColorer(), overwrite=True))) == ["a.tif"]
    # A person corrects them: the same batch passes over them, another refuses.
    tifffile.imwrite(out / "a.tif", np.ones((3, 3), np.uint8))
    event = list(batch(folder, out, SheetColorer()))[1]
    assert isinstance(event, ImageSkipped)
    event = list(batch(folder, out, SheetColorer(), passes=2))[1]
    assert isinstance(event, ImageFailed) and "was changed" in str(event.error)
    assert files(out) == mine


def test_one_that_fails_does_not_stop_the_others(tmp_path: Path, tiny_sd: Path) -> None:
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    tifffile.imwrite(folder / "good.tif", SMALL)
    (folder / "bad.tif").write_bytes(b"II*\0 nothing")
    ended = run_here(
        "batch", folder, out, "--model", tiny_sd, "--device", "cpu", "--resolution", 64
    )
    assert ended.returncode == 1
    assert "1 of 2 images could not be done" in ended.stderr
    assert "bad.tif" in ended.stderr
    assert "1 image done, 1 failed" in ended.stdout
    assert (out / "good.tif").is_file()
    (folder / "bad.tif").unlink()
    ended = run_here(
        "batch", folder, out, "--model", tiny_sd, "--device", "cpu", "--resolution", 64
    )
    assert ended.returncode == 0 and "0 images done, 1 before" in ended.stdout


def start(*arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.workflows.batch_child", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )


def test_a_killed_batch_goes_on_where_it_was(tmp_path: Path) -> None:
    folder, out = images(tmp_path / "in"), tmp_path / "out"
    child = start(folder, out, "hang=7")
    assert child.stdout is not None
    while "look 7" not in (line := child.stdout.readline()):
        assert line, child.communicate()[1]
    child.kill()
    child.wait(BACKSTOP)
    assert set(files(out)) == {"a.tif"}  # c.tif was in the middle of its tiles
    colorer = SheetColorer()
    assert done(list(batch(folder, out, colorer, tile=128))) == [
        "c.tif",
        "plate/b.tif",
    ]
    fresh = SheetColorer()
    list(batch(folder, tmp_path / "fresh", fresh, tile=128))
    # Two tiles of c.tif were found before, and a.tif was done.
    assert len(colorer.seen) < len(fresh.seen) - 2
    assert files(out) == files(tmp_path / "fresh")


@pytest.mark.skipif(sys.platform == "win32", reason="limits of POSIX")
def test_a_full_disk_leaves_what_is_done(tmp_path: Path) -> None:
    folder, out = images(tmp_path / "in"), tmp_path / "out"
    child = start(folder, out, "most=60000")
    said, _ = child.communicate(timeout=BACKSTOP)
    assert child.returncode == 1
    assert "done a.tif" in said and "DiskFullError" in said
    assert set(files(out)) == {"a.tif"}
    assert done(list(batch(folder, out, SheetColorer(), tile=128))) == [
        "c.tif",
        "plate/b.tif",
    ]


def test_cancel_and_a_second_batch(tmp_path: Path) -> None:
    folder, out = images(tmp_path / "in"), tmp_path / "out"
    colorer = SheetColorer()
    events = batch(folder, out, colorer, cancel=lambda: len(colorer.seen) > 1)
    with pytest.raises(Cancelled):
        for event in events:
            if isinstance(event, ImageDone):
                with pytest.raises(InUseError, match="Another batch"):
                    list(batch(folder, out, SheetColorer()))
    # Asked before a look, so the image that is looked at is still written.
    assert set(files(out)) == {"a.tif", "c.tif"}
    assert done(list(batch(folder, out, SheetColorer()))) == ["plate/b.tif"]


def test_inputs_that_cannot_be(tmp_path: Path) -> None:
    folder = images(tmp_path / "in")
    with pytest.raises(StorageError, match="is an image here"):
        list(batch(folder, folder, SheetColorer()))
    with pytest.raises(StorageError, match="There is no"):
        list(batch(folder / "none", tmp_path / "out", SheetColorer()))
    with pytest.raises(DataError, match="no image"):
        list(batch(str(folder / "*.png"), tmp_path / "out", SheetColorer()))
    tifffile.imwrite(folder / "a.ome.tif", SMALL)
    found = images_of([folder / "*.tif", folder], tmp_path / "out")
    assert [one.target.name for one in found] == [
        "a.ome.tif.tif", "a.tif.tif", "c.tif", "b.tif",
    ]  # fmt: skip


def test_planes_are_linked(tmp_path: Path) -> None:
    stack = np.stack([np.roll(SMALL, 2 * shift, 1) for shift in range(3)])
    tifffile.imwrite(
        tmp_path / "m.tif", stack, photometric="minisblack", metadata={"axes": "TYX"}
    )
    out = tmp_path / "out"
    list(batch(tmp_path / "m.tif", out, SheetColorer(), link=LinkSettings()))
    labels = tifffile.imread(out / "m.tif")
    inner = labels[0][20:80, 20:70]
    for shift in (1, 2):
        moved = np.roll(labels[shift], -2 * shift, 1)[20:80, 20:70]
        np.testing.assert_array_equal(moved, inner)


@pytest.mark.parametrize("letters", ["ZYX", "MZYX", "TZYX"])
def test_stacks_and_volumes_are_linked_in_place(tmp_path: Path, letters: str) -> None:
    """Each of one or two places, or moments, holds one nucleus right behind another."""
    stack = np.zeros((10, 40, 40), np.int32)
    for z, size in enumerate((2, 5, 6, 5, 2, 2, 5, 6, 5, 2)):
        left = 18 + 3 * (z > 4) - size
        stack[z, 20 - size : 20 + size, left : left + 2 * size] = 1
    whole = stack if letters == "ZYX" else np.stack([stack, stack])
    labels = LabelFile.create(tmp_path / "l.npy", Axes(letters, whole.shape))
    for place in np.ndindex(whole.shape[:-2]):
        labels.write(place, whole[place])
    count = link_planes(labels, LinkSettings(convex=True))
    found = np.array([labels.read(place) for place in np.ndindex(whole.shape[:-2])])
    numbers = [int(plane.max()) for plane in found]
    if letters == "TZYX":  # volumes are linked as wholes, and are not parted
        assert count == 1 and set(numbers) == {1}
        return
    expected = [1] * 5 + [2] * 5
    assert numbers[:10] == expected
    if letters == "MZYX":  # another place has objects of its own
        assert numbers[10:] == [one + 2 for one in expected]
    assert count == max(numbers)
