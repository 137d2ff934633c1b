"""``napari-gen2seg finetune`` as a cluster, or the window, runs it: a real child."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, cast

import numpy as np
import pytest
import tifffile
from tests.helpers.command_line import run_here
from tests.helpers.waiting import BACKSTOP
from tests.train.finetune.made import settings, write_few, write_pairs

from napari_gen2seg.project.journal import Act
from napari_gen2seg.project.origin import Origin
from napari_gen2seg.project.project import Project
from napari_gen2seg.train.finetune.config import FinetuneConfig, read_finetune_config


def start(*arguments: str | Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "napari_gen2seg", "finetune", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ},
    )


def read_until(child: subprocess.Popen[str], kind: str) -> list[dict[str, Any]]:
    """Read events up to the first of a kind, or to the end."""
    events = []
    for line in cast("IO[str]", child.stdout):
        events.append(json.loads(line))
        if events[-1]["event"] == kind:
            break
    return events


def end(child: subprocess.Popen[str]) -> tuple[list[dict[str, Any]], int]:
    events = read_until(child, "no such event")
    return events, child.wait(timeout=BACKSTOP)


@pytest.fixture
def config(tmp_path: Path, tiny_offsets: Path) -> FinetuneConfig:
    return settings(
        tmp_path / "run", tiny_offsets, write_few(tmp_path), steps=100_000,
        preview_seconds=2.0,
    )  # fmt: skip


@pytest.mark.slow
def test_two_folders_in_a_model_out(tmp_path: Path, tiny_offsets: Path) -> None:
    write_few(tmp_path)
    folders = ("--images", tmp_path / "images", "--labels", tmp_path / "labels")
    others = ("--out", tmp_path / "mine", "--model", tiny_offsets, "--steps", "3")
    events, code = end(start(*folders, *others, "--complete"))
    assert code == 0
    assert events[0]["event"] == "plan"
    assert [e["event"] for e in events][-2:] == ["compared", "done"]
    assert Path(events[-1]["model"]) == tmp_path / "mine" / "model"
    written = read_finetune_config(tmp_path / "mine" / "config.json")
    assert written.name == "mine" and len(written.pairs) == 2
    assert all(pair.complete for pair in written.pairs)
    logged = (tmp_path / "mine" / "events.jsonl").read_text().splitlines()
    assert [json.loads(line)["event"] for line in logged] == [
        e["event"] for e in events
    ]


@pytest.mark.slow
def test_killed_resumed_cancelled_resumed_stopped(config: FinetuneConfig) -> None:
    path = config.save()
    child = start(path)
    assert read_until(child, "step")[-1]["event"] == "step"
    child.send_signal(signal.SIGKILL)
    child.wait(timeout=BACKSTOP)
    assert child.returncode == -signal.SIGKILL

    child = start(path, "--resume")
    assert read_until(child, "step")[-1]["event"] == "step"
    child.send_signal(signal.SIGTERM)
    events, code = end(child)
    assert code == 130
    assert (events[-1]["event"], events[-1]["reason"]) == ("stopping", "cancel")
    assert "saving" in [one["event"] for one in events]
    saved = [e["step"] for e in events if e["event"] == "saved"][-1]
    assert saved > 0 and not (config.folder / "model").exists()

    child = start(path, "--resume")
    begun = read_until(child, "step")
    assert begun[0]["resumed"] == saved and begun[-1]["step"] > saved
    (config.folder / "STOP").touch()
    events, code = end(child)
    assert code == 0
    (stopping,) = [one for one in events if one["event"] == "stopping"]
    assert stopping["reason"] == "stop" and stopping["step"] > saved
    assert events[-1]["event"] == "done"
    assert (config.folder / "model" / "gen2seg.json").is_file()


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals")
def test_a_plan_is_words_on_a_terminal_and_json_elsewhere(
    config: FinetuneConfig,
) -> None:
    path = config.save()
    done = run_here("finetune", path, "--plan")
    event = json.loads(done.stdout)
    assert (event["event"], done.returncode) == ("plan", 0)
    plan, as_json, refused = at_a_terminal(
        (path, "--plan"), (path, "--plan", "--json"), (path, "--plan", "--device", "x")
    )
    said, code = plan
    assert code == 0
    assert "{" not in said
    assert said.startswith(f"Training: {event['steps']} steps, ")
    assert f"with {event['objects']} objects to learn from" in said
    assert f"Pictures: 1 ({event['train'][0]}) with" in said
    assert f"1 ({event['validation'][0]}) held back" in said
    assert "Nothing was trained" in said.splitlines()[-1]
    assert json.loads(as_json[0])["event"] == "plan"
    assert refused == ("", 1)


# Several commands in one process: it takes seconds to import what they need.
TERMINAL = """
import json
import sys
from napari_gen2seg.cli import main

for words in json.loads(sys.argv[1]):
    try:
        main(["finetune", *words])
    except SystemExit as ending:
        print(f"exit {ending.code or 0}", flush=True)
"""


def at_a_terminal(*commands: tuple[str | Path, ...]) -> list[tuple[str, int]]:
    """Run commands with a pseudo-terminal as their output; give words and statuses."""
    ours, theirs = os.openpty()
    words = json.dumps([[str(word) for word in command] for command in commands])
    child = subprocess.Popen(
        [sys.executable, "-c", TERMINAL, words],
        stdout=theirs,
        stderr=subprocess.DEVNULL,
    )
    os.close(theirs)
    said = b""
    with suppress(OSError):  # how a terminal ends on Linux
        while piece := os.read(ours, 4096):
            said += piece
    os.close(ours)
    assert child.wait(timeout=BACKSTOP) == 0
    lines = said.decode().replace("\r\n", "\n")
    told = re.split(r"^exit (\d+)\n", lines, flags=re.MULTILINE)
    return [
        (said, int(code)) for said, code in zip(told[::2], told[1::2], strict=False)
    ]


def test_what_is_wrong_is_an_event_and_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "c.json"
    path.write_text(json.dumps({"run": str(tmp_path / "run"), "pairs": []}))
    done = run_here("finetune", path)
    assert done.returncode == 1
    event = json.loads(done.stdout.splitlines()[-1])
    assert event["event"] == "failed" and event["kind"] == "DataError"
    assert "nothing to learn from" in event["message"]
    assert done.stderr.startswith("Error: There is nothing to learn from")


def test_an_earlier_run_is_neither_lost_nor_its_settings(tmp_path: Path) -> None:
    write_pairs(tmp_path, 2)
    run = tmp_path / "run"
    run.mkdir()
    for name in ("state.pt", "config.json", "events.jsonl"):
        (run / name).write_text("as it was")
    folders = ("--images", tmp_path / "images", "--labels", tmp_path / "labels")
    for more, kind, said in (
        ((), "StorageError", "--overwrite"),
        (("--resume",), "TrainingError", "cannot be read"),
    ):
        done = run_here("finetune", *folders, "--out", run, *more)
        event = json.loads(done.stdout)
        assert (done.returncode, event["event"], event["kind"]) == (1, "failed", kind)
        assert said in event["message"]
        for path in run.iterdir():
            assert path.read_text() == "as it was"
    assert len(list(run.iterdir())) == 3


def test_pictures_of_unchanged_proposals_are_not_held_back_if_there_are_others(
    tmp_path: Path, tiny_offsets: Path
) -> None:
    write_pairs(tmp_path, 3)
    project = Project.create(tmp_path / "p", model=str(tiny_offsets))
    project.add_images(sorted((tmp_path / "images").iterdir()))
    project.import_labels(tmp_path / "labels")
    for name in ("p0", "p1", "p2"):
        project.set_state(name, "done")

    def planned() -> dict[str, Any]:
        told = "finetune", "--project", tmp_path / "p", "--out", tmp_path / "run"
        done = run_here(*told, "--plan")
        return cast("dict[str, Any]", json.loads(done.stdout))

    found = planned()
    (held,) = found["validation"]
    assert "proposals" not in " ".join(found["warnings"])
    _as_proposed(project, held)
    assert planned()["validation"] != [held], "what people drew is there"
    for name in {"p0", "p1", "p2"} - {held}:
        _as_proposed(project, name)
    assert "unchanged proposals" in " ".join(planned()["warnings"])


def _as_proposed(project: Project, name: str) -> None:
    """Say that a model proposed the objects of a picture."""
    item = project.item(name)
    numbers = [int(n) for n in np.unique(item.labels()) if n > 0]
    with item.journal() as journal:
        origins = {number: Origin("proposed") for number in numbers}
        journal.record(Act("commit", origins=origins))


def test_either_a_file_or_folders(tmp_path: Path) -> None:
    def refused(*arguments: str | Path) -> str:
        done = run_here("finetune", *arguments)
        assert done.returncode == 1
        return done.stderr

    assert "--images" in refused("--name", "x")
    wrong = tmp_path / "a", tmp_path / "b"
    said = refused("--images", wrong[0], "--labels", wrong[1], "--out", tmp_path / "c")
    assert f"no folder {wrong[0]} and no folder {wrong[1]}." in said
    assert list(tmp_path.iterdir()) == []


def test_a_project_is_learnt_from_as_its_window_does(
    tmp_path: Path, tiny_offsets: Path
) -> None:
    write_pairs(tmp_path, 3)
    project = Project.create(tmp_path / "p", model=str(tiny_offsets))
    project.add_images(sorted((tmp_path / "images").iterdir()))
    run, told = tmp_path / "run", ("finetune", "--project", tmp_path / "p", "--out")
    done = run_here(*told, run)
    assert done.returncode == 1 and "nothing to learn from" in done.stderr
    project.import_labels(tmp_path / "labels")
    for name, state in (("p0", "done"), ("p1", "in work"), ("p2", "skipped")):
        project.set_state(name, state)

    planned = json.loads(run_here(*told, run, "--plan").stdout)
    assert sorted(planned["train"] + planned["validation"]) == ["p0", "p1"]
    assert not run.exists()
    assert "goes on with" in run_here(*told, run, "--resume").stderr
    assert "alone" in run_here(*told, run, "--images", tmp_path).stderr

    done = run_here(*told, run, "--steps", "1")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["event"] == "done"
    written = read_finetune_config(run / "config.json")
    assert {pair.name: pair.complete for pair in written.pairs} == {
        "p0": True,
        "p1": False,
    }
    for pair in written.pairs:
        kept = project.item(pair.name).labels()
        np.testing.assert_array_equal(tifffile.imread(pair.labels), kept)
    assert written.model == str(tiny_offsets)
    assert "--overwrite" in run_here(*told, run).stderr
