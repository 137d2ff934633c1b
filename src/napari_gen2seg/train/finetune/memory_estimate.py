"""How much memory training takes, and the settings that fit.

Weights, gradients and the optimiser are counted; what a forward pass keeps for the
backward one is measured once, on a small crop, by looking at what autograd keeps.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch

from napari_gen2seg.common.text import bytes_text
from napari_gen2seg.errors import MemoryShortError
from napari_gen2seg.models.runtime.memory import LIBRARIES
from napari_gen2seg.train.finetune.trainable import TrainableModel

# Gradient, two moments and the average, float32 each.
_PER_TRAINED = 16
# With checkpoints: what is kept, and one block's activations computed anew.
_CHECKPOINTED = 0.35
# Buffers that backward makes beside what forward kept.
_BACKWARD = 1.3
_CUDA_CONTEXT = 500_000_000


@dataclass(frozen=True)
class Amount:
    """How much is computed at once.

    Attributes
    ----------
    batch, accumulate
        Crops at once, and how many times before a step.
    crop
        Side of a crop in pixels.
    checkpointing
        Whether activations are computed twice.
    """

    batch: int
    accumulate: int
    crop: int
    checkpointing: bool = False


@dataclass(frozen=True)
class MemoryNeed:
    """Bytes that training takes.

    Attributes
    ----------
    weights
        Of the whole model.
    trained
        Gradients, optimiser and average of what is trained.
    per_pixel
        Kept by the forward pass for each pixel of each crop.
    fixed
        Libraries, or the device's context.
    """

    weights: int
    trained: int
    per_pixel: float
    fixed: int

    def total(self, amount: Amount) -> int:
        """Return all of it for an amount of work."""
        kept = self.per_pixel * amount.batch * amount.crop**2 * _BACKWARD
        if amount.checkpointing:
            kept *= _CHECKPOINTED
        return int(self.weights + self.trained + self.fixed + kept)


def measure(trainee: TrainableModel, trained_values: int | None = None) -> MemoryNeed:
    """Measure what a model in training needs.

    Parameters
    ----------
    trainee
        Loaded; what is trained may be chosen already.
    trained_values
        How many values are trained; those of ``trainee`` if None.
    """
    weights = sum(p.numel() * p.element_size() for p in trainee.net.parameters())
    count = trainee.trainable if trained_values is None else trained_values
    cuda = trainee.device.type == "cuda"
    return MemoryNeed(
        weights,
        _PER_TRAINED * count,
        kept_per_pixel(trainee),
        _CUDA_CONTEXT if cuda else LIBRARIES,
    )


def kept_per_pixel(trainee: TrainableModel) -> float:
    """Return the bytes that autograd keeps per pixel of a crop."""
    multiple = trainee.multiple
    side = trainee.parts.fixed_side or (2 * multiple if multiple < 64 else multiple)
    own = {p.untyped_storage().data_ptr() for p in trainee.net.parameters()}
    kept: dict[int, int] = {}

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    trainee.training()
    pixels = torch.zeros(1, 3, side, side, device=trainee.device)
    origin = torch.zeros(1, 2, device=trainee.device)
    hooks = torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor)
    with hooks, torch.enable_grad():
        prediction = trainee.predict(pixels, origin)
    del prediction
    return sum(kept.values()) / side**2


def fit(
    need: MemoryNeed,
    amount: Amount,
    free: int,
    *,
    smallest: int,
    multiple: int,
    may_checkpoint: bool = True,
    may_shrink: bool = True,
) -> Amount | None:
    """Return the amount nearest to the wanted one that fits, or None.

    In this order: activations computed twice, smaller batches more often, smaller
    crops. The number of crops per step stays.
    """
    tried = amount
    while need.total(tried) > free:
        if may_checkpoint and not tried.checkpointing:
            tried = replace(tried, checkpointing=True)
        elif tried.batch > 1:
            half = (tried.batch + 1) // 2
            times = -(-tried.batch * tried.accumulate // half)
            tried = replace(tried, batch=half, accumulate=times)
        elif may_shrink and tried.crop - multiple >= smallest:
            tried = replace(tried, crop=tried.crop - multiple)
        else:
            return None
    return tried


def refuse(
    need: MemoryNeed,
    amount: Amount,
    free: int,
    device: str,
    nearest: tuple[str, Amount, int] | None,
) -> MemoryShortError:
    """Say politely what does not fit, and what would."""
    text = (
        f"Training like this needs about {bytes_text(need.total(amount))} on "
        f"{device!r}, and {bytes_text(free)} is free. "
    )
    if nearest is not None:
        trainable, fitting, size = nearest
        text += (
            f"What would fit ({bytes_text(size)}): train {trainable!r}, crop "
            f"{fitting.crop}, batch {fitting.batch}, accumulate {fitting.accumulate}"
            f"{', checkpointing on' if fitting.checkpointing else ''}."
        )
    else:
        text += "Close other programs, use another device, or a smaller model."
    return MemoryShortError(text)
