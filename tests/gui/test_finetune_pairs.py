"""Which pictures with labels are found in layers and folders."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import tifffile
from napari.components import ViewerModel
from qtpy.QtCore import Qt

from napari_gen2seg.core.image.rgb import RgbRecipe
from napari_gen2seg.errors import DataError
from napari_gen2seg.gui.finetune.data.candidates import candidates
from napari_gen2seg.gui.finetune.data.image_view import (
    LINE,
    outlined,
    preview_of,
    shrunk,
)
from napari_gen2seg.gui.finetune.data.page import ALL, USE, PairsPage
from napari_gen2seg.gui.finetune.data.search import folder_rows, search
from napari_gen2seg.gui.finetune.data.selection import PairList
from napari_gen2seg.gui.finetune.result.comparison import Whole
from napari_gen2seg.gui.finetune.result.comparison_layers import show_layers
from napari_gen2seg.gui.finetune.run.preview_layer import MapLayers
from napari_gen2seg.gui.layers.marks import mark, of_project
from napari_gen2seg.gui.layers.source import Source
from napari_gen2seg.gui.layers.view import ReadOptions
from napari_gen2seg.project.journal import Act
from napari_gen2seg.project.origin import Origin
from napari_gen2seg.project.project import Project
from napari_gen2seg.session import Inline

RNG = np.random.default_rng(0)


def picture(*shape: int) -> np.ndarray:
    return RNG.integers(0, 255, shape).astype(np.uint8)


def labels(*shape: int, objects: int = 2) -> np.ndarray:
    made = np.zeros(shape, np.int32)
    for number in range(1, objects + 1):
        made[..., 4 : 4 + 6, 12 * number : 12 * number + 6] = number
    return made


@pytest.fixture
def viewer():
    return ViewerModel()


def found(viewer, wanted=None):
    source = Source(viewer)
    return search(candidates(viewer, source.options_of, wanted), lambda: None)


def test_labels_find_the_picture_of_their_size(viewer):
    viewer.add_image(picture(30, 70), name="small")
    viewer.add_image(picture(40, 80), name="big")
    viewer.add_labels(labels(40, 80), name="mine")
    (row,) = found(viewer)
    assert (row.name, row.drawn, row.facts.objects) == ("big", "mine", 2)
    assert row.suggested
    assert np.array_equal(row.source.read().image, viewer.layers["big"].data)
    assert np.array_equal(row.source.labels(), viewer.layers["mine"].data)


def test_of_pictures_of_one_size_the_name_decides_then_the_place_in_the_list(viewer):
    for name in ("plate A", "plate B"):
        viewer.add_image(picture(40, 80), name=name)
    viewer.add_labels(labels(40, 80), name="cells A")
    viewer.add_labels(labels(40, 80, objects=1), name="objects")
    rows = found(viewer)
    assert [(row.drawn, row.name) for row in rows] == [
        ("cells A", "plate A"),
        ("objects", "plate B"),
    ]
    other = viewer.layers["plate A"]
    assert rows[1].others == (("plate A", str(other.unique_id)),)
    wanted = {rows[1].labels_id: str(other.unique_id)}
    rows = found(viewer, wanted)
    assert rows[1].name == "plate A"
    # One picture with two sets of labels: those with more objects are suggested.
    assert [row.suggested for row in rows] == [True, False]


def test_labels_that_nobody_ticked_are_pointed_out(viewer, qtbot):
    viewer.add_image(picture(40, 80), name="cells")
    viewer.add_labels(labels(40, 80, objects=3), name="old")
    viewer.add_labels(labels(40, 80, objects=1), name="more")
    pairs = PairList(viewer, Source(viewer), Inline())
    page = PairsPage(pairs, Inline())
    qtbot.addWidget(page)
    pairs.rescan()
    assert "More labels of 'cells' are in 'more': tick" in page.total.text()
    page.table.item(1, 0).setCheckState(Qt.CheckState.Checked)
    assert "More labels" not in page.total.text()
    assert "taken together" in page.total.text()


def test_committed_objects_belong_to_their_source(viewer):
    first = viewer.add_image(picture(40, 80), name="first")
    viewer.add_image(picture(40, 80), name="second")
    viewer.add_labels(
        labels(40, 80), name="objects", metadata=mark("objects", str(first.unique_id))
    )
    viewer.add_labels(
        labels(40, 80), name="preview", metadata=mark("preview", str(first.unique_id))
    )
    viewer.add_image(picture(40, 80), metadata=mark("coloring", str(first.unique_id)))
    (row,) = found(viewer)
    assert row.name == "first"


def test_another_place_in_the_world_is_another_picture(viewer):
    viewer.add_image(picture(40, 80), name="here", translate=(5, 5))
    viewer.add_image(picture(40, 80), name="there")
    viewer.add_labels(labels(40, 80), name="mine", translate=(5, 5))
    assert found(viewer)[0].name == "here"


def test_labels_of_a_wrong_size_are_shown_with_the_reason(viewer):
    viewer.add_image(picture(30, 70))
    viewer.add_labels(labels(40, 80))
    (row,) = found(viewer)
    assert row.facts is None
    assert not row.suggested
    assert "40 x 80 pixels and the picture 30 x 70" in row.problem
    viewer.layers.clear()
    viewer.add_image(picture(3, 40, 80))
    viewer.add_labels(labels(40, 80))
    assert "2 dimensions and the picture 3" in found(viewer)[0].problem


def test_empty_labels_are_shown_with_the_reason(viewer):
    viewer.add_image(picture(40, 80))
    viewer.add_labels(labels(40, 80, objects=0))
    (row,) = found(viewer)
    assert "Nothing is labeled" in row.problem


def test_planes_with_objects_of_a_stack(viewer):
    stack = picture(2, 5, 40, 80)
    truth = np.zeros(stack.shape, np.int32)
    truth[0, 3] = labels(40, 80)
    truth[1, 1] = labels(40, 80, objects=1)
    viewer.add_image(stack, name="movie")
    viewer.add_labels(truth)
    rows = found(viewer)
    assert [row.name for row in rows] == ["movie, plane 0, 3", "movie, plane 1, 1"]
    assert [row.facts.objects for row in rows] == [2, 1]
    assert {row.source.group for row in rows} == {"movie"}
    assert np.array_equal(rows[1].source.read().image, stack[1, 1])
    assert rows[1].plane.index == (1, 1, 0, 0)


def test_lazy_stacks_are_read_plane_by_plane(viewer):
    dask = pytest.importorskip("dask.array")
    stack, truth = picture(4, 40, 80), np.zeros((4, 40, 80), np.int32)
    truth[2] = labels(40, 80)
    viewer.add_image(dask.from_array(stack, chunks=(1, 40, 80)))
    viewer.add_labels(dask.from_array(truth, chunks=(1, 40, 80)))
    (row,) = found(viewer)
    assert np.array_equal(row.source.read().image, stack[2])
    assert np.array_equal(row.source.labels(), truth[2])


def noted(array, reads):
    """Return a lazy array that notes which plane is read."""
    dask = pytest.importorskip("dask.array")

    def read(block, block_info=None):
        reads.append(block_info[0]["chunk-location"][0])
        return block

    lazy = dask.from_array(array, chunks=(1, *array.shape[1:]))
    return lazy.map_blocks(read, dtype=array.dtype, meta=array[:0])


def test_labels_are_read_once(viewer):
    truth, reads = np.zeros((4, 40, 80), np.int32), []
    truth[1:3] = labels(40, 80)
    viewer.add_image(picture(4, 40, 80))
    viewer.add_labels(noted(truth, reads))
    pairs = candidates(viewer, Source(viewer).options_of)
    reads.clear()  # napari has drawn a plane
    rows = search(pairs, lambda: None)
    assert [row.facts.objects for row in rows] == [2, 2]
    assert sorted(reads) == [0, 1, 2, 3]


def test_what_is_said_of_the_choice_is_said_without_reading(viewer):
    """It is said in the window, at every tick."""
    truth, reads = labels(1, 40, 80, objects=5), []
    viewer.add_image(picture(1, 40, 80))
    for name in ("one", "two"):
        viewer.add_labels(noted(truth, reads), name=name)
    pairs = PairList(viewer, Source(viewer), Inline())
    pairs.rescan()
    for row in pairs.rows:
        count = row.facts.objects
        inside = tuple(inside for _, inside in row.facts.parts)
        known = replace(row.source, proposed=count, proposed_inside=inside)
        object.__setattr__(row, "source", known)
        pairs.choose(row, use=True)
    reads.clear()
    assert any("unchanged proposals" in one for one in pairs.worries())
    assert reads == []
    pairs.close()


def test_the_axes_on_screen_are_the_picture(viewer):
    stack, truth = picture(40, 7, 80), np.zeros((40, 7, 80), np.int32)
    truth[:, 2] = labels(40, 80)
    viewer.add_image(stack)
    viewer.add_labels(truth)
    viewer.dims.order = (1, 0, 2)
    (row,) = found(viewer)
    assert np.array_equal(row.source.read().image, stack[:, 2])


def test_channels_as_the_dock_takes_them(viewer):
    layer = viewer.add_image(picture(3, 40, 80), axis_labels=("c", "y", "x"))
    viewer.add_labels(labels(40, 80))
    source = Source(viewer)
    source.choose(layer)
    recipe = RgbRecipe(channels=(2, None, 0))
    source.change(recipe=recipe)
    (row,) = search(candidates(viewer, source.options_of), lambda: None)
    assert row.source.recipe == replace(recipe, joint=False)  # microscope channels
    assert row.source.read().image.shape == (40, 80, 3)
    assert np.array_equal(row.source.read().image[..., 1], layer.data[1])


def test_layers_that_give_colours_are_no_pictures_of_their_own(viewer):
    red = viewer.add_image(picture(40, 80), name="red")
    green = viewer.add_image(picture(40, 80), name="green")
    viewer.add_labels(labels(40, 80), name="objects")
    view = ReadOptions(
        partners=(str(green.unique_id),), recipe=RgbRecipe(channels=(0, 1, None))
    )
    views = {str(red.unique_id): view}
    rows = search(
        candidates(viewer, lambda one: views.get(str(one.unique_id), ReadOptions())),
        lambda: None,
    )
    assert [row.name for row in rows] == ["red"]
    assert np.array_equal(
        rows[0].source.read().image, np.stack([red.data, green.data], -1)
    )


def test_pyramids_at_the_level_of_their_labels(viewer):
    full = picture(80, 160)
    viewer.add_image([full, full[::2, ::2]], multiscale=True)
    viewer.add_labels(labels(40, 80), scale=(2, 2), translate=(0.5, 0.5))
    (row,) = found(viewer)
    assert row.plane.level == 1
    assert np.array_equal(row.source.read().image, full[::2, ::2])


def test_folders(tmp_path):
    with pytest.raises(DataError, match="images/ and labels/"):
        folder_rows(tmp_path, lambda: None)
    for folder in ("images", "labels"):
        (tmp_path / folder).mkdir()
    for name, size in (("a", 80), ("b", 70)):
        tifffile.imwrite(tmp_path / "images" / f"{name}.tif", picture(40, 80))
        tifffile.imwrite(tmp_path / "labels" / f"{name}.tif", labels(40, size))
    good, bad = folder_rows(tmp_path, lambda: None)
    assert (good.name, good.facts.objects) == ("a", 2)
    assert "40 x 80" in bad.problem
    assert not bad.suggested


def test_a_stroke_of_the_brush_rebuilds_the_row_it_changed(viewer, qtbot):
    truth = np.stack([labels(40, 80)] * 4)
    viewer.add_image(picture(4, 40, 80), name="stack")
    layer = viewer.add_labels(truth.copy())
    pairs = PairList(viewer, Source(viewer), Inline())
    page = PairsPage(pairs, Inline())
    qtbot.addWidget(page)

    def drawn() -> list[int]:
        """Return which rows are new."""
        now = [page.table.cellWidget(n, USE) for n in range(page.table.rowCount())]
        new = [place for place, widget in enumerate(now) if widget not in seen]
        seen.extend(now[place] for place in new)
        return new

    seen = []
    pairs.rescan()
    assert drawn() == [0, 1, 2, 3]
    page.table.selectRow(2)
    page.table.item(1, 0).setCheckState(Qt.CheckState.Unchecked)
    layer.data[2, 30:36, 60:66] = 9
    pairs.rescan()
    assert drawn() == [2]
    assert page.table.item(2, 2).text() == "3"
    pairs.rescan()
    assert drawn() == []
    # What was chosen, and what was looked at, are the same pictures in another list.
    assert page.table.item(1, 0).checkState() == Qt.CheckState.Unchecked
    layer.data[0] = 0
    pairs.rescan()
    assert drawn() == [0, 1, 2]
    assert page.row.name == "stack, plane 2"
    assert page.table.item(0, 0).checkState() == Qt.CheckState.Unchecked


def test_files_of_their_own_where_names_differ_in_case_alone(viewer, qtbot):
    for name in ("DAPI", "dapi"):
        viewer.add_image(picture(40, 80), name=name)
        viewer.add_labels(labels(40, 80), name=f"labels {name}")
    pairs = PairList(viewer, Source(viewer), Inline())
    pairs.rescan()
    assert [row.name for row in pairs.rows] == ["DAPI", "dapi"]
    names = pairs.sources()[1]
    assert names == ["DAPI", "dapi-2"]


def test_what_the_model_sees_is_drawn_with_outlines(viewer):
    viewer.add_image(picture(40, 80))
    viewer.add_labels(labels(40, 80))
    (row,) = found(viewer)
    drawn, whole = preview_of(row, complete=False), preview_of(row, complete=True)
    assert (drawn[4, 12] == LINE).all()
    assert drawn[30:].mean() < 0.6 * whole[30:].mean()  # dark where nothing is known
    assert np.array_equal(drawn[6, 14], whole[6, 14])
    half = outlined(picture(20, 40, 3), labels(40, 80))
    assert (half[2, 6] == LINE).all()
    assert shrunk(labels(40, 80), (20, 40)).shape == (20, 40)


def test_maps_lie_over_the_plane_they_are_of(viewer):
    viewer.add_image(picture(3, 40, 80), scale=(2, 0.5, 0.5), name="stack")
    truth = np.zeros((3, 40, 80), np.int32)
    truth[1] = labels(40, 80)
    viewer.add_labels(truth, scale=(2, 0.5, 0.5))
    (row,) = found(viewer)
    maps = MapLayers(viewer)
    assert maps.show(row, "map", picture(20, 40, 3))
    layer = viewer.layers["map"]
    assert layer.data.shape == (1, 20, 40, 3)
    assert layer.scale == pytest.approx((2, 1, 1))
    assert layer.translate == pytest.approx((2, 0.25, 0.25))
    assert maps.titles == ["map"]
    viewer.layers.remove("stack")
    assert maps.show(row, "map", picture(20, 40, 3))
    # A finer map lies where the first one lay.
    ramp = np.broadcast_to(np.arange(40, dtype=np.uint8)[None, :, None], (20, 40, 3))
    finer = ramp.repeat(2, axis=0).repeat(2, axis=1)
    assert maps.show(row, "map", finer)
    assert layer.data.shape == (1, 20, 40, 3)
    assert np.abs(layer.data[0].astype(int) - ramp).max() <= 1
    assert layer.translate == pytest.approx((2, 0.25, 0.25))
    assert not maps.show(row, "another", picture(20, 40, 3))
    assert not maps.show(replace(row, plane=None), "none", picture(20, 40, 3))
    maps.remove()
    assert "map" not in viewer.layers


def test_comparison_layers_of_a_picture_that_is_not_open(viewer):
    half = picture(20, 40, 3)
    whole = Whole(
        picture(40, 80, 3), labels(40, 80), (half, half), (labels(40, 80), None)
    )
    names = show_layers(viewer, None, "p", whole)
    assert names == ["p", "p: map before", "p: map after", "p: objects before"]
    assert viewer.layers["p: map after"].scale == pytest.approx((2, 2))
    assert viewer.layers["p: map after"].translate == pytest.approx((0.5, 0.5))


@pytest.fixture
def clicked(viewer, qtbot):
    """Return a page of one picture: three labels, and an object committed beside."""
    image = viewer.add_image(picture(40, 80), name="powder")
    viewer.add_labels(labels(40, 80, objects=3), name="mine")
    mine = np.zeros((40, 80), np.int32)
    mine[4:12, 12:20] = 1  # the first of the three, corrected
    mine[30:36, 60:66] = 2
    viewer.add_labels(
        mine, name="objects", metadata=mark("objects", str(image.unique_id))
    )
    pairs = PairList(viewer, Source(viewer), Inline())
    page = PairsPage(pairs, Inline())
    qtbot.addWidget(page)
    pairs.rescan()
    return pairs, page


def test_what_was_clicked_is_taken_together_with_older_labels(clicked):
    pairs, page = clicked
    assert [row.suggested for row in pairs.rows] == [True, True]
    assert "1 picture with 5 objects" in page.total.text()
    assert "'mine' and 'objects' are taken together" in page.total.text()
    assert "that of 'objects' counts" in page.total.text()
    (source,) = pairs.sources()[0]
    written = source.labels()
    assert len(np.unique(written)) == 1 + 4
    assert written[11, 19] == written[4, 12] > 0  # one object, the corrected one
    assert written[30, 60] > 0
    for place in (0, 1):
        page.table.selectRow(place)
        assert "5 objects, about 7 pixels wide" in page.told.text()
    page.table.item(1, 0).setCheckState(Qt.CheckState.Unchecked)
    assert "taken together" not in page.total.text()
    assert "More labels" not in page.total.text()  # it was said that they are not
    (source,) = pairs.sources()[0]
    assert np.array_equal(source.labels(), labels(40, 80, objects=3))


def test_many_planes_are_told_of_in_few_words(viewer, qtbot):
    truth = np.stack([labels(40, 80)] * 9)
    image = viewer.add_image(picture(9, 40, 80), name="movie")
    viewer.add_labels(truth, name="mine")
    viewer.add_labels(truth, metadata=mark("objects", str(image.unique_id)), name="o")
    for number in range(5):
        viewer.add_image(picture(30, 60), name=f"p{number}")
        for name in ("a", "b"):
            viewer.add_labels(labels(30, 60), name=f"{name} {number}")
    pairs = PairList(viewer, Source(viewer), Inline())
    pairs.rescan()
    notes = pairs.notes()
    assert "and 6 more: the objects of 'mine' and 'o' are taken together" in notes[0]
    assert len(notes) == 4 and notes[-1] == "And 3 more like these."


def test_what_is_said_of_a_picture_holds_for_all_its_labels(clicked):
    pairs, page = clicked
    page.table.item(1, ALL).setCheckState(Qt.CheckState.Checked)
    assert page.table.item(0, ALL).checkState() == Qt.CheckState.Checked
    roles = page.table.cellWidget(0, USE)
    roles.setCurrentIndex(roles.findData("validation"))
    roles.activated.emit(roles.currentIndex())
    assert page.table.cellWidget(1, USE).currentData() == "validation"
    ((_, choice),) = pairs.used
    assert (choice.complete, choice.role) == (True, "validation")


def test_a_layer_that_comes_later_takes_what_was_said_of_its_picture(viewer, qtbot):
    image = viewer.add_image(picture(40, 80))
    viewer.add_labels(labels(40, 80), name="mine")
    pairs = PairList(viewer, Source(viewer), Inline())
    pairs.rescan()
    pairs.choose(pairs.rows[0], complete=True)
    pairs.choose(pairs.rows[0], use=False)
    viewer.add_labels(
        labels(40, 80, objects=1), metadata=mark("objects", str(image.unique_id))
    )
    pairs.rescan()
    assert [pairs.choice(row).complete for row in pairs.rows] == [True, True]
    assert [pairs.choice(row).use for row in pairs.rows] == [False, True]


def test_a_picture_opened_twice_is_one_picture(viewer, qtbot):
    pixels = picture(40, 80)
    for number in (1, 2):
        viewer.add_image(pixels, name=f"copy {number}")
        viewer.add_labels(labels(40, 80, objects=number), name=f"labels {number}")
    pairs = PairList(viewer, Source(viewer), Inline())
    pairs.rescan()
    assert [pairs.choice(row).use for row in pairs.rows] == [True, True]
    (source,) = pairs.sources()[0]
    assert np.array_equal(source.labels() > 0, labels(40, 80) > 0)


def test_unchanged_proposals_of_a_project_are_told_of(viewer, tmp_path):
    """Of pictures in files, and of one that is open with its objects."""
    project = Project.create(tmp_path / "p")
    (tmp_path / "labels").mkdir()
    for name in ("a", "b"):
        tifffile.imwrite(tmp_path / f"{name}.tif", picture(40, 80))
        tifffile.imwrite(tmp_path / "labels" / f"{name}.tif", labels(40, 80))
    a, b = project.add_images([tmp_path / "a.tif", tmp_path / "b.tif"])
    project.import_labels(tmp_path / "labels")
    for item in (a, b):
        with item.journal() as journal:
            origins = {1: Origin("proposed"), 2: Origin("proposed")}
            journal.record(Act("commit", origins=origins))
            journal.record(Act("state", values={"state": "done"}))
    pixels = tifffile.imread(tmp_path / "a.tif")
    image = viewer.add_image(pixels, name="a", metadata=of_project(a.folder))
    viewer.add_labels(labels(40, 80), metadata=mark("objects", str(image.unique_id)))
    pairs = PairList(viewer, Source(viewer), Inline())
    pairs.rescan()
    pairs.add_project(project.folder, ["a"])
    assert [(row.name, row.source.proposed) for row in pairs.rows] == [
        ("a", 2),
        ("b", 2),
    ]
    (told,) = (one for one in pairs.worries() if "proposals" in one)
    assert "2 of the 2 objects" in told
    with b.journal() as journal:
        journal.record(Act("commit", origins={1: Origin("corrected"), 2: Origin()}))
    pairs.add_project(project.folder, ["a"])
    assert not any("proposals" in one for one in pairs.worries()), "b is held back"
    pairs.choose(pairs.rows[0], role="validation")
    assert any("proposals" in one for one in pairs.worries())
    pairs.close()
