"""Work that is kept: recorded, offered, gone on with, saved, never in the way."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QMessageBox
from skimage import data
from tests.gui.person import CONTROL, SHIFT
from tests.helpers.waiting import BACKSTOP_MS

from napari_gen2seg.io.identity import ImageIdentity
from napari_gen2seg.project.journal import Journal
from napari_gen2seg.project.journal.files import read_work

COIN, SECOND, THIRD = (51, 155), (124, 45), (125, 102)


@pytest.fixture
def picture(tmp_path):
    """A file of coins."""
    path = tmp_path / "pictures" / "coins.tif"
    path.parent.mkdir()
    tifffile.imwrite(path, data.coins())
    return path


def keep(at, *places):
    for place in places:
        at.person.click(*place)
        at.person.press(Qt.Key.Key_Return)


def crash(at):
    """Leave the folder as a killed process does: nothing saved whole, no lock."""
    for kept in at.widget.keeper.layers.values():
        kept.release()
        kept.journal._writer.let_go()
        kept.journal = None
    for work in at.widget.keeper.held[1].values():
        work.journal = None
    at.widget.close_session()
    at.viewer.layers.clear()


def kept_labels(at):
    """The labels as the files have them."""
    return at.widget.keeper.layer.journal.labels()


def test_looking_at_an_image_leaves_no_trace(coins, tmp_path):
    coins.person.click(*COIN)
    assert not list((tmp_path / "home").glob("work/*"))
    assert coins.widget.objects.saving.mark.text() == ""


def test_every_act_is_in_the_journal_when_it_is_shown(coins):
    layer_data = []
    keep(coins, COIN, SECOND)
    layer_data.append((coins.labels.copy(), kept_labels(coins)))
    layer = coins.person.layer("objects")
    clicks = coins.viewer.layers.selection.active
    coins.viewer.layers.selection.active = layer
    for mode, at in (("erase", COIN), ("paint", THIRD), ("fill", SECOND)):
        layer.mode, layer.brush_size, layer.selected_label = mode, 9, 3
        coins.person.click(*at)
        layer_data.append((coins.labels.copy(), kept_labels(coins)))
    layer.mode = "pan_zoom"
    for modifier in (CONTROL, CONTROL, CONTROL | SHIFT):
        coins.person.press(Qt.Key.Key_Z, modifier)
        layer_data.append((coins.labels.copy(), kept_labels(coins)))
    coins.viewer.layers.selection.active = clicks
    coins.widget.objects.undo.click()
    coins.person.settle()
    layer_data.append((coins.labels.copy(), kept_labels(coins)))
    assert len({shown.tobytes() for shown, _ in layer_data}) == 4
    for shown, kept in layer_data:
        np.testing.assert_array_equal(shown, kept)


def test_what_made_an_object_is_known(coins):
    coins.person.click(*COIN)
    coins.person.click(*SECOND, modifier=SHIFT)
    coins.person.press(Qt.Key.Key_Return)
    origin = coins.widget.keeper.layer.journal.state.origins[1]
    assert origin.who == "human"
    assert origin.signs == (1, -1)
    assert origin.points[0] == pytest.approx(COIN, abs=1)
    view = coins.bridge.source.view
    assert origin.coloring == coins.session.coloring(view).key
    layer = coins.person.layer("objects")
    coins.viewer.layers.selection.active = layer
    layer.mode, layer.brush_size = "erase", 9
    coins.person.click(*COIN)
    assert coins.widget.keeper.layer.journal.state.origins[1].who == "corrected"


def test_proposals_that_are_kept_are_known_as_proposals(desk, memory):
    memory.set("proposals", True)
    at = desk()
    at.widget.model.color.click()
    at.person.until(lambda: at.person.layer("proposals") is not None)
    at.person.press(Qt.Key.Key_Return, SHIFT)
    state = at.widget.keeper.layer.journal.state
    view = at.bridge.source.view
    assert len(state.origins) > 15
    assert state.origins.keys() == set(np.unique(at.labels)) - {0}
    assert {origin.who for origin in state.origins.values()} == {"proposed"}
    assert state.origins[1].coloring == at.session.coloring(view).key
    assert state.state == "in work"
    np.testing.assert_array_equal(kept_labels(at), at.labels)
    at.person.press(Qt.Key.Key_Z, CONTROL)
    assert not at.labels.any()
    np.testing.assert_array_equal(kept_labels(at), at.labels)


def test_after_a_crash_labels_clicks_and_settings_are_offered(coins, desk, memory):
    coins.widget.probe.slider.setValue(60)
    keep(coins, COIN, SECOND)
    coins.person.click(*THIRD)
    before = coins.labels.copy()
    crash(coins)
    memory.set("proposals", True)
    at = desk()
    row = at.widget.objects.saving
    assert not row.offer.isHidden()
    assert at.widget.objects.counter.isHidden()  # "No objects yet", right above
    assert "2 objects" in row.what.text()
    assert "not closed" in row.what.text()
    row.go_on.click()
    assert row.offer.isHidden()
    assert not at.widget.objects.counter.isHidden()
    np.testing.assert_array_equal(at.labels, before)
    assert at.session.probing.settings.tolerance is not None
    at.widget.model.color.click()
    at.person.wait(60)
    assert at.bridge.controller.current.number == 3
    assert at.bridge.controller.current.prompts.points[0] == pytest.approx(THIRD, abs=1)
    at.person.until(lambda: at.person.layer("proposals") is not None)
    drawn = ["", "coloring", "objects", "proposals", "preview", "prompts"]
    assert at.person.roles() == drawn
    at.person.press(Qt.Key.Key_Return)
    assert at.labels[THIRD] == 3
    np.testing.assert_array_equal(kept_labels(at), at.labels)
    at.bridge.controller.current.set_object(1)
    assert at.bridge.controller.current.prompts.points[0] == pytest.approx(COIN, abs=1)


def test_what_was_done_before_a_restart_can_be_taken_back(coins, desk):
    keep(coins, COIN, SECOND)
    both = coins.labels.copy()
    coins.widget.close_session()
    coins.viewer.layers.clear()
    at = desk()
    at.widget.objects.saving.go_on.click()
    at.widget.objects.undo.click()
    assert at.labels[COIN] == 1
    assert at.labels[SECOND] == 0
    np.testing.assert_array_equal(kept_labels(at), at.labels)
    at.widget.objects.redo.click()
    np.testing.assert_array_equal(at.labels, both)
    np.testing.assert_array_equal(kept_labels(at), both)


def test_begin_anew_sets_the_earlier_work_aside(coins, desk, tmp_path):
    keep(coins, COIN)
    coins.widget.close_session()
    coins.viewer.layers.clear()
    at = desk()
    assert "not closed" not in at.widget.objects.saving.what.text()
    at.widget.objects.saving.anew.click()
    assert at.person.layer("objects") is None
    (aside,) = (tmp_path / "home" / "work").glob("*.before-*")
    assert tifffile.imread(aside / "labels.tif")[COIN] == 1
    assert str(aside) in at.widget.status.text()


def test_nothing_is_kept_before_the_offer_is_answered(coins, desk, memory, tmp_path):
    keep(coins, COIN)
    coins.widget.close_session()
    coins.viewer.layers.clear()
    memory.set("proposals", True)
    at = desk()
    row = at.widget.objects.saving
    at.widget.model.color.click()
    at.person.until(lambda: at.person.layer("proposals") is not None)
    at.person.settle()
    at.person.move(*SECOND)
    for modifier in (None, SHIFT):
        at.person.press(Qt.Key.Key_Return, modifier)
        assert at.person.layer("objects") is None
        assert "waits for an answer" in at.widget.status.text()
    at.person.click(*SECOND)
    at.person.press(Qt.Key.Key_Return)
    assert at.person.layer("objects") is None
    assert row.go_on.width() > row.anew.width()
    row.go_on.click()
    at.person.press(Qt.Key.Key_Return)  # what was clicked meanwhile is kept beside it
    assert at.labels[COIN] == 1
    assert at.labels[SECOND] == 2
    np.testing.assert_array_equal(kept_labels(at), at.labels)
    assert not list((tmp_path / "home" / "work").glob("*.before-*"))


def test_paint_before_an_answer_sets_the_earlier_work_aside(coins, desk, tmp_path):
    keep(coins, COIN)
    coins.widget.close_session()
    coins.viewer.layers.clear()
    at = desk()
    mine = at.viewer.add_labels(np.zeros((303, 384), np.int32), name="mine")
    at.bridge.controller.objects.choose(mine)
    mine.selected_label = 1
    mine.paint(SECOND, 1)
    assert at.widget.objects.saving.offer.isHidden()
    assert "set aside in" in at.widget.status.text()
    assert kept_labels(at)[COIN] == 0
    (aside,) = (tmp_path / "home" / "work").glob("*.before-*")
    assert tifffile.imread(aside / "labels.tif")[COIN] == 1


def test_a_dock_opened_again_goes_on_by_itself(coins, window, qtbot, memory, painter):
    from napari_gen2seg.gui.widget import SegmentWidget
    from napari_gen2seg.session import Inline, Session

    keep(coins, COIN)
    coins.widget.close_session()
    again = SegmentWidget(
        window,
        Session(Inline(), load=lambda *a, **k: painter),
        background=Inline(),
        memory=memory,
    )
    dock = window.window.add_dock_widget(again, name="again")
    assert again.keeper.earlier.offer is None
    assert again.keeper.layer.state != ""
    window.window.remove_dock_widget(dock)
    again.close_session()
    again.deleteLater()


def test_a_labels_layer_deleted_by_mistake_is_offered_again(coins):
    keep(coins, COIN)
    before = coins.labels.copy()
    coins.viewer.layers.remove(coins.person.layer("objects"))
    row = coins.widget.objects.saving
    assert not row.offer.isHidden()
    row.go_on.click()
    np.testing.assert_array_equal(coins.labels, before)


def test_labels_that_were_there_are_kept_with_what_comes_after(desk):
    at = desk()
    there = np.zeros((303, 384), np.uint16)
    there[:5, :5] = 41
    layer = at.viewer.add_labels(there, name="by hand")
    at.widget.objects.target.choose(layer)
    at.widget.model.color.click()
    at.person.wait(60)
    keep(at, COIN)
    journal = at.widget.keeper.layer.journal
    journal.wait()
    np.testing.assert_array_equal(journal.labels(), layer.data)
    assert journal.labels()[2, 2] == 41


def test_replaced_labels_are_saved_whole(coins):
    keep(coins, COIN)
    layer = coins.person.layer("objects")
    layer.data = np.where(layer.data > 0, 7, 0).astype(np.int32)
    journal = coins.widget.keeper.layer.journal
    journal.wait()
    np.testing.assert_array_equal(journal.labels(), layer.data)


def test_two_windows_on_one_image_are_noticed_and_both_annotate(coins):
    keep(coins, COIN)
    image = coins.viewer.layers["Image"]
    identity = ImageIdentity.of_array(image.data, image.name)
    coins.widget.close_session()
    coins.viewer.layers.clear()
    with Journal(identity, (303, 384)) as other:
        coins.viewer.add_image(data.coins())
        from tests.helpers.fake_colorer import FakeColorer

        from napari_gen2seg.gui.widget import SegmentWidget
        from napari_gen2seg.session import Inline, Session

        widget = SegmentWidget(
            coins.viewer,
            Session(Inline(), load=lambda *a, **k: FakeColorer()),
            background=Inline(),
        )
        dock = coins.viewer.window.add_dock_widget(widget, name="second")
        assert "open in another window" in widget.status.text()
        widget.model.color.click()
        coins.person.wait(60)
        coins.person.click(*SECOND)
        coins.person.press(Qt.Key.Key_Return)
        assert coins.labels[SECOND] == 1
        assert "NOT saved" in widget.objects.saving.mark.text()
        assert other.labels()[SECOND] == 0
        theirs, folder = other.labels(), other.folder
        other.close()
        widget.keeper._retry()  # as every five seconds
        coins.person.settle()
        ours = widget.keeper.layer.journal
        assert ours.folder == folder
        np.testing.assert_array_equal(ours.labels(), coins.labels)
        assert "NOT saved" not in widget.objects.saving.mark.text()
        (aside,) = folder.parent.glob(f"{folder.name}.before-*")
        np.testing.assert_array_equal(read_work(aside).labels(), theirs)
        coins.viewer.window.remove_dock_widget(dock)
        widget.close_session()
        widget.deleteLater()


def test_a_failing_journal_stops_nobody_and_says_why(coins, monkeypatch):
    keep(coins, COIN)

    def broken(self, act):
        raise RuntimeError("cosmic rays")

    monkeypatch.setattr(Journal, "record", broken)
    keep(coins, SECOND)
    assert coins.labels[SECOND] == 2
    row = coins.widget.objects.saving
    assert "NOT saved" in row.mark.text()
    assert "cosmic rays" in row.mark.toolTip()
    assert "cosmic rays" in coins.widget.keeper.layer.problem
    monkeypatch.undo()
    keep(coins, THIRD)
    assert coins.labels[THIRD] == 3


def test_closing_with_unsaved_work_asks(coins, monkeypatch):
    keep(coins, COIN)
    kept = coins.widget.keeper.layer
    kept.problem = "The disk is full."
    monkeypatch.setattr(type(kept), "retry", lambda self: None)
    window = coins.widget.window()
    assert not window.close()
    assert window.isVisible()
    (box,) = coins.widget.findChildren(QMessageBox)
    assert "The disk is full." in box.text()
    box.button(QMessageBox.StandardButton.Cancel).click()
    coins.person.wait(30)
    assert window.isVisible()
    kept.problem = ""


def test_saved_is_said_and_save_as_writes_a_file(coins, tmp_path):
    keep(coins, COIN)
    row = coins.widget.objects.saving
    coins.person.until(lambda: row.mark.text() == "Saved", BACKSTOP_MS)
    row.save.click()
    coins.person.until(lambda: row.mark.text() == "Saved", BACKSTOP_MS)
    folder = coins.widget.keeper.layer.journal.folder
    assert tifffile.imread(folder / "labels.tif")[COIN] == 1
    row.save_as.click()
    row.dialog.fileSelected.emit(str(tmp_path / "mine.tif"))
    row.dialog.close()
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "mine.tif"), coins.labels)


def test_work_lies_beside_the_image(desk, window, picture):
    at = desk()
    window.layers.clear()
    window.open(str(picture), plugin="napari")
    at.widget.model.color.click()
    at.person.wait(60)
    keep(at, COIN)
    folder = picture.parent / "gen2seg-work" / "coins.tif"
    assert at.widget.keeper.layer.journal.folder == folder
    row = at.widget.objects.saving
    row.save_as.click()
    assert row.dialog.selectedFiles() == [str(picture.parent / "coins-labels.tif")]
    row.dialog.close()
    assert (folder / "journal.log").read_bytes().count(b"\n") >= 2


def test_planes_of_a_stack_are_kept(desk):
    at = desk(np.stack([data.coins()] * 3))
    at.viewer.dims.set_current_step(0, 1)
    at.widget.model.color.click()
    at.person.wait(60)
    keep(at, COIN)
    assert at.widget.keeper.layer.journal.state.origins[1].plane == (1,)
    np.testing.assert_array_equal(kept_labels(at), at.labels)
    at.viewer.dims.set_current_step(0, 2)
    at.widget.objects.undo.click()
    np.testing.assert_array_equal(kept_labels(at), at.labels)


def test_a_patch_of_a_stroke_is_what_changed(window):
    """napari tells of its tools in a form of its own, which may change."""
    from napari_gen2seg.gui.saving.napari_edits import patch_of

    layer = window.add_labels(np.zeros((2, 40, 50), np.int32))
    heard = []
    layer.events.paint.connect(lambda event: heard.append(event.value))
    before = layer.data.copy()
    with layer.block_history():
        layer.paint((1, 20, 20), 3)
        layer.paint((1, 22, 20), 4)
        layer.data_setitem((np.array([0, 0]), np.array([1, 1]), np.array([1, 2])), 9)
    patch = patch_of(heard[-1], layer.data.shape)
    patch.apply(before)
    np.testing.assert_array_equal(before, layer.data)
    patch.inverse().apply(before)
    assert not before.any()
    window.layers.clear()
