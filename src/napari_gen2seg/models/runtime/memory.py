"""How much memory a model needs, told before it is loaded (no torch for the CPU).

The estimate is weights (counted from the safetensors headers) plus the largest
moment of the forward pass, which its family tells. For a latent diffusion model that
is the end of its decoder (about ten buffers of the decoder's first width at full size)
or, with a small latent factor, its UNet (about twenty of the UNet's first width at
latent size).
Measured on five shapes, Stable Diffusion 2 among them; right within a third in float32,
and rather too high than too low. In bfloat16 the need was up to 37 % higher.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from napari_gen2seg.common.text import bytes_text
from napari_gen2seg.models.model_folder import ModelFolder, as_model_folder
from napari_gen2seg.models.runtime.device import BYTES, DeviceChoice, free_main_memory

if TYPE_CHECKING:
    from napari_gen2seg.models.spec import ModelSpec

#: Torch, diffusers and transformers themselves, once imported.
LIBRARIES = 450_000_000
_CUDA_CONTEXT = 500_000_000


@dataclass(frozen=True)
class MemoryEstimate:
    """Bytes a model needs.

    Parameters
    ----------
    weights
        For the weights, in the number type chosen.
    work
        For one forward pass at the resolution.
    parameters
        Number of values in the weights.
    """

    weights: int
    work: int
    parameters: int

    @property
    def total(self) -> int:
        """Weights and work together, in bytes."""
        return self.weights + self.work


def estimate_memory(
    model: ModelSpec | ModelFolder | Path,
    resolution: int | None = None,
    dtype: str = "float32",
) -> MemoryEstimate:
    """Estimate the memory of loading and running a model once.

    Parameters
    ----------
    model
        A spec whose ``path`` is set (all is 0 without), or a model folder.
    resolution
        Longer side in pixels; the model's default (512 where it has none) if None.
    dtype
        ``"float32"``, ``"bfloat16"`` or ``"float16"``.

    Raises
    ------
    WeightsError
        If the folder's weights are missing or damaged.
    """
    if isinstance(model, ModelFolder | Path):
        folder = as_model_folder(model)
    elif model.path is None:
        return MemoryEstimate(0, 0, 0)
    else:
        folder = model.folder or as_model_folder(model.path)
    size = BYTES[dtype]
    work = folder.family.work_bytes(folder, resolution, size)
    return MemoryEstimate(size * folder.parameters, work, folder.parameters)


def free_memory(choice: DeviceChoice) -> int:
    """Return the bytes free on a device (main memory for ``mps`` and ``cpu``)."""
    if choice.kind == "cuda":
        import torch

        return int(torch.cuda.mem_get_info(torch.device(choice.device))[0])
    return free_main_memory()


def fit(
    choice: DeviceChoice, folder: ModelFolder | Path, resolution: int | None
) -> tuple[DeviceChoice, str]:
    """Change what the plugin chose itself until the model fits, and say so.

    Steps: a number type of half the size, then the CPU. What the person asked for is
    never changed: then the second value is a warning.

    Returns
    -------
    DeviceChoice, str
        The choice to load with, and a warning ("" when it fits).
    """
    folder = as_model_folder(folder)
    tried = choice
    while True:
        need = estimate_memory(folder, resolution, tried.dtype).total
        extra = _CUDA_CONTEXT if tried.kind == "cuda" else 0
        free = free_memory(tried)
        if need + extra <= free:
            return tried, ""
        lack = f"it needs about {bytes_text(need)} and {bytes_text(free)} is free"
        narrower = "float16" if tried.kind == "mps" else "bfloat16"
        if tried.dtype == "float32" and not tried.asked_dtype:
            tried = tried.but(f"Changed to {narrower}: {lack}.", dtype=narrower)
        elif tried.kind != "cpu" and not tried.asked_device:
            tried = tried.on_cpu(f"Changed to the CPU: {lack}.")
        else:
            return tried, (
                f"This model may not fit: {lack}. Close other programs, or choose a "
                "lower resolution or a smaller model."
            )
