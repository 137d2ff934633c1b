"""The batch dock: real files, a real window, what fails named, what is done kept."""

from __future__ import annotations

import threading

import numpy as np
import pytest
import tifffile
from qtpy.QtCore import Qt
from qtpy.QtGui import QDesktopServices
from qtpy.QtTest import QTest
from skimage import data
from tests.helpers.fake_colorer import FakeColorer

from napari_gen2seg.gui.batch.widget import CANCELLED, BatchWidget
from napari_gen2seg.gui.settings import FileMemory
from napari_gen2seg.session import ModelHost

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def plate(tmp_path):
    """Return a folder with three images and one that is none."""
    folder = tmp_path / "plate"
    folder.mkdir()
    for number, part in enumerate(np.array_split(data.coins(), 3, axis=1)):
        tifffile.imwrite(folder / f"{number}.tif", part)
    (folder / "broken.tif").write_bytes(b"II*\0 and nothing more")
    return folder


def test_a_folder_is_done_and_what_failed_is_named(
    desk, qtbot, plate, tmp_path, monkeypatch
):
    at = desk()
    at.bridge.controller.review.choose(0.5, None)
    memory = FileMemory(tmp_path / "batch.json")
    gate, reached = threading.Event(), threading.Event()

    def wait(_cancel):
        if len(painter.seen) == 2:
            reached.set()
            gate.wait(20)

    painter = FakeColorer(meanwhile=wait)
    widget = BatchWidget(
        at.viewer, host=ModelHost(lambda *a, **k: painter), memory=memory
    )
    dock = at.viewer.window.add_dock_widget(widget, name="Batch")
    try:
        at.person.wait(50)
        press = QTest.mouseClick
        press(widget.start, LEFT)
        assert "Choose the images" in widget.status.text()
        out = tmp_path / "labels"
        QTest.keyClicks(widget.inputs, str(plate))
        QTest.keyClicks(widget.out, str(out))
        assert widget.as_window.isVisible() and widget.as_window.isChecked()

        # Cancelled in the middle of the second image, the last that is looked at.
        press(widget.start, LEFT)
        qtbot.waitUntil(reached.is_set)
        qtbot.waitUntil(lambda: widget.progress.value() > 0)
        assert " of 4" in widget.status.text() and not widget.start.isEnabled()
        press(widget.cancel, LEFT)
        assert widget.status.text() == CANCELLED and widget.start.isEnabled()
        gate.set()

        painter.meanwhile = None
        press(widget.start, LEFT)
        qtbot.waitUntil(lambda: " done" in widget.status.text())
        said = widget.status.text()
        assert said.startswith("3 of 4 images done, 1 of them by this run: "), said
        assert said.endswith(". 1 could not be done."), said
        # Without a picture there is nothing whose settings could be meant.
        at.viewer.layers.clear()
        assert not widget.as_window.isEnabled() and not widget.as_window.isChecked()
        at.viewer.add_image(data.coins())
        assert widget.as_window.isEnabled() and widget.as_window.isChecked()
        assert sorted(one.name for one in out.glob("*.tif")) == [
            "0.tif",
            "1.tif",
            "2.tif",
        ]
        assert tifffile.imread(out / "1.tif").max() > 3
        assert widget.failures.isVisible() and widget.failures.count() == 1
        assert widget.failures.item(0).text().startswith("broken.tif: ")

        opened = []
        monkeypatch.setattr(QDesktopServices, "openUrl", opened.append)
        press(widget.show_folder, LEFT)
        assert [one.toLocalFile() for one in opened] == [str(out)]
        assert FileMemory(tmp_path / "batch.json").get("batch_in") == str(plate)
    finally:
        gate.set()
        at.viewer.window.remove_dock_widget(dock)
        widget.close_widget()
        widget.deleteLater()
