"""Fine-tuning as a whole: every family, one picture, sparse labels, the new model."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import tifffile
from safetensors import safe_open
from tests.train.finetune.made import (
    discs,
    settings,
    write_few,
    write_pairs,
)

from napari_gen2seg import Coloring, finetune, iter_finetune, load_model
from napari_gen2seg.errors import Cancelled, DataError, StorageError
from napari_gen2seg.metrics.bootstrap import verdict
from napari_gen2seg.train.finetune.events import Compared, Comparing
from napari_gen2seg.train.mini.export import checksums
from napari_gen2seg.workflows.finetune.compare import (
    Judged,
    gain,
    judged_objects,
)


@pytest.fixture(scope="module")
def model(tiny_guided: Path) -> Path:
    return tiny_guided


@pytest.fixture
def small_sd(tiny_sd: Path, tmp_path: Path) -> Path:
    """Return the tiny published-layout model, working at 64 pixels to be quick."""
    folder = tmp_path / "small-sd"
    shutil.copytree(tiny_sd, folder)
    facts = {"format_version": 1, "family": "sd", "default_resolution": 64}
    (folder / "gen2seg.json").write_text(json.dumps(facts))
    return folder


def test_from_labels_to_a_model_that_loads(model: Path, tmp_path: Path) -> None:
    config = settings(tmp_path / "run", model, write_few(tmp_path, 3), steps=3)
    result = finetune(config)
    assert result.model == tmp_path / "run" / "model"
    facts = json.loads((result.model / "gen2seg.json").read_text())
    assert facts["id"] == "mine" and facts["base_model"] == "tiny"
    assert facts["licence"] == "BSD-3-Clause" and facts["guides"]
    assert facts["recipe"]["steps"] == 3
    # A card may be published: it tells no folder of this computer.
    texts = (result.model / "README.md").read_text() + json.dumps(facts)
    assert str(tmp_path) not in texts and result.compared.verdict in texts
    assert "on 2 labeled pictures (none completely), judged by 1 labeled" in texts
    assert (result.model / "SHA256SUMS").read_text() == checksums(result.model)
    colorer = load_model(result.model, "cpu")
    coloring = colorer.color(discs(9)[0])
    assert coloring.probe([(48, 48)]).full().any()
    assert colorer.spec.title == "mine"
    report = json.loads(Path(result.compared.path).read_text())
    assert report["verdict"] == result.compared.verdict
    name = result.compared.pictures[0]["name"]
    for when in ("before", "after"):
        beside = tmp_path / "run" / "compare" / f"{name}-{when}.tif"
        assert Coloring.load(beside).source_shape == (96, 96)
        assert beside.with_name(f"{name}-{when}-labels.tif").is_file()
    lines = (tmp_path / "run" / "events.jsonl").read_text().splitlines()
    told = [json.loads(line)["event"] for line in lines]
    looked = [one for one in map(json.loads, lines) if one["event"] == "comparing"]
    assert {one["when"] for one in looked} >= {"before"}
    assert looked[-1]["done"] == looked[-1]["total"] > 0
    kept = facts["recipe"]["best_step"] == 0 and not facts["recipe"]["use"]
    assert result.unchanged == kept
    assert told[0] == "plan" and told[-2:] == ["compared", "done"]


@pytest.mark.parametrize("trains", ["full", "last_blocks", "lora"])
def test_stable_diffusion(trains: str, small_sd: Path, tmp_path: Path) -> None:
    config = settings(
        tmp_path / "run", small_sd, write_few(tmp_path), steps=3, trainable=trains,
        rate=1e-2, crop=64, score_seconds=0.0,
    )  # fmt: skip
    result = finetune(config)
    assert result.plan is not None and result.plan.trains == trains
    with safe_open(
        result.model / "unet" / "diffusion_pytorch_model.safetensors", "pt"
    ) as new:
        assert not any("lora" in key for key in new.keys())  # noqa: SIM118
    assert not (result.model / "text_encoder").exists()
    colorer = load_model(result.model, "cpu")
    assert colorer.color(discs()[0]).resolution == 64  # as its base


@pytest.mark.parametrize("trains", ["full", "last_blocks", "lora"])
def test_masked_autoencoder(trains: str, tiny_mae: Path, tmp_path: Path) -> None:
    config = settings(
        tmp_path / "run", tiny_mae, write_few(tmp_path), steps=3, trainable=trains,
        rate=1e-2, crop=None,
    )  # fmt: skip
    result = finetune(config)
    colorer = load_model(result.model, "cpu")
    assert colorer.color(discs()[0]).values.shape == (64, 64, 3)


def test_the_new_model_is_the_best_one_of_the_run(
    small_sd: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from napari_gen2seg.train.finetune.validation import Validator

    scores = iter([0.1, 0.9])
    monkeypatch.setattr(Validator, "score", lambda *_: next(scores))
    config = settings(
        tmp_path / "run", small_sd, write_few(tmp_path), steps=2, trainable="lora",
        rate=5e-2, crop=64,
    )  # fmt: skip
    shown = None
    for event in iter_finetune(config):
        if event.kind == "preview":
            shown = Coloring.load(event.path)
    assert shown is not None
    report = json.loads((tmp_path / "run" / "compare" / "report.json").read_text())
    name = report["pictures"][0]["name"]
    pair = next(p for p in config.pairs if p.title == name)
    image = tifffile.imread(pair.image)
    again = load_model(tmp_path / "run" / "model", "cpu").color(image)
    base = load_model(small_sd, "cpu").color(image)
    # Stored as float16 like its base, hence the tolerance.
    assert np.abs(again.values - shown.values).mean() < 2
    assert np.abs(base.values - shown.values).mean() > 4


def test_nothing_better_than_the_old_model_is_said_and_clicked_once(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from napari_gen2seg.train.finetune.validation import Validator

    scores = iter([0.9, 0.1])
    monkeypatch.setattr(Validator, "score", lambda *_: next(scores))
    config = settings(tmp_path / "run", model, write_few(tmp_path), steps=2)
    told = list(iter_finetune(config))
    comparing = [event for event in told if isinstance(event, Comparing)]
    assert comparing[0].done == 0 and comparing[-1].done == comparing[-1].total == 6
    assert {event.when for event in comparing} == {"before"}
    (compared,) = [event for event in told if isinstance(event, Compared)]
    assert compared.unchanged and not compared.better
    assert compared.before == compared.after and (compared.low, compared.high) == (0, 0)
    folder = tmp_path / "run" / "compare"
    assert json.loads((folder / "report.json").read_text())["unchanged"]
    name = compared.pictures[0]["name"]
    for end in (".tif", "-labels.tif"):
        files = [folder / f"{name}-{when}{end}" for when in ("before", "after")]
        assert files[0].read_bytes() == files[1].read_bytes()
    assert "these are its weights" in (tmp_path / "run/model/README.md").read_text()


@pytest.mark.parametrize("keep", [None, 3])
def test_one_picture_and_few_labels(
    model: Path, tmp_path: Path, keep: int | None
) -> None:
    config = settings(
        tmp_path / "run", model, write_pairs(tmp_path, 1, keep=keep), steps=2
    )
    result = finetune(config)
    assert result.plan is not None
    assert result.plan.train == result.plan.validation == ("p0",)
    assert any("one picture only" in text for text in result.plan.warnings)
    assert result.compared.before.one_click is not None


def test_nothing_to_hold_back_gives_no_verdict(model: Path, tmp_path: Path) -> None:
    config = settings(
        tmp_path / "run", model, write_pairs(tmp_path, 1, keep=1), steps=2
    )
    result = finetune(config)
    assert result.compared.verdict == "no difference" and not result.better
    assert result.compared.low is None and result.compared.before.one_click is None
    assert (result.model / "gen2seg.json").is_file()


def test_a_later_run_replays_the_crops_of_an_earlier_one(
    model: Path, tmp_path: Path
) -> None:
    pairs = write_few(tmp_path, 6)
    first = finetune(settings(tmp_path / "one", model, pairs[:5], steps=2))
    second = finetune(
        settings(
            tmp_path / "two",
            first.model,
            pairs,
            steps=2,
            replay=(str(tmp_path / "one"),),
        )
    )
    facts = json.loads((second.model / "gen2seg.json").read_text())
    assert facts["base_model"] == "model"
    # One more picture divides them anew: still judged by what neither has learnt from.
    assert first.plan is not None and second.plan is not None
    judged = {one["name"] for one in second.compared.pictures}
    assert judged == set(second.plan.validation)
    assert judged.isdisjoint({*first.plan.train, *second.plan.train})


def test_cancelled_leaves_no_model_and_can_go_on(model: Path, tmp_path: Path) -> None:
    config = settings(tmp_path / "run", model, write_few(tmp_path), steps=2)
    seen: list[str] = []
    with pytest.raises(Cancelled):
        for event in iter_finetune(config, lambda: "step" in seen):
            seen.append(event.kind)
    assert seen[-1] == "stopping" and not (config.folder / "model").exists()
    assert finetune(config, resume=True).plan.resumed > 0  # type: ignore[union-attr]


def test_killed_while_comparing_it_only_compares_again(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = settings(tmp_path / "run", model, write_few(tmp_path), steps=2)

    def full(*_: object) -> None:
        raise StorageError("Could not write it: the disk is full.")

    with monkeypatch.context() as patch:
        patch.setattr("napari_gen2seg.workflows.finetune.compare.click_through", full)
        with pytest.raises(StorageError):
            finetune(config)
    last = (config.folder / "events.jsonl").read_text().splitlines()[-1]
    assert json.loads(last)["event"] == "failed"
    assert json.loads(last)["kind"] == "StorageError"
    kinds = [event.kind for event in iter_finetune(config, resume=True)]
    assert kinds[0] == "stopping" and kinds[-2:] == ["compared", "done"]
    assert set(kinds[1:-2]) == {"comparing"}


def test_what_cannot_begin_is_named_and_logged(model: Path, tmp_path: Path) -> None:
    config = settings(tmp_path / "run", model, ())
    with pytest.raises(DataError, match="nothing to learn from"):
        finetune(dataclasses.asdict(config))
    assert "nothing to learn from" in (tmp_path / "run" / "events.jsonl").read_text()


def judged(*center: float) -> Judged:
    none = np.zeros(0)
    return Judged(np.asarray(center), none, none, np.zeros((0, 0)), none)


def test_a_verdict_needs_an_interval_without_zero() -> None:
    before = [judged(0.2, 0.3, 0.25)] * 5
    low, high, over = gain(before, [judged(0.6, 0.7, 0.6)] * 5, 0)
    assert verdict(low, high) == "better" and over == "5 pictures"
    low, high, _ = gain(before, [judged(0.1, 0.1, 0.1)] * 5, 0)
    assert verdict(low, high) == "worse"
    low, high, _ = gain(before, [judged(0.1, 0.5, 0.2)] * 5, 0)
    assert verdict(low, high) == "better"  # the same mean gain in every picture
    low, high, over = gain(before[:1], [judged(0.1, 0.5, 0.2)], 0)
    assert verdict(low, high) == "no difference" and over == "3 objects of 1 pictures"
    assert verdict(*gain([judged(0.1)], [judged(0.9)], 0)[:2]) == "no difference"
    assert verdict(*gain([], [], 0)[:2]) == "no difference"


def test_judged_by_objects_that_did_not_choose_the_weights(tmp_path: Path) -> None:
    from napari_gen2seg.train.data.labeled_images import check_pair, read_pairs
    from napari_gen2seg.train.finetune.validation import watched_objects

    pairs = [source.read() for source in read_pairs(write_pairs(tmp_path, 3))[0]]
    few, rule = judged_objects(pairs[:1], 0)
    assert len(few[0]) == 16 and "all objects" in rule
    image, labels = discs(5, 192)
    many = check_pair(image, labels)[0]
    others, rule = judged_objects([many], 0)
    watched = watched_objects([many], 0)[0][1]
    assert len(watched) == 30 and not set(watched) & set(others[0])
    assert "not watched" in rule
