"""The run folder: nothing in it is lost by oversight, what is asked there is done."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
from pathlib import Path

import pytest
from tests.train.finetune.made import settings, write_few

from napari_gen2seg import finetune, iter_finetune
from napari_gen2seg.errors import (
    Cancelled,
    DataError,
    MemoryShortError,
    SettingsError,
    StorageError,
    TrainingError,
)


@pytest.fixture(scope="module")
def model(tiny_guided: Path) -> Path:
    return tiny_guided


def everything(folder: Path) -> dict[str, bytes]:
    """Return every file of a folder and its content."""
    found = (path for path in folder.rglob("*") if path.is_file())
    return {str(path): path.read_bytes() for path in found}


def test_an_earlier_run_is_not_lost_by_oversight(model: Path, tmp_path: Path) -> None:
    config = settings(tmp_path / "run", model, write_few(tmp_path), steps=2)
    finetune(config)
    before = everything(config.folder)
    assert len(before) > 8
    with pytest.raises(StorageError, match=r"holds an earlier run\. Go on with it"):
        finetune(config)
    other = dataclasses.replace(config, seed=5)
    with pytest.raises(TrainingError, match="other settings"):
        finetune(other, resume=True)
    with pytest.raises(SettingsError, match="not both"):
        finetune(config, resume=True, overwrite=True)
    with pytest.raises(SettingsError, match="multiple of 8"):
        finetune(dataclasses.replace(config, crop=36), overwrite=True)
    with pytest.raises(DataError, match="nothing to learn from"):
        finetune(dataclasses.replace(config, pairs=()), overwrite=True)
    assert everything(config.folder) == before
    finetune(other, overwrite=True)
    assert json.loads((config.folder / "config.json").read_text())["seed"] == 5
    # Adopting takes the state away, and leaves what later runs replay.
    for name in ("state.pt", "best.safetensors"):
        (config.folder / name).unlink()
    shutil.rmtree(config.folder / "model")
    with pytest.raises(StorageError, match="without a state"):
        finetune(other, resume=True)


@pytest.mark.parametrize("name", ["config.json", "compare/thesis.txt", "events.jsonl"])
def test_files_that_no_run_wrote_are_never_replaced(
    model: Path, tmp_path: Path, name: str
) -> None:
    config = settings(tmp_path / "project", model, write_few(tmp_path), steps=1)
    mine = config.folder / name
    mine.parent.mkdir(parents=True)
    mine.write_text('{"mine": 1}')
    for overwrite in (False, True):
        with pytest.raises(StorageError, match="somebody's own files"):
            finetune(config, overwrite=overwrite)
    assert list(everything(config.folder)) == [str(mine)]
    assert mine.read_text() == '{"mine": 1}'


@pytest.mark.parametrize("when", ["plan", "comparing"])
def test_a_file_cancels_at_any_time(model: Path, tmp_path: Path, when: str) -> None:
    config = settings(tmp_path / "run", model, write_few(tmp_path), steps=1)
    file = config.folder / "CANCEL"
    config.folder.mkdir()
    file.touch()
    os.utime(file, (0, 0))  # left by somebody else
    with pytest.raises(Cancelled):
        for event in iter_finetune(config):
            assert event.kind != "plan" or not file.exists()
            if event.kind == when:
                file.touch()
    assert not file.exists() and not list(config.folder.glob("compare/report.json"))
    file.touch()
    os.utime(file, (0, 0))
    finetune(config, resume=True)


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("train.finetune.learner.guided_loss", "crops of 32 pixels and 2 at once"),
        ("workflows.finetune.compare.click_through", "after training"),
    ],
)
def test_memory_that_runs_out_is_named_with_a_way_on(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str, said: str
) -> None:
    config = settings(tmp_path / "run", model, write_few(tmp_path), steps=2)

    def short(*_: object) -> None:
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried ...")

    monkeypatch.setattr(f"napari_gen2seg.{where}", short)
    with pytest.raises(MemoryShortError, match=said):
        finetune(config)
    last = (config.folder / "events.jsonl").read_text().splitlines()[-1]
    assert json.loads(last)["kind"] == "MemoryShortError"
