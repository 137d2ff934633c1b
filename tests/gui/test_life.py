"""Things that happen in mid-job: layers deleted, planes changed, windows closed.

Jobs run on the real lane here, held back by a gate until the test lets them go.
"""

from __future__ import annotations

import gc
import threading
import weakref
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from napari.utils.notifications import notification_manager
from qtpy.QtCore import Qt
from skimage import data
from tests.gui.person import Person
from tests.helpers.fake_colorer import FakeColorer
from tests.helpers.waiting import BACKSTOP, BACKSTOP_MS

from napari_gen2seg.gui.qt_threads import Mailbox, lane
from napari_gen2seg.session import Session

COIN, SECOND = (51, 155), (124, 45)


class Gated(FakeColorer):
    """A colorer that waits at a gate, as a slow model would."""

    def __init__(self) -> None:
        super().__init__()
        self.gate, self.inside = threading.Event(), threading.Event()
        self.heed = False
        self.done = threading.Event()

    def color(self, image: Any, resolution: Any = None, **options: Any) -> Any:
        self.inside.set()
        if not self.gate.wait(BACKSTOP):
            raise TimeoutError("the test never opened the gate")
        try:
            return super().color(image, resolution, **options)
        finally:
            self.done.set()


@pytest.fixture
def slow():
    painter = Gated()
    yield painter
    painter.gate.set()


@pytest.fixture
def busy(make_napari_viewer_proxy, qtbot, memory, slow):
    """Coins being coloured: the model is inside and waits."""
    from napari_gen2seg.gui.widget import SegmentWidget

    viewer = make_napari_viewer_proxy(show=True)
    viewer.add_image(data.coins(), name="coins")
    mail = Mailbox()
    made = SegmentWidget(
        viewer,
        Session(lane(mail, "test"), load=lambda *a, **k: slow),
        memory=memory,
    )
    viewer.window.add_dock_widget(made, name="gen2seg")
    at = type("Desk", (), {})()
    at.viewer, at.widget, at.mail = viewer, made, mail
    at.session, at.bridge = made.session, made.bridge
    at.person = Person(viewer, qtbot)
    made.session.warm_up()  # loads; the fake needs no time for it
    made.model.color.click()
    at.person.until(slow.inside.is_set)
    yield at
    slow.gate.set()
    made.close_session()
    mail.close()
    with suppress(RuntimeError):  # gone with its window, unless taken out of it
        made.deleteLater()


def finish(at: Any, slow: Gated) -> None:
    slow.gate.set()
    at.person.until(slow.done.is_set)
    at.person.wait(60)


def assert_works(at: Any) -> None:
    """The whole job can still be done."""
    at.widget.model.color.click()
    at.person.until(lambda: at.person.layer("coloring") is not None)
    at.person.until(lambda: not at.session.job.running)
    at.person.click(*COIN)
    assert at.person.lit(COIN, 1)
    row = at.widget.objects.saving
    if not row.offer.isHidden():  # the work that was deleted is still there
        row.anew.click()
    at.person.press(Qt.Key.Key_Return)
    assert at.person.layer("objects").data[COIN] > 0


def test_window_stays_alive_and_cancel_frees_it_at_once(busy, slow):
    assert busy.widget.model.cancel.isEnabled()
    busy.person.move(*COIN)
    busy.viewer.dims.ndisplay = 2
    busy.widget.model.cancel.click()
    assert not busy.session.job.running
    assert not busy.widget.model.cancel.isEnabled()
    finish(busy, slow)
    assert busy.person.layer("coloring") is None
    assert_works(busy)


def test_source_deleted_in_mid_job(busy, slow):
    busy.viewer.layers.remove("coins")
    assert not busy.session.job.running
    finish(busy, slow)
    assert len(busy.viewer.layers) == 0
    assert "begin" in busy.widget.image.facts.text()
    busy.viewer.add_image(data.coins(), name="coins again")
    assert_works(busy)


def test_source_and_everything_deleted_after_the_job(busy, slow):
    finish(busy, slow)
    assert_works(busy)
    busy.person.click(*SECOND)
    # From the top: Mesa's software OpenGL crashes in napari 0.9 (without this plugin
    # too) when points are drawn after two Labels layers under them were removed.
    while len(busy.viewer.layers):
        busy.viewer.layers.remove(busy.viewer.layers[-1])
        busy.person.wait(10)
    busy.viewer.add_image(data.coins(), name="coins again")
    assert_works(busy)


@pytest.mark.parametrize("role", ["coloring", "preview", "prompts", "objects"])
def test_any_layer_of_ours_may_be_deleted_at_any_time(busy, slow, role):
    finish(busy, slow)
    assert_works(busy)
    busy.person.click(*SECOND)
    assert busy.person.lit(SECOND, 1)
    slow.gate.clear()
    slow.inside.clear()
    busy.widget.model.color.click()
    busy.person.until(slow.inside.is_set)
    kept = {
        name: busy.person.layer(name).data.copy()
        for name in ("prompts", "objects")
        if name != role
    }
    busy.viewer.layers.remove(busy.person.layer(role))
    busy.person.move(*SECOND)
    slow.gate.set()
    busy.person.until(lambda: not busy.session.job.running)
    busy.person.wait(60)
    for name, before in kept.items():
        assert np.array_equal(busy.person.layer(name).data, before)
    busy.widget.bridge.controller.current.start_clicking()
    assert_works(busy)


def test_picture_renamed_and_moved_in_mid_job(busy, slow):
    layer = busy.viewer.layers["coins"]
    layer.name = "money"
    layer.scale = (0.5, 0.5)
    layer.translate = (10, 20)
    finish(busy, slow)
    assert busy.widget.image.layer.currentText() == "money"
    busy.person.until(lambda: busy.person.layer("coloring") is not None)
    assert busy.person.layer("coloring").scale == pytest.approx((0.5, 0.5))
    layer.translate = (0, 0)
    for role in ("coloring", "prompts"):
        assert busy.person.layer(role).translate == pytest.approx((0, 0))


def ours(viewer: Any) -> list[Any]:
    """Return the plugin's callbacks of the pointer."""
    return [
        call
        for call in viewer.mouse_move_callbacks
        if call.__module__.startswith("napari_gen2seg")
    ]


def test_dock_removed_in_mid_job(busy, slow):
    assert ours(busy.viewer)
    busy.viewer.window.remove_dock_widget(busy.widget)
    busy.person.wait(60)
    assert not ours(busy.viewer)
    finish(busy, slow)
    busy.person.move(*COIN)
    busy.viewer.add_image(np.zeros((9, 9)))
    busy.viewer.layers.remove("coins")
    assert busy.person.layer("coloring") is None


def test_viewer_closed_in_mid_job(busy, slow, qtbot):
    busy.viewer.close()
    slow.gate.set()
    assert slow.done.wait(BACKSTOP)
    qtbot.wait(100)
    gone = lambda: "test" not in {thread.name for thread in threading.enumerate()}  # noqa: E731
    qtbot.waitUntil(gone, timeout=BACKSTOP_MS)
    assert not any(note.severity == "error" for note in notification_manager.records)


def test_removed_dock_leaves_nothing_behind(make_napari_viewer, qtbot, memory):
    from napari_gen2seg.gui.widget import SegmentWidget

    viewer = make_napari_viewer(show=True)
    viewer.add_image(data.coins())
    before = len(viewer.mouse_move_callbacks)
    widget = SegmentWidget(
        viewer, Session(load=lambda *a, **k: FakeColorer()), memory=memory
    )
    gone = weakref.ref(widget.session)
    dock = viewer.window.add_dock_widget(widget, name="gen2seg")
    qtbot.wait(50)
    viewer.window.remove_dock_widget(dock)
    qtbot.wait(50)
    assert len(viewer.mouse_move_callbacks) == before
    widget.deleteLater()
    del widget, dock

    def collected() -> bool:  # when what warms up behind the window is done, too
        gc.collect()
        return gone() is None

    qtbot.waitUntil(collected, timeout=BACKSTOP_MS)


def test_a_dock_opened_again_finds_its_clicks(make_napari_viewer, qtbot, memory):
    from napari_gen2seg.gui.widget import SegmentWidget

    viewer = make_napari_viewer(show=True)
    viewer.add_image(data.coins())

    def open_dock() -> Any:
        widget = SegmentWidget(
            viewer, Session(load=lambda *a, **k: FakeColorer()), memory=memory
        )
        dock = viewer.window.add_dock_widget(widget, name="gen2seg")
        return widget, dock

    widget, dock = open_dock()
    person = Person(viewer, qtbot)
    widget.model.color.click()
    person.click(*COIN)
    person.press(Qt.Key.Key_Return)
    person.click(*SECOND)
    viewer.window.remove_dock_widget(dock)
    qtbot.wait(50)
    assert not person.layer("preview").data.any()
    widget, dock = open_dock()
    qtbot.wait(50)
    assert sum(layer.name.endswith("clicks") for layer in viewer.layers) == 1
    widget.model.color.click()
    person.settle()
    layers = [layer.metadata.get("napari-gen2seg", {}) for layer in viewer.layers]
    assert [m.get("role") for m in layers].count("prompts") == 1
    assert [m.get("role") for m in layers].count("coloring") == 1
    assert len(person.layer("prompts").data) == 2
    widget.close_session()
