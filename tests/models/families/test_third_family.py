"""A third family, registered from here, goes all the way without a line elsewhere."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Collection, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from tests.train.finetune.made import discs, settings, write_few, write_pairs
from torch import Tensor, nn

from napari_gen2seg import finetune, list_models, load_model
from napari_gen2seg.errors import SettingsError, WeightsError, WrongFamilyError
from napari_gen2seg.models import families
from napari_gen2seg.models.base_colorer import BaseColorer
from napari_gen2seg.models.families import FAMILIES, register_family
from napari_gen2seg.models.families.family import (
    CropDefaults,
    Family,
    FamilyTraining,
    SelectedFiles,
    TrainableParts,
    select_top_files,
)
from napari_gen2seg.models.hub.download import select_files
from napari_gen2seg.models.library.bioimageio import export_bioimageio
from napari_gen2seg.models.library.import_export import check_model, unpacked
from napari_gen2seg.models.library.user_models import adopt, export
from napari_gen2seg.models.model_config import ModelConfig
from napari_gen2seg.models.model_folder import ModelFolder
from napari_gen2seg.models.networks.tensors import (
    resize,
    resized_shape,
    stretch_in_training,
    stretch_published,
)
from napari_gen2seg.models.registry import find
from napari_gen2seg.models.runtime.memory import estimate_memory

WEIGHTS = "model.safetensors"
WIDTH = 8


class TinyNet(nn.Module):
    """Two convolutions, from pixels in 0..1 to colors."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, WIDTH, 5, padding=2)
        self.last = nn.Conv2d(WIDTH, 3, 3, padding=1)

    def forward(self, pixels: Tensor) -> Tensor:
        return self.last(torch.relu(self.first(pixels)))


class TinyColorer(BaseColorer):
    def _forward(self, pictures: Tensor, resolution: int) -> Tensor:
        height, width = pictures.shape[-2:]
        pixels = resize(pictures, resized_shape((height, width), resolution))
        return stretch_published(self.net(pixels.to(self._placed.torch_dtype)).float())


class TinyMap(nn.Module):
    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, pixels: Tensor) -> Tensor:
        return stretch_published(self.net(pixels))


def _load(folder: ModelFolder, dtype: str) -> nn.Module:
    net = TinyNet()
    net.load_state_dict(load_file(folder.weights[""].files[0]))
    return net.to(getattr(torch, dtype))


def _defaults(folder: Path, published: bool) -> dict[str, int | None]:
    return {
        "default_resolution": 64,
        "min_resolution": 16,
        "max_resolution": 256,
        "multiple": 1,
    }


def _select(names: Collection[str]) -> SelectedFiles | None:
    return select_top_files(names, "gen2seg.json")


def _work_bytes(folder: ModelFolder, resolution: int | None, size: int) -> int:
    side = resolution or folder.config.default_resolution or 64
    return side * side * (3 + WIDTH) * size


def _parts(net: Any, config: ModelConfig) -> TrainableParts:
    return TrainableParts(net, tuple(net.parameters()), (net.last,), (), multiple=1)


def _predict(
    net: nn.Module, config: ModelConfig, pixels: Tensor, origin: Tensor, latent: bool
) -> Tensor:
    return stretch_in_training(net(pixels).float())


def _save(net: nn.Module, base: Path, target: Path) -> None:
    # A colorer keeps its weights in channels-last order.
    tensors = {key: value.contiguous() for key, value in net.state_dict().items()}
    save_file(tensors, target / WEIGHTS)


TINY = Family(
    name="tiny",
    title="two convolutions",
    layout="a gen2seg.json of family 'tiny'",
    defaults=_defaults,
    select_files=_select,
    load_net=_load,
    colorer_class=lambda: TinyColorer,
    work_bytes=_work_bytes,
    load_map_net=lambda folder: TinyMap(_load(folder, "float32")),
    training=FamilyTraining(
        load_net=_load,
        parts=_parts,
        predict=_predict,
        crops=lambda config, on_cpu: CropDefaults(32, 2, 1),
        save_weights=_save,
    ),
)


@pytest.fixture
def tiny() -> Iterator[Family]:
    register_family(TINY)
    yield TINY
    del FAMILIES["tiny"]


@pytest.fixture
def model(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    folder = tmp_path / "base"
    folder.mkdir()
    save_file(TinyNet().state_dict(), folder / WEIGHTS)
    told = {"format_version": 1, "family": "tiny", "title": "Tiny", "licence": "MIT"}
    (folder / "gen2seg.json").write_text(json.dumps(told))
    return folder


def test_unknown_until_it_is_registered(model: Path) -> None:
    with pytest.raises(WrongFamilyError, match="holds no model"):
        find(model)


def test_it_is_found_loaded_and_colors(tiny: Family, model: Path) -> None:
    assert find(model).family == "tiny"
    colorer = load_model(model, device="cpu")
    coloring = colorer.color(discs()[0])
    assert coloring.values.shape == (64, 64, 3)
    assert coloring.probe([(48, 48)]).full().shape == (96, 96)
    need = estimate_memory(model, 128)
    assert need.parameters == sum(p.numel() for p in TinyNet().parameters())
    assert need.work == 128 * 128 * (3 + WIDTH) * 4


def test_the_windows_list_shows_it(
    tiny: Family, model: Path, monkeypatch: pytest.MonkeyPatch, qtbot: Any
) -> None:
    from napari_gen2seg.gui.panels.model_panel import ModelPanel

    monkeypatch.setenv("NAPARI_GEN2SEG_HOME", str(model.parent / "home"))
    placed = adopt(model, "Mine")
    own = [spec for spec in list_models() if spec.source == "folder"]
    assert [(s.path, s.family, s.title) for s in own] == [(placed, "tiny", "Tiny")]
    panel = ModelPanel(list_models())
    qtbot.addWidget(panel)
    shown = [panel.model.itemText(index) for index in range(panel.model.count())]
    assert any("Tiny" in text for text in shown)


@pytest.mark.parametrize("trains", ["auto", "last_blocks"])
def test_it_is_fine_tuned_and_exported(
    trains: str, tiny: Family, model: Path, tmp_path: Path
) -> None:
    config = settings(
        tmp_path / "run", model, write_few(tmp_path), steps=6, trainable=trains,
        rate=1e-2, crop=None, score_seconds=0.0,
    )  # fmt: skip
    result = finetune(config)
    assert result.plan is not None
    assert (result.plan.crop, result.plan.trains) == (
        32, "full" if trains == "auto" else "last_blocks",
    )  # fmt: skip
    assert check_model(result.model).config.family == "tiny"
    before = load_model(model, "cpu").color(discs()[0]).values
    after = load_model(result.model, "cpu").color(discs()[0]).values
    assert np.array_equal(before, after) == result.unchanged
    # As a folder, and as a zip that is read again.
    folder = export(result.model, tmp_path / "out")
    archive = export(result.model, tmp_path / "out.zip")
    with unpacked(archive) as again:
        for place in (folder, again):
            colored = load_model(place, "cpu").color(discs()[0])
            assert np.array_equal(colored.values, after)


def test_lora_is_refused_where_there_is_no_attention(
    tiny: Family, model: Path, tmp_path: Path
) -> None:
    pairs = write_pairs(tmp_path, 2)
    with pytest.raises(SettingsError, match="no attention"):
        finetune(settings(tmp_path / "run", model, pairs, trainable="lora"))


def test_a_family_that_cannot_be_trained_says_so(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(FAMILIES, "tiny", replace(TINY, training=None))
    pairs = write_pairs(tmp_path, 2)
    with pytest.raises(SettingsError, match="cannot be fine-tuned"):
        finetune(settings(tmp_path / "run", model, pairs))


def test_bioimageio(
    tiny: Family, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = export_bioimageio(model, tmp_path / "out.zip", authors=["A"], size=64)
    assert made.is_file()
    monkeypatch.setitem(FAMILIES, "tiny", replace(TINY, load_map_net=None))
    with pytest.raises(SettingsError, match=r"'tiny'.*cannot be written for bioimage"):
        export_bioimageio(model, tmp_path / "no.zip", authors=["A"], size=64)


def test_from_the_hub_it_takes_what_it_needs(tiny: Family) -> None:
    names = ["gen2seg.json", WEIGHTS, "README.md", "old/model.safetensors"]
    assert select_files(names, "a/b") == ("gen2seg.json", WEIGHTS)
    with pytest.raises(WeightsError, match=r"only model\.bin, which can run code"):
        select_files(["gen2seg.json", "model.bin"], "a/b")


def test_a_name_is_given_once(tiny: Family) -> None:
    register_family(TINY)
    with pytest.raises(SettingsError, match="'tiny' already"):
        register_family(replace(TINY, title="another"))


def test_another_process_knows_it_by_an_entry_point(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    about = tmp_path / "site" / "tiny_family-1.0.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: tiny-family\n")
    (about / "entry_points.txt").write_text(
        f"[{families.ENTRY_POINTS}]\n"
        "broken = no_such_module:FAMILY\n"
        "tiny = tests.models.families.test_third_family:TINY\n"
    )
    root = Path(__file__).parents[3]
    paths = [str(about.parent), str(root), os.environ.get("PYTHONPATH", "")]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(paths))
    code = (
        "import sys, pickle; from napari_gen2seg import load_model;"
        "model = load_model(sys.argv[1], device='cpu');"
        "spec = pickle.loads(pickle.dumps(model.spec));"
        "print(spec.family, spec.folder.family.title)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(model)],
        capture_output=True, text=True, check=True, env=os.environ.copy(),
    )  # fmt: skip
    assert done.stdout.split("\n")[0] == "tiny two convolutions"
    assert "'broken'" in done.stderr and "cannot be used" in done.stderr


def test_no_family_is_asked_for_by_name_outside() -> None:
    package = Path(families.__file__).parents[2]
    asked = re.compile(r"\bfamily\s*(==|!=|in|not in)\s|(==|!=)\s*[\w.]*family\b")
    loops = re.compile(r"\bfor family in\b")
    found = [
        f"{path.relative_to(package)}:{number}: {line.strip()}"
        for path in sorted(package.rglob("*.py"))
        if "families" not in path.relative_to(package).parts
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if asked.search(line) and not loops.search(line)
    ]
    assert found == []
