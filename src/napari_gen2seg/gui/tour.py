"""Guided tour: the dock widget is asked to do what a person would do first."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import napari
import numpy as np
import numpy.typing as npt
from qtpy.QtCore import QEventLoop, QTimer
from qtpy.QtWidgets import QApplication

from napari_gen2seg.errors import ModelError
from napari_gen2seg.gui.layers.camera import camera_of
from napari_gen2seg.gui.layers.overlays import DRAWN, role_of
from napari_gen2seg.gui.panels.docked import main_window
from napari_gen2seg.gui.settings import FileMemory
from napari_gen2seg.gui.table.widget import ObjectsTable
from napari_gen2seg.io.formats.writers import write_labels, write_rgb
from napari_gen2seg.session import Choice

if TYPE_CHECKING:
    from napari_gen2seg.gui.project.widget import ProjectWidget
    from napari_gen2seg.gui.widget import SegmentWidget

Point = tuple[float, float]

PLUGIN, WIDGET = "napari-gen2seg", "Segment by clicking"


class Tour:
    """Opens napari on an image with the dock widget beside it.

    Parameters
    ----------
    array
        (H, W) or (H, W, 3).
    name
        Of the image layer.
    choice
        The model, and how to run it.
    say
        Told what happens, one line each.
    """

    def __init__(
        self,
        array: npt.NDArray[Any],
        name: str,
        choice: Choice | None = None,
        say: Callable[[str], Any] = str,
    ) -> None:
        self.viewer = napari.Viewer(title="napari-gen2seg")
        self.viewer.window.resize(1500, 950)
        self.viewer.add_image(array, name=name)
        _, self.widget = self.viewer.window.add_plugin_dock_widget(PLUGIN, WIDGET)
        self._say = say
        self._problem = ""
        self._open = True
        self._dock: SegmentWidget = self.widget
        self._dock.session.failed.connect(self._failed)
        # For this session only: what a person chose earlier stays remembered.
        self._dock.session.choose(choice or Choice())
        application = QApplication.instance()
        if application is not None:
            application.lastWindowClosed.connect(self._closed)

    def run(self, points: Sequence[Point] = (), last: Point | None = None) -> bool:
        """Color the image, keep the clicked objects, click one more.

        Parameters
        ----------
        points
            (row, column) of one click for each object.
        last
            A click that is not committed: its mask stays a preview.

        Returns
        -------
        bool
            False if the window was closed meanwhile.

        Raises
        ------
        ModelError
            If the model could not be loaded or run.
        """
        bridge, session = self._dock.bridge, self._dock.session
        self.settle()
        self.viewer.reset_view()  # the dock has taken some of the canvas
        started = time.perf_counter()
        bridge.color()
        self._wait(lambda: self._coloring() is not None)
        if not self._open:
            return False
        spent = time.perf_counter() - started
        self._say(f"{session.model.reason}")
        self._say(f"Colored in {spent:.1f} s, the loading of the model included.")
        view = bridge.source.view
        if view is None:
            raise ModelError(bridge.source.problem)
        self._begin_anew()
        for point in points:
            bridge.controller.clicks.add(view, point)
            bridge.controller.current.commit()
            self.settle(3)
        if last is not None:
            bridge.controller.clicks.add(view, last)
        self.settle()
        return self._open

    def _begin_anew(self) -> None:
        """Set earlier work aside, a tour's or a person's: it waits for an answer."""
        if self._dock.keeper.earlier.offer is not None:
            self._say("Earlier work on this picture is set aside; nothing is lost.")
            self._dock.keeper.earlier.begin_anew()

    def review(self) -> list[npt.NDArray[np.uint8]]:
        """Keep the proposals of a colored image; return the canvas as seen meanwhile.

        Returns
        -------
        list
            uint8 (H, W, 3): nothing kept, half of it, all of it.
        """
        review = self._dock.bridge.controller.review
        self._wait(lambda: review.review is not None)
        self._begin_anew()
        shots = [self._shot(canvas_only=True)]
        if review.review is not None:
            looks, shown = review.review.looks, review.review.shown
            half = [index for index in looks.reading if index in shown]
            review.keep(half[: len(half) // 2])
        shots.append(self._shot(canvas_only=True))
        review.keep_all()
        return [*shots, self._shot(canvas_only=True)]

    def stack(self, plane: int) -> npt.NDArray[np.uint8]:
        """Keep the proposals of all planes, show their tracks, and return the window.

        Parameters
        ----------
        plane
            Which one is shown at the end.

        Returns
        -------
        numpy.ndarray
            uint8 (H, W, 3), the table of objects open below.
        """
        self.settle()
        self.viewer.reset_view()
        self.viewer.dims.set_current_step(0, plane)
        work = self._dock.bridge.controller.stack
        for verb in (work.color_all, work.keep_all):
            verb()
            self._wait(lambda: not work.doing)
            self._say(self._dock.status.text())
            self._begin_anew()
        work.show_tracks()
        tables = partial(main_window(self._dock).findChildren, ObjectsTable)
        self._dock.edit.table_requested.emit()
        self._wait(lambda: bool(tables()) and tables()[0].rows.rowCount() > 0)
        self.settle()
        return self._shot()

    def sheet(self, centers: Sequence[Point], zoom: float) -> npt.NDArray[np.uint8]:
        """Color what is in view of a large image, here and there; return the window.

        Parameters
        ----------
        centers
            (row, column) that the canvas is centered on, one after the other.
        zoom
            Of the canvas.
        """
        self.settle()
        camera, review = camera_of(self.viewer), self._dock.bridge.controller.review
        for row, column in centers:
            camera.center, camera.zoom = (0.0, row, column), zoom
            self.settle(5)
            before = review.review
            self._dock.bridge.color()
            self._wait(lambda: review.review not in (None, before))  # noqa: B023
            self._begin_anew()
            review.keep_all()
            self.settle()
        return self._shot()

    def project(
        self, folder: Path, pictures: Mapping[str, npt.NDArray[Any]]
    ) -> npt.NDArray[np.uint8]:
        """Make a project of pictures, work on two of them, and return the window.

        Parameters
        ----------
        folder
            Where pictures and project are written.
        pictures
            Name -> (H, W) or (H, W, 3).

        Returns
        -------
        numpy.ndarray
            uint8 (H, W, 3): one picture done, the next half way.
        """
        from napari_gen2seg.gui.project.widget import ProjectWidget

        for name, array in pictures.items():
            write_rgb(folder / f"{name}.tif", array)
        self.viewer.layers.clear()
        memory = FileMemory(folder / "settings.json")
        dock = ProjectWidget(self.viewer, memory=memory)
        self.viewer.window.add_dock_widget(dock, name="Project (gen2seg)")
        dock.make(folder, folder / "cells")
        self._wait(lambda: len(dock.entries) == len(pictures))
        review = self._dock.bridge.controller.review
        self._open_next(dock)
        review.keep_all()
        dock.desk.mark("done")
        self._open_next(dock)
        if review.review is not None:
            review.keep(review.review.shown[::2])
        self._wait(
            lambda: sum(one.doubt is not None for one in dock.entries.values()) > 1
        )
        self.settle()
        return self._shot()

    def batch(
        self, folder: Path, pictures: Mapping[str, npt.NDArray[Any]]
    ) -> npt.NDArray[np.uint8]:
        """Run a batch over pictures and a file that is none, and return the window.

        Parameters
        ----------
        folder
            Where pictures and labels are written.
        pictures
            Name -> (H, W) or (H, W, 3).
        """
        import tifffile

        from napari_gen2seg.gui.batch.widget import BatchWidget

        plate = folder / "plate"
        plate.mkdir()
        for name, array in pictures.items():
            tifffile.imwrite(plate / f"{name}.tif", array)
        (plate / "a-note.tif").write_text("Plate 7, second staining.")
        dock = BatchWidget(self.viewer, memory=FileMemory(folder / "settings.json"))
        self.viewer.window.add_dock_widget(dock, name="Batch (gen2seg)")
        dock.inputs.setText(str(plate))
        dock.out.setText(str(folder / "labels"))
        dock.run()
        self._wait(lambda: dock.progress.value() >= 500)
        dock.inputs.setText("plate")  # folders of a moment concern nobody
        dock.out.setText("labels")
        self.settle()
        shot = self._shot()
        dock.stop()
        dock.close_widget()
        return shot

    def write(self, folder: Path) -> dict[Path, str]:
        """Write the screenshot, the coloring map and the labels.

        Returns
        -------
        dict
            Path of each file, and what it is.

        Raises
        ------
        StorageError
            If a file cannot be written.
        """
        files = {
            folder / "screenshot.png": "the window, as a person sees it",
            folder / "coloring.png": "the coloring map, to look at",
            folder / "coloring.tif": "the coloring map, exact",
            folder / "labels.tif": "the objects kept, numbered",
        }
        shot, shown, exact, kept = files
        coloring, labels = self._coloring(), self.labels()
        write_rgb(shot, self._shot())
        if coloring is not None:
            write_rgb(shown, coloring.as_rgb8())
            coloring.save(exact)
        if labels is not None:
            write_labels(kept, labels)
        return {path: what for path, what in files.items() if path.exists()}

    def labels(self) -> npt.NDArray[Any] | None:
        """Return the committed objects, or None before the first."""
        for layer in self.viewer.layers:
            kept = isinstance(layer, napari.layers.Labels) and (
                role_of(layer) not in DRAWN
            )
            if kept and np.any(layer.data):
                return np.asarray(layer.data)
        return None

    def settle(self, rounds: int = 30) -> None:
        """Let Qt draw what has changed."""
        for _ in range(rounds):
            QApplication.processEvents()
            time.sleep(0.01)

    def close(self) -> None:
        """Close the window."""
        if self._open:
            self.viewer.close()
            self.settle(5)

    def _open_next(self, dock: ProjectWidget) -> None:
        """Open the next picture of a project, and wait for its proposals."""
        review = self._dock.bridge.controller.review
        before = review.review
        dock.go(1)
        self._wait(lambda: review.review not in (None, before))
        self.settle()

    def _shot(self, canvas_only: bool = False) -> npt.NDArray[np.uint8]:
        self.settle()
        window = self.viewer.screenshot(canvas_only=canvas_only, flash=False)
        return np.ascontiguousarray(window[..., :3])

    def _coloring(self) -> Any:
        view = self._dock.bridge.source.view
        return None if view is None else self._dock.session.coloring(view)

    def _wait(self, ready: Callable[[], bool]) -> None:
        """Run the event loop, so that the window stays alive, until it is so."""
        loop = QEventLoop()
        timer = QTimer()
        timer.setInterval(20)

        def look() -> None:
            if ready() or self._problem or not self._open:
                loop.quit()

        timer.timeout.connect(look)
        timer.start()
        loop.exec_() if hasattr(loop, "exec_") else loop.exec()
        timer.stop()
        if self._problem:
            raise ModelError(self._problem)

    def _failed(self, text: str) -> None:
        self._problem = text

    def _closed(self) -> None:
        self._open = False
