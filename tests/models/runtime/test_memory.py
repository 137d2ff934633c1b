"""Device and number type, memory estimates, and what happens when memory is short."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from napari_gen2seg.errors import MemoryShortError, ModelError, SettingsError
from napari_gen2seg.models.loader import load_model
from napari_gen2seg.models.model_folder import read_model_config
from napari_gen2seg.models.runtime import memory, placement
from napari_gen2seg.models.runtime.device import DeviceChoice, choose
from napari_gen2seg.models.runtime.resolution import (
    choose_resolution,
    refine_resolution,
    resolution_for_objects,
)

if TYPE_CHECKING:
    from collections.abc import Callable

FREE = DeviceChoice("cpu", "float32", "For a test.")


def test_the_choice_explains_itself() -> None:
    found = choose()
    assert found.kind in ("cuda", "mps", "cpu")
    assert found.reason.endswith(".")
    assert not found.asked_device
    asked = choose("cpu", "bf16")
    assert (asked.device, asked.dtype, asked.asked_dtype) == ("cpu", "bfloat16", True)
    assert "as asked" in asked.reason


@pytest.mark.parametrize(
    ("device", "dtype"),
    [("tpu", "auto"), ("cpu:1", "auto"), ("cuda:x", "auto"), ("cpu", "int8")],
)
def test_unknown_names_are_answered_with_the_known(device: str, dtype: str) -> None:
    with pytest.raises(SettingsError, match="must be one of"):
        choose(device, dtype)


def test_a_device_that_is_not_there() -> None:
    import torch

    for name, there in (
        ("cuda:63", False),
        ("cuda", torch.cuda.is_available()),
        ("mps", torch.backends.mps.is_available()),
    ):
        if not there:
            with pytest.raises(SettingsError, match=name):
                choose(name)


def test_estimates_follow_weights_type_and_size(tiny_sd: Path) -> None:
    small = memory.estimate_memory(tiny_sd, 512)
    assert small.weights == 4 * small.parameters
    assert small.parameters == sum(
        p.stat().st_size // 4 for p in tiny_sd.glob("[uv]*/*.safetensors")
    ) - sum(_header(p) // 4 for p in tiny_sd.glob("[uv]*/*.safetensors"))
    half = memory.estimate_memory(tiny_sd, 512, "bfloat16")
    assert half.total == small.total // 2
    assert memory.estimate_memory(tiny_sd, 1024).work == 4 * small.work


def _header(path: Path) -> int:
    return 8 + int.from_bytes(path.read_bytes()[:8], "little")


def test_the_estimate_for_stable_diffusion_matches_its_measured_peak(
    fresh_sd: Path,
) -> None:
    import json

    # Measured on the real shape: 1.3 GB at 512 and 2.5 GB at 768 beyond the weights.
    path = fresh_sd / "vae" / "config.json"
    config = json.loads(path.read_text())
    path.write_text(json.dumps(config | {"block_out_channels": [128, 256, 512, 512]}))
    for side, measured in ((512, 1.3e9), (768, 2.5e9)):
        work = memory.estimate_memory(fresh_sd, side).work
        assert 0.9 * measured < work < 1.34 * measured


def test_too_little_memory_changes_the_type_then_warns(
    tiny_sd: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    need = memory.estimate_memory(tiny_sd, 512).total
    monkeypatch.setattr(memory, "free_main_memory", lambda: int(need * 0.7))
    chosen, warning = memory.fit(FREE, tiny_sd, 512)
    assert (chosen.dtype, warning) == ("bfloat16", "")
    assert "Changed to bfloat16: it needs about" in chosen.reason
    asked = DeviceChoice("cpu", "float32", "", True, True)
    chosen, warning = memory.fit(asked, tiny_sd, 512)
    assert chosen == asked
    assert "may not fit" in warning
    monkeypatch.setattr(memory, "free_main_memory", lambda: 1000)
    model = load_model(tiny_sd)
    assert "may not fit" in model.reason


def test_free_memory_is_at_most_what_the_machine_has() -> None:
    import psutil

    assert 0 < memory.free_main_memory() <= psutil.virtual_memory().total


# The real thing: a process that may not have more memory than this. The limit is
# lifted between the scenes, so that one process (and one import of torch) is enough.
_STARVED = """
import json, resource, sys
import numpy as np
from napari_gen2seg.errors import MemoryShortError
from napari_gen2seg.models.loader import load_model
image = np.random.default_rng(0).random((32, 32), np.float32)
free = resource.getrlimit(resource.RLIMIT_AS)
told = []
for side, spare, dtype in json.loads(sys.argv[2]):
    model = load_model(sys.argv[1], device="auto", dtype=dtype)
    model.color(image, 64)
    status = open("/proc/self/status").read()
    used = 1024 * int(status.split("VmSize:")[1].split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (used + int(spare * 1e6), free[1]))
    try:
        result = str(model.color(image, side).values.shape)
    except MemoryShortError as error:
        result = str(error)
    resource.setrlimit(resource.RLIMIT_AS, free)
    told.append((result, model.dtype, model.notes))
    model.unload()
print(json.dumps(told))
"""


@pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="needs Linux's address limit"
)
def test_memory_that_never_suffices_is_one_sentence(
    make_mini: Callable[..., Path],
) -> None:
    import json

    scenes = [(512, 3, "auto"), (512, 3, "float32")]
    done = subprocess.run(
        [sys.executable, "-c", _STARVED, str(make_mini()), json.dumps(scenes)],
        capture_output=True,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""},
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    never, asked = json.loads(done.stdout)
    # never enough: one sentence, after everything was tried
    assert "Coloring at 512 pixels does not fit" in never[0]
    assert "lower resolution" in never[0]
    assert "bfloat16" in never[2][0]
    assert "tiles of 256 pixels" in never[2][-1]
    # what a person asked for is kept
    assert asked[1] == "float32"
    assert "bfloat16" not in " ".join(asked[2])


@pytest.mark.parametrize("words", ["can't allocate memory", "not enough memory"])
def test_the_first_step_that_suffices_is_the_last(
    words: str, make_mini: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    model = load_model(make_mini(), device="cpu")
    forward = model._forward

    def needs_tiles(pictures: torch.Tensor, resolution: int) -> torch.Tensor:
        if model.dtype == "float32" or not model.net.vae.use_tiling:
            raise RuntimeError(f"DefaultCPUAllocator: {words}")
        return forward(pictures, resolution)

    monkeypatch.setattr(model, "_forward", needs_tiles)
    values = model.predict_rgb(np.random.default_rng(0).random((90, 600, 3)), 600)
    assert values.shape == (90, 600, 3)
    assert model.notes == (
        "Memory was short: numbers are bfloat16 now.",
        "Memory was short: the autoencoder works in tiles of 512 pixels now.",
    )
    assert all(note in model.reason for note in model.notes)


def test_a_batch_that_does_not_fit_goes_one_by_one(
    tiny_mae: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    model = load_model(tiny_mae, device="cpu")
    forward = model._forward

    def only_singles(pictures: torch.Tensor, resolution: int) -> torch.Tensor:
        if len(pictures) > 1:
            raise torch.OutOfMemoryError("out of memory")
        return forward(pictures, resolution)

    pictures = [np.full((64, 64, 3), v, np.float32) for v in (0.1, 0.9)]
    expected = model.predict_many(pictures, 64)
    monkeypatch.setattr(model, "_forward", only_singles)
    got = model.predict_many(pictures, 64)
    assert all(np.allclose(a, b, atol=1e-2) for a, b in zip(got, expected, strict=True))
    assert model.notes == ("Memory was short: pictures go one at a time.",)


def test_a_gpu_without_room_falls_back_to_the_cpu(tiny_mae: Path) -> None:
    import torch

    class Crowded(torch.nn.Linear):
        """Fits nowhere but on the CPU."""

        def to(self, *args: object, **kwargs: object) -> Crowded:
            if args and args[0] == "cuda":
                raise torch.OutOfMemoryError("CUDA out of memory.")
            return super().to(*args, **kwargs)

    choice = DeviceChoice("cuda", "bfloat16", "")
    net = placement.DevicePlacement(Crowded(2, 2), choice, "crowded")
    assert net.choice.device == "cpu"
    assert net.choice.dtype == choose("cpu").dtype  # quick there
    assert net.notes == ("Memory was short: computing on the CPU now.",)
    narrow = DeviceChoice("cuda", "bfloat16", "", False, True)
    assert (
        placement.DevicePlacement(Crowded(2, 2), narrow, "").choice.dtype == "bfloat16"
    )
    asked = DeviceChoice("cuda", "bfloat16", "", True, True)
    with pytest.raises(MemoryShortError, match="crowded"):
        placement.DevicePlacement(Crowded(2, 2), asked, "crowded")


def test_numbers_that_run_over_are_widened(make_mini: Callable[..., Path]) -> None:
    import torch

    model = load_model(make_mini(), device="cpu", dtype="fp16")
    with torch.no_grad():  # a decoder whose last step leaves float16's range
        model.net.vae.decoder.conv_out.weight.mul_(0).add_(60000)
    values = model.predict_rgb(np.full((32, 32, 3), 0.5, np.float32), 32)
    assert np.isfinite(values).all()
    assert model.dtype == "float32"
    assert "ran over in float16" in model.reason
    with torch.no_grad():
        model.net.vae.decoder.conv_out.weight.fill_(torch.nan)
    with pytest.raises(ModelError, match="weights are damaged"):
        model.predict_rgb(np.full((32, 32, 3), 0.5, np.float32), 32)


def test_other_errors_are_not_taken_for_short_memory(tiny_mae: Path) -> None:
    model = load_model(tiny_mae, device="cpu")
    with pytest.raises(RuntimeError, match="must match the size"):
        model.predict_many([np.zeros((64, 64, 5), np.float32)], 64)
    assert model.notes == ()


def test_the_first_resolution_rule(make_mini: Callable[..., Path]) -> None:
    folder = make_mini(min_resolution=200, max_resolution=600)
    facts = read_model_config(folder)
    sides = [
        choose_resolution(np.zeros((10, side, 3), np.float32), facts)
        for side in (50, 300, 5000)
    ]
    assert sides == [200, 300, 600]


def test_a_second_look_brings_objects_to_the_size_the_model_likes(
    make_mini: Callable[..., Path],
) -> None:
    folder = make_mini(min_resolution=64, max_resolution=1024, object_diameter=30.0)
    facts = read_model_config(folder)
    assert choose_resolution(np.zeros((10, 2000, 3), np.float32), facts) == 512
    # Objects of 10 px at 256: three times as large; of 100 px: as much smaller.
    assert refine_resolution(256, 10.0, 256, facts) == 768
    assert refine_resolution(512, 100.0, 2000, facts) == 154
    assert refine_resolution(512, 32.0, 2000, facts) is None
    assert refine_resolution(512, None, 2000, facts) is None
    # One mass over most of the picture: its objects are too small, not too large.
    assert refine_resolution(512, 500.0, 512, facts) == 1024
    # Never beyond the limits, nor enlarged without end.
    assert refine_resolution(512, 2.0, 4000, facts) == 1024
    assert refine_resolution(64, 4.0, 50, facts) == 200


def test_a_known_object_size_chooses_the_resolution(
    make_mini: Callable[..., Path],
) -> None:
    folder = make_mini(min_resolution=64, max_resolution=1024, object_diameter=30.0)
    facts = read_model_config(folder)
    assert resolution_for_objects(60.0, (700, 1000), facts) == 500
    assert resolution_for_objects(2.0, (100, 100, 3), facts) == 400
    assert resolution_for_objects(900.0, (1000, 900), facts) == 64
    with pytest.raises(SettingsError, match="positive"):
        resolution_for_objects(0.0, (100, 100), facts)
    plain = read_model_config(make_mini(object_diameter=None))
    with pytest.raises(SettingsError, match="give the resolution itself"):
        resolution_for_objects(20.0, (100, 100), plain)
