"""The evaluation dock: the command line's numbers, off the window's thread."""

from __future__ import annotations

import json
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from napari.components import ViewerModel
from skimage import data
from tests.gui.judged import judged
from tests.helpers.fake_colorer import blobs
from tests.helpers.waiting import BACKSTOP, BACKSTOP_MS

from napari_gen2seg.gui.evaluate.widget import EvaluateWidget
from napari_gen2seg.gui.model_hosts import shared_host
from napari_gen2seg.gui.widget import SegmentWidget
from napari_gen2seg.jobs.model import client
from napari_gen2seg.session import ModelHost
from napari_gen2seg.workflows.evaluate import Report, evaluate

COINS = data.coins()[:200, :240]


def truth() -> np.ndarray:
    """Label what the colorer paints, one object a region."""
    from skimage.measure import label

    painted = blobs(np.repeat(COINS[..., None] / 255, 3, -1)).max(-1) > 120
    return label(painted).astype(np.int32)


@pytest.fixture
def make(qtbot):
    widgets = []

    def open_widget(viewer, **options):
        options.setdefault("host", ModelHost(lambda *a, **k: judged()))
        widgets.append(EvaluateWidget(viewer, **options))
        qtbot.addWidget(widgets[-1])
        return widgets[-1]

    yield open_widget
    for widget in widgets:
        widget.close_widget()


@pytest.fixture
def viewer():
    viewer = ViewerModel()
    viewer.add_image(COINS, name="coins")
    viewer.add_labels(truth(), name="truth")
    return viewer


@pytest.fixture
def judge(monkeypatch):
    """Let model processes serve a painter; return a list of how many were started."""
    code = (
        f"import sys; sys.path.insert(0, {str(Path(__file__).parents[2])!r}); "
        "from tests.gui.judged import load; "
        "from napari_gen2seg.jobs.model.server import serve; serve(load)"
    )
    started, start = [0], client.start

    def counted(*args, **options):
        started[0] += 1
        return start(*args, **options)

    monkeypatch.setattr(client, "COMMAND", (sys.executable, "-c", code))
    monkeypatch.setattr(client, "start", counted)
    return started


def choose(widget, protocol):
    widget.measure.setCurrentIndex(widget.measure.findData(protocol))


def finished(widget, qtbot):
    qtbot.waitUntil(widget.start.isEnabled, timeout=BACKSTOP_MS)


def test_same_numbers_as_the_command_line(make, viewer, qtbot, tmp_path):
    widget = make(viewer)
    choose(widget, "proposals")
    widget.start.click()
    assert not widget.start.isEnabled()
    finished(widget, qtbot)
    expected = evaluate([(COINS, truth())], judged(), "proposals")
    assert widget.report.summary == expected.summary
    assert widget.table.rowCount() == len(expected.summary)
    first = next(iter(expected.summary.values()))
    assert widget.table.item(0, 0).text() == first["title"]
    assert widget.table.item(0, 1).text() == f"{first['value']:.3f}"
    widget.save_to(tmp_path / "r.json")
    widget.save_to(tmp_path / "r.html")
    assert Report.load(tmp_path / "r.json").summary == expected.summary
    assert "<html" in (tmp_path / "r.html").read_text("utf-8").lower()
    assert json.loads((tmp_path / "r.json").read_text())["data"]["pictures"] == 1


def test_every_labelled_plane_of_a_stack(make, qtbot):
    viewer = ViewerModel()
    stack = np.stack([COINS, COINS[::-1], COINS])
    labels = np.stack([truth(), truth()[::-1], np.zeros_like(truth())])
    viewer.add_image(stack, name="stack")
    layer = viewer.add_labels(labels, name="truth")
    widget = make(viewer)
    assert widget.every.isVisibleTo(widget)
    choose(widget, "proposals")
    viewer.dims.set_point(0, 1)
    widget.run()
    finished(widget, qtbot)
    one = evaluate([(COINS[::-1], truth()[::-1])], judged(), "proposals")
    assert widget.report.summary == one.summary
    widget.every.setChecked(True)
    widget.run()
    finished(widget, qtbot)
    assert [image["name"] for image in widget.report.images] == ["0", "1"]
    viewer.layers.remove(layer)
    viewer.add_labels(truth(), name="flat")
    assert not widget.every.isVisibleTo(widget)


def test_cancel_frees_the_window_at_once(make, viewer, qtbot):
    inside, go_on = threading.Event(), threading.Event()

    def wait(_):
        inside.set()
        go_on.wait(BACKSTOP)

    slow = judged(meanwhile=wait)
    widget = make(viewer, host=ModelHost(lambda *a, **k: slow))
    choose(widget, "proposals")
    widget.start.click()
    qtbot.waitUntil(inside.is_set, timeout=BACKSTOP_MS)
    widget.cancel.click()
    assert widget.start.isEnabled()
    assert not widget.cancel.isEnabled()
    go_on.set()
    qtbot.waitUntil(lambda: slow.unloaded, timeout=BACKSTOP_MS)
    qtbot.wait(20)
    assert widget.report is None
    assert "Cancelled" in widget.status.text()


def test_what_is_wrong_is_said(make, viewer, qtbot):
    widget = make(viewer)
    viewer.layers["truth"].data = np.zeros_like(truth())
    widget.run()
    finished(widget, qtbot)
    assert "has no objects here" in widget.status.text()
    viewer.layers["truth"].data = truth()[:50]
    widget.run()
    assert "must be equal" in widget.status.text()
    viewer.layers.clear()
    widget.run()
    assert "Open a picture" in widget.status.text()
    assert not widget.save.isEnabled()


def test_a_report_that_cannot_be_written_is_said(make, viewer, qtbot, tmp_path):
    widget = make(viewer)
    choose(widget, "proposals")
    widget.run()
    finished(widget, qtbot)
    (tmp_path / "file").write_text("")
    widget.save_to(tmp_path / "file" / "r.json")
    assert "Could not write" in widget.status.text()


def test_a_model_in_a_process_of_its_own_gives_the_same(make, viewer, qtbot, judge):
    widget = make(viewer, host=None)
    choose(widget, "proposals")
    widget.run()
    finished(widget, qtbot)
    assert widget.report is not None, widget.status.text()
    expected = evaluate([(COINS, truth())], judged(), "proposals")
    assert widget.report.summary == expected.summary
    assert judge == [1]


def test_both_docks_share_one_process_and_neither_takes_it_from_the_other(
    make, viewer, qtbot, judge, memory
):
    segment = SegmentWidget(viewer, memory=memory)
    qtbot.addWidget(segment)
    qtbot.waitUntil(lambda: segment.session.model.loaded, timeout=BACKSTOP_MS)
    pid = shared_host(viewer).pid
    widget = make(viewer, host=None)
    choose(widget, "proposals")
    widget.run()
    segment.bridge.color()  # between two of its pictures, or before the first
    finished(widget, qtbot)
    assert widget.report is not None, widget.status.text()
    plane = segment.bridge.source.view
    qtbot.waitUntil(
        lambda: segment.session.coloring(plane) is not None, timeout=BACKSTOP_MS
    )
    assert segment.session.model.loaded
    assert shared_host(viewer).pid == pid

    widget.close_widget()  # the other dock goes on, with the same process
    segment.bridge.color()
    qtbot.waitUntil(lambda: not segment.session.job.running, timeout=BACKSTOP_MS)
    assert segment.session.job.text.startswith("Colored in")
    assert shared_host(viewer).pid == pid

    widget = make(viewer, host=None)
    choose(widget, "proposals")
    segment.close_session()  # and so it is the other way round
    widget.run()
    finished(widget, qtbot)
    assert widget.report is not None, widget.status.text()
    host = shared_host(viewer)
    assert host.pid == pid
    assert judge == [1]
    widget.close_widget()
    assert host.pid is None
    assert shared_host(viewer) is not host


def test_the_dock_opens_from_the_menu_and_lets_go(
    make_napari_viewer_proxy, qtbot, npe2pm
):
    from npe2 import PluginManifest

    import napari_gen2seg

    manifest = Path(napari_gen2seg.__file__).parent / "napari.yaml"
    npe2pm.register(PluginManifest.from_file(manifest))
    viewer = make_napari_viewer_proxy(show=True)
    viewer.add_image(COINS, name="coins")
    viewer.add_labels(truth(), name="truth")
    dock, widget = viewer.window.add_plugin_dock_widget("napari-gen2seg", "Evaluate")
    qtbot.wait(30)
    assert widget.image.layer.name == "coins"
    assert widget.labels.layer.name == "truth"
    viewer.window.remove_dock_widget(dock)
    qtbot.waitUntil(lambda: widget._closed, timeout=BACKSTOP_MS)
