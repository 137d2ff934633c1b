"""Everything needed to go on, written whole or not at all."""

from __future__ import annotations

import hashlib
import json
import math
import pickle
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from napari_gen2seg.common.atomic import replacing
from napari_gen2seg.errors import StorageError, TrainingError
from napari_gen2seg.train.finetune.config import FinetuneConfig
from napari_gen2seg.train.finetune.old_words import in_new_words, in_old_words
from napari_gen2seg.train.finetune.run_folder import BEST_NAME, STATE_NAME

_DAMAGED = (
    OSError,
    RuntimeError,
    LookupError,
    AttributeError,
    TypeError,
    ValueError,
    EOFError,
    pickle.UnpicklingError,
)


_LEAST = 0.01  # of one click's mean IoU, by which any step must beat the start


@dataclass
class Progress:
    """Where a run is.

    Attributes
    ----------
    step, seconds
        Done so far.
    rate_scale, rolled
        Halved, and counted, at each roll-back.
    best, best_step
        Best score so far, and when; NaN before the first.
    waited
        Scores since then.
    finished
        Why training ended, "" while it has not.
    use
        Facts of the model that the labels set right; see `finetune.use`. None before
        that is known.
    """

    step: int = 0
    seconds: float = 0.0
    rate_scale: float = 1.0
    rolled: int = 0
    best: float = float("nan")
    best_step: int = 0
    waited: int = 0
    finished: str = ""
    use: dict[str, Any] | None = None

    def scored(self, value: float) -> bool:
        """Take note of the score at this step; True if it is the best so far."""
        hurdle = self.best
        if self.step and not self.best_step:
            hurdle += _LEAST  # a hair's breadth above the start is chance
        best = not value <= hurdle
        if best:
            self.best, self.best_step, self.waited = value, self.step, 0
        else:
            self.waited += 1
        return best


_LATER = {
    "channels": None,
    "contrast": None,
    "invert": False,
    "joint": None,
    "proposed": 0,
    "proposed_inside": (),
}
"""What pairs were given later than the first states, and what it most often is."""


def fingerprint(config: FinetuneConfig) -> str:
    """Tell whether a state belongs to these settings (lengths may be changed)."""
    # In the old words, since states of an earlier version carry such a fingerprint.
    facts = in_old_words(asdict(config))
    for name in ("pairs", "datasets"):
        facts[name] = [in_old_words(one) for one in facts[name]]
    for free in ("steps", "minutes", "dial", "patience", "run", "device", "name"):
        facts.pop(free)
    for pair in facts["pairs"]:
        for name, usual in _LATER.items():  # states begun before these know none
            if pair[name] == usual:
                del pair[name]
        pair["image"], pair["labels"] = (
            Path(pair[key]).name for key in ("image", "labels")
        )
    facts.pop("preview_seconds"), facts.pop("score_seconds"), facts.pop("replay")
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]


def save_state(
    folder: Path,
    config: FinetuneConfig,
    trainable: str,
    amount: Mapping[str, Any],
    progress: Progress,
    trained: Mapping[str, Tensor],
    average: Mapping[str, Tensor],
    optimiser: torch.optim.Optimizer,
) -> Path:
    """Write ``state.pt``.

    Raises
    ------
    StorageError
        If it cannot be written; the state before is kept.
    """
    state = {
        "settings": fingerprint(config),
        "trainable": trainable,
        "amount": dict(amount),
        "progress": asdict(progress),
        "trained": {k: v.detach() for k, v in trained.items()},
        "average": dict(average),
        "optimiser": optimiser.state_dict(),
        "rng": torch.get_rng_state(),
    }
    return write(folder / STATE_NAME, lambda path: torch.save(state, path))


def read_state(folder: Path, config: FinetuneConfig | None) -> dict[str, Any] | None:
    """Read ``state.pt``; None where there is none.

    The best weights are a file of their own, often newer than the state: what they say
    of their score is true.

    Raises
    ------
    TrainingError
        If it is damaged or belongs to other settings.
    """
    path = folder / STATE_NAME
    if not path.is_file():
        return None
    try:
        state: dict[str, Any] = in_new_words(
            torch.load(path, map_location="cpu", weights_only=True)
        )
        # Runs of an earlier version were begun without asking the labels for it.
        state["progress"] = Progress(**{"use": {}} | state["progress"])
    except _DAMAGED as error:
        # Torch explains at length how to read unsafe files; that is no advice here.
        why = str(error).splitlines()[0][:120] if str(error) else type(error).__name__
        raise TrainingError(
            f"The state {path} cannot be read ({why}). Start anew in another folder, "
            "or with --overwrite in place of --resume."
        ) from error
    if config is not None and state["settings"] != fingerprint(config):
        raise TrainingError(
            f"The run in {folder} was begun with other settings or pictures; going on "
            "would mix the two. Start anew, or give the settings it was begun with."
        )
    _catch_up(state["progress"], folder / BEST_NAME)
    return state


def _catch_up(progress: Progress, best: Path) -> None:
    """Let a progress know of better weights that were written after it."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(best, "pt") as file:
            told = file.metadata() or {}
        step, score = int(told["step"]), float(told["score"])
    except (OSError, SafetensorError, KeyError, ValueError):
        return  # whoever needs the weights says what is wrong with them
    if math.isfinite(score) and not score <= progress.best:
        progress.best, progress.best_step, progress.waited = score, step, 0


def save_best(
    folder: Path, trainable: str, progress: Progress, average: Mapping[str, Tensor]
) -> Path:
    """Write the averaged trained weights as ``best.safetensors``.

    Raises
    ------
    StorageError
        If it cannot be written; the file before is kept.
    """
    from safetensors.torch import save_file

    weights = {k: v.detach().cpu().contiguous() for k, v in average.items()}
    told = {
        "trainable": trainable,
        "step": str(progress.step),
        "score": str(progress.best),
        "use": json.dumps(progress.use or {}),
    }
    return write(folder / BEST_NAME, lambda path: save_file(weights, path, told))


def write(path: Path, how: Callable[[Path], object]) -> Path:
    """Write beside and rename: a killed run keeps its last whole file.

    Raises
    ------
    StorageError
        If that fails; the file before is kept.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path, path.with_name(f"{path.name}.part")) as draft:
            how(draft)
    except (OSError, RuntimeError) as error:
        # torch and safetensors tell a full disk by errors of their own.
        raise StorageError(
            f"{path.name} could not be written to {path.parent}: {error}. Free some "
            "space there and resume; what was saved before is kept."
        ) from error
    return path
