"""A preset ends by its minutes, but not before it has told anything."""

from __future__ import annotations

import pytest

from napari_gen2seg.train.finetune import schedule
from napari_gen2seg.train.finetune.config import LONGEST, PRESETS, FinetuneConfig
from napari_gen2seg.train.finetune.schedule import TrainingSchedule

QUICK = PRESETS["quick"]


class Clock:
    """Stands still until it is told."""

    def __init__(self) -> None:
        self.now = self.spent = 100.0

    def monotonic(self) -> float:
        return self.now

    def process_time(self) -> float:
        return self.spent


@pytest.fixture
def clock(monkeypatch):
    made = Clock()
    monkeypatch.setattr(schedule, "time", made)
    return made


def at(config: FinetuneConfig, clock: Clock, step: int, minutes: float):
    pace = TrainingSchedule(config)
    pace.begin()
    pace.progress.step = step
    clock.now += 60 * minutes
    return pace


def test_time_ends_a_preset_that_has_made_steps_enough(clock):
    pace = at(FinetuneConfig(), clock, QUICK.least, QUICK.minutes)
    assert pace.over == "minutes"
    assert pace.share == 1


def test_too_few_steps_to_tell_are_not_the_end(clock):
    pace = at(FinetuneConfig(), clock, QUICK.least // 2, QUICK.minutes)
    assert pace.over is None
    assert pace.share == pytest.approx(0.5)
    assert pace.left == pytest.approx(60 * QUICK.minutes)


def test_a_machine_that_never_gets_there_ends_all_the_same(clock):
    pace = at(FinetuneConfig(), clock, 1, LONGEST * QUICK.minutes)
    assert pace.over == "minutes"


def test_minutes_set_by_hand_are_kept(clock):
    pace = at(FinetuneConfig(minutes=2.0), clock, 1, 2)
    assert pace.over == "minutes"


def test_waiting_is_what_was_not_computed(clock):
    pace = at(FinetuneConfig(), clock, 1, 1)
    assert pace.waited == pytest.approx(1)
    clock.spent += 45
    assert pace.waited == pytest.approx(0.25)
