"""Find similar: what looks like the objects that were kept, in a real viewer."""

from __future__ import annotations

import numpy as np
import pytest
from qtpy.QtCore import Qt
from tests.gui.person import CONTROL, SHIFT

LARGE, SMALL = 17, 8


def discs(flip: bool = False) -> np.ndarray:
    """Return a picture of six large and six small discs."""
    picture = np.full((240, 320), 12, np.uint8)
    rows, cols = np.indices(picture.shape)
    for place in range(12):
        row, col = 40 + 80 * (place // 4), 40 + 80 * (place % 4)
        radius = LARGE if (place + flip) % 2 else SMALL
        picture[(rows - row) ** 2 + (cols - col) ** 2 <= radius**2] = 160 + place
    return picture


SMALL_ONE, LARGE_ONE, GROUND = (40, 40), (40, 120), (80, 80)


@pytest.fixture
def offered(desk, memory):
    memory.set("proposals", True)
    at = desk(np.stack([discs(), discs(True)]), name="discs")
    at.viewer.dims.set_point(0, 0)
    color(at)
    return at


def color(at) -> None:
    at.widget.model.color.click()
    at.person.until(lambda: review(at).review is not None)
    at.person.settle()


def review(at):
    return at.bridge.controller.review


def counts_large(at) -> int:
    return sum(size > 2 * LARGE - 5 for size in sizes(at))


def sizes(at) -> list[float]:
    """Return the diameters of what is outlined."""
    now = review(at).review
    return now.looks.diameters[now.shown].tolist()


def test_only_what_is_like_the_kept_ones_is_outlined_and_kept(offered):
    panel = offered.widget.review
    assert len(sizes(offered)) == 12
    panel.similar.click()
    offered.person.settle()
    assert "Keep one or a few first" in offered.widget.status.text()
    assert not panel.similar.isChecked()
    offered.person.move(*GROUND)
    offered.person.move(*LARGE_ONE)
    offered.person.press(Qt.Key.Key_Return)
    panel.similar.click()
    offered.person.settle()
    assert panel.similar.isChecked()
    assert len(sizes(offered)) == 5
    assert min(sizes(offered)) > 2 * LARGE - 5
    assert panel.counter.text() == "1 kept, 5 left"
    panel.likeness.setValue(0)
    assert len(sizes(offered)) == 11
    panel.likeness.setValue(100)
    assert len(sizes(offered)) < 5
    panel.likeness.setValue(50)
    offered.person.press(Qt.Key.Key_Return, SHIFT)
    assert len(np.unique(offered.labels[0])) == 7
    assert offered.labels[0][SMALL_ONE] == 0
    # On another plane by facts alone, without a key.
    offered.viewer.dims.set_point(0, 1)
    offered.person.settle()
    color(offered)
    assert len(sizes(offered)) == 6
    assert min(sizes(offered)) > 2 * LARGE - 5
    panel.similar.click()
    offered.person.settle()
    assert len(sizes(offered)) == 12
    offered.person.press(Qt.Key.Key_Z, CONTROL)
    assert not offered.labels[0][40, 280]


def test_what_was_dropped_counts_against(offered):
    panel = offered.widget.review
    offered.person.move(*GROUND)
    offered.person.move(*SMALL_ONE)
    offered.person.press(Qt.Key.Key_Return)
    panel.similar.click()
    offered.person.settle()
    assert counts_large(offered) == 0
    panel.likeness.setValue(0)
    assert counts_large(offered) == 6
    offered.person.move(*LARGE_ONE)
    offered.person.press(Qt.Key.Key_D)
    now = review(offered).review
    large = now.looks.diameters > 2 * LARGE - 5
    assert now.likeness[large].max() < 0.5 < now.likeness[~large].min()
