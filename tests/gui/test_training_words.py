"""What is said of a training: what is tried, why it ended, how sure a score is."""

from __future__ import annotations

import pytest

from napari_gen2seg.gui.finetune.run.page import TrainingPage
from napari_gen2seg.gui.finetune.texts import dock_text, ending_text, score_text


@pytest.fixture
def page(qtbot):
    made = TrainingPage()
    qtbot.addWidget(made)
    return made


def test_the_bar_moves_before_the_first_step_and_says_what_is_tried(page):
    seen = []
    for done in range(3):
        page.show_event(
            {"event": "trying", "what": f"Trying {done}", "done": done, "total": 3}
        )
        seen.append(page.progress.value())
        assert page.progress.format() == f"Trying {done}…"
    step = {"event": "step", "step": 1, "steps": 400, "loss": 1.0, "seconds": 1}
    page.show_event({**step, "left": 180.0})
    seen.append(page.progress.value())
    assert 0 < seen[0] < seen[1] < seen[2] < seen[3]
    assert dock_text({"event": "trying", "what": "Scoring"}) == "scoring"


def test_an_end_by_time_says_how_many_steps_and_that_the_machine_was_busy():
    end = {"event": "stopping", "reason": "minutes", "step": 41, "waited": 0.63}
    assert ending_text(end) == (
        "The time is over, after 41 steps (the computer was busy with something else "
        "63% of the time). Comparing the old and the new model…"
    )
    assert "busy" not in ending_text({**end, "waited": 0.1})
    assert "busy" not in ending_text({**end, "waited": None})


@pytest.mark.parametrize(("objects", "text"), [(12, "0.6"), (120, "0.64")])
def test_scores_have_the_decimals_that_so_many_objects_allow(page, objects, text):
    assert score_text(0.637, objects) == text
    score = {"event": "score", "step": 0, "one_click": 0.637, "objects": objects}
    page.show_event(score)
    assert text in page.score.toolTip()
    low, high = page.score._ends()
    assert low <= 0.637 <= high and f"{low:.2f}" != f"{high:.2f}"
