"""Small pictures with labels, and small models, for the tests of fine-tuning."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from skimage.draw import disk

from napari_gen2seg.io.annotated import Annotated
from napari_gen2seg.train.data.labeled_images import PairSpec, read_pairs
from napari_gen2seg.train.finetune.config import FinetuneConfig


def discs(seed: int = 0, side: int = 96, step: int = 24) -> tuple[Any, Any]:
    """Return a grey picture of discs on a grid, and their labels."""
    rng = np.random.default_rng(seed)
    image = rng.normal(30, 4, (side, side))
    labels = np.zeros((side, side), np.uint16)
    number = 0
    for row in range(step // 2, side, step):
        for col in range(step // 2, side, step):
            number += 1
            at = np.array([row, col]) + rng.uniform(-1.5, 1.5, 2)
            inside = disk(at, rng.uniform(0.3, 0.42) * step, shape=labels.shape)
            image[inside] = rng.uniform(120, 230)
            labels[inside] = number
    return image.clip(0, 255).astype(np.uint8), labels


def write_pairs(
    folder: Path, count: int = 2, keep: int | None = None, **more: Any
) -> tuple[PairSpec, ...]:
    """Write pairs of files; with ``keep``, only so many objects are labelled."""
    for name in ("images", "labels"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    specs = []
    for number in range(count):
        image, labels = discs(number)
        if keep is not None:
            labels[labels > keep] = 0
        picture = folder / "images" / f"p{number}.tif"
        truth = folder / "labels" / f"p{number}.tif"
        tifffile.imwrite(picture, image)
        tifffile.imwrite(truth, labels)
        specs.append(PairSpec(str(picture), str(truth), f"p{number}", **more))
    return tuple(specs)


def write_few(folder: Path, count: int = 2) -> tuple[PairSpec, ...]:
    """Write pairs with six objects each: as few as labels are asked with.

    Every run clicks on all of them several times, before its first step and after its
    last, which takes longer than a step.
    """
    return write_pairs(folder, count, keep=6)


def read_images(specs: tuple[PairSpec, ...]) -> list[Annotated]:
    """Read pairs as a run would."""
    return [source.read() for source in read_pairs(specs)[0]]


def guided_model(folder: Path, levels: int = 3) -> Path:
    """Write a random model shaped as mini is, but tiny.

    Each level of the autoencoder halves what attention sees, a quarter of its time.
    """
    import torch

    from napari_gen2seg.train.mini.architecture import build_net
    from napari_gen2seg.train.mini.config import ArchitectureConfig
    from napari_gen2seg.train.mini.export import save_model

    torch.manual_seed(0)
    shape = ArchitectureConfig(
        vae_channels=(8,) * levels,
        latent_channels=4,
        unet_channels=(8, 16),
        wavelengths=(32.0,),
        multiple=8,
        object_diameter=16.0,
    )
    net = build_net(shape)
    facts = {
        "format_version": 1,
        "id": "tiny-guided",
        "family": "sd",
        "title": "tiny-guided",
        "licence": "BSD-3-Clause",
        "min_resolution": 32,
        "max_resolution": 256,
        "multiple": 8,
        "guides": net.guides.to_dict() if net.guides else None,
        "stretch": "fixed",
        "object_diameter": 16.0,
    }
    return save_model(net, folder, facts, "# tiny\n", half=False)


def offsets_model(folder: Path) -> Path:
    """Write a random model of the family offsets that likes small objects."""
    import json

    import torch

    from napari_gen2seg.models.families.offsets_net import save_net
    from napari_gen2seg.models.networks.offset_net import OffsetNet, OffsetNetConfig

    torch.manual_seed(0)
    folder.mkdir(parents=True)
    save_net(OffsetNet(OffsetNetConfig((16, 16, 8, 8))), folder)
    facts = {
        "format_version": 1,
        "id": "tiny-offsets",
        "family": "offsets",
        "title": "tiny-offsets",
        "licence": "BSD-3-Clause",
        "min_resolution": 64,
        "max_resolution": 256,
        "object_diameter": 20.0,
    }
    (folder / "gen2seg.json").write_text(json.dumps(facts), encoding="utf-8")
    return folder


def settings(
    folder: Path, model: Path | str, pairs: tuple[PairSpec, ...], **more: Any
) -> FinetuneConfig:
    """Return settings of a run of a few seconds."""
    values: dict[str, Any] = {
        "model": str(model),
        "name": "mine",
        "run": str(folder),
        "pairs": pairs,
        "steps": 6,
        "batch": 2,
        "crop": 32,
        "device": "cpu",
        "preview_seconds": 1000.0,
        "score_seconds": 1000.0,
    }
    return FinetuneConfig(**(values | more))
