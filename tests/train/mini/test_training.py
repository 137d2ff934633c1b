"""Three stages on drawn scenes, small but real: resumed, exported, loaded, clicked."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import tifffile
import torch
from safetensors.torch import load_file

from napari_gen2seg import load_model
from napari_gen2seg.errors import (
    DataError,
    SettingsError,
    StorageError,
    TrainingError,
    WeightsError,
)
from napari_gen2seg.io.annotated import Annotated
from napari_gen2seg.models.networks.position_guides import guide_channels
from napari_gen2seg.models.networks.shifted_guides import ShiftedGuidesNet
from napari_gen2seg.models.runtime.compilation import compile_modules
from napari_gen2seg.train.data.image_folder import kind_weights, read_source
from napari_gen2seg.train.engine.learning_rate import share_done, warmup_cosine
from napari_gen2seg.train.mini.architecture import build_net
from napari_gen2seg.train.mini.config import (
    ArchitectureConfig,
    DataConfig,
    RunConfig,
    StageConfig,
    read_config,
)
from napari_gen2seg.train.mini.dataset import Crops
from napari_gen2seg.train.mini.export import checksums, export_run
from napari_gen2seg.train.mini.trainer import load_weights, starting_net, train_stage

TINY = RunConfig(
    id="tiny",
    model=ArchitectureConfig(
        vae_channels=(8, 8),
        latent_channels=4,
        unet_channels=(8, 16),
        wavelengths=(32.0, 64.0),
        multiple=8,
    ),
    data=DataConfig(crop=32, workers=0),
    autoencoder=StageConfig(steps=6, batch=2, ramp=2),
    pretrain=StageConfig(steps=24, batch=2, ramp=5),
    colour=StageConfig(steps=6, batch=2, ramp=2, warmup=0.5),
)


@pytest.fixture(scope="module", autouse=True)
def told_often() -> Iterator[None]:
    """Have stages tell of every second step, that they need not be long."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("napari_gen2seg.train.mini.trainer._LOG_EVERY", 2)
        yield


@pytest.fixture(scope="module")
def run(told_often: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    for stage in ("autoencoder", "pretrain", "colour"):
        events = list(train_stage(TINY, stage, folder))
        assert events[-1].step == TINY.stage(stage).steps
    return folder


def test_the_exported_model_loads_and_answers_clicks(run: Path, tmp_path: Path) -> None:
    folder = export_run(TINY, run, tmp_path / "tiny")
    colorer = load_model(folder)
    image = np.zeros((40, 56), np.uint8)
    image[10:30, 10:30] = 200
    coloring = colorer.color(image, 56)
    assert coloring.values.shape == (40, 56, 3)
    mask = coloring.probe([(20, 20)])
    assert mask.full()[20, 20]
    facts = json.loads((folder / "gen2seg.json").read_text())
    assert facts["recipe"]["done"]["colour"]["steps"] == 6
    assert (folder / "SHA256SUMS").read_text() == checksums(folder)
    assert not list(folder.rglob("*.pt"))


def test_the_mean_of_two_models_lies_between_them(run: Path, tmp_path: Path) -> None:
    own = export_run(TINY, run, tmp_path / "own")
    other = tmp_path / "other"
    untrained = dataclasses.replace(
        TINY, colour=dataclasses.replace(TINY.colour, steps=1)
    )
    list(train_stage(untrained, "colour", tmp_path / "fresh"))
    export_run(untrained, tmp_path / "fresh", other)
    mean = export_run(TINY, run, tmp_path / "mean", mean_with=[other])
    name = Path("unet") / "diffusion_pytorch_model.safetensors"
    weights = [load_file(folder / name) for folder in (own, other, mean)]
    for key, value in weights[2].items():
        middle = (weights[0][key].float() + weights[1][key].float()) / 2
        torch.testing.assert_close(value.float(), middle, atol=2e-3, rtol=2e-3)
    facts = json.loads((mean / "gen2seg.json").read_text())
    assert len(facts["recipe"]["mean_with"][0]["unet"]) == 64
    assert load_model(mean).color(np.zeros((40, 40), np.uint8)).values.shape[2] == 3


def test_the_mean_with_a_model_of_another_shape_is_refused(
    run: Path, tmp_path: Path
) -> None:
    wide = dataclasses.replace(
        TINY,
        model=dataclasses.replace(TINY.model, unet_channels=(8, 24)),
        colour=dataclasses.replace(TINY.colour, steps=1),
    )
    list(train_stage(wide, "colour", tmp_path / "wide"))
    other = export_run(wide, tmp_path / "wide", tmp_path / "model")
    with pytest.raises(WeightsError, match="another shape"):
        export_run(TINY, run, tmp_path / "mean", mean_with=[other])
    assert not (tmp_path / "mean").exists()


def test_the_autoencoder_knows_its_latents_spread(run: Path, tmp_path: Path) -> None:
    folder = export_run(TINY, run, tmp_path / "tiny")
    scaling = json.loads((folder / "vae" / "config.json").read_text())["scaling_factor"]
    assert 0.01 < scaling < 100 and scaling != 1.0


def test_a_stopped_stage_goes_on_where_it_was(tmp_path: Path) -> None:
    asked = 0

    def after(steps: int) -> bool:
        nonlocal asked
        asked += 1
        return asked > steps

    list(train_stage(TINY, "colour", tmp_path, lambda: after(4)))
    state = torch.load(tmp_path / "colour.state.pt", weights_only=True)
    assert state["step"] == 4
    asked = 0
    events = list(train_stage(TINY, "colour", tmp_path, lambda: after(1000)))
    assert [e.step for e in events] == [6]
    assert asked == 3  # two steps more, and none of the first again


def test_a_half_written_state_is_never_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    short = dataclasses.replace(TINY, colour=dataclasses.replace(TINY.colour, steps=3))
    list(train_stage(short, "colour", tmp_path))
    before = (tmp_path / "colour.state.pt").read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("napari_gen2seg.common.atomic.os.replace", full)
    longer = dataclasses.replace(TINY, colour=dataclasses.replace(TINY.colour, steps=4))
    with pytest.raises(StorageError, match="Free some space"):
        list(train_stage(longer, "colour", tmp_path))
    assert (tmp_path / "colour.state.pt").read_bytes() == before


def _compiled(
    folder: Path, monkeypatch: pytest.MonkeyPatch, backend: object
) -> list[float]:
    """Train a few steps, each told; code for this machine takes minutes to generate."""
    monkeypatch.setattr("napari_gen2seg.train.mini.trainer._LOG_EVERY", 1)
    monkeypatch.setattr(
        "napari_gen2seg.train.mini.trainer.compile_modules",
        lambda parts: compile_modules(parts, backend=backend),  # type: ignore[arg-type]
    )
    colour = dataclasses.replace(TINY.colour, steps=3, compile=backend is not None)
    config = dataclasses.replace(TINY, colour=colour)
    return [event.loss for event in train_stage(config, "colour", folder)]


def test_a_compiled_stage_learns_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = _compiled(tmp_path / "plain", monkeypatch, None)
    compiled = _compiled(tmp_path / "compiled", monkeypatch, "aot_eager")
    assert len(plain) == 3 and compiled == pytest.approx(plain, rel=0.02)
    weights = [
        load_file(tmp_path / name / "colour.safetensors")
        for name in ("plain", "compiled")
    ]
    assert weights[0].keys() == weights[1].keys()


def test_a_stage_that_cannot_be_compiled_says_how_to_train_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> object:
        raise RuntimeError("there is no compiler")

    with pytest.raises(TrainingError, match=r"--set colour\.compile=false"):
        _compiled(tmp_path, monkeypatch, broken)


def test_a_stage_ends_by_its_time_and_slows_down_towards_it() -> None:
    timed = StageConfig(steps=1000, minutes=2, ramp=0, rate=1.0)
    assert not timed.over(10, 119) and timed.over(10, 121) and timed.over(1000, 1)
    assert share_done(10, 60, timed.steps, timed.minutes) == 0.5
    assert share_done(900, 60, timed.steps, timed.minutes) == 0.9
    assert share_done(900, 60, None, None) == 0.0
    rates = [warmup_cosine(2.0, 1.5, share) for share in (0.0, 0.5, 1.0)]
    assert rates == sorted(rates, reverse=True)
    assert (rates[0], rates[2]) == (2.0, pytest.approx(0.04))
    assert warmup_cosine(2.0, 0.25, 0.0) == 0.5


def test_training_lowers_the_loss(run: Path) -> None:
    lines = [json.loads(x) for x in (run / "pretrain.jsonl").read_text().splitlines()]
    assert lines[-1]["loss"] < 1.2
    assert all(np.isfinite(x["loss"]) for x in lines)


def test_placed_guides_at_the_origin_are_the_published_ones() -> None:
    net = build_net(TINY.model)
    placed = ShiftedGuidesNet(net.unet, net.vae, net.prompt, net.alphas_bar, net.guides)
    placed.origin = torch.zeros(1, 2)
    latent = torch.zeros(1, 4, 12, 20)
    assert net.guides is not None
    expected = guide_channels(net.guides, 24, 40, 2)
    torch.testing.assert_close(
        placed.guide(latent)[0, 4:], torch.from_numpy(expected), atol=1e-5, rtol=0
    )


def test_streams_repeat_by_seed() -> None:
    first = next(iter(Crops(TINY.data, seed=3)))
    again = next(iter(Crops(TINY.data, seed=3)))
    other = next(iter(Crops(TINY.data, seed=4)))
    assert torch.equal(first["pixels"], again["pixels"])
    assert not torch.equal(first["pixels"], other["pixels"])
    assert first["pixels"].min() >= -1 and first["pixels"].max() <= 1


def test_nothing_to_train_on_is_named() -> None:
    with pytest.raises(DataError, match="nothing to train on"):
        Crops(dataclasses.replace(TINY.data, drawn=0.0))


def test_settings_are_checked(tmp_path: Path) -> None:
    path = tmp_path / "run.toml"
    path.write_text('id = "a"\n[colour]\nsteps = 5\n')
    assert read_config(path, ["colour.rate=0.5"]).colour == StageConfig(
        steps=5, rate=0.5
    )
    path.write_text("[colour]\nstepps = 5\n")
    with pytest.raises(SettingsError, match="stepps"):
        read_config(path)
    with pytest.raises(SettingsError, match="cannot be read"):
        read_config(tmp_path / "none.toml")


def test_a_run_starts_from_the_weights_of_a_model_folder(
    run: Path, tmp_path: Path
) -> None:
    folder = export_run(TINY, run, tmp_path / "tiny")
    further = dataclasses.replace(TINY, start=str(folder))
    net = starting_net(further, "colour", tmp_path / "another")
    trained = starting_net(TINY, "colour", tmp_path / "another")
    load_weights(trained, run / "colour.safetensors")
    for name, value in net.state_dict().items():
        wanted = trained.state_dict()[name].half().float()
        assert torch.equal(value.float(), wanted), name
    again = export_run(further, run, tmp_path / "again")
    facts = json.loads((again / "gen2seg.json").read_text())
    assert facts["recipe"]["before"]["recipe"]["done"]["colour"]["steps"] == 6


def test_kinds_weigh_by_the_square_root_of_their_number() -> None:
    rgb, labels = np.zeros((8, 8, 3), np.uint8), np.zeros((8, 8), np.int32)
    pictures = [Annotated(rgb, labels, kind=kind) for kind in ["a"] * 16 + ["b"]]
    weights = kind_weights(pictures)
    assert weights.sum() == pytest.approx(1)
    assert weights[:16].sum() == pytest.approx(0.8)  # 4 : 1


def test_kinds_that_are_left_out_are_not_read(tmp_path: Path) -> None:
    rows = []
    for kind in ("cells", "tissue"):
        for part in ("images", "labels"):
            (tmp_path / part).mkdir(exist_ok=True)
            picture = np.full((16, 16), 1, np.uint8)
            tifffile.imwrite(tmp_path / part / f"{kind}.tif", picture)
        rows.append({"image": f"images/{kind}.tif", "kind": kind})
    (tmp_path / "manifest.json").write_text(json.dumps({"images": rows}))
    assert [p.kind for p in read_source(tmp_path)] == ["cells", "tissue"]
    assert [p.kind for p in read_source(tmp_path, left_out=["tissue"])] == ["cells"]
