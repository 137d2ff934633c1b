"""Run folders: which are read, which wait, and which nobody would miss."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import psutil
import pytest

from napari_gen2seg.jobs.training import past_runs
from napari_gen2seg.jobs.training.child import remember_child
from napari_gen2seg.jobs.training.cleanup import (
    OLD,
    drop_runs_without_models,
    remove_interrupted_runs,
)
from napari_gen2seg.jobs.training.past_runs import (
    crops_for,
    decide,
    list_past_runs,
    read_events,
    runs_dir,
    waiting_runs,
)
from napari_gen2seg.train.finetune.run_folder import (
    CONFIG_NAME,
    CROPS,
    EVENTS_NAME,
    MODEL_NAME,
    STATE_NAME,
)


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("NAPARI_GEN2SEG_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def made(name: str, *events: str) -> Path:
    """Make a run folder, with a model if it is done and a state if it saved one."""
    folder = runs_dir() / name
    (folder / CROPS).mkdir(parents=True)
    (folder / "data").mkdir()
    (folder / CONFIG_NAME).write_text(json.dumps({"name": name, "model": "mini"}))
    lines = [json.dumps({"event": event}) for event in events]
    (folder / EVENTS_NAME).write_text("\n".join(lines))
    if "saved" in events:
        (folder / STATE_NAME).touch()
    if "done" in events:
        (folder / MODEL_NAME).mkdir()
    return folder


def test_events_of_runs_that_are_over_are_not_read_again(tmp_path, monkeypatch):
    done, half = made("3", "plan", "done"), made("4", "plan", "saved", "step")
    adopted = tmp_path / "adopted"
    for name in ("1", "2"):
        decide(made(name, "plan", "saved", "done"), adopted)
    made("5", "failed")
    read = []

    def read_and_tell(folder: Path) -> list[dict]:
        read.append(folder)
        return read_events(folder)

    monkeypatch.setattr(past_runs, "read_events", read_and_tell)
    assert {run.folder for run in waiting_runs()} == {done, half}
    assert sorted(read) == [done, half]
    crops = [str(runs_dir() / name / CROPS) for name in ("2", "1")]
    assert crops_for(str(adopted)) == crops
    assert len(read) == 2
    assert len(list_past_runs()) == 5


def aged(folder: Path) -> Path:
    """Let a folder be older than what is swept away."""
    then = time.time() - OLD - 60
    for one in (*folder.rglob("*"), folder):
        os.utime(one, (then, then))
    return folder


def test_what_nobody_would_miss_is_swept_away_after_a_day(home, tmp_path):
    adopted = made("adopted", "saved", "done")
    decide(adopted, tmp_path / "model")
    busy = made("busy", "plan")
    remember_child(busy, psutil.Process().pid)
    kept = [
        adopted,
        busy,
        made("done", "plan", "done"),
        made("half", "plan", "saved", "step"),
        home / "models",
    ]
    (home / "models").mkdir()
    gone = [made("refused", "failed"), made("cancelled", "plan", "step")]
    unborn = runs_dir() / "unborn"  # the window closed while it was being written
    (unborn / "data").mkdir(parents=True)
    gone.append(unborn)
    for kind in ("planning", "adopting", "removing"):
        gone.append(home / f".{kind}-0123456789ab")
        gone[-1].mkdir()
        (gone[-1] / "a-image.tif").touch()
    young = [made("young", "plan"), home / ".planning-young"]
    young[-1].mkdir()
    for folder in (*kept, *gone):
        aged(folder)
    assert sorted(remove_interrupted_runs(lambda: None)) == sorted(gone)
    assert not any(folder.exists() for folder in gone)
    assert all(folder.is_dir() for folder in (*kept, *young))
    assert remove_interrupted_runs(lambda: None) == []


def test_runs_of_removed_models_go_unless_their_crops_are_replayed(tmp_path):
    models = {name: tmp_path / name for name in ("first", "second", "third", "lone")}
    runs = {name: made(name, "plan", "done") for name in models}
    for earlier, later in (("first", "second"), ("second", "third")):
        config = {"name": later, "replay": [str(runs[earlier] / CROPS)]}
        (runs[later] / CONFIG_NAME).write_text(json.dumps(config))
    for name in ("first", "second", "lone"):
        models[name].mkdir()
        decide(runs[name], models[name])  # the third is not decided on
    assert drop_runs_without_models() == []
    for name in ("second", "lone"):
        models[name].rmdir()
    assert drop_runs_without_models() == [runs["lone"]]
    decide(runs["third"], models["third"])  # a folder that is not there
    assert sorted(drop_runs_without_models()) == sorted([runs["third"], runs["second"]])
    assert runs["first"].is_dir()
