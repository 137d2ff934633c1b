"""A dock that is closed and opened again goes on where it was left."""

from __future__ import annotations

import pytest
from qtpy.QtCore import Qt
from skimage import data
from tests.gui.person import Person
from tests.helpers.fake_colorer import FakeColorer

from napari_gen2seg.session import Inline, Session

COIN, SECOND, THIRD = (51, 155), (124, 45), (125, 102)


@pytest.fixture
def again(window, qtbot, memory):
    """Coloured coins with one object kept; ``again`` closes the dock and opens it."""
    from napari_gen2seg.gui.widget import SegmentWidget

    viewer = window
    viewer.add_image(data.coins())
    docks = []

    def open_again():
        while docks:
            viewer.window.remove_dock_widget(docks.pop())
            qtbot.wait(50)
        widget = SegmentWidget(
            viewer,
            Session(Inline(), load=lambda *a, **k: FakeColorer()),
            background=Inline(),
            memory=memory,
        )
        docks.append(viewer.window.add_dock_widget(widget, name="gen2seg"))
        qtbot.wait(50)
        return widget

    widget = open_again()
    person = open_again.person = Person(viewer, qtbot)
    widget.model.color.click()
    person.wait(60)
    person.click(*COIN)
    person.press(Qt.Key.Key_Return)
    yield open_again
    dock = docks.pop()
    widget = dock.widget()
    viewer.window.remove_dock_widget(dock)
    widget.close_session()
    widget.deleteLater()
    viewer.layers.clear()


def objects(viewer) -> list:
    return [
        layer
        for layer in viewer.layers
        if layer.metadata.get("napari-gen2seg", {}).get("role") == "objects"
    ]


def test_the_next_object_has_the_next_number_in_the_same_layer(again):
    widget, person = again(), again.person
    (layer,) = objects(person.viewer)
    assert widget.objects.target.layer is layer
    assert widget.objects.number.value() == 2
    assert "1 object" in widget.objects.counter.text()
    person.click(*SECOND)
    person.press(Qt.Key.Key_Return)
    assert objects(person.viewer) == [layer]
    assert [layer.data[at] for at in (COIN, SECOND)] == [1, 2]


def test_an_unfinished_object_is_gone_on_with(again):
    person = again.person
    person.click(*SECOND)
    widget = again()
    assert widget.bridge.controller.current.number == 2
    assert len(widget.bridge.controller.current.prompts) == 1
    person.click(*THIRD)
    person.press(Qt.Key.Key_Return)
    (layer,) = objects(person.viewer)
    assert [layer.data[at] for at in (COIN, SECOND, THIRD)] == [1, 2, 2]


def test_a_dock_without_its_map_does_not_go_on_with_a_finished_object(again):
    person = again.person
    person.viewer.layers.remove(person.layer("coloring"))
    widget = again()
    widget.model.color.click()
    person.wait(60)
    assert widget.bridge.controller.current.number == 2
    assert len(widget.bridge.controller.current.prompts) == 0


def test_a_model_that_is_gone_is_not_asked_for(again, memory, tmp_path):
    memory.set("model", str(tmp_path / "once-mine"))
    widget = again()
    assert widget.session.model.choice.model == "mini"
    assert widget.status.text() == "'once-mine' is gone; mini is in use."
