"""Run folders: which are read, which wait, and which nobody would miss."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from napari_gen2seg.session import training_runs
from napari_gen2seg.session.training_runs import (
    CONFIG,
    CROPS,
    EVENTS,
    MODEL,
    STATE,
    crops_for,
    decide,
    past_runs,
    read_events,
    runs_dir,
    waiting_runs,
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
    (folder / CONFIG).write_text(json.dumps({"name": name, "model": "mini"}))
    lines = [json.dumps({"event": event}) for event in events]
    (folder / EVENTS).write_text("\n".join(lines))
    if "saved" in events:
        (folder / STATE).touch()
    if "done" in events:
        (folder / MODEL).mkdir()
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

    monkeypatch.setattr(training_runs, "read_events", read_and_tell)
    assert {run.folder for run in waiting_runs()} == {done, half}
    assert sorted(read) == [done, half]
    crops = [str(runs_dir() / name / CROPS) for name in ("2", "1")]
    assert crops_for(str(adopted)) == crops
    assert len(read) == 2
    assert len(past_runs()) == 5
