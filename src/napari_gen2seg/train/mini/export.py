"""Write a trained network as a model folder that loads like the published weights."""

from __future__ import annotations

import hashlib
import json
import os
import platform
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch

from napari_gen2seg.common.atomic import replacing_folder
from napari_gen2seg.errors import StorageError, WeightsError
from napari_gen2seg.models.model_config import FACTS_NAME, FORMAT_VERSION
from napari_gen2seg.models.model_folder import read_model_folder
from napari_gen2seg.models.networks.one_step import OneStepNet
from napari_gen2seg.train.mini.architecture import SCHEDULE
from napari_gen2seg.train.mini.config import STAGES, RunConfig, as_dict

CHECKSUMS_NAME = "SHA256SUMS"


def save_model(
    net: OneStepNet, folder: Path, facts: dict[str, Any], card: str, half: bool = True
) -> Path:
    """Write ``net`` in diffusers layout, whole or not at all.

    Parameters
    ----------
    net
        The network, on any device.
    folder
        Where to; an older model there is replaced once the new one is complete.
    facts
        Entries of ``gen2seg.json``.
    card
        Text of the model card, ``README.md``.
    half
        Store float16, half the size; loading brings any other type back.

    Raises
    ------
    StorageError
        If the folder cannot be written.
    """
    dtype = torch.float16 if half else torch.float32
    return write_model(
        folder, facts, card, lambda draft: _write_parts(net, draft, dtype)
    )


def write_model(
    folder: Path,
    facts: dict[str, Any],
    card: str,
    write_weights: Callable[[Path], object],
) -> Path:
    """Write a model folder of any family, whole or not at all.

    Parameters
    ----------
    folder
        Where to; an older model there is replaced once the new one is complete.
    facts
        Entries of ``gen2seg.json``.
    card
        Text of the model card, ``README.md``.
    write_weights
        Called with a folder to write the family's own files into.

    Raises
    ------
    StorageError
        If the folder cannot be written.
    """
    try:
        with replacing_folder(folder) as draft:
            draft.mkdir()
            write_weights(draft)
            text = json.dumps(facts, indent=2) + "\n"
            (draft / FACTS_NAME).write_text(text, encoding="utf-8")
            (draft / "README.md").write_text(card, encoding="utf-8")
            (draft / CHECKSUMS_NAME).write_text(checksums(draft), encoding="utf-8")
    except OSError as error:
        raise StorageError(
            f"The model could not be written to {folder}: {error}. Free some space or "
            "choose another folder; the model there before is kept."
        ) from error
    return folder


def kept_card(folder: Path, name: str) -> str:
    """Return the card of the model that is there, else a heading."""
    path = folder / "README.md"
    return path.read_text(encoding="utf-8") if path.is_file() else f"# {name}\n"


def _write_parts(net: OneStepNet, folder: Path, dtype: torch.dtype) -> None:
    from diffusers import DDIMScheduler
    from safetensors.torch import save_file

    for name in ("unet", "vae"):
        module: Any = getattr(net, name)
        module.save_config(folder / name)
        tensors = {
            k: v.detach().to("cpu", dtype).contiguous()
            for k, v in module.state_dict().items()
        }
        save_file(
            tensors,
            folder / name / "diffusion_pytorch_model.safetensors",
            {"format": "pt"},
        )
    DDIMScheduler(**SCHEDULE).save_config(folder / "scheduler")
    prompt = {"embedding": net.prompt.detach().float().cpu().contiguous()}
    save_file(prompt, folder / "empty_prompt.safetensors")
    index = {
        "_class_name": "StableDiffusionPipeline",
        "unet": ["diffusers", "UNet2DConditionModel"],
        "vae": ["diffusers", "AutoencoderKL"],
        "scheduler": ["diffusers", "DDIMScheduler"],
        "text_encoder": [None, None],
        "tokenizer": [None, None],
        "safety_checker": [None, None],
        "feature_extractor": [None, None],
    }
    (folder / "model_index.json").write_text(json.dumps(index, indent=2) + "\n")


def checksums(folder: Path) -> str:
    """Return ``sha256  path`` lines of every file of a model folder but itself."""
    lines = [
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  "
        f"{path.relative_to(folder).as_posix()}"
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != CHECKSUMS_NAME
    ]
    return "\n".join(lines) + "\n"


def recipe(config: RunConfig, run: Path) -> dict[str, Any]:
    """Return what happened, from the run's own logs: settings, steps, time, versions.

    ``settings`` are those of the export; ``starts`` under each stage are those the
    stage was really started and resumed with; ``before`` is the recipe of the model
    whose weights the run started from.
    """
    import diffusers

    done: dict[str, Any] = {}
    for name in STAGES:
        log = run / f"{name}.jsonl"
        if log.is_file():
            last = json.loads(log.read_text().splitlines()[-1])
            done[name] = {"steps": last["step"], "seconds": round(last["seconds"])}
        starts = run / f"{name}.starts.jsonl"
        if starts.is_file():
            lines = starts.read_text().splitlines()
            done.setdefault(name, {})["starts"] = [json.loads(line) for line in lines]
    settings = as_dict(config)
    settings["data"].pop("root")
    before = {}
    if config.start:
        from napari_gen2seg.models.json_file import read_json

        facts = read_json(Path(config.start).expanduser() / FACTS_NAME)
        before = {"before": {k: facts.get(k) for k in ("created", "recipe")}}
    return {
        **before,
        "settings": settings,
        "done": done,
        "torch": torch.__version__,
        "diffusers": diffusers.__version__,
        "python": platform.python_version(),
        "machine": _machine(),
    }


def _machine() -> str:
    if torch.cuda.is_available():
        return f"{torch.cuda.device_count()} x {torch.cuda.get_device_name(0)}"
    return f"CPU, {os.cpu_count()} cores ({platform.machine()})"


def export_run(
    config: RunConfig,
    run: Path,
    folder: Path,
    card: str | None = None,
    mean_with: Sequence[Path] = (),
) -> Path:
    """Export the latest stage of a run as a model folder.

    Parameters
    ----------
    config, run
        The run.
    folder
        Where to; its card is kept.
    card
        Text of another card.
    mean_with
        Model folders of the same shape. The mean of their weights and the run's is
        exported: of models that began with the same weights it often is better than
        each (Wortsman et al. 2022, "Model soups", arXiv 2203.05482).

    Raises
    ------
    WeightsError
        If the run has no finished weights, or a model folder has another shape.
    """
    from napari_gen2seg.train.mini.trainer import load_weights, starting_net

    net = starting_net(config, "autoencoder", run)
    for name in reversed(STAGES):
        if (run / f"{name}.safetensors").is_file():
            load_weights(net, run / f"{name}.safetensors")
            break
    else:
        raise WeightsError(
            f"{run} holds no trained weights; run a training stage into it first."
        )
    mixed = _mix(net, mean_with)
    guides = net.guides
    facts = {
        "format_version": FORMAT_VERSION,
        "id": config.id,
        "family": "sd",
        "title": config.id,
        "licence": "BSD-3-Clause",
        "licence_url": "https://opensource.org/license/bsd-3-clause",
        "description": "Small one-step colorer trained by napari-gen2seg.",
        "default_resolution": None,
        "min_resolution": 192,
        "max_resolution": 1024,
        "multiple": config.model.multiple,
        "guides": guides.to_dict() if guides else None,
        "stretch": "fixed",
        # Rims to the picture's own; a wider one blurs maps of phase contrast.
        "refine": {"radius": 2, "eps": 5e-3, "chroma": 1.0},
        "object_diameter": config.model.object_diameter,
        "created": datetime.now(UTC).date().isoformat(),
        "recipe": {**recipe(config, run), **mixed},
    }
    text = card if card is not None else kept_card(folder, config.id)
    return save_model(net, folder, facts, text)


def _mix(net: OneStepNet, folders: Sequence[Path]) -> dict[str, Any]:
    """Replace weights by their mean with those of other models; say which."""
    from napari_gen2seg.models.families.stable_diffusion import load_net
    from napari_gen2seg.models.json_file import read_json

    own = net.state_dict()
    mixed = []
    for folder in folders:
        other = load_net(read_model_folder(folder)).state_dict()
        if {k: v.shape for k, v in other.items()} != {
            k: v.shape for k, v in own.items()
        }:
            raise WeightsError(
                f"{folder} has a network of another shape; the mean of its weights and "
                "those of this run means nothing."
            )
        for name, value in own.items():
            if value.is_floating_point():
                value += other[name].to(value.device)
        unet = folder / "unet" / "diffusion_pytorch_model.safetensors"
        mixed.append(
            {
                "created": read_json(folder / FACTS_NAME).get("created"),
                "unet": hashlib.sha256(unet.read_bytes()).hexdigest(),
            }
        )
    for value in own.values():
        if value.is_floating_point():
            value /= len(folders) + 1
    return {"mean_with": mixed} if mixed else {}
