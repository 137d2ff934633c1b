"""A window in a process of its own that works by itself until it is killed.

``python saving_window.py SEED``: for each line ``HOME COUNT`` on stdin, a process is
forked that opens a window with its data folder at HOME and does COUNT acts with real
events. Before each it says ``do N``, after each ``done N CHECKSUM`` of the labels.
Libraries are loaded once; a window is made in the forked process alone.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import zlib
from typing import Any

import napari
import numpy as np
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from skimage import data, measure, morphology
from tests.gui.person import Person
from tests.helpers.fake_colorer import FakeColorer

from napari_gen2seg.gui.settings import FileMemory
from napari_gen2seg.gui.widget import SegmentWidget
from napari_gen2seg.session import Inline, Session


class Bot:
    """What a `Person` needs of pytest-qt."""

    def wait(self, milliseconds: int) -> None:
        QTest.qWait(milliseconds)

    def waitUntil(self, ready: Any, timeout: int) -> None:
        for _ in range(timeout // 10):
            if ready():
                return
            QTest.qWait(10)
        raise TimeoutError("it hangs")


def middles() -> list[tuple[int, int]]:
    """Return a place in each coin."""
    coins = morphology.opening(data.coins() > 110, morphology.disk(4))
    found = measure.regionprops(measure.label(coins))
    return [
        (round(one.centroid[0]), round(one.centroid[1]))
        for one in found
        if 500 < one.area < 4000
    ]


def checksum(labels: Any) -> int:
    """Return a number for labels, whatever their type."""
    return zlib.crc32(np.ascontiguousarray(labels, np.int32).tobytes())


class Worker:
    """Somebody who keeps, erases, takes back and does again."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)  # noqa: S311
        self.viewer = napari.Viewer(show=True)
        self.viewer.add_image(data.coins(), name="coins")
        self.widget = SegmentWidget(
            self.viewer,
            Session(Inline(), load=lambda *a, **k: FakeColorer()),
            memory=FileMemory(),
        )
        self.viewer.window.add_dock_widget(self.widget, name="gen2seg")
        self.person = Person(self.viewer, Bot())
        self.widget.model.color.click()
        self.person.wait(60)
        self.places = middles()

    def act(self) -> None:
        """Do something."""
        kind = self.chance.choice(["keep", "keep", "keep", "erase", "undo", "redo"])
        at = self.chance.choice(self.places)
        layer = self.person.layer("objects")
        if kind == "keep" or layer is None:
            self.person.click(*at)
            self.person.press(Qt.Key.Key_Return)
            if len(self.widget.bridge.controller.prompts):  # it was there already
                self.person.press(Qt.Key.Key_Escape)
        elif kind == "erase":
            clicks = self.viewer.layers.selection.active
            self.viewer.layers.selection.active = layer
            layer.mode, layer.brush_size = "erase", 9
            self.person.click(*at)
            layer.mode = "pan_zoom"
            self.viewer.layers.selection.active = clicks
        else:
            getattr(self.widget.objects, kind).click()
            self.person.settle()

    @property
    def labels(self) -> Any:
        """The labels as they are shown."""
        layer = self.person.layer("objects")
        return np.zeros((303, 384), np.int32) if layer is None else layer.data


def work(seed: int, count: int) -> None:
    """Do so many acts, then wait to be killed."""
    worker = Worker(seed)
    for number in range(count):
        print(f"do {number}", flush=True)  # noqa: T201
        worker.act()
        print(f"done {number} {checksum(worker.labels)}", flush=True)  # noqa: T201
    signal.pause()


def nursery(seed: int) -> None:
    """Fork a window for each line."""
    for line in sys.stdin:
        home, count = line.rsplit(maxsplit=1)
        child = os.fork()
        if not child:
            os.environ["NAPARI_GEN2SEG_HOME"] = home
            print(f"pid {os.getpid()}", flush=True)  # noqa: T201
            try:
                work(seed, int(count))
            finally:
                os._exit(1)
        os.waitpid(child, 0)
        print("dead 0", flush=True)  # noqa: T201


if __name__ == "__main__":
    nursery(int(sys.argv[1]))
