"""Stacks: all planes colored, objects carried on, one undo, nothing in the way."""

from __future__ import annotations

import numpy as np
import pytest
from qtpy.QtCore import Qt
from skimage.draw import disk
from tests.gui.person import CONTROL, SHIFT

from napari_gen2seg.gui.annotate import tally as tallying
from napari_gen2seg.gui.layers.marks import TRACKS, role_of
from napari_gen2seg.gui.table import reader
from napari_gen2seg.gui.table.widget import ObjectsTable
from napari_gen2seg.session import Inline, Session

PLANES = 6
FIRST, SECOND = (40, 40), (40, 110)


def movie(planes: int = PLANES) -> np.ndarray:
    """Return two disks that wander; the second is gone from the fourth plane on."""
    image = np.zeros((planes, 120, 160), np.uint8)
    rng = np.random.default_rng(0)
    image += rng.integers(0, 20, image.shape, np.uint8)
    for z in range(planes):
        image[z][disk((40 + 2 * z, 40 + 2 * z), 16)] = 200
        if z < 3:
            image[z][disk((40, 110 - 2 * z), 14)] = 180
    return image


@pytest.fixture
def stack(desk):
    at = desk(movie())
    at.viewer.dims.set_current_step(0, 0)
    return at


@pytest.fixture
def kept(stack):
    """Both objects are kept on the first plane."""
    stack.widget.model.color.click()
    stack.person.wait(60)
    for place in (FIRST, SECOND):
        stack.person.click(*place)
        stack.person.press(Qt.Key.Key_Return)
    return stack


def done(at) -> None:
    """Wait for the work on planes."""
    at.person.until(lambda: not at.bridge.controller.stack.doing)
    at.person.settle()


def test_a_single_image_has_no_such_panel(coins):
    assert not coins.widget.stack.isVisibleTo(coins.widget)


def test_all_planes_are_colored(stack):
    panel = stack.widget.stack
    assert panel.isVisibleTo(stack.widget)
    assert panel.color.text() == f"Color all planes: {PLANES} left"
    panel.color.click()
    done(stack)
    view = stack.bridge.source.view
    for z in range(PLANES):
        assert stack.session.coloring(view.at((z, 0, 0))) is not None
    assert panel.color.text() == "Color all planes: done"
    assert stack.widget.status.text() == f"{PLANES} planes are colored."
    # Each is shown when its plane comes into view, ready for clicks.
    stack.viewer.dims.set_current_step(0, 4)
    stack.person.settle()
    assert stack.session.coloring(stack.bridge.source.view) is not None
    stack.person.click(48, 48)
    stack.person.press(Qt.Key.Key_Return)
    assert stack.labels[4, 48, 48] == 1


def test_how_long_it_takes_is_said_once_it_is_known(kept, monkeypatch):
    color = kept.widget.stack.color
    monkeypatch.setattr(type(kept.session), "seconds_a_map", lambda *_: None)
    kept.widget.stack.show_work(kept.bridge.controller.stack)
    assert color.text() == f"Color all planes: {PLANES - 1} left"
    monkeypatch.setattr(type(kept.session), "seconds_a_map", lambda *_: 30.0)
    kept.widget.stack.show_work(kept.bridge.controller.stack)
    assert color.text() == f"Color all planes: {PLANES - 1} left, some 2 min 30 s"


def test_objects_go_on_as_far_as_they_are_found(kept):
    kept.widget.stack.on.click()
    done(kept)
    for z in range(PLANES):
        assert kept.labels[z, 40 + 2 * z, 40 + 2 * z] == 1
    assert (kept.labels[2] == 2).any()
    assert not (kept.labels[3:] == 2).any()
    said = kept.widget.status.text()
    assert "2 objects to 5 planes" in said
    assert "object 2 at plane 3 (nothing is there)" in said


def test_carrying_stops_at_a_neck_if_objects_are_to_be_convex(desk):
    """Two balls, one right behind the other, that touch in a small disc."""
    z, y, x = np.ogrid[:9, :96, :96]
    radii = np.array([14, 20, 17, 12, 18, 20, 18, 14, 12])
    flat = (y - 48) ** 2 + (x - 48) ** 2 <= radii[z.ravel()][:, None, None] ** 2
    at = desk((flat * 200).astype(np.uint8))
    at.viewer.dims.set_current_step(0, 1)
    at.widget.model.color.click()
    at.person.wait(60)
    at.person.click(48, 48)
    at.person.press(Qt.Key.Key_Return)
    panel = at.widget.stack
    panel.on.click()
    done(at)
    assert all((at.labels[place] == 1).any() for place in range(1, 8))
    at.person.press(Qt.Key.Key_Z, CONTROL)
    panel.convex.setChecked(True)
    panel.on.click()
    done(at)
    reached = [bool((at.labels[place] == 1).any()) for place in range(9)]
    assert reached == [False, True, True, True, *[False] * 5]
    assert "narrows before, and widens again" in at.widget.status.text()


def test_carrying_is_one_step_back_and_forth(kept):
    before = kept.labels.copy()
    kept.widget.stack.on.click()
    done(kept)
    after = kept.labels.copy()
    assert kept.widget.status.text().startswith("Carried 2 objects to ")
    kept.person.press(Qt.Key.Key_Z, CONTROL)
    np.testing.assert_array_equal(kept.labels, before)
    assert "carrying 2 objects" in kept.widget.status.text()
    kept.person.press(Qt.Key.Key_Z, CONTROL | SHIFT)
    np.testing.assert_array_equal(kept.labels, after)
    journal = kept.widget.keeper.layer.journal
    np.testing.assert_array_equal(journal.labels(), after)


def test_a_key_carries_the_one_under_the_pointer(kept):
    kept.person.move(80, 80)
    kept.person.move(*FIRST)
    kept.person.press(Qt.Key.Key_Period)
    done(kept)
    assert (kept.labels[1] == 1).any()
    assert not (kept.labels[1] == 2).any()


def test_back_to_the_planes_before(stack):
    stack.viewer.dims.set_current_step(0, 2)
    stack.widget.model.color.click()
    stack.person.wait(60)
    stack.person.click(40, 106)
    stack.person.press(Qt.Key.Key_Return)
    stack.widget.stack.back.click()
    done(stack)
    assert stack.labels[0, 40, 110] == 1
    assert not stack.labels[3:].any()


def test_stopped_midway_keeps_what_was_reached(kept, painter):
    work = kept.bridge.controller.stack
    paint, count = painter.color, 0

    def color(*args, **kwargs):
        nonlocal count
        count += 1
        if count == 3:
            kept.widget.stack.stop.click()
        return paint(*args, **kwargs)

    painter.color = color
    kept.widget.stack.on.click()
    done(kept)
    assert not work.doing
    planes = [z for z in range(PLANES) if kept.labels[z].any()]
    assert planes == [0, 1, 2]


def test_proposals_of_all_planes_are_one_step_with_one_number_each(stack):
    stack.widget.stack.keep.click()
    assert stack.bridge.controller.stack.doing == "Keeping"
    done(stack)
    after = stack.labels.copy()
    for z in range(PLANES):
        assert after[z, 40 + 2 * z, 40 + 2 * z] == after[0, 40, 40] > 0
    assert after[2, 40, 106] == after[0, 40, 110] > 0
    assert set(np.unique(after)) == {0, 1, 2}
    assert not after[3:, 40, 100:].any()
    said = f"Kept 9 proposals on {PLANES} planes: 2 new objects."
    assert stack.widget.status.text() == said
    origins = stack.widget.keeper.objects.origins
    assert {one.who for one in origins.values()} == {"proposed"}
    assert set(origins) == {1, 2} and origins[1].plane == (0,)
    assert stack.bridge.controller.current.number == 3
    # Tracks, then a step back and forth; the tracks follow when asked again.
    stack.widget.stack.tracks.click()
    tracks = next(one for one in stack.viewer.layers if role_of(one) == TRACKS)
    assert tracks.data.shape == (9, 4)
    first = tracks.data[tracks.data[:, 0] == after[0, 40, 40]]
    np.testing.assert_allclose(first[:, 1], range(PLANES))
    np.testing.assert_allclose(first[-1, 2:], (50, 50), atol=1)
    # The table tells of all planes, wherever one looks.
    table = ObjectsTable(stack.viewer, Inline())
    dock = stack.viewer.window.add_dock_widget(table, name="t", area="bottom")
    stack.viewer.dims.set_current_step(0, 1)
    stack.person.until(lambda: table.rows.rowCount() == 2)
    names, *rows = (line.split("\t") for line in table.rows.text([0, 1]).split("\n"))
    facts = [dict(zip(names, row, strict=True)) for row in rows]
    number = str(after[0, 40, 40])
    wandering = next(one for one in facts if one["number"] == number)
    said = [wandering[name] for name in ("planes", "first", "last", "track")]
    assert said == ["6", "0", "5", number]
    voxels = np.count_nonzero(after == after[0, 40, 40])
    assert float(wandering["volume"]) == pytest.approx(voxels, rel=1e-3)
    stack.viewer.window.remove_dock_widget(dock)
    table.close_widget()
    table.deleteLater()
    name, opacity = tracks.name, tracks.opacity
    stack.person.press(Qt.Key.Key_Z, CONTROL)
    assert not stack.labels.any()
    # What they are of is gone: tracks say so, until they are asked for again.
    assert tracks.name == f"{name} (old)" and tracks.opacity < opacity
    stack.person.press(Qt.Key.Key_Z, CONTROL | SHIFT)
    np.testing.assert_array_equal(stack.labels, after)
    np.testing.assert_array_equal(stack.widget.keeper.layer.journal.labels(), after)
    stack.widget.stack.keep.click()
    done(stack)
    np.testing.assert_array_equal(stack.labels, after)
    assert "Nothing to keep" in stack.widget.status.text()


def test_certainty_and_sizes_count_and_stopping_keeps_what_was_reached(stack, painter):
    review, work = stack.bridge.controller.review, stack.bridge.controller.stack
    review.choose(None, (30.0, 99.0))  # the second is smaller
    paint, count = painter.color, 0

    def color(*args, **kwargs):
        nonlocal count
        count += 1
        if count == 3:
            stack.widget.stack.stop.click()
        return paint(*args, **kwargs)

    painter.color = color
    stack.widget.stack.keep.click()
    done(stack)
    assert not work.doing
    assert [z for z in range(PLANES) if stack.labels[z].any()] == [0, 1]
    assert set(np.unique(stack.labels)) == {0, 1}


def test_ahead_colors_the_next_planes(stack):
    stack.widget.stack.ahead.click()
    done(stack)
    view = stack.bridge.source.view
    colored = [
        stack.session.coloring(view.at((z, 0, 0))) is not None for z in range(PLANES)
    ]
    assert colored == [True, True, True, False, False, False]
    stack.viewer.dims.set_current_step(0, 2)
    done(stack)
    assert stack.session.coloring(view.at((4, 0, 0))) is not None


def test_a_plane_that_cannot_be_colored_is_said(desk, painter):
    def fail(*_args, **_kwargs):
        raise MemoryError

    painter.color = fail
    at = desk(movie(), Session(Inline(), load=lambda *a, **k: painter))
    at.widget.stack.color.click()
    done(at)
    assert "not enough memory" in at.widget.status.text()
    assert at.widget.stack.color.isEnabled()


def test_an_image_that_is_removed_ends_the_work(kept):
    kept.widget.stack.on.click()
    kept.viewer.layers.remove(kept.bridge.source.layer)
    kept.person.settle()
    assert not kept.bridge.controller.stack.doing
    assert not kept.widget.stack.isVisibleTo(kept.widget)
    assert not kept.labels[1:].any()


def test_along_the_axis_that_was_chosen(desk):
    at = desk(np.stack([movie(4), movie(4)]), axis_labels=("t", "z", "y", "x"))
    panel = at.widget.stack
    assert [panel.axis.itemText(n) for n in range(2)] == ["t: 2 planes", "z: 4 planes"]
    assert panel.axis.currentIndex() == 1
    panel.axis.setCurrentIndex(0)
    assert panel.color.text() == "Color all planes: 2 left"
    panel.color.click()
    done(at)
    view = at.bridge.source.view
    z = view.index[1]
    assert at.session.coloring(view.at((1, z, 0, 0))) is not None
    assert at.session.coloring(view.at((1, (z + 1) % 4, 0, 0))) is None


def test_no_dot_in_the_corner_where_no_click_is_in_view(kept):
    def brightest() -> int:
        """Return the brightest pixel of the screen around the first pixel."""
        at = kept.person.place(0, 0)
        shot = kept.viewer.screenshot(canvas_only=True, flash=False)
        rows, cols = (slice(max(n - 8, 0), n + 9) for n in (at.y(), at.x()))
        return int(shot[rows, cols, :3].min(axis=2).max())

    for at in (0, 1, 0):
        kept.viewer.dims.set_current_step(0, at)
        kept.person.settle()
        assert brightest() < 150, at
    kept.person.click(*FIRST)
    kept.person.settle()
    size = kept.person.layer("prompts").canvas_size_limits[0]
    assert size == 9, "a click is never too small to be seen"


def test_a_step_through_the_planes_counts_none_of_them(kept, monkeypatch):
    """And an edit only the plane that it is on, as far as that is told."""
    objects, counted = kept.bridge.controller.objects, []
    tally = objects.tally
    objects.recount()
    find = tallying.labels_of_planes

    def noted(data, known, ticket=None):
        counted.append(sorted(set(range(len(data))) - set(known)))
        return find(data, known, ticket)

    monkeypatch.setattr(tallying, "labels_of_planes", noted)
    edited = []
    objects.edited.connect(lambda: edited.append(1))
    for at in (1, 2, 5, 3):
        kept.viewer.dims.set_current_step(0, at)
        kept.person.settle()
    kept.widget.probe.slider.setValue(60)
    kept.widget.review.certainty.setValue(70)
    kept.person.settle()
    assert (counted, edited) == ([], [])
    layer = kept.person.layer("objects")
    layer.data_setitem(tuple(np.array([[1, 1], [2, 3], [4, 4]])), 7)
    objects.recount()
    assert counted == [[1]] * 2  # napari told of it before it did it
    assert (tally.count, tally.highest) == (3, 7)
    kept.viewer.dims.set_current_step(0, 4)
    layer.selected_label = 9
    layer.paint((4, 60, 60), 9)
    objects.recount()
    assert counted[2:] == [[4]] * 2
    assert (tally.count, tally.highest) == (4, 9)
    for _ in range(2):
        layer.undo()  # which tells of no plane
    assert counted[4:] == [list(range(PLANES))] * 2
    assert (tally.count, tally.highest) == (2, 2)
    kept.viewer.dims.set_current_step(0, 0)
    kept.person.settle()
    kept.person.move(*SECOND)
    kept.person.press(Qt.Key.Key_D)
    assert counted[6:] == [[0]]
    assert (tally.count, tally.highest) == (1, 1)


def test_what_happened_to_a_hidden_layer_is_counted_when_it_is_shown(kept):
    objects, layer = kept.bridge.controller.objects, kept.person.layer("objects")
    layer.visible = False
    kept.viewer.dims.set_current_step(0, 2)
    layer.undo()
    assert objects.tally.count == 2
    layer.visible = True
    assert objects.tally.count == 1


def test_the_table_goes_through_the_planes_once_until_somebody_edits(kept, monkeypatch):
    gone_through = []
    measure = reader.measure_through

    def noted(planes, check):
        gone_through.append(1)
        return measure(planes, check)

    monkeypatch.setattr(reader, "measure_through", noted)
    table = ObjectsTable(kept.viewer, Inline())
    dock = kept.viewer.window.add_dock_widget(table, name="t", area="bottom")
    kept.person.until(lambda: table.rows.rowCount() == 2)
    for at in (1, 3, 0):
        kept.viewer.dims.set_current_step(0, at)
        kept.person.wait(200)
    assert len(gone_through) == 1
    kept.person.layer("objects").undo()
    kept.person.until(lambda: table.rows.rowCount() == 1)
    assert len(gone_through) == 2
    kept.viewer.window.remove_dock_widget(dock)
    table.close_widget()
    table.deleteLater()
