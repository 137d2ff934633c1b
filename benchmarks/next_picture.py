"""What going on to the next picture of a project keeps the window's thread busy.

    xvfb-run -a python benchmarks/next_picture.py
    xvfb-run -a python benchmarks/next_picture.py --loaded   # with diffusers in memory

In a real viewer, with mini. Prints, a line a change of the picture, the
processor time of the window's thread until the next picture is ready for clicks, how
many full collections of garbage that took, and their share of it.
"""

from __future__ import annotations

import argparse
import gc
import tempfile
import time
from pathlib import Path
from typing import Any

import napari
import numpy as np
import tifffile
from qtpy.QtWidgets import QApplication
from skimage import data

from napari_gen2seg.gui.project.widget import ProjectWidget
from napari_gen2seg.gui.settings import FileMemory
from napari_gen2seg.gui.widget import SegmentWidget
from napari_gen2seg.project.project import Project
from napari_gen2seg.session import Session


class Collections:
    """Counts full collections of garbage, and their time."""

    def __init__(self) -> None:
        self.count, self.time, self._began = 0, 0.0, 0.0
        gc.callbacks.append(self)

    def __call__(self, phase: str, info: dict[str, Any]) -> None:
        if info["generation"] < 2:
            return
        if phase == "start":
            self._began = time.thread_time()
        else:
            self.count += 1
            self.time += time.thread_time() - self._began


def until(ready: Any, seconds: float = 90.0) -> None:
    """Run the event loop until it is so, or for so long."""
    end = time.monotonic() + seconds
    while not ready() and time.monotonic() < end:
        QApplication.processEvents()
        time.sleep(0.002)


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--loaded", action="store_true")
    if parser.parse_args().loaded:
        import diffusers  # noqa: F401 - only its objects are wanted
        import transformers  # noqa: F401
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for number in range(5):
            picture = np.roll(data.coins(), 40 * number, 1)
            tifffile.imwrite(folder / f"{number}.tif", picture)
        project = Project.create(folder / "project")
        project.add_images(sorted(folder.glob("*.tif")))
        measure(project, FileMemory(folder / "settings.json"))


def measure(project: Project, memory: FileMemory) -> None:
    """Go through the pictures of a project."""
    from napari_gen2seg.gui.qt_threads import Mailbox, lane

    viewer = napari.Viewer()
    session = Session(lane(Mailbox(viewer.window._qt_window), "work"))
    clicks = SegmentWidget(viewer, session, memory=memory)
    viewer.window.add_dock_widget(clicks, name="gen2seg")
    dock = ProjectWidget(viewer, memory=memory)
    viewer.window.add_dock_widget(dock, name="project")
    dock.open(project.folder)
    until(lambda: len(dock.entries) == 5)
    review, seen = clicks.bridge.controller.review, Collections()
    for number in range(3):
        before = review.review
        seen.count, seen.time = 0, 0.0
        began, clock = time.thread_time(), time.perf_counter()
        dock.go(1)
        until(lambda before=before: review.review not in (None, before))
        until(lambda: clicks.bridge.controller.clicks.layer is not None)
        spent, waited = time.thread_time() - began, time.perf_counter() - clock
        print(
            f"picture {number}: {spent:.2f} s of {waited:.1f} s, {seen.count} full "
            f"collections, {seen.time:.2f} s ({len(gc.get_objects()):,} objects)"
        )
        review.keep(review.review.shown[:3])
        until(lambda: not dock.ahead._reading and not session.job.running)
        for _ in range(200):
            QApplication.processEvents()
            time.sleep(0.01)
    viewer.close()


if __name__ == "__main__":
    main()
