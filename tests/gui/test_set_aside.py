"""Earlier work that was set aside is opened again, in place of the present work."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile
from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest
from skimage import data
from tests.gui.person import SHIFT

from napari_gen2seg.project.journal import Journal
from napari_gen2seg.project.journal.files import read_work

COIN, SECOND, THIRD = (51, 155), (124, 45), (125, 102)


def keep(at, *places):
    for place in places:
        at.person.click(*place)
        at.person.press(Qt.Key.Key_Return)


def set_aside(tmp_path):
    return sorted((tmp_path / "home" / "work").glob("*.before-*"))


def color(at):
    at.widget.model.color.click()
    at.person.wait(60)


def dialog_of(at):
    """Press *Earlier work ...* with the mouse; return the dialog with its list."""
    row = at.widget.objects.saving
    assert row.earlier.isVisible()
    QTest.mouseClick(row.earlier, Qt.MouseButton.LeftButton)
    dialog = row.earlier_dialog
    at.person.until(dialog.isVisible)
    return dialog


def lines(dialog):
    return [dialog.list.item(row).text() for row in range(dialog.list.count())]


def choose(at, row=0):
    """Choose a row of the dialog with the mouse, and press Open."""
    dialog = dialog_of(at)
    place = dialog.list.visualItemRect(dialog.list.item(row)).center()
    QTest.mouseClick(
        dialog.list.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(place)
    )
    QTest.mouseClick(dialog.open_it, Qt.MouseButton.LeftButton)
    at.person.settle()
    at.person.wait(30)
    assert at.widget.objects.saving.earlier_dialog is None


@pytest.fixture
def anew(coins, desk):
    """Coins whose two objects were set aside, and a third one kept since."""
    keep(coins, COIN, SECOND)
    coins.widget.close_session()
    coins.viewer.layers.clear()
    at = desk()
    at.widget.objects.saving.anew.click()
    assert "Earlier work ... brings it back" in at.widget.status.text()
    color(at)
    keep(at, THIRD)
    assert [at.labels[one] for one in (COIN, SECOND, THIRD)] == [0, 0, 1]
    return at


def test_nothing_is_offered_where_nothing_was_set_aside(coins):
    keep(coins, COIN)
    assert coins.widget.objects.saving.earlier.isHidden()


def test_earlier_work_comes_back_and_the_present_can_be_chosen_again(anew, tmp_path):
    dialog = dialog_of(anew)
    assert len(lines(dialog)) == 1
    assert lines(dialog)[0].endswith(", 2 objects")
    dialog.reject()
    anew.person.wait(30)
    assert anew.labels[THIRD] == 1

    choose(anew)
    said = anew.widget.status.text()
    assert said.startswith("The earlier work is open again (")
    assert "2 objects" in said
    assert "what was there before is set aside" in said
    assert anew.person.roles().count("objects") == 1
    assert [anew.labels[one] for one in (COIN, SECOND, THIRD)] == [1, 2, 0]
    # Its clicks are there, and nothing of the other work's.
    anew.bridge.controller.current.set_object(1)
    prompts = anew.bridge.controller.current.prompts
    assert len(prompts) == 1
    assert prompts.points[0] == pytest.approx(COIN, abs=1)
    anew.person.press(Qt.Key.Key_Escape)
    # It goes on, in its own journal, and what it did before can be taken back.
    journal = anew.widget.keeper.layer.journal
    np.testing.assert_array_equal(journal.labels(), anew.labels)
    anew.bridge.controller.current.next_object()
    keep(anew, THIRD)
    assert anew.labels[THIRD] == 3
    for _ in range(2):
        anew.widget.objects.undo.click()
        anew.person.settle()
    assert anew.labels[THIRD] == anew.labels[SECOND] == 0
    assert anew.labels[COIN] == 1
    np.testing.assert_array_equal(journal.labels(), anew.labels)

    # The other one is one object, and comes back the same way.
    (aside,) = set_aside(tmp_path)
    assert np.unique(read_work(aside).labels()).tolist() == [0, 1]
    choose(anew)
    assert [anew.labels[one] for one in (COIN, SECOND, THIRD)] == [0, 0, 1]
    (aside,) = set_aside(tmp_path)
    kept = read_work(aside).labels()
    assert [kept[one] for one in (COIN, SECOND, THIRD)] == [1, 0, 0]


def test_it_comes_back_after_a_restart_with_nothing_kept_since(coins, desk, tmp_path):
    keep(coins, COIN)
    before = coins.labels.copy()
    for _ in range(2):
        coins.widget.close_session()
        coins.viewer.layers.clear()
        coins = desk()
        coins.widget.objects.saving.anew.click()
    assert coins.widget.objects.saving.offer.isHidden()
    choose(coins)
    np.testing.assert_array_equal(coins.labels, before)
    assert "set aside" not in coins.widget.status.text()
    assert set_aside(tmp_path) == []
    assert coins.widget.objects.saving.earlier.isHidden()


def test_it_takes_the_place_of_work_that_is_offered(anew, desk, tmp_path):
    anew.widget.close_session()
    anew.viewer.layers.clear()
    at = desk()
    assert at.widget.objects.saving.offer.isVisible()
    choose(at)
    assert at.widget.objects.saving.offer.isHidden()
    assert [at.labels[one] for one in (COIN, SECOND, THIRD)] == [1, 2, 0]
    (aside,) = set_aside(tmp_path)
    assert read_work(aside).labels()[THIRD] == 1


@pytest.mark.parametrize("damage", ["labels", "facts", "gone"])
def test_damaged_earlier_work_is_named_and_nothing_is_lost(anew, tmp_path, damage):
    (aside,) = set_aside(tmp_path)
    if damage == "labels":
        whole = (aside / "labels.tif").read_bytes()
        (aside / "labels.tif").write_bytes(whole[: len(whole) // 2])
    elif damage == "facts":
        (aside / "facts.json").write_text("{")
    else:
        (aside / "facts.json").unlink()
    before = anew.labels.copy()
    dialog = dialog_of(anew)
    assert lines(dialog) == [f"{aside.name}: cannot be read"]
    assert not dialog.open_it.isEnabled()
    assert str(aside) in dialog.problem.text()
    dialog.reject()
    anew.widget.keeper.aside.open(aside)  # damaged after it was listed
    anew.person.settle()
    assert str(aside) in anew.widget.status.text()
    np.testing.assert_array_equal(anew.labels, before)
    keep(anew, COIN)
    assert anew.labels[COIN] == 2
    journal = anew.widget.keeper.layer.journal
    np.testing.assert_array_equal(journal.labels(), anew.labels)
    assert set_aside(tmp_path) == [aside]


def test_what_cannot_be_moved_is_told_and_the_present_work_is_open(anew, monkeypatch):
    from napari_gen2seg.errors import StorageError
    from napari_gen2seg.gui.saving import set_aside as module

    def refuse(*_):
        raise StorageError("The earlier work could not be brought back (in use).")

    monkeypatch.setattr(module, "bring_back", refuse)
    before = anew.labels.copy()
    choose(anew)
    assert "could not be brought back" in anew.widget.status.text()
    np.testing.assert_array_equal(anew.labels, before)
    keep(anew, COIN)
    journal = anew.widget.keeper.layer.journal
    np.testing.assert_array_equal(journal.labels(), anew.labels)


def test_work_that_is_not_saved_stays(anew, monkeypatch, tmp_path):
    kept = anew.widget.keeper.layer
    monkeypatch.setattr(type(kept), "retry", lambda self: None)
    kept.problem = "The disk is full."
    choose(anew)
    assert "The disk is full." in anew.widget.status.text()
    assert anew.labels[THIRD] == 1
    assert anew.widget.keeper.layer is kept
    assert len(set_aside(tmp_path)) == 1
    kept.problem = ""


def test_clicks_that_are_in_no_file_are_not_thrown_away(coins, desk):
    keep(coins, COIN)
    coins.widget.close_session()
    coins.viewer.layers.clear()
    at = desk()
    at.widget.objects.saving.anew.click()
    color(at)
    at.person.click(*THIRD)
    at.person.click(*SECOND, modifier=SHIFT)
    choose(at)
    assert "An object is being clicked" in at.widget.status.text()
    assert len(at.bridge.controller.current.prompts) == 2
    at.person.press(Qt.Key.Key_Escape)
    choose(at)
    assert at.labels[COIN] == 1


def test_a_labels_layer_of_one_s_own_is_left(anew, tmp_path):
    anew.viewer.layers.remove(anew.person.layer("objects"))
    anew.widget.objects.saving.anew.click()
    mine = anew.viewer.add_labels(np.zeros((303, 384), np.int32), name="mine")
    anew.widget.objects.target.choose(mine)
    anew.person.settle()
    color(anew)
    keep(anew, COIN)
    number = mine.data[COIN]
    assert number
    dialog = dialog_of(anew)
    told = [text.split(", ")[1] for text in lines(dialog)]
    assert told == ["1 object", "2 objects"]  # the latest first
    dialog.reject()
    choose(anew, row=1)
    assert mine in anew.viewer.layers
    assert not mine.visible
    assert mine.data[COIN] == number
    assert anew.person.layer("objects").data[SECOND] == 2
    assert len(set_aside(tmp_path)) == 2


def test_work_beside_a_file_and_one_that_is_open_elsewhere(desk, window, tmp_path):
    path = tmp_path / "pictures" / "coins.tif"
    path.parent.mkdir()
    tifffile.imwrite(path, data.coins())
    at = desk()
    for place in (COIN, SECOND):
        window.layers.clear()
        window.open(str(path), plugin="napari")
        if not at.widget.objects.saving.offer.isHidden():
            at.widget.objects.saving.anew.click()
        color(at)
        keep(at, place)
    folder = path.parent / "gen2seg-work"
    (aside,) = folder.glob("*.before-*")
    identity = at.widget.keeper.work.identity
    with Journal(identity, (303, 384), folder=aside):
        choose(at)
        assert "open in another window" in at.widget.status.text()
        assert at.labels[SECOND] == 1
    choose(at)
    assert at.labels[COIN] == 1
    assert tifffile.imread(folder / "coins.tif" / "labels.tif")[COIN] == 1
