"""A project in the window: its pictures one after the other, with the work on them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import tifffile
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QDockWidget, QFileDialog
from skimage import data
from tests.gui.conftest import Desk
from tests.gui.person import CONTROL, SHIFT
from tests.gui.trainer import press
from tests.helpers.fake_colorer import FakeColorer
from tests.helpers.waiting import BACKSTOP_MS

from napari_gen2seg.project.project import Project
from napari_gen2seg.session import Inline, ModelHost, Session

COIN, SECOND, THIRD = (51, 155), (124, 45), (125, 102)


class Office:
    """A window with the dock of a project and the dock for clicks."""

    def __init__(self, at, dock, folder):
        self.at, self.dock, self.folder = at, dock, folder
        self.person, self.viewer = at.person, at.viewer

    @property
    def widget(self):
        """The dock for clicks."""
        return self.at.widget

    @property
    def project(self):
        return Project.open(self.folder)

    def until(self, ready):
        self.person.until(ready)

    def open(self, name):
        """Double-click a picture of the list, and wait until it is colored."""
        rows = self.dock.queue.list
        self.until(lambda: rows.count())
        for place in range(rows.count()):
            if rows.item(place).text().startswith(f"{name}\n"):
                rows.itemDoubleClicked.emit(rows.item(place))
        self.shown(name)

    def shown(self, name):
        """Wait until a picture is open and ready for clicks."""
        self.until(lambda: self.dock.desk.item and self.dock.desk.item.name == name)
        self.until(lambda: self.person.layer("prompts") is not None)
        self.person.settle()

    def keep(self, *places):
        for place in places:
            self.person.click(*place)
            self.person.press(Qt.Key.Key_Return)

    def state(self, name):
        return self.dock.entries[name].state

    def text(self, name):
        """What the list says of a picture."""
        rows = self.dock.queue.list
        found = [rows.item(place).text() for place in range(rows.count())]
        return next(one for one in found if one.startswith(f"{name}\n"))

    @property
    def images(self):
        return [
            one.name
            for one in self.viewer.layers
            if one.metadata.get("napari-gen2seg", {}).get("work")
        ]


@pytest.fixture
def pictures(tmp_path):
    """A folder with three pictures of coins."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    coins = data.coins()
    for name, array in (("a", coins), ("b", coins[::-1]), ("c", coins[:, ::-1])):
        tifffile.imwrite(folder / f"{name}.tif", array)
    return folder


@pytest.fixture
def folder(tmp_path, pictures):
    """The folder of a project of them."""
    project = Project.create(tmp_path / "project")
    project.add_images(sorted(pictures.iterdir()))
    return project.folder


@pytest.fixture
def dock_in(window, memory, painter, qtbot):
    """Return a function that docks a project's dock in the window."""
    from napari_gen2seg.gui.project.widget import ProjectWidget

    made = []

    def make():
        widget = ProjectWidget(
            window,
            runner=Inline(),
            host=ModelHost(lambda *a, **k: painter),
            memory=memory,
        )
        made.append(window.window.add_dock_widget(widget, name="project"))
        qtbot.wait(50)
        return widget

    yield make
    for dock in made:
        widget = dock.widget()
        window.window.remove_dock_widget(dock)
        widget.close_widget()
        widget.deleteLater()


@pytest.fixture
def office(desk, dock_in, window, folder):
    """An open project, no picture in the window yet."""
    at = desk()
    window.layers.clear()
    dock = dock_in()
    made = Office(at, dock, folder)
    dock.open(folder)
    made.until(lambda: len(dock.entries) == 3)
    return made


def test_next_saves_the_picture_and_brings_it_back_as_it_was(office, collected):
    office.open("a")
    office.keep(COIN, SECOND)
    office.widget.probe.slider.setValue(60)
    tolerance = office.widget.session.probing.settings.tolerance
    office.person.click(*THIRD)
    before = office.at.labels.copy()
    layer = office.viewer.layers["a"]
    layer.contrast_limits = 10, 200
    camera = getattr(office.viewer, "scene", office.viewer).camera
    camera.center, camera.zoom = (0, 100, 150), 2.5
    collected.clear()
    press(office.dock.buttons.next)
    office.shown("b")
    assert len(collected) == 1, "five layers went, and their garbage once"
    assert office.images == ["b"]
    assert office.person.layer("objects") is None
    assert office.state("a") == "in work"
    office.until(lambda: "2 objects" in office.text("a"))
    office.widget.session.probing.set(tolerance=None)
    press(office.dock.buttons.previous)
    office.shown("a")
    np.testing.assert_array_equal(office.at.labels, before)
    assert office.viewer.layers["a"].contrast_limits == [10, 200]
    assert camera.zoom == pytest.approx(2.5)
    assert tuple(camera.center)[-2:] == pytest.approx((100, 150))
    assert office.widget.session.probing.settings.tolerance == tolerance
    assert office.widget.bridge.controller.current.prompts.points[0] == pytest.approx(
        THIRD, abs=1
    )
    office.person.press(Qt.Key.Key_Return)
    assert office.at.labels[THIRD] == 3
    office.widget.objects.undo.click()
    office.widget.objects.undo.click()
    assert office.at.labels[SECOND] == 0
    journal = office.widget.keeper.layer.journal
    assert journal.folder == office.folder / "items" / "a"
    np.testing.assert_array_equal(journal.labels(), office.at.labels)


def test_without_a_project_it_says_what_to_do(dock_in, folder, qtbot):
    dock = dock_in()
    buttons, hint = dock.buttons, dock.queue.hint
    assert not any(one.isEnabled() for one in (buttons.done, buttons.skip))
    assert hint.isVisible() and "New ..." in hint.text()
    dock.open(folder)
    qtbot.waitUntil(lambda: not hint.isVisible(), timeout=BACKSTOP_MS)
    states = dock.queue.states
    states.setCurrentIndex(states.findData("done"))
    states.activated.emit(states.currentIndex())
    assert hint.isVisible() and "another" in hint.text()


def test_whoever_goes_back_at_once_waits_for_the_saving(
    window, dock_in, memory, painter, qtbot, folder
):
    """With the threads of a real window: a journal is closed before it is opened."""
    from napari_gen2seg.gui.widget import SegmentWidget

    session = Session(Inline(), load=lambda *a, **k: painter)
    widget = SegmentWidget(window, session, memory=memory)
    clicks = window.window.add_dock_widget(widget, name="gen2seg")
    dock = dock_in()
    office = Office(Desk(window, widget, qtbot), dock, folder)
    dock.open(folder)
    office.until(lambda: len(dock.entries) == 3)
    office.open("a")
    office.keep(COIN)
    before = office.at.labels.copy()
    dock.go(1)
    office.until(lambda: dock.desk.item.name == "b")
    dock.go(-1)
    dock.go(1)
    dock.go(-1)
    office.shown("a")
    np.testing.assert_array_equal(office.at.labels, before)
    assert office.images == ["a"]
    assert not widget.keeper.earlier.offer
    window.window.remove_dock_widget(clicks)
    widget.close_session()
    widget.deleteLater()
    window.layers.clear()


def test_after_a_crash_a_picture_goes_on_without_asking(office, dock_in, desk):
    office.open("a")
    office.keep(COIN)
    before = office.at.labels.copy()
    journal = office.widget.keeper.layer.journal
    office.widget.keeper.layer.release()
    journal._writer.let_go()  # as a killed process leaves it: no lock, not saved whole
    assert not (journal.folder / "labels.tif").exists()
    office.widget.keeper.held[1].clear()
    office.widget.keeper.layers.clear()
    office.viewer.layers.clear()
    office.dock.desk.color = False  # its map takes its time
    office.dock.open_picture("a")
    office.until(lambda: office.person.layer("objects") is not None)
    assert office.widget.objects.saving.offer.isHidden()
    np.testing.assert_array_equal(office.at.labels, before)
    # The picture's own layer is the selected one; the keys work all the same.
    office.person.press(Qt.Key.Key_Z, CONTROL)
    assert not office.at.labels.any()
    assert "earlier act on object 1" in office.widget.status.text()
    office.person.press(Qt.Key.Key_Z, CONTROL | SHIFT)
    np.testing.assert_array_equal(office.at.labels, before)
    office.person.press(Qt.Key.Key_N)
    assert "needs the map" in office.widget.status.text()
    press(office.widget.model.color)
    office.until(lambda: "coloring" in office.person.roles())
    office.person.move(*COIN)
    roles = [one for one in office.person.roles() if one != "proposals"]
    assert roles == ["", "coloring", "objects", "preview", "prompts"]


def test_a_picture_open_in_another_window_is_told_and_ours_stays(office):
    office.open("b")
    with office.project.item("a").journal():
        rows = office.dock.queue.list
        rows.itemDoubleClicked.emit(rows.item(0))
        office.until(lambda: "another window" in office.dock.status.text())
        assert office.images == ["b"]
        assert "cannot be opened" in office.text("a")
        office.keep(COIN)
    assert office.widget.keeper.layer.journal.labels()[COIN] == 1
    office.open("a")
    assert office.images == ["a"]


def test_done_and_skip_go_on_to_what_is_left(office):
    office.open("a")
    office.keep(COIN)
    office.person.press(Qt.Key.Key_Return, CONTROL)
    office.shown("b")
    assert office.project.item("a").work().state.state == "done"
    press(office.dock.buttons.skip)
    office.shown("c")
    office.person.press(Qt.Key.Key_PageUp)
    office.shown("b")
    office.person.press(Qt.Key.Key_PageDown)
    office.shown("c")
    press(office.dock.buttons.done)
    assert "Every picture" in office.dock.status.text()
    assert [office.state(name) for name in "abc"] == ["done", "skipped", "done"]
    states = office.dock.queue.states
    assert states.itemText(states.findData("done")) == "done (2)"
    states.setCurrentIndex(states.findData("skipped"))
    states.activated.emit(states.currentIndex())
    assert [one.name for one in office.dock.queue.shown] == ["b"]


def test_the_next_pictures_are_colored_before_they_are_opened(office, painter):
    office.open("a")
    office.until(lambda: len(painter.seen) == 3)
    office.until(lambda: all(office.dock.entries[n].doubt is not None for n in "bc"))
    assert "doubt" in office.text("b")
    press(office.dock.buttons.next)
    office.shown("b")
    assert len(painter.seen) == 3
    view = office.widget.bridge.source.view
    assert office.widget.session.coloring(view) is not None
    office.keep((303 - 1 - COIN[0], COIN[1]))
    assert office.at.labels.max() == 1


def test_the_most_doubtful_come_first(office):
    from dataclasses import replace

    entries = office.dock.entries
    for name, doubt in (("a", 0.1), ("c", 0.7)):
        office.dock.known.take(replace(entries[name], doubt=doubt))
    order = office.dock.queue.order
    order.setCurrentIndex(order.findData("doubt"))
    order.activated.emit(order.currentIndex())
    assert [one.name for one in office.dock.queue.shown] == ["c", "a", "b"]


def test_a_project_is_made_of_a_folder(desk, dock_in, window, pictures, memory):
    at = desk()
    window.layers.clear()
    dock = dock_in()
    (pictures / "broken.tif").write_bytes(b"II*\0 nothing")
    from napari_gen2seg.gui.project.new_dialog import NewProjectDialog

    press(dock.buttons.new)
    (files,) = dock.findChildren(QFileDialog)
    files.fileSelected.emit(str(pictures))
    files.close()
    (dialog,) = dock.findChildren(NewProjectDialog)
    dialog.accept()
    at.person.until(lambda: len(dock.entries) == 3)
    assert sorted(dock.entries) == ["a", "b", "c"]
    assert "broken.tif" in dock.status.text()
    folder = pictures.parent / "pictures-project"
    assert Project.open(folder).items
    assert memory.get("projects") == str(folder)
    assert dock.buttons.recent.currentText() == "pictures-project"


def test_a_picture_dropped_into_the_window_is_kept_in_its_project(office, pictures):
    office.open("a")
    office.keep(COIN)
    assert office.dock.desk.leave()
    office.until(lambda: "1 object" in office.text("a"))
    office.viewer.open(str(pictures / "a.tif"), plugin="napari")
    office.person.wait(60)
    assert office.at.labels[COIN] == 1
    office.widget.model.color.click()
    office.person.wait(60)
    office.keep(SECOND)
    folder = office.folder / "items" / "a"
    assert office.widget.keeper.layer.journal.folder == folder
    assert not (pictures / "gen2seg-work").exists()


def test_the_dock_for_clicks_opened_again_goes_on_in_the_project(office, memory):
    from napari_gen2seg.gui.widget import SegmentWidget

    office.open("a")
    office.keep(COIN)
    office.widget.close_session()
    again = SegmentWidget(
        office.viewer,
        Session(Inline(), load=lambda *a, **k: FakeColorer()),
        background=Inline(),
        memory=memory,
    )
    assert again.keeper.layer.journal.folder == office.folder / "items" / "a"
    again.close_session()
    again.deleteLater()


def test_proposals_are_written_and_those_of_another_model_replace_them(office):
    office.open("a")
    office.keep(COIN)
    before = office.at.labels.copy()
    press(office.dock.buttons.propose)
    office.until(lambda: "2 pictures" in office.dock.status.text())
    # It may be called so earlier, by what was colored ahead: in no labels yet.
    office.until(lambda: office.dock.entries["b"].count > 10)
    assert office.state("b") == "proposed"
    count = office.dock.entries["b"].count
    np.testing.assert_array_equal(office.at.labels, before)
    press(office.dock.buttons.propose)
    office.until(lambda: not office.dock.jobs.running)
    office.until(lambda: office.dock.entries["b"].count == count)
    labels = office.project.item("b").labels()
    assert labels.max() > count  # other numbers: the first ones are gone


def test_fine_tuning_begins_with_the_pictures_in_work_and_done(office):
    office.open("a")
    office.keep(COIN, SECOND)
    press(office.dock.buttons.done)
    office.shown("b")
    office.keep((303 - 1 - COIN[0], COIN[1]))
    press(office.dock.buttons.next)
    office.shown("c")
    office.keep((COIN[0], 384 - 1 - COIN[1]))
    press(office.dock.buttons.finetune)
    dialog = office.widget.finetune.dialog
    office.until(lambda: len(dialog.pairs.used) == 3)
    found = {
        row.name: (row.facts.objects, at.complete) for row, at in dialog.pairs.used
    }
    assert found == {"a": (2, True), "b": (1, False), "c": (1, False)}
    assert not dialog.pairs.notes()
    dialog.adopted.emit("mini")
    assert office.dock.buttons.offer.isVisible()
    dialog.close()
    press(office.dock.buttons.later)
    assert not office.dock.buttons.offer.isVisible()


def test_export_and_import_come_out_even(office, tmp_path):
    office.open("a")
    office.keep(COIN, SECOND)
    before = office.at.labels.copy()
    press(office.dock.buttons.done)
    office.shown("b")
    target = tmp_path / "coco"
    office.dock.exchange.export("coco", target)
    office.until(lambda: "1 picture" in office.dock.status.text())
    assert (target / "README.md").exists()
    office.dock.exchange.export("coco", target)
    assert "already" in office.dock.status.text()
    rois = tmp_path / "masks" / "b_masks.tif"
    rois.parent.mkdir()
    tifffile.imwrite(rois, before.astype(np.uint16))
    office.dock.exchange.import_labels(rois.parent)
    office.shown("b")
    np.testing.assert_array_equal(office.at.labels > 0, before > 0)


def test_a_cancelled_export_leaves_nothing(office, tmp_path):
    office.open("a")
    office.keep(COIN)
    press(office.dock.buttons.done)
    office.shown("b")

    def cancel(ticket):
        ticket.cancel()
        from napari_gen2seg.project.exchange.exporting import export_project

        return export_project(
            office.project, "tiff", tmp_path / "out", cancel=lambda: ticket.cancelled
        )

    office.dock.jobs.run(cancel, str)
    assert office.dock.status.text() == "Cancelled."
    assert not (tmp_path / "out").exists()


def test_progress_tells_how_the_objects_were_made(office):
    office.open("a")
    office.keep(COIN, SECOND)
    layer = office.person.layer("objects")
    office.viewer.layers.selection.active = layer
    layer.mode, layer.brush_size = "erase", 9
    office.person.click(*COIN)
    press(office.dock.buttons.next)
    office.shown("b")
    page = office.dock.buttons.page
    office.until(lambda: page.table.rowCount() == 1)
    cells = [page.table.item(0, column).text() for column in range(6)]
    assert cells == ["fake", "2", "0", "1 (50 %)", "1 (50 %)", "0"]


def test_the_dock_fits_a_small_laptop(office):
    office.viewer.window.resize(1366, 768)
    office.open("a")
    office.person.wait(100)
    buttons = office.dock.buttons
    shown = buttons.next, buttons.done, buttons.exports, buttons.recent
    for one in shown:
        assert one.visibleRegion().boundingRect().size() == one.size()
    rows = office.dock.queue.list
    office.dock.say("")
    office.person.wait(50)
    assert rows.height() >= 100
    entry = replace(office.dock.entries["a"], state="untouched", doubt=0.31, now=0)
    for state in ("untouched", "proposed", "in work"):
        office.dock.queue.show_entry(replace(entry, state=state, waiting=12_345))
        said = office.text("a").splitlines()[1]
        room = rows.viewport().width() - rows.iconSize().width() - 12
        assert rows.fontMetrics().horizontalAdvance(said) <= room, said
    assert office.viewer.window._qt_window.height() <= 768


def test_classes_of_the_project_are_given_and_exported(office, tmp_path):
    import json

    office.project.with_class_names(["bronze", "silver"])
    office.open("a")
    assert [one.name for one in office.widget.book.classes] == ["bronze", "silver"]
    office.keep(COIN, SECOND)
    office.person.move(*COIN)
    office.person.press(Qt.Key.Key_2, CONTROL)
    office.widget.classes.add_requested.emit("gold")
    facts = office.project.facts
    assert [(one.name, one.key) for one in facts.classes] == [
        ("bronze", 1),
        ("silver", 2),
        ("gold", 3),
    ]
    press(office.dock.buttons.done)
    office.shown("b")
    office.dock.exchange.export("coco", tmp_path / "coco")
    office.until(lambda: "1 picture" in office.dock.status.text())
    (source,) = (tmp_path / "coco").rglob("*.json")
    written = json.loads(source.read_text())
    names = {one["id"]: one["name"] for one in written["categories"]}
    assert list(names.values()) == ["bronze", "silver", "gold"]
    given = [names[one["category_id"]] for one in written["annotations"]]
    assert sorted(given) == ["bronze", "silver"]  # the first is that of those without
    stored = json.loads((office.folder / "items" / "a" / "facts.json").read_text())
    assert stored["classes"] == {"1": "silver"}
    office.open("a")
    assert office.widget.keeper.objects.classes == {1: "silver"}


def test_proposals_wait_in_the_project_after_a_restart(office, painter):
    office.open("a")
    office.until(lambda: all(office.state(name) == "proposed" for name in "bc"))
    waiting = office.dock.entries["b"].waiting
    assert waiting > 10
    assert f"proposed: {waiting}, doubt" in office.text("b")
    review = office.widget.bridge.controller.review
    assert office.text("a") == "a\nuntouched"
    review.turn(True)  # of the picture that is open, too
    office.until(lambda: office.state("a") == "proposed")
    assert f"proposed: {review.review.shown.size}, doubt" in office.text("a")
    before, panel = review.review.shown.size, office.widget.review
    panel.sizes.setValue((60, 100))
    office.person.settle()
    assert review.review.shown.size != before
    assert f"proposed: {review.review.shown.size}, doubt" in office.text("a")
    panel.auto.setChecked(True)
    office.person.settle()
    assert (
        office.widget.keeper.works.journal_of(office.dock.desk._layer_id).undo_count
        == 0
    )
    review.turn(False)
    known = office.project.item("b").work()
    assert known.state.state == "proposed"
    assert not known.labels().any()
    # As after a restart: no map is in memory, and nothing ready.
    assert office.dock.desk.leave()
    office.dock.ahead.want([])
    office.widget.bridge.controller.review.planes._planes.clear()
    assert len(office.widget.session._colorings) == 0
    painter.seen.clear()
    office.open("b")
    view = office.widget.bridge.source.view
    office.until(lambda: office.widget.session.coloring(view) is not None)
    assert painter.seen == []
    review.turn(True)
    assert review.review.shown.size == waiting
    place = review.review.candidates.points[review.review.shown[0]]
    office.keep([float(place[0]), float(place[1])])
    assert office.at.labels.max() == 1
    office.widget.choose(passes=2)  # another map would be made now
    press(office.dock.buttons.next)
    office.shown("c")
    assert len(painter.seen) > 0


def test_a_class_is_renamed_in_all_pictures(office):
    widget = office.widget
    office.open("a")
    office.keep(COIN)
    for name in ("old", "other"):
        widget.classes.add_requested.emit(name)
    office.person.move(*COIN)
    office.person.press(Qt.Key.Key_1, CONTROL)
    press(office.dock.buttons.next)
    office.shown("b")
    office.keep(SECOND)
    office.person.move(*SECOND)
    office.person.press(Qt.Key.Key_1, CONTROL)

    def classes():
        works = [item.work() for item in office.project.items]
        names = [one.name for one in office.project.facts.classes]
        return names, [list(one.state.classes.values()) for one in works]

    office.until(lambda: classes() == (["old", "other"], [["old"], ["old"], []]))
    widget.classes.rename_requested.emit("old", "new")
    assert classes() == (["new", "other"], [["new"], ["new"], []])
    assert [one.name for one in widget.book.classes] == ["new", "other"]
    assert "Saved" in widget.objects.saving.mark.text()
    widget.objects.undo.click()
    assert classes() == (["old", "other"], [["old"], ["old"], []])
    with office.project.item("a").journal():  # another window has it
        widget.classes.rename_requested.emit("old", "new")
        assert "open" in widget.status.text()
    assert classes() == (["old", "other"], [["old"], ["old"], []])


def test_what_the_dock_for_clicks_says_is_said_in_front_of_it(office, window):
    main = office.viewer.window._qt_window
    clicks, project = (_dock_of(one) for one in (office.widget, office.dock))
    main.tabifyDockWidget(clicks, project)
    project.raise_()
    office.open("a")
    office.until(lambda: office.widget.visibleRegion().isEmpty())
    office.keep(COIN)
    status, buttons = office.dock.status, office.dock.buttons
    office.until(lambda: status.text().startswith("Object 1"))
    office.until(lambda: "Saved" in buttons.work.text())
    office.person.click(*SECOND)
    assert status.text() == "", "over with the next act, as in the dock itself"
    assert buttons.work.isVisible()
    office.person.press(Qt.Key.Key_Escape)
    clicks.raise_()
    office.until(lambda: not office.widget.visibleRegion().isEmpty())
    office.keep(SECOND)
    assert office.widget.status.text().startswith("Object 2")
    assert status.text() == ""


def _dock_of(widget):
    found = widget.parentWidget()
    while not isinstance(found, QDockWidget):
        found = found.parentWidget()
    return found
