"""What the dialog says, and the curves that it draws."""

from __future__ import annotations

from dataclasses import replace

import pytest
from qtpy.QtGui import QColor, QPolygonF

from napari_gen2seg.common.text import duration_text, names_text
from napari_gen2seg.gui.finetune.data.candidates import TrainingCandidate
from napari_gen2seg.gui.finetune.data.selection import PairChoice
from napari_gen2seg.gui.finetune.result.measure_names import MEASURES
from napari_gen2seg.gui.finetune.result.verdict import (
    GRAY,
    GREEN,
    NOTHING_GAINED,
    change_text,
    verdict_text,
)
from napari_gen2seg.gui.finetune.run import live_plot as module
from napari_gen2seg.gui.finetune.run.live_plot import Chart, smooth, thinned
from napari_gen2seg.gui.finetune.run.plan_preview import memory_line, plan_line
from napari_gen2seg.gui.finetune.texts import (
    comparing_text,
    dock_text,
    plan_text,
    share_done,
    step_text,
)
from napari_gen2seg.io.annotated import Annotated, AnnotatedSource


def test_curves(qtbot):
    chart = Chart("loss", QColor("white"))
    qtbot.addWidget(chart)
    chart.resize(200, 100)
    empty = chart.grab().toImage()
    # "not yet", in the middle, is as readable as the title.
    middle = [empty.pixelColor(x, y) for x in range(90, 150) for y in range(40, 65)]
    text, ground = chart.palette().windowText().color(), empty.pixelColor(60, 30)
    contrast = abs(text.lightness() - ground.lightness())
    assert max(abs(one.lightness() - ground.lightness()) for one in middle) > (
        0.7 * contrast
    )
    for step in range(1, 6):
        chart.add(step, 1 / step)
    chart.add(6, None)
    chart.add(7, float("nan"))
    assert [step for step, _ in chart.points] == [1, 2, 3, 4, 5]
    assert chart.grab().toImage() != empty
    chart.add(3, 0.5)  # went on from an earlier state
    assert chart.points[-1] == (3, 0.5)
    assert len(chart.points) == 3
    flat = smooth([(n, 2.0) for n in range(5)])
    assert [value for _, value in flat] == pytest.approx([2.0] * 5)


def test_one_value_stands_in_the_middle(qtbot, monkeypatch):
    drawn = []

    def polygon(points):
        drawn.append(points)
        return QPolygonF(points)

    monkeypatch.setattr(module, "QPolygonF", polygon)
    chart = Chart("score", QColor("white"))
    qtbot.addWidget(chart)
    chart.resize(300, 100)
    chart.add(0, 0.81)
    chart.grab()
    height = 100 - module.TOP - module.BOTTOM
    assert drawn[0][0].y() == pytest.approx(module.TOP + height / 2, abs=1)


def test_a_long_curve_is_drawn_with_a_point_for_a_pixel(qtbot, monkeypatch):
    drawn = []

    def polygon(points):
        drawn.append(points)
        return QPolygonF(points)

    monkeypatch.setattr(module, "QPolygonF", polygon)
    chart = Chart("loss", QColor("white"))
    qtbot.addWidget(chart)
    chart.resize(300, 100)
    for step in range(1, 5001):
        chart.add(step, 1 / step)
    chart.grab()
    assert len(drawn) == 2  # the values, and their mean
    assert all(200 < len(line) <= 300 for line in drawn)
    assert len(chart.points) == 5000
    right = [line[-1].x() for line in drawn]
    assert right == [pytest.approx(300 - module.RIGHT, abs=2)] * 2
    assert thinned([(1, 0.1), (2, 0.2), (3, 0.3)], 10.0) == [
        (1, 0.1),
        (2, 0.2),
        (3, 0.3),
    ]


def test_words():
    assert [duration_text(s) for s in (8, 240, 4800)] == ["8 s", "4 min", "80 min"]
    assert [duration_text(s) for s in (59.6, 117, 900)] == [
        "1 min",
        "1 min 57 s",
        "15 min",
    ]
    assert duration_text(7200) == "2 h 0 min"
    assert names_text(["a", "b", "c", "d"]) == "a, b, c and 1 more"
    assert share_done({"step": 3, "steps": 12}) == 0.25
    assert share_done({"step": 3, "steps": None, "seconds": 1, "left": 3}) == 0.25
    assert share_done({"step": 3, "steps": None, "left": None}) is None
    # A slow computer: time ends it long before its steps do.
    slow = {"step": 26, "steps": 400, "seconds": 123, "left": 57}
    assert share_done(slow) == pytest.approx(123 / 180)
    assert step_text({**slow, "left": 117}) == "1 min 57 s left, 26 steps done"
    assert step_text({"step": 1, "left": None}) == "1 step done"
    assert dock_text({**slow, "event": "step"}) == "68%"
    assert dock_text({"event": "saved"}) is None
    comparing = {"done": 1, "total": 60, "name": "a", "when": "after"}
    said = comparing_text(comparing, str.upper)
    assert said == "A, new model: 1 of 60 objects clicked"
    assert dock_text({**comparing, "event": "comparing"}) == "comparing, 2%"
    held = [{"name": "a", "before": 0.4, "after": 0.8}]
    better = {"verdict": "better", "before": {"one_click": 0.4}, "pictures": held}
    assert "better" in verdict_text({**better, "after": {"one_click": 0.8}})
    assert "Nothing was held back" in verdict_text({})
    assert "Nothing was held back" in verdict_text({**better, "pictures": []})
    same = {"verdict": "no difference", "unchanged": True, "low": 0.0, "high": 0.0}
    assert NOTHING_GAINED in verdict_text(same) and "between" not in verdict_text(same)
    assert "same" in change_text(0.5, 0.501, True, "{:.2f}")
    assert change_text(None, 0.5, True, "{:.2f}") == ""
    assert "−2.5" in change_text(4.0, 1.5, False, "{:.1f}")
    assert "+0.3" in change_text(1.149, 1.351, True, "{:.1f}")  # 1.1 to 1.4
    found = {**better, "before": {"one_click": 0.4, "ap": 0.7}}
    for ap, told in ((0.69, False), (0.5, True), (None, False)):
        text = verdict_text({**found, "after": {"one_click": 0.8, "ap": ap}})
        assert ("finds objects worse without a click" in text) is told
        assert ("was 0.70 and is 0.50" in text) is told
    low = {**better, "after": {"one_click": 0.8}, "low": -0.004, "high": 0.05}
    assert "between 0% and +5%" in verdict_text(low)
    assert GREEN in change_text(4.0, 1.5, False, "{:.1f}")
    assert GRAY in change_text(4.0, 1.5, False, "{:.1f}", clear=False)


def test_the_verdict_says_how_the_new_model_is_used():
    compared = {
        "verdict": "better",
        "pictures": [{}],
        "before": {"one_click": 0.5},
        "after": {"one_click": 0.7},
        "use": {"source_diameter": 22.8, "hears_brightness": False},
    }
    said = verdict_text(compared)
    assert "23 pixels" in said and "brightness" in said
    assert "pixels" not in verdict_text(compared | {"use": {}})
    assert "proposals" not in verdict_text(compared | {"own_work": [9, 20]})
    for unchanged in (False, True):
        judged = compared | {"own_work": [17, 20], "unchanged": unchanged}
        assert "17 of the 20 objects to judge by are" in verdict_text(judged)
    # A run of an earlier version does not tell.
    del compared["use"]
    assert "better" in verdict_text(compared)


def test_the_plan_in_a_line():
    values = {"name": "n", "minutes": None, "steps": None, "preset": "quick"}
    assert "page 1" in plan_line([], 0, values, False)
    assert "page 3" in plan_line([], 0, values, True)

    def nothing() -> Annotated:
        raise AssertionError("a plan in a line reads nothing")

    row = TrainingCandidate("k", AnnotatedSource("p", nothing), "l")
    one = [(row, PairChoice(True))]
    said = plan_line(one, 1, values, False)
    assert "1 picture with 1 object, too few to hold any back" in said
    assert "a part of it held back" in plan_line(one, 12, values, False)
    others = [(replace(row, key=str(n)), PairChoice(True)) for n in range(9)]
    assert "of which 1 picture is held back" in plan_line(
        [*one, *others[:1]], 12, values, False
    )
    assert "of which 2 pictures are held back" in plan_line(
        [*one, *others], 99, values, False
    )
    stack = [
        (replace(r, source=replace(r.source, group="s")), at) for r, at in others[:3]
    ]
    assert "some pictures are held back" in plan_line([*one, *stack], 12, values, False)
    assert "after 3 minutes, or earlier" in said
    by_hand = {**values, "minutes": 2.5, "steps": 1000}
    said = plan_line(one, 12, by_hand, False)
    assert "after 2.5 minutes or 1,000 steps, or earlier" in said
    learnt = [(row, PairChoice(True, role="train"))]
    assert "nothing held back" in plan_line(learnt, 12, values, False)
    held = [(row, PairChoice(True, role="validation"))]
    assert "Every picture is held back" in plan_line(held, 12, values, False)
    told = plan_text({"train": ["p"], "validation": [], "objects": 1}, str)
    assert "p (1 object); nothing is held back" in told
    memory = memory_line({"model": "mini", "trainable": "full"})
    assert "at least" in memory
    assert memory_line({"model": "no such model", "trainable": "full"}) == ""


def test_measures_say_how_many_clicks_are_counted():
    from napari_gen2seg.workflows.finetune.judged_clicks import CAP, WANTED

    tip = MEASURES["clicks"].tip
    assert f"by {WANTED}" in tip and f"stops at {CAP}" in tip
    assert all(measure.tip.endswith((".", ").")) for measure in MEASURES.values())
