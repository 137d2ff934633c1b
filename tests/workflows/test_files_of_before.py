"""Files that an earlier version wrote still work: runs, models, maps, settings."""

from __future__ import annotations

import json
import shutil
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.helpers.command_line import run_here
from tests.train.finetune.made import discs, settings, write_few

import napari_gen2seg
from napari_gen2seg import Coloring, finetune, load_model
from napari_gen2seg.errors import SettingsError
from napari_gen2seg.gui.settings import FileMemory, NapariMemory, remembered
from napari_gen2seg.jobs.training.past_runs import (
    adopted_as,
    list_past_runs,
    read_events,
    runs_dir,
    waiting_runs,
)
from napari_gen2seg.jobs.training.run import TrainingRun
from napari_gen2seg.jobs.training.written_data import read_images
from napari_gen2seg.train.finetune.checkpoint import fingerprint
from napari_gen2seg.train.finetune.config import finetune_config, read_finetune_config

RUNS = ("unfinished", "finished", "decided")


@pytest.fixture
def before(tmp_path: Path, data_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a copy of the files, the runs among those of the window."""
    monkeypatch.setenv("NAPARI_GEN2SEG_HOME", str(tmp_path / "home"))
    here = tmp_path / "before"
    shutil.copytree(data_folder / "before", here)
    for file in here.rglob("*.json*"):
        text = file.read_text("utf-8")
        for name in RUNS:
            text = text.replace(f"@HERE@/{name}", (runs_dir() / name).as_posix())
        file.write_text(text.replace("@HERE@", here.as_posix()), "utf-8")
    shutil.copytree(here / "model", here / "finished" / "model")
    runs_dir().mkdir(parents=True)
    for name in RUNS:
        shutil.move(here / name, runs_dir() / name)
    monkeypatch.chdir(here)  # the state knows its base as "base"
    return here


def test_runs_are_listed(before: Path) -> None:
    runs = {run.folder.name: run for run in list_past_runs()}
    assert set(runs) == set(RUNS)
    assert runs["unfinished"].state == "cancelled" and runs["unfinished"].resumable
    assert (runs["unfinished"].step, runs["unfinished"].steps) == (1, 30)
    assert runs["finished"].state == "done" and runs["finished"].unchanged
    assert runs["finished"].name == "my finished" and not runs["finished"].decided
    assert runs["decided"].decided
    assert adopted_as(runs["decided"].folder) == before / "model"
    assert {run.folder.name for run in waiting_runs()} == {"unfinished", "finished"}
    for name in ("unfinished", "finished"):
        plan = read_events(runs[name].folder)[0]
        assert (plan["train"], plan["validation"]) == (["a"], ["b"])
        pictures = read_images(runs[name].folder / "data")
        assert pictures["a"] == {"title": "Picture A", "key": "key-a"}


@pytest.mark.slow
def test_a_run_goes_on_to_its_end(before: Path) -> None:
    """In a process of its own, as the window's are; a few steps are enough."""
    folder = runs_dir() / "unfinished"
    config = json.loads((folder / "config.json").read_text("utf-8"))
    (folder / "config.json").write_text(json.dumps(config | {"steps": 4}), "utf-8")
    run = TrainingRun(folder)
    assert run.resumable and run.events[0]["event"] == "plan"
    ended: list[str] = []
    over = threading.Event()
    run.ended.connect(lambda state: (ended.append(state), over.set()))
    run.start(resume=True)
    assert over.wait(600)
    assert ended == ["done"], run.message
    assert list_past_runs()[0].state == "done"
    plan = [event for event in read_events(folder) if event["event"] == "plan"][-1]
    assert (plan["resumed"], plan["steps"], plan["train"]) == (1, 4, ["a"])
    facts = json.loads((folder / "model" / "gen2seg.json").read_text())
    assert facts["recipe"]["steps"] == 4
    assert load_model(folder / "model", "cpu").color(discs(3)[0]).shape


def test_the_command_takes_its_settings(before: Path) -> None:
    path = runs_dir() / "finished" / "config.json"
    raw = json.loads(path.read_text()) | {"run": str(before / "anew")}
    path = before / "settings.json"
    path.write_text(json.dumps(raw))
    config = read_finetune_config(path)
    assert config.steps == 3 and config.seed == 7 and config.folder == before / "anew"
    assert [pair.complete for pair in config.pairs] == [False, True]
    assert [pair.role for pair in config.pairs] == ["train", "validation"]
    assert config.preset == "standard" and config.trainable == "full"
    for options in ((), ("--dial", "thorough", "--trains", "full")):
        told = run_here("finetune", path, "--plan", *options)
        assert told.returncode == 0, told.stderr
        plan = json.loads(told.stdout.splitlines()[-1])
        assert plan["event"] == "plan" and plan["train"] == ["a"]
        assert plan["validation"] == ["b"]


@pytest.mark.parametrize("words", ["old", "new", "both"])
def test_what_was_called_otherwise_is_read(words: str) -> None:
    old = {"dial": "thorough", "trains": "last"}
    new = {"preset": "thorough", "trainable": "last_blocks"}
    if words == "both":
        with pytest.raises(SettingsError, match="'dial', 'trains'"):
            finetune_config(old | new)
        return
    role, held = ("held", "held") if words == "old" else ("validation", "validation")
    raw: dict[str, Any] = {
        "pairs": [{"image": "a", "labels": "b", "role": role}],
        "datasets": [{"root": "r", held: 3}],
    }
    config = finetune_config(raw | (old if words == "old" else new))
    assert (config.preset, config.trainable) == ("thorough", "last_blocks")
    assert config.pairs[0].role == "validation" and config.datasets[0].validation == 3
    # A state belongs to the same settings, whatever they were called.
    assert fingerprint(config) == "776c8acd90ca6211"


def test_napari_s_own_store_takes_the_old_names_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, plugin_settings: Any, npe2pm: Any
) -> None:
    pytest.importorskip("napari", minversion="0.9")
    import napari.settings as store
    from npe2 import PluginManifest

    monkeypatch.setattr(store, "_CFG_PATH", str(tmp_path / "settings.yaml"))
    (tmp_path / "napari-gen2seg.yaml").write_text(
        "training:\n  training_dial: thorough\n  training_trains: last\n"
        "  training_steps: 120\n"
    )
    manifest = Path(napari_gen2seg.__file__).parent / "napari.yaml"
    npe2pm.register(PluginManifest.from_file(manifest))
    for _ in range(2):  # the second time from the file that was written anew
        memory = remembered()
        assert isinstance(memory, NapariMemory)
        assert memory.get("training_preset") == "thorough"
        assert memory.get("training_trainable") == "last_blocks"
        assert memory.get("training_steps") == 120


def test_a_model_colors_and_is_trained_on(before: Path, tmp_path: Path) -> None:
    model = before / "model"
    colorer: Any = load_model(model, "cpu")
    assert colorer.config.source_diameter == 18.0
    assert not colorer.config.uses_brightness
    assert colorer.spec.title == "my finished"
    coloring = colorer.color(discs(3)[0])
    # Objects of 18 pixels are shown as 16 pixels, whatever is in the picture.
    assert coloring.resolution == 85 and not coloring.uses_brightness
    config = settings(tmp_path / "run", model, write_few(tmp_path), steps=2)
    assert finetune(config).model.is_dir()


def test_a_map_opens(before: Path) -> None:
    coloring = Coloring.load(before / "map.tif")
    assert coloring.source_shape == (128, 128) and coloring.shape == (64, 64)
    assert coloring.black_background and coloring.uses_brightness
    assert coloring.extra_maps is not None and coloring.extra_maps.shape == (64, 64, 4)
    assert coloring.brightness_image is not None
    assert coloring.brightness_image.shape == (128, 128)
    again = Coloring.load(coloring.save(before / "again.tif"))
    for name in ("values", "extra_maps", "brightness_image"):
        assert np.array_equal(getattr(again, name), getattr(coloring, name))
    assert coloring.probe([(21, 21)]).full().any()
    assert len(coloring.propose())


def test_settings_are_remembered(before: Path) -> None:
    memory = FileMemory(before / "settings.json")
    for name, value in {
        "training_preset": "thorough",
        "training_trainable": "last_blocks",
        "training_minutes": 7.5,
        "training_steps": 120,
        "training_rate": 0.0003,
        "training_crop": 256,
        "training_batch": 3,
        "training_precision": "float32",
        "training_seed": 11,
        "training_map": False,
    }.items():
        assert memory.get(name) == value
