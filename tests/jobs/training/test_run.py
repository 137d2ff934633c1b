"""A fine-tuning under way: started, watched, stopped, killed, taken up again."""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path

import numpy as np
import psutil
import pytest
import tifffile
from tests.helpers.waiting import BACKSTOP, wait_until

from napari_gen2seg.errors import (
    Cancelled,
    SettingsError,
    StorageError,
    TrainingError,
)
from napari_gen2seg.io.annotated import AnnotatedSource
from napari_gen2seg.jobs.model.server import NICE
from napari_gen2seg.jobs.training import past_runs
from napari_gen2seg.jobs.training.past_runs import (
    decide,
    discard,
    look_at,
    new_run,
    read_events,
    running_in,
    waiting_runs,
)
from napari_gen2seg.jobs.training.plan import plan
from napari_gen2seg.jobs.training.run import TrainingRun

CHILD = (sys.executable, str(Path(__file__).parent / "training_child.py"))


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("NAPARI_GEN2SEG_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def config(tmp_path, tiny_sd):
    labels = np.zeros((48, 64), np.int32)
    labels[4:12, 4:12], labels[20:30, 30:44] = 1, 5
    pairs = []
    for name in ("a", "b"):
        tifffile.imwrite(tmp_path / f"{name}.tif", np.uint8(labels * 20))
        tifffile.imwrite(tmp_path / f"{name}-labels.tif", labels)
        pairs.append(
            {
                "image": str(tmp_path / f"{name}.tif"),
                "labels": str(tmp_path / f"{name}-labels.tif"),
                "name": name,
                "role": "validation" if name == "b" else "train",
            }
        )
    return {"format_version": 1, "model": str(tiny_sd), "name": "mine", "pairs": pairs}


class Watcher:
    """Starts a run and waits for things."""

    def __init__(self, run: TrainingRun) -> None:
        self.run, self.seen, self.states = run, [], []
        self.over = threading.Event()
        run.happened.connect(self.seen.append)
        run.state_changed.connect(self.states.append)
        run.ended.connect(lambda _: self.over.set())

    def wait(self) -> str:
        assert self.over.wait(BACKSTOP), (self.run.state, self.seen[-3:])
        self.over.clear()
        return self.run.state

    def until(self, kind: str, count: int = 1) -> None:
        wait_until(
            lambda: sum(event["event"] == kind for event in list(self.seen)) >= count,
            lambda: not self.over.is_set(),
            lambda: (self.run.state, self.run.message),
        )

    def steps(self) -> list[int]:
        return [event["step"] for event in self.seen if event["event"] == "step"]


@pytest.fixture
def watched(tmp_path):
    made = []

    def make(folder: Path | None = None) -> Watcher:
        made.append(Watcher(TrainingRun(folder or tmp_path / "run", CHILD)))
        return made[-1]

    yield make
    for one in made:
        one.run.kill()


def test_runs_to_its_end(watched, config):
    at = watched()
    at.run.start(config)
    assert at.wait() == "done"
    assert at.states == ["starting", "running", "stopping", "done"]
    assert at.steps() == list(range(1, 41))
    assert at.seen[-1]["model"] == str(at.run.folder / "model")
    assert read_events(at.run.folder) == at.seen == at.run.events
    assert not at.run.resumable


def test_the_window_comes_first(watched, config):
    at = watched()
    at.run.start(config)
    at.until("step")
    child, worker = psutil.Process(at.run.pid), psutil.Process()
    if sys.platform == "win32":
        assert child.nice() == psutil.BELOW_NORMAL_PRIORITY_CLASS
    else:
        assert child.nice() > max(worker.nice(), NICE)
    assert at.wait() == "done"


def test_cancel_saves_and_resume_goes_on(watched, config):
    at = watched()
    at.run.start(config)
    at.until("step", 8)
    with pytest.raises(SettingsError, match="already running"):
        at.run.start()
    at.run.cancel()
    assert at.run.state == "stopping"
    assert at.wait() == "cancelled"
    assert at.run.resumable
    came = at.steps()[-1]
    assert look_at(at.run.folder).state == "cancelled"

    again = watched()  # as after closing the window: curves come back from the folder
    assert [e["step"] for e in again.run.events if e["event"] == "step"] == at.steps()
    again.run.start(resume=True)
    assert again.wait() == "done"
    assert again.steps()[0] == came + 1


def test_a_cancel_that_cannot_save_is_a_failure(watched, config, monkeypatch):
    monkeypatch.setenv("TRAINING_CHILD", "full")
    at = watched()
    at.run.start({**config, "steps": 100_000})
    at.until("step", 2)
    at.run.cancel()
    assert at.wait() == "failed"
    assert at.run.message == "The disk is full."
    assert look_at(at.run.folder).state == "failed"


def test_stop_and_keep_finishes_early(watched, config):
    at = watched()
    at.run.start({**config, "steps": 100_000})
    at.until("step", 3)
    at.run.stop_and_keep()
    assert at.wait() == "done"
    assert len(at.steps()) < 1000
    assert {"event": "stopping", "reason": "stop"} in at.seen
    assert not (at.run.folder / "STOP").exists()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
def test_a_killed_child_is_noticed_and_can_go_on(watched, config):
    at = watched()
    at.run.start(config)
    at.until("saved")
    os.kill(at.run.pid, signal.SIGKILL)
    assert at.wait() == "lost"
    assert "memory" in at.run.message
    assert "Resume" in at.run.message
    assert look_at(at.run.folder).state == "lost"
    at.run.start(resume=True)
    assert at.wait() == "done"


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
def test_killed_before_anything_was_saved(watched, config):
    at = watched()
    at.run.start({**config, "steps": 100_000})
    at.until("plan")
    at.run.kill()
    assert at.wait() == "lost"
    if not at.run.resumable:
        assert "start again" in at.run.message


@pytest.mark.parametrize(("mode", "word"), [("disk", "disk is full"), ("nan", "rate")])
def test_the_sentence_of_the_child_is_kept(watched, config, monkeypatch, mode, word):
    monkeypatch.setenv("TRAINING_CHILD", mode)
    at = watched()
    at.run.start(config)
    assert at.wait() == "failed"
    assert word in at.run.message
    assert at.run.resumable
    assert look_at(at.run.folder).state == "failed"


def test_a_crash_tells_its_last_words(watched, config, monkeypatch):
    monkeypatch.setenv("TRAINING_CHILD", "crash")
    at = watched()
    at.run.start(config)
    assert at.wait() == "lost"
    assert "the child's own last words" in at.run.message


def test_a_child_that_cannot_start_says_so(tmp_path, config):
    run = TrainingRun(tmp_path / "run", ["/no/such/program"])
    with pytest.raises(Exception, match="could not be started"):
        run.start(config)
    assert run.state == "idle"


def test_nothing_to_resume(tmp_path):
    with pytest.raises(SettingsError, match="nothing to train"):
        TrainingRun(tmp_path / "empty", CHILD).start(resume=True)


def test_a_closed_window_leaves_a_run_that_waits(watched, config):
    folder = new_run("my model!")
    at = watched(folder)
    at.run.start({**config, "steps": 100_000})
    at.until("saved")
    assert running_in(folder)
    with pytest.raises(StorageError, match="still runs"):
        discard(folder)
    at.run.close()
    count = len(at.states)
    assert at.run.wait(BACKSTOP)
    wait_until(lambda: not running_in(folder) and look_at(folder).state != "running")
    assert len(at.states) == count  # whoever listened may be gone
    (waiting,) = waiting_runs()
    assert (waiting.folder, waiting.state) == (folder, "cancelled")
    assert waiting.resumable
    assert waiting.name == "mine"
    discard(folder)
    assert waiting_runs() == []


def test_a_result_waits_until_it_is_decided_on(watched, config, tmp_path):
    folder = new_run("mine")
    at = watched(folder)
    at.run.start(config)
    at.wait()
    assert [run.state for run in waiting_runs()] == ["done"]
    decide(folder, tmp_path / "adopted")
    assert waiting_runs() == []
    assert not (folder / "model").exists()
    assert not (folder / "state.pt").exists()
    crops = past_runs.crops_for(str(tmp_path / "adopted"))
    assert crops == [str(folder / "crops")]
    assert past_runs.crops_for("mini") == []


def test_events_cut_off_by_a_crash_are_left_out(tmp_path):
    (tmp_path / "events.jsonl").write_text(
        '{"event": "step", "step": 1}\n[1]\n{"event": "st'
    )
    assert read_events(tmp_path) == [{"event": "step", "step": 1}]
    assert look_at(tmp_path) is None


def test_a_plan_is_asked_for_and_leaves_nothing(config, home):
    labels = tifffile.imread(config["pairs"][0]["labels"])

    def pixels() -> None:
        raise OSError("a plan reads no pixels")

    source = AnnotatedSource("a", pixels, label_reader=lambda: labels)
    values = {"model": config["model"], "name": "mine"}
    found = plan(values, [source], ["a"], lambda: None, CHILD)
    assert found["objects"] == 2
    assert found["memory_bytes"] > 0
    assert list(home.iterdir()) == []

    asked = []

    def stop() -> None:
        asked.append(1)
        if len(asked) > 1:
            raise Cancelled("no")

    with pytest.raises(Cancelled):
        plan(values, [source], ["a"], stop, CHILD)
    assert list(home.iterdir()) == []


def test_a_plan_that_cannot_be_says_why(config, home):
    says = 'print(\'{"event": "failed", "message": "Too little memory."}\')'
    with pytest.raises(TrainingError, match="Too little memory"):
        plan({"model": "mini"}, [], [], lambda: None, [sys.executable, "-c", says])
    with pytest.raises(TrainingError, match="could not be found out"):
        plan({"model": "mini"}, [], [], lambda: None, [sys.executable, "-c", ""])


DEAF = """
import signal, sys, time
for one in (signal.SIGTERM, signal.SIGINT):
    signal.signal(one, signal.SIG_IGN)
print('{"event": "plan"}', flush=True)
time.sleep(1000)
"""


@pytest.mark.skipif(os.name == "nt", reason="signals are another thing there")
def test_a_child_that_does_not_hear_a_cancel_is_ended(tmp_path):
    run = TrainingRun(tmp_path / "run", [sys.executable, "-c", DEAF])
    run.start({})
    wait_until(lambda: run.state == "running")
    run.cancel()
    assert run.wait(BACKSTOP)
    wait_until(lambda: run.state == "cancelled")
