"""Import of the package, and opening the dock in a napari that is up.

    xvfb-run -a -s "-screen 0 1600x1000x24" python benchmarks/start.py

"import" is measured in fresh interpreters, less what an empty one takes. "dock" is
the time from asking napari for the widget, as its menu does, until the window has
been drawn with it and waits for input; the model library warms up in a process of
its own behind it. Wall-clock and processor time: the second suffers less from other
programs. Every napari is a fresh one, because only the first dock imports anything.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time

_IMPORT = """
import json, time
wall, cpu = time.perf_counter(), time.process_time()
import napari_gen2seg
print(json.dumps([time.perf_counter() - wall, time.process_time() - cpu]))
"""


def dock() -> list[float]:
    """Open the dock once, in this process; seconds, wall and processor."""
    import napari
    import numpy as np
    from qtpy.QtWidgets import QApplication

    viewer = napari.Viewer(show=True)
    viewer.add_image(np.zeros((512, 512), np.uint8))
    for _ in range(30):
        QApplication.processEvents()
        time.sleep(0.01)
    wall, cpu = time.perf_counter(), time.thread_time()
    _, widget = viewer.window.add_plugin_dock_widget(
        "napari-gen2seg", "Segment by clicking"
    )
    QApplication.processEvents()
    taken = [time.perf_counter() - wall, time.thread_time() - cpu]
    widget.close_session()
    viewer.close()
    return taken


def fresh(*command: str) -> list[float]:
    """Run Python on something that prints two numbers."""
    done = subprocess.run(
        [sys.executable, *command], capture_output=True, text=True, check=True
    )
    wall, cpu = json.loads(done.stdout.splitlines()[-1])
    return [wall, cpu]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--dock", action="store_true", help="once, for ourselves")
    options = parser.parse_args()
    if options.dock:
        print(json.dumps(dock()))
        return
    for name, command in (("import", ("-c", _IMPORT)), ("dock", (__file__, "--dock"))):
        rows = [fresh(*command) for _ in range(options.times)]
        wall, cpu = (statistics.median(part) for part in zip(*rows, strict=True))
        least = min(row[0] for row in rows)
        print(
            f"{name:>7}: {wall:.3f} s (least {least:.3f}), {cpu:.3f} s of the processor"
        )


if __name__ == "__main__":
    main()
