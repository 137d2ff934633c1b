"""Crops, losses, what is trained, and how much memory it takes."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.train.finetune.made import (
    discs,
    guided_model,
    read_images,
    settings,
    write_pairs,
)

from napari_gen2seg import load_model
from napari_gen2seg.core.image.rgb import to_rgb
from napari_gen2seg.core.map.object_size import typical_size
from napari_gen2seg.errors import MemoryShortError, SettingsError
from napari_gen2seg.models.model_config import ModelConfig
from napari_gen2seg.train.data.crops import Crops, model_resolution
from napari_gen2seg.train.data.labeled_images import check_pair
from napari_gen2seg.train.engine.distributed import Distributed
from napari_gen2seg.train.finetune import planning
from napari_gen2seg.train.finetune.checkpoint import Progress
from napari_gen2seg.train.finetune.learner import Learner
from napari_gen2seg.train.finetune.lora import merge_lora
from napari_gen2seg.train.finetune.memory_estimate import (
    Amount,
    MemoryNeed,
    kept_per_pixel,
)
from napari_gen2seg.train.finetune.memory_estimate import fit as fit_amount
from napari_gen2seg.train.finetune.trainable import load_trainee, set_trained
from napari_gen2seg.train.loss.harmonic import harmonic_target
from napari_gen2seg.train.loss.instance_coloring import instance_coloring_loss
from napari_gen2seg.train.loss.weighted import (
    LossWeights,
    guided_loss,
    published_loss,
    ring_loss,
    surrounded,
)

LIKES_32 = ModelConfig(
    "sd", min_resolution=32, max_resolution=512, object_diameter=32.0, multiple=8
)


def supply(tmp_path: Path, **more: object) -> Crops:
    pairs = read_images(write_pairs(tmp_path, 2))
    return Crops(pairs, LIKES_32, 64, **more)


def test_the_same_step_sees_the_same_crops(tmp_path: Path) -> None:
    crops = supply(tmp_path, seed=3, drawn=True)
    first, again = crops.batch(5, 4), crops.batch(5, 4)
    for key in first:
        assert torch.equal(first[key], again[key])
    for other in (crops.batch(6, 4), crops.batch(5, 4, process=1)):
        assert not torch.equal(first["pixels"], other["pixels"])
    assert first["pixels"].shape == (4, 3, 64, 64)
    assert first["pixels"].min() >= 0 and first["pixels"].max() <= 1


def test_objects_come_in_the_size_the_model_likes(tmp_path: Path) -> None:
    crops = supply(tmp_path, share=0.0)
    pair = crops.pairs[0]
    assert model_resolution(pair, LIKES_32) == round(96 * 32 / pair.diameter)
    sizes = [
        typical_size(crops.cut(np.random.default_rng(seed))[1]) for seed in range(40)
    ]
    assert 22 < np.median(sizes) < 36  # cut ones among them
    assert np.std(sizes) > 1


def test_a_picture_is_searched_for_objects_once_however_many_crops(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    crops, plain = supply(tmp_path, share=0.0), np.unique
    whole: list[int] = []

    def unique(values: np.ndarray, **more: bool) -> object:
        whole.extend(n for n, p in enumerate(crops.pairs) if values is p.labels)
        return plain(values, **more)

    monkeypatch.setattr(np, "unique", unique)
    for seed in range(5):
        crops.cut(np.random.default_rng(seed))
    assert whole == []  # that was done when it was read
    monkeypatch.undo()
    (other,) = crops.pairs[0].relabeled(np.ones((96, 96), np.int32)).objects
    assert other == 1 and len(crops.pairs[0].objects) == 16


def test_labels_follow_their_pixels(tmp_path: Path) -> None:
    crops = supply(tmp_path, share=0.0)
    for seed in range(10):
        rgb, labels = crops.cut(np.random.default_rng(seed))
        inside, outside = rgb[labels > 0].mean(), rgb[labels < 0].mean()
        assert inside > outside + 0.2


def test_beyond_the_picture_nothing_is_known() -> None:
    image, labels = discs(side=48)
    pair, _ = check_pair(image[:, :24], labels[:, :24])
    crops = Crops(
        [dataclasses.replace(pair, given_diameter=32.0)], LIKES_32, 64, share=0.0
    )
    rgb, labels = crops.cut(np.random.default_rng(0))
    assert rgb.shape == (64, 64, 3) and np.isfinite(rgb).all()
    assert (labels < 0).mean() > 0.4


def labels_of_two() -> torch.Tensor:
    labels = torch.full((2, 24, 24), -1)
    labels[:, 4:10, 4:10] = 1
    labels[0, 14:20, 14:20] = 2
    labels[1, 14:20, 14:20] = 0
    return labels


@pytest.mark.parametrize("kind", ["guided", "published"])
def test_unknown_pixels_ask_for_nothing_but_the_ring(kind: str) -> None:
    labels = labels_of_two()
    torch.manual_seed(0)
    for ring in (0.0, 0.5):
        colors = (torch.rand(2, 3, 24, 24) * 60 + 90).requires_grad_()
        asked = LossWeights(ring=ring)
        if kind == "guided":
            loss = guided_loss(colors, labels, torch.zeros(2, 2), 32.0, asked=asked)
        else:
            # The paper's separation speaks of all pixels; without it nothing does.
            loss = ring * ring_loss(colors, labels, asked)
        loss.backward()
        assert colors.grad is not None
        moved = colors.grad.abs().sum(1) > 0
        far = labels == -1
        near = torch.nn.functional.max_pool2d((labels > 0)[:, None].float(), 5, 1, 2)[
            :, 0
        ].bool()
        assert not moved[far & ~near].any()
        # With position waves the pixels around an object are asked to be black.
        assert bool(moved[far & near].any()) == (ring > 0 or kind == "guided")


def test_around_sparse_objects_there_is_background() -> None:
    labels = labels_of_two()
    found = surrounded(labels, 2)
    assert (found[0, 2:12, 2:12] == torch.where(labels[0, 2:12, 2:12] == 1, 1, 0)).all()
    assert found[0, 1, 4] == -1 and found[1, 12, 12] == -1
    assert (found[labels >= 0] == labels[labels >= 0]).all()
    assert (surrounded(labels, 0) == labels).all()


def test_the_ring_pushes_away_from_its_own_object_and_only_up_to_the_margin() -> None:
    labels = labels_of_two()[:1]
    colors = torch.full((1, 3, 24, 24), 200.0)
    near = colors.clone().requires_grad_()
    ring_loss(near, labels, LossWeights()).backward()
    assert (
        near.grad is not None
        and near.grad[labels[:, None].expand(-1, 3, -1, -1) < 0].abs().max() > 0
    )
    colors[labels[:, None].expand(-1, 3, -1, -1) < 0] = 0
    assert float(ring_loss(colors, labels, LossWeights())) == 0


def test_harmonic_colours_cost_nothing_but_the_rim() -> None:
    labels = labels_of_two()
    origin = torch.tensor([[3.0, 7.0], [0.0, 0.0]])
    target = harmonic_target(labels, 32.0, origin)
    asked = LossWeights(outline=0.0)  # which is never quite content
    loss = guided_loss(target, labels, origin, 32.0, asked=asked)
    assert float(loss) < 1e-6
    other = guided_loss(target, labels, origin + 9, 32.0, asked=asked)
    assert float(other) > 0.01


def test_unknown_pixels_are_asked_to_stay_what_they_were() -> None:
    labels = labels_of_two()
    origin = torch.zeros(2, 2)
    before = torch.rand(2, 3, 24, 24) * 200 - 20  # black may be overshot
    asked = LossWeights(width=0)

    def loss(colors: torch.Tensor) -> float:
        return float(guided_loss(colors, labels, origin, 32.0, before, asked))

    target = harmonic_target(labels, 32.0, origin)
    unknown = (labels < 0)[:, None].expand(-1, 3, -1, -1)
    kept = torch.where(unknown, before, target)
    free = float(guided_loss(kept, labels, origin, 32.0, asked=asked))
    assert loss(kept) == pytest.approx(free)
    assert loss(torch.where(unknown & (before < 0), before - 50, kept)) == (
        pytest.approx(free)
    )
    assert loss(torch.where(unknown, kept + 40, kept)) > free + 0.1


def test_a_run_keeps_what_the_model_knew_where_labels_are_sparse(
    tmp_path: Path,
) -> None:
    """The same run with and without: what nobody labelled changes less."""
    specs = write_pairs(tmp_path, 2, keep=4)
    # Latents as fine as mini's: in coarse ones labelled and unlabelled run together.
    model = guided_model(tmp_path / "model", levels=2)
    config = settings(tmp_path, model, specs, steps=30)
    ready = planning.prepare(config, "cpu")
    state = {k: v.clone() for k, v in ready.trainee.trained.items()}
    pairs = read_images(specs)
    crops = Crops(pairs, ready.trainee.model_config, 32, share=0.0)
    assert crops.sparse
    batch = crops.batch(0, 4)
    unknown = surrounded(batch["labels"], 4) < 0

    def drift(keeps: bool) -> float:
        with torch.no_grad():
            for name, value in state.items():
                ready.trainee.trained[name].copy_(value)
            before = ready.trainee.predict(batch["pixels"], batch["origin"])
        learner = Learner(config, ready, crops, Distributed())
        if not keeps:
            learner._start = None
        for step in range(30):
            assert learner.step(Progress(step=step), 2e-3) is not None
        with torch.no_grad():
            after = ready.trainee.predict(batch["pixels"], batch["origin"])
        moved = (after.clamp(min=0) - before.clamp(min=0)).abs().mean(1)
        return float(moved[unknown].mean())

    assert drift(True) < 0.8 * drift(False)


def test_published_models_get_the_papers_loss() -> None:
    labels = labels_of_two()
    colors = torch.rand(2, 3, 24, 24) * 255
    expected = instance_coloring_loss(colors, labels.clamp(min=0), [True, True])
    mine = published_loss(colors, labels, LossWeights(ring=0.0))
    torch.testing.assert_close(mine, expected)
    known = labels.clamp(min=0)
    torch.testing.assert_close(
        published_loss(colors, known), instance_coloring_loss(colors, known)
    )


@pytest.mark.parametrize("family", ["sd", "mae", "guided"])
def test_training_sees_what_inference_shows(
    family: str, tiny_sd: Path, tiny_mae: Path, tmp_path: Path
) -> None:
    folder = {"sd": tiny_sd, "mae": tiny_mae}.get(family) or guided_model(
        tmp_path / "m"
    )
    trainee = load_trainee(str(folder), "cpu")
    rgb = to_rgb(np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8))
    shown = trainee.colorer.predict_rgb(rgb, 64)
    pixels = torch.from_numpy(rgb).permute(2, 0, 1)[None]
    with torch.no_grad():
        seen = trainee.predict(pixels, torch.zeros(1, 2))[0].permute(1, 2, 0).numpy()
    if family == "mae":  # brightened for people only
        seen = (seen / 255).clip(0) ** 0.7 * 255
    np.testing.assert_allclose(seen.clip(0, 255), shown, atol=0.05)


@pytest.mark.parametrize("family", ["sd", "mae"])
@pytest.mark.parametrize("trains", ["full", "last_blocks", "lora"])
def test_what_is_trained(
    family: str, trains: str, tiny_sd: Path, tiny_mae: Path
) -> None:
    folder = tiny_sd if family == "sd" else tiny_mae
    trainee = load_trainee(str(folder), "cpu")
    whole = trainee.parameters
    rgb = to_rgb(np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8))
    before = trainee.colorer.predict_rgb(rgb, 64)
    set_trained(trainee, trains, seed=1)
    assert 0 < trainee.trainable < whole
    # Whatever is added changes nothing before the first step.
    np.testing.assert_allclose(trainee.colorer.predict_rgb(rgb, 64), before, atol=1e-3)
    trainee.training()
    pixels = torch.rand(1, 3, 64, 64)
    prediction = trainee.predict(pixels, torch.zeros(1, 2))
    prediction.square().mean().backward()
    got = {name for name, p in trainee.trained.items() if p.grad is not None}
    assert got == set(trainee.trained)
    others = [p for p in trainee.net.parameters() if not p.requires_grad]
    assert others and all(p.grad is None for p in others)
    if family == "sd":
        assert not any(name.startswith("vae") for name in trainee.trained)


def test_lora_goes_back_into_the_weights(tiny_sd: Path) -> None:
    trainee = load_trainee(str(tiny_sd), "cpu")
    names = {name for name, _ in trainee.net.named_parameters()}
    set_trained(trainee, "lora", seed=1)
    with torch.no_grad():
        for parameter in trainee.trained.values():
            parameter.add_(torch.randn_like(parameter) * 0.05)
    rgb = to_rgb(np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8))
    apart = trainee.colorer.predict_rgb(rgb, 64)
    merge_lora(trainee.net.unet)
    np.testing.assert_allclose(trainee.colorer.predict_rgb(rgb, 64), apart, atol=0.05)
    assert {name for name, _ in trainee.net.named_parameters()} == names
    plain = load_model(tiny_sd, "cpu").predict_rgb(rgb, 64)
    assert np.abs(apart - plain).max() > 1


def test_checkpoints_change_no_gradient(tiny_sd: Path) -> None:
    found = []
    for saving in (False, True):
        trainee = load_trainee(str(tiny_sd), "cpu")
        set_trained(trainee, "full")
        if saving:
            trainee.checkpoint()
        trainee.training()
        torch.manual_seed(0)
        trainee.predict(torch.rand(1, 3, 64, 64), torch.zeros(1, 2)).mean().backward()
        found.append([p.grad for p in trainee.trained.values()])
    for one, two in zip(*found, strict=True):
        torch.testing.assert_close(one, two)


def test_memory_is_saved_in_the_order_told() -> None:
    need = MemoryNeed(weights=1000, trained=1000, per_pixel=10.0, fixed=0)
    wanted = Amount(batch=4, accumulate=1, crop=64)
    whole = need.total(wanted)

    def at(free: int) -> Amount | None:
        return fit_amount(need, wanted, free, smallest=32, multiple=16)

    assert at(whole) == wanted
    assert at(whole - 1) == dataclasses.replace(wanted, checkpointing=True)
    halved = at(need.total(dataclasses.replace(wanted, checkpointing=True)) - 1)
    assert halved == Amount(2, 2, 64, True)
    smallest = Amount(1, 4, 32, True)
    assert at(need.total(smallest)) == smallest
    assert at(need.total(smallest) - 1) is None


def test_what_is_kept_grows_with_what_is_trained(tiny_sd: Path) -> None:
    trainee = load_trainee(str(tiny_sd), "cpu")
    set_trained(trainee, "full")
    full = kept_per_pixel(trainee)
    set_trained(trainee, "last_blocks")
    assert 0 < kept_per_pixel(trainee) < full


def test_too_little_memory_is_refused_with_what_would_fit(
    tmp_path: Path, tiny_sd: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = settings(
        tmp_path,
        tiny_sd,
        (),
        trainable="full",
        crop=None,
        batch=None,
        checkpointing=False,
    )
    ready = planning.prepare(config, "cpu")
    assert ready.memory <= ready.free and ready.trainable == "full"
    lean = planning.measure(ready.trainee)
    least = lean.total(Amount(1, 1, 64)) - planning._held(ready.trainee)
    monkeypatch.setattr(planning, "free_memory", lambda _: least + 1_000_000)
    small = planning.prepare(config, "cpu")
    assert small.amount.crop < ready.amount.crop and small.warnings
    monkeypatch.setattr(planning, "free_memory", lambda _: least - 1_500_000)
    with pytest.raises(MemoryShortError, match=r"would fit.*crop \d+"):
        planning.prepare(config, "cpu")
    monkeypatch.setattr(planning, "free_memory", lambda _: 1000)
    with pytest.raises(MemoryShortError, match="smaller model"):
        planning.prepare(config, "cpu")


def test_settings_that_do_not_suit_the_model_are_named(
    tmp_path: Path, tiny_mae: Path
) -> None:
    model = guided_model(tmp_path / "m")
    with pytest.raises(SettingsError, match="multiple of 8"):
        planning.prepare(settings(tmp_path, model, (), crop=36), "cpu")
    with pytest.raises(SettingsError, match="always sees 64 x 64"):
        planning.prepare(settings(tmp_path, tiny_mae, (), crop=32), "cpu")
