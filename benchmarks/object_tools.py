"""Tools for kept objects and their table: how long the window's thread is busy.

    python benchmarks/object_tools.py --sizes 1024 4096

Layers without a window: what an act changes and writes, with its undo step, and the
table of 5 000 objects as Qt is shown it. Milliseconds of processor time, the median of
several; drawing comes on top.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
from benchmarks.review import median_ms
from napari.components import ViewerModel
from napari.layers import Labels
from qtpy.QtCore import QSortFilterProxyModel, Qt
from qtpy.QtWidgets import QApplication

from napari_gen2seg.core.objects.measure import MEASURES
from napari_gen2seg.core.objects.table import ObjectTable
from napari_gen2seg.gui.annotate.labels_layer import Objects
from napari_gen2seg.gui.annotate.object_numbers import ObjectNumbers
from napari_gen2seg.gui.annotate.object_tools import ObjectTools
from napari_gen2seg.gui.annotate.points_layer import Clicks
from napari_gen2seg.gui.annotate.redo import RedoStack
from napari_gen2seg.gui.layers.overlays import Overlays
from napari_gen2seg.gui.layers.source import Source
from napari_gen2seg.gui.table.reader import measured
from napari_gen2seg.gui.table.rows import SHOWN, ObjectRows
from napari_gen2seg.gui.table.widget import shared_features

ROWS = 5000


class _Never:
    """Counts nothing: that happens in another thread."""

    def submit(self, *_args: Any, **_more: Any) -> None:
        """Leave it."""


def discs(side: int, apart: int) -> np.ndarray[Any, Any]:
    """Return labels with a disc every ``apart`` pixels."""
    labels, number, radius = np.zeros((side, side), np.int32), 0, apart // 2 - 3
    across = np.arange(-radius, radius + 1)
    disc = across[:, None] ** 2 + across**2 <= radius**2
    for row in range(apart, side - apart, apart):
        for col in range(apart, side - apart, apart):
            number += 1
            box = np.s_[
                row - radius : row + radius + 1, col - radius : col + radius + 1
            ]
            labels[box][disc] = number
    return labels


def tools(side: int) -> dict[str, Any]:
    """Time every tool on an image of ``side`` squared."""
    apart = side // 35
    viewer = ViewerModel()
    image = viewer.add_image(np.zeros((side, side), np.uint8))
    labels = viewer.add_labels(discs(side, apart))
    source, objects = Source(viewer), Objects(viewer, _Never())
    source.choose(image)
    objects.choose(labels)
    objects.tally.known, objects.tally.highest = True, int(labels.data.max())
    clicks, stack = Clicks(viewer), RedoStack()
    made = ObjectTools(
        viewer,
        source,
        objects,
        ObjectNumbers(clicks, objects),
        clicks,
        stack,
        Overlays(viewer),
    )
    middle = apart * (side // apart // 2)
    viewer.cursor.position = (middle, middle)
    found: dict[str, Any] = {"objects": objects.tally.highest}
    strokes = {
        "cut": [(middle - apart / 2, middle), (middle + apart / 2, middle)],
        "join": [(middle, middle), (middle, middle + apart)],
    }

    def by_key(name: str) -> Callable[[], None]:
        return lambda: made.press(name)

    def by_stroke(name: str) -> Callable[[], None]:
        def draw() -> None:
            made.take_up(name)
            made.drawn(strokes[name])
            made.let_go()

        return draw

    acts = {name: by_key(name) for name in ("grow", "shrink", "smooth", "delete")}
    acts |= {name: by_stroke(name) for name in strokes}
    for name, act in acts.items():
        act()  # what is imported late
        objects.undo()
        took = []
        for _ in range(5):
            took.append(median_ms(act, 1))
            objects.undo()
        found[name] = float(np.median(took))
    act()
    found["undo"] = median_ms(objects.undo, 1)
    return found


def table() -> dict[str, Any]:
    """Time the table of many objects."""
    rng, numbers = np.random.default_rng(0), np.arange(1, ROWS + 1)
    facts = ObjectTable(
        numbers,
        rng.random((ROWS, len(MEASURES))) * 900,
        rng.random(ROWS),
        np.full(ROWS, "proposed"),
        np.full(ROWS, ""),
    )
    rows = ObjectRows()
    rows.show_table(facts)
    area, falling = SHOWN.index("area"), iter([True, False] * 20)
    order = Qt.SortOrder.DescendingOrder, Qt.SortOrder.AscendingOrder
    proxy = QSortFilterProxyModel()
    proxy.setSourceModel(rows)
    layer = Labels(discs(1024, 30))
    features = shared_features(facts, layer.features)

    def share() -> None:
        layer.features = features

    before = layer.data.copy()
    known = measured(before)
    layer.data[30:50, 30:50] = 0
    return {
        "show": median_ms(lambda: rows.show_table(facts)),
        "sort": median_ms(lambda: rows.sort(area, order[next(falling)])),
        "sort by Qt's proxy": median_ms(lambda: proxy.sort(area, order[0]), 1),
        "copy all": median_ms(lambda: rows.text(list(range(ROWS)))),
        "features": median_ms(share),
        "one object changed (other thread)": median_ms(
            lambda: measured(layer.data, None, before, known)
        ),
    }


def main() -> None:
    """Print what was measured as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1024, 4096])
    sizes = parser.parse_args().sizes
    app = QApplication.instance() or QApplication([])
    found: dict[str, Any] = {f"{side} x {side}": tools(side) for side in sizes}
    found[f"table of {ROWS}"] = table()
    print(json.dumps(found, indent=1))
    del app


if __name__ == "__main__":
    main()
