"""From a run's best weights to a model folder of the same layout as its base."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch

from napari_gen2seg.common.atomic import replacing_folder
from napari_gen2seg.errors import StorageError, WeightsError
from napari_gen2seg.models.model_config import FACTS_NAME, FORMAT_VERSION
from napari_gen2seg.train.finetune.config import FinetuneConfig
from napari_gen2seg.train.finetune.inference_settings import Use
from napari_gen2seg.train.finetune.lora import merge_lora
from napari_gen2seg.train.finetune.old_words import in_new_words
from napari_gen2seg.train.finetune.run_folder import BEST_NAME, MODEL_NAME
from napari_gen2seg.train.finetune.trainable import (
    TrainableModel,
    load_trainee,
    set_trained,
)
from napari_gen2seg.train.mini.export import CHECKSUMS_NAME, checksums

CARD_NAME = "README.md"


@dataclass(frozen=True)
class Best:
    """The weights that a run keeps.

    Attributes
    ----------
    trainable
        ``"full"``, ``"lora"`` or ``"last_blocks"``.
    step, score
        When they were best, and how good.
    weights
        By the parameters' names in the whole network.
    use
        Facts of the model that the labels set right; see `finetune.use`.
    """

    trainable: str
    step: int
    score: float
    weights: dict[str, torch.Tensor]
    use: dict[str, Any]

    @property
    def unchanged(self) -> bool:
        """Whether nothing came of the run: the weights and facts of the base."""
        return self.step == 0 and not self.use


def read_best(run: Path) -> Best:
    """Read ``best.safetensors``.

    Raises
    ------
    WeightsError
        If it is missing or damaged.
    """
    from safetensors import SafetensorError, safe_open

    path = run / BEST_NAME
    try:
        with safe_open(path, "pt") as file:
            told = in_new_words(file.metadata() or {})
            weights = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
        step, score = int(told["step"]), float(told["score"])
        use = json.loads(told.get("use", "{}"))
        return Best(told["trainable"], step, score, weights, use)
    except (OSError, SafetensorError, KeyError, ValueError) as error:
        raise WeightsError(
            f"The best weights {path} cannot be read ({error}). Start the run anew."
        ) from error


def export_best(config: FinetuneConfig, run: Path) -> Path:
    """Write ``RUN/model``: the base with the best weights, additions merged.

    The number type is that of the base's files, the licence too.

    Raises
    ------
    StorageError
        If it cannot be written; a model there before is kept.
    """
    best = read_best(run)
    trainee = load_trainee(config.model, "cpu", config.revision)
    set_trained(trainee, best.trainable, config.seed)
    with torch.no_grad():
        for name, value in best.weights.items():
            trainee.trained[name].copy_(value)
    folder = run / MODEL_NAME
    try:
        with replacing_folder(folder) as draft:
            _write(trainee, draft, best.trainable)
            _write_facts(config, trainee, draft, best.use)
            (draft / CHECKSUMS_NAME).write_text(checksums(draft))
    except OSError as error:
        raise StorageError(
            f"The new model could not be written to {folder}: {error}. Free some space "
            "and resume the run; its best weights are kept."
        ) from error
    return folder


def _write(trainee: TrainableModel, folder: Path, trainable: str) -> None:
    """Copy the base and lay the changed parts over it."""
    base, family = trainee.folder, trainee.family
    # Of other weight formats only one would be true afterwards.
    skip = shutil.ignore_patterns(
        *family.not_copied, "*.bin", "*.pt", "*.ckpt", "*.md", "*.part",
        "*.safetensors", "*.safetensors.index.json", ".*", CHECKSUMS_NAME,
    )  # fmt: skip
    shutil.copytree(base, folder, ignore=skip)
    if trainable == "lora":
        merge_lora(trainee.parts.main)
    family.save_weights(trainee.net, base, folder)


def _write_facts(
    config: FinetuneConfig, trainee: TrainableModel, folder: Path, use: Use
) -> None:
    path = folder / FACTS_NAME
    facts: dict[str, Any] = (
        json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    )
    base = trainee.spec
    facts.setdefault("default_resolution", trainee.model_config.default_resolution)
    facts.setdefault("min_resolution", trainee.model_config.min_resolution)
    facts.setdefault("max_resolution", trainee.model_config.max_resolution)
    facts.setdefault("multiple", trainee.model_config.multiple)
    facts.setdefault("licence", base.licence)
    facts.setdefault("licence_url", base.licence_url)
    facts |= {
        "format_version": FORMAT_VERSION,
        "id": config.name,
        "family": trainee.model_config.family,
        "title": config.name,
        "description": f"{base.title}, fine-tuned on a person's own pictures.",
        "base_model": base.id if base.source != "folder" else Path(base.id).name,
        "created": datetime.now(UTC).date().isoformat(),
        **use,
    }
    path.write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
