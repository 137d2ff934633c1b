"""Proposals in the window: kept, dropped, gone to, undone and redone, by hand."""

from __future__ import annotations

import numpy as np
import pytest
from qtpy.QtCore import Qt
from skimage import data
from tests.gui.person import CONTROL, SHIFT
from tests.helpers.fake_colorer import blobs

from napari_gen2seg.core.objects.drawn import KEPT
from napari_gen2seg.gui.layers.overlays import role_of
from napari_gen2seg.session import Lane

COIN, SECOND, THIRD = (51, 155), (124, 45), (125, 102)
GROUND = (88, 130)


@pytest.fixture
def offered(desk, memory):
    """Coins that were colored, with their proposals."""
    memory.set("proposals", True)
    at = desk()
    at.widget.model.color.click()
    at.person.until(lambda: at.person.layer("proposals") is not None)
    at.person.settle()
    return at


def proposals(at):
    return at.bridge.controller.review


def counts(at) -> tuple[int, int, int]:
    now = proposals(at).review.counts
    return now.kept, now.dropped, now.left


def outlined(at, place) -> bool:
    """Whether an outline is drawn around a place."""
    row, col = place
    canvas = at.person.layer("proposals").data % KEPT
    return bool(canvas[row, col:].any() and canvas[row:, col].any()) and (
        proposals(at).review.at(place) is not None
    )


def around(review, place) -> list[tuple[int, int]]:
    """Return corners around the proposal at a place, ending short of the first."""
    mask = review.candidates.masks[review.at(place)]
    crop, (top, left) = mask.window()
    bottom, right = top + crop.shape[0] + 1, left + crop.shape[1] + 1
    top, left = top - 2, left - 2
    return [(top, left), (top, right), (bottom, right), (bottom, left), (top + 6, left)]


def point_at(at, place) -> None:
    at.person.move(*GROUND)  # the pointer may be there already, which is no move
    at.person.move(*place)


def enter(at) -> None:
    at.person.press(Qt.Key.Key_Return)


def undo(at) -> None:
    at.person.press(Qt.Key.Key_Z, CONTROL)


def redo(at) -> None:
    at.person.press(Qt.Key.Key_Z, CONTROL | SHIFT)


def status(at) -> str:
    return at.widget.status.text()


def test_they_are_there_after_color_without_another_key(offered):
    kept, dropped, left = counts(offered)
    assert (kept, dropped) == (0, 0)
    assert left > 15
    assert offered.widget.review.counter.text() == f"0 kept, {left} left"
    for place in (COIN, SECOND, THIRD):
        assert outlined(offered, place)
    assert offered.person.layer("objects") is None
    roles = [role_of(layer) for layer in offered.viewer.layers]
    assert roles.index("coloring") < roles.index("proposals") < roles.index("preview")
    assert offered.viewer.layers.selection.active is offered.person.layer("prompts")


def test_enter_keeps_the_one_that_is_lit(offered):
    left = counts(offered)[2]
    point_at(offered, COIN)
    review = proposals(offered).review
    index = review.at(COIN)
    assert f"certainty {review.candidates.scores[index]:.2f}" in status(offered)
    lit = offered.person.layer("preview").data > 0
    enter(offered)
    crop, (row, col) = review.candidates.masks[index].window()
    mask = np.zeros(offered.labels.shape, bool)
    mask[row : row + crop.shape[0], col : col + crop.shape[1]] = crop
    assert np.array_equal(offered.labels == 1, mask)
    assert lit.shape != mask.shape or np.array_equal(lit, mask)
    assert counts(offered) == (1, 0, left - 1)
    assert not outlined(offered, COIN)
    assert (offered.person.layer("proposals").data[mask] == KEPT).all()
    assert len(offered.person.layer("prompts").data) == 0
    assert "Object 1:" in status(offered)
    enter(offered)  # again, without a move
    assert offered.labels.max() == 1
    assert offered.bridge.controller.current.number == 2


def test_one_act_is_one_step_to_undo_and_redo(offered):
    before = counts(offered)
    point_at(offered, COIN)
    enter(offered)
    point_at(offered, SECOND)
    enter(offered)
    both, after = offered.labels.copy(), counts(offered)
    undo(offered)
    assert offered.labels.max() == 1
    assert outlined(offered, SECOND)
    undo(offered)
    assert not offered.labels.any()
    assert counts(offered) == before
    redo(offered)
    redo(offered)
    assert np.array_equal(offered.labels, both)
    assert counts(offered) == after
    redo(offered)
    assert status(offered) == "Nothing to do again."
    offered.person.click(*THIRD)
    enter(offered)
    assert offered.labels[THIRD] == 3


def test_a_key_keeps_all_that_is_shown(offered):
    point_at(offered, COIN)
    enter(offered)
    first = offered.labels == 1
    left = counts(offered)[2]
    offered.person.press(Qt.Key.Key_Return, SHIFT)
    assert offered.labels.max() == left + 1
    assert np.array_equal(offered.labels == 1, first)
    assert counts(offered)[2] == 0
    drawn = offered.person.layer("proposals").data
    assert np.array_equal(drawn, np.where(offered.labels > 0, KEPT, 0))
    assert offered.widget.review.counter.text() == f"{left + 1} kept, 0 left"
    assert not offered.widget.review.keep_all.isEnabled()
    whole = offered.labels.copy()
    undo(offered)
    assert np.array_equal(offered.labels, first)
    assert counts(offered)[2] == left
    redo(offered)
    assert np.array_equal(offered.labels, whole)


def test_dragging_with_control_keeps_what_it_touches(offered):
    center = offered.viewer.scene.camera.center
    offered.person.drag([SECOND, (124, 75), THIRD], CONTROL)
    assert offered.labels[SECOND] == 1
    assert offered.labels[THIRD] == 2
    assert counts(offered)[0] == 2
    assert offered.viewer.scene.camera.center == center  # the canvas stayed
    assert len(offered.person.layer("prompts").data) == 0
    undo(offered)
    assert not offered.labels.any()
    redo(offered)
    assert offered.labels.max() == 2
    # What is kept lies on grey where the map would show through, and only there.
    canvas, coloring = (
        offered.person.layer("proposals"),
        offered.bridge.overlays.coloring,
    )
    assert canvas.data[SECOND] == KEPT
    coloring.visible = False
    assert canvas.data[SECOND] == 0
    coloring.visible = True
    assert canvas.data[SECOND] == KEPT
    # A loop takes what it surrounds, though it touches nothing.
    loop = around(proposals(offered).review, COIN)
    assert proposals(offered).review.along(loop).size == 0
    offered.person.drag(loop, CONTROL)
    assert offered.labels[COIN] == 3 and counts(offered)[0] == 3


def test_dragging_with_shift_too_drops_what_it_touches(offered):
    left = counts(offered)[2]
    offered.person.drag([SECOND, (124, 75), THIRD], CONTROL | SHIFT)
    assert counts(offered)[:2] == (0, 2)
    assert offered.person.layer("objects") is None
    undo(offered)
    assert counts(offered) == (0, 0, left)


def test_a_key_drops_the_one_under_the_pointer(offered):
    left = counts(offered)[2]
    point_at(offered, COIN)
    dropped = proposals(offered).review.at(COIN)
    offered.person.press(Qt.Key.Key_D)
    assert proposals(offered).review.at(COIN) != dropped
    assert counts(offered)[1] == 1
    assert "1 dropped" in offered.widget.review.counter.text()
    point_at(offered, SECOND)
    enter(offered)
    undo(offered)  # the newer act first
    assert counts(offered)[:2] == (0, 1)
    undo(offered)
    assert counts(offered) == (0, 0, left)
    assert outlined(offered, COIN)
    redo(offered)
    assert counts(offered)[:2] == (0, 1)
    redo(offered)
    assert counts(offered)[:2] == (1, 1)
    assert offered.labels[SECOND] == 1


def test_keys_go_to_the_next_and_enter_keeps_it(offered):
    camera = offered.viewer.scene.camera
    offered.person.move(*GROUND)
    offered.person.press(Qt.Key.Key_N)
    review = proposals(offered).review
    first = review.next_left()
    assert np.allclose(camera.center[1:], review.candidates.points[first])
    assert status(offered).startswith("Proposal, certainty")
    enter(offered)
    assert counts(offered)[0] == 1
    row, col = np.rint(review.candidates.points[first]).astype(int)
    assert offered.labels[row, col] == 1
    offered.person.press(Qt.Key.Key_N)
    assert np.allclose(
        camera.center[1:], review.candidates.points[review.next_left(first)]
    )
    offered.viewer.reset_view()
    offered.person.press(Qt.Key.Key_N, SHIFT)
    now = proposals(offered).review
    assert any(
        np.allclose(camera.center[1:], now.candidates.points[index])
        for index in now.shown
    )


def test_going_to_the_doubtful_begins_with_the_most_doubtful(offered):
    review = proposals(offered).review
    offered.widget.review.next_doubtful.click()
    offered.person.settle()
    worst = review.next_doubtful()
    assert review.doubt[worst] == review.doubt[review.shown].max()
    center = offered.viewer.scene.camera.center[1:]
    assert np.allclose(center, review.candidates.points[worst])
    for reason in review.reasons(worst):
        assert reason in status(offered)


def test_the_doubtful_come_in_their_order_wherever_the_pointer_went(offered):
    review = proposals(offered).review
    wanted, at = [], None
    for _ in range(3):
        at = review.next_doubtful(at)
        wanted.append(at)
    for index in wanted:
        elsewhere = next(n for n in review.shown if n not in wanted)
        offered.viewer.reset_view()
        point_at(offered, review.candidates.points[elsewhere])  # on the way somewhere
        offered.person.press(Qt.Key.Key_N, SHIFT)
        center = offered.viewer.scene.camera.center[1:]
        assert np.allclose(center, review.candidates.points[index])
    # What is decided meanwhile does not come again, and after the last the first does.
    for _ in range(len(review.shown) - 3):
        offered.person.press(Qt.Key.Key_N, SHIFT)
    offered.person.press(Qt.Key.Key_N, SHIFT)
    center = offered.viewer.scene.camera.center[1:]
    assert np.allclose(center, review.candidates.points[wanted[0]])


def test_what_is_deleted_is_not_proposed_again(offered):
    """Or Keep all would bring it back."""
    offered.person.press(Qt.Key.Key_Return, SHIFT)
    kept = len(np.unique(offered.labels))
    point_at(offered, COIN)
    offered.person.press(Qt.Key.Key_D)
    offered.person.settle()
    assert not outlined(offered, COIN)
    assert counts(offered)[1] == 1
    offered.person.press(Qt.Key.Key_Return, SHIFT)
    assert offered.labels[COIN] == 0
    undo(offered)  # one step takes both back
    offered.person.settle()
    assert offered.labels[COIN] > 0
    assert len(np.unique(offered.labels)) == kept
    redo(offered)
    offered.person.settle()
    assert not outlined(offered, COIN)
    undo(offered)
    undo(offered)  # keeping all of them
    offered.person.settle()
    assert not offered.labels.any()
    assert outlined(offered, COIN)
    assert counts(offered)[1] == 0


def test_what_napari_itself_deletes_again_is_not_proposed_again(offered):
    """Its undo and redo tell nobody; the labels show what happened."""
    offered.person.press(Qt.Key.Key_Return, SHIFT)
    point_at(offered, COIN)
    offered.person.press(Qt.Key.Key_D)
    layer = offered.person.layer("objects")
    for _ in range(2):
        undo(offered)
        offered.person.settle()
        assert offered.labels[COIN] > 0
        assert counts(offered)[1] == 0
        layer.redo()
        offered.person.settle()
        assert offered.labels[COIN] == 0
        assert not outlined(offered, COIN)
        assert counts(offered)[1] == 1
    layer.undo()
    offered.person.settle()
    assert counts(offered)[1] == 0
    undo(offered)  # goes on with what came before it
    assert not offered.labels.any()
    offered.person.settle()
    assert counts(offered)[1] == 0
    assert outlined(offered, COIN)


def test_what_napari_takes_back_with_its_deletion_is_proposed_again(offered):
    """A deletion taken back, and the object after it, leave the labels as deleted."""
    point_at(offered, COIN)
    enter(offered)
    point_at(offered, COIN)
    offered.person.press(Qt.Key.Key_D)
    offered.person.settle()
    assert not outlined(offered, COIN)
    layer = offered.person.layer("objects")
    for pause in (True, False):
        for _ in range(2):
            layer.undo()
            if pause:
                offered.person.settle()
        offered.person.settle()
        assert not offered.labels.any()
        assert outlined(offered, COIN)
        assert counts(offered)[:2] == (0, 0)
        for _ in range(2):
            layer.redo()
        offered.person.settle()
        assert not offered.labels.any()
        assert not outlined(offered, COIN)
    journal = offered.widget.keeper.layer.journal
    assert journal.undo_count == 2
    undo(offered)  # the deletion, by our own key
    assert offered.labels[COIN] == 1
    redo(offered)
    offered.person.settle()
    assert offered.labels[COIN] == 0
    assert not outlined(offered, COIN)


def test_keeping_all_stands_while_one_of_its_objects_does(offered):
    """Its first object erased by hand is an edit by hand, not the end of it."""
    offered.person.press(Qt.Key.Key_Return, SHIFT)
    layer = offered.person.layer("objects")
    first = layer.data[tuple(np.argwhere(layer.data)[0])]
    layer.data_setitem(np.nonzero(layer.data == first), 0)
    undo(offered)
    assert "edit by hand" in status(offered)
    assert (offered.labels == first).any()
    undo(offered)
    assert not offered.labels.any()


def test_a_stroke_after_undo_leaves_nothing_to_do_again(offered):
    offered.person.press(Qt.Key.Key_Return, SHIFT)
    point_at(offered, COIN)
    offered.person.press(Qt.Key.Key_D)
    undo(offered)
    layer = offered.person.layer("objects")
    layer.data_setitem(np.nonzero(layer.data == layer.data[COIN]), 0)
    offered.person.settle()
    undo(offered)
    assert "edit by hand" in status(offered)
    assert offered.labels[COIN] > 0


@pytest.fixture
def noisy(painter):
    """Make the maps noisy, from left to right, so that some objects are uncertain."""

    def draw(rgb):
        noise = np.random.default_rng(0).normal(0, 1, (*rgb.shape[:2], 3))
        return blobs(rgb) + noise * np.linspace(0, 70, rgb.shape[1])[:, None]

    painter.draw = draw


def test_sliders_show_fewer_and_are_remembered(noisy, offered, memory):
    panel, left = offered.widget.review, counts(offered)[2]
    scores = proposals(offered).review.candidates.scores
    shown = proposals(offered).review.shown
    panel.certainty.setValue(int(100 * np.median(scores[shown])) + 1)
    fewer = counts(offered)[2]
    assert 0 < fewer < left
    assert not panel.auto.isChecked()
    assert panel.counter.text() == f"0 kept, {fewer} left"
    assert memory.get("certainty") == panel.certainty.value() / 100
    panel.auto.click()
    assert counts(offered)[2] == left
    assert memory.get("certainty") == -1
    panel.sizes.setValue((60, 100))
    review = proposals(offered).review
    assert counts(offered)[2] < left
    assert (review.looks.diameters[review.shown] >= review.settings.sizes[0]).all()
    # Of a picture that is not colored nothing is shown, not what the last one had.
    assert panel.sizes_value.text() != "–" != panel.certainty_value.text()
    offered.viewer.add_image(np.zeros((90, 90), np.uint8), name="new")
    offered.person.settle()
    assert panel.sizes_value.text() == "–" == panel.certainty_value.text()
    assert panel.sizes.value() == (0, 100)
    offered.bridge.controller.review.keep_all()
    assert "not colored yet" in status(offered)


def test_off_is_off_and_remembered(offered, memory):
    offered.widget.review.on.click()
    assert not offered.person.layer("proposals").data.any()
    offered.person.press(Qt.Key.Key_Return, SHIFT)
    assert "switched off" in status(offered)
    assert memory.get("proposals") is False
    point_at(offered, COIN)
    enter(offered)
    assert offered.labels[COIN] == 1
    assert len(offered.person.layer("prompts").data) == 1  # as a click
    offered.widget.review.on.click()
    offered.person.settle()
    assert counts(offered)[0] == 1


def test_what_others_do_to_the_labels_is_seen(offered):
    left = counts(offered)[2]
    offered.person.click(*COIN)
    enter(offered)
    offered.person.settle()
    assert counts(offered) == (1, 0, left - 1)
    layer = offered.person.layer("objects")
    layer.undo()
    offered.person.settle()
    assert counts(offered) == (0, 0, left)
    layer.fill(COIN, 5)  # by hand: the whole background
    offered.person.settle()
    assert counts(offered)[2] < left


def test_corrections_of_a_kept_proposal_start_from_it(offered):
    point_at(offered, COIN)
    enter(offered)
    offered.widget.objects.number.setValue(1)
    offered.person.settle()
    prompts = offered.bridge.controller.current.prompts
    assert prompts.base is not None
    assert prompts.base.area > 0


def test_the_layer_of_the_outlines_is_made_again(offered):
    offered.viewer.layers.remove(offered.person.layer("proposals"))
    offered.person.settle()
    offered.person.move(*GROUND)
    offered.person.move(*COIN)
    assert outlined(offered, COIN)
    offered.viewer.layers.remove(offered.person.layer("proposals"))
    point_at(offered, COIN)
    enter(offered)
    assert offered.labels[COIN] == 1


def test_each_plane_has_its_own(desk, memory):
    memory.set("proposals", True)
    coins = data.coins()
    at = desk(np.stack([coins, np.flipud(coins)]), name="two")
    at.viewer.dims.set_point(0, 0)
    at.widget.model.color.click()
    at.person.until(lambda: at.person.layer("proposals") is not None)
    at.person.settle()
    at.person.press(Qt.Key.Key_Return, SHIFT)
    kept = counts(at)[0]
    assert kept > 10
    at.viewer.dims.set_point(0, 1)
    at.person.settle()
    assert proposals(at).review is None
    assert not at.person.layer("proposals").data.any()
    at.widget.model.color.click()
    at.person.until(lambda: proposals(at).review is not None)
    at.person.settle()
    assert counts(at)[0] == 0
    at.person.move(GROUND[0], GROUND[1])
    at.person.press(Qt.Key.Key_Return, SHIFT)
    assert len(np.unique(at.labels[1])) > 10
    assert at.labels[1][at.labels[1] > 0].min() > at.labels[0].max()
    at.viewer.dims.set_point(0, 0)
    at.person.settle()
    assert counts(at)[0] == kept


def test_labels_of_other_pixels_take_no_proposals_and_say_so(offered):
    offered.viewer.add_labels(np.zeros((150, 190), int), name="half", scale=(2, 2))
    target = offered.widget.objects.target
    target.choose(offered.viewer.layers["half"])
    offered.bridge.controller.objects.choose(offered.viewer.layers["half"])
    offered.person.settle()
    assert "other pixels" in offered.widget.review.counter.text()
    assert not offered.person.layer("proposals").data.any()
    assert proposals(offered).at(COIN) is None


def test_they_are_found_in_another_thread(desk, memory, qtbot):
    import threading

    memory.set("proposals", True)
    at = desk()
    seen: list[int] = []
    lane = Lane(at.widget._mail.post, "test-find")
    find = lane.submit

    def submit(kind, work, done, report=None):
        def noted(ticket):
            seen.append(threading.get_ident())
            return work(ticket)

        return find(kind, noted, done, report)

    lane.submit = submit
    proposals(at).finder._runner = lane
    # Before they are there, a key says what they wait for.
    at.person.press(Qt.Key.Key_Return)  # colors it
    started = threading.Event()
    lane.submit("wait", lambda _: started.wait(60), lambda *_: None)
    at.person.until(lambda: at.person.layer("prompts") is not None)
    at.person.until(lambda: proposals(at).finder.finding)
    at.person.press(Qt.Key.Key_Return, SHIFT)
    assert "still being looked for" in status(at)
    at.person.press(Qt.Key.Key_N)
    assert "still being looked for" in status(at)
    started.set()
    at.person.until(lambda: proposals(at).review is not None)
    at.person.settle()
    assert seen
    assert threading.get_ident() not in seen
    lane.close(5)


def test_a_coloring_made_anew_has_proposals_anew(offered):
    point_at(offered, COIN)
    offered.person.press(Qt.Key.Key_D)
    before = proposals(offered).review.candidates
    offered.widget.model.color.click()
    offered.person.wait(60)
    offered.person.until(lambda: proposals(offered).review is not None)
    assert proposals(offered).review.candidates is not before
    assert counts(offered)[1] == 0
    undo(offered)  # of candidates that are gone
    assert status(offered) == "Nothing to take back."


def test_acts_are_taken_back_newest_first_and_done_again(offered):
    person, widget = offered.person, offered.widget
    controller = offered.bridge.controller
    for name in ("old", "new"):
        widget.book.add(name)
    # A proposal kept and corrected by a single click: done again, that is no click.
    point_at(offered, THIRD)
    enter(offered)
    kept = offered.labels.copy()
    person.click(*THIRD, modifier=CONTROL)
    rows = np.argwhere(kept == 1)
    rim = tuple(rows[rows[:, 1] == rows[:, 1].min()][0] + (0, 3))
    person.click(*rim, modifier=SHIFT)
    assert len(controller.current.prompts) == 1
    enter(offered)
    corrected, number = offered.labels.copy(), controller.current.number
    assert not np.array_equal(corrected, kept)
    undo(offered)
    undo(offered)
    assert np.array_equal(offered.labels, kept)
    assert not len(controller.current.prompts)
    redo(offered)
    assert len(controller.current.prompts) == 1
    redo(offered)
    assert np.array_equal(offered.labels, corrected)
    assert not len(controller.current.prompts)
    assert controller.current.number == number
    assert widget.status.text() == "Object 1: back again."

    # What came after a click goes before it: a drop, a class, all that was kept.
    person.click(*COIN)
    assert len(controller.current.prompts) == 1
    proposals(offered).drop_along([SECOND, SECOND])
    person.move(*THIRD)
    person.press(Qt.Key.Key_2, CONTROL)
    assert widget.status.text() == "Object 1: new"
    left = counts(offered)
    person.press(Qt.Key.Key_Return, SHIFT)
    assert counts(offered)[2] == 0
    undo(offered)
    assert counts(offered) == left
    assert left[1] == 1
    undo(offered)
    assert widget.keeper.objects.classes == {}
    undo(offered)
    assert counts(offered)[1] == 0
    assert len(controller.current.prompts) == 1
    undo(offered)
    assert not len(controller.current.prompts)
    for _ in range(4):
        redo(offered)
    assert counts(offered)[2] == 0
    assert widget.keeper.objects.classes == {1: "new"}
    assert len(controller.current.prompts) == 1

    # Something new ends what can be done again, in the journal too.
    undo(offered)
    person.click(*GROUND)
    before = offered.labels.copy()
    redo(offered)
    assert widget.status.text() == "Nothing to do again."
    assert np.array_equal(offered.labels, before)
