"""What a run keeps for later ones, and what those must not see of it."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from tests.train.finetune.made import (
    read_images,
    settings,
    write_few,
    write_pairs,
)

from napari_gen2seg.errors import Cancelled, DataError
from napari_gen2seg.models.model_config import ModelConfig
from napari_gen2seg.train.data.crops import Crops, fit
from napari_gen2seg.train.data.labeled_images import PairSpec, read_pairs
from napari_gen2seg.train.data.split import divide
from napari_gen2seg.train.finetune.config import FinetuneConfig
from napari_gen2seg.train.finetune.loop import Training
from napari_gen2seg.train.finetune.replay import read_stored, replayed, store
from napari_gen2seg.train.finetune.sources import training_sources

LIKES_32 = ModelConfig(
    "sd", min_resolution=32, max_resolution=512, object_diameter=32.0, multiple=8
)


def test_crops_are_kept_and_replayed(tmp_path: Path) -> None:
    pairs = read_images(write_pairs(tmp_path, 2))
    store(Crops(pairs, LIKES_32, 64), tmp_path / "run" / "crops", 3)
    kept = read_stored([tmp_path / "run"])
    assert len(kept) == 3 and kept[0].crop[1].min() == -1
    assert {one.key for one in kept} <= {pair.key for pair in pairs}
    crops = [one.crop for one in kept]
    batch = Crops(pairs, LIKES_32, 64, replay=crops, share=1.0).batch(0, 2)
    assert batch["labels"].max() > 0
    bigger, unknown = fit(crops[0], 80, np.random.default_rng(0))
    assert bigger.shape == (80, 80, 3) and (unknown[64:] == -1).all()
    file = tmp_path / "run" / "crops" / "0001.npz"
    for damaged in (b"no", file.read_bytes()[:300]):
        file.write_bytes(damaged)
        with pytest.raises(DataError, match=r"0001\.npz"):
            read_stored([tmp_path / "run" / "crops"])
    with pytest.raises(DataError, match="no stored crops"):
        read_stored([tmp_path])


def test_what_is_held_back_is_not_replayed(tmp_path: Path) -> None:
    sources, _ = read_pairs(write_pairs(tmp_path, 2))
    pairs = [source.read() for source in sources]
    store(Crops(pairs, LIKES_32, 32), tmp_path / "crops", 12)
    keys = [one.key for one in read_stored([tmp_path])]
    assert set(keys) == {pair.key for pair in pairs}
    left = replayed([tmp_path], pairs[:1])
    assert len(left) == keys.count(pairs[1].key)
    assert replayed([tmp_path], pairs) == []
    # One picture is on both sides: how it was divided before is not known.
    assert len(replayed([tmp_path], divide(sources[:1], 0.2, 0).validation)) == len(
        left
    )


def test_what_nobody_learnt_from_is_held_back_first(tmp_path: Path) -> None:
    pairs, _ = read_pairs(write_pairs(tmp_path, 6))
    for seed in range(6):
        learnt = {pair.key for pair in pairs[:4]}
        split = divide(pairs, 0.5, seed, learnt)
        assert {pair.name for pair in split.validation} == {"p4", "p5"}
        assert not split.warnings
    # Where all are known, some are held back none the less, and it is said.
    learnt = {pair.key for pair in pairs}
    split = divide(pairs, 0.2, 0, learnt)
    (name,) = [pair.name for pair in split.validation]
    assert name == divide(pairs, 0.2, 0).validation[0].name
    assert f"held back now: {name}. The score may be too good" in split.warnings[0]
    for some in (
        [dataclasses.replace(pairs[0], role="validation"), pairs[1]],
        pairs[:1],
    ):
        told = divide(some, 0.2, 0, learnt).warnings
        assert "held back now: p0. The score" in told[-1]


@pytest.fixture(scope="module")
def made(
    tiny_guided: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[FinetuneConfig, tuple[PairSpec, ...]]:
    """Return a run that was made of five of six pictures, once for all tests."""
    folder = tmp_path_factory.mktemp("made")
    pairs = write_few(folder, 6)
    first = settings(folder / "one", tiny_guided, pairs[:5], steps=1)
    list(Training(first).events())
    return first, pairs


@pytest.fixture
def later(
    made: tuple[FinetuneConfig, tuple[PairSpec, ...]], tmp_path: Path
) -> tuple[FinetuneConfig, FinetuneConfig]:
    """Return a copy of that run, and settings of one that goes on from it."""
    first, pairs = made
    shutil.copytree(first.run, tmp_path / "one")
    first = dataclasses.replace(first, run=str(tmp_path / "one"))
    # The sixth picture alone moves the division that the seed gives.
    second = dataclasses.replace(
        first, run=str(tmp_path / "two"), pairs=pairs, replay=(first.run,), steps=4
    )
    return first, second


def test_a_later_run_is_judged_by_what_no_run_learnt_from(
    later: tuple[FinetuneConfig, FinetuneConfig],
) -> None:
    first, second = later
    learnt = {pair.key for pair in training_sources(first)[0].train}
    alone = dataclasses.replace(second, replay=())
    assert learnt & {pair.key for pair in training_sources(alone)[0].validation}
    training = Training(second)
    plan = next(iter(training.events()))
    held = {pair.key for pair in training_sources(second)[0].validation}
    assert held and not held & learnt and not plan.warnings
    assert isinstance(training.crops, Crops) and len(training.crops.replay) == 32
    noted = json.loads((second.folder / "learnt.json").read_text())
    assert set(noted["before"]) == learnt
    assert not set(noted["now"]) & held and len(noted["now"]) == 5


def test_crops_of_unknown_pictures_are_kept_and_told_of(
    later: tuple[FinetuneConfig, FinetuneConfig],
) -> None:
    first, second = later
    (first.folder / "learnt.json").unlink()
    for file in (first.folder / "crops").glob("*.npz"):
        with np.load(file) as stored:
            rgb, labels = stored["rgb"], stored["labels"]
        np.savez_compressed(file, rgb=rgb, labels=labels)
    split, _, warnings = training_sources(second)
    assert "32 crops of earlier runs do not say" in warnings[-1]
    assert len(replayed(second.replay, split.validation)) == 32


def test_a_run_that_goes_on_is_divided_as_it_began(
    later: tuple[FinetuneConfig, FinetuneConfig],
) -> None:
    first, second = later
    training = Training(second)
    training.cancel = lambda: training.progress.step >= 1
    with pytest.raises(Cancelled):
        list(training.events())
    held = [pair.name for pair in training_sources(second)[0].validation]
    shutil.rmtree(first.folder)
    resumed = dataclasses.replace(second, replay=())
    plan = next(iter(Training(resumed, resume=True).events()))
    assert list(plan.validation) == held
