"""Finding, checking and loading model folders, and what is said when they are bad."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest

from napari_gen2seg.errors import (
    Cancelled,
    ModelError,
    ModelNotFoundError,
    SettingsError,
    WeightsError,
    WrongFamilyError,
)
from napari_gen2seg.models import registry
from napari_gen2seg.models.colorer import Colorer
from napari_gen2seg.models.families import empty_prompt
from napari_gen2seg.models.loader import load_model

if TYPE_CHECKING:
    from pathlib import Path

UNET = "unet/diffusion_pytorch_model.safetensors"


def test_the_list_needs_no_torch_and_starts_with_mini() -> None:
    code = (
        "import sys, napari_gen2seg.models.loader;"
        "from napari_gen2seg.models.registry import list_models;"
        "print([m.id for m in list_models()]);"
        "print([n for n in ('torch', 'diffusers', 'transformers') if n in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    first, loaded = done.stdout.splitlines()
    assert first.startswith("['mini', 'reachomk/gen2seg-sd', 'reachomk/gen2seg-mae-h'")
    assert loaded == "[]"


def test_unknown_names_are_answered_with_what_there_is() -> None:
    with pytest.raises(ModelNotFoundError, match=r"'mini'.*owner/name"):
        load_model("maxi")


def test_any_hub_name_is_accepted() -> None:
    spec = registry.find("someone/some-model_2.1")
    assert (spec.source, spec.repo) == ("hub", "someone/some-model_2.1")


def test_own_folders_are_listed(
    tiny_mae: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NAPARI_GEN2SEG_HOME", str(tmp_path))
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "mine").symlink_to(tiny_mae, target_is_directory=True)
    (tmp_path / "models" / "broken").mkdir()
    (tmp_path / "models" / "broken" / "config.json").write_text("{")
    specs = registry.list_models()
    assert [s.title for s in specs if s.source == "folder"] == ["mine"]
    assert specs[-1].family == "mae"


def test_a_loaded_model_says_what_it_is(tiny_sd: Path) -> None:
    model = load_model(tiny_sd, device="cpu")
    assert isinstance(model, Colorer)
    assert (model.device, model.dtype) == ("cpu", "float32")
    assert "CPU" in model.reason
    assert model.notes == ()
    assert model.spec.family == "sd"


def test_the_coloring_says_where_it_comes_from(tiny_mae: Path) -> None:
    image = np.random.default_rng(0).integers(0, 4000, (40, 50), np.uint16)
    model = load_model(tiny_mae, device="cpu")
    one, two = model.color(image), model.color(image)
    assert one.model_id == str(tiny_mae)
    assert one.resolution == 64
    assert one.source_key
    assert one.key == two.key
    assert one.source_shape == (40, 50)


def test_unload_frees_and_says_so(tiny_mae: Path) -> None:
    import weakref

    model = load_model(tiny_mae, device="cpu")
    net = weakref.ref(model.net)
    model.unload()
    assert net() is None
    with pytest.raises(ModelError, match="unloaded"):
        model.color(np.zeros((20, 20)))


def test_cancel_stops_before_the_work(tiny_sd: Path) -> None:
    import threading

    event = threading.Event()
    event.set()
    with pytest.raises(Cancelled):
        load_model(tiny_sd, cancel=event)
    model = load_model(tiny_sd, device="cpu")
    with pytest.raises(Cancelled):
        model.color(np.random.default_rng(0).random((30, 30)), cancel=lambda: True)


@pytest.mark.parametrize("resolution", [0, -5, 100000, 12.5])
def test_a_wrong_resolution_is_named(tiny_mae: Path, resolution: float) -> None:
    model = load_model(tiny_mae, device="cpu")
    with pytest.raises(SettingsError, match="resolution"):
        model.color(np.eye(20), resolution)  # type: ignore[arg-type]


def test_mirror_images_are_looked_at_and_mirrored_back(tiny_sd: Path) -> None:
    colorer = load_model(tiny_sd, device="cpu")
    rgb = np.random.default_rng(0).random((48, 64, 3)).astype(np.float32)
    told: list[str] = []
    coloring = colorer.color(
        rgb, 64, passes=4, progress=lambda _, text: told.append(text)
    )
    assert sum("mirror" in text for text in told) == 3
    np.testing.assert_array_equal(coloring.values, colorer.color(rgb, 64).values)
    turned = colorer.color(np.ascontiguousarray(rgb[::-1, ::-1]), 64).values
    assert coloring.extra_maps is not None and coloring.extra_maps.shape[2] == 9
    np.testing.assert_array_equal(coloring.extra_maps[..., :3], turned[::-1, ::-1])
    upside_down = colorer.color(np.ascontiguousarray(rgb[::-1]), 64).values
    np.testing.assert_array_equal(coloring.extra_maps[..., 3:6], upside_down[::-1])
    with pytest.raises(SettingsError, match="3 passes"):
        colorer.color(rgb, 64, passes=3)


def test_progress_ends_at_one(tiny_mae: Path) -> None:
    said: list[tuple[float | None, str]] = []
    model = load_model(tiny_mae, progress=lambda f, t: said.append((f, t)))
    assert said[-1][0] == 1.0
    said.clear()
    model.color(np.eye(30), progress=lambda f, t: said.append((f, t)))
    assert said[-1][0] == 1.0


# -- the empty prompt ---------------------------------------------------------


def test_the_text_encoder_is_needed_once(fresh_sd: Path) -> None:
    image = np.random.default_rng(0).random((40, 40))
    before = load_model(fresh_sd, device="cpu").color(image)
    saved = fresh_sd / empty_prompt.PROMPT_NAME
    assert saved.is_file()
    for path in (fresh_sd / "text_encoder").iterdir():
        path.unlink()
    (fresh_sd / "text_encoder").rmdir()
    after = load_model(fresh_sd, device="cpu").color(image)
    assert np.array_equal(before.values, after.values)
    saved.unlink()
    with pytest.raises(WeightsError, match="empty prompt"):
        load_model(fresh_sd, device="cpu")


def test_a_folder_one_cannot_write_to_uses_the_cache(
    fresh_sd: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NAPARI_GEN2SEG_HOME", str(tmp_path / "home"))
    # A folder in its place makes writing fail for root as well.
    (fresh_sd / empty_prompt.PROMPT_NAME).mkdir()
    load_model(fresh_sd, device="cpu")
    (kept,) = (tmp_path / "home" / "cache" / "prompts").glob("*.safetensors")
    stamp = kept.stat().st_mtime_ns
    (fresh_sd / "text_encoder" / "model.safetensors").touch()
    load_model(fresh_sd, device="cpu")
    assert kept.stat().st_mtime_ns == stamp


# -- bad folders --------------------------------------------------------------


def test_a_folder_without_a_model(tmp_path: Path) -> None:
    with pytest.raises(WrongFamilyError, match="holds no model"):
        load_model(tmp_path)


def test_a_part_of_another_kind(fresh_sd: Path) -> None:
    path = fresh_sd / "unet" / "config.json"
    config = json.loads(path.read_text())
    path.write_text(json.dumps(config | {"_class_name": "FluxTransformer2DModel"}))
    with pytest.raises(WrongFamilyError, match="FluxTransformer2DModel"):
        load_model(fresh_sd, device="cpu")


def test_a_model_of_another_prediction_type(fresh_sd: Path) -> None:
    path = fresh_sd / "scheduler" / "scheduler_config.json"
    path.write_text(path.read_text().replace("v_prediction", "epsilon"))
    with pytest.raises(WeightsError, match="epsilon"):
        load_model(fresh_sd, device="cpu")


def test_facts_of_another_family(fresh_mae: Path) -> None:
    (fresh_mae / "gen2seg.json").write_text('{"family": "sd"}')
    with pytest.raises(WrongFamilyError, match="'mae'"):
        load_model(fresh_mae)


def test_missing_weights(fresh_sd: Path) -> None:
    (fresh_sd / UNET).unlink()
    with pytest.raises(WeightsError, match=r"unet.*\.safetensors file is missing"):
        load_model(fresh_sd)


def test_pickled_weights_are_refused(fresh_sd: Path) -> None:
    (fresh_sd / UNET).rename(fresh_sd / "unet" / "diffusion_pytorch_model.bin")
    with pytest.raises(WeightsError, match="can run code"):
        load_model(fresh_sd)


@pytest.mark.parametrize("keep", [0, 5, 1000, -1])
def test_cut_off_weights(fresh_sd: Path, keep: int) -> None:
    data = (fresh_sd / UNET).read_bytes()
    (fresh_sd / UNET).write_bytes(data[:keep])
    with pytest.raises(WeightsError, match="damaged"):
        load_model(fresh_sd)


def test_garbage_instead_of_weights(fresh_mae: Path) -> None:
    (fresh_mae / "model.safetensors").write_bytes(b"\0" * 8 + b"<html>no</html>")
    with pytest.raises(WeightsError, match=r"model\.safetensors"):
        load_model(fresh_mae)


def test_weights_of_another_shape(fresh_mae: Path) -> None:
    path = fresh_mae / "config.json"
    config = json.loads(path.read_text())
    path.write_text(json.dumps(config | {"num_hidden_layers": 4}))
    with pytest.raises(WeightsError, match="do not fit"):
        load_model(fresh_mae, device="cpu")
    path.write_text(json.dumps(config | {"hidden_size": 64}))
    with pytest.raises(WeightsError, match="model"):
        load_model(fresh_mae, device="cpu")


def test_unet_weights_of_another_shape(fresh_sd: Path) -> None:
    path = fresh_sd / "unet" / "config.json"
    config = json.loads(path.read_text())
    path.write_text(json.dumps(config | {"layers_per_block": 2}))
    with pytest.raises(WeightsError, match="unet"):
        load_model(fresh_sd, device="cpu")


def test_damaged_facts(fresh_mae: Path) -> None:
    facts = fresh_mae / "gen2seg.json"
    facts.write_text("{")
    with pytest.raises(WeightsError, match="JSON"):
        load_model(fresh_mae)
    facts.write_text('{"format_version": 99}')
    with pytest.raises(WeightsError, match="Update napari-gen2seg"):
        load_model(fresh_mae)
    facts.write_text('{"stretch": "sideways"}')
    with pytest.raises(WeightsError, match="sideways"):
        load_model(fresh_mae)
