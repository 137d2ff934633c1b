"""Windows and docks closed while a model is trained in them."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import psutil
import pytest
from skimage import data
from tests.gui.trainer import CHILD, Trainer, coin_labels, press
from tests.helpers.fake_colorer import FakeColorer
from tests.helpers.waiting import BACKSTOP_MS

from napari_gen2seg.jobs.training.past_runs import waiting_runs
from napari_gen2seg.session import Inline, Session


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("NAPARI_GEN2SEG_HOME", str(tmp_path / "home"))


@pytest.fixture
def viewer(make_napari_viewer):
    made = make_napari_viewer(show=True)
    made.add_image(data.coins(), name="coins")
    made.add_labels(coin_labels(), name="labels")
    return made


@pytest.fixture
def docked(viewer, qtbot, memory, tiny_sd):
    """Return a function that opens a dock with somebody in front of it."""

    def make() -> Trainer:
        from napari_gen2seg.gui.widget import SegmentWidget

        widget = SegmentWidget(
            viewer, Session(Inline(), load=lambda *a, **k: FakeColorer()), memory=memory
        )
        widget.finetune.options = {"command": (sys.executable, str(CHILD))}
        dock = viewer.window.add_dock_widget(widget, name="gen2seg")
        desk = SimpleNamespace(viewer=viewer, widget=widget, dock=dock)
        return Trainer(desk, qtbot, tiny_sd)

    return make


def train(at: Trainer) -> psutil.Process:
    at.start()
    at.steps(7)
    return psutil.Process(at.work.run.pid)


def wait_for_end(process: psutil.Process, qtbot: Any) -> None:
    def over() -> bool:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE

    qtbot.waitUntil(over, timeout=BACKSTOP_MS)


def test_window_closed_in_mid_training(docked, viewer, qtbot):
    child = train(docked())
    viewer.close()
    wait_for_end(child, qtbot)
    (run,) = waiting_runs()
    assert (run.state, run.resumable, run.name) == ("cancelled", True, "my coins")


def test_dock_closed_in_mid_training_and_the_next_one_offers_to_resume(
    docked, viewer, qtbot
):
    at = docked()
    child = train(at)
    viewer.window.remove_dock_widget(at.desk.dock)
    wait_for_end(child, qtbot)
    assert not at.dialog.isVisible()

    at = docked()
    dialog = at.open()
    assert dialog.waiting.isVisible()
    assert "'my coins' stopped at step" in dialog.waiting.text.text()
    press(dialog.waiting.take_up)
    assert len(dialog.training.loss.points) >= 7  # curves come back
    at.finish()
    assert not dialog.waiting.isVisible()
    at.widget.close_session()
    viewer.window.remove_dock_widget(at.desk.dock)


def test_what_an_earlier_window_left_can_be_thrown_away(docked, viewer, qtbot):
    at = docked()
    child = train(at)
    viewer.window.remove_dock_widget(at.desk.dock)
    wait_for_end(child, qtbot)
    at = docked()
    dialog = at.open()
    press(dialog.waiting.drop)
    at.answer(yes=True)
    assert not dialog.waiting.isVisible()
    assert waiting_runs() == []
    viewer.window.remove_dock_widget(at.desk.dock)


def test_the_command_opens_dock_and_dialog(
    make_napari_viewer_proxy, qtbot, monkeypatch, tmp_path
):
    """As napari's menu and palette do: through the manifest."""
    from npe2 import PluginManager

    from napari_gen2seg.gui import widget as module
    from napari_gen2seg.gui.settings import FileMemory

    path = tmp_path / "settings.json"
    monkeypatch.setattr(module, "remembered", lambda: FileMemory(path))
    monkeypatch.setattr(module.Session, "warm_up", lambda self: None)
    viewer = make_napari_viewer_proxy(show=True)
    viewer.add_image(data.coins(), name="coins")
    viewer.add_labels(coin_labels(), name="labels")
    commands = PluginManager.instance().commands
    dialog = commands.execute("napari-gen2seg.finetune")
    assert dialog.isVisible()
    qtbot.waitUntil(lambda: bool(dialog.pairs.rows), timeout=BACKSTOP_MS)
    assert commands.execute("napari-gen2seg.finetune") is dialog
    dialog.parent().close_session()
    assert not dialog.isVisible()
