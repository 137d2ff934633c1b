"""The real command as a child: a tiny random model, small pictures."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import psutil
import pytest
from skimage.draw import disk
from tests.helpers.waiting import BACKSTOP, wait_until

from napari_gen2seg.core.coloring import Coloring
from napari_gen2seg.io.annotated import Annotated, AnnotatedSource, as_labels
from napari_gen2seg.jobs.training.past_runs import look_at, new_run
from napari_gen2seg.jobs.training.plan import plan
from napari_gen2seg.jobs.training.run import TrainingRun
from napari_gen2seg.jobs.training.written_data import write_pairs
from napari_gen2seg.models.library.user_models import adopt
from napari_gen2seg.models.registry import find

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("NAPARI_GEN2SEG_HOME", str(tmp_path / "home"))


def discs(seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    image, labels = rng.normal(30, 4, (96, 96)), np.zeros((96, 96), np.int32)
    for number in range(9):
        at = 16 + 32 * np.array(divmod(number, 3))
        inside = disk(at, rng.uniform(9, 13), shape=labels.shape)
        image[inside] = rng.uniform(120, 230)
        labels[inside] = number + 1
    return image.clip(0, 255).astype(np.uint8), labels


@pytest.fixture
def sources():
    made = []
    for name, role in (("a", "train"), ("b", "validation")):
        image, labels = discs(len(made))
        made.append(
            AnnotatedSource(
                name,
                lambda image=image, labels=labels: Annotated(image, as_labels(labels)),
                role=role,
                complete=False,
            )
        )
    return made


@pytest.fixture
def begin(tiny_offsets, sources):
    """Return a function that starts a run and waits for its end or an event."""
    folder = new_run("mine")
    runs = []

    def make(resume: bool = False, **settings: object) -> TrainingRun:
        run = TrainingRun(folder)
        runs.append(run)
        config = None
        if not resume:
            names = [one.title for one in sources]
            pairs = write_pairs(
                folder / "data", sources, names, lambda: None, lambda *_: None
            )
            config = {
                "model": str(tiny_offsets),
                "name": "mine",
                "run": str(folder),
                "pairs": pairs,
                "device": "cpu",
                "trainable": "last_blocks",
                "crop": 64,
                "batch": 1,
                **settings,
            }
        run.start(config, resume)
        return run

    yield make
    for run in runs:
        run.kill()


def until(run: TrainingRun, kind: str, count: int = 1) -> None:
    wait_until(
        lambda: sum(event["event"] == kind for event in list(run.events)) >= count,
        lambda: run.working,
        lambda: (run.state, run.message, run.events[-3:]),
    )


def ended(run: TrainingRun) -> str:
    wait_until(lambda: not run.working, seen=lambda: run.events[-3:])
    return run.state


def test_to_its_end_and_among_ones_own_models(begin):
    run = begin(steps=3, preview_seconds=0)
    assert ended(run) == "done", run.message
    kinds = [event["event"] for event in run.events]
    for kind in ("plan", "preview", "score", "step", "stopping", "compared", "done"):
        assert kind in kinds
    preview = next(event for event in run.events if event["event"] == "preview")
    assert Coloring.load(preview["path"]).source_shape == (96, 96)
    for name in ("b-before.tif", "b-after.tif", "b-after-labels.tif"):
        assert (run.folder / "compare" / name).is_file()
    folder = adopt(run.folder / "model", "mine")
    assert find(str(folder)).family == "offsets"


@pytest.mark.skipif(os.name == "nt", reason="pipes break differently there")
def test_cancelled_then_left_alone_then_stopped(begin):
    """Cancel; go on in a window that dies; go on again; stop and keep the best."""
    run = begin(steps=100_000)
    until(run, "step")
    run.cancel()
    assert ended(run) == "cancelled", run.message
    assert run.resumable
    assert look_at(run.folder).state == "cancelled"
    came = steps(run)[-1]

    child = die_with_a_window(run.folder)
    child.wait(BACKSTOP)  # it noticed that nobody listens any more
    assert look_at(run.folder).resumable
    left = TrainingRun(run.folder)
    assert steps(left)[-1] > came
    saved = [event for event in left.events if event["event"] == "saved"]
    assert saved[-1]["step"] >= steps(left)[-1] - 1

    again = begin(resume=True)
    count = len(steps(again))
    until(again, "step", count + 1)
    assert steps(again)[count] > came
    again.stop_and_keep()
    assert ended(again) == "done", again.message


def steps(run: TrainingRun) -> list[int]:
    return [event["step"] for event in list(run.events) if event["event"] == "step"]


def die_with_a_window(folder: Path) -> psutil.Process:
    """Resume a run in another process, which is killed; return the run's child."""
    code = (
        "import time; from napari_gen2seg.jobs.training.run import TrainingRun;"
        f"run = TrainingRun({str(folder)!r}); run.start(resume=True);"
        "old = len(run.events)\n"
        "while not any(e['event'] == 'step' for e in run.events[old:]):\n"
        "    time.sleep(.1)\n"
        "print(run.pid, flush=True); time.sleep(1000)"
    )
    window = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    try:
        return psutil.Process(int(window.stdout.readline()))
    finally:
        window.kill()
        window.wait()


def test_a_plan_without_a_run(tiny_offsets, sources):
    config = {"model": str(tiny_offsets), "name": "mine", "device": "cpu"}
    found = plan(config, sources, ["a", "b"], lambda: None)
    assert found["validation"] == ["b"]
    assert 0 < found["memory_bytes"] < found["memory_free"]
