"""Move to preview in a real viewer, click and commit, and gaps of the event loop.

    xvfb-run -a -s "-screen 0 1600x1000x24" python benchmarks/hover.py

Drawn maps stand in for a model's: touching objects in distinct colours with blur
and noise. Each picture is measured with a map of its own size, the hardest case,
and with one of 1024 pixels, which a model usually gives.

"handled" is the time from the pointer's event in Qt to the preview layer holding
the new mask, drawing aside; moves that change nothing, because the pointer is still
over the object that is lit, are not counted. "cpu" is the processor time of the
window's thread for the same, which other programs disturb less. "gap" is the longest
pause of a 2 ms timer while the pointer moves; it includes drawing, which software
OpenGL makes slow.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import tempfile
import time
from dataclasses import asdict, dataclass

import numpy as np
from scipy import ndimage


@dataclass
class Row:
    """One line of the table; times in milliseconds."""

    picture: int
    map: int
    moves: int
    handled_median: float
    handled_p95: float
    handled_worst: float
    cpu_median: float
    cpu_p95: float
    gap_p95: float
    gap_worst: float
    click: float
    commit: float
    undo: float


def drawn_map(side: int, spacing: int = 64, seed: int = 0) -> np.ndarray:
    """Draw touching cells about ``spacing`` pixels wide, blurred and noisy."""
    rng = np.random.default_rng(seed)
    cells = -(-side // spacing)
    grid = np.stack(np.mgrid[:cells, :cells], -1).reshape(-1, 2)
    seeds = (grid + rng.uniform(0.2, 0.8, grid.shape)) * spacing
    inside = (seeds < side).all(1)
    seeds = seeds[inside].astype(int)
    marks = np.ones((side, side), bool)
    marks[tuple(seeds.T)] = False
    nearest = ndimage.distance_transform_edt(marks, return_indices=True)[1]
    number = np.zeros((side, side), np.int32)
    number[tuple(seeds.T)] = np.arange(len(seeds))
    labels = number[nearest[0], nearest[1]]
    colors = rng.uniform(20, 255, (len(seeds), 3)).astype(np.float32)[labels]
    for channel in range(3):
        colors[..., channel] = ndimage.gaussian_filter(colors[..., channel], 1.0)
    colors += rng.normal(0, 2, colors.shape).astype(np.float32)
    return np.clip(colors, 0, 255)


class ModelHost:
    """A viewer with the dock widget, moved by real mouse events."""

    def __init__(self) -> None:
        import napari
        from qtpy.QtCore import QTimer

        from napari_gen2seg.gui.settings import FileMemory
        from napari_gen2seg.gui.widget import SegmentWidget
        from napari_gen2seg.session import Inline, Session

        self.viewer = napari.Viewer(show=True)
        self.viewer.window.resize(1500, 950)
        memory = FileMemory()
        memory.set = lambda name, value: None  # leave the user's settings alone
        session = Session(Inline(), load=lambda *a, **k: None)
        session.warm_up = lambda: None
        self.widget = SegmentWidget(self.viewer, session, memory=memory)
        self.viewer.window.add_dock_widget(self.widget)
        self.ticks: list[float] = []
        self.clock = QTimer()
        self.clock.setInterval(2)
        self.clock.timeout.connect(lambda: self.ticks.append(time.perf_counter()))

    def pump(self, seconds: float) -> None:
        from qtpy.QtWidgets import QApplication

        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            QApplication.processEvents()
            time.sleep(0.0005)

    def place(self, at: np.ndarray):
        from qtpy.QtCore import QPoint

        view = self.viewer.window._qt_viewer.canvas.view
        x, y = view.scene.transform.map([at[1], at[0]])[:2]
        return QPoint(round(x), round(y))

    def measure(self, side: int, map_side: int, moves: int) -> Row:
        from qtpy.QtCore import Qt
        from qtpy.QtTest import QTest

        from napari_gen2seg.core.coloring import Coloring

        bridge = self.widget.bridge
        picture = drawn_map(side, 64 * side // map_side if side < map_side else 64)
        image = self.viewer.add_image(picture[..., 0].astype(np.uint8), name="picture")
        self.pump(0.3)
        coloring = Coloring.from_array(drawn_map(map_side), (side, side))
        coloring.prober.prepare()
        bridge.session.keep(bridge.source.request(), coloring)
        self.viewer.reset_view()
        self.pump(0.5)
        canvas = self.viewer.window._qt_viewer.canvas.native
        handled: list[float] = []
        cpu: list[float] = []
        hover_preview = bridge.controller.hover_preview
        pointed, started = hover_preview.point, [0.0]
        drawn: list[object] = []
        hover_preview.shown.connect(drawn.append)
        seen = hover_preview.pointer._seen

        def note(viewer, event):
            started[0] = time.perf_counter()
            seen(viewer, event)

        def timed(position, held):
            drawn.clear()
            begun = time.thread_time()
            pointed(position, held)
            if drawn:
                handled.append(time.perf_counter() - started[0])
                cpu.append(time.thread_time() - begun)

        callbacks = self.viewer.mouse_move_callbacks
        callbacks[callbacks.index(seen)] = note
        hover_preview.pointer._moved = timed
        rng = np.random.default_rng(1)
        at = np.array([side / 2, side / 2])
        heading = 0.0
        for step in range(moves + 5):
            heading += rng.normal(0, 0.5)
            at = np.clip(
                at + side / 40 * np.array([np.sin(heading), np.cos(heading)]),
                side * 0.05,
                side * 0.95,
            )
            if (at <= side * 0.06).any() or (at >= side * 0.94).any():
                heading += np.pi / 2
            if step == 5:  # the first ones warm up
                handled.clear()
                cpu.clear()
                self.ticks.clear()
                self.clock.start()
            QTest.mouseMove(canvas, self.place(at))
            self.pump(0.012)
        self.pump(0.2)
        self.clock.stop()
        gaps = np.diff(self.ticks) * 1000
        callbacks[callbacks.index(note)] = seen
        hover_preview.pointer._moved = pointed
        hover_preview.shown.disconnect(drawn.append)

        view = bridge.source.view
        clicks, commits, undos = [], [], []
        for _ in range(7):
            where = rng.uniform(0.1, 0.9, 2) * side
            start = time.perf_counter()
            bridge.controller.clicks.add(view, (float(where[0]), float(where[1])))
            bridge.controller.current.read_clicks()
            clicks.append(time.perf_counter() - start)
            start = time.perf_counter()
            bridge.controller.current.commit()
            commits.append(time.perf_counter() - start)
            start = time.perf_counter()
            bridge.controller.history.undo_commit()
            undos.append(time.perf_counter() - start)
            bridge.controller.clear()
        QTest.keyRelease(canvas, Qt.Key.Key_Shift)
        for layer in list(self.viewer.layers):
            self.viewer.layers.remove(layer)
        del image
        self.pump(0.2)
        times, busy = np.array(handled) * 1000, np.array(cpu) * 1000
        return Row(
            side,
            map_side,
            len(times),
            *(round(float(x), 2) for x in np.percentile(times, (50, 95, 100))),
            *(round(float(x), 2) for x in np.percentile(busy, (50, 95))),
            *(round(float(x), 1) for x in np.percentile(gaps, (95, 100))),
            *(
                round(1000 * float(np.median(part[1:])), 1)
                for part in (clicks, commits, undos)
            ),
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--moves", type=int, default=200)
    parser.add_argument("--json", help="write the rows there too")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        os.environ["NAPARI_GEN2SEG_HOME"] = home  # what is kept here concerns nobody
        measured(options)


def measured(options: argparse.Namespace) -> None:
    bench = ModelHost()
    rows = []
    print(f"{platform.processor() or platform.machine()}, Python", end=" ")
    print(f"{platform.python_version()}; milliseconds")
    names = list(Row.__dataclass_fields__)
    print(" ".join(f"{name:>15}" for name in names))
    for side, map_side in ((1024, 1024), (4096, 1024), (4096, 4096)):
        rows.append(bench.measure(side, map_side, options.moves))
        print(" ".join(f"{getattr(rows[-1], name):>15}" for name in names))
    bench.viewer.close()
    if options.json:
        from pathlib import Path

        Path(options.json).write_text(json.dumps([asdict(row) for row in rows]))


if __name__ == "__main__":
    main()
