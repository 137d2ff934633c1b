"""Trained models: adopted, exported, removed; never half, never another's."""

from __future__ import annotations

import errno
import json
import shutil
import zipfile

import pytest

from napari_gen2seg.common.user_dirs import data_dir, models_dir
from napari_gen2seg.errors import (
    Cancelled,
    ModelNotFoundError,
    SettingsError,
    StorageError,
)
from napari_gen2seg.jobs.training.past_runs import (
    discard,
    runs_dir,
    unfinished_from,
)
from napari_gen2seg.models.library import user_models
from napari_gen2seg.models.library.user_models import (
    adopt,
    export,
    free_name,
    is_own,
    remove,
)
from napari_gen2seg.models.registry import find, list_models
from napari_gen2seg.train.finetune.run_folder import (
    CONFIG_NAME,
    EVENTS_NAME,
    STATE_NAME,
)


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("NAPARI_GEN2SEG_HOME", str(tmp_path / "home"))


def test_adopted_models_are_listed_and_removed(tiny_sd):
    folder = adopt(tiny_sd, "my cells")
    assert folder == models_dir() / "my-cells"
    assert find(str(folder)).source == "folder"
    assert str(folder) in [spec.id for spec in list_models()]
    again = adopt(tiny_sd, "my cells")
    assert again.name == "my-cells-2"
    assert free_name("my cells") == "my cells-tuned"
    adopt(tiny_sd, "mini-tuned")
    assert free_name("mini") == "mini-tuned-2"
    assert free_name("/models/mini-tuned") == "mini-tuned-2"
    assert free_name("/models/yours-tuned-3") == "yours-tuned"
    assert is_own(str(folder))
    remove(folder, unfinished_from)
    assert not is_own(str(folder))
    assert str(folder) not in [spec.id for spec in list_models()]
    assert is_own(str(again))


def test_what_an_unfinished_training_starts_from_stays(tiny_sd):
    folder, other = adopt(tiny_sd, "base"), adopt(tiny_sd, "other")
    run = runs_dir() / "half"
    run.mkdir(parents=True)
    (run / CONFIG_NAME).write_text(json.dumps({"name": "next", "model": str(folder)}))
    (run / EVENTS_NAME).write_text('{"event": "stopping", "reason": "cancel"}')
    (run / STATE_NAME).touch()
    with pytest.raises(SettingsError, match=r"'next' starts from 'base'"):
        remove(folder, unfinished_from)
    assert is_own(str(folder))
    remove(other, unfinished_from)
    discard(run)
    remove(folder, unfinished_from)


def test_copies_are_told_apart_by_their_titles(tiny_sd):
    titled = adopt(tiny_sd, "one")
    (titled / "gen2seg.json").write_text('{"title": "Cells"}')
    adopt(titled, "two")
    titles = [spec.title for spec in list_models() if is_own(spec.id)]
    assert titles == ["Cells", "two"]


def test_only_ones_own_models_are_removed(tiny_sd, tmp_path):
    copy = shutil.copytree(tiny_sd, tmp_path / "elsewhere")
    for other in (copy, "mini", models_dir(), models_dir() / "none"):
        with pytest.raises(SettingsError, match="not removed"):
            remove(other, unfinished_from)
    assert (copy / "model_index.json").is_file()


def test_nothing_trained_yet(tmp_path):
    with pytest.raises(ModelNotFoundError, match="no trained model"):
        adopt(tmp_path, "x")


def test_a_full_disk_leaves_nothing_half(tiny_sd, monkeypatch):
    count = []

    def full(source, target):
        count.append(target)
        if len(count) > 2:
            raise OSError(errno.ENOSPC, "No space left on device")
        return copyfile(source, target)

    copyfile = shutil.copyfile
    monkeypatch.setattr(user_models.shutil, "copyfile", full)
    with pytest.raises(StorageError, match="No space left"):
        adopt(tiny_sd, "mine")
    assert not (models_dir() / "mine").exists()
    assert list(data_dir().glob(".*")) == []


def test_no_room_is_noticed_before_copying(tiny_sd, monkeypatch):
    usage = type("Usage", (), {"free": 10})
    monkeypatch.setattr(user_models.shutil, "disk_usage", lambda _: usage)
    with pytest.raises(StorageError, match="MB left"):
        adopt(tiny_sd, "mine")


def test_cancelled_copies_vanish(tiny_sd):
    def check():
        raise Cancelled("no")

    with pytest.raises(Cancelled):
        adopt(tiny_sd, "mine", check)
    assert list(data_dir().glob("*")) == []


def test_export_as_zip_and_as_folder(tiny_sd, tmp_path):
    target = export(tiny_sd, tmp_path / "out" / "mine.zip")
    with zipfile.ZipFile(target) as archive:
        archive.extractall(tmp_path / "unpacked")
    assert find(tmp_path / "unpacked" / "mine").family == "sd"
    folder = export(tiny_sd, tmp_path / "out" / "mine")
    assert find(folder).family == "sd"
    with pytest.raises(SettingsError, match="exists already"):
        export(tiny_sd, folder)
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["mine", "mine.zip"]
