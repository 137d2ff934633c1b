"""Training from data sets on disk: by weight, scenes held back, the paper's way."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from skimage.io import imsave
from tests.train.finetune.made import discs

from napari_gen2seg.errors import DataError, SettingsError
from napari_gen2seg.models.model_folder import read_model_config
from napari_gen2seg.train.finetune.config import (
    DatasetSpec,
    FinetuneConfig,
    PairSpec,
    finetune_config,
    read_finetune_config,
)
from napari_gen2seg.train.finetune.sources import (
    Mixture,
    Source,
    cut_anywhere,
    training_sources,
)
from napari_gen2seg.train.loss.instance_coloring import instance_coloring_loss
from napari_gen2seg.train.loss.weighted import paper_loss, published_share

CONFIGS = Path(__file__).parents[3] / "configs"


@pytest.fixture
def rooms(tmp_path: Path) -> Path:
    """Write three scenes of two frames in Hypersim's layout."""
    root = tmp_path / "hypersim"
    for scene in range(3):
        for number in range(2):
            image, labels = discs(10 * scene + number, 96)
            name = f"ai_001_{scene:03d}"
            place = root / "rgb" / name / "images" / "scene_cam_00_final_preview"
            place.mkdir(parents=True, exist_ok=True)
            imsave(
                place / f"frame.{number:04d}.color.jpg",
                np.repeat(image[..., None], 3, -1),
                check_contrast=False,
            )
            table = np.random.default_rng(scene).permutation(250) + 1
            red = np.where(labels > 0, table[labels], 0).astype(np.uint8)
            colors = np.stack([red, labels.astype(np.uint8), red], -1)
            place = root / "instance-rgb" / name / "images"
            place /= "scene_cam_00_geometry_hdf5"
            place.mkdir(parents=True, exist_ok=True)
            imsave(place / f"frame.{number:04d}.png", colors, check_contrast=False)
    return root


@pytest.fixture
def streets(tmp_path: Path) -> Path:
    """Write two scenes of one frame in Virtual KITTI's layout."""
    root = tmp_path / "vkitti"
    for scene in (1, 2):
        image, labels = discs(40 + scene, 96)
        frames = root / f"Scene{scene:02d}" / "clone" / "frames"
        place = frames / "rgb" / "Camera_0"
        place.mkdir(parents=True)
        imsave(place / "rgb_00000.jpg", np.repeat(image[..., None], 3, -1))
        place = frames / "instanceSegmentation" / "Camera_0"
        place.mkdir(parents=True)
        picture = Image.fromarray(labels.astype(np.uint8), mode="P")
        picture.putpalette(list(range(256)) * 3)
        picture.save(place / "instancegt_00000.png")
    return root


def both(rooms: Path, streets: Path, **more: int) -> tuple[DatasetSpec, ...]:
    return (
        DatasetSpec(
            str(rooms), "hypersim", weight=9, size=(48, 64), validation=2, **more
        ),
        DatasetSpec(
            str(streets),
            "virtual-kitti",
            crop=(40, 80),
            complete=False,
            validation=0,
            **more,
        ),
    )


def test_scenes_are_on_one_side_only(rooms: Path) -> None:
    source = Source.open(DatasetSpec(str(rooms), "hypersim", validation=2), 0)
    train = {item.title.split("/")[0] for item in source.train}
    held = {item.title.split("/")[0] for item in source.validation}
    assert len(source.train) == 4
    assert len(source.validation) == 2
    assert not train & held
    images = source.held()
    assert len(images) == 2 and all("/" not in image.name for image in images)
    assert len(images[0].objects) == 16


def test_a_single_scene_cannot_be_held_back(streets: Path) -> None:
    spec = DatasetSpec(str(streets), "virtual-kitti", split="Scene01", validation=1)
    with pytest.raises(DataError, match="single scene"):
        Source.open(spec, 0)


def test_batches_come_by_weight_and_are_seeded(
    rooms: Path, streets: Path, tiny_sd: Path
) -> None:
    sources = [Source.open(spec, 0) for spec in both(rooms, streets)]
    facts = read_model_config(tiny_sd)
    mixture = Mixture(sources, facts, 64, seed=3)
    shapes = []
    for step in range(60):
        batch = mixture.batch(step, 1)
        height, width = batch["labels"].shape[1:]
        assert batch["pixels"].shape == (1, 3, height, width)
        assert 0 <= batch["pixels"].min() <= batch["pixels"].max() <= 1
        shapes.append((height, width))
        known = bool((batch["labels"] == 0).any())
        assert known == ((height, width) == (48, 64))  # the streets are unknown
    assert set(shapes) == {(48, 64), (40, 80)}
    assert 2 <= shapes.count((40, 80)) <= 14
    again = Mixture(sources, facts, 64, seed=3)
    for step in (59, 7):  # as after a resume, in any order
        one, two = mixture.batch(step, 2), again.batch(step, 2)
        assert torch.equal(one["pixels"], two["pixels"])
        assert torch.equal(one["labels"], two["labels"])
    other = Mixture(sources, facts, 64, seed=4)
    assert not torch.equal(
        other.batch(7, 2)["pixels"][0, 0, :8], again.batch(7, 2)["pixels"][0, 0, :8]
    )


def test_masked_autoencoders_see_squares(
    rooms: Path, streets: Path, tiny_mae: Path
) -> None:
    sources = [Source.open(spec, 0) for spec in both(rooms, streets)]
    mixture = Mixture(sources, read_model_config(tiny_mae), 64)
    assert mixture.batch(0, 2)["pixels"].shape == (2, 3, 64, 64)


def test_sides_that_the_model_cannot_take(rooms: Path, tiny_sd: Path) -> None:
    spec = DatasetSpec(str(rooms), "hypersim", size=(50, 64), validation=0)
    with pytest.raises(SettingsError, match="multiples of 8"):
        Mixture([Source.open(spec, 0)], read_model_config(tiny_sd), 64)


def test_a_window_larger_than_the_frame_is_unknown_outside() -> None:
    labels = np.ones((10, 12), np.int32)
    rgb, cut = cut_anywhere(
        np.zeros((10, 12, 3), np.float32), labels, (16, 12), np.random.default_rng(0)
    )
    assert rgb.shape == (16, 12, 3)
    assert (cut == -1).sum() == 6 * 12


def test_pairs_beside_data_sets_are_only_held(rooms: Path, streets: Path) -> None:
    config = FinetuneConfig(
        pairs=(PairSpec("a.png", "b.png"),), datasets=both(rooms, streets)
    )
    with pytest.raises(SettingsError, match="role 'validation'"):
        training_sources(config)
    alone = FinetuneConfig(datasets=both(rooms, streets)[1:])
    with pytest.raises(DataError, match="held back"):
        training_sources(alone)


def test_settings_name_what_is_wrong() -> None:
    with pytest.raises(SettingsError, match=r"data set 1.*unknown settings 'path'"):
        finetune_config({"datasets": [{"root": "x", "path": "y"}]})
    with pytest.raises(SettingsError, match=r"'step'; did you mean 'steps'\?"):
        finetune_config({"step": 3})
    with pytest.raises(SettingsError, match=r"'zzz'; known are model, revision"):
        finetune_config({"zzz": 3})
    with pytest.raises(SettingsError, match=r"crop .* must be"):
        finetune_config({"datasets": [{"root": "x", "crop": [8, 8]}]})
    with pytest.raises(SettingsError, match="recipe is"):
        finetune_config({"recipe": "secret"})


def test_the_paper_s_settings_are_ready_to_use() -> None:
    config = read_finetune_config(CONFIGS / "paper.json")
    rooms, streets = config.datasets
    assert (rooms.weight, streets.weight) == (9, 1)
    assert (rooms.size, streets.crop) == ((480, 640), (368, 1024))
    assert (rooms.complete, streets.complete) == (True, False)
    assert (config.steps, config.rate, config.batch, config.accumulate) == (
        30_000, 6e-5, 2, 4,
    )  # fmt: skip
    assert config.length == (30_000, None)
    assert finetune_config(json.loads(config.to_json())) == config


def test_schedule_and_loss_are_the_paper_s() -> None:
    assert published_share(0) == pytest.approx(0.01)
    assert published_share(99) == pytest.approx(1)
    assert published_share(100 + 20_000) == pytest.approx(math.sqrt(0.05))
    assert published_share(10**6) == pytest.approx(0.05)
    torch.manual_seed(0)
    values = torch.rand(2, 3, 12, 12) * 255
    labels = torch.randint(0, 4, (2, 12, 12))
    unknown = labels.clone()
    unknown[1][unknown[1] == 0] = -1
    assert paper_loss(values, labels) == instance_coloring_loss(values, labels)
    assert paper_loss(values, unknown) == instance_coloring_loss(
        values, labels, [False, True]
    )


@pytest.mark.slow
def test_the_paper_s_training_runs_on_a_small_tree(
    rooms: Path, streets: Path, tiny_sd: Path, tmp_path: Path
) -> None:
    from napari_gen2seg import finetune, load_model
    from napari_gen2seg.train.finetune.checkpoint import read_state

    base = tmp_path / "base"
    shutil.copytree(tiny_sd, base)
    (base / "gen2seg.json").write_text(
        '{"format_version": 1, "default_resolution": 64, "min_resolution": 64}'
    )
    config = FinetuneConfig(
        model=str(base),
        run=str(tmp_path / "run"),
        name="again",
        recipe="published",
        trainable="full",
        datasets=both(rooms, streets),
        steps=3,
        batch=2,
        accumulate=2,
        crop=64,
        checkpointing=True,
        rate=6e-5,
        device="cpu",
    )
    result = finetune(config)
    assert result.plan is not None
    assert [name.split(" ")[0] for name in result.plan.train] == [
        "hypersim-all",
        "virtual-kitti-all",
    ]
    assert len(result.plan.validation) == 2
    state = read_state(tmp_path / "run", config)
    assert state is not None
    assert state["progress"].step == 3
    for name, value in state["trained"].items():  # no running average
        assert torch.equal(value, state["average"][name])
    card = (result.model / "README.md").read_text("utf-8")
    assert "hypersim (weight 9)" in card
    assert str(tmp_path) not in (result.model / "gen2seg.json").read_text("utf-8")
    assert load_model(result.model, "cpu").color(discs()[0], 64).values.shape[2] == 3
