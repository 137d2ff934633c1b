"""Downloads from a stand-in hub: resume, faults, licence, space, offline."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest
from tests.helpers.waiting import wait_until
from tests.models.hub.hub_server import StandIn

from napari_gen2seg.errors import (
    Cancelled,
    DownloadError,
    LicenceError,
    ModelNotFoundError,
    OfflineError,
    StorageError,
    WeightsError,
    WrongFamilyError,
)
from napari_gen2seg.models.hub import cache, licence, resumable
from napari_gen2seg.models.loader import load_model
from napari_gen2seg.models.registry import find, list_models

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SD = "reachomk/gen2seg-sd"
MAE = "reachomk/gen2seg-mae-h"
UNET = "unet/diffusion_pytorch_model.safetensors"


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    """Run a stand-in hub that this process asks, with an empty home."""
    from huggingface_hub import constants

    server = StandIn()
    monkeypatch.setenv("HF_ENDPOINT", server.url)
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hf-cache"))
    monkeypatch.setenv("NAPARI_GEN2SEG_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(resumable, "_pause", lambda seconds: None)
    yield server
    server.close()


@pytest.fixture
def sd_hub(hub: StandIn, fresh_sd: Path) -> StandIn:
    hub.add(SD, fresh_sd, **{"unet/diffusion_pytorch_model.bin": b"pickle"})
    return hub


def test_a_hub_model_loads_and_knows_its_commit(sd_hub: StandIn) -> None:
    said: list[tuple[float | None, str]] = []
    model = load_model(
        SD, accept_licence=True, progress=lambda f, t: said.append((f, t))
    )
    commit = sd_hub.repos[SD][0]
    assert model.spec.revision == commit
    coloring = model.color(np.random.default_rng(0).random((30, 30)), 64)
    assert (coloring.model_id, coloring.revision) == (SD, commit)
    assert any("Downloading" in text for _, text in said)
    fractions = [f for f, t in said if f is not None and "Downloading" in t]
    assert fractions == sorted(fractions)
    assert not any(p.endswith(".bin") for _, p, _ in sd_hub.requests)
    assert not (cache.repo_folder(SD) / "parts").exists()


def test_the_second_time_asks_nobody(sd_hub: StandIn) -> None:
    load_model(SD, accept_licence=True)
    sd_hub.requests.clear()
    model = load_model(SD)
    assert sd_hub.requests == []
    load_model(SD, revision=model.spec.revision)
    assert sd_hub.requests == []


def test_a_branch_is_asked_about_and_only_changes_come_over(
    sd_hub: StandIn, fresh_sd: Path
) -> None:
    old = load_model(SD, accept_licence=True, revision="main").spec.revision
    (fresh_sd / "gen2seg.json").write_text('{"title": "changed"}')
    sd_hub.add(SD, fresh_sd)
    sd_hub.requests.clear()
    assert load_model(SD).spec.revision == old
    new = load_model(SD, revision="main").spec
    assert new.revision == sd_hub.repos[SD][0] != old
    assert sd_hub.gets(UNET) == []
    assert load_model(SD, revision=old).spec.revision == old


def test_a_cut_connection_goes_on_where_it_stopped(sd_hub: StandIn) -> None:
    sd_hub.cut_after = 700_000
    load_model(SD, accept_licence=True)
    ranges = sd_hub.gets(UNET)
    assert ranges == [None, "bytes=700000-", "bytes=1400000-"]


def test_a_killed_process_goes_on_where_it_stopped(
    sd_hub: StandIn, tmp_path: Path
) -> None:
    sd_hub.slow = 0.05
    code = (
        "from napari_gen2seg.models.hub.download import fetch;"
        "from napari_gen2seg.models.registry import find, list_models;"
        f"fetch(find({SD!r}), accept=True)"
    )
    child = subprocess.Popen([sys.executable, "-c", code], env=dict(os.environ))
    parts = cache.repo_folder(SD) / "parts"
    wait_until(
        lambda: (
            max((p.stat().st_size for p in parts.glob("*.part")), default=0) >= 400_000
        ),
        lambda: child.poll() is None,
    )
    child.send_signal(signal.SIGKILL)
    child.wait()
    kept = max(p.stat().st_size for p in parts.glob("*.part"))
    sd_hub.slow = 0.0
    sd_hub.requests.clear()
    load_model(SD)  # the licence was accepted in the child
    assert sd_hub.gets(UNET) == [f"bytes={kept}-"]
    assert not parts.exists()


def test_a_server_without_ranges_starts_again(
    sd_hub: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    sd_hub.cut_after, sd_hub.cuts_left = 700_000, 1
    served = StandIn._file
    monkeypatch.setattr(
        StandIn, "_file", lambda self, h, d, c, w: served(self, h, d, c, None)
    )
    load_model(SD, accept_licence=True)
    assert sd_hub.gets(UNET) == [None, "bytes=700000-"]


def test_cancel_keeps_what_came_over(sd_hub: StandIn) -> None:
    parts = cache.repo_folder(SD) / "parts"
    sd_hub.slow = 0.02  # or a quick machine has it all before it is asked

    def cancel() -> bool:
        return any(p.stat().st_size > 1_000_000 for p in parts.glob("*.part"))

    with pytest.raises(Cancelled):
        load_model(SD, accept_licence=True, cancel=cancel)
    assert cache.stored(SD, None) is None
    (kept,) = [p.stat().st_size for p in parts.glob("*.part")]
    sd_hub.slow = 0.0
    sd_hub.requests.clear()
    load_model(SD)
    assert sd_hub.gets(UNET) == [f"bytes={kept}-"]


def test_a_server_that_never_recovers(sd_hub: StandIn) -> None:
    sd_hub.status = 503
    with pytest.raises(OfflineError, match="kept"):
        load_model(SD, accept_licence=True)


def test_a_server_that_refuses(sd_hub: StandIn) -> None:
    sd_hub.status = 410
    with pytest.raises(DownloadError, match="410"):
        load_model(SD, accept_licence=True)


def test_changed_bytes_are_noticed(sd_hub: StandIn) -> None:
    sd_hub.flip = True
    with pytest.raises(DownloadError, match="other content"):
        load_model(SD, accept_licence=True)


def test_unknown_model_and_revision(sd_hub: StandIn) -> None:
    with pytest.raises(ModelNotFoundError, match="no model 'no/body'"):
        load_model("no/body")
    with pytest.raises(ModelNotFoundError, match="no revision 'v9'"):
        load_model(SD, revision="v9")


# -- licence ------------------------------------------------------------------


def test_the_licence_comes_first_and_is_asked_once(sd_hub: StandIn) -> None:
    with pytest.raises(LicenceError, match=r"Open RAIL.*accept_licence=True"):
        load_model(SD)
    assert not any("resolve" in path for _, path, _ in sd_hub.requests)
    licence.accept(find(SD))
    assert load_model(SD).spec.path


def test_an_unknown_models_licence_is_what_its_page_says(
    hub: StandIn, tiny_mae: Path
) -> None:
    hub.add("some/one", tiny_mae, licence="gpl-3.0")
    with pytest.raises(LicenceError, match=r"gpl-3\.0.*/some/one"):
        load_model("some/one")
    assert load_model("some/one", accept_licence=True).spec.family == "mae"
    assert load_model("some/one").spec.family == "mae"
    listed = {spec.id: spec for spec in list_models()}
    assert listed["some/one"].revision == hub.repos["some/one"][0]
    assert listed["some/one"].path
    assert listed[SD].path is None


# -- what is refused ----------------------------------------------------------


def test_unsafe_weights_are_not_even_fetched(hub: StandIn, fresh_mae: Path) -> None:
    (fresh_mae / "model.safetensors").rename(fresh_mae / "pytorch_model.bin")
    hub.add(MAE, fresh_mae)
    with pytest.raises(WeightsError, match=r"pytorch_model\.bin, which can run code"):
        load_model(MAE, accept_licence=True)


def test_a_repository_of_something_else(hub: StandIn, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "README.md").write_text("a data set")
    hub.add("some/data", tmp_path / "other")
    with pytest.raises(WrongFamilyError, match="unet"):
        load_model("some/data", accept_licence=True)


def test_a_full_disk_is_noticed_before(
    sd_hub: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage("/")._replace(free=1000)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    with pytest.raises(StorageError, match=r"needs \d+ MB .* 0 MB is free"):
        load_model(SD, accept_licence=True)
    assert sd_hub.gets(UNET) == []


def test_a_disk_that_fills_up_keeps_what_is_there(
    sd_hub: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    import errno

    def full(*args: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(resumable.os, "fsync", full)
        with pytest.raises(StorageError, match="disk is full"):
            load_model(SD, accept_licence=True)
    load_model(SD)


def test_a_home_one_cannot_write_to(
    sd_hub: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("NAPARI_GEN2SEG_HOME", str(tmp_path / "file"))
    with pytest.raises(StorageError, match="NAPARI_GEN2SEG_HOME"):
        load_model(SD, accept_licence=True)


# -- no network ---------------------------------------------------------------


def test_offline_mode_says_what_to_do(
    sd_hub: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(OfflineError, match=r"HF_HUB_OFFLINE.*'mini'"):
        load_model(SD, accept_licence=True)
    assert sd_hub.requests == []


def test_no_network_uses_what_is_here(
    sd_hub: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = load_model(SD, accept_licence=True).spec.revision
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    assert load_model(SD, revision="main").spec.revision == commit
    with pytest.raises(OfflineError, match="cannot be reached"):
        load_model(MAE, accept_licence=True)


def test_the_hub_clients_own_cache_is_used(
    sd_hub: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    env = {**os.environ, "HF_HUB_CACHE": str(tmp_path / "hf-cache")}
    code = f"import huggingface_hub as h; h.snapshot_download({SD!r})"
    subprocess.run([sys.executable, "-c", code], env=env, check=True)
    sd_hub.requests.clear()
    model = load_model(SD)
    assert sd_hub.requests == []
    assert model.spec.revision == sd_hub.repos[SD][0]
