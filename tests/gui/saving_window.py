"""A window in a process of its own that works by itself until it is killed.

``python -m tests.gui.saving_window``: for each line of JSON on stdin (`Order`), a
process is forked that opens a window and works there with real events. Before each act
it says ``do N``, after each ``done N CHECKSUM STATE``: of the labels as they are shown,
and whether they are saved. Libraries are loaded once; a window is made in the forked
process alone.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import napari
import numpy as np
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from skimage import data, measure, morphology
from tests.gui.person import CONTROL, Person
from tests.helpers.fake_colorer import FakeColorer

from napari_gen2seg.gui.project.pictures import layer_of, read_pixels
from napari_gen2seg.gui.settings import FileMemory
from napari_gen2seg.gui.widget import SegmentWidget
from napari_gen2seg.project.project import Project
from napari_gen2seg.session import Inline, Session

SHAPE = 303, 384


@dataclass(frozen=True)
class Order:
    """What a window is to do.

    Attributes
    ----------
    home
        Its data folder.
    acts
        How many acts, before it waits to be killed.
    seed
        Which acts.
    project, picture
        Work on this picture of a project; on one without a file where none is given.
    linger
        Seconds for which it goes on without doing anything, before the last act.
    """

    home: str
    acts: int
    seed: int
    project: str = ""
    picture: str = ""
    linger: float = 0.0


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


def checksum(labels: Any, classes: Mapping[int, str]) -> int:
    """Return a number for labels, whatever their type, and the classes of objects."""
    told = json.dumps(sorted(classes.items())).encode()
    return zlib.crc32(
        told, zlib.crc32(np.ascontiguousarray(labels, np.int32).tobytes())
    )


class Worker:
    """Somebody who keeps, erases, gives classes, takes back and does again."""

    def __init__(self, order: Order) -> None:
        self.chance = random.Random(order.seed)  # noqa: S311
        self.viewer = napari.Viewer(show=True)
        memory = FileMemory(Path(order.home) / "settings.json")
        memory.set("classes", '[["one", ""], ["two", ""]]')
        memory.set("proposals", False)
        if order.project:
            item = Project.open(order.project).item(order.picture)
            self.viewer.add_layer(layer_of(item, read_pixels(item)))
        else:
            self.viewer.add_image(data.coins(), name="coins")
        self.widget = SegmentWidget(
            self.viewer,
            Session(Inline(), load=lambda *a, **k: FakeColorer()),
            memory=memory,
        )
        self.viewer.window.add_dock_widget(self.widget, name="gen2seg")
        self.person = Person(self.viewer, Bot())
        self.widget.model.color.click()
        self.person.wait(60)
        self.places = middles()

    def act(self) -> None:
        """Do something."""
        kinds = ["keep", "keep", "keep", "erase", "undo", "redo", "class"]
        kind = self.chance.choice(kinds)
        at = self.chance.choice(self.places)
        layer = self.person.layer("objects")
        if kind == "keep" or layer is None:
            self.person.click(*at)
            self.person.press(Qt.Key.Key_Return)
            if len(
                self.widget.bridge.controller.current.prompts
            ):  # it was there already
                self.person.press(Qt.Key.Key_Escape)
        elif kind == "erase":
            clicks = self.viewer.layers.selection.active
            self.viewer.layers.selection.active = layer
            layer.mode, layer.brush_size = "erase", 9
            self.person.click(*at)
            layer.mode = "pan_zoom"
            self.viewer.layers.selection.active = clicks
        elif kind == "class":
            self.person.move(*at)
            self.person.press(Qt.Key.Key_1, CONTROL)
        else:
            getattr(self.widget.objects, kind).click()
            self.person.settle()

    @property
    def labels(self) -> Any:
        """The labels as they are shown."""
        layer = self.person.layer("objects")
        return np.zeros(SHAPE, np.int32) if layer is None else layer.data

    @property
    def state(self) -> str:
        """Whether they are saved, in a word."""
        kept = self.widget.keeper.layer
        return "-" if kept is None else (kept.state or "-").replace(" ", "-")


def work(order: Order) -> None:
    """Do so many acts, then wait to be killed."""
    worker = Worker(order)
    for number in range(order.acts):
        if number == order.acts - 1 and order.linger:
            worker.person.wait(round(1000 * order.linger))
        print(f"do {number}", flush=True)  # noqa: T201
        worker.act()
        told = (
            checksum(worker.labels, worker.widget.keeper.objects.classes),
            worker.state,
        )
        print(f"done {number} {told[0]} {told[1]}", flush=True)  # noqa: T201
    print("idle", flush=True)  # noqa: T201
    signal.pause()


def nursery() -> None:
    """Fork a window for each line."""
    for line in sys.stdin:
        order = Order(**json.loads(line))
        child = os.fork()
        if not child:
            os.environ["NAPARI_GEN2SEG_HOME"] = order.home
            print(f"pid {os.getpid()}", flush=True)  # noqa: T201
            try:
                work(order)
            finally:
                os._exit(1)
        os.waitpid(child, 0)
        print("dead", flush=True)  # noqa: T201


if __name__ == "__main__":
    nursery()
