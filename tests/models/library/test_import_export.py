"""Models in and out: folders, zips, the hub, bioimage.io packages."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from tests.helpers.waiting import BACKSTOP
from tests.models.hub.hub_server import StandIn

from napari_gen2seg.cli import main
from napari_gen2seg.errors import (
    OfflineError,
    SettingsError,
    WeightsError,
    WrongFamilyError,
)
from napari_gen2seg.models.library.bioimageio import export_bioimageio
from napari_gen2seg.models.library.import_export import check_model, push, unpacked
from napari_gen2seg.models.loader import load_model
from napari_gen2seg.models.registry import list_models

PICTURE = np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("NAPARI_GEN2SEG_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def run(*words: str) -> str:
    result = CliRunner().invoke(main, ["models", *words])
    assert result.exit_code == 0, result.output
    return result.output


def fails(*words: str) -> str:
    result = CliRunner().invoke(main, ["models", *words])
    assert result.exit_code == 1, result.output
    return result.output


def own() -> list[str]:
    return [Path(s.id).name for s in list_models() if s.source == "folder"]


def test_zip_round_trip_colours_the_same(home, fresh_mae, tmp_path):
    before = load_model(fresh_mae, "cpu").color(PICTURE).values
    assert "written" in run("export", str(fresh_mae), str(tmp_path / "out"), "--zip")
    assert "added" in run("add", str(tmp_path / "out.zip"), "--name", "mine")
    assert own() == ["mine"]
    after = load_model(home / "models" / "mine", "cpu").color(PICTURE).values
    np.testing.assert_array_equal(after, before)
    # Unpacked by any other program, the folder loads as well.
    with zipfile.ZipFile(tmp_path / "out.zip") as archive:
        archive.extractall(tmp_path / "elsewhere")
    check_model(tmp_path / "elsewhere" / "out")
    assert "removed" in run("remove", "mine", "--yes")
    assert own() == []


def test_folder_round_trip_and_names_that_are_taken(home, fresh_sd, tmp_path):
    run("add", str(fresh_sd))
    run("add", str(fresh_sd))
    assert own() == ["tiny-sd", "tiny-sd-2"]
    run("export", "tiny-sd", str(tmp_path / "copy"))
    files = {p.relative_to(fresh_sd) for p in fresh_sd.rglob("*") if p.is_file()}
    copied = tmp_path / "copy"
    assert files == {p.relative_to(copied) for p in copied.rglob("*") if p.is_file()}
    assert "exists already" in fails("export", "tiny-sd", str(copied))


def test_list_stays_what_it_was(home):
    assert run().startswith("mini\n")
    assert '"id": "mini"' in run("--json")


def test_nothing_but_ones_own_models_is_removed(home, fresh_sd):
    assert "is part of this package" in fails("remove", "mini", "--yes")
    assert "not one of your own" in fails("remove", "reachomk/gen2seg-sd", "--yes")
    for name in (str(fresh_sd), ".."):
        assert "You have no model" in fails("remove", name, "--yes")
    assert (fresh_sd / "unet" / "config.json").is_file()


def test_half_a_model_is_not_added(home, fresh_sd, tmp_path):
    shutil.rmtree(fresh_sd / "scheduler")
    assert "is not complete" in fails("add", str(fresh_sd))
    (tmp_path / "empty").mkdir()
    assert "holds no model" in fails("add", str(tmp_path / "empty"))
    assert own() == []


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("../outside.json", "points outside"),
        ("/etc/outside.json", "points outside"),
        ("C:/outside.json", "points outside"),
        ("model/unet/weights.bin", "can run code"),
    ],
)
def test_zips_that_reach_out_or_run_code_are_refused(tmp_path, name, said):
    path = tmp_path / "bad.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(name, "{}")
    with pytest.raises(WeightsError, match=said), unpacked(path):
        pass
    assert not (tmp_path / "outside.json").exists()


def test_a_link_in_a_zip_is_refused(tmp_path):
    path = tmp_path / "link.zip"
    link = zipfile.ZipInfo("model/config.json")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(WeightsError, match="points outside"), unpacked(path):
        pass


def test_a_zip_without_a_model_and_a_file_that_is_no_zip(tmp_path):
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a/readme.txt", "hello")
    with pytest.raises(WrongFamilyError, match="holds no model"), unpacked(path):
        pass
    path.write_bytes(b"no zip")
    with pytest.raises(WeightsError, match="cannot be unpacked"), unpacked(path):
        pass


# The hub


def upload(server: StandIn, folder: Path, *more: str) -> subprocess.CompletedProcess:
    """Push from a process of its own: the client reads its settings once."""
    environment = {
        **os.environ,
        "HF_ENDPOINT": server.url,
        "HF_TOKEN": "hf_of_nobody",
        "HF_HUB_OFFLINE": "0",
        "HF_HUB_DISABLE_XET": "1",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    }
    command = [sys.executable, "-m", "napari_gen2seg", "models", "push"]
    return subprocess.run(
        [*command, str(folder), "me/mine", "--yes", *more],
        env=environment,
        capture_output=True,
        text=True,
        timeout=BACKSTOP,
        check=False,
    )


@pytest.fixture
def server():
    made = StandIn()
    yield made
    made.close()


def test_push_sends_what_loading_needs(server, fresh_mae):
    (fresh_mae / ".secret").write_text("x")
    (fresh_mae / "old.bin").write_bytes(b"pickle")
    (fresh_mae / "README.md").write_text("# mine\n")
    result = upload(server, fresh_mae)
    assert result.returncode == 0, result.stderr
    assert "/me/mine/commit/" in result.stdout
    files = server.uploaded["me/mine"]
    assert set(files) == {"config.json", "model.safetensors", "README.md"}
    for name, content in files.items():
        assert content == (fresh_mae / name).read_bytes()


def test_a_refused_push_is_a_sentence(server, fresh_mae):
    server.refuse = 403
    result = upload(server, fresh_mae)
    assert result.returncode == 1
    assert "hf auth login" in result.stderr
    assert "Traceback" not in result.stderr


def test_offline_forbids_a_push(fresh_mae):
    with pytest.raises(OfflineError, match="nothing can be uploaded"):
        push(fresh_mae, "me/mine")


# bioimage.io


@pytest.mark.filterwarnings("ignore:`torch.jit")
def test_package_says_what_the_model_would(make_mini, tmp_path):
    yaml = pytest.importorskip("yaml")
    torch = pytest.importorskip("torch")
    folder = make_mini(
        {"wavelengths": [24], "directions": 2},
        stretch="fixed",
        refine={"radius": 2, "eps": 0.01},
        licence="BSD-3-Clause",
        title="made: a/b",
    )
    size = {"size": 64, "test_image": PICTURE}
    path = export_bioimageio(folder, tmp_path / "m.zip", authors=["A"], **size)
    with zipfile.ZipFile(path) as archive:
        archive.extractall(tmp_path / "m")
    about = yaml.safe_load((tmp_path / "m" / "rdf.yaml").read_text("utf-8"))
    assert about["license"] == "BSD-3-Clause"
    assert about["name"] == "gen2seg colorer made a b"
    assert [axis["size"] for axis in about["inputs"][0]["axes"][2:]] == [64, 64]
    expected = load_model(folder, "cpu").predict_rgb(
        PICTURE.astype(np.float32) / 255, 64
    )
    shown = np.load(tmp_path / "m" / "test-output.npy")
    assert np.abs(shown[0].transpose(1, 2, 0) - expected).max() < 0.02
    net = torch.jit.load(tmp_path / "m" / "weights.pt")
    again = net(torch.from_numpy(np.load(tmp_path / "m" / "test-input.npy")))
    np.testing.assert_allclose(again.numpy(), shown, atol=1e-3)


def test_package_needs_author_licence_and_a_size(make_mini, tmp_path):
    folder = make_mini(licence="unknown")
    with pytest.raises(SettingsError, match="needs the name of an author"):
        export_bioimageio(folder, tmp_path / "m.zip", authors=[" "])
    with pytest.raises(SettingsError, match=r"id of spdx\.org"):
        export_bioimageio(folder, tmp_path / "m.zip", authors=["A"])
    with pytest.raises(SettingsError, match="multiple of 32"):
        export_bioimageio(
            folder, tmp_path / "m.zip", authors=["A"], licence="MIT", size=100
        )
    assert not (tmp_path / "m.zip").exists()


@pytest.mark.filterwarnings("ignore:`torch.jit")
def test_without_bioimageio_core_nothing_is_checked(
    home, make_mini, tmp_path, monkeypatch
):
    monkeypatch.setitem(sys.modules, "bioimageio", None)
    folder, path = make_mini(licence="MIT"), tmp_path / "made.zip"
    options = ("--bioimageio", "--author", "A", "--size", "64", "--check")
    said = run("export", str(folder), str(path), *options)
    assert "not checked, since bioimageio.core is not installed" in said
    assert path.is_file()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_bioimageio_core_runs_the_package(home, make_mini, fresh_mae, tmp_path):
    core = pytest.importorskip("bioimageio.core")
    folder = make_mini(licence="BSD-3-Clause", title="made")
    path = str(tmp_path / "made.zip")
    run("export", str(folder), path, "--bioimageio", "--author", "A", "--size", "64")
    assert core.test_model(path).status == "passed"
    other = tmp_path / "mae.zip"
    export_bioimageio(fresh_mae, other, authors=["A"], licence="CC0-1.0")
    assert core.test_model(str(other)).status == "passed"
