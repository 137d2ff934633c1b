"""The window of a small laptop, the second dock, and the Tab key."""

from __future__ import annotations

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QDockWidget, QLabel, QTabBar
from superqt import QCollapsible

from napari_gen2seg.gui.panels.widgets import Column
from napari_gen2seg.gui.table.widget import ObjectsTable


@pytest.fixture
def laptop(coins):
    coins.viewer.window.resize(1366, 768)
    coins.person.wait(100)
    return coins


def wholly_seen(widget) -> bool:
    return widget.visibleRegion().boundingRect().size() == widget.size()


def test_commit_object_and_undo_are_in_view_without_scrolling(laptop):
    panel = laptop.widget.objects
    for one in (panel.commit, panel.number, panel.undo, panel.redo, panel.target):
        assert wholly_seen(one), one
    assert laptop.widget.height() < 768


def test_a_long_sentence_pushes_nothing_over_the_edge(laptop):
    laptop.widget.status.setText("This is what went wrong, and what to do now. " * 6)
    laptop.person.wait(100)
    assert laptop.viewer.window._qt_window.height() <= 768
    assert wholly_seen(laptop.widget.objects.commit)
    assert wholly_seen(laptop.widget.status)


def test_nothing_empty_is_scrolled_through_at_the_end(laptop):
    column = laptop.widget.findChild(Column)
    for folded in column.findChildren(QCollapsible):
        folded.expand()
    laptop.person.wait(200)
    inside = column.widget()
    panels = [
        inside.layout().itemAt(n).widget() for n in range(inside.layout().count())
    ]
    last = [one for one in panels if one is not None and one.isVisible()][-1]
    assert inside.height() > column.viewport().height()
    assert inside.height() - last.geometry().bottom() < 40


def test_tab_visits_only_what_is_shown(laptop):
    """Qt passes over what is not visible; of no height is not enough."""
    careful = laptop.widget.model.careful
    (folded,) = (
        one
        for one in laptop.widget.model.findChildren(QCollapsible)
        if one.isAncestorOf(careful)
    )
    assert not careful.isVisible()
    folded.expand()
    laptop.person.wait(50)
    assert careful.isVisible()
    assert not careful.visibleRegion().isEmpty() or careful.height() > 10
    folded.collapse()
    laptop.person.wait(50)
    assert not careful.isVisible()


def dock_of(widget) -> QDockWidget:
    found = widget.parentWidget()
    while not isinstance(found, QDockWidget):
        found = found.parentWidget()
    return found


def test_docks_opened_one_after_another_are_tabs_and_fit(laptop):
    from napari_gen2seg.gui.batch.widget import BatchWidget
    from napari_gen2seg.gui.evaluate.widget import EvaluateWidget
    from napari_gen2seg.gui.project.widget import ProjectWidget

    window, main = laptop.viewer.window, laptop.viewer.window._qt_window
    laptop.widget.edit.table.click()  # below the canvas, and no tab of theirs
    (table,) = main.findChildren(ObjectsTable)
    laptop.person.wait(100)
    assert main.height() <= 768
    opened = []
    for make in (BatchWidget, ProjectWidget, EvaluateWidget):
        widget = make(laptop.viewer)
        opened.append(widget)
        window.add_dock_widget(widget, name=make.__name__)
        laptop.person.wait(100)
        assert main.height() <= 768, make
        tabs = main.tabifiedDockWidgets(dock_of(laptop.widget))
        assert dock_of(widget) in tabs, make
        assert dock_of(table) not in tabs, make
    batch, project, evaluate = opened
    for widget, last in (
        (evaluate, evaluate.start),
        (project, project.buttons.exports),
        (batch, batch.show_folder),
        (laptop.widget, laptop.widget.objects.commit),
    ):
        dock_of(widget).raise_()
        laptop.person.until(lambda last=last: wholly_seen(last))
        assert wholly_seen(table.save) and wholly_seen(main.statusBar())
    for widget in (*opened, table):
        window.remove_dock_widget(dock_of(widget))
        widget.close_widget()
        widget.deleteLater()
    laptop.person.wait(50)
    assert wholly_seen(laptop.widget.objects.commit)


def test_what_a_project_says_and_unfolds_pushes_nothing_over_the_edge(laptop):
    from napari_gen2seg.gui.project.widget import ProjectWidget

    main = laptop.viewer.window._qt_window
    project = ProjectWidget(laptop.viewer)
    laptop.viewer.window.add_dock_widget(project, name="Project")
    dock_of(project).raise_()
    laptop.person.wait(100)
    buttons = project.buttons
    project.say("The file /a/long/name/of/a/picture.tif could not be read. " * 6)
    assert project.status.toolTip().endswith("read. ")
    buttons.show_work("112 kept, 3 dropped, 27 left, outlines being refined · Saved")
    buttons.progress.expand()
    laptop.person.wait(200)
    assert main.height() <= 768
    for one in (buttons.exports, project.status, main.statusBar()):
        assert wholly_seen(one), one
    project.say("")
    laptop.person.wait(50)
    assert wholly_seen(buttons.work)
    assert buttons.page.table.visibleRegion().boundingRect().height() >= 40
    laptop.viewer.window.remove_dock_widget(dock_of(project))
    project.close_widget()
    project.deleteLater()
    laptop.person.wait(50)


def test_the_table_and_the_controls_of_a_volume_fit(laptop):
    """They are 66 pixels taller than those of a plane, and stay so in the window."""
    main = laptop.viewer.window._qt_window
    laptop.widget.edit.table.click()
    (table,) = main.findChildren(ObjectsTable)
    laptop.viewer.dims.ndisplay = 3
    laptop.person.wait(100)
    laptop.viewer.layers.selection.active = laptop.viewer.layers[0]
    laptop.person.wait(100)
    assert main.height() <= 768
    assert wholly_seen(table.save) and wholly_seen(main.statusBar())
    laptop.viewer.dims.ndisplay = 2
    laptop.viewer.window.remove_dock_widget(dock_of(table))
    table.close_widget()
    table.deleteLater()
    laptop.person.wait(50)


def test_a_row_that_appears_later_is_not_cut_off(laptop):
    column = laptop.widget.findChild(Column)

    def fits() -> bool:
        need = column.widget().minimumSizeHint().width()
        return need <= column.viewport().width()

    laptop.person.until(fits)
    laptop.viewer.add_image(np.zeros((2400, 3000), np.uint8), name="large")
    laptop.person.until(laptop.widget.image.windows.isVisible)
    laptop.person.until(fits)
    laptop.widget.model.show_training("step 12,000 of 20,000, 3 h 20 min to go")
    laptop.person.until(fits)


def test_fine_tune_is_below_plugins_and_opens_the_dialog(laptop, monkeypatch):
    from napari_gen2seg.gui.finetune.plugins_entry import FinetuneEntry

    window = laptop.viewer.window
    asked = []

    def there(plugin, name):
        asked.append((plugin, name))
        return None, laptop.widget

    monkeypatch.setattr(
        type(window), "add_plugin_dock_widget", lambda _, *names: there(*names)
    )
    before = len(window.dock_widgets)
    window.add_dock_widget(FinetuneEntry(laptop.viewer), name="Fine-tune")
    laptop.person.until(lambda: asked)
    laptop.person.wait(60)
    assert asked == [("napari-gen2seg", "Segment by clicking")]
    assert laptop.widget.finetune.dialog.isVisible()
    assert len(window.dock_widgets) == before
    laptop.widget.finetune.dialog.close()


def test_the_table_of_objects_opens_below_and_pushes_nothing_over_the_edge(laptop):
    laptop.person.click(51, 155)
    laptop.person.press(Qt.Key.Key_Return)
    laptop.widget.edit.table.click()
    laptop.person.wait(200)
    window = laptop.viewer.window._qt_window
    (table,) = window.findChildren(ObjectsTable)
    laptop.person.until(lambda: table.rows.rowCount() == 1)
    assert window.height() <= 768
    assert wholly_seen(laptop.widget.objects.commit)
    assert wholly_seen(table.save)
    laptop.widget.edit.table.click()  # it is there already
    assert window.findChildren(ObjectsTable) == [table]
    laptop.viewer.window.remove_dock_widget(table)
    table.close_widget()
    table.deleteLater()


def test_titles_and_tabs_of_the_docks_are_read_whole(make_napari_viewer, qtbot):
    viewer = make_napari_viewer(show=True)
    viewer.window.resize(1366, 768)
    viewer.add_image(np.zeros((60, 80), np.uint8))
    docks = []
    for name in ("Segment by clicking", "Project", "Evaluate"):
        dock, _ = viewer.window.add_plugin_dock_widget("napari-gen2seg", name)
        docks.append(dock)
        qtbot.waitUntil(lambda dock=dock, name=name: dock.windowTitle() == name)
        qtbot.wait(100)
        (title,) = (
            one for one in dock.titleBarWidget().findChildren(QLabel) if one.text()
        )
        assert title.text() == name
        assert title.sizeHint().width() <= title.width()
        assert dock.toggleViewAction().text() == f"{name} (napari-gen2seg)"
    (tabs,) = (
        bar
        for bar in docks[0].window().findChildren(QTabBar)
        if "Segment by clicking" in [bar.tabText(n) for n in range(bar.count())]
    )
    for place in range(tabs.count()):
        text = tabs.tabText(place)
        assert tabs.fontMetrics().horizontalAdvance(text) < tabs.tabRect(place).width()
    docks[0].setFloating(True)
    qtbot.wait(100)
    labels = docks[0].titleBarWidget().findChildren(QLabel)
    assert "Segment by clicking" in [label.text() for label in labels]
    for dock in docks:
        viewer.window.remove_dock_widget(dock)
