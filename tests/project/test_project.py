"""A project is a folder of plain files: read, moved, gone on with, replayed."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict
from dataclasses import replace as replace_
from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest
import tifffile
from skimage import data
from tests.helpers.fake_colorer import FakeColorer, blobs
from tests.helpers.tiny_probe import tiny_probe_as_mini

from napari_gen2seg import load_probe
from napari_gen2seg.core.coloring import Coloring
from napari_gen2seg.core.image.rgb import to_rgb
from napari_gen2seg.core.learned_probe.choice import LEARNED
from napari_gen2seg.core.probe.settings import ProbeSettings
from napari_gen2seg.errors import InUseError, SettingsError, StorageError
from napari_gen2seg.project.facts import ObjectClass
from napari_gen2seg.project.image_files import images_in
from napari_gen2seg.project.journal import Act, Patch
from napari_gen2seg.project.origin import INSISTED, METHOD, Origin
from napari_gen2seg.project.project import Project
from napari_gen2seg.project.propose import ItemFailed, propose
from napari_gen2seg.project.replay import replay


def coins(folder: Path, name: str = "coins.tif") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    width = 300 + sum(name.encode()) % 80  # no two of one content
    tifffile.imwrite(folder / name, data.coins()[:, :width])
    return folder / name


def load(model: str, revision: str | None) -> FakeColorer:
    assert (model, revision) == ("fake", None)
    return FakeColorer()


def test_a_project_is_plain_files_that_can_be_moved(tmp_path: Path) -> None:
    file = coins(tmp_path / "images")
    project = Project.create(tmp_path / "p", "Coins of Pompeii")
    item = project.add(file, copy=True, group="one table")
    assert project.add(file) == item  # once is enough
    project = project.with_classes([ObjectClass("bronze", "#aa6600", 1)])
    raw = json.loads((project.folder / "project.json").read_text())
    assert raw["name"] == "Coins of Pompeii"
    assert raw["classes"] == [{"name": "bronze", "color": "#aa6600", "key": 1}]
    shutil.rmtree(tmp_path / "images")
    shutil.move(tmp_path / "p", tmp_path / "elsewhere")
    again = Project.open(tmp_path / "elsewhere")
    assert again.facts == project.facts
    (item,) = again.items
    assert item.image().array.shape[0] == 303
    assert item.work().state.group == "one table"
    assert item.work().state.state == "untouched"
    assert not item.labels().any()
    again.set_state("coins", "skipped")
    assert item.work().state.state == "skipped"


def test_images_are_pointed_at_unless_copied(tmp_path: Path) -> None:
    file = coins(tmp_path / "images")
    project = Project.create(tmp_path / "p")
    item = project.add(file)
    assert not (project.folder / "images").exists()
    assert item.image_path() == file
    # Images and project moved together: found by where it lies from there.
    shutil.move(tmp_path / "images", tmp_path / "q" / "images")
    shutil.move(tmp_path / "p", tmp_path / "q" / "p")
    (item,) = Project.open(tmp_path / "q" / "p").items
    assert item.image_path() == tmp_path / "q" / "images" / "coins.tif"
    shutil.rmtree(tmp_path / "q" / "images")
    with pytest.raises(StorageError, match="Put it back"):
        item.image()


def test_names_are_unique_and_safe(tmp_path: Path) -> None:
    project = Project.create(tmp_path / "p")
    one = project.add(coins(tmp_path / "a", "my coins.tif"))
    two = project.add(coins(tmp_path / "b", "my  coins.tif"))
    assert (one.name, two.name) == ("my-coins", "my-coins-2")
    for wrong in ("no", "../p", ""):
        with pytest.raises(SettingsError, match="has no image"):
            project.item(wrong)
    (tmp_path / "a" / "note.txt").touch()
    assert images_in([tmp_path / "a", tmp_path / "b" / "my  coins.tif"]) == [
        tmp_path / "a" / "my coins.tif",
        tmp_path / "b" / "my  coins.tif",
    ]
    with pytest.raises(StorageError, match="Check its name"):
        images_in([tmp_path / "none"])


def test_what_is_wrong_is_told(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="project init"):
        Project.open(tmp_path)
    project = Project.create(tmp_path / "p")
    with pytest.raises(StorageError, match="already"):
        Project.create(tmp_path / "p")
    with pytest.raises(SettingsError, match="twice"):
        project.with_classes([ObjectClass("a", key=1), ObjectClass("b", key=1)])
    with pytest.raises(SettingsError, match="1 to 9"):
        project.with_classes([ObjectClass("a", key=10)])
    source = project.folder / "project.json"
    whole = source.read_text()
    for before, after, said in (
        ('"version": 1', '"version": 9', "Update it"),
        ('"model"', '"models"', "did you mean"),
        ("{", "", "JSON"),
    ):
        source.write_text(whole.replace(before, after, 1))
        with pytest.raises((StorageError, SettingsError), match=said):
            Project.open(project.folder)


def test_proposals_go_where_nothing_is_and_say_where_they_come_from(
    tmp_path: Path,
) -> None:
    project = Project.create(tmp_path / "p")
    first = project.add(coins(tmp_path))
    second = project.add(coins(tmp_path, "other.tif"))
    gone = project.add(coins(tmp_path, "gone.tif"))
    (tmp_path / "gone.tif").unlink()
    with first.journal() as journal:
        labels = journal.labels()
        drawn = labels.copy()
        drawn[:150, :150] = 7
        journal.record(Act("commit", Patch.from_windows(labels, drawn)))
    states = ("untouched", "in work")
    with second.journal():  # open in another window
        events = list(propose(project, FakeColorer(), states=states))
    failed = {e.name: e.error for e in events if isinstance(e, ItemFailed)}
    assert isinstance(failed["other"], InUseError)
    assert isinstance(failed[gone.name], StorageError)
    labels = first.labels()
    assert (labels[:150, :150] == 7).all()
    state = first.work().state
    numbers = set(np.unique(labels).tolist()) - {0, 7}
    assert len(numbers) > 10
    assert set(state.origins) == numbers
    assert {o.who for o in state.origins.values()} == {"proposed"}
    assert {o.model for o in state.origins.values()} == {"fake"}
    list(propose(project, FakeColorer()))
    assert second.work().state.state == "proposed"


def clicked(item, colorer: FakeColorer, *points: tuple[float, float]) -> None:
    """Keep objects as the window does."""
    settings = ProbeSettings(clean=False)
    coloring = colorer.color(to_rgb(item.image().plane()))
    with item.journal() as journal:
        labels = journal.labels()
        for number, point in enumerate(points, 1):
            mask = coloring.probe([point], [1], settings)
            after = np.where(mask.full() & (labels == 0), number, labels)
            origin = Origin(
                "human",
                coloring.model_id,
                coloring=coloring.key,
                points=(point,),
                signs=(1,),
                settings={"clean": False},
                tolerance=mask.tolerance,
                score=mask.score,
            )
            patch = Patch.from_windows(labels, after)
            journal.record(Act("commit", patch, {number: origin}))
            patch.apply(labels)


def test_replay_makes_the_same_labels_and_says_what_differs(tmp_path: Path) -> None:
    project = Project.create(tmp_path / "p")
    by_click = project.add(coins(tmp_path))
    proposed = project.add(coins(tmp_path, "other.tif"))
    clicked(by_click, FakeColorer(), (54, 44), (51, 155), (119, 271))
    list(propose(project, FakeColorer()))
    one, two = replay(project, load)
    assert (one.name, one.same, one.different, one.by_hand) == ("coins", 3, (), 0)
    assert two.same > 10
    assert not (two.different or two.other_maps or two.problems)

    # A person corrects a proposal, and another object changes without a word.
    labels = proposed.labels()
    number, other = np.unique(labels[labels > 0])[:2].tolist()
    with proposed.journal() as journal:
        after = labels.copy()
        after[:3, :3] = number
        journal.record(Act("edit", Patch.from_windows(labels, after)))
        again = after.copy()
        again[-3:, -3:] = other
        origin = journal.state.origins[other]
        journal.record(Act("edit", Patch.from_windows(after, again), {other: origin}))
    (found,) = replay(project, load, names=["other"])
    assert found.by_hand == 1
    assert [d.number for d in found.different] == [other]
    assert found.different[0].missing == 9
    assert found.different[0].extra == 0
    assert json.loads(json.dumps(found.to_json()))["same"] == found.same

    # Another model under the same name.
    other_colorer = FakeColorer(lambda rgb: blobs(rgb)[..., ::-1] * 0.9)
    (found,) = replay(project, lambda *_: other_colorer, names=["coins"])
    assert found.other_maps == 1
    assert other_colorer.unloaded


class Measured(FakeColorer):
    """Maps with their image, on which a learned probe was measured."""

    def __init__(self) -> None:
        super().__init__(side=None)

    def color(self, image: np.ndarray, *args: object, **kwargs: object) -> Coloring:
        made = super().color(image, *args, **kwargs)
        seen = (image * 255).astype(np.uint8)
        return replace_(made, image=seen, learned_probe="mini")


def test_what_the_learned_probe_drew_is_replayed_by_it(tmp_path: Path) -> None:
    project = Project.create(tmp_path / "p")
    by_click = project.add(coins(tmp_path))
    proposed = project.add(coins(tmp_path, "other.tif"))
    with tiny_probe_as_mini():
        colorer = Measured()
        coloring = colorer.color(to_rgb(by_click.image().plane()))
        points, signs = ((54.0, 44.0), (54.0, 60.0), (51.0, 155.0)), (1, -1, 1)
        insisted = [False, False, True]
        mask = load_probe("mini").mask(coloring, points, signs, insisted=insisted)
        assert mask.method == LEARNED and mask.area
        origin = Origin(
            "human",
            coloring.model_id,
            coloring=coloring.key,
            points=points,
            signs=signs,
            settings={METHOD: LEARNED, INSISTED: [2]},
        )
        with by_click.journal() as journal:
            labels = journal.labels()
            patch = Patch.from_windows(labels, np.where(mask.full(), 1, labels))
            journal.record(Act("commit", patch, {1: origin}))
        list(propose(project, colorer))
        origins = proposed.work().state.origins.values()
        assert {one.settings.get(METHOD) for one in origins} == {LEARNED}
        one, two = replay(project, lambda *_: Measured())
        assert (one.same, one.different, one.problems) == (1, (), ())
        assert two.same == len(origins) and not two.problems
        # Without those words, they are asked of the map alone.
        with by_click.journal() as journal:
            known = {**asdict(origin), "settings": {}}
            journal.record(Act("edit", origins={1: Origin(**known)}))
        (one,) = replay(project, lambda *_: Measured(), names=[by_click.name])
        assert [d.number for d in one.different] == [1]


def test_what_came_of_a_window_is_replayed_in_that_window(tmp_path: Path) -> None:
    project = Project.create(tmp_path / "p")
    item, colorer, window = (
        project.add(coins(tmp_path)),
        FakeColorer(),
        (20, 0, 180, 300),
    )
    part = np.s_[window[0] : window[2], window[1] : window[3]]
    coloring = colorer.color(to_rgb(item.image().plane()[part]))
    point = (104.0, 45.0)  # of the window
    clicked_ = coloring.probe([point], [1]).full()
    proposed = coloring.propose()
    other = next(n for n in range(1, 9) if not (clicked_ & (proposed == n)).any())
    with item.journal() as journal:
        labels = journal.labels()
        after = labels.copy()
        after[part][clicked_] = 1
        after[part][proposed == other] = 2
        of_map = {
            "model": coloring.model_id,
            "coloring": coloring.key,
            "window": window,
        }
        origins = {
            1: Origin("human", points=(point,), signs=(1,), **of_map),
            2: Origin("proposed", **of_map),
        }
        journal.record(Act("commit", Patch.from_windows(labels, after), origins))
    (found,) = replay(project, load)
    assert (found.same, found.different, found.problems) == (2, (), ())
    assert found.other_maps == 0


def test_a_setting_of_a_later_version_is_named(tmp_path: Path) -> None:
    project = Project.create(tmp_path / "p")
    item = project.add(coins(tmp_path))
    clicked(item, FakeColorer(), (54, 44))
    state = item.work().state
    with item.journal() as journal:
        values = {**asdict(state.origins[1]), "settings": {"sharper": 2}}
        journal.record(Act("edit", origins={1: Origin(**values)}))
    (found,) = replay(project, load)
    assert "'sharper' is not known" in found.problems[0]


def test_stacks_are_proposed_and_replayed_plane_by_plane(tmp_path: Path) -> None:
    planes = np.stack([data.coins()[:200, :200], data.coins()[100:300, :200]])
    tifffile.imwrite(tmp_path / "s.tif", planes, metadata={"axes": "ZYX"})
    iio.imwrite(tmp_path / "rgb.png", data.astronaut()[:96, :96])
    project = Project.create(tmp_path / "p")
    item = project.add(tmp_path / "s.tif")
    project.add(tmp_path / "rgb.png")
    colorer = FakeColorer()
    list(propose(project, colorer, resolution=lambda shape: shape[0] // 2))
    assert colorer.asked == [48, 100, 100]
    labels = item.labels()
    first, second = (set(np.unique(plane)) - {0} for plane in labels)
    assert first and second and not first & second
    assert all(not found.different for found in replay(project, load))
