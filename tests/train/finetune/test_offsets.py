"""Fine-tuning of the family offsets: its own loss, sparse labels, what comes out."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from tests.train.finetune.made import (
    discs,
    offsets_model,
    read_images,
    settings,
    write_pairs,
)

from napari_gen2seg import load_model
from napari_gen2seg.models.library.bioimageio import export_bioimageio
from napari_gen2seg.models.networks.offset_loss import finetuning_loss
from napari_gen2seg.train.data.crops import Crops
from napari_gen2seg.train.data.labeled_images import PairSpec
from napari_gen2seg.train.engine.distributed import Distributed
from napari_gen2seg.train.finetune.checkpoint import Progress
from napari_gen2seg.train.finetune.export import export_best
from napari_gen2seg.train.finetune.learner import Learner
from napari_gen2seg.train.finetune.loop import Training
from napari_gen2seg.train.finetune.planning import prepare


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return offsets_model(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(scope="module")
def sparse(tmp_path_factory: pytest.TempPathFactory) -> tuple[PairSpec, ...]:
    return write_pairs(tmp_path_factory.mktemp("pairs"), 2, keep=5, complete=False)


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "model.safetensors")


def labels_of_some() -> torch.Tensor:
    labels = torch.full((1, 64, 64), -1)
    labels[:, 8:24, 8:24] = 1
    labels[:, 40:60, 40:60] = 0
    return labels


def test_unmarked_pixels_ask_for_nothing() -> None:
    labels = labels_of_some()
    answers = torch.randn(1, 3, 64, 64, requires_grad=True)
    finetuning_loss(answers, labels).backward()
    moved = answers.grad.abs().sum(1) > 0
    assert moved[labels >= 0].all() and not moved[labels < 0].any()


def test_unmarked_pixels_stay_what_they_were() -> None:
    labels, before = labels_of_some(), torch.randn(1, 3, 64, 64)
    answers = before.clone().requires_grad_()
    finetuning_loss(answers, labels, before).backward()
    assert answers.grad.abs().sum(1)[labels < 0].max() < 1e-7
    other = (before + 1).requires_grad_()
    finetuning_loss(other, labels, before).backward()
    assert (other.grad.abs().sum(1)[labels < 0] > 0).all()


@pytest.mark.parametrize("trainable", ["full", "last_blocks"])
def test_a_run_on_sparse_labels_gives_a_model(
    tmp_path: Path, model: Path, sparse: tuple[PairSpec, ...], trainable: str
) -> None:
    config = settings(
        tmp_path / "run", model, sparse, trainable=trainable, crop=64, rate=1e-2
    )
    events = list(Training(config).events())
    losses = [event.loss for event in events if event.kind == "step"]
    assert losses and np.isfinite(losses).all()
    made = export_best(config, config.folder)
    before, after = weights(model), weights(made)
    assert before.keys() == after.keys()
    changed = {key for key in after if not torch.equal(before[key], after[key])}
    # Where no step was better than the start, the start is what is kept.
    if any(event.kind == "score" and event.best and event.step for event in events):
        assert changed
    assert not [key for key in changed if "running" in key or "stages.0" in key]
    if trainable == "last_blocks":
        assert not [key for key in changed if key.startswith("encoder")]
    coloring = load_model(made).color(discs()[0])
    assert coloring.instances is not None


def test_a_step_asks_for_its_own_loss(tmp_path: Path, model: Path) -> None:
    config = settings(tmp_path / "run", model, write_pairs(tmp_path, 2), crop=64)
    ready = prepare(config, "cpu")
    crops = Crops(read_images(config.pairs), ready.trainee.model_config, 64)
    learner = Learner(config, ready, crops, Distributed())
    batch = crops.batch(0, ready.amount.batch)
    with torch.no_grad():
        wanted = finetuning_loss(ready.trainee.net(batch["pixels"]), batch["labels"])
    assert learner.step(Progress(), 0.0) == pytest.approx(float(wanted), rel=1e-4)
    for _ in range(3):
        learner.step(Progress(), 2e-3)
    with torch.no_grad():
        after = finetuning_loss(ready.trainee.net(batch["pixels"]), batch["labels"])
    assert after < wanted


def test_bioimageio_repeats_its_test_tensors(tmp_path: Path, model: Path) -> None:
    target = export_bioimageio(model, tmp_path / "m.zip", authors=["A"], size=128)
    with zipfile.ZipFile(target) as file:
        file.extractall(tmp_path)
    given, wanted = (
        np.load(tmp_path / f"test-{name}.npy") for name in ("input", "output")
    )
    net = torch.jit.load(tmp_path / "weights.pt")
    with torch.no_grad():
        found = net(torch.from_numpy(given)).numpy()
    np.testing.assert_allclose(found, wanted, atol=0.5)
    assert wanted.shape == (1, 3, 128, 128) and wanted.std() > 0
