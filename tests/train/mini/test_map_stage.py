"""The map's training: from nothing to a model folder that loads, stopped in between."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from skimage.io import imsave

from napari_gen2seg import finetune, load_model
from napari_gen2seg.errors import WeightsError
from napari_gen2seg.models.families import FAMILIES
from napari_gen2seg.models.networks.offset_net import OffsetNet
from napari_gen2seg.models.registry import find
from napari_gen2seg.train.__main__ import main
from napari_gen2seg.train.mini.config import DataConfig, read_settings
from napari_gen2seg.train.mini.dataset import Crops
from napari_gen2seg.train.mini.map_stage import (
    MapConfig,
    MapCrops,
    export_map,
    start_map,
    train_map,
)

CONFIG = Path(__file__).parents[3] / "configs" / "map.toml"
TINY = MapConfig(
    id="tiny",
    data=DataConfig(drawn=1.0, crop=64, workers=0),
    batch=2,
    rate=1e-3,
    warmup=2,
    pretrained=False,
    finish_minutes=0.02,
    save_minutes=0.0,
)


def stop_after(steps: int) -> object:
    left = iter([False] * steps)
    return lambda: next(left, True)


def weights(path: Path) -> dict[str, torch.Tensor]:
    from safetensors.torch import load_file

    return load_file(path)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("map") / "run"
    list(train_map(TINY, folder, stop_after(3)))
    return folder


def test_a_stopped_run_goes_on(run: Path) -> None:
    state = torch.load(run / "map.state.pt", weights_only=True)
    assert state["step"] == 3
    before = weights(run / "map.safetensors")
    list(train_map(TINY, run, stop_after(2)))
    assert torch.load(run / "map.state.pt", weights_only=True)["step"] == 5
    after = weights(run / "map.safetensors")
    assert not torch.equal(before["head.weight"], after["head.weight"])
    assert not torch.equal(
        before["encoder.stem.conv.weight"], after["encoder.stem.conv.weight"]
    )
    # BatchNorm is never trained.
    for name, value in after.items():
        if name.endswith(("running_mean", "running_var")):
            assert torch.equal(value, OffsetNet().state_dict()[name]), name


def test_a_run_begins_with_the_weights_of_a_model(run: Path, tmp_path: Path) -> None:
    folder = export_map(TINY, run, tmp_path / "tiny")
    wanted = weights(folder / "model.safetensors")
    config = replace(TINY, start=str(folder), seed=1)
    begun = start_map(config, tmp_path / "other")
    for name, value in begun.net.state_dict().items():
        assert torch.equal(value.to(wanted[name].dtype), wanted[name]), name
    assert start_map(config, run).step >= 3  # a run that is there goes on from its own
    list(train_map(config, tmp_path / "other", stop_after(1)))
    export_map(config, tmp_path / "other", tmp_path / "second")
    recipe = json.loads((tmp_path / "second" / "gen2seg.json").read_text())["recipe"]
    assert recipe["settings"]["start"] == "tiny"  # its name, not where it lay


def test_finishing_leaves_the_state_as_it_is(run: Path) -> None:
    before = (run / "map.state.pt").read_bytes()
    list(train_map(TINY, run, finish=True))
    assert (run / "map.state.pt").read_bytes() == before
    assert (run / "map-finished.safetensors").is_file()


def test_what_is_exported_loads_colors_and_learns(run: Path, tmp_path: Path) -> None:
    folder = export_map(TINY, run, tmp_path / "tiny")
    size = sum(path.stat().st_size for path in folder.iterdir())
    assert size < 10e6  # float16
    assert find(str(folder)).family == "offsets"
    model = load_model(folder, device="cpu")
    image = (np.random.default_rng(0).random((70, 90)) * 255).astype(np.uint8)
    coloring = model.color(image, resolution=96)
    assert coloring.values.shape == (74, 96, 3) and coloring.black_background
    assert coloring.values.min() >= 0 and coloring.values.max() <= 255
    # Norms are folded when it is loaded; the answers stay those of the trained net.
    net = OffsetNet()
    net.load_state_dict(
        {
            k: v.half().float() if v.is_floating_point() else v
            for k, v in weights(
                run / "map-finished.safetensors"
                if (run / "map-finished.safetensors").is_file()
                else run / "map.safetensors"
            ).items()
        }
    )
    pixels = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(model.net(pixels), net(pixels), rtol=1e-3, atol=1e-3)
    config = json.loads((folder / "gen2seg.json").read_text())
    assert config["recipe"]["steps"] >= 3 and "root" not in str(config["recipe"])

    labels = np.zeros((70, 90), np.int32)
    labels[10:40, 10:40], labels[45:65, 50:80] = 1, 2
    for number in range(2):
        imsave(tmp_path / f"i{number}.png", image, check_contrast=False)
        imsave(tmp_path / f"l{number}.tif", labels, check_contrast=False)
    done = finetune(
        {
            "model": str(folder),
            "run": str(tmp_path / "tuned"),
            "pairs": [
                {
                    "image": str(tmp_path / f"i{n}.png"),
                    "labels": str(tmp_path / f"l{n}.tif"),
                }
                for n in range(2)
            ],
            "steps": 2,
            "batch": 1,
            "crop": 64,
            "device": "cpu",
        }
    )
    assert find(str(done.model)).family == "offsets"
    assert load_model(done.model, device="cpu").color(image, 64).values.std() > 0


def test_without_weights_there_is_no_model(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="run the stage map into it first"):
        export_map(TINY, tmp_path, tmp_path / "out")


def test_the_command_trains_and_exports(tmp_path: Path) -> None:
    small = ["--set", "pretrained=false", "--set", "data.workers=0"]
    small += ["--set", "data.sources={}", "--set", "data.crop=64", "--set", "batch=1"]
    config = ["--config", str(CONFIG), "--run", str(tmp_path / "run"), *small]
    assert main(["map", *config, "--minutes", "0.005"]) == 0
    assert main(["export-map", *config]) == 0
    assert find(str(tmp_path / "run" / "model")).title == "mini"
    assert FAMILIES["offsets"].title


def test_shipped_settings_are_read() -> None:
    config = read_settings(MapConfig, CONFIG)
    assert config.pretrained and config.data.drawn == 0.45
    # Metal powder is the unseen kind: never trained on.
    assert not any("powder" in name for name in config.data.sources)


def _source(folder: Path, complete: bool) -> None:
    (folder / "images").mkdir(parents=True)
    (folder / "labels").mkdir()
    labels = np.zeros((300, 300), np.uint16)
    labels[140:156, 140:156] = 1
    imsave(folder / "images" / "a.png", (labels * 200).astype(np.uint8))
    imsave(folder / "labels" / "a.tif", labels, check_contrast=False)
    manifest = {"complete": complete}
    (folder / "manifest.json").write_text(json.dumps(manifest))


@pytest.mark.parametrize("complete", [True, False])
def test_what_is_unmarked_is_unknown_where_not_all_is_marked(
    tmp_path: Path, complete: bool
) -> None:
    _source(tmp_path / "set", complete)
    data = DataConfig(
        root=str(tmp_path), sources={"set": 1.0}, drawn=0.0, crop=64,
        smallest=16.0, largest=17.0, workers=0,
    )  # fmt: skip
    labels = Crops(data).draw(np.random.default_rng(0))["labels"].numpy()
    assert (labels > 0).any() and (labels == 0).any()
    assert (labels == -1).any() == (not complete)
    sample = next(iter(MapCrops(data, 0)))
    assert float(sample["pixels"].min()) >= 0 and float(sample["pixels"].max()) <= 1
    assert sample["target"].shape == (2, 64, 64)
    assert bool((sample["area"] > 0).eq(sample["labels"] > 0).all())
