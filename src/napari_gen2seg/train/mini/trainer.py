"""One loop for every stage: resumable, on one GPU, several, or a CPU.

A run folder holds, per stage, ``STAGE.safetensors`` (averaged weights of the whole
network, what the next stage starts from), ``STAGE.state.pt`` (everything needed to go
on), ``STAGE.jsonl`` (one line of figures per 25 steps) and ``STAGE.starts.jsonl`` (the
settings at every start and resumption, since a run may be resumed with others).
"""

from __future__ import annotations

import hashlib
import json
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from napari_gen2seg.common.atomic import replacing
from napari_gen2seg.errors import StorageError, TrainingError
from napari_gen2seg.models.families.stable_diffusion import SD, load_net
from napari_gen2seg.models.model_folder import read_model_folder
from napari_gen2seg.models.networks.one_step import OneStepNet
from napari_gen2seg.models.networks.shifted_guides import ShiftedGuidesNet
from napari_gen2seg.models.runtime.compilation import compile_modules, compiling
from napari_gen2seg.train.engine.distributed import (
    any_of,
    average_gradients,
    first_of,
    join_processes,
)
from napari_gen2seg.train.engine.ema import WeightAverage
from napari_gen2seg.train.engine.learning_rate import share_done, warmup_cosine
from napari_gen2seg.train.mini.architecture import build_net
from napari_gen2seg.train.mini.config import STAGES, RunConfig, as_dict
from napari_gen2seg.train.mini.dataset import Crops, loader
from napari_gen2seg.train.mini.stages import stage_loss, trained_parts

_LOG_EVERY = 25


@dataclass(frozen=True)
class Progress:
    """One line of the training log."""

    stage: str
    step: int
    steps: int
    loss: float
    rate: float
    seconds: float
    parts: dict[str, float]


def train_stage(
    config: RunConfig,
    stage_name: str,
    run: Path,
    cancel: Callable[[], bool] = lambda: False,
) -> Iterator[Progress]:
    """Train one stage, from where it was left.

    Parameters
    ----------
    config
        The run.
    stage_name
        ``autoencoder``, ``pretrain`` or ``colour``.
    run
        Run folder; made if missing.
    cancel
        Asked between steps; True stops with everything saved.

    Yields
    ------
    Progress
        Every 25 steps, in the main process.

    Raises
    ------
    TrainingError
        If the loss is no longer a number, or the network cannot be compiled.
    StorageError
        If the run folder cannot be written.
    """
    from accelerate.utils import set_seed

    stage = config.stage(stage_name)
    run.mkdir(parents=True, exist_ok=True)
    accelerator = join_processes(
        mixed_precision="bf16" if torch.cuda.is_available() else "no"
    )
    set_seed(stage.seed)
    net = starting_net(config, stage_name, run).to(accelerator.device)
    parameters = trained_parts(stage_name, net)
    optimiser = torch.optim.AdamW(
        parameters,
        lr=stage.rate,
        weight_decay=stage.weight_decay,
        betas=(0.9, 0.98),
        fused=True,
    )
    average = WeightAverage(net.state_dict(), stage.average)
    state_path = run / f"{stage_name}.state.pt"
    step, spent = _resume(state_path, net, optimiser, average)
    if accelerator.is_main_process:
        _log(run / f"{stage_name}.starts.jsonl", started(config, stage_name, step))
    # Each process draws crops of its own.
    seed = stage.seed + 1_000_003 * accelerator.process_index
    crops = Crops(config.data, seed, step * stage.batch)
    batches = iter(loader(crops, stage.batch, config.data.workers))
    compute = stage_loss(stage_name, stage)
    if stage.compile:
        compile_modules(SD.compiled_parts(net))
    begun = time.monotonic() - spent
    net.train()
    while not any_of(
        accelerator, cancel() or stage.over(step, time.monotonic() - begun)
    ):
        seconds = time.monotonic() - begun
        gone = share_done(step, seconds, stage.steps, stage.minutes)
        gone = first_of(accelerator, gone)
        pace = warmup_cosine(stage.rate, (step + 1) / max(stage.ramp, 1), gone)
        for group in optimiser.param_groups:
            group["lr"] = pace
        batch = {k: v.to(accelerator.device) for k, v in next(batches).items()}
        batch["pixels"] = batch["pixels"].contiguous(memory_format=torch.channels_last)
        with compiling(f"--set {stage_name}.compile=false"):
            with accelerator.autocast():
                loss, parts = compute(net, batch, gone)
            accelerator.backward(loss)
        if not math.isfinite(loss.item()):
            raise TrainingError(
                f"The loss became {loss.item()} at step {step} of {stage_name}. The "
                "last saved state is kept; resume with a smaller rate."
            )
        average_gradients(accelerator, parameters)
        accelerator.clip_grad_norm_(parameters, stage.clip)
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
        average.update()
        step += 1
        if step % _LOG_EVERY == 0:
            seconds = time.monotonic() - begun
            event = Progress(
                stage_name, step, stage.steps, loss.item(), pace, seconds, parts
            )
            if accelerator.is_main_process:
                _log(run / f"{stage_name}.jsonl", event.__dict__)
                yield event
        if step % stage.save_every == 0 and accelerator.is_main_process:
            _save(run, stage_name, net, optimiser, average, step, begun)
    if stage_name == "autoencoder":
        _set_scaling(net, next(batches)["pixels"].to(accelerator.device))
    if accelerator.is_main_process:
        _save(run, stage_name, net, optimiser, average, step, begun)


@torch.no_grad()
def _set_scaling(net: ShiftedGuidesNet, pixels: torch.Tensor) -> None:
    """Bring latents to unit spread, as the noise schedule expects."""
    spread = float(net.encode(pixels).std()) / net.scaling
    net.vae.register_to_config(  # type: ignore[operator]
        scaling_factor=1 / max(spread, 1e-6)
    )


def starting_net(config: RunConfig, stage_name: str, run: Path) -> ShiftedGuidesNet:
    """Build the network with the weights of the latest earlier stage that was run.

    Without one, with those of ``config.start``, or untrained.
    """
    plain = build_net(config.model)
    net = ShiftedGuidesNet(
        plain.unet, plain.vae, plain.prompt, plain.alphas_bar, plain.guides
    ).to(memory_format=torch.channels_last)
    for earlier in reversed(STAGES[: STAGES.index(stage_name)]):
        path = run / f"{earlier}.safetensors"
        if path.is_file():
            load_weights(net, path)
            return net
    if config.start:
        folder = Path(config.start).expanduser()
        net.load_state_dict(load_net(read_model_folder(folder)).state_dict())
    return net


def load_weights(net: OneStepNet, path: Path) -> None:
    """Load averaged weights saved by a stage, and the latent scale beside them."""
    from safetensors import safe_open
    from safetensors.torch import load_file

    # Parts whose shape the settings have changed since start anew.
    own = net.state_dict()
    known = {k: v for k, v in load_file(path).items() if own[k].shape == v.shape}
    net.load_state_dict(known, strict=False)
    with safe_open(path, "pt") as file:
        scaling = (file.metadata() or {}).get("scaling")
    if scaling:
        net.vae.register_to_config(  # type: ignore[operator]
            scaling_factor=float(scaling)
        )


def _resume(
    path: Path,
    net: ShiftedGuidesNet,
    optimiser: torch.optim.Optimizer,
    average: WeightAverage,
) -> tuple[int, float]:
    if not path.is_file():
        return 0, 0.0
    state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    net.load_state_dict(state["net"])
    net.vae.register_to_config(  # type: ignore[operator]
        scaling_factor=state["scaling"]
    )
    optimiser.load_state_dict(state["optimiser"])
    average.restore(state["average"], state["step"])
    torch.set_rng_state(state["rng"])
    return int(state["step"]), float(state["seconds"])


def _save(
    run: Path,
    stage_name: str,
    net: ShiftedGuidesNet,
    optimiser: torch.optim.Optimizer,
    average: WeightAverage,
    step: int,
    begun: float,
) -> None:
    from safetensors.torch import save_file

    state = {
        "net": net.state_dict(),
        "optimiser": optimiser.state_dict(),
        "average": average.shadow,
        "step": step,
        "seconds": time.monotonic() - begun,
        "scaling": net.scaling,
        "rng": torch.get_rng_state(),
    }
    weights = {k: v.contiguous() for k, v in average.shadow.items()}
    metadata = {"scaling": str(net.scaling), "step": str(step)}
    try:
        for path, write in (
            (run / f"{stage_name}.state.pt", lambda p: torch.save(state, p)),
            (
                run / f"{stage_name}.safetensors",
                lambda p: save_file(weights, p, metadata),
            ),
        ):
            # A killed run keeps its last whole state.
            with replacing(path, path.with_name(f"{path.name}.part")) as draft:
                write(draft)
    except OSError as error:
        raise StorageError(
            f"The training state could not be written to {run}: {error}. Free some "
            "space and resume; the state before is kept."
        ) from error


def started(config: RunConfig, stage_name: str, step: int) -> dict[str, Any]:
    """Return the settings a stage is started or resumed with at a step."""
    settings = as_dict(config)
    data = {k: v for k, v in settings["data"].items() if k != "root"}
    told = {"step": step, "data": data, stage_name: settings[stage_name]}
    if config.start:
        unet = Path(config.start).expanduser() / "unet"
        told["start"] = {
            path.name: hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(unet.glob("*.safetensors"))
        }
    return told


def _log(path: Path, entry: dict[str, Any]) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(entry) + "\n")
