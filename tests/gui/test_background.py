"""Over background: nothing is lit, and nothing there looks like a good outline."""

from __future__ import annotations

import numpy as np
import pytest
from qtpy.QtCore import Qt
from tests.gui.test_learned_probe import measured
from tests.helpers.tiny_probe import tiny_probe_as_mini

from napari_gen2seg.core.learned_probe.choice import LEARNED, SIMILARITY

COIN, GROUND = (51, 155), (88, 130)


@pytest.fixture(params=[SIMILARITY, LEARNED])
def work(request, desk):
    """Coloured coins whose clicks one of the probes answers."""
    with tiny_probe_as_mini():
        at = desk()
        measured(at)
        at.widget.probe.method.textActivated.emit(request.param)
        at.bridge.controller.current.start_clicking()
        yield at


def lit(at) -> bool:
    layer = at.person.layer("preview")
    return layer is not None and bool(layer.data.any())


def test_nothing_is_lit_over_background_however_long_the_pointer_rests(work):
    person, panel = work.person, work.widget.probe
    person.move(*COIN)
    assert person.lit(COIN, 2)
    assert panel.result.text().endswith("outline")
    person.move(*GROUND, wait=400)
    assert not lit(work)
    assert panel.result.text() == "Background: the map shows no object here"
    person.move(*COIN)
    assert person.lit(COIN, 2)
    assert panel.result.text().endswith("outline")


def test_a_click_on_background_is_told_as_one_and_never_called_an_outline(work):
    person, panel, status = work.person, work.widget.probe, work.widget.status
    person.click(*GROUND)
    prompts = work.bridge.controller.current.prompts
    assert prompts.signs == (1,)
    assert lit(work)
    assert "takes for background" in status.text()
    assert "takes for background" in panel.result.text()
    assert "outline" not in panel.result.text()
    person.press(Qt.Key.Key_Return)
    row, col = np.rint(prompts.points[0]).astype(int)  # GROUND, but for the screen's
    assert work.labels[row, col] == 1  # whoever insists gets it
    assert "takes for background" in status.text()


def test_an_object_may_be_given_more_that_is_dark_on_the_map(work):
    person, panel = work.person, work.widget.probe
    person.click(*COIN)
    person.move(*GROUND)
    assert work.person.layer("preview").data[COIN] == 1
    assert panel.result.text().endswith("outline")
