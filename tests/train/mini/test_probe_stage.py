"""The probe's training: samples, a run stopped in between, a folder that loads."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from napari_gen2seg.core.learned_probe.inputs import CHANNELS
from napari_gen2seg.core.learned_probe.window import SIDE
from napari_gen2seg.errors import SettingsError, WeightsError
from napari_gen2seg.models.networks.probe_net import ProbeNet
from napari_gen2seg.models.probes import load_probe_net, load_shown_probe
from napari_gen2seg.train.__main__ import main
from napari_gen2seg.train.mini.config import DataConfig, read_settings
from napari_gen2seg.train.mini.disturbed_maps import disturb, repaint
from napari_gen2seg.train.mini.probe_stage import (
    ProbeConfig,
    export_probe,
    probe_loss,
    start_probe,
    train_probe,
)
from napari_gen2seg.train.mini.simulated_clicks import click_object

CONFIG = Path(__file__).parents[3] / "configs" / "probe.toml"
MINI = Path(__file__).parents[3] / "src" / "napari_gen2seg" / "models" / "mini"
TINY = ProbeConfig(
    id="tiny",
    data=DataConfig(drawn=1.0, crop=64, smallest=14, largest=40, workers=0),
    batch=4,
    objects=2,
    warmup=2,
    finish_minutes=0.01,
    save_minutes=0.0,
)


def stop_after(steps: int) -> object:
    left = iter([False] * steps)
    return lambda: next(left, True)


def squares() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Two squares and something unknown, on black."""
    labels = np.zeros((96, 96), np.int32)
    labels[20:60, 20:50], labels[30:60, 50:80], labels[80:] = 1, 2, -1
    values = np.zeros((96, 96, 3), np.float32)
    values[labels == 1], values[labels == 2] = (200, 80, 80), (80, 200, 80)
    return values.astype(np.uint8), values, labels


def test_a_run_is_stopped_goes_on_and_becomes_a_folder(tmp_path: Path) -> None:
    run = tmp_path / "run"
    list(train_probe(TINY, run, [MINI], stop_after(2)))
    assert torch.load(run / "probe.state.pt", weights_only=True)["step"] == 2
    list(train_probe(TINY, run, [MINI], stop_after(1)))
    state = torch.load(run / "probe.state.pt", weights_only=True)
    assert state["step"] == 3
    fresh = ProbeNet().state_dict()
    assert not torch.equal(state["net"]["head.weight"], fresh["head.weight"])
    before = (run / "probe.state.pt").read_bytes()
    list(train_probe(TINY, run, [MINI], finish=True))
    assert (run / "probe.state.pt").read_bytes() == before
    folder = export_probe(TINY, run, tmp_path / "probe", [MINI])
    assert sum(path.stat().st_size for path in folder.iterdir()) < 2e6
    net = load_shown_probe(folder)
    logits, quality = net(torch.zeros(1, CHANNELS, SIDE, SIDE))
    assert logits.shape == (1, SIDE, SIDE) and 0 < float(quality) < 1


def test_without_maps_or_weights_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="--maps"):
        next(train_probe(TINY, tmp_path, []))
    with pytest.raises(WeightsError, match="run the stage probe into it first"):
        export_probe(TINY, tmp_path, tmp_path / "out", [MINI])
    with pytest.raises(SettingsError, match="--maps"):
        export_probe(TINY, tmp_path, tmp_path / "out", [])


def test_the_command_trains_and_exports(tmp_path: Path) -> None:
    small = ["--set", "data.workers=0", "--set", "data.sources={}", "--set", "batch=2"]
    small += ["--set", "data.crop=64", "--set", "objects=1"]
    config = ["--config", str(CONFIG), "--run", str(tmp_path / "run"), *small]
    maps = ["--maps", str(MINI)]
    assert main(["probe", *config, *maps, "--minutes", "0.001"]) == 0
    out = tmp_path / "out"
    assert main(["export-probe", *config, *maps, "--out", str(out)]) == 0
    assert load_probe_net(out).config == ProbeConfig().net


def test_shipped_settings_are_read() -> None:
    config = read_settings(ProbeConfig, CONFIG)
    assert config.batch == 24 and config.data.drawn == 0.45
    # Metal powder is the unseen kind: never trained on.
    assert not any("powder" in name for name in config.data.sources)


def test_clicks_lie_in_the_object_and_in_the_window() -> None:
    image, values, labels = squares()
    rng = np.random.default_rng(0)
    middles = left_out = 0
    for _ in range(60):
        one = click_object(image, values, labels, 1, rng)
        first = tuple(one.clicks.pixels[0])
        assert labels[first] == 1 and one.clicks.signs[0] == 1
        middles += first in {(row, 34) for row in range(34, 45)} | {
            (row, 35) for row in range(34, 45)
        }
        left_out += len(one.clicks.left_out) > 0
        assert all(labels[tuple(p)] != 1 for p in one.clicks.left_out)
        row, column = one.view.window.within([first])[0]
        assert 0 <= row < SIDE and 0 <= column < SIDE
        assert one.object_there[round(row), round(column)]
    assert 15 <= middles <= 50 and 3 <= left_out <= 30


def test_a_correction_is_made_where_the_answer_is_wrong() -> None:
    image, values, labels = squares()
    rng = np.random.default_rng(1)
    one = click_object(image, values, labels, 1, rng)
    truth = one.object_there.astype(np.float32)
    assert not one.correct(truth, rng)  # nothing to correct
    before = len(one.clicks.signs)
    assert one.correct(np.ones_like(truth), rng)
    at = tuple(one.clicks.pixels[-1])
    assert len(one.clicks.signs) == before + 1 and one.clicks.signs[-1] == -1
    assert labels[at] in (0, 2)  # never where nothing is known
    assert one.channels()[12].min() == 1  # what was answered before is an input
    assert one.correct(np.zeros_like(truth), rng) and one.clicks.signs[-1] == 1
    assert labels[tuple(one.clicks.pixels[-1])] == 1


def test_unknown_pixels_ask_nothing() -> None:
    wanted, known = torch.zeros(1, 8, 8), torch.ones(1, 8, 8)
    wanted[:, :4], known[:, :, 6:] = 1, 0
    logits = torch.randn(1, 8, 8)
    other = torch.where(known > 0, logits, -5 * logits)
    quality, area = torch.tensor([0.5]), torch.tensor([32.0])
    first, parts = probe_loss(logits, quality, wanted, known, area)
    assert torch.equal(first, probe_loss(other, quality, wanted, known, area)[0])
    perfect = torch.where(wanted > 0, 20.0, -20.0)
    known[:] = 1
    loss, parts = probe_loss(perfect, torch.ones(1), wanted, known, area)
    assert parts["iou"] == 1 and loss.item() < 0.05


def test_a_window_that_shows_half_of_an_object_is_judged_by_the_whole() -> None:
    wanted, known = torch.zeros(1, 8, 8), torch.ones(1, 8, 8)
    wanted[:, :4] = 1
    perfect = torch.where(wanted > 0, 20.0, -20.0)
    half = torch.tensor([0.5])
    loss, parts = probe_loss(perfect, half, wanted, known, torch.tensor([64.0]))
    assert parts["iou"] == 0.5 and parts["judged"] == 0
    # What is asked of the mask is the same.
    assert parts["soft"] < 0.01 and loss.item() < 0.01


def test_a_run_begins_with_the_weights_of_a_probe(tmp_path: Path) -> None:
    list(train_probe(TINY, tmp_path / "run", [MINI], stop_after(2)))
    folder = export_probe(TINY, tmp_path / "run", tmp_path / "probe", [MINI])
    config = replace(TINY, start=str(folder))
    wanted = load_probe_net(folder).state_dict()
    begun = start_probe(config, tmp_path / "other")
    assert all(torch.equal(v, wanted[k]) for k, v in begun.net.state_dict().items())
    assert all(p.requires_grad for p in begun.net.parameters())
    # A run that is there goes on from its own.
    assert start_probe(config, tmp_path / "run").step == 2


def test_maps_are_changed_within_bounds_and_by_the_seed_alone() -> None:
    _, values, labels = squares()
    for seed in range(40):
        rng = np.random.default_rng(seed)
        made = disturb(repaint(values, rng), labels, rng)
        assert made.shape == values.shape and made.dtype == np.float32
        assert made.min() >= 0 and made.max() <= 255
        rng = np.random.default_rng(seed)
        np.testing.assert_array_equal(made, disturb(repaint(values, rng), labels, rng))
