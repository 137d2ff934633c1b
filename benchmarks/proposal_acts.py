"""Acts on proposals in a real viewer: how long the window's thread is busy at once.

    xvfb-run -a -s "-screen 0 1600x1000x24" python benchmarks/proposal_acts.py

A drawn map of touching cells, some 250 proposals on 1024 x 1024 pixels. Keys, strokes
and sliders as a person makes them. "busy" is the longest stretch of processor time of
the window's thread between two turns of the event loop (budget 100 ms), milliseconds,
the median and the worst of three; "drawing" the longest of the draws among them, which
software OpenGL makes slow, and "ours" what remains of such a stretch without the draws.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
from benchmarks.hover import ModelHost, drawn_map

REPEATS = 3


class Watch:
    """Longest stretches between turns of the event loop, with what drawing took."""

    def __init__(self, bench: ModelHost) -> None:
        from qtpy.QtCore import QTimer

        self._bench = bench
        self._drawn = 0.0
        self._ticks: list[tuple[float, float]] = []
        self._draws: list[float] = []
        self._clock = QTimer()
        self._clock.setInterval(0)
        self._clock.timeout.connect(self._tick)
        canvas = bench.viewer.window._qt_viewer.canvas._scene_canvas
        draw = canvas.on_draw

        def timed(event: Any) -> None:
            begun = time.thread_time()
            draw(event)
            took = time.thread_time() - begun
            self._drawn += took
            self._draws.append(took)

        canvas.events.draw.disconnect(draw)
        canvas.events.draw.connect(timed)

    def _tick(self) -> None:
        self._ticks.append((time.thread_time(), self._drawn))

    def of(self, act: Callable[[], object], after: float = 0.4) -> dict[str, float]:
        """Return what an act and everything that follows from it took."""
        self._ticks, self._draws = [], []
        self._clock.start()
        self._bench.pump(0.05)
        act()
        self._bench.pump(after)
        self._clock.stop()
        steps = np.diff(np.array(self._ticks), axis=0) * 1000
        ours = steps[:, 0] - steps[:, 1]
        return {
            "busy": float(steps[:, 0].max()),
            "ours": float(ours.max()),
            "drawing": 1000 * max(self._draws, default=0.0),
        }


def measure(side: int) -> dict[str, dict[str, list[float]]]:
    """Return each act's times on a picture of ``side`` squared."""
    from qtpy.QtCore import Qt
    from qtpy.QtTest import QTest

    from napari_gen2seg.core.coloring import Coloring

    bench = ModelHost()
    bridge, panel = bench.widget.bridge, bench.widget.review
    review = bridge.controller.review
    picture = drawn_map(side, 64 * side // 1024)
    bench.viewer.add_image(picture[..., 0].astype(np.uint8), name="picture")
    bench.pump(0.5)
    coloring = Coloring.from_array(drawn_map(1024), (side, side))
    coloring.prober.prepare()
    watch = Watch(bench)
    canvas = bench.viewer.window._qt_viewer.canvas.native
    found: dict[str, list[dict[str, float]]] = {}

    def note(name: str, act: Callable[[], object], after: float = 0.4) -> None:
        found.setdefault(name, []).append(watch.of(act, after))

    def until(is_there: Callable[[], bool]) -> None:
        while not is_there():
            bench.pump(0.05)

    def arrive() -> None:
        bridge.session.keep(bridge.source.request(), coloring)
        until(lambda: review.review is not None)

    def key(
        code: Any, held: Any = Qt.KeyboardModifier.NoModifier
    ) -> Callable[[], None]:
        return lambda: QTest.keyClick(canvas, code, held)

    def stroke(corners: list[tuple[float, float]]) -> Callable[[], None]:
        return lambda: review.keep_along([(r * side, c * side) for r, c in corners])

    control = Qt.KeyboardModifier.ControlModifier
    shift = Qt.KeyboardModifier.ShiftModifier
    note("proposals appear", arrive, 1.0)
    undo, redo = key(Qt.Key.Key_Z, control), key(Qt.Key.Key_Z, control | shift)
    for turn in range(REPEATS):
        QTest.mouseMove(canvas, bench.place(np.array([0.4, 0.3 + turn / 10]) * side))
        bench.pump(0.3)
        note("Enter keeps one", key(Qt.Key.Key_Return))
        note("undo", undo)
        note("D drops one", key(Qt.Key.Key_D))
        note("undo of a drop", undo)
        note("slider of certainty", lambda: panel.certainty.setValue(60))
        note("slider of certainty", lambda: panel.certainty.setValue(10))
        panel.auto.setChecked(True)
        bench.pump(0.3)
        note("a stroke keeps some", stroke([(0.2, 0.2), (0.3, 0.7)]))
        note("undo", undo)
        loop = [(0.2, 0.2), (0.2, 0.8), (0.8, 0.8), (0.8, 0.2), (0.21, 0.2)]
        note("a lasso keeps many", stroke(loop))
        note("undo of many", undo)
        note("next doubtful", key(Qt.Key.Key_N, shift))
        bench.viewer.reset_view()
        bench.pump(0.3)
        note("keep all", review.keep_all)
        note("undo of all", undo)
        note("redo of all", redo)
        undo()
        bench.pump(0.3)
    bench.viewer.close()
    return {
        name: {
            part: [
                round(float(pick([one[part] for one in times])), 1)
                for pick in (np.median, max)
            ]
            for part in ("busy", "ours", "drawing")
        }
        for name, times in found.items()
    }


def main() -> None:
    """Print a line an act."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[1024])
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        os.environ["NAPARI_GEN2SEG_HOME"] = home  # what is kept here concerns nobody
        for side in chosen.sizes:
            sys.stdout.write(f"{side} x {side}\n")
            for name, times in measure(side).items():
                sys.stdout.write(f"  {name:22} {json.dumps(times)}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
