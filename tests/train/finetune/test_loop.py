"""The loop: told, stopped, gone on with, rolled back, and never left with halves."""

from __future__ import annotations

import dataclasses
import itertools
import json
import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.train.finetune.made import (
    settings,
    write_few,
    write_pairs,
)

from napari_gen2seg import Coloring
from napari_gen2seg.errors import Cancelled, StorageError, TrainingError
from napari_gen2seg.io.label_facts import LabelFacts, look_through
from napari_gen2seg.train.data.labeled_images import PairSpec, read_pairs
from napari_gen2seg.train.finetune import loop, planning
from napari_gen2seg.train.finetune.checkpoint import Progress, read_state
from napari_gen2seg.train.finetune.config import FinetuneConfig
from napari_gen2seg.train.finetune.events import Event
from napari_gen2seg.train.finetune.learner import Learner
from napari_gen2seg.train.finetune.loop import Training
from napari_gen2seg.train.finetune.planning import prepare
from napari_gen2seg.train.finetune.schedule import TrainingSchedule
from napari_gen2seg.train.finetune.validation import Validator


@pytest.fixture(scope="module")
def model(tiny_guided: Path) -> Path:
    return tiny_guided


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> tuple[PairSpec, ...]:
    return write_few(tmp_path_factory.mktemp("pairs"))


@pytest.fixture
def config(tmp_path: Path, model: Path, pairs: tuple[PairSpec, ...]) -> FinetuneConfig:
    return settings(tmp_path / "run", model, pairs)


def kinds(events: list[Event]) -> list[str]:
    return [event.kind for event in events]


def weights(folder: Path) -> dict[str, torch.Tensor]:
    state = read_state(folder, None)
    assert state is not None
    return state["trained"] | {f"average {k}": v for k, v in state["average"].items()}


def same(one: dict[str, torch.Tensor], two: dict[str, torch.Tensor]) -> bool:
    return one.keys() == two.keys() and all(torch.equal(one[k], two[k]) for k in one)


def stopping_at(training: Training, step: int) -> Training:
    training.cancel = lambda: training.progress.step >= step
    return training


def test_a_run_tells_what_it_does(config: FinetuneConfig) -> None:
    everything = list(Training(dataclasses.replace(config, steps=3)).events())
    waits = ("trying", "saving")  # what the bar says while nothing else can be said
    assert "trying" in kinds(everything)
    events = [event for event in everything if event.kind not in waits]
    assert kinds(events)[:5] == ["plan", "preview", "use", "saved", "score"]
    assert kinds(events)[-1] == "stopping" and events[-1].reason == "steps"
    plan, score = events[0], events[4]
    assert plan.reason.startswith("Computing on the CPU, as asked. Number type float32")
    assert events[2].use == {} and len(events[2].tried) == 4
    assert plan.validation and set(plan.train).isdisjoint(plan.validation)
    assert plan.trainable <= plan.parameters and plan.memory_bytes < plan.memory_free
    assert score.step == 0 and 0 <= score.one_click <= 1 and score.objects > 0
    preview = Coloring.load(events[1].path)
    assert preview.source_shape == (96, 96)
    steps = [event for event in events if event.kind == "step"]
    assert steps[0].step == 1 and math.isfinite(steps[0].loss)
    assert steps[0].left is None  # the first step is slow: it tells nothing of the rest
    for event in events:
        assert event.line().startswith('{"event": ')
    assert (config.folder / "best.safetensors").is_file()
    assert list((config.folder / "crops").glob("*.npz"))
    assert not list(config.folder.rglob("*.part"))


def test_resumed_equals_uninterrupted(config: FinetuneConfig, tmp_path: Path) -> None:
    list(Training(config).events())
    other = dataclasses.replace(config, run=str(tmp_path / "other"))
    with pytest.raises(Cancelled, match="step 3"):
        list(stopping_at(Training(other), 3).events())
    assert not (other.folder / "model").exists()
    events = list(Training(other, resume=True).events())
    assert events[0].resumed == 3 and events[-1].reason == "steps"
    assert same(weights(config.folder), weights(other.folder))


def test_another_seed_is_another_run(config: FinetuneConfig, tmp_path: Path) -> None:
    short = dataclasses.replace(config, steps=1)
    other = dataclasses.replace(short, seed=1, run=str(tmp_path / "other"))
    list(Training(short).events())
    list(Training(other).events())
    assert not same(weights(short.folder), weights(other.folder))


def test_a_file_stops_and_a_file_cancels(config: FinetuneConfig) -> None:
    training = Training(dataclasses.replace(config, steps=10_000))
    events = []
    for event in training.events():
        events.append(event)
        if event.kind == "step":
            (config.folder / "STOP").touch()
    assert events[-1].reason == "stop"
    assert training.progress.step < 100 and not (config.folder / "STOP").exists()
    with pytest.raises(Cancelled):
        for event in Training(dataclasses.replace(config, steps=10_000)).events():
            if event.kind == "step":
                (config.folder / "CANCEL").touch()
    assert not (config.folder / "CANCEL").exists()


def test_patience_ends_a_run_that_gains_nothing(
    config: FinetuneConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    falling = itertools.chain([0.5], itertools.repeat(0.4))
    monkeypatch.setattr(loop.Validator, "score", lambda *_: next(falling))
    patient = dataclasses.replace(config, steps=10_000, score_seconds=0.0, patience=2)
    events = list(Training(patient).events())
    assert events[-1].reason == "patience"
    assert [e.best for e in events if e.kind == "score"][:2] == [True, False]


def test_minutes_end_a_run_too(config: FinetuneConfig) -> None:
    timed = dataclasses.replace(config, steps=None, minutes=0.02)
    events = list(Training(timed).events())
    assert events[-1].reason == "minutes"


def nans(times: int) -> Iterator[float]:
    """Yield what the loss is multiplied with: no number, so many times."""
    yield from [1.0, 1.0, *[float("nan")] * times]
    while True:
        yield 1.0


@pytest.mark.parametrize("times", [1, 2])
def test_a_loss_that_is_no_number(
    config: FinetuneConfig, monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    factors, plain = nans(times), Learner._loss
    monkeypatch.setattr(
        Learner, "_loss", lambda self, place: plain(self, place) * next(factors)
    )
    events: list[Event] = []
    config = dataclasses.replace(config, steps=4)
    if times == 1:
        events = list(Training(config).events())
        back = next(event for event in events if event.kind == "rolled_back")
        assert (back.step, back.to) == (2, 0)
        assert events[-1].reason == "steps"
        state = read_state(config.folder, config)
        assert state is not None and state["progress"].rate_scale == 0.5
    else:
        with pytest.raises(TrainingError, match=r"second time.*Start anew with a sma"):
            events.extend(Training(config).events())
    assert all(torch.isfinite(value).all() for value in weights(config.folder).values())


def test_a_full_disk_keeps_what_was_saved(
    config: FinetuneConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = dataclasses.replace(config, steps=3)
    with pytest.raises(Cancelled):
        list(stopping_at(Training(config), 2).events())
    before = (config.folder / "state.pt").read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("napari_gen2seg.train.finetune.checkpoint.torch.save", full)
        with pytest.raises(StorageError, match=r"Free some space there and resume"):
            list(Training(config, resume=True).events())
    assert (config.folder / "state.pt").read_bytes() == before
    assert not list(config.folder.glob("*.part"))
    assert list(Training(config, resume=True).events())[-1].reason == "steps"


def test_better_weights_than_the_state_knows_of_survive_a_kill(
    config: FinetuneConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    scores = iter([0.2, 0.8, 0.5])
    monkeypatch.setattr(Validator, "score", lambda *_: next(scores))
    # Scored at every step, saved at the beginning alone; then killed at the second.
    often = dataclasses.replace(config, score_seconds=0.0)
    for event in Training(often).events():
        if event.kind == "score" and event.step == 1:
            break
    best = (config.folder / "best.safetensors").read_bytes()
    training = Training(dataclasses.replace(config, steps=3), resume=True)
    told = [event.best for event in training.events() if event.kind == "score"]
    assert told == [False]
    assert (training.progress.best, training.progress.best_step) == (0.8, 1)
    assert (config.folder / "best.safetensors").read_bytes() == best


def test_rolling_back_forgets_no_better_weights(
    config: FinetuneConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    scores, factors, plain = iter([0.2, 0.8]), nans(1), Learner._loss
    monkeypatch.setattr(Validator, "score", lambda *_: next(scores, 0.5))
    monkeypatch.setattr(
        Learner, "_loss", lambda self, place: plain(self, place) * next(factors)
    )
    training = Training(dataclasses.replace(config, steps=4, score_seconds=0.0))
    assert "rolled_back" in kinds(list(training.events()))
    assert (training.progress.best, training.progress.best_step) == (0.8, 1)


def test_a_state_of_another_run_is_refused(config: FinetuneConfig) -> None:
    config = dataclasses.replace(config, steps=1)
    list(Training(config).events())
    with pytest.raises(TrainingError, match="other settings"):
        list(Training(dataclasses.replace(config, seed=5), resume=True).events())
    (config.folder / "state.pt").write_bytes(b"cut off")
    with pytest.raises(TrainingError, match="cannot be read"):
        list(Training(config, resume=True).events())
    # Without a state, resuming begins; without resuming, the old state is no matter.
    assert list(Training(config).events())[-1].kind == "stopping"


def test_longer_than_begun_goes_on(config: FinetuneConfig) -> None:
    config = dataclasses.replace(config, steps=3)
    with pytest.raises(Cancelled):
        list(stopping_at(Training(config), 2).events())
    longer = dataclasses.replace(config, steps=4)
    training = Training(longer, resume=True)
    list(training.events())
    assert training.progress.step == 4


def test_the_rate_rises_over_a_tenth_of_the_run_however_it_ends() -> None:
    def rates(seconds: float, *steps: int, **length: float) -> list[float]:
        pace = TrainingSchedule(FinetuneConfig(**length))  # type: ignore[arg-type]
        found = []
        for step in steps:
            pace.back_to(Progress(step=step, seconds=0.0))
            pace.progress.seconds = seconds  # `back_to` keeps what was spent
            found.append(pace.rate(1.0))
        return found

    first, middle, risen, last = rates(0, 0, 20, 40, 400, steps=400)
    assert 0 < first < 0.05 and middle == pytest.approx(0.5, abs=0.01)
    assert risen == pytest.approx(0.98, abs=0.01) and last == pytest.approx(0.02)
    # A slow computer: time ends it at some thirty steps.
    (slow,) = rates(20, 4, steps=400, minutes=3)
    assert slow == pytest.approx(0.97, abs=0.02)
    # A long run need not warm up for long.
    assert rates(0, 100, steps=80_000)[0] == pytest.approx(1.0, abs=0.01)


def test_training_lowers_the_loss(
    config: FinetuneConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained = dataclasses.replace(config, steps=30, rate=3e-3)
    losses: list[float] = []
    plain = Learner.step

    def noted(self: Learner, progress: Progress, rate: float) -> float | None:
        losses.append(plain(self, progress, rate) or math.nan)
        return losses[-1]

    monkeypatch.setattr(Learner, "step", noted)
    list(Training(trained).events())
    assert np.mean(losses[-10:]) < 0.8 * np.mean(losses[:10])


def test_the_plan_tells_what_was_asked_for_and_what_was_chosen(
    config: FinetuneConfig,
) -> None:
    plan = planning.plan(dataclasses.replace(config, device="auto"))
    assert "asked" not in plan.reason and plan.reason.endswith("Number type float32.")


@pytest.mark.parametrize("kind", ["one", "few", "groups", "roles", "single object"])
def test_facts_are_enough_for_the_plan(
    kind: str, config: FinetuneConfig, tmp_path: Path
) -> None:
    count = {"one": 1, "single object": 1, "few": 2}.get(kind, 4)
    keep = {"single object": 1, "few": 3}.get(kind)
    specs = list(write_pairs(tmp_path / kind, count, keep=keep))
    if kind == "groups":
        specs = [
            dataclasses.replace(one, group=str(place // 2), complete=True)
            for place, one in enumerate(specs)
        ]
    if kind == "roles":
        specs[2] = dataclasses.replace(specs[2], role="validation")
    config = dataclasses.replace(config, pairs=tuple(specs))
    read = planning.plan(config)
    facts = [
        dataclasses.replace(look_through(pair.labels()), key=pair.key)
        for pair in read_pairs(config.pairs)[0]
    ]
    carried = [
        LabelFacts.from_json(json.loads(json.dumps(dataclasses.asdict(one))))
        for one in facts
    ]
    gone = dataclasses.replace(
        config,
        pairs=tuple(
            dataclasses.replace(one, image="/gone/" + one.image) for one in specs
        ),
    )
    told = planning.plan(gone, carried)
    begun = next(iter(Training(config).events()))
    same = {"memory_free": 0}
    assert {**told.facts(), **same} == {**read.facts(), **same}
    assert {**told.facts(), **same} == {**begun.facts(), **same}
    assert told.objects > 0 and (told.validation or kind == "single object")


def test_the_time_left_is_counted_from_the_second_step(
    config: FinetuneConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    pace = TrainingSchedule(dataclasses.replace(config, steps=101, minutes=None))
    pace.begin()
    now[0] += 30  # compiling, caches
    pace.stepped()
    assert pace.left is None
    now[0] += 2
    pace.stepped()
    assert pace.left == pytest.approx(2 * 99)
    limited = TrainingSchedule(dataclasses.replace(config, steps=None, minutes=1.0))
    limited.begin()
    now[0] += 20
    limited.stepped()
    assert limited.left == pytest.approx(40)


def test_a_step_must_beat_the_start_by_more_than_a_hair() -> None:
    progress = Progress()
    assert progress.scored(0.5)
    progress.step = 10
    assert not progress.scored(0.505)
    progress.step = 20
    assert progress.scored(0.52)
    progress.step = 30
    assert not progress.scored(0.52)
    assert progress.scored(0.525)
    assert (progress.best, progress.best_step) == (0.525, 30)


def test_sparse_labels_are_learnt_in_smaller_steps(model: Path, tmp_path: Path) -> None:
    pairs = write_pairs(tmp_path, 3, complete=True)
    assert prepare(settings(tmp_path / "a", model, pairs), "cpu").rate == 1e-3
    some = (dataclasses.replace(pairs[0], complete=False), *pairs[1:])
    assert prepare(settings(tmp_path / "b", model, some), "cpu").rate == 4e-4
    # Of pictures that only judge nothing is learnt.
    judged = (dataclasses.replace(some[0], role="validation"), *pairs[1:])
    assert prepare(settings(tmp_path / "c", model, judged), "cpu").rate == 1e-3
