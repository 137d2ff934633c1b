"""A model folder is read once on the way from its name to a loaded model."""

from __future__ import annotations

import os
import shutil
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from napari_gen2seg.errors import WeightsError
from napari_gen2seg.models.families import FAMILIES, family
from napari_gen2seg.models.loader import load_model
from napari_gen2seg.models.model_folder import as_model_folder, read_model_folder
from napari_gen2seg.models.registry import find, list_models
from napari_gen2seg.train.finetune.trainable import load_trainee

_counted: list[Counter[str]] = []


def _count(event: str, details: tuple[object, ...]) -> None:
    """Count a file, however it is opened; a hook of Python's, never removed."""
    if event == "open" and isinstance(details[0], str | os.PathLike):
        for counter in _counted:
            counter[Path(details[0]).name] += 1


sys.addaudithook(_count)


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> Iterator[Counter[str]]:
    """Count by name the files that are opened, and the searches for weights."""
    counter: Counter[str] = Counter()
    find_weights = family.find_weights

    def counting(folder: Path) -> object:
        counter[f"weights of {folder.name}"] += 1
        return find_weights(folder)

    monkeypatch.setattr(family, "find_weights", counting)
    _counted.append(counter)
    yield counter
    _counted.remove(counter)


@pytest.fixture
def own(
    tiny_sd: Path, tiny_mae: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """Return one of the user's own models, which the list reads too."""
    monkeypatch.setenv("NAPARI_GEN2SEG_HOME", str(tmp_path))
    folder = tmp_path / "models" / "mine"
    shutil.copytree(tiny_sd, folder)
    (folder / "gen2seg.json").write_text('{"family": "sd", "title": "Mine"}')
    return folder


@pytest.mark.parametrize("how", ["path", "id", "mini"])
def test_loading_reads_the_config_once(
    how: str, own: Path, reads: Counter[str]
) -> None:
    asked = {"path": own, "id": str(own), "mini": "mini"}[how]
    if how == "mini":
        shutil.rmtree(own)
    model = load_model(asked, device="cpu")
    assert reads["gen2seg.json"] == 1
    searched = {name: n for name, n in reads.items() if name.startswith("weights")}
    parts = ["mini"] if how == "mini" else ["unet", "vae"]
    assert searched == {f"weights of {part}": 1 for part in parts}
    assert model.spec.folder is not None and model.spec.folder.path == model.spec.path


def test_training_reads_the_config_once(own: Path, reads: Counter[str]) -> None:
    trainee = load_trainee(str(own), "cpu")
    assert reads["gen2seg.json"] == 1
    assert trainee.parameters == read_model_folder(own).parameters


def test_what_it_knows(tiny_sd: Path, tiny_mae: Path) -> None:
    folder = read_model_folder(tiny_sd, "abc")
    assert folder.family is FAMILIES["sd"] and folder.revision == "abc"
    assert set(folder.weights) == {"unet", "vae"}
    files = [path for part in folder.weights.values() for path in part.files]
    assert folder.bytes == sum(path.stat().st_size for path in files)
    assert folder.is_complete and as_model_folder(folder) is folder
    mae = as_model_folder(tiny_mae)
    assert set(mae.weights) == {""} and mae.config.fixed_input_size == 64


def test_incomplete_folders(tiny_sd: Path, tmp_path: Path) -> None:
    folder = tmp_path / "one"
    shutil.copytree(tiny_sd, folder)
    (folder / "scheduler" / "scheduler_config.json").unlink()
    assert not read_model_folder(folder).is_complete
    shutil.copytree(tiny_sd, tmp_path / "two")
    next((tmp_path / "two" / "vae").glob("*.safetensors")).unlink()
    broken = read_model_folder(tmp_path / "two")
    assert not broken.is_complete
    with pytest.raises(WeightsError, match="vae"):
        _ = broken.parameters


def test_the_spec_of_a_folder_carries_it(own: Path) -> None:
    (listed,) = (spec for spec in list_models() if spec.source == "folder")
    assert listed.folder is not None and listed.folder.config.title == "Mine"
    assert find(str(own)) == listed and "ModelFolder" not in repr(listed)
